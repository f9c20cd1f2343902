"""Changes into rows: a batch becomes a handful of executemany calls in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Text, bindparam, delete, select, type_coerce, update

from hypernb.errors import (
    LeaseLostError,
    TransitionError,
    UnknownMissionError,
    UnknownTaskError,
)
from hypernb.model import (
    AttemptState,
    MissionState,
    TaskState,
    can_become,
    transition,
)
from hypernb.store import _calls
from hypernb.store import _search as search
from hypernb.store import _tables as t
from hypernb.store._bulk import Bulk, InsertMany, Lookup, LookupMany, Row, UpdateMany
from hypernb.store._events import append_rows, last_seq
from hypernb.store._resources import End, free_all, give_back
from hypernb.store._values import clean, json_text, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from hypernb.model import Change, Finding, LeaseRecord, MissionId, Usage

_LEASE: Final = Lookup(
    select(t.leases.c.holder, t.leases.c.token).where(
        t.leases.c.resource == bindparam("wanted")
    ),
    "wanted",
)
# Times stay text from reading to writing: most of them pass through unchanged.
_MISSION: Final = Lookup(
    select(
        t.missions.c.short_id,
        t.missions.c.state,
        type_coerce(t.missions.c.started_at, Text),
        type_coerce(t.missions.c.finished_at, Text),
        t.missions.c.error,
        t.missions.c.rested_s,
        select(t.permits.c.task_id).where(t.permits.c.mission_id == t.missions.c.id).exists(),
    ).where(t.missions.c.id == bindparam("wanted")),
    "wanted",
)
_WRITE_MISSION: Final = UpdateMany(
    t.missions, ["id"], ["state", "started_at", "finished_at", "error", "rested_s"]
)

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
_TIMES: Final = frozenset({"ready_at", "started_at", "finished_at", "heartbeat_at"})
_TASKS: Final = LookupMany(
    [
        t.tasks.c.mission_id,
        t.tasks.c.id,
        t.tasks.c.name,
        *(
            type_coerce(t.tasks.c[name], Text) if name in _TIMES else t.tasks.c[name]
            for name in _TASK_COLUMNS
        ),
    ],
    t.tasks.c.id,
)
_UPDATE_TASKS: Final = UpdateMany(t.tasks, ["id"], _TASK_COLUMNS)
_RUNNING: Final = LookupMany(
    [
        t.attempts.c.task_id,
        t.attempts.c.number,
        type_coerce(t.attempts.c.started_at, Text),
    ],
    t.attempts.c.task_id,
    "state",
    where=[t.attempts.c.state == bindparam("state")],
)
_INSERT_ATTEMPTS: Final = InsertMany(
    t.attempts,
    "task_id",
    "number",
    "mission_id",
    "state",
    "started_at",
    "finished_at",
    "runner_id",
    "pid",
    "error",
)
_END_ATTEMPTS: Final = UpdateMany(
    t.attempts, ["task_id", "number"], ["state", "finished_at", "error"]
)
_INSERT_FINDINGS: Final = InsertMany(
    t.findings,
    "mission_id",
    "task_id",
    "file",
    "line",
    "cell",
    "category",
    "rule",
    "severity",
    "message",
    "tool",
    "agent",
)
_FORGET_FINDINGS: Final = Bulk(
    delete(t.findings).where(t.findings.c.task_id == bindparam("key")), "key"
)
_INSERT_USAGE: Final = InsertMany(
    t.usage,
    "mission_id",
    "task_id",
    "attempt",
    "at",
    "model",
    "input_tokens",
    "output_tokens",
    "cost",
    "call_id",
)
_COST: Final = Bulk(
    update(t.missions)
    .where(t.missions.c.id == bindparam("key"))
    .values(cost=t.missions.c.cost + bindparam("more")),
    "key",
    "more",
)
_UNDER_WAY: Final = frozenset(
    {
        TaskState.RUNNING,
        TaskState.VERIFYING,
        TaskState.STALLED,
        TaskState.AWAITING_APPROVAL,
    }
)
_TASK_STATES: Final = {state.value: state for state in TaskState}


def write_changes(
    connection: Connection,
    mission_id: MissionId,
    lease: LeaseRecord,
    changes: Sequence[Change],
    clock: Callable[[Connection], datetime],
) -> int:
    """Write changes in order, inside a write transaction; return the last ``seq``.

    Args:
        clock: The time that all who share resources go by.

    Raises:
        LeaseLostError: The lease is not on this mission, or its token is not the newest.
        TransitionError: Mission, task or attempt cannot become what a change says.
        UnknownTaskError: A change is about a task that the mission does not have.
    """
    check_lease(connection, lease, f"mission:{mission_id}")
    if not changes:
        return last_seq(connection)
    batch = _Batch(connection, mission_id, lease, changes, clock)
    for change in changes:
        batch.take(change)
    return batch.write()


def check_lease(connection: Connection, lease: LeaseRecord, resource: str) -> None:
    """Make sure that the lease is on the resource and the newest.

    Raises:
        LeaseLostError: It is not.
    """
    found = _LEASE.rows(connection, resource)
    holder, token = found[0] if found else ("", 0)
    if lease.resource != resource or (holder, token) != (lease.holder, lease.token):
        raise LeaseLostError(resource, holder)


class _Mission:
    def __init__(self, row: Any) -> None:
        self.short_id, state, self.started_at, self.finished_at, *rest = row
        self.error, self.rested_s, holds = rest
        self.holds_permits = bool(holds)
        self.state = MissionState(state)
        self.is_touched = False

    def become(self, change: Change, at: str) -> None:
        after = change.mission_state
        if after is not None:
            self.state = transition(self.state, after, name=self.short_id)
            self.is_touched = True
            if after is MissionState.RUNNING:
                if self.started_at and self.finished_at:
                    self.rested_s += _seconds(self.finished_at, at)
                self.started_at = self.started_at or at
                self.finished_at, self.error = None, ""
            elif after.is_final:
                self.finished_at = at
        if change.error is not None and change.task_id is None:
            self.error = clean(change.error)
            self.is_touched = True

    def row(self, mission_id: str) -> Row:
        times = (self.started_at, self.finished_at)
        return mission_id, self.state.value, *times, self.error, self.rested_s


def _seconds(start: str, end: str) -> float:
    past = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return max(0.0, past.total_seconds())


class _Task:
    __slots__ = ("key", "name", *_TASK_COLUMNS)

    def __init__(self, row: Any) -> None:
        state: str
        (
            self.key,
            self.name,
            state,
            self.attempt,
            self.ready_at,
            self.started_at,
            self.finished_at,
            self.heartbeat_at,
            self.pid,
            self.note,
            self.error,
            self.output,
            self.outcome,
            self.findings,
            self.worked_s,
        ) = row
        self.state = _TASK_STATES.get(state) or TaskState(state)

    def row(self) -> Row:
        return (
            self.key,
            str(self.state),
            self.attempt,
            self.ready_at,
            self.started_at,
            self.finished_at,
            self.heartbeat_at,
            self.pid,
            self.note,
            self.error,
            self.output,
            self.outcome,
            self.findings,
            self.worked_s,
        )

    def become(self, change: Change, at: str, short_id: str) -> bool:
        """Go to the change's state; True if what an earlier end left is void."""
        before, after = self.state, change.task_state
        if after is None:
            return False
        if not can_become(before, after):
            name = f"{short_id}/{self.name}"
            raise TransitionError("task", name, before.value, after.value)
        self.state = after
        again = before.is_final
        if again:
            self.note = self.error = self.outcome = ""
            self.output, self.findings, self.finished_at = None, 0, None
        if after is TaskState.RUNNING:
            self._run(change, at, before)
        elif after is TaskState.READY:
            self.ready_at, self.pid, self.heartbeat_at = at, None, None
        elif after is TaskState.WAITING:
            self.pid, self.heartbeat_at = None, None
        elif after is TaskState.PENDING:
            self.ready_at = None
        elif after.is_final:
            self.finished_at, self.pid = at, None
        return again

    def _run(self, change: Change, at: str, before: TaskState) -> None:
        number = self.attempt if change.attempt is None else change.attempt
        if before not in _UNDER_WAY or number != self.attempt:
            self.started_at, self.pid = at, None
            self.note = self.error = ""
        self.attempt, self.heartbeat_at = number, at

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


