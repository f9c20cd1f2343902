"""Waiting on the store: wake when somebody has committed, look, and wait again."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hypernb.abc import Store
    from hypernb.model import Event, MissionId

POLL_S = 0.015
RUNNER_LOOK_S = 1.0


class Follower:
    """Looks at a store again whenever another connection has committed.

    A look costs a few microseconds, so it is repeated 60 times a second. That is less than a
    percent of a core, and events are seen milliseconds after their commit; see
    ``benchmarks/tailing.py``.

    Args:
        store: The store to watch.
        keep_going: Called about once a second; makes sure that a runner is there.
        stop: Set it to end the following from another thread.
        between: Called between looks, 60 times a second.
    """

    def __init__(
        self,
        store: Store,
        *,
        keep_going: Callable[[], None] | None = None,
        stop: threading.Event | None = None,
        between: Callable[[], None] | None = None,
    ) -> None:
        self._store = store
        self._between = between
        self._keep_going = keep_going
        self.stop = stop or threading.Event()

    def looks(
        self, timeout_s: float | None = None, *, tick_s: float | None = None
    ) -> Iterator[None]:
        """Yield at once, then after each commit, until stopped or the time is over.

        Args:
            timeout_s: In seconds; no limit if None.
            tick_s: Yield also when so much time has passed without a commit.
        """
        start = looked_at = yielded_at = time.monotonic()
        self._store.changed()
        yield
        while not self.stop.is_set():
            now = time.monotonic()
            left = None if timeout_s is None else timeout_s - (now - start)
            if left is not None and left <= 0:
                return
            self.stop.wait(POLL_S if left is None else min(POLL_S, left))
            if self._between is not None:
                self._between()
            if self._keep_going is not None and now - looked_at > RUNNER_LOOK_S:
                looked_at = now
                self._keep_going()
            changed = self._store.changed()
            if changed or (tick_s is not None and now - yielded_at >= tick_s):
                yielded_at = now
                yield

    def events(
        self, mission_id: MissionId | None, *, after: int, timeout_s: float | None = None
    ) -> Iterator[Event]:
        """Yield events as they are committed, from the one after ``after``."""
        for _ in self.looks(timeout_s):
            while batch := self._store.events(mission_id, after=after):
                after = batch[-1].seq
                yield from batch
