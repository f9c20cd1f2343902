"""Upkeep: how long missions are kept, and what a sweep removed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retention:
    """Which missions may be forgotten: those that ended long ago and are not among the newest.

    Missions that have not ended, or are about to be tried again, are never forgotten.

    Attributes:
        days: They must have ended more than so many days ago.
        missions: So many of the newest are kept, however old they are; 0 for none.
        forgets: Whether any are forgotten at all.
    """

    days: float = 90.0
    missions: int = 1_000
    forgets: bool = True


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed, or would remove.

    Attributes:
        missions: Short id and goal of those forgotten, oldest first.
        artifacts: How many that nothing refers to.
        files: How many that no artifact names.
        size_bytes: Of the artifacts and files together.
    """

    missions: tuple[tuple[str, str], ...] = ()
    artifacts: int = 0
    files: int = 0
    size_bytes: int = 0

    @property
    def is_nothing(self) -> bool:
        """There was nothing to remove."""
        return not (self.missions or self.artifacts or self.files)
