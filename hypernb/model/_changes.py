"""Changes: an event together with the new states it tells of, written as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hypernb.model._calls import CallRecord
    from hypernb.model._findings import Finding
    from hypernb.model._ids import Digest, TaskId
    from hypernb.model._resources import Refusal
    from hypernb.model._states import AttemptState, MissionState, TaskState
    from hypernb.model._usage import Usage


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that became true in a mission.

    The store writes the event and every state that is not None in the same transaction.
    ``attempt_state`` RUNNING inserts the attempt, others end it; a task state sets what goes
    with it (``started_at``, ``finished_at``, ``worked_s`` ...) from ``at``.

    Attributes:
        kind: Event kind.
        at: When, UTC.
        note: New note of the task; None leaves it.
        error: New error of the task or mission and attempt; None leaves it.
        output: Digest of the task's output; None leaves it.
        text: Text of the output, for full-text search.
        outcome: Outcome in words; None leaves it.
        findings: What the task reports.
        refusal: The attempt ends because a resource was asked too much. Ending an attempt
            gives back its permits, whatever it ends with.
        usage: What the attempt has paid; counts as the mission's.
        call: A call of a model, as it is now; inserted or, by its id, updated.
        rested_s: How long the attempt that ends has stood still: that is no work.
    """

    kind: str
    at: datetime
    task_id: TaskId | None = None
    attempt: int | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    mission_state: MissionState | None = None
    task_state: TaskState | None = None
    attempt_state: AttemptState | None = None
    pid: int | None = None
    note: str | None = None
    error: str | None = None
    output: Digest | None = None
    text: str = ""
    outcome: str | None = None
    findings: tuple[Finding, ...] = ()
    refusal: Refusal | None = None
    usage: Usage | None = None
    call: CallRecord | None = None
    rested_s: float = 0.0
