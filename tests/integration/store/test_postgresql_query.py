"""People's SQL on a server cannot do anything but read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.errors import QueryError
from hypernb.model import AgentWork, PlanSpec, TaskSpec
from hypernb.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgresql import Server

SPEC = PlanSpec(goal="count", tasks=(TaskSpec(name="a", work=AgentWork()),))


@pytest.fixture(scope="module")
def store(postgresql: Server) -> Iterator[SqlStore]:
    url = postgresql.database()
    store = SqlStore(url)
    store.create_mission(SPEC, by="ada")
    yield store
    store.close()
    postgresql.drop(url)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM missions",
        "SELECT 1; DELETE FROM missions",
        "SELECT 1; COMMIT; DELETE FROM missions; SELECT 2",
        "WITH gone AS (DELETE FROM missions RETURNING 1) SELECT * FROM gone",
        "SELECT * INTO other FROM missions",
        "COMMIT",
        "COPY missions TO '/tmp/missions'",
        "CREATE TEMP TABLE x AS SELECT 1",
        "SET TRANSACTION READ WRITE",
        "SELECT set_config('default_transaction_read_only', 'off', false)",
        "SELECT \"set_config\"('default_transaction_read_only', 'off', false)",
        "SELECT pg_catalog.set_config('default_transaction_read_only', 'off', false)",
        "SELECT U&\"set\\005fconfig\"('default_transaction_read_only', 'off', false)",
        "SELECT lo_create(0)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_read_file/**/('/etc/hostname')",
        "SELECT pg_read_file -- x\n('/etc/hostname')",
        "SELECT count(pg_terminate_backend/* (' */(pid)) FROM pg_stat_activity",
        "SELECT E'\\'', pg_sleep(0)",
        "SELECT $a$ ' $a$, pg_sleep(0)",
        "SELECT pg_create_physical_replication_slot('x')",
        "SELECT pg_switch_wal()",
        "SELECT pg_logical_emit_message(false, 'a', 'b')",
        "SELECT * FROM ts_stat('select to_tsvector(pg_read_file(''/etc/hostname''))')",
        "SELECT query_to_xml('select pg_sleep(0)', true, true, '')",
        "SELECT chr(0)",
        "SELECT repeat('x', 2000000000)",
        "SELECT nextval('findings_id_seq')",
        "EXPLAIN ANALYZE DELETE FROM missions",
        "DO $$ BEGIN DELETE FROM missions; END $$",
        "SELECT * FROM missions FOR UPDATE",
        "",
        ";",
        "-- nothing",
        "SELECT '\x00'",
    ],
)
def test_no_query_changes_or_reaches_anything(store: SqlStore, sql: str) -> None:
    before = store.last_seq()
    with pytest.raises(QueryError):
        store.query(sql)
    assert len(store.missions()) == 1
    assert (store.last_seq(), store.check()) == (before, [])


@pytest.mark.parametrize(
    ("sql", "first"),
    [
        ("SELECT count(*) FROM tasks", 1),
        ("  -- how many\n SELECT count(*) FROM tasks ; ", 1),
        ("WITH x(y) AS (VALUES (1), (2)) SELECT sum(y) FROM x", 3),
        ("(SELECT 7)", 7),
        ("VALUES (7)", 7),
        ("SELECT short_id FROM missions WHERE goal LIKE 'cou%'", "m-1"),
        ("SELECT 'a;b'", "a;b"),
        ("SELECT 'pg_sleep(1)'", "pg_sleep(1)"),
        ("SELECT goal FROM missions WHERE goal NOT LIKE '%pg_sleep(%'", "count"),
        ("SELECT 'Infinity'::numeric", float("inf")),
        ("SELECT max(length(goal)) FROM missions -- ; (", 5),
        ("SELECT goal FROM missions WHERE short_id = 'm-1'", "count"),
    ],
)
def test_what_reads_is_read(store: SqlStore, sql: str, first: object) -> None:
    _, rows = store.query(sql)
    assert rows[0][0] == first


def test_near_misses_are_named(store: SqlStore) -> None:
    with pytest.raises(QueryError) as caught:
        store.query("SELECT * FROM mission")
    assert "missions" in str(caught.value.hint)
    with pytest.raises(QueryError) as caught:
        store.query("SELECT gaol FROM missions")
    assert "goal" in str(caught.value.hint)
