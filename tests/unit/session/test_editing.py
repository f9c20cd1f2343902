"""Changing a plan before approval."""

from __future__ import annotations

import pytest

from hypernb.errors import PlanProblemsError, UnknownNameError, UnknownTaskError
from hypernb.model import AgentWork, PlanSpec, TaskSpec
from hypernb.session._editing import edited, keep_only


def plan(**needs: str) -> PlanSpec:
    """Build a plan: ``plan(a="", b="a")``."""
    return PlanSpec(
        goal="g",
        tasks=tuple(
            TaskSpec(name=name, needs=tuple(each.split()), work=AgentWork(tools=("scan",)))
            for name, each in needs.items()
        ),
    )


def names(spec: PlanSpec) -> list[str]:
    """Return the task names in plan order."""
    return [task.name for task in spec.tasks]


def test_only_named_fields_change() -> None:
    before = plan(a="", b="a")
    after = edited(before, {"t2": {"timeout_s": 60}}, plan_fields={"concurrency": 2})
    assert after.tasks[1].timeout_s == 60
    assert after.tasks[0] == before.tasks[0]
    assert after.concurrency == 2


def test_dropped_task_leaves_no_needs_behind() -> None:
    after = edited(plan(a="", b="a", c="a b"), {}, drop=["a"])
    assert names(after) == ["b", "c"]
    assert [task.needs for task in after.tasks] == [(), ("b",)]


def test_part_of_a_plan_brings_all_it_needs() -> None:
    assert names(keep_only(plan(a="", b="a", c="b", d="a"), ["c"])) == ["a", "b", "c"]


def test_unknown_task_is_named_with_near_misses() -> None:
    with pytest.raises(UnknownTaskError, match="Did you mean 'fetch'"):
        edited(plan(fetch=""), {"fech": {"timeout_s": 1}})


@pytest.mark.parametrize("field", ["timeout", "work", "name"])
def test_fields_that_make_another_plan_are_refused(field: str) -> None:
    with pytest.raises(UnknownNameError, match="No field of a task"):
        edited(plan(a=""), {"a": {field: 1}})


def test_value_of_wrong_kind_says_where_and_what() -> None:
    with pytest.raises(PlanProblemsError, match="Task 'a' cannot have timeout_s 'soon'"):
        edited(plan(a=""), {"a": {"timeout_s": "soon"}})
