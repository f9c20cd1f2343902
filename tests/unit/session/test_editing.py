"""Changing a plan before approval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import (
    AmbiguousTaskError,
    PlanProblemsError,
    UnknownNameError,
    UnknownTaskError,
)
from hypernb.model import AgentWork, ModelSpec, PlanSpec, PythonWork, TaskSpec
from hypernb.session._editing import drafted, edited, keep_only
from hypernb.views._contract import goal, means

MODEL = ModelSpec(name="small", base_url="http://localhost:1/v1")

if TYPE_CHECKING:
    from collections.abc import Callable


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


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param({"changes": {"t1": {"timeout_s": 1}}}, id="change"),
        pytest.param({"changes": {}, "drop": ["t1"]}, id="drop"),
        pytest.param({"changes": {"harmless": {"needs": ["t1"]}}}, id="needs"),
    ],
)
def test_name_that_is_the_number_of_another_is_refused(edit: dict[str, Any]) -> None:
    with pytest.raises(AmbiguousTaskError, match=r"with that number: 'look'\. Write 'look' if"):
        edited(plan(look="", t1="", harmless=""), **edit)


def test_part_is_not_chosen_by_a_name_that_is_the_number_of_another() -> None:
    before = plan(harmless="", t1="harmless")
    with pytest.raises(AmbiguousTaskError):
        keep_only(before, ["t1"])
    assert names(keep_only(before, ["t2"])) == ["harmless", "t1"]
    assert names(keep_only(plan(t1="", b=""), ["t1"])) == ["t1"]


def test_needs_that_were_there_are_names() -> None:
    after = edited(plan(look="", t1="", last="t1"), {"last": {"timeout_s": 1}})
    assert after.tasks[2].needs == ("t1",)


def test_unknown_field_names_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match=r"is called 'foo'\. Fields: agent, answer, att"):
        edited(plan(a=""), {"a": {"foo": 1}})


@pytest.mark.parametrize("field", ["timeout", "work", "name"])
def test_fields_that_make_another_plan_are_refused(field: str) -> None:
    with pytest.raises(UnknownNameError, match="No field of a task"):
        edited(plan(a=""), {"a": {field: 1}})


def test_value_of_wrong_kind_says_where_and_what() -> None:
    with pytest.raises(PlanProblemsError, match="Task 'a' cannot have timeout_s 'soon'"):
        edited(plan(a=""), {"a": {"timeout_s": "soon"}})


def host(name: str) -> str:
    return f"{name}.example"


def asked(*models: str) -> PlanSpec:
    """Build a plan whose tasks ask these models, each at a host of its name."""
    known = {
        name: ModelSpec(name=name, base_url=f"https://{host(name)}/v1")
        for name in (*models, "spare")
    }
    tasks = tuple(
        TaskSpec(name=f"of-{name}", work=AgentWork(model=name), hosts=(host(name),))
        for name in models
    )
    return PlanSpec(goal="g", tasks=tasks, models=known, hosts=tuple(map(host, models)))


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda plan: edited(plan, {"of-b": {"model": "a"}}), id="another-model"),
        pytest.param(lambda plan: edited(plan, {}, drop=["of-b"]), id="dropped"),
        pytest.param(lambda plan: keep_only(plan, ["of-a"]), id="approved-in-part"),
    ],
)
def test_model_that_no_task_asks_any_more_goes_with_its_host(
    edit: Callable[[PlanSpec], PlanSpec],
) -> None:
    after = edit(asked("a", "b"))
    assert (list(after.models), after.hosts) == (["a", "spare"], ("a.example",))
    assert all("b.example" not in task.hosts for task in after.tasks)


def test_hosts_that_are_said_with_the_edit_stay() -> None:
    hosts = ["a.example", "b.example"]
    after = edited(asked("a", "b"), {"of-b": {"model": "a", "hosts": hosts}})
    assert after.tasks[1].hosts == after.hosts == tuple(hosts)
    after = edited(asked("a", "b"), {}, drop=["of-b"], plan_fields={"hosts": hosts})
    assert after.hosts == tuple(hosts)


def test_new_task_comes_last_and_needs_what_it_names() -> None:
    new = {"name": "review", "agent": "qa-engineer", "tools": ["tests"], "needs": ["t2", "a"]}
    after = edited(plan(a="", b="a"), {}, add=[new])
    added = after.tasks[-1]
    assert names(after) == ["a", "b", "review"]
    assert (added.agent, added.needs) == ("qa-engineer", ("b", "a"))
    assert added.work == AgentWork(tools=("tests",))


def test_tasks_are_connected_anew() -> None:
    after = edited(plan(a="", b="a", c="b"), {"c": {"needs": ["t1"]}})
    assert after.tasks[2].needs == ("a",)


def test_dropped_task_is_needed_by_nothing_new_either() -> None:
    new = {"name": "d", "agent": "qa-engineer", "needs": ["a", "b"]}
    after = edited(plan(a="", b=""), {"b": {"needs": ["a"]}}, drop=["a"], add=[new])
    assert [task.needs for task in after.tasks] == [(), ("b",)]


def test_result_that_is_dropped_is_the_result_no_more() -> None:
    before = plan(a="", b="a").model_copy(update={"result": "b"})
    assert edited(before, {}, drop=["b"]).result == ""
    assert edited(before, {}, drop=["a"]).result == "b"


def test_task_can_be_put_in_the_place_of_another_of_its_name() -> None:
    new = {"name": "a", "agent": "qa-engineer"}
    after = edited(plan(a="", b="a"), {}, drop=["a"], add=[new])
    assert names(after) == ["b", "a"]
    assert after.tasks[0].needs == ("a",)


def test_other_tools_leave_no_arguments_of_the_old_ones() -> None:
    work = AgentWork(tools=("scan", "ruff"), params={"scan": {"root": "."}, "ruff": {"a": 1}})
    before = PlanSpec(goal="g", tasks=(TaskSpec(name="a", agent="x", work=work),))
    after = edited(before, {"a": {"tools": ["ruff"]}})
    assert after.tasks[0].work == AgentWork(tools=("ruff",), params={"ruff": {"a": 1}})


def test_function_uses_no_tools() -> None:
    work = PythonWork(function="f", arguments="a", label="f")
    before = PlanSpec(goal="g", tasks=(TaskSpec(name="a", work=work),))
    with pytest.raises(PlanProblemsError, match="is a Python function and uses no tools"):
        edited(before, {"a": {"tools": ["ruff"]}})


def test_wrong_values_are_placed_and_the_rest_is_taken() -> None:
    spec, problems = drafted(
        plan(a="", b="a"),
        {"a": {"timeout_s": "abc", "check": "Looked"}, "b": {"tools": 7, "agent": 3}},
        add=[{"name": "c", "agent": "x", "attempts": "many"}],
        plan_fields={"concurrency": "all", "priority": 7},
    )
    assert {(each.task, each.field) for each in problems} == {
        ("a", "timeout_s"),
        ("b", "tools"),
        ("b", "agent"),
        ("c", "attempts"),
        ("", "concurrency"),
    }
    assert problems[0].instead == 600.0
    assert spec.tasks[0].check == "Looked"
    assert (spec.tasks[0].timeout_s, spec.concurrency, spec.priority) == (600.0, 8, 7)


SUITE = {"tests": {"command": ["pytest", "-q"], "timeout_s": 60}}
RULES = TaskSpec(
    name="tests",
    agent="qa-engineer",
    goal="Run the tests.\ntests: runs pytest -q (at most 60 s)\nuntested: Untested modules",
    work=AgentWork(tools=("tests", "untested"), params=SUITE),
)


def one(task: TaskSpec) -> PlanSpec:
    return PlanSpec(goal="g", tasks=(task,), models={"small": MODEL})


def test_goal_that_nobody_reads_is_not_changed() -> None:
    spec, (problem,) = drafted(one(RULES), {"t1": {"goal": "Only read them, do not run them."}})
    assert spec == one(RULES)
    assert (problem.task, problem.field, problem.instead) == ("tests", "goal", RULES.goal)
    assert "has no model" in problem.text
    assert "tools or params" in problem.text


def test_goal_for_a_model_is_changed() -> None:
    told = edited(one(RULES), {"t1": {"goal": "Only read them.", "model": "small"}}).tasks[0]
    assert told.goal == "Only read them."
    assert edited(one(told), {"t1": {"goal": "Read."}}).tasks[0].goal == "Read."


def test_other_tools_are_named_in_the_place_of_the_old() -> None:
    (task,) = edited(one(RULES), {"t1": {"tools": ["untested"]}}).tasks
    assert task.goal.splitlines()[0] == "Run the tests."
    assert "tests: runs" not in task.goal
    assert means(task) == [task.goal.splitlines()[-1]]
    assert means(task)[0].startswith("untested: ")
    faster = {"tests": {**SUITE["tests"], "command": ["pytest", "-x"]}}
    (task,) = edited(one(RULES), {"t1": {"params": faster}}).tasks
    assert means(task)[0].startswith("tests: runs pytest -x ")


def test_tools_are_named_by_the_program_where_a_model_has_written_the_goal() -> None:
    lines = "Run the tests.\nuntested: nothing is run"
    work = AgentWork(tools=("untested",), model="small")
    asked = TaskSpec(name="a", agent="qa-engineer", goal=lines, work=work)
    (task,) = edited(one(asked), {"a": {"model": ""}}).tasks
    assert goal(task) == lines
    assert means(task)[0].startswith("untested: ")
    assert "nothing is run" not in means(task)[0]


def test_goal_that_named_no_tools_names_none() -> None:
    assert edited(plan(a=""), {"a": {"tools": ["ruff"]}}).tasks[0].goal == ""


def test_endless_values_are_not_repeated_in_full() -> None:
    _, (problem,) = drafted(plan(a=""), {"a": {"timeout_s": "x" * 100_000}})
    assert len(problem.text) < 300


@pytest.mark.parametrize("field", ["function", "work"])
def test_new_task_cannot_bring_a_function(field: str) -> None:
    with pytest.raises(UnknownNameError, match="No field of a task"):
        edited(plan(a=""), {}, add=[{"name": "b", field: "x"}])
