from __future__ import annotations

import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson
import pytest

from hypernb.abc import Payload
from hypernb.codec import PICKLE
from hypernb.errors import (
    PathError,
    SchemaError,
    StoreCorruptError,
    StoreError,
    StoreUnavailableError,
)
from hypernb.model import AgentWork, PlanSpec, RunnerId, TaskSpec
from hypernb.store import (
    SqlStore,
    artifact_folder,
    backup_name,
    process_facts,
    restore,
    rotate_backups,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPEC = PlanSpec(goal="count", tasks=(TaskSpec(name="a", work=AgentWork()),))
LARGE = b"x" * 1_500_000


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    mission = store.create_mission(SPEC, by="ada")
    store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="ada")
    store.put_artifacts([Payload("text/plain", LARGE), Payload(PICKLE, b"N.")])
    return store


@pytest.fixture
def saved(filled: SqlStore, tmp_path: Path) -> Path:
    return filled.backup(tmp_path / "saved.hypernb-backup")


def _everything(path: Path) -> dict[str, list[object]]:
    with closing(SqlStore(path)) as store:
        tables = ("missions", "tasks", "events", "approvals", "artifacts", "search")
        return {name: list(store.query(f"SELECT * FROM {name}")[1]) for name in tables}  # noqa: S608 - names above


def test_copy_is_held_by_nobody(filled: SqlStore, tmp_path: Path) -> None:
    for resource in ("runner:here", "mission:1"):
        filled.take_lease(resource, RunnerId("r"), timedelta(minutes=1), process_facts())
    copy = restore(filled.backup(tmp_path / "saved"), tmp_path / "copy.db")
    with closing(SqlStore(copy)) as store:
        assert store.leases() == []
        lease = store.take_lease("runner:here", RunnerId("s"), timedelta(minutes=1), {})
    assert lease is not None
    assert lease.token == 2


def test_restored_store_is_the_one_that_was_saved(
    filled: SqlStore, saved: Path, tmp_path: Path
) -> None:
    target = restore(saved, tmp_path / "new" / "other.db")
    assert _everything(target) == _everything(filled.path)
    with closing(SqlStore(target)) as store:
        assert store.check() == []
        digests = [
            row[0] for row in store.query("SELECT digest FROM artifacts ORDER BY size_bytes")[1]
        ]
        assert [store.artifact(each)[1] for each in digests] == [b"N.", LARGE]
        assert store.find("count")
        assert len(store.runnable_missions()) == 1


def test_backup_is_one_file(saved: Path) -> None:
    assert saved.is_file()
    assert [each.name for each in saved.parent.glob(".backup*")] == []
    with zipfile.ZipFile(saved) as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} == {
            "hypernb.db",
            "artifacts",
            "manifest.json",
        }


