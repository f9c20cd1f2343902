"""Waiting for a mission that stands still until a person acts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import MissionError, MissionWaitsError
from hypernb.model import (
    THE_KERNEL,
    AgentWork,
    MissionState,
    ModelSpec,
    RunnerId,
    TaskSpec,
    TaskState,
)
from hypernb.session._asking import asked
from tests.unit.widgets.recorded import Recorded

if TYPE_CHECKING:
    from hypernb.session import Session

KEY = "EXAMPLE_API_KEY"  # pragma: allowlist secret
MINE, OTHER = "one", "another"  # keys: nothing is asked with them


def planned(session: Session, **of_model: Any) -> Recorded:
    facts = {"name": "gpt-6", "base_url": "https://api.example/v1", "key": KEY}
    model = ModelSpec(**(facts | of_model))
    task = TaskSpec(name="a", agent="qa-engineer", work=AgentWork(model="big"))
    return Recorded(session, tasks=(task,), models={"big": model})


def paused(session: Session, **facts: Any) -> Recorded:
    recorded = planned(session, key="").start()
    return recorded.tell("mission.paused", mission_state=MissionState.PAUSED, payload=facts)


def test_waiting_ends_when_money_is_spent(session: Session) -> None:
    mission = paused(session, because="budget").mission
    with pytest.raises(MissionWaitsError, match="%hyper resume m-1 --budget") as caught:
        mission.wait(10, until_asked=True)
    assert isinstance(caught.value, MissionError)
    assert "\n" not in str(caught.value)


def test_waiting_ends_by_itself_where_nobody_is_there(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_HEADLESS", "1")
    with pytest.raises(MissionWaitsError):
        paused(session, because="budget").mission.wait(10)


def test_mission_that_a_person_paused_is_waited_for(session: Session) -> None:
    assert asked(paused(session, by="ada").mission) is None


def test_mission_that_lacks_a_key_names_it(session: Session) -> None:
    mission = planned(session).approve().mission
    wanted = asked(mission, environ={})
    assert wanted is not None
    assert f"it needs {KEY}" in str(wanted)
    assert "%hyper attach m-1" in str(wanted)


def test_session_that_has_the_key_waits(session: Session) -> None:
    mine = session.store.fingerprint(MINE)
    mission = planned(session, key_id=mine).approve().mission
    assert asked(mission, environ={KEY: MINE}) is None
    assert asked(mission, environ={KEY: OTHER}) is not None


def test_session_whose_key_is_meant_for_another_host_does_not_have_it(
    session: Session,
) -> None:
    mission = planned(session, key="OPENAI_API_KEY").approve().mission
    here = {"OPENAI_API_KEY": MINE}
    session.settings = {"base_url": "https://other.example/v1"}
    wanted = asked(mission, environ=here)
    assert wanted is not None
    assert "it needs OPENAI_API_KEY for api.example, and" in str(wanted)
    session.settings = {"base_url": "https://api.example/v1"}
    assert asked(mission, environ=here) is None


def test_plan_that_awaits_approval_is_not_meant(session: Session) -> None:
    assert asked(planned(session, key="").mission) is None


def test_status_names_what_each_mission_waits_for(session: Session) -> None:
    for recorded in (planned(session), planned(session, key="")):
        recorded.approve()
    planned(session)
    paused(session, because="budget")
    status = session.status()
    assert [each.short_id for each in status.needs_you] == ["m-4", "m-3", "m-2", "m-1"]
    assert status.waits == {
        "m-1": f"needs {KEY}",
        "m-2": "approved, but no runner is there",
        "m-3": "",
        "m-4": "paused for money",
    }
    assert f"m-1 needs {KEY}: " in repr(status)
    assert "m-3 awaiting approval: " in repr(status)


def test_status_counts_what_a_runner_is_about_to_start_as_running(session: Session) -> None:
    session.store.take_lease("runner:here", RunnerId("r"), timedelta(seconds=60), {})
    planned(session, key="").approve()
    status = session.status()
    assert [each.short_id for each in status.running] == ["m-1"]
    assert status.needs_you == ()
    assert "m-1 approved, about to start" in repr(status)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        pytest.param(
            {"note": f"{THE_KERNEL}f is gone: define it again"},
            "waits for you (the kernel that has f is gone)",
            id="kernel",
        ),
        pytest.param(
            {"task_state": TaskState.AWAITING_APPROVAL},
            "waits for your decision on a",
            id="decision",
        ),
    ],
)
def test_status_counts_a_task_that_waits_for_a_person_among_what_needs_one(
    session: Session, facts: dict[str, Any], said: str
) -> None:
    made = Recorded(session, "a", "b").start().begin("a").begin("b")
    assert [each.short_id for each in session.status().running] == ["m-1"]
    made.tell("task.progressed", "a", attempt=1, **facts)
    status = session.status()
    assert [each.short_id for each in status.needs_you] == ["m-1"]
    assert f"m-1 {said}: count the stars" in repr(status)
    assert status.running == ()
