"""Missions that are being planned: what a model is asked is in the store before it is asked."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hypernb import codec
from hypernb.abc import Payload
from hypernb.errors import LeaseLostError, TransitionError
from hypernb.model import (
    CallRecord,
    CallState,
    EventKind,
    MissionId,
    MissionState,
    PlanSpec,
    TaskState,
    Usage,
    new_id,
    replay,
)
from hypernb.store import process_facts
from tests.by_hand import plan_of

if TYPE_CHECKING:
    from hypernb.abc import Store
    from hypernb.model import LeaseRecord, MissionRecord

Clock = Any
Place = Any

GOAL = PlanSpec(goal="Is it safe?", planned_by="nobody")
ASKED = Payload("application/json", b'{"asked": "for a plan"}')
ANSWERED = Payload("application/json", b'{"answered": "with one"}')
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def call(clock: Clock) -> CallRecord:
    """A call that is about to be made."""
    return CallRecord(
        id=new_id(),
        mission_id=MissionId(""),
        state=CallState.RESERVED,
        at=clock(),
        agent="strategist",
        model="large-1",
        host="localhost:1",
        purpose="plan",
        reserved=2.0,
        request=codec.digest(ASKED.data),
    )


def begun(store: Store, call: CallRecord, **facts: Any) -> tuple[MissionRecord, LeaseRecord]:
    """Begin a planning of this process, or of one that is like it but for some facts."""
    return store.begin_planning(
        GOAL,
        call,
        by="ada@here",
        ttl=TEN_MINUTES,
        facts=process_facts() | facts,
        payloads={codec.digest(ASKED.data): ASKED},
    )


def answered(call: CallRecord, clock: Clock, **facts: Any) -> CallRecord:
    """The same call when it is over."""
    known: dict[str, Any] = {
        "state": CallState.SETTLED,
        "cost": 0.5,
        "input_tokens": 900,
        "output_tokens": 100,
    }
    return replace(call, ended_at=clock(), **(known | facts))


def gone() -> dict[str, Any]:
    """Facts of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return {"pid": child.pid}


def kinds(store: Store, mission: MissionRecord) -> list[str]:
    return [each.kind for each in store.events(mission.id)]


def test_first_call_of_a_planning_is_in_the_store_before_it_is_made(
    place: Place, call: CallRecord
) -> None:
    mission, _ = begun(place.open(), call)
    other = place.open()
    (found,) = other.calls()
    assert found == replace(call, mission_id=mission.id)
    assert other.artifact(found.request)[1] == ASKED.data
    assert (mission.state, mission.goal, mission.cost) == (
        MissionState.PLANNING,
        "Is it safe?",
        0,
    )
    assert kinds(other, mission) == ["mission.created", "llm.requested"]
    told = other.events(mission.id, kinds=("llm.requested",))[0].payload
    assert told == {
        "call": call.id,
        "reserved": 2.0,
        "agent": "strategist",
        "model": "large-1",
        "host": "localhost:1",
        "purpose": "plan",
    }


def test_call_of_a_planning_is_paid_once_when_it_is_over(
    store: Store, clock: Clock, call: CallRecord
) -> None:
    mission, lease = begun(store, call)
    over = answered(call, clock, reply=codec.digest(ANSWERED.data))
    said = {codec.digest(ANSWERED.data): ANSWERED}
    for _ in range(2):
        store.note_planning(lease, over, payloads=said)
    store.note_planning(lease, call)
    (paid,) = store.usage(mission.id)
    assert (paid.task_id, paid.usage) == (None, Usage(0.5, "large-1", 900, 100))
    assert store.calls() == [replace(over, mission_id=mission.id)]
    assert store.mission(mission.id).cost == 0.5
    assert store.artifact(codec.digest(ANSWERED.data))[1] == ANSWERED.data
    assert kinds(store, mission) == ["mission.created", "llm.requested", "llm.responded"]


