"""Statements run by the driver itself: the hot path of a running mission.

Compiled once for each kind of database, then run on plain tuples. SQLAlchemy's own execution
looks at every value of every row, and at every result, which costs more than SQLite does. So
values go and come as the database takes them: times and JSON as text.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ARRAY, Text, any_, bindparam, func, select

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement, Connection, Delete, Insert, Select, Update
    from sqlalchemy.sql.dml import ReturningUpdate

Row = tuple[Any, ...]
_Arranged = tuple[str, "Callable[[Row], Any]"]


class Bulk:
    """A statement that writes many rows.

    Args:
        statement: An insert, update or delete with named parameters.
        names: The parameters' names, in the order of the tuples.
    """

    def __init__(self, statement: Insert | Update | Delete, *names: str) -> None:
        self._statement = statement
        self._names = names
        self._compiled: dict[str, _Arranged] = {}

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run the statement once for each row; nothing happens without rows.

        Errors are the driver's own.
        """
        if not rows:
            return
        kind = connection.dialect.name
        if kind not in self._compiled:
            self._compiled[kind] = _compiled(connection, self._statement, self._names)
        sql, arrange = self._compiled[kind]
        cursor = _cursor(connection)
        try:
            cursor.executemany(sql, [arrange(row) for row in rows])
        finally:
            cursor.close()


class Lookup:
    """A statement that returns rows.

    Args:
        statement: A select, or an update that returns something, with named parameters.
        names: The parameters' names, in the order of the values.
    """

    def __init__(self, statement: Select[Any] | ReturningUpdate[Any], *names: str) -> None:
        self._statement = statement
        self._names = names
        self._compiled: dict[str, _Arranged] = {}

    def rows(self, connection: Connection, *values: Any) -> list[Row]:
        """Return all rows for these values; errors are the driver's own."""
        kind = connection.dialect.name
        if kind not in self._compiled:
            self._compiled[kind] = _compiled(connection, self._statement, self._names)
        sql, arrange = self._compiled[kind]
        return _fetched(connection, sql, arrange(values))


class LookupMany:
    """A select of the rows of any number of ids.

    They come as one list (in JSON, where the database knows no lists), so that one statement
    serves any number of them.

    Args:
        statement: A select; its other parameters are named.
        ids: The column that has to be one of the ids.
        names: The other parameters' names, in the order of the values.
    """

    def __init__(self, statement: Select[Any], ids: ColumnElement[Any], *names: str) -> None:
        wanted = func.json_each(bindparam("ids")).table_valued("value")
        self._in_file = Lookup(statement.where(ids.in_(select(wanted.c.value))), *names, "ids")
        listed = bindparam("ids", type_=ARRAY(Text))
        self._on_server = Lookup(statement.where(ids == any_(listed)), *names, "ids")

    def rows(self, connection: Connection, ids: Sequence[str], *values: Any) -> list[Row]:
        """Return all rows of these ids; errors are the driver's own."""
        if not ids:
            return []
        if connection.dialect.name == "postgresql":
            return self._on_server.rows(connection, *values, list(ids))
        return self._in_file.rows(connection, *values, orjson.dumps(ids).decode())


def _compiled(connection: Connection, statement: Any, names: Sequence[str]) -> _Arranged:
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(names))
    if compiled.positiontup is not None:
        places = [names.index(name) for name in compiled.positiontup]
        if len(places) == 1:
            return str(compiled), lambda row: (row[places[0]],)
        return str(compiled), itemgetter(*places)
    return str(compiled), lambda row: dict(zip(names, row, strict=True))


def _cursor(connection: Connection) -> Any:
    driver = connection.connection.dbapi_connection
    assert driver is not None  # noqa: S101 - a connection inside a transaction has one
    return driver.cursor()


def _fetched(connection: Connection, sql: str, values: Any) -> list[Row]:
    cursor = _cursor(connection)
    try:
        cursor.execute(sql, values)
        rows: list[Row] = cursor.fetchall()
        return rows
    finally:
        cursor.close()
