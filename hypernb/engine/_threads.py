"""Calls to the store from the loop: each on a thread of its own kind."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class Desk:
    """One thread that does what it is asked, in order.

    `hypernb.abc.Store.changed` compares with the last call in the same thread, so whoever
    polls needs a thread that stays the same.
    """

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a blocking function. Cancelling the caller does not undo the call."""
        future = self._pool.submit(function, *args, **kwargs)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Wait for what was asked, and end the thread."""
        self._pool.shutdown(wait=True)
