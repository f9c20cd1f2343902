"""Missions in a store as a runner would leave them, written by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from hypernb.model import (
    AgentWork,
    AttemptState,
    CallRecord,
    CallState,
    Change,
    Finding,
    PlanSpec,
    RunnerId,
    Severity,
    TaskSpec,
    TaskState,
    new_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.abc import Store
    from hypernb.model import LeaseRecord, MissionRecord, TaskId, TaskRecord

HALF_A_MINUTE: Final = timedelta(seconds=30)
FINDING: Final = Finding(
    file="src/app.py",
    line=3,
    category="security",
    rule="B105",
    severity=Severity.LOW,
    message="Possible hardcoded password: 'hunter2'",
    tool="bandit",
    agent="security-engineer",
)


class Ticking:
    """A wall clock that goes on by a millisecond whenever it is looked at."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time


def plan_of(*names: str, **fields: Any) -> PlanSpec:
    """Plan tasks of these names, of one named ``a`` without any."""
    tasks = tuple(TaskSpec(name=name, work=AgentWork()) for name in names or ("a",))
    return PlanSpec(**({"goal": "count the stars", "tasks": tasks} | fields))


@dataclass
class Underway:
    """A mission that a runner holds, moved on by hand: nothing is executed."""

    store: Store
    clock: Callable[[], datetime]
    mission: MissionRecord
    lease: LeaseRecord
    ids: dict[str, TaskId] = field(default_factory=dict)

    def task(self, name: str) -> TaskRecord:
        return next(each for each in self.store.tasks(self.mission.id) if each.name == name)

    def change(self, kind: str, task: str | None = None, **facts: Any) -> Change:
        at = facts.pop("at", None) or self.clock()
        return Change(kind, at, None if task is None else self.ids[task], **facts)

    def commit(self, *changes: Change) -> int:
        return self.store.commit(self.mission.id, self.lease, changes)

    def ready(self, task: str) -> Change:
        return self.change("task.readied", task, task_state=TaskState.READY)

    def start(self, task: str, attempt: int = 1, **facts: Any) -> Change:
        return self.change(
            "task.started",
            task,
            attempt=attempt,
            task_state=TaskState.RUNNING,
            attempt_state=AttemptState.RUNNING,
            **facts,
        )

    def finish(self, task: str, attempt: int = 1, **facts: Any) -> Change:
        states = {"task_state": TaskState.SUCCEEDED, "attempt_state": AttemptState.SUCCEEDED}
        return self.change("task.finished", task, attempt=attempt, **(states | facts))

    def call(self, task: str, **facts: Any) -> CallRecord:
        """Return a call of a model that a task is about to make."""
        known: dict[str, Any] = {"agent": "qa-engineer", "model": "small-1"}
        return CallRecord(
            id=new_id(),
            mission_id=self.mission.id,
            state=CallState.RESERVED,
            at=self.clock(),
            task_id=self.ids[task],
            task=task,
            attempt=1,
            **(known | facts),
        )

    def run(self, task: str, **facts: Any) -> int:
        return self.commit(self.ready(task), self.start(task), self.finish(task, **facts))


def take_up(
    store: Store,
    mission: MissionRecord,
    clock: Callable[[], datetime],
    *,
    holder: str = "r-1",
    ttl: timedelta = HALF_A_MINUTE,
) -> Underway:
    """Take a mission up as a runner does, and change nothing yet."""
    lease = store.take_lease(f"mission:{mission.id}", RunnerId(holder), ttl, {})
    assert lease is not None
    ids = {task.name: task.id for task in store.tasks(mission.id)}
    return Underway(store, clock, mission, lease, ids)
