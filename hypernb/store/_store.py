"""The store on SQLAlchemy Core: each method one transaction, values in and values out."""

from __future__ import annotations

import functools
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, literal_column, or_, select, tuple_, update

from hypernb.abc import Store
from hypernb.errors import StoreCorruptError, StoreError
from hypernb.model import (
    EventKind,
    LeaseRecord,
    MissionId,
    MissionSnapshot,
    MissionState,
    RunnerId,
    TaskState,
    new_id,
    short_id,
)
from hypernb.store import (
    _agent_states,
    _cache,
    _calls,
    _kernel_calls,
    _leases,
    _messages,
    _plannings,
    _resources,
    _rows,
    _search,
    _since,
    _summaries,
)
from hypernb.store import _tables as t
from hypernb.store._amendments import Amendments
from hypernb.store._approvals import Approvals, not_yours, require_same_plan
from hypernb.store._artifacts import Artifacts
from hypernb.store._backend import open_backend
from hypernb.store._bulk import Bulk
from hypernb.store._commit import check_lease, write_changes
from hypernb.store._database import BUSY_TIMEOUT_S
from hypernb.store._decisions import (
    append_command,
    append_comment,
    end_unstarted,
    require_revision,
    require_unapproved,
)
from hypernb.store._events import append_event, last_seq, take_numbers
from hypernb.store._failures import breaks_a_reference
from hypernb.store._forks import share
from hypernb.store._keys import SigningKey
from hypernb.store._lacking import KeysNeeded, amended, lacking, still_asked
from hypernb.store._location import database_file, default_location
from hypernb.store._plans import PlanReader, Proposal, write_plan
from hypernb.store._reading import (
    as_if_newest,
    attempts_of,
    durations_before,
    findings_of,
    leases_of,
    mission_by_id,
    mission_by_ref,
    past_before,
    perhaps_runnable,
    tasks_of,
    tasks_that_made,
    totals,
    usage_of,
)
from hypernb.store._upkeep import Sweeper
from hypernb.store._values import clean, utc_now, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, Select

    from hypernb.abc import Payload
    from hypernb.model import (
        AgentMessage,
        Amendment,
        ApprovalRecord,
        ArtifactRecord,
        AttemptRecord,
        CacheStats,
        CallRecord,
        Change,
        CommandRecord,
        Digest,
        Event,
        Finding,
        KernelCall,
        MissionRecord,
        MissionSummary,
        ModelSpec,
        Past,
        PlanSpec,
        Quote,
        Resource,
        ResourceUse,
        Retention,
        SearchHit,
        Since,
        Swept,
        TaskHistory,
        TaskId,
        TaskRecord,
        UsageRecord,
        UsageSum,
        Wait,
    )

