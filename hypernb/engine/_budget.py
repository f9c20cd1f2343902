"""What a mission may still spend, one step ahead of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypernb.engine._spending import exceeds, rounding
from hypernb.errors import dollars, told_apart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.model import PlanSpec


class Budget:
    """The caps and the budget of a plan, and what was paid; all in dollars.

    What is reserved is kept for tasks with a cap that run: what their caps leave them.

    Args:
        spent: What the mission has cost so far.
        costs: What its tasks have cost so far, by name.
    """

    def __init__(self, plan: PlanSpec, spent: float, costs: Mapping[str, float]) -> None:
        self.spent = spent
        self.limit = plan.budget
        self._caps = {
            task.name: task.cap_cost for task in plan.tasks if task.cap_cost is not None
        }
        self._costs = dict(costs)

    def take(self, name: str, cost: float) -> None:
        """Note what a task has paid."""
        self.spent += cost
        self._costs[name] = self._costs.get(name, 0.0) + cost

    # -- a task -------------------------------------------------------------------------

    def cap_left(self, name: str) -> float | None:
        """Return what a task's cap leaves it to spend; None if it has none."""
        cap = self._caps.get(name)
        return None if cap is None else _left(cap, self._costs.get(name, 0.0))

    def is_used_up(self, name: str) -> bool:
        """Tell whether a task has paid for something, and may pay for nothing more."""
        return self._costs.get(name, 0.0) > 0 and self.allowance(name, 0.0) == 0

    def allowance(self, name: str, reserved: float) -> float | None:
        """Return what an attempt at a task may spend; None for no limit."""
        cap = self.cap_left(name)
        return self._left(reserved) if cap is None else cap

    def used_up(self, name: str) -> str:
        """Say what a task has used up."""
        cap = self._caps.get(name)
        return self.overspent() if cap is None else f"it has spent its cap of {dollars(cap)}"

    def cap(self, name: str) -> float | None:
        """Return what a task may cost in all."""
        return self._caps.get(name)

    # -- the mission --------------------------------------------------------------------

    def affordable(self, reserved: float = 0.0) -> float | None:
        """Return how high a cap a task may have that starts now; None for any."""
        if self.limit is None:
            return None
        # A hair more: what is left is never exactly the difference.
        return (self._left(reserved) or 0.0) + rounding(self.limit)

    def is_open(self, reserved: float) -> bool:
        """Tell whether a task without a cap may start: not on money that is kept for others.

        If none is kept, it may: most tasks cost nothing, and need none.
        """
        return self.limit is None or not reserved or (self._left(reserved) or 0.0) > 0

    def is_overdrawn(self, reserved: float) -> bool:
        """Tell whether money was paid that is kept for others, or is not there at all."""
        return self.limit is not None and exceeds(self.spent + reserved, self.limit)

    def covers(self, cost: float, reserved: float) -> bool:
        """Tell whether so much is left besides what is kept for others."""
        return not self.is_overdrawn(reserved + cost)

    @property
    def left(self) -> float:
        """Dollars that are not spent; 0 if there is no limit to take them from."""
        return self._left(0.0) or 0.0

    def _left(self, reserved: float) -> float | None:
        return None if self.limit is None else _left(self.limit, self.spent + reserved)

    @property
    def is_overspent(self) -> bool:
        """More was paid than the mission may spend."""
        return self.is_overdrawn(0.0)

    def overspent(self) -> str:
        """Say what of the budget was paid."""
        paid, most = told_apart(self.spent, limit=self.limit or 0.0)
        return f"it has spent {paid} of its budget of {most}"

    def too_dear(self, name: str) -> str:
        """Say that what is left does not cover a task."""
        amounts = self._left(0.0) or 0.0, self.cap_left(name) or 0.0
        left, cap, budget = told_apart(*amounts, limit=self.limit or 0.0)
        return f"its budget of {budget} has {left} left, and task {name!r} may cost up to {cap}"


def _left(limit: float, spent: float) -> float:
    """Return what is left; nothing, if that is only how the rest was added up."""
    left = limit - spent
    return left if left > rounding(limit) else 0.0
