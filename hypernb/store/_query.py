"""People's SQL: it can read everything and change nothing."""

from __future__ import annotations

import re
import sqlite3
import time
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import QueryError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from hypernb.store._database import Database

_STEPS_PER_LOOK: Final = 20_000
_LONGEST_VALUE_BYTES: Final = 64 * 1024 * 1024
_LONGEST_SQL: Final = 1_000_000
_HARMLESS: Final = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_RECURSIVE,
    }
)
# `data_version` is what the full-text index asks for itself.
_READING_PRAGMAS: Final = frozenset(
    {
        "data_version",
        "foreign_key_list",
        "function_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "table_info",
        "table_list",
        "table_xinfo",
    }
)
_SCHEMA: Final = frozenset({"sqlite_master", "sqlite_temp_master"})
_REFUSED_FUNCTIONS: Final = frozenset({"load_extension", "fts3_tokenizer", "readfile", "edit"})
_MISSING: Final = re.compile(r"no such (table|column|function): (?:\w+\.)?(\S+)")
_READS_ONLY: Final = "%hyper sql only reads: one statement that begins with SELECT or WITH."


def run_query(
    database: Database, sql: str, *, limit: int, timeout_s: float
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run one statement that reads, on a connection that cannot do anything else.

    Raises:
        QueryError: It would write, is not one statement, is wrong, or takes too long.
    """
    if len(sql) > _LONGEST_SQL:
        raise QueryError(
            f"A statement of {len(sql):,} characters is not run.", hint=_READS_ONLY
        )
    with database.driver(read_only=True) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE_BYTES)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        # A foreign database can hold text that is not UTF-8.
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        connection.set_authorizer(_allow)
        deadline = time.monotonic() + timeout_s
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_PER_LOOK)
        try:
            return _rows(connection, sql, limit)
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
            connection.set_authorizer(None)
            connection.set_progress_handler(None, 0)
            _say_damage(error, database.path)
            raise _told(error, connection, timeout_s) from error


def _rows(
    connection: sqlite3.Connection, sql: str, limit: int
) -> tuple[list[str], list[tuple[Any, ...]]]:
    cursor = connection.execute(sql)
    if cursor.description is None:
        raise QueryError("There is no statement that reads.", hint=_READS_ONLY)
    # The driver takes 0 for all.
    rows = cursor.fetchmany(limit) if limit > 0 else []
    return [column[0] for column in cursor.description], rows


def _allow(
    action: int, first: str | None, second: str | None, _database: str | None, _by: str | None
) -> int:
    if action in _HARMLESS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_UPDATE and first in _SCHEMA:
        # SQLite asks this whenever it connects a virtual table (full text, json_each); a
        # statement that really updates the schema is refused by itself.
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _REFUSED_FUNCTIONS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() in _READING_PRAGMAS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _say_damage(error: Exception, path: Path) -> None:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR", "SQLITE_BUSY")):
        from hypernb.store._failures import told

        raise told(error, path) from error


def _told(error: Exception, connection: sqlite3.Connection, timeout_s: float) -> QueryError:
    said = str(error)
    if "interrupted" in said:
        return QueryError(
            f"The query was stopped: it took longer than {timeout_s:g} s.",
            hint="Narrow it with WHERE or LIMIT.",
        )
    if "one statement at a time" in said:
        return QueryError("There is more than one statement.", hint=_READS_ONLY)
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_AUTH", "SQLITE_READONLY")) or "authoriz" in said:
        return QueryError(
            "The statement would change the database, or reach outside it.", hint=_READS_ONLY
        )
    if missing := _MISSING.match(said):
        kind, word = missing.groups()
        return QueryError(f"There is no {kind} {word!r}.", hint=_known(connection, kind, word))
    return QueryError(
        f"The statement cannot be run: {said}.", hint=_known(connection, "table", "")
    )


def _known(connection: sqlite3.Connection, kind: str, word: str) -> str:
    tables = [
        row[0]
        for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
            " AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'search\\__%' ESCAPE '\\'"
            " AND name <> 'alembic_version' ORDER BY name"
        )
    ]
    if kind == "table":
        return nearest(word, tables) or f"Tables: {', '.join(tables)}."
    if kind == "column":
        columns = {
            row[0]
            for table in tables
            for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        }
        return nearest(word, columns) or "SELECT * FROM a table shows its columns."
    return ""
