"""Usage: what work has really cost, as it is told while it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from hypernb.model._ids import TaskId

UNCOVERED: Final = "the budget does not cover it"
OVERSPENT: Final = "the budget is spent"
"""Why tasks of a mission without money do not run: notes of cancelled tasks."""

_MOST_DOLLARS: Final = 1e9
_MOST_TOKENS: Final = 2**53
_LONGEST_MODEL: Final = 200


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call of something that costs money has used.

    Attributes:
        cost: In dollars, 0 to a thousand million.
        model: What was called; empty if it has no name.
        input_tokens: How many it read, if it counts tokens.
        output_tokens: How many it wrote.

    Raises:
        ValueError: A number is negative, infinite or none at all.
    """

    cost: float
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0

    def __post_init__(self) -> None:
        if not _is_number(self.cost) or not 0 <= self.cost <= _MOST_DOLLARS:
            most = f"{_MOST_DOLLARS:,.0f}"
            raise ValueError(f"a cost is a number of dollars, 0 to {most}, not {self.cost!r}")
        for tokens in (self.input_tokens, self.output_tokens):
            if type(tokens) is not int or not 0 <= tokens <= _MOST_TOKENS:
                raise ValueError(f"tokens are counted in whole numbers, not by {tokens!r}")
        if not _is_name(self.model):
            raise ValueError(f"a model has a name of at most {_LONGEST_MODEL} characters")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_MODEL


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """The same as the store has it: of which attempt, and when it was told, UTC.

    Attributes:
        task_id: None for what the planning of the mission has cost.
    """

    usage: Usage
    at: datetime
    task_id: TaskId | None
    attempt: int | None
