"""Backups: one file with database and artifacts, made at any time, checked before use."""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from hypernb.errors import PathError, StoreCorruptError, StoreError, StoreUnavailableError
from hypernb.store._artifacts import is_sound, relative_path, replacing, sync
from hypernb.store._database import connect
from hypernb.store._failures import failures_told, file_failures_told, told_of_file
from hypernb.store._leases import seems_held
from hypernb.store._location import BACKUP_SUFFIX, artifact_folder, database_path, is_server
from hypernb.store._schema import APPLICATION_ID, revision
from hypernb.store._values import utc_now, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from hypernb.store._database import Database

KEEP: Final = 7
_FORMAT: Final = 1
_DATABASE: Final = "hypernb.db"
_MANIFEST: Final = "manifest.json"
_ARTIFACTS: Final = "artifacts/"
_TIMEOUT_S: Final = 30.0
_NAMED: Final = re.compile(r"(?P<store>.+)-\d{8}T\d{6}Z(?:-\d+)?" + re.escape(BACKUP_SUFFIX))
_SIDE_FILES: Final = ("-wal", "-shm")


def backup_name(url: str, at: datetime | None = None) -> str:
    """Return a name for a backup made now: ``hypernb-20261120T162900Z.hypernb-backup``."""
    stamp = (at or utc_now()).strftime("%Y%m%dT%H%M%SZ")
    return f"{database_path(url).stem}-{stamp}{BACKUP_SUFFIX}"


def rotate_backups(folder: Path, keep: int = KEEP) -> list[Path]:
    """Remove all but the newest backups of each store in a folder; return what was removed.

    Only files that `backup_name` named are looked at.
    """
    stores: dict[str, list[Path]] = {}
    for path in sorted(folder.glob(f"*{BACKUP_SUFFIX}")):
        if match := _NAMED.fullmatch(path.name):
            stores.setdefault(match["store"], []).append(path)
    surplus = [path for paths in stores.values() for path in paths[: max(len(paths) - keep, 0)]]
    for path in surplus:
        path.unlink(missing_ok=True)
    return surplus


# -- making one --------------------------------------------------------------------------


def write_backup(database: Database, target: Path, now: datetime) -> Path:
    """Write a consistent copy as one file; see `hypernb.abc.Store.backup`."""
    target = target.expanduser().absolute()
    if target.is_dir():
        target = _free_name(target / backup_name(str(database.path), now))
    if target.exists():
        raise PathError(
            str(target), "exists; a backup overwrites nothing", hint="Give another name."
        )
    with (
        file_failures_told(target),
        tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder,
        replacing(target) as draft,
    ):
        copy = Path(folder) / _DATABASE
        _copy_database(database, copy)
        draft.touch(mode=0o600)
        _pack(copy, artifact_folder(database.path), draft, now)
    return target


def _free_name(path: Path) -> Path:
    for number in range(2, 1000):
        if not path.exists():
            break
        stem = path.name.removesuffix(BACKUP_SUFFIX)
        path = path.with_name(f"{re.sub(r'Z-[0-9]+$', 'Z', stem)}-{number}{BACKUP_SUFFIX}")
    return path


def _copy_database(database: Database, copy: Path) -> None:
    with database.driver() as source, closing(sqlite3.connect(copy)) as target:
        # All pages in one step: a copy in several begins anew whenever somebody commits, and
        # in WAL mode a reader keeps no writer waiting.
        source.backup(target, pages=-1)
        # Whoever holds the original does not hold the copy; the tokens stay.
        target.execute("UPDATE leases SET holder = '' WHERE holder <> ''")
        target.commit()
        target.execute("PRAGMA journal_mode = DELETE")


def _pack(copy: Path, artifacts: Path, draft: Path, now: datetime) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        found = revision(connection, copy)
        digests = [row[0] for row in connection.execute(_IN_FILES)]
    missing = []
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.write(copy, _DATABASE)
        for digest in digests:
            try:
                # Parquet and the like are compressed already.
                name = _ARTIFACTS + relative_path(digest)
                archive.write(artifacts / relative_path(digest), name, zipfile.ZIP_STORED)
            except FileNotFoundError:
                missing.append(digest)
        manifest = {
            "format": _FORMAT,
            "schema": found,
            "made_at": utc_text(now),
            "database_sha256": _sha256(copy),
            "missing": missing,
        }
        archive.writestr(_MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2))


_IN_FILES: Final = "SELECT digest FROM artifacts WHERE path <> '' ORDER BY digest"


# -- putting one back --------------------------------------------------------------------


def restore(source: str | Path, target: str | Path, *, force: bool = False) -> Path:
    """Put a backup in the place of a database; what was there is kept beside it.

    Everything is checked before anything is touched: the archive, the database's integrity,
    its schema, and every artifact against its digest.

    Args:
        source: A file that `hypernb.abc.Store.backup` wrote.
        target: Path or URL of the database.
        force: Replace a database that has missions.

    Returns:
        The path of the restored database. One that was there before has its name with
        ``.before-restore-`` and the time, its artifacts likewise.

    Raises:
        PathError: There is no such backup.
        SchemaError: The backup is from a newer hypernb.
        StoreCorruptError: The backup is damaged. Nothing was changed.
        StoreError: The target has missions and ``force`` is not set.
        StoreUnavailableError: A runner is at work on the target.
    """
    if is_server(target):
        raise StoreError(
            f"{str(target)!r} is on a server; a backup of a file is not put there.",
            hint="pg_restore puts back what pg_dump has copied.",
        )
    source = Path(source).expanduser().absolute()
    path = database_path(target)
    if not source.is_file():
        raise PathError(str(source), "is not a backup: there is no such file")
    _refuse_if_in_use(path, force=force)
    with (
        file_failures_told(path),
        tempfile.TemporaryDirectory(dir=_existing(path.parent), prefix=".restore-") as folder,
    ):
        unpacked = Path(folder)
        _unpack(source, unpacked)
        _put_in_place(unpacked, path)
    return path


