"""What a mission may still spend, one step ahead of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypernb.engine._spending import ROUNDING
from hypernb.errors import MORE_MONEY, BudgetExhaustedError, dollars

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

    def cap_left(self, name: str) -> float | None:
        """Return what a task's cap leaves it to spend; None if it has none."""
        cap = self._caps.get(name)
        return None if cap is None else max(0.0, cap - self._costs.get(name, 0.0))

    def is_used_up(self, name: str) -> bool:
        """Tell whether a task has paid all that its cap allows."""
        return self._costs.get(name, 0.0) > 0 and self.cap_left(name) == 0

    def allowance(self, name: str, reserved: float) -> float | None:
        """Return what an attempt at a task may spend; None for no limit."""
        cap = self.cap_left(name)
        return self._left(reserved) if cap is None else cap

    def affordable(self, reserved: float = 0.0) -> float | None:
        """Return how dear a task may be that starts now; None for no limit."""
        left = self._left(reserved)
        return None if left is None else left + ROUNDING

    def _left(self, reserved: float) -> float | None:
        return None if self.limit is None else max(0.0, self.limit - self.spent - reserved)

    @property
    def is_overspent(self) -> bool:
        """More was paid than the mission may spend."""
        return self.limit is not None and self.spent > self.limit + ROUNDING

    def overspent(self) -> str:
        """Say that more was paid than the mission may spend."""
        return str(BudgetExhaustedError("The mission", self.spent, self.limit or 0.0))

    def too_dear(self, name: str) -> str:
        """Say that what is left does not cover a task."""
        budget, left = dollars(self.limit or 0.0), dollars(self._left(0.0) or 0.0)
        return (
            f"of its budget of {budget}, {left} is left, and task {name!r} may cost up to "
            f"{dollars(self.cap_left(name) or 0.0)}. {MORE_MONEY}"
        )
