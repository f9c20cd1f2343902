from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.errors import QueryError
from hypernb.model import AgentWork, PlanSpec, TaskSpec

if TYPE_CHECKING:
    from pathlib import Path

    from hypernb.store import SqlStore

SPEC = PlanSpec(goal="count", tasks=(TaskSpec(name="a", work=AgentWork()),))


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("ATTACH DATABASE '{other}' AS other", id="attach"),
        pytest.param("VACUUM INTO '{other}'", id="vacuum into a file"),
        pytest.param("PRAGMA journal_mode = DELETE", id="pragma that writes"),
        pytest.param("PRAGMA query_only = OFF", id="pragma that opens the door"),
        pytest.param("PRAGMA writable_schema = ON", id="pragma on the schema"),
        pytest.param("PRAGMA wal_checkpoint(TRUNCATE)", id="pragma that checkpoints"),
        pytest.param("SELECT load_extension('/tmp/x.so')", id="extension"),
        pytest.param("SELECT writefile('{other}', 'x')", id="file function"),
        pytest.param("CREATE TEMP TABLE x AS SELECT 1", id="temporary table"),
        pytest.param("CREATE TEMP VIEW x AS SELECT 1", id="temporary view"),
        pytest.param("SAVEPOINT x", id="savepoint"),
        pytest.param("REINDEX", id="reindex"),
        pytest.param("ANALYZE", id="analyze"),
        pytest.param("UPDATE sqlite_master SET sql = 'x'", id="schema"),
        pytest.param("DELETE FROM sqlite_master", id="schema rows"),
        pytest.param("CREATE VIRTUAL TABLE x USING fts5(y)", id="virtual table"),
        pytest.param("INSERT INTO search(search) VALUES ('rebuild')", id="index command"),
        pytest.param("SELECT * FROM missions; ", id="fine"),
    ],
)
def test_no_query_reaches_outside(store: SqlStore, tmp_path: Path, sql: str) -> None:
    store.create_mission(SPEC, by="ada")
    other = tmp_path / "other.db"
    before = (store.last_seq(), store.check())
    try:
        store.query(sql.format(other=other))
    except QueryError:
        pass
    else:
        assert sql.startswith("SELECT *")
    assert not other.exists()
    assert (store.last_seq(), store.check()) == before


@pytest.mark.parametrize(
    ("sql", "first"),
    [
        pytest.param("SELECT count(*) FROM tasks", 1, id="count"),
        pytest.param("WITH x(y) AS (VALUES (1), (2)) SELECT sum(y) FROM x", 3, id="with"),
        pytest.param("VALUES (7)", 7, id="values"),
        pytest.param("PRAGMA table_info(tasks)", 0, id="pragma that reads"),
        pytest.param("SELECT count(*) FROM pragma_table_list", None, id="pragma function"),
        pytest.param("SELECT json_extract('[5]', '$[0]')", 5, id="json"),
        pytest.param(
            "SELECT count(*) FROM search WHERE search MATCH 'count'", 1, id="full text"
        ),
        pytest.param("SELECT strftime('%Y', created_at) > '2000' FROM missions", 1, id="time"),
        pytest.param("EXPLAIN QUERY PLAN SELECT * FROM tasks", None, id="explain"),
        pytest.param("/* why */ SELECT 1 -- because", 1, id="comments"),
    ],
)
def test_what_reads_is_run(store: SqlStore, sql: str, first: object) -> None:
    store.create_mission(SPEC, by="ada")
    _, rows = store.query(sql)
    assert rows
    assert first is None or rows[0][0] == first


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        pytest.param("SELECT zeroblob(1000000000)", "cannot be run", id="huge value"),
        pytest.param("SELECT '" + "x" * 1_000_001 + "'", "1,000,0", id="huge statement"),
        pytest.param("SELECT \ud800", "cannot be run", id="half a character"),
        pytest.param("SELECT 1 \x00 2", "cannot be run", id="NUL"),
        pytest.param("SELECT fly_me(1)", "no function 'fly_me'", id="unknown function"),
        pytest.param("SELECT * FROM zzzzzz", "Tables: .*missions", id="unknown table"),
        pytest.param("SELECT zzzzzzz FROM tasks", "shows its columns", id="unknown column"),
        pytest.param("SELECT abs(-9223372036854775808)", "overflow", id="overflow"),
    ],
)
def test_query_that_cannot_be_run_says_why(store: SqlStore, sql: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        store.query(sql)


def test_text_that_is_not_utf8_is_shown(store: SqlStore) -> None:
    assert store.query("SELECT CAST(x'63ff' AS TEXT)")[1] == [("c\N{REPLACEMENT CHARACTER}",)]


def test_foreign_view_cannot_reach_outside(store: SqlStore) -> None:
    with store._database.writing() as connection:
        connection.exec_driver_sql("CREATE VIEW trap AS SELECT load_extension('/tmp/x.so')")
    with pytest.raises(QueryError):
        store.query("SELECT * FROM trap")
