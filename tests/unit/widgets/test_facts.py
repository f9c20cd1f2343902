"""Records as the dictionaries that `widgets/src/protocol.ts` describes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from hypernb.model import (
    AgentWork,
    AttemptState,
    MissionState,
    PlanSpec,
    PythonWork,
    TaskSpec,
    TaskState,
)
from hypernb.widgets import _facts as facts
from tests.unit.views.conftest import at, attempts, event, mission, plan, snapshot, task

if TYPE_CHECKING:
    from enum import StrEnum

PROTOCOL = Path(__file__).parents[3] / "widgets" / "src" / "protocol.ts"


def fields_of(interface: str) -> tuple[set[str], set[str]]:
    """Return the fields that an interface always has, and those it may have."""
    source = re.sub(r"/\*.*?\*/", "", PROTOCOL.read_text("utf-8"), flags=re.DOTALL)
    found = re.search(
        rf"export interface {interface} \{{(.*?)^\}}", source, re.DOTALL | re.MULTILINE
    )
    assert found is not None, f"protocol.ts has no interface {interface}"
    named = re.findall(r"^  (\w+)(\??):", found[1], re.MULTILINE)
    always = {name for name, mark in named if not mark}
    return always, {name for name, mark in named if mark}


@pytest.mark.parametrize(
    ("interface", "made"),
    [
        ("MissionFacts", facts.mission_facts(mission("running"))),
        ("TaskFacts", facts.task_facts(task("lint", "running"), 0.1, 12)),
        ("AttemptFacts", facts.attempt_facts(attempts([task("lint", "failed")])[0])),
        ("EventFacts", facts.event_facts(event("task.started", "lint"))),
    ],
)
def test_fields_are_those_of_the_protocol(interface: str, made: dict[str, Any]) -> None:
    always, perhaps = fields_of(interface)
    assert set(made) == always
    assert not perhaps


@pytest.mark.parametrize("interface", ["PlanSpec", "TaskSpec"])
def test_fields_of_a_plan_are_known_to_the_protocol(interface: str) -> None:
    always, perhaps = fields_of(interface)
    made = facts.plan_facts(plan(budget=0.5, notes=("Read this.",), params={"a": 1}))
    for each in [made] if interface == "PlanSpec" else made["tasks"]:
        assert always <= set(each) <= always | perhaps


def test_every_field_of_a_plan_can_be_told() -> None:
    models: dict[str, Any] = {"PlanSpec": PlanSpec, "TaskSpec": TaskSpec}
    for interface, model in models.items():
        always, perhaps = fields_of(interface)
        untold = set(model.model_fields) - always - perhaps
        # Models are told in sentences, with the decision.
        beside = {"paths", "params", "models", "content", "cassette", "cache_s", "see"}
        assert untold <= beside | {"handed_in"}


def test_defaults_are_left_out_but_name_and_kind_never() -> None:
    spec = PlanSpec(goal="g", tasks=(TaskSpec(name="a", work=AgentWork()),))
    assert facts.plan_facts(spec) == {
        "goal": "g",
        "tasks": [{"name": "a", "work": {"kind": "agent"}}],
    }
    assert facts.plan_facts(PlanSpec(goal="g"))["tasks"] == []


def test_functions_are_told_by_label_and_source() -> None:
    work = PythonWork(function="f" * 64, arguments="a" * 64, label="shop.clean", source="1")
    told = facts.task_spec_facts(TaskSpec(name="a", work=work))
    assert told["work"] == {"kind": "python", "label": "shop.clean", "source": "1"}


def test_money_that_nobody_knows_of_is_not_made_up() -> None:
    told = facts.task_facts(task("lint", "running"), cost=0.25, tokens=7)
    assert (told["cost"], told["tokens"], told["has_output"]) == (0.25, 7, False)


def test_times_are_in_utc_and_states_are_words() -> None:
    told = facts.task_facts(task("lint", "succeeded"))
    assert told["started_at"] == at(0).isoformat() == "2026-11-20T13:02:10+00:00"
    assert told["state"] == "succeeded"
    assert type(told["state"]) is str


def test_events_are_told_with_names_marked() -> None:
    told = facts.event_facts(event("tool.called", "secrets", tool="bandit"))
    assert {"code": "bandit"} in told["told"]
    assert told["payload"] == {"tool": "bandit"}


def test_events_of_later_versions_are_told_by_their_facts() -> None:
    told = facts.event_facts(event("dream.dreamt", number=3))
    assert told["kind"] == "dream.dreamt"
    assert told["told"] == [{"code": "dream.dreamt"}, ": number 3."]


@pytest.mark.parametrize(
    ("kind", "states"),
    [("mission", MissionState), ("task", TaskState), ("attempt", AttemptState)],
)
def test_every_state_has_a_meaning(kind: str, states: type[StrEnum]) -> None:
    told = facts.meanings()[kind]
    assert set(told) == {state.value for state in states}
    assert all(means.endswith(".") for means in told.values())


def test_endless_errors_are_cut() -> None:
    endless = replace(task("lint", "failed"), error="x" * 1_000_000)
    assert len(facts.task_facts(endless)["error"]) == facts.ERROR_CUT_AT


def test_all_of_a_mission_is_json() -> None:
    made = snapshot()
    assert made.plan is not None
    told = [
        facts.mission_facts(made.mission),
        [facts.task_facts(each) for each in made.tasks],
        [facts.attempt_facts(each) for each in made.attempts],
        [facts.event_facts(each) for each in made.events],
        facts.plan_facts(made.plan),
    ]
    assert orjson.loads(orjson.dumps(told)) == told
