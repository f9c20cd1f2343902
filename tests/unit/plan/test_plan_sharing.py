"""What a fork shares with its origin."""

from __future__ import annotations

from typing import Any

import pytest

from hypernb.model import AgentWork, PlanSpec, TaskSpec
from hypernb.plan import shared_tasks

ALL = ("a", "b", "c", "d", "e")


def task(name: str, *needs: str, **fields: Any) -> TaskSpec:
    return TaskSpec(name=name, needs=needs, work=AgentWork(), **fields)


def plan(*tasks: TaskSpec, **fields: Any) -> PlanSpec:
    return PlanSpec(goal="g", tasks=tasks, **fields)


# a -> b -> c, and d beside, e after both branches.
SPEC = plan(task("a"), task("b", "a"), task("c", "b"), task("d"), task("e", "c", "d"))


def test_the_task_that_it_begins_at_is_open_and_all_that_comes_after_it() -> None:
    assert shared_tasks(SPEC, ALL, SPEC, at="b") == ["a", "d"]


def test_without_a_beginning_all_that_has_succeeded_is_shared() -> None:
    assert shared_tasks(SPEC, ALL, SPEC) == list(ALL)
    assert shared_tasks(SPEC, ["a", "d"], SPEC) == ["a", "d"]


def test_what_needs_a_task_that_did_not_succeed_is_open() -> None:
    assert shared_tasks(SPEC, ["a", "c", "d", "e"], SPEC) == ["a", "d"]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(task("b", "a", goal="another"), id="its goal"),
        pytest.param(task("b"), id="its needs"),
        pytest.param(task("b", "a", scope=("src/",)), id="its scope"),
        pytest.param(task("x", "a"), id="its name"),
    ],
)
def test_a_changed_task_is_open_and_all_that_comes_after_it(changed: TaskSpec) -> None:
    after = plan(task("a"), changed, task("c", changed.name), task("d"), task("e", "c", "d"))
    assert shared_tasks(SPEC, ALL, after) == ["a", "d"]


def test_a_task_that_was_added_is_open() -> None:
    after = plan(*SPEC.tasks, task("new", "a"))
    assert shared_tasks(SPEC, ALL, after) == list(ALL)


@pytest.mark.parametrize(
    "fields", [{"inputs": {"df": "0" * 64}}, {"root": "/elsewhere"}, {"scope": ("src/",)}]
)
def test_with_other_inputs_or_another_directory_nothing_is_shared(
    fields: dict[str, Any],
) -> None:
    assert shared_tasks(SPEC, ALL, plan(*SPEC.tasks, **fields)) == []


def test_order_and_limits_of_a_plan_make_no_difference() -> None:
    after = plan(*reversed(SPEC.tasks), concurrency=2, priority=90)
    assert set(shared_tasks(SPEC, ALL, after)) == set(ALL)
