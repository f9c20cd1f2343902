"""What a task is told: all of it where it is approved, and by what only from its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.model import AgentWork, ModelSpec, OnFailure, PlanSpec, TaskSpec
from hypernb.views import mission_html, mission_text, plain
from hypernb.views._clean import clean, line
from hypernb.views._contract import contract, errand, goal, means

if TYPE_CHECKING:
    from tests.unit.views.conftest import Examples

TASK = TaskSpec(
    name="lint",
    agent="backend-specialist",
    goal="Look for lint.\nruff: ruff check .\nvulture: vulture <files>\x1b[31m",
    work=AgentWork(tools=("ruff", "vulture")),
)
TOLD = TaskSpec(
    name="read",
    agent="qa-engineer",
    goal="Read app.py.\nThen tell what the key is.\nbandit: bandit -q is run",
    work=AgentWork(tools=("read_file",), model="small"),
    scope=("src/",),
    check="The key is named.",
    on_failure=OnFailure.CONTINUE,
)
LONG = f"{'Read all that there is. ' * 55}LAST WORDS: delete nothing."
MODEL = ModelSpec(name="small", base_url="http://localhost:1/v1")


def plan(*tasks: TaskSpec) -> PlanSpec:
    return PlanSpec(goal="Look", root="/home/ada/shop", tasks=tasks, models={"small": MODEL})


def shown(make: type[Examples], *tasks: TaskSpec) -> tuple[str, str]:
    """Return the plan as HTML, and as text whose white space is single spaces."""
    known = make.snapshot("awaiting_approval", plan=plan(*tasks), tasks=())
    return mission_html(known, live=False), " ".join(mission_text(known).split())


def test_table_says_what_for_and_the_contract_by_what() -> None:
    assert errand(TASK) == "Look for lint."
    assert means(TASK) == ["ruff: ruff check .", "vulture: vulture <files>"]
    told = [(term, plain(said)) for term, said in contract(TASK)]
    assert ("Does", "Look for lint.") in told
    assert [said for term, said in told if term == "By"] == means(TASK)


def test_lines_in_the_goal_of_a_model_are_its_goal() -> None:
    assert means(TOLD) == []
    assert goal(TOLD) == TOLD.goal
    assert ("Does", TOLD.goal) in [(term, plain(said)) for term, said in contract(TOLD)]


@pytest.mark.parametrize(
    "tools",
    [
        pytest.param(("vulture", "ruff"), id="another-order"),
        pytest.param((), id="no-tool"),
    ],
)
def test_lines_that_are_not_those_of_its_tools_are_no_means(tools: tuple[str, ...]) -> None:
    task = TASK.model_copy(update={"work": AgentWork(tools=tools)})
    assert means(task) == []
    assert "ruff: ruff check ." in goal(task)


def test_whole_goal_stands_in_the_plan(make: type[Examples]) -> None:
    task = TOLD.model_copy(update={"goal": LONG})
    markup, text = shown(make, task)
    assert LONG in markup
    assert LONG in text
    assert errand(task).endswith("… (its contract has all of it)")
    assert len(errand(task)) < 200


def test_a_goal_is_not_cut_for_less_than_what_the_cut_says() -> None:
    task = TASK.model_copy(update={"goal": "x" * 161, "work": AgentWork(model="small")})
    assert errand(task) == "x" * 161


def test_text_of_a_plan_names_what_a_task_with_a_model_may(make: type[Examples]) -> None:
    _, text = shown(make, TOLD)
    for said in (
        "Does Read app.py. Then tell what the key is. bandit: bandit -q is run Model small at",
        "Sees no variable",
        "Tools read_file",
        "Reads src/",
        "Check told to its agent; nobody checks it yet: The key is named.",
        "If it fails what needs it goes on without its output.",
    ):
        assert said in text


def test_text_of_a_plan_names_tools_without_lines_in_the_goal(make: type[Examples]) -> None:
    work = AgentWork(tools=("tests",), params={"tests": {"command": ["pytest", "-q"]}})
    task = TASK.model_copy(update={"goal": "Only read the tests.", "work": work})
    _, text = shown(make, task)
    assert "Tools tests With tests: pytest -q" in text


def test_length_of_a_text_is_that_of_the_original() -> None:
    text = "x" * 1_348
    assert line(text).endswith("… (cut here; 1,348 characters in all)")
    assert clean(line(text), cut_at=40).endswith("x… (cut here; 1,348 characters in all)")
    assert line(f"{'x' * 200} …", cut_at=160) == f"{'x' * 160}…"


def test_contract_lists_all_that_a_task_may_to_its_end() -> None:
    many = tuple(f"src/{'deep/' * 14}module_{number}.py" for number in range(40))
    task = TOLD.model_copy(update={"scope": many, "check": f"{'x' * 900} THE END."})
    told = {term: plain(said) for term, said in contract(task)}
    assert all(each in told["Reads"] for each in many)
    assert told["Check"].endswith("THE END.")
