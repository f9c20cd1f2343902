"""The pure decisions of the engine: waits, dispatch, watchdog, recovery."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernb.engine._backoff import LONGEST_S, backoff_s
from hypernb.engine._dispatch import Candidate, busy_agents, choose
from hypernb.engine._recovery import asked_again, recover
from hypernb.engine._watchdog import Verdict, Vital, judge
from hypernb.model import (
    AttemptRecord,
    AttemptState,
    Event,
    MissionId,
    MissionRecord,
    MissionState,
    PlanSpec,
    PythonWork,
    TaskId,
    TaskRecord,
    TaskSpec,
    TaskState,
)
from hypernb.testing import FakeClock

if TYPE_CHECKING:
    from hypernb.engine._recovery import Recovery

AT = datetime(2026, 1, 1, tzinfo=UTC)
MISSION = MissionRecord(MissionId("M"), 1, "goal", MissionState.RUNNING, AT)


# -- waits -------------------------------------------------------------------------------


@given(failures=st.integers(1, 10_000), base=st.floats(0, 1e6), seed=st.integers())
def test_wait_stays_within_its_ceiling(failures: int, base: float, seed: int) -> None:
    wait = backoff_s(failures, base, Random(seed))  # noqa: S311 - draws a wait
    assert 0 <= wait <= min(LONGEST_S, base * 2.0 ** min(failures - 1, 60))


def test_same_seed_gives_same_wait() -> None:
    first, second = (backoff_s(4, 0.5, Random(1)) for _ in range(2))  # noqa: S311 - as above
    assert first == second


# -- dispatch ----------------------------------------------------------------------------


def candidate(name: str, **facts: object) -> Candidate:
    plain = Candidate(MissionId(name), 1, 50, name, 1.0, running=0, limit=8)
    return replace(plain, **facts)  # type: ignore[arg-type]  # a builder for tests


@pytest.mark.parametrize(
    ("best", "other"),
    [
        pytest.param({"priority": 60}, {"remaining_s": 99.0}, id="priority-before-length"),
        pytest.param({"remaining_s": 2.0}, {}, id="longest-path"),
        pytest.param({}, {"running": 1, "remaining_s": 9.0}, id="fewest-running-of-equals"),
        pytest.param({}, {"turns": 1, "remaining_s": 9.0}, id="fewest-turns-of-equals"),
        pytest.param({"number": 1}, {"number": 2}, id="older-mission"),
        pytest.param({}, {"priority": 99, "running": 8}, id="limit-of-the-plan"),
    ],
)
def test_best_candidate_is_chosen(best: dict[str, object], other: dict[str, object]) -> None:
    candidates = [candidate("other", **other), candidate("best", **best)]
    chosen = choose(candidates, free=1)
    assert chosen is not None
    assert chosen.task == "best"


def test_nothing_starts_without_a_free_hand() -> None:
    assert choose([candidate("a")], free=0) is None
    assert choose([], free=1) is None


def test_what_has_to_run_alone_waits_and_lets_nothing_pass() -> None:
    both = [candidate("suspect", alone=True, priority=60), candidate("other")]
    assert choose(both, free=1, is_idle=False) is None
    chosen = choose(both, free=2, is_idle=True)
    assert chosen is not None
    assert chosen.task == "suspect"


def test_plain_functions_are_never_busy() -> None:
    assert busy_agents({"": 99, "qa-engineer": 1}, 1) == {"qa-engineer"}
    assert busy_agents({"qa-engineer": 99}, None) == frozenset()


# -- watchdog ----------------------------------------------------------------------------


def test_silence_is_called_stalled_once() -> None:
    clock = FakeClock()
    vital = Vital(started=0, last_sign=0, timeout_s=1_000)
    clock.advance(299)
    assert judge(vital, now=clock.monotonic(), stalled_s=300) is Verdict.FINE
    clock.advance(1)
    assert judge(vital, now=clock.monotonic(), stalled_s=300) is Verdict.STALLED
    stalled = replace(vital, is_stalled=True)
    assert judge(stalled, now=clock.monotonic(), stalled_s=300) is Verdict.FINE


def test_sign_of_life_revives() -> None:
    vital = Vital(started=0, last_sign=400, timeout_s=1_000, is_stalled=True)
    assert judge(vital, now=401, stalled_s=300) is Verdict.REVIVED


def test_paused_task_is_neither_stalled_nor_late() -> None:
    vital = Vital(started=0, last_sign=10, timeout_s=60, paused_since=50)
    assert judge(vital, now=10_000, stalled_s=300) is Verdict.FINE


def test_time_paused_is_not_worked() -> None:
    vital = Vital(started=0, last_sign=1_000, timeout_s=60, paused_s=950)
    assert judge(vital, now=1_009, stalled_s=300) is Verdict.FINE
    assert judge(vital, now=1_010, stalled_s=300) is Verdict.TIMED_OUT


# -- recovery ----------------------------------------------------------------------------


def found(
    state: TaskState,
    *,
    repeatable: bool = True,
    lost: int = 0,
    failed: int = 0,
    asked: int = 0,
    dropped: int = 0,
) -> Recovery:
    """Recover a mission of one task with some past attempts and a running one.

    Args:
        dropped: The attempt that the runner which recovers has ended itself.
    """
    work = PythonWork(function="f", arguments="a", label="f")
    spec = PlanSpec(goal="g", tasks=(TaskSpec(name="t", work=work, repeatable=repeatable),))
    past = [AttemptState.ABANDONED] * lost + [AttemptState.FAILED] * failed
    states = [*past, AttemptState.RUNNING] if state.is_active else past
    task = TaskRecord(TaskId("T"), MISSION.id, 1, "t", state, attempt=len(states))
    attempts = [
        AttemptRecord(task.id, number, each, AT) for number, each in enumerate(states, 1)
    ]
    return recover(
        MISSION,
        spec,
        [task],
        attempts,
        asked_again={task.id: asked} if asked else {},
        dropped={(task.id, dropped)},
        at=AT,
        abandoned_at_most=3,
    )


@pytest.mark.parametrize("state", [each for each in TaskState if not each.is_active])
def test_task_that_did_not_run_is_left_alone(state: TaskState) -> None:
    recovery = found(state)
    assert (recovery.states, recovery.changes) == ({"t": state}, ())


@pytest.mark.parametrize("state", [TaskState.RUNNING, TaskState.STALLED, TaskState.VERIFYING])
def test_running_attempt_is_abandoned_and_repeated(state: TaskState) -> None:
    recovery = found(state)
    assert recovery.states == {"t": TaskState.READY}
    assert [change.kind for change in recovery.changes] == ["attempt.abandoned"]
    assert recovery.changes[0].attempt_state is AttemptState.ABANDONED


def test_unrepeatable_task_asks_a_person() -> None:
    recovery = found(TaskState.RUNNING, repeatable=False)
    assert recovery.states == {"t": TaskState.AWAITING_APPROVAL}
    assert "%hyper retry m-1/t1" in (recovery.changes[0].note or "")


def test_task_that_ends_its_runners_is_given_up() -> None:
    assert found(TaskState.RUNNING, lost=1).states == {"t": TaskState.READY}
    recovery = found(TaskState.RUNNING, lost=2)
    assert recovery.states == {"t": TaskState.FAILED}
    assert "3 times" in (recovery.changes[-1].error or "")


def test_attempt_that_its_runner_ended_is_no_evidence_against_the_task() -> None:
    recovery = found(TaskState.RUNNING, lost=2, dropped=3)
    assert (recovery.states, recovery.lost) == ({"t": TaskState.READY}, {"t": 2})
    [change] = recovery.changes
    assert (change.kind, change.attempt_state) == ("task.retried", AttemptState.CANCELLED)


def test_attempt_that_its_runner_ended_earlier_excuses_no_later_one() -> None:
    recovery = found(TaskState.RUNNING, lost=2, dropped=2)
    assert recovery.states == {"t": TaskState.FAILED}


def test_unrepeatable_task_that_its_runner_ended_asks_a_person() -> None:
    recovery = found(TaskState.RUNNING, repeatable=False, dropped=1)
    assert recovery.states == {"t": TaskState.AWAITING_APPROVAL}
    assert "%hyper retry m-1/t1" in (recovery.changes[0].note or "")


def test_earlier_tries_do_not_count_after_a_retry() -> None:
    recovery = found(TaskState.RUNNING, lost=2, failed=2, asked=4)
    assert recovery.states == {"t": TaskState.READY}
    assert recovery.failures == {}


def test_failed_tries_are_counted() -> None:
    assert found(TaskState.READY, failed=2).failures == {"t": 2}


def test_who_asked_again_is_read_from_events() -> None:
    task = TaskId("T")
    by_itself = Event(1, AT, "task.retried", MISSION.id, task, "t", 1, {"error": "x"})
    by_ana = Event(2, AT, "task.retried", MISSION.id, task, "t", None, {"after_attempt": 3})
    assert asked_again([by_itself, by_ana]) == {task: 3}


def test_what_holds_its_resources_goes_first_in_the_place_kept_for_it() -> None:
    granted = replace(candidate("a", priority=1), running=1, limit=1, is_granted=True)
    chosen = choose([candidate("b", priority=99), granted], free=0)
    assert chosen is granted
