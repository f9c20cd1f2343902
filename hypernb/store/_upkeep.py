"""Upkeep: old missions are forgotten, and what nothing refers to any more is removed.

Every step is safe to be killed in: references go first, rows after them, files last, and the
next sweep finds what was left. Other processes write meanwhile, so each step is a short
transaction of its own and makes sure again that what it removes is still unused.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

import orjson

from hypernb.codec import REPORT
from hypernb.model import EventKind, MissionId, MissionState, Swept
from hypernb.store._artifacts import RENEWED_AFTER, relative_path
from hypernb.store._events import append_event
from hypernb.store._values import utc_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from hypernb.model import Retention
    from hypernb.store._database import Database

GRACE: Final = 2 * RENEWED_AFTER
"""An output is stored before the change that names it; this long it may be without a name."""

_MISSIONS_AT_ONCE: Final = 20
_NOTES_DAYS: Final = 7.0
_ROWS_AT_ONCE: Final = 500
_GOAL_CHARS: Final = 200
_MERGE: Final = "INSERT INTO search (search, rank) VALUES ('merge', 500)"
"""What was deleted takes room in the index until parts of it are merged; this merges a few."""
_DIGEST: Final = re.compile(rb"[0-9a-f]{64}")
_FINAL: Final = tuple(state.value for state in MissionState if state.is_final)
_MARKS: Final = ", ".join("?" for _ in _FINAL)

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
        self, database: Database, folder: Path, now: datetime, *, only_look: bool = False
    ) -> None:
        self._database = database
        self._folder = folder
        self._now = now
        self._settled = now - GRACE
        self._only_look = only_look

    def sweep(self, retention: Retention) -> Swept:
        """Forget old missions, then remove what nothing refers to; say what went."""
        with self._database.driver(read_only=True) as connection:
            old = list(_old_missions(connection, retention, self._now))
        if not self._only_look:
            old = [
                each
                for some in _portions(old, _MISSIONS_AT_ONCE)
                for each in self._forget(some)
            ]
            if retention.forgets:
                self._forget_notes(retention)
        with self._database.driver(read_only=True) as connection:
            unused = self._unused(connection, gone={mission for mission, _, _ in old})
        artifacts, size = self._drop(unused)
        files, more = self._sweep_files()
        missions = tuple((short_id, goal) for _, short_id, goal in old)
        return Swept(missions, artifacts=artifacts, files=files, size_bytes=size + more)

    # -- missions -----------------------------------------------------------------------

    def _forget(self, missions: Sequence[_Old]) -> list[_Old]:
        """Forget missions with all that belongs to them; return those that still had ended."""
        learned = self._learned([short_id for _, short_id, _ in missions])
        with self._database.writing() as connection:
            forgotten = [each for each in missions if _has_ended(connection, each[0])]
            if not forgotten:
                return []
            rows = [(row,) for _, name, _ in forgotten for row in learned.get(name, ())]
            if rows:
                connection.exec_driver_sql("DELETE FROM search WHERE rowid = ?", rows)
                connection.exec_driver_sql(_MERGE)
            events = sum(_forget_one(connection, mission) for mission, _, _ in forgotten)
            _count_forgotten(connection, events)
            told = {short_id: goal[:_GOAL_CHARS] for _, short_id, goal in forgotten}
            facts = {"missions": told, "events": events}
            append_event(connection, EventKind.MISSIONS_FORGOTTEN, self._now, facts)
        return forgotten

    def _forget_notes(self, retention: Retention) -> None:
        """Forget old events that are about no mission: runners that came and went."""
        before = self._now - timedelta(days=max(retention.days, _NOTES_DAYS))
        with self._database.writing() as connection:
            gone = connection.exec_driver_sql(
                "DELETE FROM events WHERE mission_id IS NULL AND at < ?"
                " AND seq < (SELECT value FROM counters WHERE name = 'event')",
                (utc_text(before),),
            )
            if gone.rowcount:
                _count_forgotten(connection, gone.rowcount)

    def _learned(self, names: Sequence[str]) -> dict[str, list[int]]:
        """Return the rows of missions in the full-text search, by short id.

        There is no index on missions, so it is done before anybody is kept from writing. What
        an ended mission adds after that is found by nothing, and harmless.
        """
        marks = ", ".join("?" for _ in names)
        statement = f"SELECT mission, rowid FROM search WHERE mission IN ({marks})"  # noqa: S608 - marks
        rows: dict[str, list[int]] = {}
        with self._database.driver(read_only=True) as connection:
            for name, row in connection.execute(statement, names):
                rows.setdefault(name, []).append(row)
        return rows

    # -- artifacts ----------------------------------------------------------------------

    def _unused(self, connection: sqlite3.Connection, gone: set[str]) -> list[tuple[str, int]]:
        """Return settled artifacts, with their sizes, that no mission names which stays."""
        used = _used(connection, self._folder, gone)
        rows = connection.execute(
            "SELECT digest, size_bytes FROM artifacts WHERE created_at < ?",
            (utc_text(self._settled),),
        )
        return [(digest, size) for digest, size in rows if digest not in used]

    def _drop(self, unused: Sequence[tuple[str, int]]) -> tuple[int, int]:
        if self._only_look:
            return len(unused), sum(size for _, size in unused)
        many = size = 0
        sizes = dict(unused)
        for some in _portions(unused):
            with self._database.driver() as connection:
                # Without an index on outputs, SQLite would look through all tasks for each
                # row; so the reference is looked at here, for all of them at once.
                connection.execute("PRAGMA foreign_keys = OFF")
                connection.execute("BEGIN IMMEDIATE")
                dropped = connection.execute(
                    "DELETE FROM artifacts WHERE created_at < ?"
                    " AND digest IN (SELECT value FROM json_each(?))"
                    " AND digest NOT IN (SELECT output FROM tasks WHERE output IS NOT NULL)"
                    " RETURNING digest",
                    (
                        utc_text(self._settled),
                        orjson.dumps([digest for digest, _ in some]).decode(),
                    ),
                ).fetchall()
                connection.execute("COMMIT")
            many += len(dropped)
            size += sum(sizes[digest] for (digest,) in dropped)
        return many, size

    def _sweep_files(self) -> tuple[int, int]:
        """Remove files that no row names, and drafts that nobody finished."""
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
    connection: sqlite3.Connection, retention: Retention, now: datetime
) -> Iterator[_Old]:
    """Yield missions to be forgotten, oldest first."""
    if not retention.forgets:
        return
    newest = connection.execute(
        "SELECT coalesce(min(number), 0) FROM"
        " (SELECT number FROM missions ORDER BY number DESC LIMIT ?)",
        (retention.missions,),
    ).fetchone()[0]
    before = utc_text(now - timedelta(days=retention.days))
    yield from connection.execute(
        f"SELECT id, short_id, goal FROM missions WHERE state IN ({_MARKS})"  # noqa: S608 - marks
        " AND coalesce(finished_at, created_at) < ? AND (number < ? OR ? = 0)"
        " ORDER BY number",
        (*_FINAL, before, newest, retention.missions),
    )


def _has_ended(connection: Connection, mission: str) -> bool:
    """Make sure again that it has ended: a retry may have come in between."""
    row = connection.exec_driver_sql("SELECT state FROM missions WHERE id = ?", (mission,))
    state = row.scalar()
    return state is not None and MissionState(state).is_final


def _count_forgotten(connection: Connection, events: int) -> None:
    """Have it known how many events there were: numbers without gaps are how loss is seen."""
    connection.exec_driver_sql(
        "INSERT INTO counters (name, value) VALUES ('event.forgotten', ?)"
        " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        (events,),
    )


def _forget_one(connection: Connection, mission: str) -> int:
    counted = connection.exec_driver_sql(
        "SELECT count(*) FROM events WHERE mission_id = ?", (mission,)
    )
    many = int(counted.scalar_one())
    connection.exec_driver_sql("DELETE FROM leases WHERE resource = ?", (f"mission:{mission}",))
    connection.exec_driver_sql("DELETE FROM missions WHERE id = ?", (MissionId(mission),))
    return many


def _used(connection: sqlite3.Connection, folder: Path, gone: set[str]) -> set[str]:
    """Return the digests that anything names: outputs, plans, and the files of reports.

    Whatever looks like a digest counts as one: too much is kept rather than too little.
    """
    used: set[str] = set()
    for mission, output in connection.execute("SELECT mission_id, output FROM tasks"):
        if output is not None and mission not in gone:
            used.add(output)
    for mission, spec in connection.execute("SELECT mission_id, spec FROM plans"):
        if mission not in gone:
            used.update(_digests(spec.encode()))
    reports = connection.execute(
        "SELECT digest, data FROM artifacts WHERE media_type = ?", (REPORT,)
    )
    for digest, data in reports:
        if digest in used:
            used.update(_digests(data if data is not None else _read(folder, digest)))
    return used


def _digests(data: bytes) -> Iterator[str]:
    return (found.decode() for found in _DIGEST.findall(data))


def _read(folder: Path, digest: str) -> bytes:
    try:
        return (folder / relative_path(digest)).read_bytes()
    except FileNotFoundError:
        return b""  # the doctor tells of it


def _is_named(connection: Connection, digest: str) -> bool:
    found = connection.exec_driver_sql("SELECT 1 FROM artifacts WHERE digest = ?", (digest,))
    return found.first() is not None


def _portions(items: Sequence[_T], at_once: int = _ROWS_AT_ONCE) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), at_once):
        yield items[start : start + at_once]
