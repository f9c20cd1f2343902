"""The egress lens: what is told before approval is what leaves, to the last byte."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from hypernb.abc import ToolContext
from hypernb.codec import decode, digest, encode
from hypernb.errors import UnknownNameError
from hypernb.model import AgentWork, Digest, Grant, ModelSpec, PlanSpec, TaskSpec
from hypernb.tools import Egress, egress
from tests.unit.tools.conftest import call

if TYPE_CHECKING:
    from collections.abc import Mapping

FRAME = pd.DataFrame({"mail": ["a@example.org", "b@example.org"] * 10, "n": range(20)})
VALUES: dict[str, Any] = {"df": FRAME, "cfg": {"host": "db", "password": "hunter2"}}
PAYLOADS = {digest(encode(value).data): encode(value) for value in VALUES.values()}
INPUTS = {name: digest(encode(value).data) for name, value in VALUES.items()}
MODELS = {
    "large": ModelSpec(name="x-large", base_url="https://API.example/v1"),
    "own": ModelSpec(name="y", base_url="http://localhost:11434/v1"),
}


def plan(**grants: Mapping[str, Grant]) -> PlanSpec:
    """One task a keyword: with the variables that it may see."""
    tasks = [
        TaskSpec(
            name=name,
            agent="qa-engineer",
            work=AgentWork(model="own" if name == "second" else "large", variables=dict(seen)),
        )
        for name, seen in grants.items()
    ]
    return PlanSpec(goal="look", tasks=tuple(tasks), inputs=INPUTS, models=MODELS)


class Shelf:
    """Loads values, and counts how often."""

    def __init__(self) -> None:
        self.loaded: list[Digest] = []

    def load(self, wanted: Digest) -> Any:
        self.loaded.append(wanted)
        return decode(PAYLOADS[wanted].media_type, PAYLOADS[wanted].data)


def told(spec: PlanSpec) -> list[Egress]:
    return egress(spec, Shelf().load)


def test_each_task_and_variable_with_host_size_and_what_is_covered_up() -> None:
    first, second, third = told(
        plan(first={"df": Grant(), "cfg": Grant()}, second={"df": Grant(see="schema")})
    )
    assert [(e.task, e.variable, e.host) for e in (first, second, third)] == [
        ("first", "cfg", "api.example"),
        ("first", "df", "api.example"),
        ("second", "df", "localhost:11434"),
    ]
    assert second.size_bytes == len(second.text.encode())
    assert first.redactions == {"secret": 1}
    assert second.redactions["e-mail"] >= 5
    assert (third.see, third.size_bytes < second.size_bytes) == ("schema", True)


def test_text_is_what_a_tool_tells_when_the_task_runs() -> None:
    """The lens and the run use one function on values that come from the same bytes."""
    for each in told(plan(first={"df": Grant(rows=7), "cfg": Grant(see="all")})):
        grant = {"df": Grant(rows=7), "cfg": Grant(see="all")}[each.variable]
        value = Shelf().load(INPUTS[each.variable])
        context = ToolContext(
            Path("/"), (), inputs={each.variable: value}, grants={each.variable: grant}
        )
        assert call("inspect-variable", context, name=each.variable) == each.text


def test_every_variable_is_loaded_once() -> None:
    shelf = Shelf()
    egress(plan(first={"df": Grant()}, second={"df": Grant(see="all")}, third={}), shelf.load)
    assert shelf.loaded == [INPUTS["df"]]


def test_what_is_not_granted_does_not_leave() -> None:
    assert told(plan(first={})) == []
    offline = TaskSpec(name="t", agent="qa-engineer", work=AgentWork(tools=("ruff",)))
    assert told(PlanSpec(goal="g", tasks=(offline,), inputs=INPUTS)) == []


def test_variable_that_is_not_handed_in_is_named() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'df'"):
        told(plan(first={"dff": Grant()}))


def test_own_agent_may_send_what_it_likes_and_the_lens_says_so() -> None:
    spec = plan(first={"df": Grant()})
    work = AgentWork(model="large", variables={"df": Grant()}, function="0" * 64)
    task = spec.tasks[0].model_copy(update={"work": work})
    [only] = told(spec.model_copy(update={"tasks": (task,)}))
    assert only.note == "the agent's own code decides what it sends of it"
