"""Any edit of any plan: what is checked without a problem can be carried out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernb.errors import CyclicPlanError, PlanProblemsError
from hypernb.model import AgentWork, PlanSpec, PythonWork, TaskSpec
from hypernb.plan import check_plan, compare, plan_problems
from hypernb.session._editing import drafted, edited

# A hundred examples on a busy machine.
pytestmark = pytest.mark.timeout(120)

AGENTS = ("qa-engineer", "security-engineer")
TOOLS = ("ruff", "tests")
NAMES = ("a", "b", "c", "d", "e")
NAME = st.sampled_from([*NAMES, "f", "t1", "", "no/name", " x"])
ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 9), st.floats(), st.text(max_size=5)
)
FIELDS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "goal": st.text(max_size=5) | ANYTHING,
        "agent": st.sampled_from([*AGENTS, "", "nobody"]) | ANYTHING,
        "needs": st.lists(NAME, max_size=3) | ANYTHING,
        "tools": st.lists(st.sampled_from([*TOOLS, "ruf"]), max_size=2) | ANYTHING,
        "timeout_s": st.floats(0.1, 9) | ANYTHING,
        "attempts": st.integers(1, 3) | ANYTHING,
        "cap_cost": st.floats(0, 2) | ANYTHING,
        "on_failure": st.sampled_from(["stop", "skip"]) | ANYTHING,
    },
)
PLAN_FIELDS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "budget": st.floats(0, 2) | ANYTHING,
        "concurrency": st.integers(1, 3) | ANYTHING,
        "result": NAME | ANYTHING,
        "deadline_s": st.floats(1, 9) | ANYTHING,
    },
)


@st.composite
def plans(draw: st.DrawFn) -> PlanSpec:
    """Sound plans of agents' tasks and functions."""
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    tasks = []
    for place, name in enumerate(names):
        needs = draw(st.lists(st.sampled_from(names[:place]), unique=True)) if place else []
        by_agent = draw(st.booleans())
        work = (
            AgentWork(tools=("ruff",), params={"ruff": {"x": 1}})
            if by_agent
            else PythonWork(function="f", arguments="a", label="f")
        )
        agent = draw(st.sampled_from(AGENTS)) if by_agent else ""
        tasks.append(TaskSpec(name=name, agent=agent, needs=tuple(needs), work=work))
    return PlanSpec(
        goal="Random", tasks=tuple(tasks), result=draw(st.sampled_from(["", *names]))
    )


@st.composite
def edits(draw: st.DrawFn) -> tuple[PlanSpec, dict[str, Any]]:
    """A plan, and arguments of an edit of it."""
    plan = draw(plans())
    names = [task.name for task in plan.tasks]
    added = [{"name": draw(NAME)} | draw(FIELDS) for _ in range(draw(st.integers(0, 2)))]
    return plan, {
        "changes": draw(st.dictionaries(st.sampled_from(names), FIELDS, max_size=3)),
        "drop": draw(st.lists(st.sampled_from(names), unique=True, max_size=2)),
        "add": added,
        "plan_fields": draw(PLAN_FIELDS),
    }


@given(edits())
def test_what_is_checked_without_a_problem_can_be_carried_out(
    case: tuple[PlanSpec, dict[str, Any]],
) -> None:
    plan, asked = case
    spec, wrong = drafted(plan, **asked)
    problems = [*wrong, *plan_problems(spec, agents=AGENTS, tools=TOOLS)]
    if problems:
        with pytest.raises((PlanProblemsError, CyclicPlanError)):
            check_plan(edited(plan, **asked), agents=AGENTS, tools=TOOLS)
        return
    saved = edited(plan, **asked)
    check_plan(saved, agents=AGENTS, tools=TOOLS)
    assert PlanSpec.model_validate_json(saved.canonical()) == saved


@given(edits())
def test_problems_stand_at_tasks_and_fields_that_there_are(
    case: tuple[PlanSpec, dict[str, Any]],
) -> None:
    plan, asked = case
    spec, wrong = drafted(plan, **asked)
    names = {task.name for task in spec.tasks} | {""}
    fields = {*TaskSpec.model_fields, *PlanSpec.model_fields, "tools", "params", ""}
    for problem in [*wrong, *plan_problems(spec, agents=AGENTS, tools=TOOLS)]:
        assert problem.task in names
        assert problem.field in fields
        assert problem.text.endswith((".", "?"))


@given(edits())
def test_nothing_but_what_was_asked_for_changes(
    case: tuple[PlanSpec, dict[str, Any]],
) -> None:
    plan, asked = case
    spec, _ = drafted(plan, **asked)
    told = compare(plan, spec)
    dropped = set(asked["drop"])
    touched = set(asked["changes"]) | {each["name"] for each in asked["add"]}
    for name, fields in told.changed.items():
        freed = dropped & set(next(t.needs for t in plan.tasks if t.name == name))
        assert name in touched or (set(fields) == {"needs"} and freed)
    assert set(told.removed) <= dropped
    assert set(told.plan_fields) <= set(asked["plan_fields"]) | {"result"}
