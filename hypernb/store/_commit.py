"""Changes into rows: a batch becomes a handful of executemany calls in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, insert, select, update

from hypernb.errors import LeaseLostError, TransitionError, UnknownTaskError
from hypernb.model import (
    AttemptState,
    MissionState,
    TaskState,
    can_become,
    transition,
)
from hypernb.store import _search as search
from hypernb.store import _tables as t
from hypernb.store._events import append_events, last_seq
from hypernb.store._values import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from hypernb.model import Change, LeaseRecord, MissionId

_LEASE: Final = select(t.leases.c.holder, t.leases.c.token).where(
    t.leases.c.resource == bindparam("resource")
)
_MISSION: Final = select(
    t.missions.c.short_id,
    t.missions.c.state,
    t.missions.c.started_at,
    t.missions.c.finished_at,
    t.missions.c.error,
).where(t.missions.c.id == bindparam("mission_id"))

_TASK_COLUMNS: Final = (
    "state",
    "attempt",
    "ready_at",
    "started_at",
    "finished_at",
    "heartbeat_at",
    "pid",
    "note",
    "error",
    "output",
    "outcome",
    "findings",
    "worked_s",
)
_SELECT_TASKS: Final = select(
    t.tasks.c.id, t.tasks.c.number, t.tasks.c.name, *(t.tasks.c[name] for name in _TASK_COLUMNS)
).where(
    t.tasks.c.mission_id == bindparam("mission_id"),
    t.tasks.c.id.in_(bindparam("ids", expanding=True)),
)
_UPDATE_TASK: Final = (
    update(t.tasks)
    .where(t.tasks.c.id == bindparam("task_key"))
    .values({name: bindparam(f"new_{name}") for name in _TASK_COLUMNS})
)
_SELECT_RUNNING: Final = select(
    t.attempts.c.task_id, t.attempts.c.number, t.attempts.c.started_at
).where(
    t.attempts.c.task_id.in_(bindparam("ids", expanding=True)),
    t.attempts.c.state == AttemptState.RUNNING.value,
)
_INSERT_ATTEMPT: Final = insert(t.attempts)
_END_ATTEMPT: Final = (
    update(t.attempts)
    .where(
        t.attempts.c.task_id == bindparam("task_key"),
        t.attempts.c.number == bindparam("number_key"),
    )
    .values(
        state=bindparam("new_state"),
        finished_at=bindparam("new_finished_at"),
        error=bindparam("new_error"),
    )
)
_INSERT_FINDING: Final = insert(t.findings)
_FORGET_FINDINGS: Final = delete(t.findings).where(
    t.findings.c.task_id == bindparam("task_key")
)
_IDS_AT_ONCE: Final = 500
_TASK_ACTIVE: Final = frozenset(
    {
        TaskState.RUNNING,
        TaskState.VERIFYING,
        TaskState.STALLED,
        TaskState.AWAITING_APPROVAL,
    }
)


def write_changes(
    connection: Connection, mission_id: MissionId, lease: LeaseRecord, changes: Sequence[Change]
) -> int:
    """Write changes in order, inside a write transaction; return the last ``seq``.

    Raises:
        LeaseLostError: The lease is not on this mission, or its token is not the newest.
        TransitionError: Mission, task or attempt cannot become what a change says.
        UnknownTaskError: A change is about a task that the mission does not have.
    """
    check_lease(connection, lease, f"mission:{mission_id}")
    if not changes:
        return last_seq(connection)
    batch = _Batch(connection, mission_id, lease, changes)
    for change in changes:
        batch.take(change)
    return batch.write()


def check_lease(connection: Connection, lease: LeaseRecord, resource: str) -> None:
    """Make sure that the lease is on the resource and the newest.

    Raises:
        LeaseLostError: It is not.
    """
    row = connection.execute(_LEASE, {"resource": resource}).one_or_none()
    holder, token = row or ("", 0)
    if lease.resource != resource or (holder, token) != (lease.holder, lease.token):
        raise LeaseLostError(resource, holder)


class _Mission:
    def __init__(self, row: Any) -> None:
        self.short_id, state, self.started_at, self.finished_at, self.error = row
        self.state = MissionState(state)
        self.is_touched = False

    def become(self, change: Change) -> None:
        after = change.mission_state
        if after is not None:
            self.state = transition(self.state, after, name=self.short_id)
            self.is_touched = True
            if after is MissionState.RUNNING:
                self.started_at = self.started_at or change.at
                self.finished_at, self.error = None, ""
            elif after.is_final:
                self.finished_at = change.at
        if change.error is not None and change.task_id is None:
            self.error = clean(change.error)
            self.is_touched = True


class _Task:
    __slots__ = ("key", "name", "number", *_TASK_COLUMNS)

    # What the columns hold; slots alone say nothing to a type checker.
    key: str
    name: str
    number: int
    state: TaskState
    attempt: int
    ready_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    heartbeat_at: datetime | None
    pid: int | None
    note: str
    error: str
    output: str | None
    outcome: str
    findings: int
    worked_s: float

    def __init__(self, row: Sequence[Any]) -> None:
        self.key, self.number, self.name, state = row[:4]
        self.state = TaskState(state)
        for column, value in zip(_TASK_COLUMNS[1:], row[4:], strict=True):
            setattr(self, column, value)

    def become(self, change: Change, short_id: str) -> bool:
        """Go to the change's state; True if what an earlier end left is void."""
        before, after = self.state, change.task_state
        if after is None:
            return False
        if not can_become(before, after):
            name = f"{short_id}/{self.name}"
            raise TransitionError("task", name, before.value, after.value)
        self.state = after
        again = before.is_final and not after.is_final
        if again:
            self.note = self.error = self.outcome = ""
            self.output, self.findings, self.finished_at = None, 0, None
        if after is TaskState.RUNNING:
            self._run(change, before)
        elif after is TaskState.READY:
            self.ready_at, self.pid, self.heartbeat_at = change.at, None, None
        elif after is TaskState.PENDING:
            self.ready_at = None
        elif after.is_final:
            self.finished_at, self.pid = change.at, None
        return again

    def _run(self, change: Change, before: TaskState) -> None:
        number = self.attempt if change.attempt is None else change.attempt
        if before not in _TASK_ACTIVE or number != self.attempt:
            self.started_at, self.pid = change.at, None
            self.note = self.error = ""
        self.attempt, self.heartbeat_at = number, change.at

    def note_facts(self, change: Change) -> None:
        if change.pid is not None:
            self.pid = change.pid
        if change.note is not None:
            self.note = clean(change.note)
        if change.error is not None:
            self.error = clean(change.error)
        if change.output is not None:
            self.output = change.output
        if change.outcome is not None:
            self.outcome = clean(change.outcome)
        self.findings += len(change.findings)

    def values(self) -> dict[str, Any]:
        row: dict[str, Any] = {f"new_{name}": getattr(self, name) for name in _TASK_COLUMNS}
        row["task_key"] = self.key
        row["new_state"] = self.state.value
        return row


