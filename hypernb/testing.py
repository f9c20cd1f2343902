"""Helpers for tests of hypernb and of what is built on it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["FakeClock"]

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """A `hypernb.abc.Clock` that stands still until it is advanced.

    Example:
        >>> clock = FakeClock()
        >>> clock.advance(90)
        >>> clock.monotonic()
        90.0
    """

    def __init__(self, start: datetime = _START) -> None:
        self._start = start
        self._passed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the wall-clock time, aware, UTC."""
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._passed

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced so far. Cancelling the caller ends the wait."""
        if seconds <= 0:
            return
        woken = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._passed + seconds, woken))
        await woken

    @property
    def sleepers(self) -> int:
        """How many wait."""
        return sum(not woken.done() for _, woken in self._sleepers)

    def advance(self, seconds: float) -> None:
        """Let time pass; wakes those whose wait is over. In the loop's own thread."""
        self._passed += seconds
        due = [each for each in self._sleepers if each[0] <= self._passed]
        self._sleepers = [each for each in self._sleepers if each[0] > self._passed]
        for _, woken in sorted(due, key=lambda each: each[0]):
            if not woken.done():
                woken.set_result(None)