def _existing(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _refuse_if_in_use(path: Path, *, force: bool) -> None:
    if not path.exists():
        return
    try:
        with failures_told(path), closing(connect(path, "rw", _TIMEOUT_S)) as connection:
            ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
            missions = _count(connection, "SELECT count(*) FROM missions") if ours else 0
            runners = list(_runners(connection)) if ours else []
            tables = _count(connection, "SELECT count(*) FROM sqlite_master")
    except StoreCorruptError:
        return  # what is damaged is what one restores over; it is kept all the same
    if runners:
        raise StoreUnavailableError(
            f"{str(path)!r} cannot be replaced: a runner is at work on it.",
            hint="%hyper stop ends it.",
        )
    if not force and (missions or (tables and not ours)):
        what = f"has {missions} missions" if ours else "is a database of another program"
        raise StoreError(
            f"{str(path)!r} {what}; it is not replaced unasked.",
            hint="--force replaces it and keeps the old one beside it.",
        )


def _count(connection: sqlite3.Connection, counting: str) -> int:
    return int(connection.execute(counting).fetchone()[0])


def _runners(connection: sqlite3.Connection) -> Iterator[str]:
    from datetime import datetime

    from hypernb.model import LeaseRecord, RunnerId

    rows = connection.execute(
        "SELECT resource, holder, token, expires_at, facts FROM leases"
        " WHERE resource LIKE 'runner:%'"
    )
    for resource, holder, token, expires_at, facts in rows:
        expires = datetime.fromisoformat(expires_at)
        lease = LeaseRecord(resource, RunnerId(holder), token, expires, orjson.loads(facts))
        if seems_held(lease, utc_now()):
            yield holder


def _unpack(source: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = orjson.loads(archive.read(_MANIFEST))
            if manifest["format"] != _FORMAT:
                raise StoreError(
                    f"{str(source)!r} is a backup of format {manifest['format']!r}; "
                    f"this hypernb reads {_FORMAT}.",
                    hint="pip install --upgrade hypernb",
                )
            database = folder / _DATABASE
            _extract(archive, _DATABASE, database)
            if _sha256(database) != manifest["database_sha256"]:
                raise _damaged(source, "the database in it is not the one that was packed")
            _check_database(database, source)
            _unpack_artifacts(archive, database, folder, set(manifest["missing"]))
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError) as error:
        raise _damaged(source, str(error)) from error


def _check_database(database: Path, source: Path) -> None:
    try:
        with closing(sqlite3.connect(database)) as connection:
            verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            revision(connection, source)
    except sqlite3.Error as error:
        raise _damaged(source, str(error)) from error
    if verdict != "ok":
        raise _damaged(source, verdict)


def _unpack_artifacts(
    archive: zipfile.ZipFile, database: Path, folder: Path, missing: set[Any]
) -> None:
    from hypernb.model import ArtifactRecord, Digest

    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(
            "SELECT digest, media_type, size_bytes FROM artifacts WHERE path <> ''"
        ).fetchall()
    for digest, media_type, size in rows:
        if digest in missing:
            continue
        path = folder / "artifacts" / relative_path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        _extract(archive, _ARTIFACTS + relative_path(digest), path)
        record = ArtifactRecord(Digest(digest), media_type, size, utc_now())
        if not is_sound(record, path.read_bytes()):
            raise ValueError(f"artifact {digest[:12]} is damaged")


def _extract(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    # Never `extract`: names in the archive say nothing about where files go.
    with archive.open(name) as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file, 1024 * 1024)
    sync(path)


def _put_in_place(unpacked: Path, path: Path) -> None:
    """Move the old database aside and the new one in; undo the moves if one fails."""
    kept = f".before-restore-{utc_now().strftime('%Y%m%dT%H%M%S.%fZ')}"
    folder = artifact_folder(path)
    moves = [
        (each, each.with_name(each.name.replace(path.name, path.name + kept, 1)))
        for each in (path, *(path.with_name(path.name + end) for end in _SIDE_FILES), folder)
        if each.exists()
    ]
    new_artifacts = unpacked / "artifacts"
    if new_artifacts.exists():
        moves.append((new_artifacts, folder))
    moves.append((unpacked / _DATABASE, path))
    done: list[tuple[Path, Path]] = []
    try:
        for old, new in moves:
            old.replace(new)
            done.append((old, new))
    except OSError as error:
        for old, new in reversed(done):
            new.replace(old)
        raise told_of_file(error, path) from error
    path.chmod(0o600)
    sync(path.parent)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(source: Path, why: str) -> StoreCorruptError:
    return StoreCorruptError(
        f"The backup {str(source)!r} is damaged: {why}. Nothing was changed.",
        hint="Older backups lie beside it.",
    )
