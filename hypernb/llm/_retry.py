"""When to try once more, and for how long at most: pure decisions, and one deadline."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager, contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from datetime import datetime
    from random import Random

    from hypernb.abc import Clock

LONGEST_ASKED_S: Final = 86_400.0
"""A server that asks for more is asked again after a day: its clock may be wrong."""
_FIRST_S: Final = 0.5
_LONGEST_S: Final = 30.0
_SHORTEST_S: Final = 0.01
"""What is left may stand still for hours."""


def backoff_s(failures: int, rng: Random) -> float:
    """Return how long to wait after a fault for which the server gave no time.

    Exponential; the upper half of each wait is left to chance, so that calls which failed
    together do not come back together, and none comes back at once.

    Args:
        failures: How many tries have failed, at least 1.

    Example:
        >>> from random import Random
        >>> 1.0 <= backoff_s(3, Random(7)) <= 2.0
        True
    """
    longest = min(_LONGEST_S, _FIRST_S * 2.0 ** min(failures - 1, 10))
    return rng.uniform(longest / 2.0, longest)


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return how long a server asks to be left alone, in seconds; None if it does not say.

    Takes ``retry-after-ms``, and ``retry-after`` as a number or as a date; a date is compared
    with the server's own, where it gives one. What is neither is as if it was not there.

    Args:
        headers: Of the answer, with names in lower case.

    Example:
        >>> from datetime import UTC, datetime
        >>> now = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
        >>> retry_after_s({"retry-after": "1.5"}, now)
        1.5
        >>> retry_after_s({"retry-after": "Sat, 28 Nov 2026 12:02:00 GMT"}, now)
        120.0
        >>> retry_after_s({"retry-after": "soon"}, now) is None
        True
    """
    thousandths = _number(headers.get("retry-after-ms", ""))
    if thousandths is not None:
        return _within_reason(thousandths / 1000.0)
    said = headers.get("retry-after", "")
    if (seconds := _number(said)) is not None:
        return _within_reason(seconds)
    at = _date(said)
    if at is None:
        return None
    since = _date(headers.get("date", "")) or now
    return _within_reason((at - since).total_seconds())


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return None if at.tzinfo is None else at


def _within_reason(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_ASKED_S)


@asynccontextmanager
async def limit(clock: Clock, left_s: Callable[[], float]) -> AsyncIterator[None]:
    """End the block with `TimeoutError` once nothing is left.

    Args:
        left_s: Asked anew when the time that it has named is over.
    """
    loop = asyncio.get_running_loop()

    async def watch(deadline: asyncio.Timeout) -> None:
        while (left := left_s()) > 0:
            await clock.sleep(max(left, _SHORTEST_S))
        deadline.reschedule(loop.time())

    async with asyncio.timeout(None) as deadline:
        # A group would wrap what the block raises; this task waits, and ends with the block.
        watcher = loop.create_task(watch(deadline), name="deadline of a model's call")
        try:
            yield
        finally:
            watcher.cancel()


class Patience:
    """What is left of the time that a call may take."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._began = clock.monotonic()
        self._excused = 0.0
        self._since: float | None = None

    @property
    def left_s(self) -> float:
        """Seconds; they do not get fewer while the call is excused."""
        now = self._clock.monotonic() if self._since is None else self._since
        return self._seconds - (now - self._began - self._excused)

    @property
    def passed_s(self) -> float:
        """Seconds since the call began, all of them."""
        return self._clock.monotonic() - self._began

    def excuse(self, *, excused: bool) -> None:
        """Say whether what the call waits for from now on is not its own time."""
        now = self._clock.monotonic()
        if self._since is not None:
            self._excused += now - self._since
        self._since = now if excused else None

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count again, whatever was said in the block, when it is over."""
        try:
            yield
        finally:
            self.excuse(excused=False)
