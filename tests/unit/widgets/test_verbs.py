"""What views may ask for, and what they are told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import ApprovalError, UnknownMissionError, UnknownNameError, UsageError
from hypernb.model import AgentWork, Change, TaskSpec
from hypernb.widgets import _protocol
from hypernb.widgets._verbs import DECIDING, OF_SESSIONS, VERBS, act
from tests.unit.widgets.recorded import START, Recorded

if TYPE_CHECKING:
    from hypernb.model import Event
    from hypernb.session import Mission, Session


def test_every_verb_of_the_protocol_is_known() -> None:
    table = (_protocol.__doc__ or "").partition("\n=========")[2].rpartition("=\n")[0]
    named = set(re.findall(r"^(\w+) ", table, re.MULTILINE)) - {"verb"}
    assert named | {"resume", "cancel"} == VERBS.keys() | {"open"}
    assert VERBS.keys() >= DECIDING | OF_SESSIONS


def test_an_unknown_verb_is_refused_with_near_misses(mission: Mission) -> None:
    with pytest.raises(UnknownNameError, match="approve"):
        act("aprove", {}, mission)


@pytest.mark.parametrize("args", [{"tusks": []}, {"session": 1}, {"tasks": 5}])
def test_wrong_arguments_are_refused(mission: Mission, args: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="cannot be asked for like that"):
        act("approve", {"plan_hash": mission.record.plan_hash, **args}, mission)


def test_approving_is_bound_to_the_plan_that_was_shown(mission: Mission) -> None:
    shown = mission.record.plan_hash
    mission.edit({"a": {"timeout_s": 60}})
    for tasks in ([], ["a"]):
        with pytest.raises(ApprovalError):
            act("approve", {"tasks": tasks, "plan_hash": shown}, mission)
    assert mission.record.revision == 2
    act("approve", {"plan_hash": mission.record.plan_hash}, mission)
    assert not mission.needs_approval


def test_a_part_of_a_plan_is_approved(mission: Mission) -> None:
    act("approve", {"tasks": ["a"], "plan_hash": mission.record.plan_hash}, mission)
    assert list(mission.tasks) == ["a"]
    assert not mission.needs_approval


def test_missions_of_a_session_are_found_by_what_is_asked(session: Session) -> None:
    with pytest.raises(UnknownMissionError):
        act("pause", {"mission": "m-9"}, session)
    with pytest.raises(UsageError, match="needs a mission"):
        act("pause", {}, session)


# -- events ------------------------------------------------------------------------------


@pytest.fixture
def busy(session: Session) -> Mission:
    """A mission with 7,000 notes of two tasks, and heartbeats between them."""
    recorded = Recorded(session, "a", "b").start().begin("a").begin("b")
    changes = []
    for number in range(7_000):
        task = "ab"[number % 2]
        facts = {"note": f"Note {number}"}
        changes.append(Change("task.progressed", START, recorded.ids[task], 1, facts))
        if number % 10 == 0:
            changes.append(Change("task.heartbeat", START, recorded.ids[task], 1))
    session.store.commit(recorded.record.id, recorded.lease, changes)
    return recorded.mission


def _notes(page: dict[str, Any]) -> list[str]:
    return [event["payload"].get("note", event["kind"]) for event in page["events"]]


def test_events_are_read_backwards_page_by_page(busy: Mission) -> None:
    page = act("events", {"limit": 3}, busy)
    assert _notes(page) == ["Note 6997", "Note 6998", "Note 6999"]
    before = page["events"][0]["seq"]
    earlier = act("events", {"limit": 2, "before": before}, busy)
    assert _notes(earlier) == ["Note 6995", "Note 6996"]
    assert earlier["more"]


def test_all_pages_together_are_all_events(busy: Mission) -> None:
    found: list[dict[str, Any]] = []
    before, more = None, True
    while more:
        page = act("events", {"limit": 1000, "before": before}, busy)
        found[:0] = page["events"]
        before, more = page["events"][0]["seq"], page["more"]
    stored = [event for event in busy.events(limit=100_000) if event.kind != "task.heartbeat"]
    assert [event["seq"] for event in found] == [event.seq for event in stored]


def test_events_are_found_by_task_kind_and_text(busy: Mission) -> None:
    page = act("events", {"task": "b", "text": "NOTE 17", "kinds": ["task.progressed"]}, busy)
    assert set(_notes(page)) >= {"Note 17", "Note 171"}
    assert "Note 170" not in _notes(page)
    begun = act("events", {"kinds": ["task.started"]}, busy)
    assert [event["task"] for event in begun["events"]] == ["a", "b"]
    assert not begun["more"]


def test_events_of_an_agent_are_those_of_its_tasks(session: Session) -> None:
    work = AgentWork()
    tasks = (TaskSpec(name="a", agent="qa-engineer", work=work), TaskSpec(name="b", work=work))
    mission = Recorded(session, tasks=tasks).start().begin("a").begin("b").mission

    def of(**args: Any) -> set[str | None]:
        return {event["task"] for event in act("events", args, mission)["events"]}

    assert of() == of(agent=None) == {None, "a", "b"}
    assert of(agent="qa-engineer") == {"a"}
    assert of(agent="") == {"b"}
    assert of(agent="nobody") == set()


def test_heartbeats_are_told_where_they_are_asked_for(busy: Mission) -> None:
    page = act("events", {"kinds": ["task.heartbeat"], "before": None, "limit": 50}, busy)
    assert {event["kind"] for event in page["events"]} == {"task.heartbeat"}
    assert len(page["events"]) == 50
    assert page["more"]
    assert page["before"] == page["events"][0]["seq"]
    mixed = act("events", {"kinds": ["task.heartbeat", "task.started"], "limit": 1000}, busy)
    assert {event["kind"] for event in mixed["events"]} == {"task.heartbeat", "task.started"}


def test_words_that_are_rare_are_looked_for_in_steps(session: Session) -> None:
    recorded = Recorded(session).start()
    notes = ["Here it is", *["x"] * 10_500]
    changes = [Change("task.progressed", START, None, None, {"note": note}) for note in notes]
    session.store.commit(recorded.record.id, recorded.lease, changes)
    page = act("events", {"text": "HERE it", "limit": 50}, recorded.mission)
    assert page["events"] == []
    assert page["more"]
    rest = {"text": "HERE it", "limit": 50, "before": page["before"]}
    page = act("events", rest, recorded.mission)
    assert _notes(page) == ["Here it is"]
    assert not page["more"]


def test_a_page_is_read_without_the_rest(
    busy: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    store, events = busy.session.store, busy.session.store.events

    def counted(*args: Any, **kwargs: Any) -> list[Event]:
        found = events(*args, **kwargs)
        read.append(len(found))
        return found

    monkeypatch.setattr(store, "events", counted)
    for args in ({}, {"kinds": ["task.started"]}, {"task": "a"}, {"agent": ""}):
        act("events", {"limit": 50, **args}, busy)
    assert max(read) <= 51
    assert len(read) == 4


def test_the_first_events_have_nothing_before_them(mission: Mission) -> None:
    page = act("events", {"limit": 50}, mission)
    assert _notes(page) == ["mission.created", "plan.proposed"]
    assert not page["more"]
    assert page["before"] is None
    assert act("events", {"before": 1}, mission) == {
        "events": [],
        "more": False,
        "before": None,
    }