def test_backup_into_a_folder_gets_a_name(filled: SqlStore, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    paths = [filled.backup(folder) for _ in range(3)]
    assert len(set(paths)) == 3
    assert all(path.suffix == ".hypernb-backup" for path in paths)
    assert all(restore(path, tmp_path / f"{path.name}.db") for path in paths)


def test_backup_overwrites_nothing(filled: SqlStore, saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(PathError, match="exists"):
        filled.backup(saved)
    assert saved.read_bytes() == before


def test_backup_into_a_missing_folder_says_so(filled: SqlStore, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="no folder"):
        filled.backup(tmp_path / "nowhere" / "x")


def test_backup_of_a_store_that_lacks_a_file_is_made(filled: SqlStore, tmp_path: Path) -> None:
    (lost,) = artifact_folder(filled.path).glob("??/*")
    lost.unlink()
    target = restore(filled.backup(tmp_path / "b"), tmp_path / "new.db")
    with closing(SqlStore(target)) as store:
        assert [problem.split(":")[0] for problem in store.check()] == [
            "1 artifact files are missing"
        ]


# -- restoring ---------------------------------------------------------------------------


def test_store_with_missions_is_not_replaced_unasked(filled: SqlStore, saved: Path) -> None:
    with pytest.raises(StoreError, match="has 1 missions"):
        restore(saved, filled.path)


def test_replaced_store_is_kept_beside(filled: SqlStore, saved: Path) -> None:
    later = filled.create_mission(SPEC, by="ada")
    restore(saved, filled.path, force=True)
    assert [mission.short_id for mission in filled.missions()] == ["m-1"]
    kept = list(filled.path.parent.glob("store.db.before-restore-*Z"))
    assert len(kept) == 1
    with closing(SqlStore(kept[0])) as old:
        assert old.mission("m-2").id == later.id
        assert old.check() == []


def test_empty_store_is_replaced(saved: Path, tmp_path: Path) -> None:
    SqlStore(tmp_path / "empty.db").close()
    assert _everything(restore(saved, tmp_path / "empty.db"))["missions"]


def test_damaged_store_is_replaced_and_kept(saved: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"broken" * 1000)
    restore(saved, broken)
    assert _everything(broken)["missions"]
    (kept,) = tmp_path.glob("broken.db.before-restore-*")
    assert kept.read_bytes() == b"broken" * 1000


def test_database_of_another_program_is_not_replaced(saved: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (url)")
    with pytest.raises(StoreError, match="another program"):
        restore(saved, tmp_path / "x.db")


def test_store_with_a_live_runner_is_not_replaced(filled: SqlStore, saved: Path) -> None:
    held = filled.take_lease(
        "runner:here", RunnerId("r-1"), timedelta(hours=1), process_facts()
    )
    with pytest.raises(StoreUnavailableError, match="%hyper stop"):
        restore(saved, filled.path, force=True)
    assert held is not None
    filled.release_lease(held)
    restore(saved, filled.path, force=True)


def _without(name: str) -> Callable[[dict[str, bytes]], None]:
    def remove(files: dict[str, bytes]) -> None:
        del files[next(each for each in files if each.startswith(name))]

    return remove


def _flipped(name: str) -> Callable[[dict[str, bytes]], None]:
    def flip(files: dict[str, bytes]) -> None:
        found = next(each for each in files if each.startswith(name))
        content = bytearray(files[found])
        content[len(content) // 2] ^= 0xFF
        files[found] = bytes(content)

    return flip


def _odd_manifest(files: dict[str, bytes]) -> None:
    files["manifest.json"] = b"[]"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(_without("manifest"), id="no manifest"),
        pytest.param(_without("hypernb.db"), id="no database"),
        pytest.param(_without("artifacts"), id="no artifact"),
        pytest.param(_flipped("hypernb.db"), id="other database"),
        pytest.param(_flipped("artifacts"), id="other artifact"),
        pytest.param(_odd_manifest, id="odd manifest"),
    ],
)
def test_damaged_backup_changes_nothing(
    saved: Path, filled: SqlStore, damage: Callable[[dict[str, bytes]], None]
) -> None:
    with zipfile.ZipFile(saved) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    damage(files)
    with zipfile.ZipFile(saved, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    before = sorted(each.name for each in filled.path.parent.iterdir())
    with pytest.raises(StoreCorruptError, match="Nothing was changed"):
        restore(saved, filled.path, force=True)
    assert sorted(each.name for each in filled.path.parent.iterdir()) == before
    assert filled.check() == []


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 half of one"])
def test_file_that_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(StoreCorruptError):
        restore(tmp_path / "x", tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


def test_missing_backup_is_named(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="no such file"):
        restore(tmp_path / "nowhere", tmp_path / "new.db")


def _repacked(saved: Path, change: Callable[[dict[str, object]], None]) -> None:
    with zipfile.ZipFile(saved) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = orjson.loads(files["manifest.json"])
    change(manifest)
    files["manifest.json"] = orjson.dumps(manifest)
    with zipfile.ZipFile(saved, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def test_backup_of_a_later_format_is_refused(saved: Path, tmp_path: Path) -> None:
    _repacked(saved, lambda manifest: manifest.update(format=2))
    with pytest.raises(StoreError, match="format 2"):
        restore(saved, tmp_path / "new.db")


def test_backup_of_a_later_schema_is_refused(filled: SqlStore, tmp_path: Path) -> None:
    with filled._database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(SchemaError):
        restore(filled.backup(tmp_path / "b"), tmp_path / "new.db")


# -- rotation ----------------------------------------------------------------------------


def test_names_say_store_and_time() -> None:
    at = datetime(2026, 11, 20, 16, 29, tzinfo=UTC)
    name = backup_name("sqlite:////data/crew.db", at)
    assert name == "crew-20261120T162900Z.hypernb-backup"


def test_newest_backups_of_each_store_are_kept(tmp_path: Path) -> None:
    start = datetime(2026, 11, 20, tzinfo=UTC)
    for day in range(9):
        for store in ("one.db", "two.db"):
            (tmp_path / backup_name(store, start + timedelta(days=day))).touch()
    mine = tmp_path / "before the move.hypernb-backup"
    mine.touch()
    removed = rotate_backups(tmp_path, keep=7)
    assert [path.name[:12] for path in removed] == [
        "one-20261120",
        "one-20261121",
        "two-20261120",
        "two-20261121",
    ]
    assert len(list(tmp_path.iterdir())) == 15
    assert mine.exists()
    assert rotate_backups(tmp_path / "nowhere") == []
