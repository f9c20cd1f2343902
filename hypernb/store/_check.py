"""What the doctor asks the store: is the file sound, is everything there that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.model import ArtifactRecord, Digest
from hypernb.store._artifacts import is_sound, relative_path
from hypernb.store._values import utc_now

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hypernb.store._database import Database

_LARGE_WAL_BYTES: Final = 256 * 1024 * 1024
_MOST_SAID: Final = 5
_NETWORK_KINDS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "fuse.sshfs"}
)


def problems(database: Database, artifacts: Path) -> Iterator[str]:
    """Yield what is wrong, one sentence each."""
    with database.driver(read_only=True) as connection:
        yield from _integrity(connection)
        yield from _counters(connection)
        yield from _foreign_code(connection)
        yield from _artifact_files(connection, artifacts)
    yield from _size(database.path)
    yield from _place(database.path)


def _integrity(connection: sqlite3.Connection) -> Iterator[str]:
    for (verdict,) in connection.execute(f"PRAGMA integrity_check({_MOST_SAID})"):
        if verdict != "ok":
            yield f"The database is damaged: {verdict}."
    broken: dict[tuple[str, str], int] = {}
    for table, _row, parent, _key in connection.execute("PRAGMA foreign_key_check"):
        broken[table, parent] = broken.get((table, parent), 0) + 1
    for (table, parent), many in broken.items():
        yield f"{many} rows of {table} belong to rows of {parent} that are not there."


def _counters(connection: sqlite3.Connection) -> Iterator[str]:
    rows = dict(connection.execute("SELECT name, value FROM counters"))
    last, many = connection.execute("SELECT max(seq), count(*) FROM events").fetchone()
    yield from gaps_told(rows, last, many)


def gaps_told(rows: Mapping[str, int], last: int | None, many: int) -> Iterator[str]:
    """Say if events are missing.

    Args:
        rows: The store's counters.
        last: The number of the last event; None if there is none.
        many: How many there are.
    """
    forgotten = rows.get("event.forgotten", 0)
    if (last or 0) != rows.get("event") or (last or 0) != many + forgotten:
        yield (
            f"Events are not numbered without gaps: {many} of them and {forgotten} forgotten, "
            f"the last is {last or 0}, the counter says {rows.get('event')}."
        )


def _foreign_code(connection: sqlite3.Connection) -> Iterator[str]:
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        yield f"The database has a trigger {name!r} that hypernb did not make."


def _artifact_files(connection: sqlite3.Connection, folder: Path) -> Iterator[str]:
    named = set()
    missing, damaged = [], []
    rows = connection.execute(
        "SELECT digest, media_type, size_bytes FROM artifacts WHERE path <> ''"
    )
    for digest, media_type, size in rows:
        path = folder / relative_path(digest)
        named.add(path)
        if not path.is_file():
            missing.append(digest[:12])
            continue
        record = ArtifactRecord(Digest(digest), media_type, size, utc_now())
        if path.stat().st_size != size or not is_sound(record, path.read_bytes()):
            damaged.append(digest[:12])
    if missing:
        yield f"{len(missing)} artifact files are missing: {_some(missing)}."
    if damaged:
        yield f"{len(damaged)} artifact files are damaged: {_some(damaged)}."


def _size(path: Path) -> Iterator[str]:
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and (size := log.stat().st_size) > _LARGE_WAL_BYTES:
        yield f"The write-ahead log has {size:,} bytes: a reader has been open for very long."


def _place(path: Path) -> Iterator[str]:
    import psutil

    mounts = sorted(psutil.disk_partitions(all=True), key=lambda each: -len(each.mountpoint))
    for mount in mounts:
        if path.is_relative_to(mount.mountpoint):
            if mount.fstype.lower() in _NETWORK_KINDS:
                yield (
                    f"The database lies on a network file system ({mount.fstype}), where "
                    "locks cannot be relied on."
                )
            return


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_SAID
    return ", ".join(names[:_MOST_SAID]) + (f" and {more} more" if more > 0 else "")
