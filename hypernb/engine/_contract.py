"""What a mission may do: its approved plan, with what a person has changed of it since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypernb.engine import _changes as changes
from hypernb.engine._keys import key_facts, needed_keys
from hypernb.model import lacking_keys

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from hypernb.engine._budget import Budget
    from hypernb.model import Amendment, Change, PlanSpec


class Contract:
    """A plan and its amendments.

    Args:
        keys: Which keys the runner has.

    Attributes:
        models: Those that tasks may ask, by the name that the plan has for them.
        lacking: Keys that they need and the runner has not got; it leaves the mission then.
        taken: How many amendments it has.
    """

    def __init__(self, plan: PlanSpec, budget: Budget, keys: Collection[str]) -> None:
        self.models = dict(plan.models)
        self.lacking: list[str] = []
        self._plan = plan
        self._budget = budget
        self._keys = keys
        self.taken = 0

    def take(self, amendments: Sequence[Amendment], done: Collection[str]) -> bool:
        """Take up what a person has changed, all from the first; tell whether there is more.

        Args:
            done: Names of the tasks that have succeeded, whose models are asked no more.
        """
        for each in amendments:
            if each.budget is not None:
                self._budget.limit = each.budget
            self.models |= each.models
        needed = needed_keys(self._plan, self.models, done)
        self.lacking = lacking_keys(needed, self._keys)
        is_more = len(amendments) > self.taken
        self.taken = len(amendments)
        return is_more

    def missing(self, at: datetime, *, runner: str) -> list[Change]:
        """Say which keys the mission waits for."""
        told = key_facts(self.models.values(), self.lacking)
        return [changes.key_missing(at, runner=runner, **facts) for facts in told]
