"""Reading what belongs to a mission, inside a transaction."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, func, or_, select

from hypernb.errors import UnknownMissionError, UnknownTaskError
from hypernb.model import (
    MissionId,
    MissionRecord,
    MissionState,
    Past,
    Spread,
    TaskId,
    TaskState,
    parse_ref,
)
from hypernb.store import _rows
from hypernb.store import _tables as t
from hypernb.store._values import clean

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

    from hypernb.model import (
        AttemptRecord,
        Digest,
        Finding,
        LeaseRecord,
        PlanSpec,
        TaskRecord,
        UsageRecord,
    )

_NEAR_MISSES_AMONG: Final = 200
_MISSIONS_ALIKE: Final = 5
_MISSIONS_EXPECTED_FROM: Final = 20
_DURATIONS_AT_MOST: Final = 20_000
_NEXT: Final = 2**62
_MISSION: Final = _rows.SELECT_MISSIONS.where(t.missions.c.id == bindparam("wanted"))
_TASKS: Final = _rows.SELECT_TASKS.where(t.tasks.c.mission_id == bindparam("wanted")).order_by(
    t.tasks.c.number
)
_ATTEMPTS: Final = _rows.SELECT_ATTEMPTS.where(
    t.attempts.c.mission_id == bindparam("wanted")
).order_by(t.attempts.c.started_at, t.attempts.c.task_id, t.attempts.c.number)
_FINDINGS: Final = _rows.SELECT_FINDINGS.where(
    t.findings.c.mission_id == bindparam("wanted")
).order_by(t.findings.c.id)
_USAGE: Final = _rows.SELECT_USAGE.where(t.usage.c.mission_id == bindparam("wanted")).order_by(
    t.usage.c.id
)
_APPROVED: Final = (
    select(t.approvals.c.mission_id)
    .where(
        t.approvals.c.mission_id == t.missions.c.id,
        t.approvals.c.revision == t.missions.c.revision,
    )
    .exists()
)
_PERHAPS_RUNNABLE: Final = _rows.SELECT_MISSIONS.where(
    or_(
        t.missions.c.state.in_([MissionState.RUNNING.value, MissionState.PAUSED.value]),
        (t.missions.c.state == MissionState.AWAITING_APPROVAL.value) & _APPROVED,
    )
).order_by(t.missions.c.priority.desc(), t.missions.c.number)


def mission_by_id(connection: Connection, mission_id: MissionId) -> MissionRecord:
    """Return a mission.

    Raises:
        UnknownMissionError: There is none.
    """
    row = connection.execute(_MISSION, {"wanted": mission_id}).one_or_none()
    if row is None:
        raise UnknownMissionError(mission_id)
    return _rows.mission(row)


def mission_by_ref(connection: Connection, ref: str) -> MissionRecord:
    """Return a mission by short id or id.

    Raises:
        UnknownMissionError: There is none; near misses are named.
    """
    parsed = parse_ref(ref)
    number = parsed[0] if parsed is not None and parsed[1] is None else None
    wanted = t.missions.c.id == clean(ref) if number is None else t.missions.c.number == number
    row = connection.execute(_rows.SELECT_MISSIONS.where(wanted)).one_or_none()
    if row is None:
        newest = select(t.missions.c.short_id).order_by(t.missions.c.number.desc())
        known = connection.execute(newest.limit(_NEAR_MISSES_AMONG)).scalars()
        raise UnknownMissionError(ref, known)
    return _rows.mission(row)


def perhaps_runnable(connection: Connection) -> list[MissionRecord]:
    """Return missions that run, or that an approval, whoever signed it, lets run."""
    return [_rows.mission(row) for row in connection.execute(_PERHAPS_RUNNABLE)]


def tasks_of(connection: Connection, mission_id: MissionId) -> list[TaskRecord]:
    """Return the tasks in plan order."""
    return _rows.tasks(connection.execute(_TASKS, {"wanted": mission_id}).all())


def tasks_that_made(connection: Connection, output: Digest, limit: int) -> list[TaskRecord]:
    """Return the tasks that ran and have this output, the one that ended last first."""
    k = t.tasks.c
    made = _rows.SELECT_TASKS.where(k.output == output, k.attempt > 0)
    newest = made.order_by(k.finished_at.desc(), k.id.desc()).limit(limit)
    return _rows.tasks(connection.execute(newest))


def totals(connection: Connection) -> tuple[int, float]:
    """Return how many missions there are, and what they have cost."""
    cost = func.coalesce(func.sum(t.missions.c.cost), 0.0)
    number, paid = connection.execute(select(func.count(), cost).select_from(t.missions)).one()
    return int(number), float(paid)


def task_by_name(connection: Connection, mission_id: MissionId, name: str) -> TaskId:
    """Return the id of a task.

    Raises:
        UnknownTaskError: The mission has none of that name; near misses are named.
    """
    c = t.tasks.c
    mine = c.mission_id == mission_id
    found = connection.execute(select(c.id).where(mine, c.name == clean(name))).scalar()
    if found is None:
        known = select(c.name).where(mine).order_by(c.number).limit(_NEAR_MISSES_AMONG)
        raise UnknownTaskError(name, list(connection.execute(known).scalars()))
    return TaskId(found)


def attempts_of(connection: Connection, mission_id: MissionId) -> list[AttemptRecord]:
    """Return the attempts in the order they started."""
    return _rows.attempts(connection.execute(_ATTEMPTS, {"wanted": mission_id}).all())


def durations_before(connection: Connection, mission: MissionRecord) -> dict[str, float]:
    """Return the median times, in seconds, that tasks of earlier missions like it took.

    Only the latest missions count, and no more rows are read than a mission of ordinary size
    has: an order of starting is worth milliseconds, not seconds.
    """
    earlier = select(t.missions.c.id).where(_alike(mission))
    rows = connection.execute(
        select(t.tasks.c.name, t.tasks.c.worked_s)
        .where(
            t.tasks.c.mission_id.in_(_latest(earlier, _MISSIONS_ALIKE)),
            t.tasks.c.state == TaskState.SUCCEEDED.value,
            t.tasks.c.attempt > 0,  # those that a fork shares took no time in it
        )
        .limit(_DURATIONS_AT_MOST)
    )
    took: dict[str, list[float]] = {}
    for name, worked_s in rows:
        took.setdefault(name, []).append(worked_s)
    return {name: median(times) for name, times in took.items()}


def past_before(connection: Connection, mission: MissionRecord) -> Past:
    """Return what the latest earlier missions like one say of how long it takes and costs."""
    c = t.missions.c
    began = select(c.id).where(_alike(mission), c.started_at.is_not(None))
    latest = _latest(began, _MISSIONS_EXPECTED_FROM)
    took: dict[str, list[float]] = {}
    seen = set()
    rows = connection.execute(
        select(t.tasks.c.name, t.tasks.c.worked_s, t.tasks.c.mission_id)
        .where(
            t.tasks.c.mission_id.in_(latest),
            t.tasks.c.state == TaskState.SUCCEEDED.value,
            t.tasks.c.attempt > 0,
        )
        .limit(_DURATIONS_AT_MOST)
    )
    for name, worked_s, mission_id in rows:
        took.setdefault(name, []).append(worked_s)
        seen.add(mission_id)
    # A fork pays only for what it does anew, so it says nothing of what a whole one costs.
    whole = began.where(
        c.state == MissionState.SUCCEEDED.value, c.forked_from == "", c.cost > 0
    ).with_only_columns(c.cost)
    costs = list(connection.execute(_latest(whole, _MISSIONS_EXPECTED_FROM)).scalars())
    return Past(
        missions=len(seen),
        tasks={name: Spread.of(times) for name, times in took.items()},
        cost=Spread.of(costs) if costs else None,
    )


def as_if_newest(spec: PlanSpec, now: datetime) -> MissionRecord:
    """Return a record that earlier missions are compared with as if it were the next one."""
    return MissionRecord(
        MissionId(""),
        _NEXT,
        clean(spec.goal),
        MissionState.AWAITING_APPROVAL,
        now,
        playbook=clean(spec.playbook),
    )


def _alike(mission: MissionRecord) -> ColumnElement[bool]:
    """Say which missions are earlier and like one: what its playbook made, or its goal."""
    c = t.missions.c
    alike: ColumnElement[bool] = c.playbook == mission.playbook
    if not mission.playbook:
        alike = (c.playbook == "") & (c.goal == mission.goal)
    return alike & (c.number < mission.number)


def _latest(missions: Select[Any], most: int) -> Select[Any]:
    return missions.order_by(t.missions.c.number.desc()).limit(most)


def findings_of(connection: Connection, mission_id: MissionId) -> list[Finding]:
    """Return the findings, most severe first, then by place."""
    return _rows.findings(connection.execute(_FINDINGS, {"wanted": mission_id}).all())


def usage_of(connection: Connection, mission_id: MissionId) -> list[UsageRecord]:
    """Return what was paid for, in the order it was told."""
    return _rows.usage(connection.execute(_USAGE, {"wanted": mission_id}))


def leases_of(connection: Connection, prefix: str) -> list[LeaseRecord]:
    """Return all leases whose resource begins so, also those that nobody holds."""
    statement = _rows.SELECT_LEASES.order_by(t.leases.c.resource)
    if prefix:
        statement = statement.where(t.leases.c.resource.startswith(prefix, autoescape=True))
    return _rows.leases(connection.execute(statement))
