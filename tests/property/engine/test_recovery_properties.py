"""Any plan, any failures, runners killed at any moment: the mission ends as if nothing was."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypernb.abc import Payload
from hypernb.engine._attempt import Attempt
from hypernb.engine._course import Course
from hypernb.engine._job import Ending, EndKind
from hypernb.engine._opening import Opening
from hypernb.engine._product import Product
from hypernb.engine._recovery import asked_again, recover
from hypernb.model import (
    AttemptRecord,
    AttemptState,
    Digest,
    Event,
    EventKind,
    MissionId,
    MissionRecord,
    MissionState,
    OnFailure,
    PlanSpec,
    PythonWork,
    TaskId,
    TaskRecord,
    TaskSpec,
    TaskState,
    can_become,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypernb.model import Change

pytestmark = pytest.mark.timeout(180)

WORK = PythonWork(function="f", arguments="a", label="f")
OUTPUT = Product(Payload("application/json", b"1"), Digest("d"))
START = datetime(2026, 11, 20, tzinfo=UTC)
FAILED = Ending(EndKind.FAILED, error_kind="ValueError", detail="no rows")
PATIENT = 1_000


@st.composite
def plans(draw: st.DrawFn, *, repeatable: bool) -> PlanSpec:
    """Random plans, with every kind of task that recovery tells apart."""
    names = [f"t{number}" for number in range(draw(st.integers(1, 8)))]
    tasks = [
        TaskSpec(
            name=name,
            work=WORK,
            needs=tuple(draw(st.sets(st.sampled_from(names[:number])))) if number else (),
            on_failure=draw(st.sampled_from(OnFailure)),
            attempts=draw(st.integers(1, 3)),
            repeatable=repeatable or draw(st.booleans()),
        )
        for number, name in enumerate(names)
    ]
    return PlanSpec(goal="g", tasks=tuple(tasks), concurrency=draw(st.integers(1, 3)))


@dataclass
class World:
    """A store in memory, tasks that fail so often before they succeed, and a clock.

    Attributes:
        failing: How often each task fails before it succeeds.
        runs: How often each task's code ran.
        order: Names of tasks in the order in which their ends were committed.
        survives: A runner loses the store and lives: the next one is the same.
        begun: Attempts that it began; it knows that none of them runs any more.
    """

    spec: PlanSpec
    failing: dict[str, int]
    rng: Random
    now: datetime = START
    mission: MissionRecord = field(init=False)
    tasks: dict[str, TaskRecord] = field(init=False)
    attempts: dict[tuple[str, int], AttemptRecord] = field(default_factory=dict)
    retried: list[Event] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)
    order: list[str] = field(default_factory=list)
    survives: bool = False
    begun: set[tuple[TaskId, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.mission = MissionRecord(MissionId("M"), 1, "g", MissionState.RUNNING, START)
        self.tasks = {
            task.name: TaskRecord(
                TaskId(task.name), self.mission.id, number, task.name, TaskState.PENDING
            )
            for number, task in enumerate(self.spec.tasks, 1)
        }

    # -- the store ----------------------------------------------------------------------

    def commit(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.mission_state is not None:
                self.mission = replace(self.mission, state=change.mission_state)
            if change.task_id is not None:
                self._commit_for(str(change.task_id), change)

    def _commit_for(self, name: str, change: Change) -> None:
        task = self.tasks[name]
        if change.task_state is not None:
            assert can_become(task.state, change.task_state), (name, task.state, change)
            assert task.state is not TaskState.SUCCEEDED, "a finished task became another"
            task = replace(task, state=change.task_state)
            if change.task_state.is_final:
                self.order.append(name)
        if change.attempt_state is AttemptState.RUNNING:
            number = cast("int", change.attempt)
            assert (name, number) not in self.attempts
            task = replace(task, attempt=number)
            self.attempts[name, number] = AttemptRecord(
                TaskId(name), number, AttemptState.RUNNING, change.at
            )
        elif change.attempt_state is not None:
            key = (name, cast("int", change.attempt))
            assert self.attempts[key].state is AttemptState.RUNNING
            self.attempts[key] = replace(self.attempts[key], state=change.attempt_state)
        if change.kind == EventKind.TASK_RETRIED:
            event = Event(1, change.at, change.kind, task_id=TaskId(name), task=name)
            self.retried.append(replace(event, payload=change.payload))
        self.tasks[name] = replace(
            task, output=change.output or task.output, error=change.error or task.error
        )

    # -- a runner -----------------------------------------------------------------------

    def live(self, steps: int | None) -> None:
        """Be a runner, for so many steps; then it is killed, or can write no more."""
        course = Course(self._opening())
        self._tick()
        unwritten: list[Change] = [*course.go_on(self.now)]
        running: dict[str, Attempt] = {}
        left = steps
        while left is None or left > 0:
            left = None if left is None else left - 1
            self._tick()
            best = course.best()
            may_start = best is not None and len(running) < self.spec.concurrency
            if may_start and (not running or self.rng.random() < 0.5):
                assert best is not None
                self._start(course, best, running, unwritten)
            elif running:
                self._end(course, self.rng.choice(sorted(running)), running, unwritten)
            elif course.is_done or course.is_stopped:
                unwritten += course.cancel_rest(self.now, because="stopped")
                unwritten.append(course.finish(self.now, *course.verdict()))
                self.commit(unwritten)
                return
            else:
                self.commit(unwritten)  # it waits for a person
                return
            if self.rng.random() < 0.5:
                self.commit(unwritten)
                unwritten.clear()

    def _opening(self) -> Opening:
        tasks = tuple(self.tasks[task.name] for task in self.spec.tasks)
        recovery = recover(
            self.mission,
            self.spec,
            tasks,
            list(self.attempts.values()),
            asked_again=asked_again(self.retried),
            dropped=self.begun if self.survives else (),
            at=self.now,
            abandoned_at_most=1 if self.survives else PATIENT,
        )
        return Opening(self.mission, self.spec, tasks, recovery, START)

    def _start(
        self, course: Course, name: str, running: dict[str, Attempt], unwritten: list[Change]
    ) -> None:
        from hypernb.engine import _changes as changes

        spec = course.specs[name]
        task, number = course.start(name)
        attempt = running[name] = Attempt(spec, task, number, cast("Any", None))
        unwritten.append(changes.started(self.now, task, number, pid=1, agent=""))
        if course.waits_for_its_start(spec):
            self.commit(unwritten)
            unwritten.clear()
            for other in self.tasks:
                course.written(other, None)
        for need in spec.needs:
            assert self._has_ended(need), f"{name} began before {need} was committed"
        self.runs[name] += 1
        self.begun.add((task, number))
        del attempt

    def _has_ended(self, name: str) -> bool:
        return self.tasks[name].state in (TaskState.SUCCEEDED, TaskState.FAILED)

    def _end(
        self, course: Course, name: str, running: dict[str, Attempt], unwritten: list[Change]
    ) -> None:
        attempt = running.pop(name)
        failures = sum(
            each.state is AttemptState.FAILED and each.task_id == name
            for each in [*self.attempts.values()]
        ) + sum(
            change.task_id == name and change.attempt_state is AttemptState.FAILED
            for change in unwritten
        )
        if failures >= self.failing[name]:
            unwritten += course.succeed(self.now, attempt, OUTPUT)
            return
        setback = course.fail(self.now, attempt, FAILED, self.rng)
        unwritten += setback.changes
        if setback.retry_after_s is not None:
            course.release(name)

    def _tick(self) -> None:
        self.now += timedelta(seconds=1)

    # -- what came of it ----------------------------------------------------------------

    @property
    def waits_for_a_person(self) -> bool:
        return any(task.state is TaskState.AWAITING_APPROVAL for task in self.tasks.values())

    def states(self) -> dict[str, TaskState]:
        return {name: task.state for name, task in self.tasks.items()}


def lived(
    spec: PlanSpec,
    failing: dict[str, int],
    kills: list[int],
    seed: int,
    *,
    survives: bool = False,
) -> World:
    """Return the world after runners that were killed, and one that was not."""
    world = World(spec, failing, Random(seed), survives=survives)  # noqa: S311
    for steps in [*kills, None]:
        if not world.mission.state.is_final:
            world.live(steps)
    return world


Life = tuple[PlanSpec, dict[str, int], list[int], int]


@st.composite
def lives(draw: st.DrawFn, *, repeatable: bool) -> Life:
    """A plan, how often its tasks fail, how long each runner lives, and a seed."""
    spec = draw(plans(repeatable=repeatable))
    failing = {task.name: draw(st.integers(0, 3)) for task in spec.tasks}
    return (
        spec,
        failing,
        draw(st.lists(st.integers(0, 8), max_size=6)),
        draw(st.integers(0, 999)),
    )


@settings(max_examples=200, deadline=None)
@given(lives(repeatable=True))
def test_killed_at_any_moment_a_mission_ends_as_if_nothing_was(
    life: Life,
) -> None:
    spec, failing, kills, seed = life
    world = lived(spec, failing, kills, seed)
    calm = lived(spec, failing, [], seed)
    assert world.mission.state.is_final
    assert len(world.order) == len(set(world.order)) == len(spec.tasks)
    if all(task.on_failure is not OnFailure.STOP for task in spec.tasks):
        # After a stop it depends on the order what had begun by then.
        assert world.states() == calm.states()
        assert world.mission.state == calm.mission.state
    for name, state in world.states().items():
        ends = [each.state for key, each in world.attempts.items() if key[0] == name]
        assert ends.count(AttemptState.SUCCEEDED) == (state is TaskState.SUCCEEDED)
        assert AttemptState.RUNNING not in ends


@settings(max_examples=200, deadline=None)
@given(lives(repeatable=False))
def test_what_is_not_safe_to_repeat_runs_once_and_is_put_to_a_person(
    life: Life,
) -> None:
    spec, *_ = life
    world = lived(*life)
    lost = {
        key[0] for key, each in world.attempts.items() if each.state is AttemptState.ABANDONED
    }
    for task in spec.tasks:
        if not task.repeatable:
            tried = sum(key[0] == task.name for key in world.attempts)
            assert world.runs[task.name] <= tried
            if task.name in lost:
                assert world.tasks[task.name].state in (
                    TaskState.AWAITING_APPROVAL,
                    TaskState.CANCELLED,
                    TaskState.SKIPPED,
                )
    assert world.mission.state.is_final or world.waits_for_a_person


@settings(max_examples=200, deadline=None)
@given(lives(repeatable=True))
def test_runner_that_loses_its_store_at_any_moment_counts_nothing_as_lost(
    life: Life,
) -> None:
    spec, failing, outages, seed = life
    world = lived(spec, failing, outages, seed, survives=True)
    calm = lived(spec, failing, [], seed)
    assert world.mission.state.is_final
    if all(task.on_failure is not OnFailure.STOP for task in spec.tasks):
        assert world.states() == calm.states()
    ends = {each.state for each in world.attempts.values()}
    assert ends.isdisjoint({AttemptState.ABANDONED, AttemptState.RUNNING})
