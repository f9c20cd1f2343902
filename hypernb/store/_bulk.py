"""Statements for many rows, run by the driver itself: the hot path of a running mission."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Delete, Insert, Update

Row = tuple[Any, ...]


class Bulk:
    """One statement, compiled once for each kind of database, then run on tuples.

    SQLAlchemy's own executemany looks at every value of every row, which costs more than
    SQLite does. So values come here as the database takes them: times and JSON as text.

    Args:
        statement: An insert, update or delete with named parameters.
        names: The parameters' names, in the order of the tuples.
    """

    def __init__(self, statement: Insert | Update | Delete, *names: str) -> None:
        self._statement = statement
        self._names = names
        self._compiled: dict[str, tuple[str, Callable[[Row], Any]]] = {}

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run the statement once for each row; nothing happens without rows."""
        if not rows:
            return
        kind = connection.dialect.name
        if kind not in self._compiled:
            self._compiled[kind] = self._compile(connection)
        sql, arrange = self._compiled[kind]
        connection.exec_driver_sql(sql, [arrange(row) for row in rows])

    def _compile(self, connection: Connection) -> tuple[str, Callable[[Row], Any]]:
        compiled = self._statement.compile(
            dialect=connection.dialect, column_keys=list(self._names)
        )
        if compiled.positiontup is not None:
            places = [self._names.index(name) for name in compiled.positiontup]
            if len(places) == 1:
                return str(compiled), lambda row: (row[places[0]],)
            return str(compiled), itemgetter(*places)
        return str(compiled), lambda row: dict(zip(self._names, row, strict=True))
