"""SQLite: what a store in a file does in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from hypernb.store._backup import write_backup
from hypernb.store._check import problems
from hypernb.store._database import Database
from hypernb.store._location import artifact_folder, database_path, database_url, home_folder
from hypernb.store._query import run_query
from hypernb.store._values import utc_now, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection


class SqliteBackend(Database):
    """A file and its folder of artifacts; see `hypernb.store._backend.Backend`.

    Args:
        location: Path or URL.
        synchronous: As for `Database`.
        busy_timeout_s: As for `Database`.
    """

    kind = "sqlite"

    def __init__(
        self, location: str | Path, *, synchronous: str | None, busy_timeout_s: float
    ) -> None:
        path = database_path(location)
        if not path.parent.exists() and path.is_relative_to(home_folder()):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.url = database_url(path)
        self.artifacts: Path | None = artifact_folder(path)
        super().__init__(path, synchronous=synchronous, busy_timeout_s=busy_timeout_s)

    def now(self, connection: Connection) -> datetime:
        """See `Backend`: a file is used on one machine."""
        del connection
        return utc_now()

    def query(
        self, sql: str, *, limit: int, timeout_s: float
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """See `Backend`."""
        return run_query(self, sql, limit=limit, timeout_s=timeout_s)

    def learned(self, missions: Sequence[str]) -> dict[str, list[int]]:
        """See `Backend`.

        There is no index on missions, so it is done before anybody is kept from writing. What
        an ended mission adds after that is found by nothing, and harmless.
        """
        marks = ", ".join("?" for _ in missions)
        statement = f"SELECT mission, rowid FROM search WHERE mission IN ({marks})"  # noqa: S608 - marks
        rows: dict[str, list[int]] = {}
        with self.driver(read_only=True) as connection:
            for name, row in connection.execute(statement, missions):
                rows.setdefault(name, []).append(row)
        return rows

    def drop_artifacts(self, digests: Sequence[str], before: datetime) -> list[str]:
        """See `Backend`."""
        with self.driver() as connection:
            # Without an index on outputs, SQLite would look through all tasks for each row;
            # so the reference is looked at here, for all of them at once.
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute("BEGIN IMMEDIATE")
            dropped = connection.execute(
                "DELETE FROM artifacts WHERE created_at < ?"
                " AND digest IN (SELECT value FROM json_each(?))"
                " AND digest NOT IN (SELECT output FROM tasks WHERE output IS NOT NULL)"
                " RETURNING digest",
                (utc_text(before), orjson.dumps(list(digests)).decode()),
            ).fetchall()
            connection.execute("COMMIT")
        return [digest for (digest,) in dropped]

    def problems(self) -> Iterator[str]:
        """See `Backend`."""
        return problems(self, artifact_folder(self.path))

    def backup(self, target: Path, now: datetime) -> Path:
        """See `Backend`."""
        return write_backup(self, target, now)

    def compact(self) -> int:
        """See `Backend`."""
        before = self.path.stat().st_size
        with self.driver() as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return max(0, before - self.path.stat().st_size)

    def checkpoint(self) -> None:
        """See `Backend`."""
        with self.driver() as connection:
            # It would wait for readers as long as for a lock; what is left is for the next.
            connection.execute("PRAGMA busy_timeout = 200")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
