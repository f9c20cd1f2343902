"""Forks: what a mission takes over, done, from the one it was forked from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, literal, select

from hypernb.errors import UnknownMissionError
from hypernb.model import EventKind, TaskState
from hypernb.plan import shared_tasks
from hypernb.store import _tables as t
from hypernb.store._bulk import UpdateMany
from hypernb.store._events import append_rows
from hypernb.store._reading import mission_by_ref, tasks_of
from hypernb.store._values import json_text, utc_text

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from hypernb.model import MissionRecord, PlanSpec, TaskRecord
    from hypernb.store._plans import PlanReader

_SHARED: Final = ("state", "finished_at", "note", "output", "outcome", "findings")
_SHARE: Final = UpdateMany(t.tasks, ["id"], _SHARED)
_FINDING_COLUMNS: Final = [
    column.name for column in t.findings.c if column.name not in ("id", "mission_id", "task_id")
]


def share(
    connection: Connection,
    plans: PlanReader,
    fork: MissionRecord,
    spec: PlanSpec,
    now: datetime,
) -> None:
    """Mark the tasks of a fork as done that its origin has done; inside a write transaction.

    Their outputs are the same artifacts, their findings are copied, and an event tells of
    each. The origin stays as it is.
    """
    if not fork.forked_from:
        return
    try:
        origin = mission_by_ref(connection, fork.forked_from)
    except UnknownMissionError:
        return  # it was forgotten; what it had done has to be done anew
    before = plans.read(connection, origin.id, origin.revision)
    if before is None:
        return
    done = {
        task.name: task
        for task in tasks_of(connection, origin.id)
        if task.state is TaskState.SUCCEEDED
    }
    names = shared_tasks(before, done, spec, at=fork.forked_at)
    own = {task.name: task for task in tasks_of(connection, fork.id)}
    pairs = [(done[name], own[name]) for name in names]
    at, state = utc_text(now), TaskState.SUCCEEDED.value
    note = f"shared from {origin.short_id}"
    _SHARE.run(
        connection,
        [
            (new.id, state, at, note, old.output, old.outcome, old.findings)
            for old, new in pairs
        ],
    )
    for old, new in pairs:
        if old.findings:
            _copy_findings(connection, old, new)
    append_rows(
        connection,
        [
            (
                at,
                EventKind.TASK_SHARED.value,
                fork.id,
                new.id,
                new.name,
                None,
                json_text({"from": origin.short_id, "task": f"t{old.number}"}),
            )
            for old, new in pairs
        ],
    )


def _copy_findings(connection: Connection, old: TaskRecord, new: TaskRecord) -> None:
    columns = t.findings.c
    copied = select(
        literal(new.mission_id), literal(new.id), *(columns[each] for each in _FINDING_COLUMNS)
    ).where(columns.task_id == old.id)
    names = ["mission_id", "task_id", *_FINDING_COLUMNS]
    connection.execute(insert(t.findings).from_select(names, copied))
