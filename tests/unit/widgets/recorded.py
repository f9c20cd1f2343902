"""Missions of a session as a runner would leave them, written by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypernb.codec import encode
from hypernb.model import MissionState, TaskState
from hypernb.session import Mission, Session
from tests.by_hand import Underway, plan_of, take_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypernb.abc import Payload
    from hypernb.model import Finding, LeaseRecord, MissionRecord, TaskId

START = datetime(2026, 11, 20, 14, 2, 10, tzinfo=UTC)


class Recorded:
    """A mission under way in a session's store, moved on by hand."""

    def __init__(self, session: Session, *names: str, **fields: Any) -> None:
        self.session = session
        self.record: MissionRecord = session.store.create_mission(
            plan_of(*names, **fields), by="ada@here"
        )
        self._underway: Underway | None = None
        self.ids: dict[str, TaskId] = {
            task.name: task.id for task in session.store.tasks(self.record.id)
        }

    @property
    def mission(self) -> Mission:
        return Mission(self.session, self.record)

    @property
    def underway(self) -> Underway:
        assert self._underway is not None, "it has not started"
        return self._underway

    @property
    def lease(self) -> LeaseRecord:
        return self.underway.lease

    def approve(self) -> Recorded:
        self.session.store.approve(
            self.record.id, revision=1, plan_hash=self.record.plan_hash, by="ada@here"
        )
        return self

    def start(self) -> Recorded:
        self.approve()
        self._underway = take_up(self.session.store, self.record, lambda: START)
        return self.tell("mission.started", mission_state=MissionState.RUNNING)

    def end(self, state: MissionState = MissionState.SUCCEEDED, error: str = "") -> Recorded:
        return self.tell("mission.finished", mission_state=state, error=error)

    def pause(self) -> Recorded:
        return self.tell("mission.paused", mission_state=MissionState.PAUSED)

    def begin(self, task: str) -> Recorded:
        self.underway.commit(self.underway.ready(task), self.underway.start(task))
        return self

    def ask(self, task: str) -> Recorded:
        return self.tell("task.asked", task, task_state=TaskState.AWAITING_APPROVAL)

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
        output = self.session.store.put_artifact(payload or encode(value))
        self.underway.commit(
            self.underway.finish(task, output=output, findings=tuple(findings), outcome=outcome)
        )
        return self

    def tell(self, kind: str, task: str | None = None, **facts: Any) -> Recorded:
        self.underway.commit(self.underway.change(kind, task, **facts))
        return self