def test_further_calls_of_a_planning_are_noted_before_they_are_made(
    store: Store, clock: Clock, call: CallRecord
) -> None:
    mission, lease = begun(store, call)
    store.note_planning(lease, answered(call, clock))
    again = replace(call, id=new_id(), at=clock(), purpose="repair")
    store.note_planning(lease, again)
    assert [each.state for each in store.calls(mission.id)] == [
        CallState.SETTLED,
        CallState.RESERVED,
    ]


def test_mission_that_is_being_planned_gets_the_plan_as_revision_1(
    store: Store, clock: Clock, call: CallRecord
) -> None:
    mission, lease = begun(store, call)
    store.note_planning(lease, answered(call, clock))
    before, spec = store.last_seq(), plan_of("a", "b", goal="Is it safe?")
    proposed = store.propose_plan(lease, spec, by="ada@here")
    assert (proposed.id, proposed.short_id) == (mission.id, "m-1")
    assert (proposed.state, proposed.revision) == (MissionState.AWAITING_APPROVAL, 1)
    assert (proposed.plan_hash, proposed.cost) == (spec.hash, 0.5)
    assert store.plan(mission.id) == spec
    assert [each.state for each in store.tasks(mission.id)] == [TaskState.PENDING] * 2
    assert kinds(store, mission)[-1] == "plan.proposed"
    news = store.since(mission.id, before)
    assert news.plan_changed
    assert list(news.tasks) == store.tasks(mission.id)
    assert replay(store.events(mission.id)).mission is MissionState.AWAITING_APPROVAL
    assert [each.kind for each in store.find("Is it safe")] == ["goal"]
    store.approve(mission.id, revision=1, plan_hash=spec.hash, by="ada@here")
    assert store.check() == []


def test_mission_that_is_being_planned_has_no_plan_that_anybody_could_approve(
    store: Store, call: CallRecord
) -> None:
    mission, _ = begun(store, call)
    assert store.snapshot(mission.id).plan is None
    assert store.plan(mission.id).tasks == ()
    with pytest.raises(TransitionError):
        store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="ada@here")
    with pytest.raises(TransitionError):
        store.revise_plan(mission.id, plan_of("a"), by="ada@here")
    with pytest.raises(TransitionError):
        store.reject(mission.id, reason="", by="ada@here")
    assert store.runnable_missions() == []
    assert replay(store.events(mission.id)).mission is MissionState.PLANNING


@pytest.mark.parametrize("state", [MissionState.FAILED, MissionState.CANCELLED])
def test_planning_without_a_plan_is_a_mission_that_has_ended_and_paid(
    store: Store, clock: Clock, call: CallRecord, state: MissionState
) -> None:
    _, lease = begun(store, call)
    store.note_planning(lease, answered(call, clock))
    mission = store.end_planning(lease, state, "no answer was a plan", by="ada@here")
    assert mission is not None
    assert (mission.state, mission.cost, mission.goal) == (state, 0.5, "Is it safe?")
    assert mission.error == "no answer was a plan"
    assert mission.finished_at is not None
    assert kinds(store, mission)[-1] == "mission.finished"
    assert replay(store.events(mission.id)).mission is state
    assert store.find("Is it safe")[0].mission == mission.short_id
    assert store.check() == []


def test_call_without_an_answer_is_paid_as_it_was_reserved_when_its_planning_ends(
    store: Store, call: CallRecord
) -> None:
    mission, lease = begun(store, call)
    store.end_planning(lease, MissionState.CANCELLED, "it was broken off", by="ada@here")
    (lost,) = store.calls(mission.id)
    assert (lost.state, lost.cost) == (CallState.LOST, 2.0)
    assert store.mission(mission.id).cost == 2.0


