"""How long it probably takes, and how that is said."""

from __future__ import annotations

import math

import pytest

from hypernb.model import AgentWork, Past, PlanSpec, Spread, TaskSpec
from hypernb.views import Left, between, roughly
from hypernb.views._left import left


def plan(**estimates: float | None) -> PlanSpec:
    """Make a chain of tasks with these estimates."""
    names = list(estimates)
    return PlanSpec(
        goal="g",
        tasks=tuple(
            TaskSpec(
                name=name,
                work=AgentWork(),
                needs=tuple(names[max(0, place - 1) : place]),
                estimate_s=estimates[name],
            )
            for place, name in enumerate(names)
        ),
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "1 s"),
        (7.4, "7 s"),
        (43, "45 s"),
        (89, "90 s"),
        (91, "2 min"),
        (3599, "60 min"),
        (3600, "1 h"),
        (86_000, "23 h 55 min"),
        (400_000, "4 d 15 h"),
    ],
)
def test_lengths_have_no_false_precision(seconds: float, said: str) -> None:
    assert roughly(seconds) == said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (180, 360, " (3 to 6)"),
        (30, 60, " (30 to 60)"),
        (30, 300, " (30 s to 5 min)"),
        (3000, 7200, " (50 min to 2 h)"),
        (300, 310, ""),
    ],
)
def test_ranges_share_their_unit(low: float, high: float, said: str) -> None:
    assert between(low, high) == said


def test_running_time_is_taken_off() -> None:
    found = left(plan(a=60, b=60), {"a": 20.0}, Past())
    assert found == Left(100, 100, 100, 0, 2)


def test_what_has_ended_takes_no_more() -> None:
    found = left(plan(a=None, b=60), {"a": math.inf}, Past(3))
    assert found is not None
    assert (found.seconds, found.basis) == (60, "from the plan's estimates")


def test_overdue_task_is_expected_between_now_and_its_slowest() -> None:
    past = Past(11, {"a": Spread(11, 20, 40, 100)})
    found = left(plan(a=None), {"a": 60.0}, past)
    assert found is not None
    assert (found.low, found.seconds, found.high) == (0, 20, 40)
    assert found.said == "about 20 s left (1 to 40)"


def test_nothing_is_guessed() -> None:
    assert left(plan(a=None, b=5), {}, Past(1, {"b": Spread(1, 1, 1, 1)})) is None
