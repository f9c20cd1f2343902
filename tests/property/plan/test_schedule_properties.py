"""Any plan, any failures, any order of ending: the schedule keeps its word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypernb.model import AgentWork, OnFailure, PlanSpec, PythonWork, TaskSpec, TaskState
from hypernb.plan import Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

# A hundred examples on a busy machine.
pytestmark = pytest.mark.timeout(120)

WORK = PythonWork(function="f", arguments="a", label="f")
ASKS = AgentWork(model="small")
AGENTS = ("", "qa-engineer", "security-engineer")
UNDER_WAY = TaskState.RUNNING


@st.composite
def plans(draw: st.DrawFn, most: int = 12) -> PlanSpec:
    """Random DAGs: tasks in random plan order, needs only towards a hidden order."""
    count = draw(st.integers(1, most))
    names = [f"t{number}" for number in range(count)]
    tasks = []
    for number, name in enumerate(names):
        needs = draw(st.lists(st.sampled_from(names[:number]), unique=True)) if number else []
        tasks.append(
            TaskSpec(
                name=name,
                needs=tuple(needs),
                work=draw(st.sampled_from([WORK, ASKS])),
                agent=draw(st.sampled_from(AGENTS)),
                on_failure=draw(st.sampled_from(OnFailure)),
                estimate_s=draw(st.none() | st.integers(0, 9)),
            )
        )
    return PlanSpec(goal="Random", tasks=tuple(draw(st.permutations(tasks))))


class Reference:
    """The rules of `OnFailure`, written down as plainly as can be, without any cleverness."""

    def __init__(self, spec: PlanSpec) -> None:
        self.tasks = {task.name: task for task in spec.tasks}
        self.state = dict.fromkeys(self.tasks, TaskState.PENDING)
        self.starved: set[str] = set()
        self.stopped = False

    def may_start(self) -> set[str]:
        return {
            name
            for name, task in self.tasks.items()
            if self.state[name] is TaskState.PENDING
            and not self.stopped
            and all(self.lets_go(need) for need in task.needs)
        }

    def lets_go(self, name: str) -> bool:
        failed_softly = self.tasks[name].on_failure is OnFailure.CONTINUE
        state = self.state[name]
        return (
            state is TaskState.SUCCEEDED
            or (state is TaskState.FAILED and failed_softly)
            or name in self.starved
        )

    def end(self, name: str, *, well: bool) -> None:
        self.state[name] = TaskState.SUCCEEDED if well else TaskState.FAILED
        if well:
            return
        if self.tasks[name].on_failure is OnFailure.STOP:
            self.stopped = True
        if self.tasks[name].on_failure is OnFailure.SKIP:
            self.skip_after(name)
        while nothing := [each for each in self.tasks if self.has_nothing_to_ask_about(each)]:
            self.starved.update(nothing)
            self.state.update(dict.fromkeys(nothing, TaskState.SKIPPED))

    def has_nothing_to_ask_about(self, name: str) -> bool:
        task = self.tasks[name]
        return (
            self.state[name] is TaskState.PENDING
            and task.work == ASKS
            and bool(task.needs)
            and all(self.lets_go(need) for need in task.needs)
            and not any(self.state[need] is TaskState.SUCCEEDED for need in task.needs)
        )

    def skip_after(self, name: str) -> None:
        for other, task in self.tasks.items():
            if name in task.needs and self.state[other] is TaskState.PENDING:
                self.state[other] = TaskState.SKIPPED
                self.skip_after(other)

    def cancel_rest(self) -> None:
        for name, state in self.state.items():
            if state is TaskState.PENDING:
                self.state[name] = TaskState.CANCELLED


def heights(spec: PlanSpec) -> Mapping[str, float]:
    """Longest remaining paths by plain recursion."""
    tasks = {task.name: task for task in spec.tasks}

    def height(name: str) -> float:
        own = tasks[name].estimate_s
        after = [height(other) for other in tasks if name in tasks[other].needs]
        return (1.0 if own is None else own) + max(after, default=0.0)

    return {name: height(name) for name in tasks}


def plain(states: Mapping[str, TaskState]) -> dict[str, TaskState]:
    """Take ready for pending: the reference does not tell them apart."""
    return {
        name: TaskState.PENDING if state is TaskState.READY else state
        for name, state in states.items()
    }


def states(schedule: Schedule, spec: PlanSpec) -> dict[str, TaskState]:
    return {task.name: schedule.state(task.name) for task in spec.tasks}


def order(spec: PlanSpec, names: set[str]) -> list[str]:
    height = heights(spec)
    place = {task.name: number for number, task in enumerate(spec.tasks)}
    return sorted(names, key=lambda name: (-height[name], place[name]))


@given(spec=plans(), data=st.data())
def test_schedule_equals_plain_reference(spec: PlanSpec, data: st.DataObject) -> None:
    schedule, reference = Schedule(spec), Reference(spec)
    running: list[str] = []
    while running or reference.may_start():
        ready = schedule.ready()
        assert ready == order(spec, reference.may_start())
        choices = [*(("start", name) for name in ready), *(("end", name) for name in running)]
        step, name = data.draw(st.sampled_from(choices))
        if step == "start":
            schedule.start(name)
            reference.state[name] = UNDER_WAY
            running.append(name)
            continue
        running.remove(name)
        well = data.draw(st.booleans())
        consequence = schedule.succeed(name) if well else schedule.fail(name)
        before = dict(reference.state)
        could = reference.may_start()
        reference.end(name, well=well)
        assert set(consequence.readied) == reference.may_start() - could
        assert set(consequence.skipped) == {
            other
            for other, state in reference.state.items()
            if state is TaskState.SKIPPED and before[other] is not state
        }
        assert consequence.stop == reference.stopped
        assert plain(states(schedule, spec)) == reference.state
    schedule.cancel_rest()
    reference.cancel_rest()
    assert states(schedule, spec) == reference.state
    assert schedule.is_done


@given(spec=plans(), failing=st.sets(st.integers(0, 11)))
def test_no_task_starts_before_its_needs(spec: PlanSpec, failing: set[int]) -> None:
    needs = {task.name: task.needs for task in spec.tasks}
    schedule = Schedule(spec)
    started: list[str] = []
    while name := schedule.best():
        assert all(schedule.state(need).is_final for need in needs[name])
        assert schedule.blocked_by(name) == ()
        schedule.start(name)
        started.append(name)
        (schedule.fail if int(name[1:]) in failing else schedule.succeed)(name)
    schedule.cancel_rest()
    assert len(started) == len(set(started))
    assert sum(schedule.counts().values()) == len(spec.tasks)
    assert schedule.is_done


@given(spec=plans())
def test_best_is_first_of_ready(spec: PlanSpec) -> None:
    agents = {task.name: task.agent for task in spec.tasks}
    schedule = Schedule(spec)
    while ready := schedule.ready():
        for busy in AGENTS:
            free = [name for name in ready if agents[name] != busy]
            assert schedule.best(busy={busy}) == (free[0] if free else None)
        assert schedule.best() == ready[0]
        schedule.start(ready[-1])
        schedule.succeed(ready[-1])


@given(spec=plans(), data=st.data())
def test_best_passes_over_what_cannot_be_afforded(spec: PlanSpec, data: st.DataObject) -> None:
    costs = st.sampled_from([None, 0.0, 0.1, 0.2, 0.3])
    tasks = tuple(task.model_copy(update={"cap_cost": data.draw(costs)}) for task in spec.tasks)
    dear = {task.name: task.cap_cost or 0.0 for task in tasks}
    schedule = Schedule(spec.model_copy(update={"tasks": tasks}))
    while ready := schedule.ready():
        # A task that has paid for something may still cost less.
        paid = data.draw(st.sampled_from(ready))
        dear[paid] = data.draw(st.sampled_from([0.0, dear[paid]]))
        schedule.reserve(paid, dear[paid])
        for affordable in (0.0, 0.15, 0.3):
            covered = [name for name in ready if dear[name] <= affordable]
            assert schedule.best(affordable=affordable) == (covered[0] if covered else None)
        assert schedule.best() == ready[0]
        schedule.start(ready[-1])
        schedule.succeed(ready[-1])


def finished(schedule: Schedule, spec: PlanSpec, failing: set[str]) -> dict[str, TaskState]:
    """Carry a run to its end, always taking the best; what runs ends first, in plan order."""
    for task in spec.tasks:
        if schedule.state(task.name) is UNDER_WAY:
            (schedule.fail if task.name in failing else schedule.succeed)(task.name)
    while name := schedule.best():
        schedule.start(name)
        (schedule.fail if name in failing else schedule.succeed)(name)
    if schedule.is_stopped:
        schedule.cancel_rest()
    return states(schedule, spec)


@given(spec=plans(), data=st.data())
def test_restored_prefix_leads_to_same_end(spec: PlanSpec, data: st.DataObject) -> None:
    failing = data.draw(st.sets(st.sampled_from([task.name for task in spec.tasks])))
    schedule = Schedule(spec)
    for _ in range(data.draw(st.integers(0, len(spec.tasks)))):
        if name := schedule.best():
            schedule.start(name)
            (schedule.fail if name in failing else schedule.succeed)(name)
    if data.draw(st.booleans()) and (name := schedule.best()):
        schedule.start(name)
    prefix = states(schedule, spec)
    # A runner that died between a step and its consequences has not stored all of these.
    lost = {name for name, state in prefix.items() if state is TaskState.SKIPPED}
    lost = data.draw(st.sets(st.sampled_from(sorted(lost)))) if lost else set()
    stored = {name: state for name, state in prefix.items() if name not in lost}
    restored = Schedule(spec)
    late = restored.restore(stored)
    assert plain(states(restored, spec)) == plain(prefix)
    assert set(late.skipped) == lost
    assert restored.ready() == schedule.ready()
    assert finished(restored, spec, failing) == finished(schedule, spec, failing)


@given(spec=plans(), data=st.data())
def test_retry_without_failures_succeeds(spec: PlanSpec, data: st.DataObject) -> None:
    failing = data.draw(st.sets(st.sampled_from([task.name for task in spec.tasks])))
    schedule = Schedule(spec)
    first = finished(schedule, spec, failing)
    consequence = schedule.retry()
    unfinished = {name for name, state in first.items() if state is not TaskState.SUCCEEDED}
    assert {*consequence.readied, *consequence.pending} == unfinished
    assert set(finished(schedule, spec, set()).values()) == {TaskState.SUCCEEDED}


@given(spec=plans(), data=st.data())
def test_retry_of_one_never_hangs(spec: PlanSpec, data: st.DataObject) -> None:
    failing = data.draw(st.sets(st.sampled_from([task.name for task in spec.tasks])))
    schedule = Schedule(spec)
    ended = finished(schedule, spec, failing)
    failed = sorted(name for name, state in ended.items() if state is TaskState.FAILED)
    if not failed:
        return
    one = data.draw(st.sampled_from(failed))
    schedule.retry([one])
    finished(schedule, spec, set())
    assert schedule.state(one) is TaskState.SUCCEEDED
    assert schedule.is_done


@settings(max_examples=20)
@given(spec=plans())
def test_same_plan_always_same_order(spec: PlanSpec) -> None:
    def trace() -> list[str]:
        schedule = Schedule(spec)
        steps = []
        while name := schedule.best():
            schedule.start(name)
            steps += [name, *schedule.succeed(name).readied]
        return steps

    assert trace() == trace()
