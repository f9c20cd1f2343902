"""Statements run by the driver itself: the hot path of a running mission.

Compiled once for each kind of database, then run on plain tuples. SQLAlchemy's own execution
looks at every value of every row, and at every result, which costs more than SQLite does. So
values go and come as the database takes them: times and JSON as text.

SQLite's driver gives the interpreter away and asks for it back at every row, and whoever has it
in between keeps it for up to five milliseconds. Beside a busy loop a row then costs a hundred
times what SQLite takes for it. So many rows travel as one JSON text, in one step; where nobody
else wants the interpreter (see `UNDISTURBED`), row by row is faster.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import (
    ARRAY,
    Text,
    any_,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    update,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement, Connection, Delete, Insert, Select, Table, Update
    from sqlalchemy.sql.dml import ReturningUpdate

Row = tuple[Any, ...]
_Arranged = tuple[str, "Callable[[Row], Any]"]

UNDISTURBED: Final = "hypernb undisturbed"
"""Set in a connection's ``info`` while the thread that uses it is the only one with work."""
_MANY: Final = 4
"""From so many rows on, one step for all of them is worth the writing and reading of JSON."""
_LONGEST: Final = 100_000_000
"""SQLite takes no text above a thousand million bytes, and builds may be set to take less."""


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


class _Together:
    """Rows of texts and numbers, written in one step where that is worth it.

    Args:
        each: Writes one row.
        together: Writes all rows that the parameter ``rows`` holds, in a file.
    """

    def __init__(self, each: Bulk, together: Insert | Update) -> None:
        self._each = each
        self._together = Lookup(together, "rows")

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write the rows; nothing happens without any. Errors are the driver's own."""
        if len(rows) >= _MANY and _is_in_one_step(connection):
            text = orjson.dumps(rows)
            if len(text) <= _LONGEST:
                self._together.rows(connection, text.decode())
                return
        self._each.run(connection, rows)


class InsertMany(_Together):
    """An insert of rows of texts and numbers.

    Args:
        columns: Names of the columns, in the order of the tuples.
    """

    def __init__(self, table: Table, *columns: str) -> None:
        given = func.json_each(bindparam("rows")).table_valued("value")
        values = select(*(_value(given, place) for place in range(len(columns))))
        super().__init__(
            Bulk(insert(table), *columns),
            insert(table).from_select(columns, values, include_defaults=False),
        )


class UpdateMany(_Together):
    """An update of rows that are named by their keys; the values are texts and numbers.

    Args:
        keys: Names of the columns that say which row, first in each tuple.
        columns: Names of the columns that are set, in the order of the tuples.
    """

    def __init__(self, table: Table, keys: Sequence[str], columns: Sequence[str]) -> None:
        new = [f"new_{name}" for name in columns]
        wanted = [table.c[name] == bindparam(f"key_{name}") for name in keys]
        given = func.json_each(bindparam("rows")).table_valued("value")
        together = update(table).where(
            *(table.c[name] == _value(given, place) for place, name in enumerate(keys))
        )
        super().__init__(
            Bulk(
                update(table)
                .where(*wanted)
                .values(dict(zip(columns, map(bindparam, new), strict=True))),
                *(f"key_{name}" for name in keys),
                *new,
            ),
            together.values(
                {name: _value(given, place) for place, name in enumerate(columns, len(keys))}
            ),
        )


def _is_in_one_step(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite" and not connection.info.get(UNDISTURBED)


def _value(given: Any, place: int) -> ColumnElement[Any]:
    return func.json_extract(given.c.value, literal_column(f"'$[{place}]'"))


class Lookup:
    """A statement that returns rows.

    Args:
        statement: With named parameters; what returns nothing gives no rows.
        names: The parameters' names, in the order of the values.
    """

    def __init__(
        self, statement: Select[Any] | ReturningUpdate[Any] | Insert | Update, *names: str
    ) -> None:
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
    """A select of the rows of any number of ids; texts and numbers only.

    They come as one list (in JSON, where the database knows no lists), so that one statement
    serves any number of them.

    Args:
        columns: What is selected.
        ids: The column that has to be one of the ids.
        where: Other conditions.
        names: The other parameters' names, in the order of the values.
    """

    def __init__(
        self,
        columns: Sequence[ColumnElement[Any]],
        ids: ColumnElement[Any],
        *names: str,
        where: Sequence[ColumnElement[bool]] = (),
    ) -> None:
        wanted = func.json_each(bindparam("ids")).table_valued("value")
        chosen = (*where, ids.in_(select(wanted.c.value)))
        self._few = Lookup(select(*columns).where(*chosen), *names, "ids")
        together = select(func.json_group_array(func.json_array(*columns)))
        self._many = Lookup(together.where(*chosen), *names, "ids")
        listed = bindparam("ids", type_=ARRAY(Text))
        on_server = select(*columns).where(*where, ids == any_(listed))
        self._on_server = Lookup(on_server, *names, "ids")

    def rows(
        self, connection: Connection, ids: Sequence[str], *values: Any
    ) -> Sequence[Sequence[Any]]:
        """Return all rows of these ids; errors are the driver's own."""
        if not ids:
            return []
        if connection.dialect.name == "postgresql":
            return self._on_server.rows(connection, *values, list(ids))
        wanted = orjson.dumps(ids).decode()
        if len(ids) < _MANY or not _is_in_one_step(connection):
            return self._few.rows(connection, *values, wanted)
        [[text]] = self._many.rows(connection, *values, wanted)
        found: list[list[Any]] = orjson.loads(text)
        return found


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
