"""The store on SQLAlchemy Core: each method one transaction, values in and values out."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, insert, literal_column, or_, select, update
from sqlalchemy.exc import IntegrityError

from hypernb.abc import Store
from hypernb.errors import (
    ApprovalError,
    PlanError,
    StoreCorruptError,
    StoreError,
    TransitionError,
    UnknownMissionError,
)
from hypernb.model import (
    ApprovalRecord,
    CommandRecord,
    EventKind,
    LeaseRecord,
    MissionId,
    MissionRecord,
    MissionSnapshot,
    MissionState,
    PlanSpec,
    TaskState,
    new_id,
    parse_ref,
    short_id,
    transition,
)
from hypernb.store import _leases, _rows, _search
from hypernb.store import _tables as t
from hypernb.store._artifacts import Artifacts
from hypernb.store._backup import write_backup
from hypernb.store._bulk import Bulk
from hypernb.store._check import problems
from hypernb.store._commit import write_changes
from hypernb.store._database import BUSY_TIMEOUT_S, Database
from hypernb.store._events import append_event, last_seq, take_numbers
from hypernb.store._keys import SigningKey
from hypernb.store._location import (
    artifact_folder,
    database_path,
    default_location,
    home_folder,
)
from hypernb.store._query import run_query
from hypernb.store._values import clean, utc_now, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

    from hypernb.abc import Payload
    from hypernb.model import (
        ArtifactRecord,
        AttemptRecord,
        Change,
        Digest,
        Event,
        Finding,
        RunnerId,
        SearchHit,
        TaskId,
        TaskRecord,
    )

_PLANS_KEPT: Final = 16
_NEAR_MISSES_AMONG: Final = 200
_GOAL_IN_EVENT: Final = 500
_APPROVAL: Final = "approval"
_ACTIVE: Final = tuple(state.value for state in TaskState if state.is_active)
_BEAT: Final = Bulk(
    update(t.tasks)
    .where(
        t.tasks.c.id == bindparam("key"),
        or_(*(t.tasks.c.state == literal_column(f"'{state}'") for state in _ACTIVE)),
    )
    .values(heartbeat_at=bindparam("seen_at")),
    "key",
    "seen_at",
)


def open_store(
    location: str | Path | None = None, *, clock: Callable[[], datetime] | None = None
) -> SqlStore:
    """Open a store; by default the one that `default_location` names.

    Raises:
        StoreUnavailableError: It cannot be opened.
        StoreCorruptError: It is damaged or no database.
        SchemaError: It is from a newer hypernb.
    """
    return SqlStore(location, clock=clock)


class SqlStore(Store):
    """A store in an SQLite file; see `hypernb.abc.Store` for what it promises.

    Opening brings an older database up to date. It can be pickled: the other process opens
    the same file.

    Args:
        location: Path or SQLAlchemy URL; by default `default_location`.
        synchronous: ``FULL`` or ``NORMAL``; by default ``HYPERNB_SYNCHRONOUS``, else ``FULL``.
        busy_timeout_s: How long to wait for another program's lock.
        clock: Where the time comes from.
    """

    def __init__(
        self,
        location: str | Path | None = None,
        *,
        synchronous: str | None = None,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.path = database_path(location if location is not None else default_location())
        if not self.path.parent.exists() and self.path.is_relative_to(home_folder()):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.url = f"sqlite:///{self.path}"
        self._options = (synchronous, busy_timeout_s)
        self._now = clock or utc_now
        self._database = Database(
            self.path, synchronous=synchronous, busy_timeout_s=busy_timeout_s
        )
        self._artifacts = Artifacts(artifact_folder(self.path), lambda: self._key)
        self._plans: OrderedDict[tuple[str, int, str], PlanSpec] = OrderedDict()
        self._plans_lock = threading.Lock()

    def __repr__(self) -> str:
        return f"SqlStore({str(self.path)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (str(self.path), *self._options)

    @functools.cached_property
    def _key(self) -> SigningKey:
        return SigningKey.load()

    # -- what sessions write ------------------------------------------------------------

    def create_mission(
        self, spec: PlanSpec, *, by: str, payloads: Mapping[Digest, Payload] | None = None
    ) -> MissionRecord:
        now, by = self._now(), clean(by)
        canonical, digest = _canonical(spec)
        prepared = self._artifacts.prepare_named(payloads or {})
        mission_id = MissionId(new_id())
        with self._database.writing() as connection:
            self._write_named(connection, payloads or {}, prepared, now)
            number = take_numbers(connection, "mission")
            connection.execute(
                insert(t.missions),
                {
                    "id": mission_id,
                    "number": number,
                    "short_id": short_id(number),
                    "state": MissionState.AWAITING_APPROVAL.value,
                    "created_at": now,
                    "by_user": by,
                    **_of_plan(spec, 1, digest),
                },
            )
            _write_plan(connection, mission_id, number, spec, (1, digest, canonical, now, by))
            append_event(
                connection,
                EventKind.MISSION_CREATED,
                now,
                mission_id,
                goal=clean(spec.goal)[:_GOAL_IN_EVENT],
                playbook=spec.playbook,
                by=by,
            )
            append_event(
                connection,
                EventKind.PLAN_PROPOSED,
                now,
                mission_id,
                **_proposal(spec, 1, digest, by),
            )
            return self._mission_by_id(connection, mission_id)

    def revise_plan(
        self,
        mission_id: MissionId,
        spec: PlanSpec,
        *,
        by: str,
        payloads: Mapping[Digest, Payload] | None = None,
    ) -> MissionRecord:
        now, by = self._now(), clean(by)
        canonical, digest = _canonical(spec)
        prepared = self._artifacts.prepare_named(payloads or {})
        with self._database.writing() as connection:
            mission = self._mission_by_id(connection, mission_id)
            _require_unapproved(mission, MissionState.AWAITING_APPROVAL)
            self._write_named(connection, payloads or {}, prepared, now)
            _leases.void(connection, f"mission:{mission_id}")
            revision = mission.revision + 1
            connection.execute(delete(t.tasks).where(t.tasks.c.mission_id == mission_id))
            connection.execute(
                update(t.missions)
                .where(t.missions.c.id == mission_id)
                .values(_of_plan(spec, revision, digest))
            )
            written = (revision, digest, canonical, now, by)
            _write_plan(connection, mission_id, mission.number, spec, written)
            append_event(
                connection,
                EventKind.PLAN_EDITED,
                now,
                mission_id,
                **_proposal(spec, revision, digest, by),
            )
            return self._mission_by_id(connection, mission_id)

    def approve(
        self, mission_id: MissionId, *, revision: int, plan_hash: str, by: str
    ) -> ApprovalRecord:
        now, by = self._now(), clean(by)
        with self._database.writing() as connection:
            mission = self._mission_by_id(connection, mission_id)
            _require_unapproved(mission, MissionState.RUNNING)
            _require_same_plan(mission, revision, plan_hash)
            # Approving twice is a second click, not a second decision.
            if (earlier := self._newest_approval(connection, mission)) is not None:
                return earlier
            signature = self._key.sign(
                _APPROVAL, *_signed(mission_id, revision, plan_hash, by, now)
            )
            record = ApprovalRecord(mission_id, revision, plan_hash, by, now, signature)
            connection.execute(
                insert(t.approvals),
                {
                    "mission_id": mission_id,
                    "revision": revision,
                    "plan_hash": plan_hash,
                    "by_user": by,
                    "at": now,
                    "signature": signature,
                },
            )
            _append_command(connection, "start", mission_id, {"revision": revision}, by, now)
            append_event(
                connection,
                EventKind.PLAN_APPROVED,
                now,
                mission_id,
                revision=revision,
                plan_hash=plan_hash,
                by=by,
            )
            return record

    def reject(self, mission_id: MissionId, *, reason: str, by: str) -> None:
        with self._database.writing() as connection:
            mission = self._mission_by_id(connection, mission_id)
            _require_unapproved(mission, MissionState.REJECTED)
            self._end_unstarted(
                connection, mission, MissionState.REJECTED, clean(reason), clean(by)
            )

    def send(
        self,
        kind: str,
        mission_id: MissionId | None,
        payload: Mapping[str, Any] | None = None,
        *,
        by: str,
    ) -> int:
        with self._database.writing() as connection:
            if mission_id is not None:
                self._mission_by_id(connection, mission_id)
            return _append_command(
                connection, kind, mission_id, payload or {}, clean(by), self._now()
            )

    def cancel_unstarted(self, mission_id: MissionId, *, by: str) -> bool:
        with self._database.writing() as connection:
            mission = self._mission_by_id(connection, mission_id)
            if mission.state is not MissionState.AWAITING_APPROVAL:
                return False
            self._end_unstarted(connection, mission, MissionState.CANCELLED, "", clean(by))
            return True

    def _end_unstarted(
        self,
        connection: Connection,
        mission: MissionRecord,
        state: MissionState,
        reason: str,
        by: str,
    ) -> None:
        now = self._now()
        transition(mission.state, state, name=mission.short_id)
        _leases.void(connection, f"mission:{mission.id}")
        connection.execute(
            update(t.missions)
            .where(t.missions.c.id == mission.id)
            .values(state=state.value, finished_at=now, error=reason)
        )
        connection.execute(
            update(t.tasks)
            .where(t.tasks.c.mission_id == mission.id)
            .values(state=TaskState.CANCELLED.value, finished_at=now)
        )
        connection.execute(
            update(t.commands)
            .where(t.commands.c.mission_id == mission.id, t.commands.c.answered_at.is_(None))
            .values(answered_at=now, outcome=f"mission {state.value}")
        )
        rejected = state is MissionState.REJECTED
        kind = EventKind.PLAN_REJECTED if rejected else EventKind.MISSION_FINISHED
        append_event(connection, kind, now, mission.id, state=state.value, reason=reason, by=by)
        if reason:
            _search.index(connection, [(reason, "event", mission.short_id, "", kind.value)])

    def _write_named(
        self,
        connection: Connection,
        payloads: Mapping[Digest, Payload],
        prepared: Sequence[Any],
        now: datetime,
    ) -> None:
        written = self._artifacts.write(connection, prepared, now) if prepared else []
        for digest, payload, given in zip(payloads, payloads.values(), written, strict=True):
            if digest != given:
                raise StoreError(
                    f"Artifact {digest[:12]} is in the store as another kind of value; "
                    f"it cannot be {payload.media_type!r} as well.",
                    hint="Wrap the value in a list.",
                )

    # -- what everybody reads -----------------------------------------------------------

    def missions(
        self, *, limit: int = 50, states: Sequence[MissionState] = ()
    ) -> list[MissionRecord]:
        statement = _rows.SELECT_MISSIONS.order_by(t.missions.c.number.desc()).limit(limit)
        if states:
            statement = statement.where(t.missions.c.state.in_([each.value for each in states]))
        with self._database.reading() as connection:
            return [_rows.mission(row) for row in connection.execute(statement)]

    def mission(self, ref: str) -> MissionRecord:
        parsed = parse_ref(ref)
        number = parsed[0] if parsed is not None and parsed[1] is None else None
        wanted = (
            t.missions.c.id == clean(ref) if number is None else t.missions.c.number == number
        )
        with self._database.reading() as connection:
            row = connection.execute(_rows.SELECT_MISSIONS.where(wanted)).one_or_none()
            if row is None:
                newest = select(t.missions.c.short_id).order_by(t.missions.c.number.desc())
                known = connection.execute(newest.limit(_NEAR_MISSES_AMONG)).scalars()
                raise UnknownMissionError(ref, known)
            return _rows.mission(row)

    def plan(self, mission_id: MissionId, revision: int | None = None) -> PlanSpec:
        with self._database.reading() as connection:
            mission = self._mission_by_id(connection, mission_id)
            wanted = mission.revision if revision is None else revision
            found = self._read_plan(connection, mission_id, wanted)
            if found is None:
                raise StoreError(
                    f"Mission {mission.short_id} has no plan revision {wanted}; the newest is "
                    f"{mission.revision}."
                )
            return found

    def approval(self, mission_id: MissionId) -> ApprovalRecord | None:
        with self._database.reading() as connection:
            records = self._read_approvals(connection, mission_id)
            if not records:
                return None
            if not self._is_signed(records[-1]):
                mission = self._mission_by_id(connection, mission_id)
                raise ApprovalError(
                    f"The approval of mission {mission.short_id} was not given by you on this "
                    "machine; it does not count.",
                    hint=f"%hyper show {mission.short_id} shows the plan, %hyper approve "
                    f"{mission.short_id} approves it anew while it awaits approval.",
                )
            return records[-1]

    def tasks(self, mission_id: MissionId) -> list[TaskRecord]:
        with self._database.reading() as connection:
            return _tasks_of(connection, mission_id)

    def attempts(self, mission_id: MissionId) -> list[AttemptRecord]:
        with self._database.reading() as connection:
            return _attempts_of(connection, mission_id)

    def events(
        self,
        mission_id: MissionId | None = None,
        *,
        after: int = 0,
        limit: int = 1000,
        kinds: Sequence[str] = (),
        newest: bool = False,
    ) -> list[Event]:
        seq = t.events.c.seq
        statement = _rows.SELECT_EVENTS.where(seq > after).limit(limit)
        statement = statement.order_by(seq.desc() if newest else seq)
        if mission_id is not None:
            statement = statement.where(t.events.c.mission_id == mission_id)
        if kinds:
            statement = statement.where(t.events.c.kind.in_([str(kind) for kind in kinds]))
        with self._database.reading() as connection:
            found = _rows.events(connection.execute(statement).all())
        return found[::-1] if newest else found

    def last_seq(self) -> int:
        with self._database.reading() as connection:
            return last_seq(connection)

    def snapshot(self, mission_id: MissionId, *, events: int = 100) -> MissionSnapshot:
        now = self._now()
        latest = (
            _rows.SELECT_EVENTS.where(
                t.events.c.mission_id == mission_id,
                t.events.c.kind != EventKind.TASK_HEARTBEAT.value,
            )
            .order_by(t.events.c.seq.desc())
            .limit(events)
        )
        with self._database.reading() as connection:
            mission = self._mission_by_id(connection, mission_id)
            approvals = self._read_approvals(connection, mission_id)
            return MissionSnapshot(
                seq=last_seq(connection),
                now=now,
                mission=mission,
                plan=self._read_plan(connection, mission_id, mission.revision),
                tasks=tuple(_tasks_of(connection, mission_id)),
                attempts=tuple(_attempts_of(connection, mission_id)),
                events=tuple(_rows.events(connection.execute(latest))[::-1]),
                findings=tuple(_findings_of(connection, mission_id)),
                approvals=tuple(each for each in approvals if self._is_signed(each)),
                runners=tuple(_live_leases(connection, "runner:", now)),
            )

    def findings(self, mission_id: MissionId) -> list[Finding]:
        with self._database.reading() as connection:
            return _findings_of(connection, mission_id)

    def find(self, text: str, *, limit: int = 50) -> list[SearchHit]:
        with self._database.reading() as connection:
            return _search.find(connection, text, limit)

    def query(
        self, sql: str, *, limit: int = 10_000, timeout_s: float = 30.0
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        return run_query(self._database, sql, limit=limit, timeout_s=timeout_s)

    def artifact(self, digest: Digest) -> tuple[ArtifactRecord, bytes]:
        with self._database.reading() as connection:
            return self._artifacts.read(connection, digest)

    def put_artifact(self, payload: Payload) -> Digest:
        return self.put_artifacts([payload])[0]

    def put_artifacts(self, payloads: Sequence[Payload]) -> list[Digest]:
        if not payloads:
            return []
        prepared = self._artifacts.prepare(payloads)
        with self._database.writing() as connection:
            return self._artifacts.write(connection, prepared, self._now())

    def changed(self) -> bool:
        return self._database.changed()

    # -- what runners write -------------------------------------------------------------

    def take_lease(
        self, resource: str, holder: RunnerId, ttl: timedelta, facts: Mapping[str, Any]
    ) -> LeaseRecord | None:
        now = self._now()
        asked = LeaseRecord(resource, holder, 0, now + ttl, dict(facts))
        with self._database.writing() as connection:
            taken = _leases.take(connection, asked, now)
            if taken is None:
                return None
            lease, before = taken
            if before is not None and before.holder:
                # Nobody gave it back: the holder before died, or was silent for too long.
                append_event(
                    connection,
                    EventKind.LEASE_TAKEN,
                    now,
                    _mission_of(connection, resource),
                    resource=resource,
                    holder=holder,
                    token=lease.token,
                    before=before.holder,
                )
            return lease

    def renew_lease(
        self, lease: LeaseRecord, ttl: timedelta, facts: Mapping[str, Any]
    ) -> LeaseRecord:
        longer = LeaseRecord(
            lease.resource, lease.holder, lease.token, self._now() + ttl, dict(facts)
        )
        with self._database.writing() as connection:
            return _leases.renew(connection, longer)

    def release_lease(self, lease: LeaseRecord) -> None:
        with self._database.writing() as connection:
            _leases.release(connection, lease, self._now())

    def leases(self, prefix: str = "", *, live: bool = True) -> list[LeaseRecord]:
        with self._database.reading() as connection:
            if live:
                return _live_leases(connection, prefix, self._now())
            return _leases_of(connection, prefix)

    def commands(self, *, after: int = 0, limit: int = 1000) -> list[CommandRecord]:
        statement = (
            _rows.SELECT_COMMANDS.where(
                t.commands.c.answered_at.is_(None), t.commands.c.seq > after
            )
            .order_by(t.commands.c.seq)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return _rows.commands(connection.execute(statement))

    def answer_command(self, seq: int, outcome: str) -> None:
        with self._database.writing() as connection:
            connection.execute(
                update(t.commands)
                .where(t.commands.c.seq == seq, t.commands.c.answered_at.is_(None))
                .values(answered_at=self._now(), outcome=clean(outcome))
            )

    def runnable_missions(self) -> list[MissionRecord]:
        held = (MissionState.RUNNING.value, MissionState.PAUSED.value)
        approved = select(t.approvals.c.mission_id).where(
            t.approvals.c.mission_id == t.missions.c.id,
            t.approvals.c.revision == t.missions.c.revision,
        )
        waiting = t.missions.c.state == MissionState.AWAITING_APPROVAL.value
        statement = _rows.SELECT_MISSIONS.where(
            or_(t.missions.c.state.in_(held), waiting & approved.exists())
        ).order_by(t.missions.c.priority.desc(), t.missions.c.number)
        with self._database.reading() as connection:
            found = [_rows.mission(row) for row in connection.execute(statement)]
            return [
                mission
                for mission in found
                if mission.state is not MissionState.AWAITING_APPROVAL
                or self._newest_approval(connection, mission) is not None
            ]

    def commit(
        self, mission_id: MissionId, lease: LeaseRecord, changes: Sequence[Change]
    ) -> int:
        try:
            with self._database.writing() as connection:
                return write_changes(connection, mission_id, lease, changes)
        except StoreError as error:
            if isinstance(error.__cause__, IntegrityError):
                raise StoreError(
                    "A change names an output that is not in the store; nothing was written.",
                    hint="put_artifacts stores outputs before the commit that names them.",
                ) from error
            raise

    def heartbeat(self, beats: Mapping[TaskId, datetime]) -> None:
        if beats:
            with self._database.writing() as connection:
                _BEAT.run(connection, [(task, utc_text(at)) for task, at in beats.items()])

    def record(self, kind: str, payload: Mapping[str, Any]) -> int:
        with self._database.writing() as connection:
            return append_event(connection, str(kind), self._now(), None, **payload)

    # -- upkeep -------------------------------------------------------------------------

    def backup(self, target: Path) -> Path:
        return write_backup(self._database, Path(target), self._now())

    def check(self) -> list[str]:
        return list(problems(self._database, self._artifacts.folder))

    def close(self) -> None:
        self._database.close()

    # -- reading inside a transaction ---------------------------------------------------

    def _mission_by_id(self, connection: Connection, mission_id: MissionId) -> MissionRecord:
        statement = _rows.SELECT_MISSIONS.where(t.missions.c.id == mission_id)
        row = connection.execute(statement).one_or_none()
        if row is None:
            raise UnknownMissionError(mission_id)
        return _rows.mission(row)

    def _read_plan(
        self, connection: Connection, mission_id: MissionId, revision: int
    ) -> PlanSpec | None:
        plans = t.plans.c
        where = (plans.mission_id == mission_id) & (plans.revision == revision)
        digest = connection.execute(select(plans.hash).where(where)).scalar()
        if digest is None:
            return None
        key = (str(mission_id), revision, str(digest))
        with self._plans_lock:
            if key in self._plans:
                self._plans.move_to_end(key)
                return self._plans[key]
        text = connection.execute(select(plans.spec).where(where)).scalar_one()
        spec = PlanSpec.model_validate_json(text)
        if spec.hash != digest:
            raise StoreCorruptError(
                f"Revision {revision} of the plan is not the one that its hash was made of.",
                hint="It was changed outside hypernb; start the mission anew.",
            )
        with self._plans_lock:
            self._plans[key] = spec
            if len(self._plans) > _PLANS_KEPT:
                self._plans.popitem(last=False)
        return spec

    def _read_approvals(
        self, connection: Connection, mission_id: MissionId
    ) -> list[ApprovalRecord]:
        statement = _rows.SELECT_APPROVALS.where(t.approvals.c.mission_id == mission_id)
        return _rows.approvals(connection.execute(statement.order_by(t.approvals.c.id)))

    def _newest_approval(
        self, connection: Connection, mission: MissionRecord
    ) -> ApprovalRecord | None:
        """Return the newest approval if it is signed and of the newest revision."""
        records = self._read_approvals(connection, mission.id)
        if not records:
            return None
        newest = records[-1]
        fits = (newest.revision, newest.plan_hash) == (mission.revision, mission.plan_hash)
        return newest if fits and self._is_signed(newest) else None

    def _is_signed(self, record: ApprovalRecord) -> bool:
        parts = _signed(
            record.mission_id, record.revision, record.plan_hash, record.by, record.at
        )
        return self._key.verify(record.signature, _APPROVAL, *parts)


def _reopened(location: str, synchronous: str | None, busy_timeout_s: float) -> SqlStore:
    return SqlStore(location, synchronous=synchronous, busy_timeout_s=busy_timeout_s)


def _canonical(spec: PlanSpec) -> tuple[str, str]:
    try:
        return spec.canonical().decode(), spec.hash
    except (TypeError, ValueError) as error:
        raise PlanError(
            f"The plan cannot be written down: {error}.",
            hint="Parameters of a plan are JSON values: texts, numbers, lists, objects.",
        ) from error


def _of_plan(spec: PlanSpec, revision: int, digest: str) -> dict[str, Any]:
    return {
        "goal": clean(spec.goal),
        "playbook": clean(spec.playbook),
        "planned_by": clean(spec.planned_by),
        "root": clean(spec.root),
        "priority": spec.priority,
        "revision": revision,
        "plan_hash": digest,
    }


def _proposal(spec: PlanSpec, revision: int, digest: str, by: str) -> dict[str, Any]:
    return {
        "revision": revision,
        "plan_hash": digest,
        "tasks": len(spec.tasks),
        "planned_by": spec.planned_by,
        "by": by,
    }


def _write_plan(
    connection: Connection,
    mission_id: MissionId,
    number: int,
    spec: PlanSpec,
    written: tuple[int, str, str, datetime, str],
) -> None:
    row = dict(zip(("revision", "hash", "spec", "at", "by_user"), written, strict=True))
    connection.execute(insert(t.plans), row | {"mission_id": mission_id})
    if spec.tasks:
        connection.execute(
            insert(t.tasks),
            [
                {
                    "id": new_id(),
                    "mission_id": mission_id,
                    "number": place,
                    "name": clean(task.name),
                    "state": TaskState.PENDING.value,
                    "agent": clean(task.agent),
                    "goal": clean(task.goal),
                }
                for place, task in enumerate(spec.tasks, 1)
            ],
        )
    mission = short_id(number)
    goals = [_search.goal_row(mission, spec.goal)]
    goals += [
        _search.goal_row(mission, task.goal, clean(task.name))
        for task in spec.tasks
        if task.goal and task.goal != spec.goal
    ]
    if written[0] > 1:
        _search.forget_goals(connection, mission)
    _search.index(connection, goals)


def _append_command(
    connection: Connection,
    kind: str,
    mission_id: MissionId | None,
    payload: Mapping[str, Any],
    by: str,
    now: datetime,
) -> int:
    row = {
        "kind": kind,
        "mission_id": mission_id,
        "payload": dict(payload),
        "by_user": by,
        "at": now,
    }
    statement = insert(t.commands).returning(t.commands.c.seq)
    return int(connection.execute(statement, row).scalar_one())


def _require_unapproved(mission: MissionRecord, after: MissionState) -> None:
    if mission.state is not MissionState.AWAITING_APPROVAL:
        raise TransitionError(
            "mission",
            mission.short_id,
            mission.state.value,
            after.value,
            hint=f"%hyper show {mission.short_id} shows it.",
        )


def _require_same_plan(mission: MissionRecord, revision: int, plan_hash: str) -> None:
    if revision != mission.revision:
        raise ApprovalError(
            f"Revision {revision} of the plan of {mission.short_id} is not the newest: "
            f"that is {mission.revision}.",
            hint=f"%hyper show {mission.short_id} shows it.",
        )
    if plan_hash != mission.plan_hash:
        raise ApprovalError(
            f"The approval is for another plan than revision {revision} of {mission.short_id}: "
            f"its hash is {mission.plan_hash[:12]}, not {plan_hash[:12]!r}.",
            hint=f"%hyper show {mission.short_id} shows the plan that is there.",
        )


def _signed(
    mission_id: str, revision: int, plan_hash: str, by: str, at: datetime
) -> tuple[str, ...]:
    return mission_id, str(revision), plan_hash, by, utc_text(at)


def _tasks_of(connection: Connection, mission_id: MissionId) -> list[TaskRecord]:
    statement = _rows.SELECT_TASKS.where(t.tasks.c.mission_id == mission_id)
    return _rows.tasks(connection.execute(statement.order_by(t.tasks.c.number)).all())


def _attempts_of(connection: Connection, mission_id: MissionId) -> list[AttemptRecord]:
    attempts = t.attempts.c
    statement = _rows.SELECT_ATTEMPTS.where(attempts.mission_id == mission_id)
    ordered = statement.order_by(attempts.started_at, attempts.task_id, attempts.number)
    return _rows.attempts(connection.execute(ordered).all())


def _findings_of(connection: Connection, mission_id: MissionId) -> list[Finding]:
    statement = _rows.SELECT_FINDINGS.where(t.findings.c.mission_id == mission_id)
    return _rows.findings(connection.execute(statement.order_by(t.findings.c.id)))


def _leases_of(connection: Connection, prefix: str) -> list[LeaseRecord]:
    statement = _rows.SELECT_LEASES.order_by(t.leases.c.resource)
    if prefix:
        statement = statement.where(t.leases.c.resource.startswith(prefix, autoescape=True))
    return _rows.leases(connection.execute(statement))


def _live_leases(connection: Connection, prefix: str, now: datetime) -> list[LeaseRecord]:
    return [each for each in _leases_of(connection, prefix) if _leases.is_live(each, now)]


def _mission_of(connection: Connection, resource: str) -> str | None:
    kind, _, name = resource.partition(":")
    if kind != "mission":
        return None
    known = select(t.missions.c.id).where(t.missions.c.id == name)
    return connection.execute(known).scalar()
