"""The schema on a server: what it is, and bringing it up to date, one process at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from hypernb.errors import SchemaError, StoreCorruptError, StoreUnavailableError
from hypernb.store._schema import REVISIONS, upgrade

if TYPE_CHECKING:
    from sqlalchemy import Connection

_VERSION = text("SELECT version_num FROM alembic_version")


def is_up_to_date(connection: Connection, where: str) -> bool:
    """Tell whether the schema is this program's; False if it is older or not there yet.

    Raises:
        SchemaError: It is newer.
        StoreUnavailableError: The database belongs to another program.
        StoreCorruptError: It is ours and does not say which schema it has.
    """
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return False
    if not {"missions", "events", "counters"} <= tables:
        raise StoreUnavailableError(
            f"{where!r} holds tables of another program; hypernb leaves them alone.",
            hint="createdb makes a database of its own.",
        )
    found = connection.execute(_VERSION).scalar() if "alembic_version" in tables else None
    if found is None:
        raise StoreCorruptError(
            f"{where!r} does not say which schema it has.",
            hint="Restore it with the server's own tools.",
        )
    if found not in REVISIONS:
        raise SchemaError(str(found), REVISIONS[-1])
    return str(found) == REVISIONS[-1]


def bring_up_to_date(connection: Connection, where: str) -> None:
    """Run what is missing, inside the connection's write transaction."""
    if not is_up_to_date(connection, where):
        upgrade(connection)