_GOAL_IN_EVENT: Final = 500
_FINGERPRINT_DIGITS: Final = 16
_HITS_AT_MOST: Final = 1_000_000
_ACTIVE: Final = tuple(state.value for state in TaskState if state.is_active)
_WAITING_COMMANDS: Final = (
    _rows.SELECT_COMMANDS.where(
        t.commands.c.answered_at.is_(None), t.commands.c.seq > bindparam("after")
    )
    .order_by(t.commands.c.seq)
    .limit(bindparam("most"))
)
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
    """A store in an SQLite file or on a PostgreSQL server; see `hypernb.abc.Store`.

    Opening brings an older database up to date. It can be pickled: the other process opens
    the same database.

    Args:
        location: Path or SQLAlchemy URL; by default `default_location`.
        synchronous: ``FULL`` or ``NORMAL``; by default ``HYPERNB_SYNCHRONOUS``, else ``FULL``.
        busy_timeout_s: How long to wait for another program's lock.
        clock: Where the time comes from.
        monotonic: Seconds that never go backwards; by them other holders' silence is judged.
    """

    def __init__(
        self,
        location: str | Path | None = None,
        *,
        synchronous: str | None = None,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        clock: Callable[[], datetime] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = (synchronous, busy_timeout_s)
        self._now = clock or utc_now
        self._clock = clock
        self._watch = _leases.Watch(monotonic)
        self._database = open_backend(
            location if location is not None else default_location(),
            synchronous=synchronous,
            busy_timeout_s=busy_timeout_s,
        )
        self.url = self._database.url
        self._artifacts = Artifacts(self._database.artifacts, lambda: self._key)
        self._approvals = Approvals(lambda: self._key)
        self._amendments = Amendments(lambda: self._key, self._approvals)
        self._plans = PlanReader()
        self._keys_needed = KeysNeeded()

    def __repr__(self) -> str:
        return f"SqlStore({self.url!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self.url, *self._options)

    @property
    def path(self) -> Path:
        """The file of the database.

        Raises:
            StoreError: It is on a server.
        """
        file = database_file(self.url)
        if file is None:
            raise StoreError(f"{self.url!r} is not a file.")
        return file

    @functools.cached_property
    def _key(self) -> SigningKey:
        return SigningKey.load()

    # -- what sessions write ------------------------------------------------------------

    def create_mission(
        self,
        spec: PlanSpec,
        *,
        by: str,
        payloads: Mapping[Digest, Payload] | None = None,
        forked_from: MissionId | None = None,
        forked_at: str = "",
        planning: Sequence[CallRecord] = (),
    ) -> MissionRecord:
        now, forked_at = self._now(), clean(forked_at)
        proposal = Proposal.of(spec, revision=1, by=clean(by))
        prepared = self._artifacts.prepare_named(payloads or {})
        with self._database.writing() as connection:
            self._artifacts.write_named(connection, prepared, now)
            origin = mission_by_id(connection, forked_from) if forked_from else None
            fork = {}
            if origin is not None:
                fork = {"forked_from": origin.short_id, "forked_at": forked_at}
            state = MissionState.AWAITING_APPROVAL
            mission_id = _insert_mission(connection, proposal, state, now, fork, fork)
            _calls.take_over(connection, planning, mission_id)
            proposed = proposal.facts()
            append_event(connection, EventKind.PLAN_PROPOSED, now, proposed, mission_id)
            mission = mission_by_id(connection, mission_id)
            share(connection, self._plans, mission, spec, now)
            return mission

    def begin_planning(
        self,
        spec: PlanSpec,
        call: CallRecord,
        *,
        by: str,
        ttl: timedelta,
        facts: Mapping[str, Any],
        payloads: Mapping[Digest, Payload] | None = None,
    ) -> tuple[MissionRecord, LeaseRecord]:
        now = self._now()
        proposal = Proposal.of(spec, revision=1, by=clean(by))
        prepared = self._artifacts.prepare_named(payloads or {})
        with self._database.writing() as connection:
            self._artifacts.write_named(connection, prepared, now)
            state = MissionState.PLANNING
            told = {"is_planned": True}
            mission_id = _insert_mission(connection, proposal, state, now, {}, told)
            resource = f"mission:{mission_id}"
            asked = _leases.asked_for(resource, RunnerId(new_id()), ttl, facts, now)
            taken = _leases.take(connection, asked, self._watch)
            assert taken is not None  # noqa: S101 - nobody else knows of the mission yet
            _plannings.note(connection, mission_id, call)
            return mission_by_id(connection, mission_id), taken[0]

    def note_planning(
        self,
        lease: LeaseRecord,
        call: CallRecord,
        *,
        payloads: Mapping[Digest, Payload] | None = None,
    ) -> None:
        now = self._now()
        prepared = self._artifacts.prepare_named(payloads or {})
        with self._database.writing() as connection:
            mission = _plannings.mission_of(connection, lease)
            self._artifacts.write_named(connection, prepared, now)
            _plannings.note(connection, mission.id, call)

    def propose_plan(
        self,
        lease: LeaseRecord,
        spec: PlanSpec,
        *,
        by: str,
        payloads: Mapping[Digest, Payload] | None = None,
    ) -> MissionRecord:
        now = self._now()
        proposal = Proposal.of(spec, revision=1, by=clean(by))
        prepared = self._artifacts.prepare_named(payloads or {})
        with self._database.writing() as connection:
            mission = _plannings.mission_of(connection, lease)
            self._artifacts.write_named(connection, prepared, now)
            return _plannings.propose(connection, mission, proposal, now)

    def end_planning(
        self, lease: LeaseRecord, state: MissionState, reason: str, *, by: str
    ) -> MissionRecord | None:
        now, by, reason = self._now(), clean(by), clean(reason)
        with self._database.writing() as connection:
            mission = _plannings.mission_of(connection, lease)
            if not _plannings.has_used(connection, mission.id):
                _plannings.drop(connection, mission, now)
                return None
            return _plannings.end(connection, mission, state, reason=reason, by=by, now=now)

    def end_lost_plannings(self, *, by: str) -> list[MissionRecord]:
        now = self._now()
        with self._database.reading() as connection:
            # Asked at every look into the store, where a look is no write.
            if not _plannings.lost(connection, now):
                return []
        with self._database.writing() as connection:
            return _plannings.end_lost(connection, by=clean(by), now=now)

    def revise_plan(
        self,
        mission_id: MissionId,
        spec: PlanSpec,
        *,
        by: str,
        payloads: Mapping[Digest, Payload] | None = None,
        revision: int | None = None,
    ) -> MissionRecord:
        now = self._now()
        draft = Proposal.of(spec, revision=0, by=clean(by))
        prepared = self._artifacts.prepare_named(payloads or {})
        with self._database.writing() as connection:
            mission = mission_by_id(connection, mission_id)
            require_unapproved(mission, MissionState.AWAITING_APPROVAL)
            require_revision(mission, revision)
            proposal = replace(draft, revision=mission.revision + 1)
            _leases.void(connection, f"mission:{mission_id}")
            self._artifacts.write_named(connection, prepared, now)
            connection.execute(
                update(t.missions)
                .where(t.missions.c.id == mission_id)
                .values(proposal.columns())
            )
            write_plan(connection, mission_id, mission.number, proposal, now)
            append_event(connection, EventKind.PLAN_EDITED, now, proposal.facts(), mission_id)
            revised = mission_by_id(connection, mission_id)
            share(connection, self._plans, revised, spec, now)
            return revised

    def approve(
        self,
        mission_id: MissionId,
        *,
        revision: int,
        plan_hash: str,
        by: str,
        quotes: Sequence[Quote] = (),
    ) -> ApprovalRecord:
        now, by = self._now(), clean(by)
        with self._database.writing() as connection:
            mission = mission_by_id(connection, mission_id)
            require_unapproved(mission, MissionState.RUNNING)
            require_same_plan(mission, revision, plan_hash)
            # Approving twice is a second click, not a second decision.
            if (earlier := self._approvals.in_force(connection, mission)) is not None:
                return earlier
            given = self._approvals.give(connection, mission, by=by, now=now)
            start = {"revision": revision}
            append_command(connection, "start", mission_id, start, by=by, now=now)
            facts: dict[str, Any] = {"revision": revision, "plan_hash": plan_hash, "by": by}
            if quotes:
                facts["quotes"] = [each.facts() for each in quotes]
            append_event(connection, EventKind.PLAN_APPROVED, now, facts, mission_id)
            return given

    def reject(self, mission_id: MissionId, *, reason: str, by: str) -> None:
        with self._database.writing() as connection:
            mission = mission_by_id(connection, mission_id)
            require_unapproved(mission, MissionState.REJECTED)
            end_unstarted(
                connection,
                mission,
                MissionState.REJECTED,
                reason=clean(reason),
                by=clean(by),
                now=self._now(),
            )

    def comment(self, mission_id: MissionId, text: str, *, task: str = "", by: str) -> int:
        facts = {"text": clean(text), "by": clean(by)}
        with self._database.writing() as connection:
            mission = mission_by_id(connection, mission_id)
            return append_comment(connection, mission, clean(task), facts, now=self._now())

    def send(
        self,
        kind: str,
        mission_id: MissionId | None,
        payload: Mapping[str, Any] | None = None,
        *,
        by: str,
    ) -> int:
        now = self._now()
        with self._database.writing() as connection:
            if mission_id is not None:
                mission_by_id(connection, mission_id)
            return append_command(
                connection, kind, mission_id, payload or {}, by=clean(by), now=now
            )

    def cancel_unstarted(self, mission_id: MissionId, *, by: str) -> bool:
        now, by = self._now(), clean(by)
        with self._database.writing() as connection:
            mission = mission_by_id(connection, mission_id)
            state = MissionState.CANCELLED
            if mission.state is MissionState.PLANNING:
                _plannings.end(connection, mission, state, reason="", by=by, now=now)
                return True
            if mission.state is not MissionState.AWAITING_APPROVAL:
                return False
            end_unstarted(connection, mission, state, reason="", by=by, now=now)
            return True

    # -- what everybody reads -----------------------------------------------------------

    def missions(
        self, *, limit: int = 50, states: Sequence[MissionState] = ()
    ) -> list[MissionRecord]:
        statement = _rows.SELECT_MISSIONS.order_by(t.missions.c.number.desc()).limit(limit)
        if states:
            statement = statement.where(t.missions.c.state.in_([each.value for each in states]))
        with self._database.reading() as connection:
            return [_rows.mission(row) for row in connection.execute(statement)]

    def totals(self) -> tuple[int, float]:
        with self._database.reading() as connection:
            return totals(connection)

    def summaries(
        self,
        *,
        text: str = "",
        states: Sequence[MissionState] = (),
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[list[MissionSummary], int]:
        wanted = _summaries.Wanted(text, tuple(states), max(limit, 0), max(offset, 0))
        with self._database.reading() as connection:
            return _summaries.read(connection, wanted, self._approvals)

    def mission(self, ref: str) -> MissionRecord:
        with self._database.reading() as connection:
            return mission_by_ref(connection, ref)

    def plan(self, mission_id: MissionId, revision: int | None = None) -> PlanSpec:
        with self._database.reading() as connection:
            mission = mission_by_id(connection, mission_id)
            wanted = mission.revision if revision is None else revision
            # What a mission says of its plan is what approvals are compared with.
            plan_hash = mission.plan_hash if wanted == mission.revision else None
            found = self._plans.read(connection, mission_id, wanted, plan_hash=plan_hash)
            if found is None:
                raise StoreError(
                    f"Mission {mission.short_id} has no plan revision {wanted}; the newest is "
                    f"{mission.revision}."
                )
            return found

    def approval(self, mission_id: MissionId) -> ApprovalRecord | None:
        with self._database.reading() as connection:
            records = self._approvals.read(connection, mission_id)
            if records and not self._approvals.is_signed(records[-1]):
                raise not_yours(mission_by_id(connection, mission_id))
            return records[-1] if records else None

    def tasks(self, mission_id: MissionId) -> list[TaskRecord]:
        with self._database.reading() as connection:
            return tasks_of(connection, mission_id)

    def tasks_with_output(self, output: Digest, *, limit: int = 50) -> list[TaskRecord]:
        with self._database.reading() as connection:
            return tasks_that_made(connection, output, limit)

    def attempts(self, mission_id: MissionId) -> list[AttemptRecord]:
        with self._database.reading() as connection:
            return attempts_of(connection, mission_id)

    def durations(self, mission_id: MissionId) -> dict[str, float]:
        with self._database.reading() as connection:
            return durations_before(connection, mission_by_id(connection, mission_id))

    def past(self, mission_id: MissionId) -> Past:
        with self._database.reading() as connection:
            return past_before(connection, mission_by_id(connection, mission_id))

    def past_of(self, spec: PlanSpec) -> Past:
        with self._database.reading() as connection:
            return past_before(connection, as_if_newest(spec, self._now()))

    def events(  # noqa: PLR0913 - as in `hypernb.abc.Store`
        self,
        mission_id: MissionId | None = None,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int = 1000,
        kinds: Sequence[str] = (),
        without: Sequence[str] = (),
        task: str | None = None,
        agent: str | None = None,
        newest: bool = False,
    ) -> list[Event]:
        column = t.events.c
        statement = _rows.SELECT_EVENTS.where(column.seq > after).limit(limit)
        if before is not None:
            statement = statement.where(column.seq < before)
        statement = statement.order_by(column.seq.desc() if newest else column.seq)
        if mission_id is not None:
            statement = statement.where(column.mission_id == mission_id)
        if kinds:
            statement = statement.where(column.kind.in_([str(kind) for kind in kinds]))
        if without:
            statement = statement.where(column.kind.not_in([str(kind) for kind in without]))
        if task is not None:
            statement = statement.where(column.task == task)
        if agent is not None:
            whose = tuple_(column.mission_id, column.task)
            statement = statement.where(whose.in_(_names_of(agent, mission_id)))
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
            mission = mission_by_id(connection, mission_id)
            approvals = self._approvals.read(connection, mission_id)
            plan = None  # what stands for one while it is made has no task
            if mission.state is not MissionState.PLANNING:
                plan = self._plans.read(connection, mission_id, mission.revision)
            return MissionSnapshot(
                seq=last_seq(connection),
                now=now,
                mission=mission,
                plan=plan,
                tasks=tuple(tasks_of(connection, mission_id)),
                attempts=tuple(attempts_of(connection, mission_id)),
                events=tuple(_rows.events(connection.execute(latest))[::-1]),
                findings=tuple(findings_of(connection, mission_id)),
                approvals=tuple(each for each in approvals if self._approvals.is_signed(each)),
                runners=tuple(self._held(leases_of(connection, "runner:"))),
                lacks=self._lacks(connection, mission),
            )

    def since(
        self, mission_id: MissionId, after: int, *, limit: int = 1000, paid: int = 0
    ) -> Since:
        asked = {"mission": mission_id, "after": after, "most": limit, "paid": paid}
        text = self._database.glance(_since.STATEMENTS[self._database.kind], asked)
        found = _since.read(text, mission_id, after, limit=limit, paid=paid)
        if self._keys_needed.has_none(found.mission):
            return found
        with self._database.reading() as connection:
            return replace(found, lacks=self._lacks(connection, found.mission))

    def _lacks(self, connection: Connection, mission: MissionRecord) -> tuple[str, ...]:
        keys = self._keys_needed.of(connection, mission)
        if (
            not keys
            or self._approvals.in_force(connection, mission) is None
            or self._held(leases_of(connection, f"mission:{mission.id}"))
        ):
            return ()
        if keys := amended(keys, self._amendments.read(connection, mission)):
            with suppress(StoreCorruptError):  # whoever reads the plan is told of it
                plan = self._plans.read(connection, mission.id, mission.revision)
                keys = still_asked(keys, plan, tasks_of(connection, mission.id))
        return lacking(keys, self._held(leases_of(connection, "runner:")))

    def count_events(self, mission_id: MissionId, *, until: int) -> int:
        asked = {"mission": mission_id, "until": until}
        return int(self._database.glance(_since.COUNT, asked))

    def findings(self, mission_id: MissionId) -> list[Finding]:
        with self._database.reading() as connection:
            return findings_of(connection, mission_id)

    def usage(self, mission_id: MissionId) -> list[UsageRecord]:
        with self._database.reading() as connection:
            return usage_of(connection, mission_id)

    def find(self, text: str, *, limit: int = 50) -> list[SearchHit]:
        with self._database.reading() as connection:
            return _search.find(connection, text, max(0, min(limit, _HITS_AT_MOST)))

    def query(
        self, sql: str, *, limit: int = 10_000, timeout_s: float = 30.0
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        return self._database.query(sql, limit=limit, timeout_s=timeout_s)

    def artifact(self, digest: Digest) -> tuple[ArtifactRecord, bytes]:
        with self._database.reading() as connection:
            return self._artifacts.read(connection, digest)

    def artifact_record(self, digest: Digest) -> ArtifactRecord | None:
        with self._database.reading() as connection:
            return self._artifacts.record(connection, digest)

    def put_artifact(self, payload: Payload) -> Digest:
        return self.put_artifacts([payload])[0]

    def put_artifacts(self, payloads: Sequence[Payload]) -> list[Digest]:
        if not payloads:
            return []
        prepared = self._artifacts.prepare(payloads)
        with self._database.writing(ahead=True) as connection:
            return self._artifacts.write(connection, prepared, self._now())

    def changed(self) -> bool:
        return self._database.changed()

    def limit_resource(
        self,
        name: str,
        *,
        at_once: int | None = None,
        rate_per_s: float | None = None,
        burst: int = 1,
    ) -> Resource:
        with self._database.writing() as connection:
            return _resources.limit(
                connection, name, at_once=at_once, rate_per_s=rate_per_s, burst=burst
            )

    def resources(self) -> list[ResourceUse]:
        with self._database.reading() as connection:
            return _resources.uses(connection, self._shared_now(connection))

    # -- what runners write -------------------------------------------------------------

    def take_lease(
        self, resource: str, holder: RunnerId, ttl: timedelta, facts: Mapping[str, Any]
    ) -> LeaseRecord | None:
        now = self._now()
        asked = _leases.asked_for(resource, holder, ttl, facts, now)
        with self._database.writing() as connection:
            taken = _leases.take(connection, asked, self._watch)
            if taken is None:
                return None
            lease, before = taken
            if before is not None and before.holder:
                _leases.tell_of_taking(connection, lease, before, now)
            return lease

    def renew_lease(
        self, lease: LeaseRecord, ttl: timedelta, facts: Mapping[str, Any]
    ) -> LeaseRecord:
        longer = _leases.renewed(lease, ttl, facts, self._now())
        with self._database.writing() as connection:
            return _leases.renew(connection, longer)

    def release_lease(self, lease: LeaseRecord) -> None:
        with self._database.writing() as connection:
            _leases.release(connection, lease, self._now())

    def leases(self, prefix: str = "", *, live: bool = True) -> list[LeaseRecord]:
        with self._database.reading() as connection:
            found = leases_of(connection, prefix)
        return self._held(found) if live else found

    def _held(self, leases: Sequence[LeaseRecord]) -> list[LeaseRecord]:
        now = self._now()
        return [
            each
            for each in leases
            if _leases.seems_held(each, now) and not self._watch.is_silent(each)
        ]

    def commands(self, *, after: int = 0, limit: int = 1000) -> list[CommandRecord]:
        with self._database.reading() as connection:
            return _rows.commands(
                connection.execute(_WAITING_COMMANDS, {"after": after, "most": limit})
            )

    def answer_command(self, seq: int, outcome: str) -> None:
        with self._database.writing() as connection:
            connection.execute(
                update(t.commands)
                .where(t.commands.c.seq == seq, t.commands.c.answered_at.is_(None))
                .values(answered_at=self._now(), outcome=clean(outcome))
            )

    def runnable_missions(self) -> list[MissionRecord]:
        waiting = MissionState.AWAITING_APPROVAL
        with self._database.reading() as connection:
            return [
                mission
                for mission in perhaps_runnable(connection)
                if mission.state is not waiting
                or self._approvals.in_force(connection, mission) is not None
            ]

    def commit(
        self,
        mission_id: MissionId,
        lease: LeaseRecord,
        changes: Sequence[Change],
        *,
        patient: bool = True,
    ) -> int:
        try:
            with self._database.writing(patient=patient) as connection:
                return write_changes(connection, mission_id, lease, changes, self._shared_now)
        except StoreError as error:
            if breaks_a_reference(error.__cause__):
                raise StoreError(
                    "A change names an output that is not in the store; nothing was written.",
                    hint="put_artifacts stores outputs before the commit that names them.",
                ) from error
            raise

    def take_permits(
        self, lease: LeaseRecord, task_id: TaskId, attempt: int, names: Sequence[str]
    ) -> Wait | None:
        mission_id = MissionId(lease.resource.removeprefix("mission:"))
        key = (task_id, attempt)
        with self._database.reading() as connection:
            # Whoever waits asks often, and a look is no write.
            at = self._shared_now(connection)
            if (wait := _resources.hurdle(connection, key, names, at)) is not None:
                return wait
        with self._database.writing() as connection:
            check_lease(connection, lease, f"mission:{mission_id}")
            # The time of now: it may have taken a while until this was the one to write.
            at = self._shared_now(connection)
            return _resources.take(connection, mission_id, key, names, at)

    def _shared_now(self, connection: Connection) -> datetime:
        """Return the time that all machines share which use the store."""
        if self._clock is not None:
            return self._clock()
        return self._database.now(connection)

    def heartbeat(self, beats: Mapping[TaskId, datetime]) -> None:
        if beats:
            with self._database.writing() as connection:
                _BEAT.run(connection, [(task, utc_text(at)) for task, at in beats.items()])

    def record(self, kind: str, payload: Mapping[str, Any]) -> int:
        with self._database.writing() as connection:
            return append_event(connection, kind, self._now(), payload)

    # -- models, messages, states and tools of kernels ------------------------------------

    def fingerprint(self, secret: str) -> str:
        return self._key.sign("fingerprint", secret)[:_FINGERPRINT_DIGITS]

    def calls(self, mission_id: MissionId | None = None) -> list[CallRecord]:
        with self._database.reading() as connection:
            return _calls.read(connection, mission_id)

    def usage_sums(
        self,
        by: Sequence[str],
        *,
        mission_id: MissionId | None = None,
        days: float | None = None,
    ) -> list[UsageSum]:
        now = self._now()
        with self._database.reading() as connection:
            return _calls.sums(connection, by, mission_id=mission_id, days=days, now=now)

    def task_history(self, agent: str, model: str, *, limit: int = 50) -> list[TaskHistory]:
        with self._database.reading() as connection:
            return _calls.history(connection, agent, model, limit)

    def send_message(
        self, mission_id: MissionId, task_id: TaskId, message: AgentMessage
    ) -> AgentMessage:
        now = self._now()
        with self._database.writing() as connection:
            return _messages.send(connection, mission_id, task_id, message, now)

    def messages(
        self, mission_id: MissionId, task_id: TaskId | None = None
    ) -> list[AgentMessage]:
        with self._database.reading() as connection:
            return _messages.read(connection, mission_id, task_id)

    def acknowledge(self, task_id: TaskId, ids: Sequence[str]) -> None:
        if ids:
            with self._database.writing() as connection:
                _messages.acknowledge(connection, task_id, ids, self._now())

    def save_state(self, task_id: TaskId, state: Mapping[str, Any], *, version: int) -> int:
        text, now = _agent_states.text_of(state), self._now()
        with self._database.writing() as connection:
            return _agent_states.save(connection, task_id, text, version, now)

    def load_state(self, task_id: TaskId) -> tuple[dict[str, Any], int]:
        with self._database.reading() as connection:
            return _agent_states.load(connection, task_id)

    def ask_kernel(self, call: KernelCall) -> None:
        with self._database.writing() as connection:
            _kernel_calls.ask(connection, call, self._key)

    def kernel_calls(self, lane: str) -> list[KernelCall]:
        with self._database.reading() as connection:
            return _kernel_calls.waiting(connection, lane, self._key)

    def take_kernel_call(self, call_id: str, by: str) -> bool:
        with self._database.writing() as connection:
            return _kernel_calls.take(connection, call_id, by)

    def answer_kernel_call(
        self, call_id: str, *, answer: Any = None, value: Digest | None = None, error: str = ""
    ) -> None:
        now = self._now()
        with self._database.writing() as connection:
            _kernel_calls.answer(
                connection, call_id, said=answer, value=value, error=error, now=now
            )

    def kernel_call(self, call_id: str) -> KernelCall | None:
        with self._database.reading() as connection:
            return _kernel_calls.find(connection, call_id)

    def cancel_kernel_calls(self, task_id: TaskId, attempt: int) -> None:
        with self._database.writing() as connection:
            _kernel_calls.cancel(connection, task_id, attempt, self._now())

    def forget_kernel_calls(self, task_id: TaskId, attempt: int) -> None:
        with self._database.writing() as connection:
            _kernel_calls.forget(connection, task_id, attempt)

    def move_lane(self, mission_id: MissionId, before: str, after: str) -> int:
        with self._database.writing() as connection:
            mission_by_id(connection, mission_id)
            return _kernel_calls.move(connection, mission_id, before, after)

    def lane_of(self, mission_id: MissionId, lane: str) -> str:
        with self._database.reading() as connection:
            return _kernel_calls.lane_of(connection, mission_id, lane)

    def amend(
        self,
        mission_id: MissionId,
        *,
        budget: float | None = None,
        models: Mapping[str, ModelSpec] | None = None,
        by: str,
    ) -> Amendment:
        spec, now = self.plan(mission_id), self._now()
        with self._database.writing() as connection:
            mission = mission_by_id(connection, mission_id)
            return self._amendments.give(
                connection,
                mission,
                spec,
                budget=budget,
                models=models or {},
                by=clean(by),
                now=now,
            )

    def amendments(self, mission_id: MissionId) -> list[Amendment]:
        with self._database.reading() as connection:
            return self._amendments.read(connection, mission_by_id(connection, mission_id))

    def cached_reply(self, request_hash: str, *, since: datetime) -> bytes | None:
        with self._database.reading() as connection:
            return _cache.find(connection, request_hash, since, self._key)

    def cache_reply(
        self, request_hash: str, reply: bytes, *, model: str, cost: float | None
    ) -> None:
        now = self._now()
        with self._database.writing() as connection:
            _cache.keep(
                connection,
                request_hash,
                reply,
                model=model,
                cost=cost,
                now=now,
                key=self._key,
            )

    def count_cache_hit(self, request_hash: str) -> None:
        with self._database.writing() as connection:
            _cache.count_hit(connection, request_hash, self._now())

    def cache_stats(self) -> CacheStats:
        with self._database.reading() as connection:
            return _cache.stats(connection)

    def evict_cache(self, *, before: datetime | None = None, model: str = "") -> int:
        with self._database.writing() as connection:
            return _cache.evict(connection, before, model)

    # -- upkeep -------------------------------------------------------------------------

    def backup(self, target: Path) -> Path:
        return self._database.backup(Path(target), self._now())

    def sweep(self, retention: Retention, *, only_look: bool = False) -> Swept:
        folder = self._artifacts.folder
        sweeper = Sweeper(self._database, folder, self._now(), only_look=only_look)
        return sweeper.sweep(retention)

    def compact(self) -> int:
        return self._database.compact()

    def checkpoint(self) -> None:
        self._database.checkpoint()

    def check(self) -> list[str]:
        return list(self._database.problems())

    def close(self) -> None:
        self._database.close()


def _insert_mission(
    connection: Connection,
    proposal: Proposal,
    state: MissionState,
    now: datetime,
    columns: Mapping[str, str],
    told: Mapping[str, Any],
) -> MissionId:
    """Write a mission with its plan; return its id.

    Args:
        columns: What its row says besides.
        told: What its event says besides.
    """
    mission_id = MissionId(new_id())
    number = take_numbers(connection, "mission")
    connection.execute(
        insert(t.missions),
        {
            "id": mission_id,
            "number": number,
            "short_id": short_id(number),
            "state": state.value,
            "created_at": now,
            "by_user": proposal.by,
            **columns,
            **proposal.columns(),
        },
    )
    write_plan(connection, mission_id, number, proposal, now)
    spec = proposal.spec
    facts = {"goal": clean(spec.goal)[:_GOAL_IN_EVENT], "playbook": spec.playbook}
    facts |= {"by": proposal.by, **told}
    append_event(connection, EventKind.MISSION_CREATED, now, facts, mission_id)
    return mission_id


def _names_of(agent: str, mission_id: MissionId | None) -> Select[Any]:
    """Select the tasks of an agent by name, because each revision gives them other ids."""
    task = t.tasks.c
    found = select(task.mission_id, task.name).where(task.agent == agent)
    return found if mission_id is None else found.where(task.mission_id == mission_id)


def _reopened(location: str, synchronous: str | None, busy_timeout_s: float) -> SqlStore:
    return SqlStore(location, synchronous=synchronous, busy_timeout_s=busy_timeout_s)
