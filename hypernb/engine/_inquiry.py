"""Questions of an agent to the store: SQL over a copy of its own mission, and nothing else."""

from __future__ import annotations

import math
import re
import sqlite3
import time
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import QueryError

if TYPE_CHECKING:
    from hypernb.abc import Store
    from hypernb.model import MissionId

_TABLES: Final = {
    "missions": "id",
    "tasks": "mission_id",
    "attempts": "mission_id",
    "findings": "mission_id",
    "usage": "mission_id",
    "calls": "mission_id",
    "messages": "mission_id",
    "events": "mission_id",
}
"""What can be asked about, and by which column its rows are the mission's."""
_ROWS_AT_MOST: Final = 20_000
_TIMEOUT_S: Final = 10.0
_STEPS_PER_LOOK: Final = 20_000
_CELL_CHARS: Final = 10_000
_ANSWER_CHARS: Final = 1_000_000
_ALLOWED: Final = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_FUNCTION,
    }
)
_REFUSED: Final = frozenset({"load_extension", "fts3_tokenizer", "readfile", "edit"})
_READS_ONLY: Final = "One statement is run that begins with SELECT or WITH."


class Inquiry:
    """Answers SQL about one mission.

    The statement runs on a copy in memory of the rows that are the mission's, whatever
    database the store is in; so there is nothing of another mission that it could name.
    """

    def __init__(self, store: Store, mission: MissionId) -> None:
        if not re.fullmatch(r"\w+", mission):
            raise AssertionError(f"{mission!r} is no id of a mission; please report this.")
        self._store = store
        self._mission = mission

    def ask(self, sql: str, *, limit: int) -> tuple[list[str], list[list[Any]]]:
        """Return column names and rows, JSON values only. Blocking.

        Raises:
            QueryError: It would write, is wrong, or takes too long.
        """
        connection = sqlite3.connect(":memory:")
        try:
            named = [name for name in _TABLES if re.search(rf"\b{name}\b", sql, re.IGNORECASE)]
            for name in named:
                self._copy(connection, name)
            deadline = time.monotonic() + _TIMEOUT_S
            connection.execute("PRAGMA query_only = ON")
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 64 * _ANSWER_CHARS)
            connection.set_authorizer(_allow)
            connection.set_progress_handler(
                lambda: time.monotonic() > deadline, _STEPS_PER_LOOK
            )
            return _answer(connection, sql, limit)
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
            known = ", ".join(_TABLES)
            raise QueryError(
                f"The query cannot be answered: {error}.",
                hint=f"{_READS_ONLY} Tables: {known}.",
            ) from error
        finally:
            connection.close()

    def _copy(self, connection: sqlite3.Connection, name: str) -> None:
        where = f"{_TABLES[name]} = '{self._mission}'"
        order = " ORDER BY seq DESC" if name == "events" else ""
        columns, rows = self._store.query(
            f"SELECT * FROM {name} WHERE {where}{order}",  # noqa: S608 - names of ours
            limit=_ROWS_AT_MOST,
        )
        quoted = ", ".join(f'"{column}"' for column in columns)
        connection.execute(f"CREATE TABLE {name} ({quoted})")
        marks = ", ".join("?" * len(columns))
        connection.executemany(
            f"INSERT INTO {name} VALUES ({marks})",  # noqa: S608 - as above
            [tuple(map(_value, row)) for row in rows],
        )


def _value(value: Any) -> Any:
    plain = value is None or isinstance(value, int | float | str | bytes)
    return value if plain else str(value)


def _allow(
    action: int, _first: str | None, second: str | None, _database: str | None, _by: str | None
) -> int:
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _REFUSED:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _answer(
    connection: sqlite3.Connection, sql: str, limit: int
) -> tuple[list[str], list[list[Any]]]:
    cursor = connection.execute(sql)
    if cursor.description is None:
        raise QueryError("There is no statement that reads.", hint=_READS_ONLY)
    rows: list[list[Any]] = []
    left = _ANSWER_CHARS
    for row in cursor:
        if len(rows) >= limit or left <= 0:
            break
        rows.append([_plain(value) for value in row])
        left -= sum(len(str(value)) for value in rows[-1])
    return [column[0] for column in cursor.description], rows


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value[:_CELL_CHARS] if isinstance(value, str) else value
