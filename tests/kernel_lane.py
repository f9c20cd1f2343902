"""A kernel that serves a lane, for what happens on the runner's side of it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from hypernb.model import RunnerId

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import KernelCall
    from hypernb.store import SqlStore

LANE: Final = "kernel:one"


class Kernel:
    """Answers the calls of a lane, as the host in a kernel does.

    Args:
        store: The store with the calls.
        answer: Arguments of `SqlStore.answer_kernel_call` for each call.
    """

    def __init__(self, store: SqlStore, answer: Callable[[KernelCall], dict[str, Any]]) -> None:
        self._store, self._answer = store, answer
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live)

    def __enter__(self) -> Kernel:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _live(self) -> None:
        store, me = self._store, RunnerId("k-1")
        lease = store.take_lease(f"lane:{LANE}", me, timedelta(seconds=60), {})
        assert lease is not None
        while not self._over.wait(0.02):
            for call in store.kernel_calls(LANE):
                if store.take_kernel_call(call.id, me):
                    store.answer_kernel_call(call.id, **self._answer(call))
        store.release_lease(lease)
