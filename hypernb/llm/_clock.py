"""The real clock, for models that are asked outside of a runner."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """The time as the machine has it; a `hypernb.abc.Clock`."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, UTC."""
        return datetime.now(UTC)  # noqa: TID251 - who asks without a runner has no other clock

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait. Cancelling the caller ends the wait at once."""
        await asyncio.sleep(seconds)  # noqa: TID251 - as above
