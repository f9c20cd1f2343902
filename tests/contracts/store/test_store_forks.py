"""Forks: a new mission that shares what another has done, and leaves that one as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.abc import Payload
from hypernb.codec import digest
from hypernb.errors import UnknownMissionError
from hypernb.model import (
    AgentWork,
    Finding,
    MissionId,
    MissionState,
    PlanSpec,
    Severity,
    TaskSpec,
    replay,
)

if TYPE_CHECKING:
    from hypernb.abc import Store
    from hypernb.model import MissionRecord

Bench = Any

FINDING = Finding(
    file="a.py",
    line=3,
    category="lint",
    rule="F401",
    severity=Severity.LOW,
    message="unused import",
    tool="ruff",
    agent="backend-specialist",
)
TASKS = (
    TaskSpec(name="a", work=AgentWork()),
    TaskSpec(name="b", work=AgentWork(), needs=("a",)),
    TaskSpec(name="c", work=AgentWork(), needs=("b",)),
)


def _done(bench: Bench, store: Store) -> Any:
    """A mission of three tasks in a row, the first two of which have succeeded."""
    underway = bench.running(tasks=TASKS)
    for name in ("a", "b"):
        output = store.put_artifact(Payload("application/json", f'"{name}"'.encode()))
        underway.run(name, output=output, outcome="findings", findings=(FINDING,))
    return underway


def _fork(store: Store, origin: MissionRecord, at: str = "", **fields: Any) -> MissionRecord:
    spec = store.plan(origin.id).model_copy(update=fields)
    return store.create_mission(spec, by="eve@here", forked_from=origin.id, forked_at=at)


def test_tasks_with_an_output_are_those_that_made_it(bench: Bench, store: Store) -> None:
    done = _done(bench, store)
    _fork(store, done.mission, "c")  # shares both outputs
    again = bench.running("a")
    same = store.put_artifact(Payload("application/json", b'"a"'))
    again.run("a", output=same)
    found = store.tasks_with_output(same)
    assert [(each.mission_id, each.name) for each in found] == [
        (again.mission.id, "a"),
        (done.mission.id, "a"),
    ]
    assert store.tasks_with_output(same, limit=1) == found[:1]
    assert store.tasks_with_output(digest(b"none has made this")) == []


def _states(store: Store, mission: MissionRecord) -> dict[str, str]:
    return {task.name: task.state.value for task in store.tasks(mission.id)}


def _rows(store: Store, mission: MissionRecord) -> list[Any]:
    tables = "plans tasks attempts events approvals commands findings"
    sql = "SELECT * FROM {} WHERE {} = '{}'"
    found = [
        store.query(sql.format(table, "mission_id", mission.id))[1] for table in tables.split()
    ]
    return [*found, store.query(sql.format("missions", "id", mission.id))[1]]


def test_fork_shares_the_finished_prefix(bench: Bench, store: Store) -> None:
    underway = _done(bench, store)
    fork = _fork(store, underway.mission, at="b")
    assert (fork.forked_from, fork.forked_at) == (underway.mission.short_id, "b")
    assert fork.state is MissionState.AWAITING_APPROVAL
    assert _states(store, fork) == {"a": "succeeded", "b": "pending", "c": "pending"}
    shared, old = store.tasks(fork.id)[0], underway.task("a")
    assert (shared.output, shared.outcome, shared.findings) == (old.output, "findings", 1)
    assert (shared.note, shared.attempt) == (f"shared from {underway.mission.short_id}", 0)
    assert store.findings(fork.id) == [FINDING]
    assert store.approval(fork.id) is None


def test_the_origin_stays_as_it_was(bench: Bench, store: Store) -> None:
    underway = _done(bench, store)
    before = _rows(store, underway.mission)
    fork = _fork(store, underway.mission, at="a")
    store.revise_plan(fork.id, store.plan(fork.id), by="eve@here")
    store.reject(fork.id, reason="no", by="eve@here")
    assert _rows(store, underway.mission) == before


def test_an_event_tells_of_each_shared_task_and_replays(bench: Bench, store: Store) -> None:
    underway = _done(bench, store)
    fork = _fork(store, underway.mission)
    told = store.events(fork.id, kinds=("task.shared",))
    assert [event.task for event in told] == ["a", "b"]
    assert told[0].payload == {"from": underway.mission.short_id, "task": "t1"}
    replayed = replay(store.events(fork.id))
    states = {name: replayed.task(name).value for name in ("a", "b", "c")}
    assert states == _states(store, fork)


def test_each_revision_shares_what_it_can(bench: Bench, store: Store) -> None:
    underway = _done(bench, store)
    fork = _fork(store, underway.mission)
    assert _states(store, fork) == {"a": "succeeded", "b": "succeeded", "c": "pending"}
    changed = (TASKS[0], TASKS[1].model_copy(update={"goal": "else"}), TASKS[2])
    spec = store.plan(fork.id).model_copy(update={"tasks": changed})
    fork = store.revise_plan(fork.id, spec, by="eve@here")
    assert _states(store, fork) == {"a": "succeeded", "b": "pending", "c": "pending"}
    assert len(store.findings(fork.id)) == 1
    replayed = replay(store.events(fork.id))
    assert {name: replayed.task(name).value for name in "abc"} == _states(store, fork)


def test_what_a_rejected_fork_shares_stays_done(bench: Bench, store: Store) -> None:
    fork = _fork(store, _done(bench, store).mission)
    store.reject(fork.id, reason="no", by="eve@here")
    states = _states(store, fork)
    assert states == {"a": "succeeded", "b": "succeeded", "c": "cancelled"}
    replayed = replay(store.events(fork.id))
    assert {name: replayed.task(name).value for name in "abc"} == states


def test_fork_of_a_mission_that_has_done_nothing_shares_nothing(
    bench: Bench, store: Store
) -> None:
    origin = bench.proposed("a", "b")
    fork = _fork(store, origin)
    assert _states(store, fork) == {"a": "pending", "b": "pending"}
    assert store.events(fork.id, kinds=("task.shared",)) == []


def test_fork_of_a_fork_shares_what_that_one_shares(bench: Bench, store: Store) -> None:
    fork = _fork(store, _done(bench, store).mission, at="b")
    second = _fork(store, fork)
    assert _states(store, second) == {"a": "succeeded", "b": "pending", "c": "pending"}
    assert store.tasks(second.id)[0].note == f"shared from {fork.short_id}"


def test_fork_of_an_unknown_mission_is_refused(store: Store) -> None:
    spec = PlanSpec(goal="g", tasks=TASKS)
    with pytest.raises(UnknownMissionError):
        store.create_mission(spec, by="eve@here", forked_from=MissionId("no such"))
    assert store.missions() == []
