"""Answers SQL over the rows that it is given; a process of its own, which can be killed.

A single function of SQL can take for ever, and SQLite looks at no clock meanwhile. Reads what
is asked as JSON from stdin, and writes the answer as JSON. Run as a script with ``-I -S``: it
knows the standard library, and neither the store nor its path.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import sqlite3
import sys
from typing import Any, Final

_HEAP_BYTES: Final = 500_000_000
_MEMORY_BYTES: Final = 2_000_000_000
_CELL_CHARS: Final = 10_000
_ANSWER_CHARS: Final = 1_000_000
_BOUNDS: Final = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_ALLOWED: Final = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_FUNCTION,
    }
)
_REFUSED: Final = frozenset({"load_extension", "fts3_tokenizer", "readfile", "edit"})


def main() -> None:
    """Answer what stdin asks."""
    asked = json.loads(sys.stdin.buffer.read())
    _limit(asked["seconds"])
    try:
        said = _answered(asked)
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError) as error:
        said = {"wrong": str(error) or "it needs too much memory"}
    sys.stdout.write(json.dumps(said))


def _limit(seconds: float) -> None:
    # Whoever asks ends this process in time; this is for the case that they are gone.
    if sys.platform == "win32":
        return
    import resource

    signal.setitimer(signal.ITIMER_REAL, seconds)
    os.nice(5)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def _answered(asked: dict[str, Any]) -> dict[str, Any]:
    connection = sqlite3.connect(":memory:")
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    connection.execute(f"PRAGMA hard_heap_limit = {_HEAP_BYTES}")
    connection.execute("PRAGMA temp_store = MEMORY")
    for name, (columns, rows) in asked["tables"].items():
        quoted = ", ".join(f'"{column}"' for column in columns)
        connection.execute(f"CREATE TABLE {name} ({quoted})")
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608 - names of ours
    connection.execute("PRAGMA query_only = ON")
    for limit, most in _BOUNDS.items():
        connection.setlimit(limit, most)
    connection.set_authorizer(_allow)
    return _read(connection, asked["sql"], asked["limit"])


def _allow(
    action: int, _first: str | None, second: str | None, _database: str | None, _by: str | None
) -> int:
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _REFUSED:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _read(connection: sqlite3.Connection, sql: str, limit: int) -> dict[str, Any]:
    cursor = connection.execute(sql)
    if cursor.description is None:
        return {"wrong": "there is no statement that reads"}
    rows: list[list[Any]] = []
    left = _ANSWER_CHARS
    for row in cursor:
        if len(rows) >= limit or left <= 0:
            break
        rows.append([_plain(value) for value in row])
        left -= sum(len(str(value)) for value in rows[-1])
    return {"columns": [column[0] for column in cursor.description], "rows": rows}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value[:_CELL_CHARS] if isinstance(value, str) else value


if __name__ == "__main__":
    main()
