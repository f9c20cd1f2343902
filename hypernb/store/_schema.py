"""The database's schema: what it is, and bringing it up to date, one process at a time."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hypernb.errors import SchemaError, StoreCorruptError, StoreUnavailableError
from hypernb.store._failures import ELSEWHERE, RESTORE

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import Connection

REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006")
"""Revisions that this program knows, oldest first; the last is what it works with."""

APPLICATION_ID: Final = int.from_bytes(b"hynb", "big")
_MIGRATIONS: Final = Path(__file__).parent / "migrations"

# Alembic keeps the connection it works on in module globals.
_one_at_a_time = threading.Lock()


def is_up_to_date(connection: sqlite3.Connection, path: Path) -> bool:
    """Tell whether the schema is this program's; False if it is older or not there yet.

    Costs four small reads and does not import Alembic, which would take longer than all the
    rest of opening a store.

    Raises:
        SchemaError: It is newer.
        StoreUnavailableError: The database belongs to another program.
        StoreCorruptError: The database is ours and does not say which schema it has, or it has
            a trigger.
    """
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        return False
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise StoreUnavailableError(
            f"{str(path)!r} is a database of another program; hypernb leaves it alone.",
            hint=ELSEWHERE,
        )
    _refuse_triggers(connection, path)
    return revision(connection, path) == REVISIONS[-1]


def _refuse_triggers(connection: sqlite3.Connection, path: Path) -> None:
    # A database may come with a cloned repository. hypernb makes no trigger; one could put
    # another plan in the place of the one that a person approves in the same breath.
    statement = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    if (row := connection.execute(statement).fetchone()) is not None:
        raise StoreCorruptError(
            f"{str(path)!r} has a trigger {row[0]!r} that hypernb did not make; it could "
            "change what you approve.",
            hint=f"{ELSEWHERE} {RESTORE}",
        )


def revision(connection: sqlite3.Connection, path: Path) -> str:
    """Return the revision that a database of ours has.

    Raises:
        SchemaError: This program does not know it.
        StoreCorruptError: The database does not say.
    """
    named = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
    ).fetchone()[0]
    row = (
        connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if named
        else None
    )
    if row is None:
        raise StoreCorruptError(
            f"{str(path)!r} does not say which schema it has.", hint=RESTORE
        )
    found = str(row[0])
    if found not in REVISIONS:
        raise SchemaError(found, REVISIONS[-1])
    return found


def bring_up_to_date(connection: Connection, path: Path) -> None:
    """Run what is missing, inside the connection's write transaction.

    The caller holds the write lock, so of two processes that open a fresh file at once the
    second one finds the work done.
    """
    driver = connection.connection.dbapi_connection
    assert driver is not None  # noqa: S101 - a connection inside a transaction has one
    if is_up_to_date(driver, path):  # type: ignore[arg-type]  # pysqlite's is a sqlite3.Connection
        return
    upgrade(connection)
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, inside the connection's write transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _one_at_a_time:
        command.upgrade(config, "head")
