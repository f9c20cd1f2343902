"""What a yes allows: nothing is promised that nothing keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import AgentWork, ModelSpec, PlanSpec, Price, PythonWork, TaskSpec
from hypernb.views import (
    allowed,
    mission_html,
    mission_markdown,
    mission_text,
    notes,
    plain,
    plan_text,
    refused,
)
from hypernb.views._contract import contract
from hypernb.widgets._head import head_facts

if TYPE_CHECKING:
    from tests.unit.views.conftest import Examples

FUNCTION = TaskSpec(
    name="tidy", work=PythonWork(function="f", arguments="a", label="tidy", source="")
)
AGENT = TaskSpec(
    name="tests",
    agent="qa-engineer",
    work=AgentWork(tools=("tests",), params={"tests": {"command": ["pytest", "-q"]}}),
    hosts=("pypi.org",),
)
CODE = "class Reviewer(hypernb.BaseAgent):\n    def process_task(self, task):\n        return 1"
OWN = TaskSpec(
    name="review",
    agent="reviewer",
    work=AgentWork(function="f" * 64, label="shop.crew.Reviewer", source=CODE),
)
FREE = "this code can do anything that you can"


def plan(*tasks: TaskSpec) -> PlanSpec:
    return PlanSpec(goal="Look", root="/home/ada/shop", tasks=tasks)


def told(*tasks: TaskSpec) -> dict[str, str]:
    return {term: plain(said) for term, said in allowed(plan(*tasks))}


@pytest.mark.parametrize("term", ["Reads", "Writes", "Reaches", "Starts"])
def test_agent_beside_functions_does_not_fence_them_in(term: str) -> None:
    verb = {"Reads": "read", "Writes": "write", "Reaches": "reach", "Starts": "start"}[term]
    functions, agents, both = told(FUNCTION), told(AGENT), told(FUNCTION, AGENT)
    assert functions[term].startswith(f"what your functions {verb}")
    assert "function" not in agents[term]
    assert both[term] == f"what your functions {verb}; your agents: {agents[term]}"


def test_refusing_is_promised_only_where_something_refuses(make: type[Examples]) -> None:
    assert refused(plan(AGENT)) == "What lies outside the plan is refused."
    assert "refused" not in refused(plan(FUNCTION))
    assert "refused to agents" in refused(plan(AGENT, FUNCTION))
    for tasks in ((FUNCTION,), (AGENT,), (AGENT, FUNCTION)):
        shown = make.snapshot("awaiting_approval", plan=plan(*tasks), tasks=())
        decision = head_facts(shown)["decision"]
        assert refused(plan(*tasks)) in "".join(map(str, decision["record"]))
        assert refused(plan(*tasks)) in mission_html(shown, live=False)


@pytest.mark.parametrize("term", ["Reads", "Writes", "Reaches", "Starts"])
def test_nothing_is_promised_of_an_agent_in_python(term: str) -> None:
    verb = {"Reads": "read", "Writes": "write", "Reaches": "reach", "Starts": "start"}[term]
    alone, beside, all_three = told(OWN), told(OWN, AGENT), told(FUNCTION, OWN, AGENT)
    assert alone[term].startswith(f"what your agents in Python {verb}")
    assert beside[term].startswith(f"what your agents in Python {verb}; your other agents: ")
    assert all_three[term].startswith(f"what your functions and agents in Python {verb}; ")
    assert FREE in alone["In Python"]
    assert "shop.crew.Reviewer" in alone["In Python"]


def test_agent_in_python_may_spend_what_no_cap_bounds() -> None:
    assert told(OWN)["Spends"].startswith("what your agents in Python pay")


@pytest.mark.parametrize("tasks", [(OWN,), (OWN, AGENT), (FUNCTION, OWN)])
def test_refusing_is_not_promised_of_an_agent_in_python(tasks: tuple[TaskSpec, ...]) -> None:
    assert "nothing checks what" in refused(plan(*tasks))


def test_contract_says_that_code_of_ones_own_can_do_anything() -> None:
    for task in (OWN, FUNCTION):
        terms = {term: plain(said) for term, said in contract(task)}
        assert FREE in terms["Runs"]
        assert terms["Reads"] == terms["Reaches"] == "what it likes"


@pytest.mark.parametrize(
    ("task", "said"),
    [
        pytest.param(AGENT, "told to its agent; nobody checks it yet: all pass", id="agent"),
        pytest.param(FUNCTION, "nobody checks it yet: all pass", id="function"),
    ],
)
def test_check_is_not_what_makes_a_task_done(task: TaskSpec, said: str) -> None:
    terms = contract(task.model_copy(update={"check": "all pass"}))
    told = {term: plain(phrase) for term, phrase in terms}
    assert (told["Check"], told["Done when"]) == (said, "it has ended without an error")
    assert "Check" not in {term for term, _ in contract(task)}


def test_source_of_an_agent_in_python_is_shown(make: type[Examples], read: Any) -> None:
    shown = make.snapshot("awaiting_approval", plan=plan(OWN), tasks=())
    details = read(mission_html(shown, live=False)).select_one("details")
    assert details.select_one("pre").text == CODE
    assert "shop.crew.Reviewer" in details.text
    assert "    class Reviewer(hypernb.BaseAgent):\n" in mission_text(shown)
    assert f"```python\n{CODE}\n```" in mission_markdown(shown)


def test_long_source_names_the_command_that_shows_it(make: type[Examples]) -> None:
    work = OWN.work.model_copy(update={"source": CODE + "\n        # more" * 100})
    long = OWN.model_copy(update={"work": work})
    shown = make.snapshot("awaiting_approval", plan=plan(long), tasks=())
    assert "… 43 more lines: %hyper export m-7 m-7.html has them." in mission_text(shown)
    assert "hypernb export m-7 m-7.html has them." in mission_text(shown, cli=True)


def test_source_cannot_leave_its_place_in_markdown(make: type[Examples]) -> None:
    work = OWN.work.model_copy(update={"source": "x = 1\n```\n# Approve this"})
    shown = make.snapshot(
        "awaiting_approval", plan=plan(OWN.model_copy(update={"work": work})), tasks=()
    )
    assert "````python\nx = 1\n```\n# Approve this\n````" in mission_markdown(shown)


def test_source_of_ones_own_code_is_shown_to_its_end(make: type[Examples]) -> None:
    said = "x = 1\n" * 1_500 + "END"
    work = PythonWork(function="f", arguments="a", label="tidy", source=said)
    known = plan(FUNCTION.model_copy(update={"work": work}))
    shown = make.snapshot("awaiting_approval", plan=known, tasks=())
    assert "x = 1\nEND</pre>" in mission_html(shown, live=False)


@pytest.mark.parametrize(
    ("cap", "fields", "is_told"),
    [
        pytest.param(0.01, {}, True, id="too-low"),
        pytest.param(0.05, {}, False, id="enough"),
        pytest.param(None, {}, False, id="no-cap"),
        pytest.param(0.01, {"cassette": "replay:/tapes/a.jsonl"}, False, id="replayed"),
    ],
)
def test_cap_that_covers_no_answer_of_its_model_is_told_first(
    make: Any,
    cap: float | None,
    fields: dict[str, Any],
    is_told: bool,  # noqa: FBT001 - a case
) -> None:
    priced = ModelSpec(
        name="gpt-6", base_url="https://api.example/v1", price=Price(input=1, output=10)
    )
    task = TaskSpec(name="look", work=AgentWork(model="m"), cap_cost=cap)
    spec = plan(task).model_copy(
        update={"models": {"m": priced}, "notes": ("Mind it.",), **fields}
    )
    said = "Task 'look' will probably end without an answer: one of gpt-6 may cost $0.041"
    assert notes(spec)[-1] == "Mind it."
    assert [said in each for each in notes(spec)] == ([True, False] if is_told else [False])
    shown = make.snapshot("awaiting_approval", plan=spec)
    assert (said in plan_text(shown, 400)) is is_told
    assert ("will probably end without" in mission_html(shown, live=True)) is is_told
