"""Calls that wait for the main thread: between cells, or while one only waits."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class FreeTime:
    """What is to be done in the main thread when it has nothing else to do.

    Whoever knows when that is calls `use`: the kernel's loop between cells, and whatever waits
    for a mission in the main thread.
    """

    def __init__(self) -> None:
        self._jobs: deque[Callable[[], None]] = deque()
        self._waiting = 0
        self._is_in_use = False
        self.wake: Callable[[], None] = lambda: None
        """Called from any thread when there is something to do."""

    def add(self, job: Callable[[], None]) -> None:
        """Have a job done in the main thread; it must not raise."""
        self._jobs.append(job)
        self.wake()

    def use(self) -> None:
        """Do what is to be done; nothing happens in another thread, or inside of a job."""
        if self._is_in_use or threading.current_thread() is not threading.main_thread():
            return
        self._is_in_use = True
        try:
            while self._jobs:
                self._jobs.popleft()()
        finally:
            self._is_in_use = False

    @property
    def is_wanted(self) -> bool:
        """Whether there is something to do."""
        return bool(self._jobs)

    @property
    def is_cell_waiting(self) -> bool:
        """Whether the cell that runs only waits for a mission, in a way that lets others in."""
        return self._waiting > 0

    @contextlib.contextmanager
    def while_waiting(self) -> Iterator[None]:
        """Let jobs be done although a cell runs: it awaits a mission."""
        self._waiting += 1
        try:
            self.wake()
            yield
        finally:
            self._waiting -= 1


FREE_TIME: Final = FreeTime()
