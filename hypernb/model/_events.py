"""Events: immutable facts, numbered by ``seq``, named ``noun.past_tense``."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hypernb.model._ids import MissionId, TaskId


class EventKind(StrEnum):
    """What an event tells of. Kinds of later versions are kept as plain strings."""

    MISSION_CREATED = "mission.created"
    PLAN_PROPOSED = "plan.proposed"
    PLAN_EDITED = "plan.edited"
    PLAN_COMMENTED = "plan.commented"
    PLAN_APPROVED = "plan.approved"
    PLAN_REJECTED = "plan.rejected"
    MISSION_STARTED = "mission.started"
    MISSION_PAUSED = "mission.paused"
    MISSION_RESUMED = "mission.resumed"
    MISSION_FINISHED = "mission.finished"
    TASK_SHARED = "task.shared"
    TASK_READIED = "task.readied"
    TASK_DEFERRED = "task.deferred"
    TASK_STARTED = "task.started"
    TASK_PROGRESSED = "task.progressed"
    TASK_HEARTBEAT = "task.heartbeat"
    TASK_OUTPUT = "task.output"
    TOOL_CALLED = "tool.called"
    TOOL_RETURNED = "tool.returned"
    LLM_REQUESTED = "llm.requested"
    LLM_STREAMED = "llm.streamed"
    LLM_WAITED = "llm.waited"
    LLM_RESPONDED = "llm.responded"
    MESSAGE_SENT = "message.sent"
    MESSAGE_RECEIVED = "message.received"
    TASK_FINISHED = "task.finished"
    TASK_RETRIED = "task.retried"
    TASK_STALLED = "task.stalled"
    TASK_REVIVED = "task.revived"
    BUDGET_RESERVED = "budget.reserved"
    BUDGET_SETTLED = "budget.settled"
    BUDGET_WARNED = "budget.warned"
    BUDGET_RAISED = "budget.raised"
    BUDGET_EXHAUSTED = "budget.exhausted"
    ATTEMPT_ABANDONED = "attempt.abandoned"
    MISSIONS_FORGOTTEN = "missions.forgotten"
    RUNNER_STARTED = "runner.started"
    RUNNER_STOPPED = "runner.stopped"
    KEY_MISSING = "key.missing"
    LEASE_TAKEN = "lease.taken"
    LEASE_LOST = "lease.lost"
    COMMAND_REFUSED = "command.refused"


@dataclass(frozen=True, slots=True)
class Event:
    """One fact of the log, as it is read back from the store.

    Attributes:
        seq: Its number; gap-free and ascending over the whole store.
        at: When it became true, UTC.
        kind: One of `EventKind`, or a string that this version does not know.
        mission_id: None for facts about the store, such as a runner's start.
        task: Name of the task it is about, if any.
        attempt: Number of the attempt it is about, from 1.
        payload: Facts by name; JSON values only.
    """

    seq: int
    at: datetime
    kind: str
    mission_id: MissionId | None = None
    task_id: TaskId | None = None
    task: str | None = None
    attempt: int | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
