"""Looks for words in all that a store keeps."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def kept_in(store: Path, words: str) -> list[str]:
    """Return the columns of all tables in which words stand, and files of large values."""
    with closing(sqlite3.connect(store)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        found = [
            f"{name}.{column}"
            for (name,) in names.fetchall()
            for _, column, *_ in connection.execute(f"PRAGMA table_info({name})").fetchall()
            for (value,) in connection.execute(f'SELECT "{column}" FROM "{name}"')  # noqa: S608 - names of ours
            if words.encode() in (value if isinstance(value, bytes) else str(value).encode())
        ]
    values = [path for path in store.parent.rglob("??/*") if path.is_file()]
    return found + [path.name for path in values if words.encode() in path.read_bytes()]