class _Batch:
    """What a sequence of changes does to the rows, worked out before any is written."""

    def __init__(
        self,
        connection: Connection,
        mission_id: MissionId,
        lease: LeaseRecord,
        changes: Sequence[Change],
        clock: Callable[[Connection], datetime],
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._mission_id = mission_id
        self._holder = lease.holder
        found = _MISSION.rows(connection, mission_id)
        if not found:
            raise UnknownMissionError(mission_id)
        self._mission = _Mission(found[0])
        touched: set[str] = set()
        begun: set[str] = set()
        ending: set[str] = set()
        for each in changes:
            if (key := each.task_id) is None:
                continue
            touched.add(key)
            if each.attempt_state is AttemptState.RUNNING:
                begun.add(key)
            elif each.attempt_state is not None and key not in begun:
                ending.add(key)  # it was begun in an earlier commit
        # By the id alone: with the mission in the condition, SQLite looks at all its tasks.
        rows = _TASKS.rows(connection, sorted(touched))
        own = (row for mission, *row in rows if mission == mission_id)
        self._tasks = {task.key: task for task in map(_Task, own)}
        running = _RUNNING.rows(connection, sorted(ending), AttemptState.RUNNING.value)
        self._running = {(task, number): started_at for task, number, started_at in running}
        self._started: dict[tuple[str, int], Row] = {}
        self._ended: list[Row] = []
        self._ends: dict[tuple[str, int], End] = {}
        self._events: list[Row] = []
        self._findings: list[Row] = []
        self._void_findings: list[Row] = []
        self._usage: list[Row] = []
        self._calls: dict[str, Row] = {}
        self._cost = 0.0
        self._search: list[search.SearchRow] = []
        self._at: datetime | None = None
        self._at_text = ""

    def take(self, change: Change) -> None:
        """Work out what one change does."""
        if change.at is not self._at:
            self._at, self._at_text = change.at, utc_text(change.at)
        at = self._at_text
        if change.mission_state is not None or change.task_id is None:
            self._mission.become(change, at)
        name = None
        if change.task_id is not None:
            task = self._tasks.get(change.task_id)
            if task is None:
                raise UnknownTaskError(change.task_id)
            name = task.name
            self._take_for(task, change, at)
        if change.usage is not None:
            self._pay(change, change.usage, at)
        if change.call is not None:
            self._calls[change.call.id] = _calls.row_of(change.call, self._mission_id)
        self._events.append(
            (
                at,
                str(change.kind),
                self._mission_id,
                change.task_id,
                name,
                change.attempt,
                json_text(change.payload),
            )
        )
        if search.says_something(change):
            self._search.extend(search.change_rows(change, self._mission.short_id, name or ""))

    def _take_for(self, task: _Task, change: Change, at: str) -> None:
        before = task.attempt
        if task.become(change, at, self._mission.short_id):
            self._void_findings.append((task.key,))
            self._findings = [row for row in self._findings if row[1] != task.key]
        if change.attempt_state is AttemptState.RUNNING:
            self._start_attempt(task, change, at, before)
        elif change.attempt_state is not None:
            self._end_attempt(task, change, at, change.attempt_state)
        task.note_facts(change)
        if change.findings:
            self._findings.extend(self._finding(task, each) for each in change.findings)

    def _pay(self, change: Change, usage: Usage, at: str) -> None:
        self._cost += usage.cost
        self._usage.append(
            (
                self._mission_id,
                change.task_id,
                change.attempt,
                at,
                clean(usage.model),
                usage.input_tokens,
                usage.output_tokens,
                usage.cost,
                change.call and change.call.id,
            )
        )

    def _finding(self, task: _Task, finding: Finding) -> Row:
        return (
            self._mission_id,
            task.key,
            clean(finding.file),
            finding.line,
            finding.cell,
            clean(finding.category),
            clean(finding.rule),
            finding.severity.value,
            clean(finding.message),
            clean(finding.tool),
            clean(finding.agent),
        )

    def _start_attempt(self, task: _Task, change: Change, at: str, before: int) -> None:
        number = before + 1 if change.attempt is None else change.attempt
        if number <= before:
            name = f"{self._mission.short_id}/{task.name}#{number}"
            raise TransitionError("attempt", name, "already started", "running")
        task.attempt = number
        self._running[task.key, number] = at
        self._started[task.key, number] = (
            task.key,
            number,
            self._mission_id,
            AttemptState.RUNNING.value,
            at,
            None,
            self._holder,
            change.pid,
            "",
        )

    def _end_attempt(self, task: _Task, change: Change, at: str, after: AttemptState) -> None:
        number = task.attempt if change.attempt is None else change.attempt
        key = (task.key, number)
        started_at = self._running.pop(key, None)
        if started_at is None:
            name = f"{self._mission.short_id}/{task.name}#{number}"
            raise TransitionError("attempt", name, "not running", after.value)
        worked = change.at - datetime.fromisoformat(started_at)
        task.worked_s += max(0.0, worked.total_seconds() - change.rested_s)
        error = clean(change.error or "")
        self._ends[key] = (after, change.refusal, datetime.fromisoformat(started_at))
        if (row := self._started.get(key)) is not None:
            self._started[key] = (*row[:3], after.value, row[4], at, *row[6:8], error)
        else:
            self._ended.append((*key, after.value, at, error))

    def write(self) -> int:
        """Write everything; return the ``seq`` of the last event."""
        connection = self._connection
        last = append_rows(connection, self._events)
        _UPDATE_TASKS.run(connection, [task.row() for task in self._tasks.values()])
        _INSERT_ATTEMPTS.run(connection, list(self._started.values()))
        _END_ATTEMPTS.run(connection, self._ended)
        if self._mission.holds_permits and self._ends:
            give_back(connection, self._mission_id, self._ends, self._clock(connection))
        if self._mission.holds_permits and self._mission.state.is_final:
            free_all(connection, self._mission_id)  # also those that no attempt began with
        _FORGET_FINDINGS.run(connection, self._void_findings)
        _INSERT_FINDINGS.run(connection, self._findings)
        if self._usage:
            _INSERT_USAGE.run(connection, self._usage)
            _COST.run(connection, [(self._mission_id, self._cost)])
        _calls.write(connection, list(self._calls.values()))
        search.index(connection, self._search)
        if self._mission.is_touched:
            _WRITE_MISSION.run(connection, [self._mission.row(self._mission_id)])
        return last
