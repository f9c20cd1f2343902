"""Upkeep: old missions are forgotten, and what nothing refers to any more is removed.

Every step is safe to be killed in: references go first, rows after them, files last, and the
next sweep finds what was left. Other processes write meanwhile, so each step is a short
transaction of its own and makes sure again that what it removes is still unused.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import delete, func, insert, select, update

from hypernb.codec import REPORT
from hypernb.model import EventKind, MissionState, Swept
from hypernb.store import _cache, _rows
from hypernb.store import _search as search
from hypernb.store import _tables as t
from hypernb.store._artifacts import RENEWED_AFTER, relative_path
from hypernb.store._events import append_event, last_seq
from hypernb.store._leases import seems_held

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection, Select

    from hypernb.model import Retention
    from hypernb.store._backend import Backend

GRACE: Final = 2 * RENEWED_AFTER
"""An output is stored before the change that names it; this long it may be without a name."""

_MISSIONS_AT_ONCE: Final = 20
_NOTES_DAYS: Final = 7.0
_ROWS_AT_ONCE: Final = 500
_LONGEST_DAYS: Final = 365_000.0
_MOST_KEPT: Final = 2**31 - 1
_GOAL_CHARS: Final = 200
_DIGEST: Final = re.compile(rb"[0-9a-f]{64}")
_FINAL: Final = tuple(state.value for state in MissionState if state.is_final)
_FORGOTTEN: Final = "event.forgotten"

_T = TypeVar("_T")
_Old = tuple[str, str, str]
"""A mission that is to be forgotten: id, short id, goal."""


class Sweeper:
    """One sweep through a store.

    Args:
        folder: Where artifacts lie that are too large for rows.
        now: What counts as the present, by the wall clock.
        only_look: Count what there is to do, and do nothing.
    """

    def __init__(
        self, database: Backend, folder: Path | None, now: datetime, *, only_look: bool = False
    ) -> None:
        self._database = database
        self._folder = folder
        self._now = now
        self._settled = now - GRACE
        self._only_look = only_look

    def sweep(self, retention: Retention) -> Swept:
        """Forget old missions, then remove what nothing refers to; say what went."""
        with self._database.reading() as connection:
            old = [
                each
                for each in _old_missions(connection, retention, self._now)
                if self._is_over(connection, each[0])
            ]
        if not self._only_look:
            old = [
                each
                for some in _portions(old, _MISSIONS_AT_ONCE)
                for each in self._forget(some)
            ]
            if retention.forgets:
                self._forget_notes(retention)
            with self._database.writing() as connection:
                _cache.bound(connection, self._now)
        with self._database.reading() as connection:
            unused = self._unused(connection, gone={mission for mission, _, _ in old})
        artifacts, size = self._drop(unused)
        files, more = self._sweep_files()
        missions = tuple((short_id, goal) for _, short_id, goal in old)
        return Swept(missions, artifacts=artifacts, files=files, size_bytes=size + more)

    # -- missions -----------------------------------------------------------------------

    def _forget(self, missions: Sequence[_Old]) -> list[_Old]:
        """Forget missions with all that belongs to them; return those that were still over."""
        learned = self._database.learned([short_id for _, short_id, _ in missions])
        with self._database.writing() as connection:
            forgotten = [each for each in missions if self._is_over(connection, each[0])]
            if not forgotten:
                return []
            rows = [row for _, name, _ in forgotten for row in learned.get(name, ())]
            search.forget(connection, rows)
            events = sum(_forget_one(connection, mission) for mission, _, _ in forgotten)
            _count_forgotten(connection, events)
            told = {short_id: goal[:_GOAL_CHARS] for _, short_id, goal in forgotten}
            facts = {"missions": told, "events": events}
            append_event(connection, EventKind.MISSIONS_FORGOTTEN, self._now, facts)
        return forgotten

    def _is_over(self, connection: Connection, mission: str) -> bool:
        """Tell whether it has ended, and nobody is about to try it again.

        Looked at anew by whoever writes: since the mission was found, a runner may have begun
        it again, or a person may have asked for that.
        """
        return (
            _has_ended(connection, mission)
            and not _is_to_be_retried(connection, mission)
            and not self._is_held(connection, mission)
        )

    def _is_held(self, connection: Connection, mission: str) -> bool:
        """Tell whether a runner has the mission, be it only to read what it is to try again.

        By the wall clock, as its age is: a holder on another machine that died would keep it
        for ever from a process that sweeps once and has seen nothing of the lease before.
        """
        wanted = _rows.SELECT_LEASES.where(t.leases.c.resource == f"mission:{mission}")
        found = _rows.leases(connection.execute(wanted))
        return any(seems_held(lease, self._now) for lease in found)

    def _forget_notes(self, retention: Retention) -> None:
        """Forget old events that are about no mission: runners that came and went."""
        days = min(max(retention.days, _NOTES_DAYS), _LONGEST_DAYS)
        before = self._now - timedelta(days=days)
        with self._database.writing() as connection:
            gone = connection.execute(
                delete(t.events).where(
                    t.events.c.mission_id.is_(None),
                    t.events.c.at < before,
                    t.events.c.seq < last_seq(connection),
                )
            )
            if gone.rowcount:
                _count_forgotten(connection, gone.rowcount)

    # -- artifacts ----------------------------------------------------------------------

    def _unused(self, connection: Connection, gone: set[str]) -> list[tuple[str, int]]:
        """Return settled artifacts, with their sizes, that no mission names which stays."""
        used = _used(connection, self._folder, gone)
        a = t.artifacts.c
        rows = connection.execute(
            select(a.digest, a.size_bytes).where(a.created_at < self._settled)
        )
        return [(digest, size) for digest, size in rows if digest not in used]

    def _drop(self, unused: Sequence[tuple[str, int]]) -> tuple[int, int]:
        if self._only_look:
            return len(unused), sum(size for _, size in unused)
        many = size = 0
        sizes = dict(unused)
        for some in _portions(unused):
            dropped = self._database.drop_artifacts(
                [digest for digest, _ in some], self._settled
            )
            many += len(dropped)
            size += sum(sizes[digest] for digest in dropped)
        return many, size

    def _sweep_files(self) -> tuple[int, int]:
        """Remove files that no row names, and drafts that nobody finished."""
        if self._folder is None:
            return 0, 0
        stale = [each for each in self._folder.glob("??/*") if self._is_settled(each)]
        many = size = 0
        for some in _portions(stale):
            # While this writes nobody else does, so no row begins to name one of them.
            database = self._database
            turn = database.reading() if self._only_look else database.writing()
            with turn as connection:
                for path in some:
                    if _is_named(connection, f"{path.parent.name}{path.name}"):
                        continue
                    many += 1
                    size += path.stat().st_size
                    if not self._only_look:
                        path.unlink(missing_ok=True)
        return many, size

    def _is_settled(self, path: Path) -> bool:
        try:
            return path.is_file() and path.stat().st_mtime < self._settled.timestamp()
        except FileNotFoundError:
            return False


def _old_missions(
    connection: Connection, retention: Retention, now: datetime
) -> Iterator[_Old]:
    """Yield the missions that may be forgotten, oldest first."""
    if not retention.forgets:
        return
    m = t.missions.c
    kept = min(retention.missions, _MOST_KEPT)
    newest = select(m.number).order_by(m.number.desc()).limit(kept).subquery()
    least = connection.execute(select(func.min(newest.c.number))).scalar() or 0
    before = now - timedelta(days=min(retention.days, _LONGEST_DAYS))
    old = select(m.id, m.short_id, m.goal).where(
        m.state.in_(_FINAL), func.coalesce(m.finished_at, m.created_at) < before
    )
    if retention.missions:
        old = old.where(m.number < least)
    yield from (tuple(row) for row in connection.execute(old.order_by(m.number)))


def _has_ended(connection: Connection, mission: str) -> bool:
    found = select(t.missions.c.state).where(t.missions.c.id == mission)
    state = connection.execute(found).scalar()
    return state is not None and MissionState(state).is_final


def _is_to_be_retried(connection: Connection, mission: str) -> bool:
    """Tell whether a person has asked for it, and no runner has answered yet.

    Any other command about a mission that has ended changes nothing in it.
    """
    c = t.commands.c
    asked = select(c.seq).where(
        c.mission_id == mission, c.kind == "retry", c.answered_at.is_(None)
    )
    return connection.execute(asked.limit(1)).first() is not None


def _count_forgotten(connection: Connection, events: int) -> None:
    """Have it known how many events there were: numbers without gaps are how loss is seen."""
    c = t.counters.c
    more = update(t.counters).where(c.name == _FORGOTTEN).values(value=c.value + events)
    if not connection.execute(more).rowcount:
        connection.execute(insert(t.counters), {"name": _FORGOTTEN, "value": events})


def forget_mission(connection: Connection, mission: str) -> None:
    """Remove a mission with all that belongs to it, and have it known how many events went."""
    _count_forgotten(connection, _forget_one(connection, mission))


def _forget_one(connection: Connection, mission: str) -> int:
    counted = select(func.count()).where(t.events.c.mission_id == mission)
    many = int(connection.execute(counted).scalar_one())
    connection.execute(delete(t.leases).where(t.leases.c.resource == f"mission:{mission}"))
    connection.execute(delete(t.missions).where(t.missions.c.id == mission))
    return many


def _used(connection: Connection, folder: Path | None, gone: set[str]) -> set[str]:
    """Return the digests that anything names: outputs, calls, plans, the files of reports.

    Whatever looks like a digest counts as one: too much is kept rather than too little.
    """
    used: set[str] = set()
    for column in (
        *(t.tasks.c.output, t.calls.c.request, t.calls.c.reply, t.kernel_calls.c.value),
    ):
        named = select(column.table.c.mission_id, column).where(column.is_not(None))
        for mission, digest in _streamed(connection, named):
            if mission not in gone:
                used.add(digest)
    for mission, spec in _streamed(connection, select(t.plans.c.mission_id, t.plans.c.spec)):
        if mission not in gone:
            used.update(_digests(spec.encode()))
    a = t.artifacts.c
    reports = select(a.digest, a.data).where(a.media_type == REPORT)
    for digest, data in _streamed(connection, reports):
        if digest in used:
            used.update(_digests(data if data is not None else _read(folder, digest)))
    return used


def _streamed(connection: Connection, statement: Select[Any]) -> Iterator[Any]:
    """Read rows a few at a time: plans can be large, and there can be many."""
    return iter(connection.execution_options(yield_per=100).execute(statement))


def _digests(data: bytes) -> Iterator[str]:
    return (found.decode() for found in _DIGEST.findall(data))


def _read(folder: Path | None, digest: str) -> bytes:
    try:
        return (folder / relative_path(digest)).read_bytes() if folder else b""
    except FileNotFoundError:
        return b""  # the doctor tells of it


def _is_named(connection: Connection, digest: str) -> bool:
    found = select(t.artifacts.c.digest).where(t.artifacts.c.digest == digest)
    return connection.execute(found).first() is not None


def _portions(items: Sequence[_T], at_once: int = _ROWS_AT_ONCE) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), at_once):
        yield items[start : start + at_once]
