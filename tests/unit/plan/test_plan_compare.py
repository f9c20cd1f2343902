"""The difference of two plans is what a person has to approve again."""

from __future__ import annotations

from typing import Any

import pytest

from hypernb.model import AgentWork, PlanSpec, PythonWork, TaskSpec
from hypernb.plan import PlanDifference, compare

PYTHON = PythonWork(function="f", arguments="a", label="fetch", source="def fetch(): ...")


def task(name: str, **fields: Any) -> TaskSpec:
    return TaskSpec.model_validate({"name": name, "work": PYTHON} | fields)


def plan(*tasks: TaskSpec, **fields: Any) -> PlanSpec:
    return PlanSpec.model_validate({"goal": "A goal", "tasks": tasks} | fields)


def test_same_plans_do_not_differ() -> None:
    difference = compare(plan(task("a"), priority=7), plan(task("a"), priority=7))
    assert difference == PlanDifference()
    assert not difference


def test_added_and_removed_tasks_are_named() -> None:
    difference = compare(plan(task("a"), task("b")), plan(task("b"), task("c"), task("d")))
    assert (difference.added, difference.removed) == (("c", "d"), ("a",))
    assert (difference.changed, difference.reordered) == ({}, False)


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        pytest.param({"timeout_s": 5.0}, {"timeout_s": (600.0, 5.0)}, id="field"),
        pytest.param(
            {"work": PYTHON.model_copy(update={"source": "def fetch(): pass"})},
            {"work.source": ("def fetch(): ...", "def fetch(): pass")},
            id="inside-of-work",
        ),
        pytest.param(
            {"work": AgentWork(tools=("ruff",)), "agent": "a"},
            {"agent": ("", "a"), "work": (PYTHON, AgentWork(tools=("ruff",)))},
            id="other-work",
        ),
    ],
)
def test_changed_fields_stand_beside_each_other(
    fields: dict[str, Any], changes: dict[str, Any]
) -> None:
    difference = compare(plan(task("a"), task("b")), plan(task("a"), task("b", **fields)))
    assert difference == PlanDifference(changed={"b": changes})
    assert difference


def test_changed_terms_of_plan_are_named() -> None:
    difference = compare(plan(task("a"), budget=1), plan(task("a"), budget=2, scope=("src/",)))
    assert difference == PlanDifference(
        plan_fields={"budget": (1.0, 2.0), "scope": ((), ("src/",))}
    )


def test_new_order_is_a_difference() -> None:
    one, other = plan(task("a"), task("b")), plan(task("b"), task("a"))
    assert compare(one, other) == PlanDifference(reordered=True)
    assert one.hash != other.hash
