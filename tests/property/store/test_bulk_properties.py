"""Rows that are written in one step are those that are written one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Float, Integer, MetaData, Table, Text, create_engine, select

from hypernb.store import _bulk
from hypernb.store._bulk import UNDISTURBED, InsertMany, LookupMany, UpdateMany
from hypernb.store._values import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

# A hundred examples on a busy machine.
pytestmark = pytest.mark.timeout(120)

THINGS = Table(
    "things",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("text", Text),
    Column("number", Integer),
    Column("share", Float),
)
COLUMNS = [column.name for column in THINGS.c]
INSERT = InsertMany(THINGS, *COLUMNS)
UPDATE = UpdateMany(THINGS, ["id", "part"], ["text", "number", "share"])
LOOKUP = LookupMany([*THINGS.c], THINGS.c.id)

TEXTS = st.none() | st.text().map(clean)
NUMBERS = st.none() | st.integers(-(2**63), 2**63 - 1)
# To the fifteen digits that SQLite's own text of a number has.
SHARES = st.none() | st.integers(-(10**9), 10**9).map(lambda many: many / 1000)
VALUES = st.tuples(TEXTS, NUMBERS, SHARES)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with create_engine("sqlite://").connect() as opened:
        THINGS.metadata.create_all(opened)
        yield opened


def rows(values: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [(f"id {number // 2}", number % 2, *each) for number, each in enumerate(values)]


def stored(connection: Connection) -> list[tuple[Any, ...]]:
    found = connection.execute(select(THINGS))
    return sorted((tuple(row) for row in found), key=lambda row: (int(row[0][3:]), row[1]))


@given(st.lists(VALUES, max_size=12), st.data())
@settings(deadline=None)
def test_one_step_writes_and_reads_what_many_would(
    connection: Connection, values: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    connection.execute(THINGS.delete())
    connection.info[UNDISTURBED] = data.draw(st.booleans())
    INSERT.run(connection, rows(values))
    assert stored(connection) == rows(values)
    changed = data.draw(st.lists(VALUES, min_size=len(values), max_size=len(values)))
    UPDATE.run(connection, rows(changed))
    assert stored(connection) == rows(changed)
    ids = [f"id {number}" for number in range(len(values))]
    found = sorted(
        (tuple(row) for row in LOOKUP.rows(connection, ids)), key=lambda row: row[:2]
    )
    assert found == sorted(rows(changed), key=lambda row: row[:2])


def test_text_that_is_too_long_for_one_step_is_written_row_by_row(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_bulk, "_LONGEST", 100)
    connection.info.clear()
    connection.execute(THINGS.delete())
    wanted = rows([("x" * 50, number, None) for number in range(10)])
    INSERT.run(connection, wanted)
    assert stored(connection) == wanted


def test_rows_that_are_not_there_are_not_made(connection: Connection) -> None:
    connection.execute(THINGS.delete())
    UPDATE.run(connection, rows([("x", 1, 0.5)] * 6))
    assert stored(connection) == []
