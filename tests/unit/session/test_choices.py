"""Models that tasks can be given: which there are, where, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import hypernb
from hypernb.model import AgentWork, MissionState, ModelSpec, PlanSpec, Price, TaskSpec
from tests.unit.widgets.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypernb.session import Mission, Session

CONFIG = """
model = "middle"
[agents]
qa-engineer = "tiny"
[profiles.openai.prices."tiny"]
input = 0.1
output = 0.4
[profiles.openai.prices."middle"]
input = 3.0
output = 4.0
[profiles.here]
base_url = "http://localhost:9/v1"
model = "local"
key = "NOT_SET_ANYWHERE"
"""
BIG = ModelSpec(
    name="big-1", base_url="https://api.example/v1", price=Price(input=2, output=8, source="x")
)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text(CONFIG)
    monkeypatch.setenv("HYPERNB_HOME", str(home))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-secret")  # pragma: allowlist secret
    for name in ("OPENAI_BASE_URL", "HYPERNB_MODEL", "HYPERNB_MODE"):
        monkeypatch.delenv(name, raising=False)
    with hypernb.Session(tmp_path / "h.db", runner="inprocess", root=tmp_path) as made:
        yield made


def recorded(session: Session) -> Recorded:
    work = AgentWork(model="big")
    task = TaskSpec(name="a", agent="qa-engineer", work=work)
    plan = PlanSpec(goal="look", tasks=(task,), models={"big": BIG}, budget=1.0)
    made = Recorded(session)
    made.record = session.store.create_mission(plan, by="ada@here")
    return made


def paused(session: Session) -> Mission:
    made = recorded(session).start()
    made.tell("mission.paused", mission_state=MissionState.PAUSED)
    return made.mission.session.mission(made.record.short_id)


def said(mission: Mission) -> dict[str, str]:
    return {each.name: each.said for each in mission.outlook().choices}


def test_choices_are_of_the_settings_and_of_the_plan_each_with_host_and_price(
    session: Session,
) -> None:
    told = said(recorded(session).mission)
    assert told["big"] == "big at api.example: $2 read, $8 written for a million tokens"
    assert told["middle"].startswith("middle at api.openai.com: $3 read, $4 written")
    assert "cost not known" in told["here:local"]
    assert not any("sk-a-secret" in each for each in told.values())


def test_cheaper_ones_stand_first_and_say_so(session: Session) -> None:
    told = said(paused(session))
    assert next(iter(told)) == "tiny"
    assert [name for name, each in told.items() if ", cheaper," in each] == ["tiny"]


def test_key_that_is_not_there_is_told(session: Session) -> None:
    told = said(recorded(session).mission)
    assert told["here:local"].endswith("; NOT_SET_ANYWHERE is not set here")


def test_nothing_can_be_chosen_while_it_runs(session: Session) -> None:
    assert said(recorded(session).start().mission) == {}


def test_plans_own_name_for_a_model_can_be_taken(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    mission = paused(session)
    mission.take_model("tiny", approve_host=True)
    assert [name for name, each in said(mission).items() if ", cheaper," in each] == []
    mission.take_model("big")
    *_, last = session.store.amendments(mission.record.id)
    assert last.models == {"big": BIG}


def test_settings_that_cannot_be_read_leave_those_of_the_plan(
    session: Session, tmp_path: Path
) -> None:
    (tmp_path / "home" / "config.toml").write_text("model = ")
    assert list(said(recorded(session).mission)) == ["big"]
