"""Rows into records: what leaves the store are values, never rows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import Text, select, type_coerce

from hypernb.model import (
    ApprovalRecord,
    ArtifactRecord,
    AttemptRecord,
    AttemptState,
    CommandRecord,
    Event,
    Finding,
    LeaseRecord,
    MissionRecord,
    MissionState,
    TaskRecord,
    TaskState,
    Usage,
    UsageRecord,
)
from hypernb.store import _tables as t

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Column, ColumnElement

_time = datetime.fromisoformat


def _plain(column: Column[Any]) -> ColumnElement[str]:
    # Tasks, attempts and events are read by the ten thousand; a converter of SQLAlchemy's for
    # each value would take longer than the rest of reading them.
    return type_coerce(column, Text)


# The columns of each select stand in the order of the record's fields.
_m, _k, _a = t.missions.c, t.tasks.c, t.attempts.c
SELECT_MISSIONS: Final = select(
    _m.id,
    _m.number,
    _m.goal,
    _m.state,
    _m.created_at,
    _m.playbook,
    _m.planned_by,
    _m.root,
    _m.priority,
    _m.revision,
    _m.plan_hash,
    _m.started_at,
    _m.finished_at,
    _m.error,
    _m.cost,
    _m.by_user,
    _m.forked_from,
    _m.forked_at,
    _m.rested_s,
)
SELECT_TASKS: Final = select(
    _k.id,
    _k.mission_id,
    _k.number,
    _k.name,
    _k.state,
    _k.agent,
    _k.goal,
    _k.attempt,
    _plain(_k.ready_at),
    _plain(_k.started_at),
    _plain(_k.finished_at),
    _plain(_k.heartbeat_at),
    _k.pid,
    _k.note,
    _k.error,
    _k.output,
    _k.outcome,
    _k.findings,
    _k.worked_s,
)
SELECT_ATTEMPTS: Final = select(
    _a.task_id,
    _a.number,
    _a.state,
    _plain(_a.started_at),
    _plain(_a.finished_at),
    _a.runner_id,
    _a.pid,
    _a.error,
)
_e = t.events.c
SELECT_EVENTS: Final = select(
    _e.seq,
    _plain(_e.at),
    _e.kind,
    _e.mission_id,
    _e.task_id,
    _e.task,
    _e.attempt,
    _plain(_e.payload),
)
_f = t.findings.c
SELECT_FINDINGS: Final = select(
    _f.file,
    _f.line,
    _f.category,
    _f.rule,
    _f.severity,
    _f.message,
    _f.tool,
    _f.agent,
    _f.cell,
)
_u = t.usage.c
SELECT_USAGE: Final = select(
    _u.cost, _u.model, _u.input_tokens, _u.output_tokens, _u.at, _u.task_id, _u.attempt
)
_p = t.approvals.c
SELECT_APPROVALS: Final = select(
    _p.mission_id, _p.revision, _p.plan_hash, _p.by_user, _p.at, _p.signature
)
_c = t.commands.c
SELECT_COMMANDS: Final = select(_c.seq, _c.kind, _c.mission_id, _c.payload, _c.by_user, _c.at)
_l = t.leases.c
SELECT_LEASES: Final = select(_l.resource, _l.holder, _l.token, _l.expires_at, _l.facts)
_b = t.artifacts.c
SELECT_ARTIFACTS: Final = select(
    _b.digest, _b.media_type, _b.size_bytes, _b.created_at, _b.path, _b.signature
)

_TASK_STATES: Final = {state.value: state for state in TaskState}
_ATTEMPT_STATES: Final = {state.value: state for state in AttemptState}


def mission(row: Any) -> MissionRecord:
    """Read a row of `SELECT_MISSIONS`."""
    id_, number, goal, state, *rest = row
    return MissionRecord(id_, number, goal, MissionState(state), *rest)


def tasks(rows: Iterable[Any]) -> list[TaskRecord]:
    """Read rows of `SELECT_TASKS`."""
    return [
        TaskRecord(
            id_,
            mission_id,
            number,
            name,
            _TASK_STATES.get(state) or TaskState(state),
            agent,
            goal,
            attempt,
            ready_at and _time(ready_at),
            started_at and _time(started_at),
            finished_at and _time(finished_at),
            heartbeat_at and _time(heartbeat_at),
            *rest,
        )
        for (
            id_,
            mission_id,
            number,
            name,
            state,
            agent,
            goal,
            attempt,
            ready_at,
            started_at,
            finished_at,
            heartbeat_at,
            *rest,
        ) in rows
    ]


def attempts(rows: Iterable[Any]) -> list[AttemptRecord]:
    """Read rows of `SELECT_ATTEMPTS`."""
    return [
        AttemptRecord(
            task_id,
            number,
            _ATTEMPT_STATES.get(state) or AttemptState(state),
            _time(started_at),
            finished_at and _time(finished_at),
            *rest,
        )
        for task_id, number, state, started_at, finished_at, *rest in rows
    ]


def events(rows: Iterable[Any]) -> list[Event]:
    """Read rows of `SELECT_EVENTS`."""
    return [
        Event(seq, _time(at), kind, mission_id, task_id, task, attempt, orjson.loads(payload))
        for seq, at, kind, mission_id, task_id, task, attempt, payload in rows
    ]


def findings(rows: Iterable[Any]) -> list[Finding]:
    """Read rows of `SELECT_FINDINGS`; most severe first, then by place."""
    found = [Finding(**row._mapping) for row in rows]  # noqa: SLF001 - its documented name
    found.sort(key=lambda each: (-each.severity.rank, each.file, each.cell or 0, each.line))
    return found


def usage(rows: Iterable[Any]) -> list[UsageRecord]:
    """Read rows of `SELECT_USAGE`."""
    return [UsageRecord(Usage(*row[:4]), *row[4:]) for row in rows]


def approvals(rows: Iterable[Any]) -> list[ApprovalRecord]:
    """Read rows of `SELECT_APPROVALS`."""
    return [ApprovalRecord(*row) for row in rows]


def commands(rows: Iterable[Any]) -> list[CommandRecord]:
    """Read rows of `SELECT_COMMANDS`."""
    return [CommandRecord(*row) for row in rows]


def leases(rows: Iterable[Any]) -> list[LeaseRecord]:
    """Read rows of `SELECT_LEASES`."""
    return [LeaseRecord(*row) for row in rows]


def artifact(row: Any) -> ArtifactRecord:
    """Read a row that begins with `SELECT_ARTIFACTS`."""
    return ArtifactRecord(*row[:6])
