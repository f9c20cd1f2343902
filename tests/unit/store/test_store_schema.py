from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from hypernb.errors import SchemaError, StoreCorruptError, StoreUnavailableError
from hypernb.model import AgentWork, PlanSpec, TaskSpec
from hypernb.store import SqlStore, _schema
from hypernb.store._tables import metadata

if TYPE_CHECKING:
    from pathlib import Path


def _change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def _ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
    return not (kind == "table" and name is not None and name.startswith("search"))


def test_migrations_lead_to_the_tables(store: SqlStore) -> None:
    with store._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _ours})
        assert compare_metadata(context, metadata) == []


def test_known_revisions_are_those_shipped() -> None:
    config = Config()
    config.set_main_option("script_location", str(_schema._MIGRATIONS))
    shipped = ScriptDirectory.from_config(config).walk_revisions()
    assert [each.revision for each in shipped][::-1] == list(_schema.REVISIONS)


def test_every_migration_can_be_taken_back(store: SqlStore) -> None:
    from alembic import command

    config = Config()
    config.set_main_option("script_location", str(_schema._MIGRATIONS))
    with store._database.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        left = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"
        )
        assert [row[0] for row in left if not row[0].startswith("sqlite")] == [
            "alembic_version"
        ]


def test_store_of_the_version_before_is_brought_up_to_date_with_its_missions(
    store: SqlStore,
) -> None:
    from alembic import command

    spec = PlanSpec(goal="count", tasks=(TaskSpec(name="a", work=AgentWork()),))
    before = store.create_mission(spec, by="ada")
    config = Config()
    config.set_main_option("script_location", str(_schema._MIGRATIONS))
    with store._database.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, _schema.REVISIONS[0])
    store.close()
    newer = SqlStore(store.path)
    assert newer.missions() == [before]
    assert newer.plan(before.id) == spec
    newer.close()


def test_store_of_the_version_before_learns_how_long_missions_rested(store: SqlStore) -> None:
    from alembic import command

    spec = PlanSpec(goal="count", tasks=(TaskSpec(name="a", work=AgentWork()),))
    ids = [store.create_mission(spec, by="ada").id for _ in range(2)]
    config = Config()
    config.set_main_option("script_location", str(_schema._MIGRATIONS))
    with store._database.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0003")
    store.close()
    course = ("started 09:00", "finished 09:10", "started 10:10", "finished 10:20")
    told = [(ids[0], *fact.split()) for fact in (*course, "started 10:50")]
    rows = [
        (seq, f"2026-11-20T{at}:00.000000+00:00", f"mission.{kind}", mission)
        for seq, (mission, kind, at) in enumerate([*told, (ids[1], *course[0].split())], 90)
    ]
    with closing(sqlite3.connect(store.path)) as database, database:
        database.executemany(
            "INSERT INTO events (seq, at, kind, mission_id) VALUES (?, ?, ?, ?)",
            rows,
        )
    newer = SqlStore(store.path)
    assert [each.rested_s for each in newer.missions()] == [0.0, 5400.0]
    newer.close()


def test_database_says_whose_it_is(store: SqlStore) -> None:
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (0x68796E62,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_opening_an_up_to_date_database_is_cheap(store: SqlStore) -> None:
    store.close()
    code = (
        "import sys; from hypernb.store import SqlStore; SqlStore(sys.argv[1]).close();"
        "sys.exit('alembic' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code, str(store.path)], check=False).returncode
        == 0
    )


def test_newer_database_is_left_alone(store: SqlStore) -> None:
    store.close()
    _change(store.path, "UPDATE alembic_version SET version_num = '0999'")
    before = store.path.read_bytes()
    with pytest.raises(SchemaError, match="pip install --upgrade") as caught:
        SqlStore(store.path)
    assert (caught.value.found, caught.value.expected) == ("0999", _schema.REVISIONS[-1])
    assert store.path.read_bytes() == before


@pytest.mark.parametrize(
    "statement", ["DELETE FROM alembic_version", "DROP TABLE alembic_version"]
)
def test_database_without_revision_is_corrupt(store: SqlStore, statement: str) -> None:
    store.close()
    _change(store.path, statement)
    with pytest.raises(StoreCorruptError, match="which schema"):
        SqlStore(store.path)


def test_database_with_a_trigger_is_refused(store: SqlStore) -> None:
    # A cloned repository may bring one that swaps the plan which --yes approves.
    store.close()
    _change(
        store.path,
        "CREATE TRIGGER swap AFTER INSERT ON plans BEGIN UPDATE plans SET spec = '{}'; END",
    )
    with pytest.raises(StoreCorruptError, match="trigger 'swap'"):
        SqlStore(store.path)


def test_database_of_another_program_is_left_alone(path: Path) -> None:
    _change(path, "CREATE TABLE bookmarks (url)", "CREATE TABLE alembic_version (version_num)")
    before = path.read_bytes()
    with pytest.raises(StoreUnavailableError, match="another program"):
        SqlStore(path)
    assert (path.read_bytes(), list(path.parent.glob(f"{path.name}*"))) == (before, [path])


def test_log_of_another_program_is_not_carried_over(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "live.db")) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE bookmarks (url)")
        connection.commit()
        for end in ("", "-wal", "-shm"):
            copy = path.with_name(path.name + end)
            copy.write_bytes((tmp_path / f"live.db{end}").read_bytes())
    log = path.with_name(f"{path.name}-wal")
    before = path.read_bytes(), log.read_bytes()
    with pytest.raises(StoreUnavailableError, match="another program"):
        SqlStore(path)
    assert (path.read_bytes(), log.read_bytes()) == before


def test_failed_migration_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("alembic.operations.Operations.create_index", fail)
    with pytest.raises(RuntimeError):
        SqlStore(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    monkeypatch.undo()


def test_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()
    opened = SqlStore(path)
    assert opened.missions() == []
    opened.close()
