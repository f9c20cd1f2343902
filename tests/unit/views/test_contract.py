"""What a yes allows: nothing is promised that nothing keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.model import AgentWork, PlanSpec, PythonWork, TaskSpec
from hypernb.views import allowed, mission_html, plain, refused
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
