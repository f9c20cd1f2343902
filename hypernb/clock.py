"""The real clock: the time as the machine has it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's time; a `hypernb.abc.Clock`, for whoever is handed no other."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is what others take it from

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait. Cancelling the caller ends the wait at once."""
        await asyncio.sleep(seconds)  # noqa: TID251 - as above
