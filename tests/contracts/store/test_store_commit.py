"""What a runner's changes do to missions, tasks and attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.abc import Payload
from hypernb.errors import StoreError, TransitionError, UnknownTaskError
from hypernb.model import (
    AttemptState,
    Change,
    Digest,
    MissionState,
    Severity,
    TaskId,
    TaskState,
)
from tests.by_hand import FINDING

if TYPE_CHECKING:
    from hypernb.abc import Store

Bench = Any
Clock = Any


def test_commit_returns_seq_of_its_last_event(bench: Bench, store: Store) -> None:
    underway = bench.running("a", "b")
    last = underway.commit(underway.ready("a"), underway.ready("b"))
    assert last == store.last_seq() == store.events()[-1].seq


def test_commit_of_nothing_checks_the_lease_only(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    assert underway.commit() == store.last_seq()
    store.release_lease(underway.lease)
    with pytest.raises(StoreError):
        underway.commit()


def test_events_carry_task_attempt_and_facts(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    underway.commit(underway.ready("a"), underway.start("a", payload={"agent": "qa", "n": 1}))
    event = store.events()[-1]
    assert (event.task, event.task_id, event.attempt) == ("a", underway.ids["a"], 1)
    assert event.payload == {"agent": "qa", "n": 1}


def test_mission_start_and_end_are_noted(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    started = store.mission("m-1").started_at
    end = underway.change(
        "mission.finished", mission_state=MissionState.FAILED, error="no luck"
    )
    underway.commit(end)
    mission = store.mission("m-1")
    assert (mission.started_at, mission.finished_at) == (started, end.at)
    assert (mission.state, mission.error) == (MissionState.FAILED, "no luck")


def test_retried_mission_keeps_its_start_only(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    started = store.mission("m-1").started_at
    underway.commit(
        underway.change("mission.finished", mission_state=MissionState.FAILED, error="no luck")
    )
    underway.commit(underway.change("mission.resumed", mission_state=MissionState.RUNNING))
    mission = store.mission("m-1")
    assert (mission.started_at, mission.finished_at, mission.error) == (started, None, "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(None, MissionState.RUNNING, id="running twice"),
        pytest.param(MissionState.SUCCEEDED, MissionState.RUNNING, id="succeeded is the end"),
        pytest.param(None, MissionState.REJECTED, id="rejected while running"),
    ],
)
def test_impossible_mission_state_is_refused(
    bench: Bench, store: Store, before: MissionState | None, after: MissionState
) -> None:
    underway = bench.running("a")
    if before:
        underway.commit(underway.change("mission.finished", mission_state=before))
    last = store.last_seq()
    with pytest.raises(TransitionError, match="m-1"):
        underway.commit(underway.change("mission.resumed", mission_state=after))
    assert store.last_seq() == last


@pytest.mark.parametrize(
    ("states", "after"),
    [
        pytest.param([], TaskState.SUCCEEDED, id="done before it began"),
        pytest.param([], TaskState.RUNNING, id="not ready"),
        pytest.param(["run"], TaskState.READY, id="finished tasks never run again"),
        pytest.param(["run"], TaskState.RUNNING, id="finished tasks never start again"),
    ],
)
def test_impossible_task_state_is_refused(
    bench: Bench, states: list[str], after: TaskState
) -> None:
    underway = bench.running("a")
    if states:
        underway.run("a")
    with pytest.raises(TransitionError, match="m-1/a"):
        underway.commit(underway.change("task.started", "a", task_state=after))


def test_start_sets_what_goes_with_it(bench: Bench) -> None:
    underway = bench.running("a")
    ready, start = underway.ready("a"), underway.start("a", pid=4711)
    underway.commit(ready, start)
    task = underway.task("a")
    assert (task.state, task.attempt, task.pid) == (TaskState.RUNNING, 1, 4711)
    assert (task.ready_at, task.started_at) == (ready.at, start.at)
    assert task.heartbeat_at == start.at


def test_finish_sets_what_goes_with_it(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    output = store.put_artifact(Payload("application/json", b"7"))
    start = underway.start("a", at=datetime(2026, 1, 1, tzinfo=UTC))
    finish = underway.finish(
        "a",
        at=datetime(2026, 1, 1, 0, 0, 4, tzinfo=UTC),
        output=output,
        note="counted 7",
        outcome="no findings",
    )
    underway.commit(underway.ready("a"), start, finish)
    task = underway.task("a")
    assert (task.state, task.output, task.note) == (TaskState.SUCCEEDED, output, "counted 7")
    assert (task.finished_at, task.worked_s, task.pid) == (finish.at, 4.0, None)
    assert task.outcome == "no findings"


def test_revived_task_keeps_its_start(bench: Bench) -> None:
    underway = bench.running("a")
    start = underway.start("a", pid=5)
    underway.commit(underway.ready("a"), start)
    underway.commit(
        underway.change("task.stalled", "a", attempt=1, task_state=TaskState.STALLED)
    )
    revived = underway.change("task.revived", "a", attempt=1, task_state=TaskState.RUNNING)
    underway.commit(revived)
    task = underway.task("a")
    assert (task.started_at, task.heartbeat_at, task.pid) == (start.at, revived.at, 5)


def test_second_attempt_begins_anew(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    underway.commit(underway.ready("a"), underway.start("a", pid=5))
    underway.commit(
        underway.change(
            "task.retried",
            "a",
            attempt=1,
            task_state=TaskState.READY,
            attempt_state=AttemptState.FAILED,
            error="boom",
        )
    )
    assert underway.task("a").error == "boom"
    second = underway.start("a", attempt=2)
    underway.commit(second)
    task = underway.task("a")
    assert (task.attempt, task.started_at, task.error) == (2, second.at, "")
    assert [
        (each.number, each.state, each.error) for each in store.attempts(underway.mission.id)
    ] == [
        (1, AttemptState.FAILED, "boom"),
        (2, AttemptState.RUNNING, ""),
    ]


def test_worked_time_is_the_sum_of_attempts(bench: Bench) -> None:
    underway = bench.running("a")
    zero = datetime(2026, 1, 1, tzinfo=UTC)
    fail = {"task_state": TaskState.READY, "attempt_state": AttemptState.FAILED}
    underway.commit(
        underway.ready("a"),
        underway.start("a", at=zero),
        underway.change("task.retried", "a", attempt=1, at=zero + timedelta(seconds=3), **fail),
    )
    underway.commit(underway.start("a", attempt=2, at=zero + timedelta(seconds=60)))
    underway.commit(underway.finish("a", attempt=2, at=zero + timedelta(seconds=62)))
    assert underway.task("a").worked_s == 5.0


def test_retry_of_failed_task_forgets_its_end(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    underway.commit(underway.ready("a"), underway.start("a"))
    failed = {"task_state": TaskState.FAILED, "attempt_state": AttemptState.FAILED}
    underway.commit(
        underway.finish("a", error="boom", note="sad", findings=(FINDING,), **failed)
    )
    assert underway.task("a").findings == 1
    underway.commit(underway.change("task.retried", "a", task_state=TaskState.READY))
    task = underway.task("a")
    assert (task.error, task.note, task.finished_at, task.findings) == ("", "", None, 0)
    assert store.findings(underway.mission.id) == []


def test_skipped_task_ends_without_an_attempt(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    skip = underway.change(
        "task.finished", "a", task_state=TaskState.SKIPPED, note="not needed"
    )
    underway.commit(skip)
    task = underway.task("a")
    assert (task.state, task.finished_at, task.worked_s) == (TaskState.SKIPPED, skip.at, 0.0)
    assert store.attempts(underway.mission.id) == []


def test_attempt_is_recorded_with_runner_and_process(bench: Bench, store: Store) -> None:
    underway = bench.running("a", holder="r-9")
    underway.commit(underway.ready("a"), underway.start("a", pid=12))
    (attempt,) = store.attempts(underway.mission.id)
    assert (attempt.runner_id, attempt.pid, attempt.state) == ("r-9", 12, AttemptState.RUNNING)


def test_abandoned_attempt_makes_task_ready_again(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    underway.commit(underway.ready("a"), underway.start("a", pid=5))
    underway.commit(
        underway.change(
            "attempt.abandoned",
            "a",
            attempt=1,
            task_state=TaskState.READY,
            attempt_state=AttemptState.ABANDONED,
        )
    )
    task = underway.task("a")
    assert (task.state, task.pid, task.heartbeat_at) == (TaskState.READY, None, None)
    assert store.attempts(underway.mission.id)[0].state is AttemptState.ABANDONED


@pytest.mark.parametrize(
    ("number", "said"),
    [
        pytest.param(1, "already started", id="again"),
        pytest.param(0, "already", id="backwards"),
    ],
)
def test_attempt_cannot_start_twice(bench: Bench, number: int, said: str) -> None:
    underway = bench.running("a")
    underway.commit(underway.ready("a"), underway.start("a"))
    underway.commit(
        underway.change(
            "task.retried",
            "a",
            attempt=1,
            task_state=TaskState.READY,
            attempt_state=AttemptState.FAILED,
        )
    )
    with pytest.raises(TransitionError, match=said):
        underway.commit(underway.start("a", attempt=number))


def test_attempt_that_is_over_cannot_end_again(bench: Bench) -> None:
    underway = bench.running("a")
    underway.run("a")
    ended = underway.change("task.finished", "a", attempt=1, attempt_state=AttemptState.FAILED)
    with pytest.raises(TransitionError, match="not running"):
        underway.commit(ended)


def test_whole_life_of_a_task_fits_one_batch(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    underway.run("a", note="done", error="", mission_state=MissionState.SUCCEEDED)
    (attempt,) = store.attempts(underway.mission.id)
    assert attempt.state is AttemptState.SUCCEEDED
    assert attempt.finished_at == underway.task("a").finished_at
    assert store.mission("m-1").state is MissionState.SUCCEEDED


def test_attempt_number_is_counted_where_none_is_given(bench: Bench) -> None:
    underway = bench.running("a")
    both = {"task_state": TaskState.RUNNING, "attempt_state": AttemptState.RUNNING}
    underway.commit(underway.ready("a"), underway.change("task.started", "a", **both))
    assert underway.task("a").attempt == 1


def test_findings_are_rows_most_severe_first(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    worse = FINDING.model_copy(update={"severity": Severity.CRITICAL, "line": 9})
    later = FINDING.model_copy(update={"line": 30})
    earlier = FINDING.model_copy(update={"file": "a.ipynb", "cell": 2})
    underway.run("a", findings=(later, FINDING, worse, earlier))
    assert store.findings(underway.mission.id) == [worse, earlier, FINDING, later]
    assert underway.task("a").findings == 4


def test_task_of_another_mission_is_refused(bench: Bench) -> None:
    one, other = bench.running("a"), bench.running("b")
    stray = Change("task.readied", one.clock(), other.ids["b"], task_state=TaskState.READY)
    with pytest.raises(UnknownTaskError):
        one.commit(stray)
    with pytest.raises(UnknownTaskError):
        one.commit(Change("task.readied", one.clock(), TaskId("nobody")))


def test_output_that_was_never_stored_is_refused(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    underway.commit(underway.ready("a"), underway.start("a"))
    last = store.last_seq()
    with pytest.raises(StoreError, match="output"):
        underway.commit(underway.finish("a", output=Digest("0" * 64)))
    assert store.last_seq() == last


def test_batch_of_two_thousand_changes_is_written(bench: Bench, store: Store) -> None:
    names = [f"t{number}" for number in range(2000)]
    underway = bench.running(*names)
    first = store.last_seq()
    assert underway.commit(*map(underway.ready, names)) == first + 2000
    states = {task.state for task in store.tasks(underway.mission.id)}
    assert states == {TaskState.READY}


def test_times_are_utc_wherever_they_come_from(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    tokyo = datetime(2026, 11, 20, 21, tzinfo=timezone(timedelta(hours=9)))
    underway.commit(underway.change("task.readied", "a", at=tokyo, task_state=TaskState.READY))
    assert store.events()[-1].at == tokyo
    assert str(store.events()[-1].at) == "2026-11-20 12:00:00+00:00"


def test_time_without_zone_writes_nothing(bench: Bench, store: Store) -> None:
    underway, last = bench.running("a"), store.last_seq()
    naive = datetime(2026, 11, 20, 21)  # noqa: DTZ001 - what is refused
    with pytest.raises(ValueError, match="without a zone"):
        underway.commit(underway.change("task.readied", "a", at=naive))
    assert store.last_seq() == last


@pytest.mark.parametrize(
    ("payload", "stored"),
    [
        pytest.param({"path": "odd\udcff"}, {"path": "odd\\udcff"}, id="surrogate"),
        pytest.param({"n": 2**70}, {"n": str(2**70)}, id="huge number"),
        pytest.param({"x": float("nan")}, {"x": None}, id="not a number"),
        pytest.param({1: {"when": {3}}}, {"1": {"when": "{3}"}}, id="a set"),
        pytest.param({"\udcff": [("a", True)]}, {"\\udcff": [["a", True]]}, id="odd key"),
    ],
)
def test_odd_facts_do_not_break_writing(
    bench: Bench, store: Store, payload: dict[Any, Any], stored: dict[str, Any]
) -> None:
    underway = bench.running("a")
    underway.commit(underway.change("task.progressed", "a", payload=payload))
    assert store.events()[-1].payload == stored


def test_odd_text_does_not_break_writing(bench: Bench) -> None:
    underway = bench.running("a")
    odd = "tail\udce9 \x00 end"
    underway.run("a", note=odd, error=odd, text=odd, outcome=odd)
    task = underway.task("a")
    assert task.note == task.error == task.outcome == "tail\\udce9 ␀ end"


def test_heartbeats_are_noted_without_events(bench: Bench, store: Store, clock: Clock) -> None:
    underway = bench.running("a", "b")
    underway.commit(underway.ready("a"), underway.start("a"), underway.ready("b"))
    last, seen = store.last_seq(), clock()
    store.heartbeat({underway.ids["a"]: seen, underway.ids["b"]: seen})
    assert (underway.task("a").heartbeat_at, underway.task("b").heartbeat_at) == (seen, None)
    assert store.last_seq() == last
    store.heartbeat({})