def test_planning_that_has_used_nothing_leaves_no_mission(
    store: Store, clock: Clock, call: CallRecord
) -> None:
    _, lease = begun(store, call)
    unused = {"state": CallState.FAILED, "cost": None, "input_tokens": 0, "output_tokens": 0}
    store.note_planning(lease, answered(call, clock, **unused, error="cannot reach it"))
    assert store.end_planning(lease, MissionState.FAILED, "so it is", by="ada@here") is None
    assert not store.missions()
    assert not store.calls()
    assert not store.find("Is it safe")
    assert store.leases("mission:") == []
    (told,) = store.events()
    assert (told.kind, told.payload["missions"]) == (EventKind.MISSIONS_FORGOTTEN, {"m-1": ""})
    assert store.check() == []
    assert store.create_mission(plan_of("a"), by="ada@here").short_id == "m-2"


def test_planning_that_is_over_takes_no_more_calls_and_no_plan(
    store: Store, clock: Clock, call: CallRecord
) -> None:
    mission, lease = begun(store, call)
    assert store.cancel_unstarted(mission.id, by="bob@there")
    over = store.mission(mission.id)
    assert (over.state, over.cost) == (MissionState.CANCELLED, 2.0)
    with pytest.raises(LeaseLostError):
        store.note_planning(lease, answered(call, clock))
    with pytest.raises(LeaseLostError):
        store.propose_plan(lease, plan_of("a"), by="ada@here")
    with pytest.raises(LeaseLostError):
        store.end_planning(lease, MissionState.FAILED, "", by="ada@here")
    assert store.mission(mission.id) == over
    assert [each.state for each in store.calls()] == [CallState.LOST]


def test_planning_of_a_process_that_is_gone_has_failed_and_its_calls_are_paid(
    place: Place, clock: Clock, call: CallRecord
) -> None:
    store = place.open()
    mission, lease = begun(store, call, **gone())
    store.note_planning(lease, answered(call, clock))
    store.note_planning(lease, replace(call, id=new_id(), at=clock()))
    store.note_planning(lease, replace(call, id=new_id(), at=clock(), reserved=None))
    other = place.open()
    (ended,) = other.end_lost_plannings(by="bob@there")
    assert (ended.id, ended.state) == (mission.id, MissionState.FAILED)
    assert ended.error == "the process that planned it has ended"
    assert [each.state for each in other.calls()] == [
        CallState.SETTLED,
        CallState.LOST,
        CallState.LOST,
    ]
    assert ended.cost == pytest.approx(2.5)
    (told,) = other.usage_sums(["model"])
    assert (told.calls, told.cost, told.unknown) == (3, pytest.approx(2.5), 1)
    assert other.end_lost_plannings(by="bob@there") == []
    assert other.check() == []


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({}, id="it is this process"),
        pytest.param({"host": "another"} | {"pid": 1}, id="it is on another machine"),
    ],
)
def test_planning_that_may_be_under_way_goes_on_until_its_lease_has_run_out(
    place: Place, clock: Clock, call: CallRecord, facts: dict[str, Any]
) -> None:
    store = place.open()
    mission, _ = begun(store, call, **facts)
    clock.advance(minutes=9)
    assert place.open().end_lost_plannings(by="bob@there") == []
    clock.advance(minutes=2)
    (ended,) = place.open().end_lost_plannings(by="bob@there")
    assert ended.id == mission.id


def test_two_plannings_at_once_are_two_missions(
    place: Place, clock: Clock, call: CallRecord
) -> None:
    one, two = place.open(), place.open()
    first, lease = begun(one, call)
    other = replace(call, id=new_id(), at=clock())
    second, theirs = begun(two, other)
    two.note_planning(theirs, answered(other, clock, cost=0.25))
    one.note_planning(lease, answered(call, clock))
    two.propose_plan(theirs, plan_of("b"), by="bob@there")
    one.propose_plan(lease, plan_of("a"), by="ada@here")
    assert [task.name for task in one.tasks(first.id)] == ["a"]
    assert [task.name for task in one.tasks(second.id)] == ["b"]
    assert (one.mission("m-1").cost, one.mission("m-2").cost) == (0.5, 0.25)
    created = one.events(kinds=(EventKind.MISSION_CREATED,))
    assert [each.mission_id for each in created] == [first.id, second.id]
