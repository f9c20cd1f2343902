"""Missions as a runner would leave them, written by hand: nothing is executed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypernb.codec import encode
from hypernb.model import (
    AgentWork,
    AttemptState,
    Change,
    MissionState,
    PlanSpec,
    RunnerId,
    TaskSpec,
    TaskState,
)
from hypernb.session import Mission, Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypernb.abc import Payload
    from hypernb.model import Finding, LeaseRecord, MissionRecord, TaskId

START = datetime(2026, 11, 20, 14, 2, 10, tzinfo=UTC)


class Recorded:
    """A mission under way in a session's store, moved on by hand."""

    def __init__(self, session: Session, *names: str, **fields: Any) -> None:
        self.session = session
        tasks = tuple(TaskSpec(name=name, work=AgentWork()) for name in names or ("a",))
        spec = PlanSpec(**({"goal": "count the stars", "tasks": tasks} | fields))
        self.record: MissionRecord = session.store.create_mission(spec, by="ada@here")
        self.lease: LeaseRecord | None = None
        self.ids: dict[str, TaskId] = {
            task.name: task.id for task in session.store.tasks(self.record.id)
        }

    @property
    def mission(self) -> Mission:
        return Mission(self.session, self.record)

    def approve(self) -> Recorded:
        self.session.store.approve(
            self.record.id, revision=1, plan_hash=self.record.plan_hash, by="ada@here"
        )
        return self

    def start(self) -> Recorded:
        store = self.approve().session.store
        self.lease = store.take_lease(
            f"mission:{self.record.id}", RunnerId("r-1"), timedelta(seconds=30), {}
        )
        return self._tell("mission.started", mission_state=MissionState.RUNNING)

    def end(self, state: MissionState = MissionState.SUCCEEDED, error: str = "") -> Recorded:
        return self._tell("mission.finished", mission_state=state, error=error)

    def pause(self) -> Recorded:
        return self._tell("mission.paused", mission_state=MissionState.PAUSED)

    def begin(self, task: str) -> Recorded:
        self._tell("task.readied", task, task_state=TaskState.READY)
        return self._tell(
            "task.started",
            task,
            attempt=1,
            task_state=TaskState.RUNNING,
            attempt_state=AttemptState.RUNNING,
        )

    def ask(self, task: str) -> Recorded:
        return self._tell("task.asked", task, task_state=TaskState.AWAITING_APPROVAL)

    def finish(
        self,
        task: str,
        value: Any = None,
        *,
        payload: Payload | None = None,
        findings: Sequence[Finding] = (),
        outcome: str = "",
    ) -> Recorded:
        self.begin(task)
        digest = self.session.store.put_artifact(payload or encode(value))
        return self._tell(
            "task.finished",
            task,
            attempt=1,
            task_state=TaskState.SUCCEEDED,
            attempt_state=AttemptState.SUCCEEDED,
            output=digest,
            findings=tuple(findings),
            outcome=outcome,
        )

    def _tell(self, kind: str, task: str | None = None, **facts: Any) -> Recorded:
        assert self.lease is not None
        change = Change(kind, START, None if task is None else self.ids[task], **facts)
        self.session.store.commit(self.record.id, self.lease, [change])
        return self