class _Batch:
    """What a sequence of changes does to the rows, worked out before any is written."""

    def __init__(
        self,
        connection: Connection,
        mission_id: MissionId,
        lease: LeaseRecord,
        changes: Sequence[Change],
    ) -> None:
        self._connection = connection
        self._mission_id = mission_id
        self._holder = lease.holder
        ids = {change.task_id for change in changes if change.task_id is not None}
        ending = {
            change.task_id
            for change in changes
            if change.task_id is not None and change.attempt_state is not None
        }
        self._mission = _Mission(connection.execute(_MISSION, {"mission_id": mission_id}).one())
        self._tasks = {task.key: task for task in self._load_tasks(ids)}
        self._running = dict(self._load_running(ending))
        self._started: dict[tuple[str, int], dict[str, Any]] = {}
        self._ended: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._findings: list[dict[str, Any]] = []
        self._void_findings: list[dict[str, str]] = []
        self._search: list[search.SearchRow] = []

    def _load_tasks(self, ids: Iterable[str]) -> Iterator[_Task]:
        for some in _portions(ids):
            keys = {"mission_id": self._mission_id, "ids": some}
            yield from map(_Task, self._connection.execute(_SELECT_TASKS, keys))

    def _load_running(self, ids: Iterable[str]) -> Iterator[tuple[tuple[str, int], datetime]]:
        for some in _portions(ids):
            rows = self._connection.execute(_SELECT_RUNNING, {"ids": some})
            yield from (((task, number), started_at) for task, number, started_at in rows)

    def take(self, change: Change) -> None:
        """Work out what one change does."""
        self._mission.become(change)
        task = None
        if change.task_id is not None:
            task = self._tasks.get(change.task_id)
            if task is None:
                raise UnknownTaskError(change.task_id)
            self._take_for(task, change)
        self._events.append(
            {
                "at": change.at,
                "kind": str(change.kind),
                "mission_id": self._mission_id,
                "task_id": change.task_id,
                "task": task and task.name,
                "attempt": change.attempt,
                "payload": change.payload,
            }
        )
        name = task.name if task else ""
        self._search.extend(search.change_rows(change, self._mission.short_id, name))

    def _take_for(self, task: _Task, change: Change) -> None:
        before = task.attempt
        if task.become(change, self._mission.short_id):
            self._void_findings.append({"task_key": task.key})
            self._findings = [row for row in self._findings if row["task_id"] != task.key]
        if change.attempt_state is AttemptState.RUNNING:
            self._start_attempt(task, change, before)
        elif change.attempt_state is not None:
            self._end_attempt(task, change, change.attempt_state)
        task.note_facts(change)
        for finding in change.findings:
            self._findings.append(
                {
                    "mission_id": self._mission_id,
                    "task_id": task.key,
                    "file": clean(finding.file),
                    "line": finding.line,
                    "cell": finding.cell,
                    "category": clean(finding.category),
                    "rule": clean(finding.rule),
                    "severity": finding.severity.value,
                    "message": clean(finding.message),
                    "tool": clean(finding.tool),
                    "agent": clean(finding.agent or ""),
                }
            )

    def _start_attempt(self, task: _Task, change: Change, before: int) -> None:
        number = before + 1 if change.attempt is None else change.attempt
        if number <= before:
            name = f"{self._mission.short_id}/{task.name}#{number}"
            raise TransitionError("attempt", name, "already started", "running")
        task.attempt = number
        key = (task.key, number)
        self._running[key] = change.at
        self._started[key] = {
            "task_id": task.key,
            "number": number,
            "mission_id": self._mission_id,
            "state": AttemptState.RUNNING.value,
            "started_at": change.at,
            "finished_at": None,
            "runner_id": self._holder,
            "pid": change.pid,
            "error": "",
        }

    def _end_attempt(self, task: _Task, change: Change, after: AttemptState) -> None:
        number = task.attempt if change.attempt is None else change.attempt
        key = (task.key, number)
        started_at = self._running.pop(key, None)
        if started_at is None:
            name = f"{self._mission.short_id}/{task.name}#{number}"
            raise TransitionError("attempt", name, "not running", after.value)
        task.worked_s += max(0.0, (change.at - started_at).total_seconds())
        error = clean(change.error or "")
        if key in self._started:
            self._started[key].update(state=after.value, finished_at=change.at, error=error)
            return
        self._ended.append(
            {
                "task_key": task.key,
                "number_key": number,
                "new_state": after.value,
                "new_finished_at": change.at,
                "new_error": error,
            }
        )

    def write(self) -> int:
        """Write everything; return the ``seq`` of the last event."""
        execute = self._connection.execute
        last = append_events(self._connection, self._events)
        for statement, rows in (
            (_UPDATE_TASK, [task.values() for task in self._tasks.values()]),
            (_INSERT_ATTEMPT, list(self._started.values())),
            (_END_ATTEMPT, self._ended),
            (_FORGET_FINDINGS, self._void_findings),
            (_INSERT_FINDING, self._findings),
        ):
            if rows:
                execute(statement, rows)
        search.index(self._connection, self._search)
        if self._mission.is_touched:
            self._write_mission()
        return last

    def _write_mission(self) -> None:
        mission = self._mission
        self._connection.execute(
            update(t.missions)
            .where(t.missions.c.id == self._mission_id)
            .values(
                state=mission.state.value,
                started_at=mission.started_at,
                finished_at=mission.finished_at,
                error=mission.error,
            )
        )


def _portions(ids: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _IDS_AT_ONCE):
        yield ordered[start : start + _IDS_AT_ONCE]
