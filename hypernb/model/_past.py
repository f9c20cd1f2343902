"""What earlier missions say of a new one: how long its tasks took, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LOW, _HIGH = 0.1, 0.9


@dataclass(frozen=True, slots=True)
class Spread:
    """How a number varied: nine of ten lay above ``low``, and nine of ten below ``high``.

    Attributes:
        count: How many numbers there were, at least 1.
        typical: Their median.
    """

    count: int
    low: float
    typical: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Return how these numbers vary.

        Raises:
            ValueError: There are none.

        Example:
            >>> Spread.of([4.0, 2.0, 3.0])
            Spread(count=3, low=2.2, typical=3.0, high=3.8)
        """
        ordered = sorted(values)
        if not ordered:
            raise ValueError("nothing varies where there is nothing")
        low, typical, high = (_quantile(ordered, share) for share in (_LOW, 0.5, _HIGH))
        return cls(len(ordered), low, typical, high)


def _quantile(ordered: list[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return round(ordered[below] + (ordered[above] - ordered[below]) * (place - below), 9)


@dataclass(frozen=True, slots=True)
class Past:
    """Earlier missions like one: of the same playbook or, without one, the same goal.

    Attributes:
        missions: How many of them anything is known from.
        tasks: Seconds that tasks took which succeeded, by name.
        cost: Dollars that missions cost which succeeded and told of money; None if none did.
    """

    missions: int = 0
    tasks: Mapping[str, Spread] = field(default_factory=dict)
    cost: Spread | None = None
