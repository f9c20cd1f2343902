"""The rows of a board or a history, as the store has them now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from hypernb.model import MissionState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypernb.abc import Clock
    from hypernb.session import Session

LIVE: Final = (
    MissionState.PLANNING,
    MissionState.AWAITING_APPROVAL,
    MissionState.RUNNING,
    MissionState.PAUSED,
)
_LEAST_BETWEEN_S: Final = 0.25
_MOST_BETWEEN_S: Final = 5.0
_TIMES_OWN_COST: Final = 10


class Listing:
    """What a list of missions shows, and when it should be read again.

    Args:
        session: Whose missions.
        states: Only missions in these; all if empty.
        limit: At most so many rows.
        clock: Where the time comes from.
    """

    def __init__(
        self, session: Session, *, states: Sequence[MissionState], limit: int, clock: Clock
    ) -> None:
        self._session = session
        self._states = tuple(states)
        self._limit = limit
        self._clock = clock
        self.message: dict[str, Any] = {}
        self.version = 0
        self.is_old = True
        self.is_being_read = False
        self._read_at = 0.0
        self._cost_s = 0.0

    def is_due(self, now_s: float) -> bool:
        """Tell whether to read it again: mostly, it costs a tenth of the time at most."""
        pause_s = min(max(_LEAST_BETWEEN_S, _TIMES_OWN_COST * self._cost_s), _MOST_BETWEEN_S)
        return self.is_old and not self.is_being_read and now_s - self._read_at >= pause_s

    def read(self) -> None:
        """Read the rows; a change makes another version."""
        from hypernb.widgets._missions import rows

        began = time.monotonic()
        try:
            found = rows(self._session, "", self._states, self._limit, 0)
            message = {"type": "missions", **found, "now": self._clock.now().isoformat()}
            if {**message, "now": ""} != {**self.message, "now": ""}:
                self.message = message
                self.version += 1
        finally:
            self._read_at = time.monotonic()
            self._cost_s = self._read_at - began
            self.is_being_read = False
