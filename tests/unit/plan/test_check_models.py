from __future__ import annotations

from typing import Any

import pytest

from hypernb.errors import PlanProblemsError
from hypernb.model import (
    AgentWork,
    Grant,
    ModelSpec,
    PlanSpec,
    Price,
    PythonWork,
    TaskSpec,
)
from hypernb.plan import Plan, check_plan, plan_problems

SPEC = ModelSpec(name="gpt-6", base_url="https://models.example/v1")
PRICED = SPEC.model_copy(update={"price": Price(input=1, output=2)})


def problems(spec: ModelSpec = SPEC, *, budget: float | None = None, **work: Any) -> list[str]:
    made = AgentWork(**{"model": "default", **work})
    task = TaskSpec(name="look", agent="qa-engineer", work=made)
    plan = PlanSpec(goal="Look", tasks=(task,), models={"default": spec}, budget=budget)
    found = plan_problems(
        plan, agents=["qa-engineer"], tools=["ruff", "read-file"], model_tools=["read-file"]
    )
    return [each.text for each in found]


def test_budget_needs_a_known_price() -> None:
    (said,) = problems(budget=1.0)
    assert "nobody knows what gpt-6 at models.example costs" in said
    assert '[profiles.openai.prices."gpt-6"]' in said
    assert problems(PRICED, budget=1.0) == []
    assert problems() == []


@pytest.mark.parametrize(
    ("work", "problem"),
    [
        pytest.param({"model": "dfault"}, "Did you mean 'default'?", id="unknown-model"),
        pytest.param(
            {"model": "", "tools": ("read-file",)}, "which only a model calls", id="model-tool"
        ),
        pytest.param(
            {"lanes": {"fit": "kernel:1"}}, "and does not use it", id="lane-without-tool"
        ),
        pytest.param({"tools": ("fit",), "lanes": {"fit": "runner"}}, "no lane", id="odd-lane"),
        pytest.param({"answer": {"type": "object"}}, "returns report", id="no-schema-wanted"),
        pytest.param(
            {"returns": "json", "answer": {"type": "nonsense"}}, "is none", id="odd-schema"
        ),
        pytest.param({"tools": ("fitt",)}, "which is not a tool here", id="unknown-tool"),
    ],
)
def test_what_has_no_meaning_is_said(work: dict[str, Any], problem: str) -> None:
    (said,) = problems(**work)
    assert problem in said


def test_tools_of_kernels_are_known_by_their_lanes() -> None:
    assert problems(tools=("fit",), lanes={"fit": "kernel:1"}) == []


def test_model_without_tools_is_not_given_any() -> None:
    (said,) = problems(SPEC.model_copy(update={"tools": False}), tools=("ruff",))
    assert "gpt-6, which cannot call any" in said


def test_models_are_looked_up_when_a_plan_is_stored() -> None:
    plan = Plan("Look").add("look", agent="qa-engineer", model="fast")
    spec, _ = plan.build()
    check_plan(spec)
    with pytest.raises(PlanProblemsError, match="the model 'fast'"):
        check_plan(spec, agents=["qa-engineer"])


def test_what_is_no_agent_cannot_do_a_task() -> None:
    with pytest.raises(PlanProblemsError, match="which is no agent"):
        Plan("Look").add("look", agent=42)


def test_class_that_needs_arguments_is_handed_over_as_an_object() -> None:
    class Picky:
        def __init__(self, how: str) -> None:
            self.how = how

        def process_task(self, task: Any) -> Any:
            return task

    with pytest.raises(PlanProblemsError, match="Hand over an object of it"):
        Plan("Look").add("look", agent=Picky)
    assert Plan("Look").add("look", agent=Picky("well")).tasks[0].agent == "picky"


def named_alike(**work: Any) -> list[str]:
    python = PythonWork(function="1" * 64, arguments="2" * 64, label="rows")
    tasks = (
        TaskSpec(name="df", work=python),
        TaskSpec(name="look", agent="qa-engineer", needs=("df",), work=AgentWork(**work)),
    )
    plan = PlanSpec(goal="Look", tasks=tasks, inputs={"df": "0" * 64}, models={"default": SPEC})
    return [each.text for each in plan_problems(plan)]


@pytest.mark.parametrize(
    "of_whom",
    [
        pytest.param({"model": "default"}, id="model"),
        pytest.param({"function": "3" * 64}, id="own-agent"),
    ],
)
def test_output_named_like_a_variable_that_is_seen_is_refused(of_whom: dict[str, str]) -> None:
    (said,) = named_alike(**of_whom, variables={"df": Grant()})
    assert "'look' would see the variable 'df' and the output of the task 'df'" in said
    assert said.endswith("Give the task another name, or the variable.")
    assert named_alike(**of_whom, variables={}) == []
