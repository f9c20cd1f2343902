"""How long a mission probably takes from now on, and what that rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hypernb.views import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.model import Past, PlanSpec, Spread

_MINUTE, _FIVE_MINUTES, _HOUR = 60, 300, 3600
_IN_SECONDS: Final = 90
_STEP_S: Final = 5


@dataclass(frozen=True, slots=True)
class Left:
    """How long something probably takes.

    Attributes:
        seconds: The likeliest.
        low: Seldom less than this.
        high: Seldom more than this.
        missions: How many earlier missions it rests on; 0 if none, or if nobody counted.
        estimates: How many of the tasks that are left are not known from there.
        is_quoted: It is what was quoted for its tasks.
    """

    seconds: float
    low: float
    high: float
    missions: int = 0
    estimates: int = 0
    is_quoted: bool = False

    @property
    def basis(self) -> str:
        """Say what it rests on: ``from 11 past missions``."""
        if self.is_quoted:
            return "as it was quoted"
        if not self.missions:
            return "from the plan's estimates" if self.estimates else "from past missions"
        said = f"from {words.count(self.missions, 'past mission')}"
        if not self.estimates:
            return said
        return f"{said}, and the plan's estimates for {words.count(self.estimates, 'task')}"

    @property
    def said(self) -> str:
        """Say it with its range: ``about 4 min left (3 to 6)``."""
        if not self.high:
            return "longer than expected"
        return f"about {roughly(self.seconds)} left{self.range}"

    @property
    def about(self) -> str:
        """Say the likeliest, without false precision where it is not an estimate of a plan."""
        is_known = self.missions or self.is_quoted
        return roughly(self.seconds) if is_known else words.duration(self.seconds)

    @property
    def range(self) -> str:
        """Say within which limits, with a space in front; empty where they are the same."""
        return between(self.low, self.high)

    @property
    def limits_s(self) -> tuple[int, int] | None:
        """Return these limits in seconds, as they are said; None where they are the same."""
        return (_as_said(self.low), _as_said(self.high)) if self.range else None


def left(
    plan: PlanSpec,
    gone: Mapping[str, float],
    past: Past,
    quoted: Mapping[str, Spread] | None = None,
) -> Left | None:
    """Estimate how long the tasks of a plan take that have not ended.

    The longest chain of tasks counts, and that only so many run at once.

    Args:
        plan: The plan.
        gone: Seconds that attempts under way have taken, by task; infinite for tasks that
            have ended.
        past: What earlier missions say.
        quoted: How many seconds tasks were quoted at, which goes before.

    Returns:
        None if nothing is known of a task: its time is not guessed.
    """
    rest = [task for task in plan.tasks if gone.get(task.name) != math.inf]
    as_quoted = quoted or {}
    past = replace(past, tasks={**past.tasks, **as_quoted})
    known = past.tasks
    if not all(task.name in known or task.estimate_s is not None for task in rest):
        return None
    low, typical, high = _weights(plan, gone, past)
    from hypernb.plan import outline

    longest = outline(plan).longest
    estimates = sum(1 for task in rest if task.name not in known)
    at_once, work = max(1, min(plan.concurrency, len(rest))), sum(typical)

    def bound(weights: list[float]) -> float:
        # Of many tasks some are quick and some are slow, so their sum varies less than each.
        apart = (sum(weights) - work) / math.sqrt(max(1, len(rest)))
        return max(longest(weights), (work + apart) / at_once)

    middle = bound(typical)
    return Left(
        seconds=middle,
        low=bound(low) if low != typical else middle,
        high=bound(high) if high != typical else middle,
        missions=past.missions if estimates < len(rest) else 0,
        estimates=estimates,
        is_quoted=bool(rest) and all(task.name in as_quoted for task in rest),
    )


def _weights(
    plan: PlanSpec, gone: Mapping[str, float], past: Past
) -> tuple[list[float], list[float], list[float]]:
    """Return what each task still takes: seldom less, likely, seldom more."""
    lows, typicals, highs = [], [], []
    for task in plan.tasks:
        took, spread = gone.get(task.name, 0.0), past.tasks.get(task.name)
        if took == math.inf:
            low = typical = high = 0.0
        elif spread is None:
            low = typical = high = max(0.0, (task.estimate_s or 0.0) - took)
        else:
            low, high = max(0.0, spread.low - took), max(0.0, spread.high - took)
            # What has taken longer than usual is as likely to end sooner as later.
            typical = spread.typical - took if took < spread.typical else high / 2
        lows.append(low)
        typicals.append(typical)
        highs.append(high)
    return lows, typicals, highs


def roughly(seconds: float) -> str:
    """Write a length of time without false precision.

    Example:
        >>> roughly(3), roughly(42), roughly(230), roughly(7610)
        ('3 s', '40 s', '4 min', '2 h 5 min')
    """
    return _written(*_rounded(seconds))


def _written(number: int, unit: str) -> str:
    return f"{number} {unit}" if unit != "h" else words.duration(number)


def _rounded(seconds: float) -> tuple[int, str]:
    if seconds < _IN_SECONDS:
        step = _STEP_S if seconds >= 2 * _STEP_S else 1
        return max(step, step * round(seconds / step)), "s"
    if seconds < _HOUR:
        return round(seconds / _MINUTE), "min"
    return _FIVE_MINUTES * round(seconds / _FIVE_MINUTES), "h"


def _as_said(seconds: float) -> int:
    number, unit = _rounded(seconds)
    return number * _MINUTE if unit == "min" else number


def span(low: float, high: float) -> str:
    """Write between which lengths of time something will take, without false precision.

    Example:
        >>> span(60, 105), span(42, 350), span(180, 350), span(60, 61), span(0, 0)
        ('1 to 2 min', '40 s to 6 min', '3 to 6 min', '1 min', '0 s')
    """
    if not high:
        return "0 s"
    (least, unit), (most, other) = _rounded(low), _rounded(high)
    if unit == "s" and low >= _MINUTE:
        least, unit = round(low / _MINUTE), "min"
    if other == "s" and unit == "min":
        most, other = round(high / _MINUTE), "min"
    if (least, unit) == (most, other):
        return _written(most, other)
    if unit == other != "h":
        return f"{least} to {most} {other}"
    return f"{_written(least, unit)} to {_written(most, other)}"


def between(low: float, high: float) -> str:
    """Write a range, with a space in front; empty where both ends sound the same.

    Example:
        >>> between(180, 350), between(42, 350), between(60, 61)
        (' (3 to 6)', ' (40 s to 6 min)', '')
    """
    first, last = roughly(low), roughly(high)
    if first == last:
        return ""
    (least, unit), (most, other) = _rounded(low), _rounded(high)
    if unit == other != "h":
        return f" ({least} to {most})"
    return f" ({first} to {last})"
