from __future__ import annotations

import os
import re
from contextlib import closing
from pathlib import Path

import pytest

from hypernb.errors import StoreUnavailableError
from hypernb.store import (
    SqlStore,
    artifact_folder,
    backup_folder,
    database_file,
    default_location,
    home_folder,
    open_store,
)
from hypernb.store._location import database_path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder one is in; the home directory is `tmp_path`."""
    folder = tmp_path / "project" / "notebooks"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(folder)
    return folder.parent


def test_default_lies_in_the_home_folder(project: Path, home: Path) -> None:
    del project
    assert default_location() == str(home / "hypernb.db")


def test_platform_names_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYPERNB_HOME")
    assert home_folder().name == "hypernb"
    assert home_folder().is_absolute()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        pytest.param("{tmp}/x.db", "{tmp}/x.db", id="path"),
        pytest.param("~/x.db", "{tmp}/x.db", id="home"),
        pytest.param("x.db", "{tmp}/project/notebooks/x.db", id="relative"),
        pytest.param("sqlite:////x.db", "sqlite:////x.db", id="url"),
    ],
)
def test_environment_names_the_database(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, meant: str
) -> None:
    del project
    monkeypatch.setenv("HYPERNB_DB", given.format(tmp=tmp_path))
    assert default_location() == meant.format(tmp=tmp_path)


@pytest.mark.parametrize(
    "given", [":memory:", "file:x?mode=memory", "~nobody-of-that-name/x.db"]
)
def test_environment_that_names_no_file_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("HYPERNB_DB", given)
    with pytest.raises(StoreUnavailableError, match=re.escape(given)):
        open_store()
    assert [path.name for path in project.rglob("*")] == ["notebooks"]


def test_pipe_is_no_database(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.db")
    with pytest.raises(StoreUnavailableError, match="no regular file"):
        open_store(tmp_path / "x.db")


def with_a_database(folder: Path) -> str:
    (folder / ".hypernb").mkdir()
    (folder / ".hypernb" / "hypernb.db").touch()
    return str(folder / ".hypernb" / "hypernb.db")


def test_project_with_a_database_keeps_its_own_missions(project: Path) -> None:
    assert with_a_database(project) == default_location()


def test_empty_file_becomes_the_projects_database(project: Path) -> None:
    where = with_a_database(project)
    with closing(open_store()) as store:
        assert (store.missions(), database_file(store.url)) == ([], Path(where))


@pytest.mark.parametrize(
    "linked", ["hypernb.db", "hypernb.db-wal", "hypernb.db.artifacts", "backups", ""]
)
def test_store_of_a_project_is_no_link(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: str
) -> None:
    other = tmp_path / "other"
    file = Path(with_a_database(project))
    if linked:
        (file.parent / linked).unlink(missing_ok=True)
        other.touch()
        (file.parent / linked).symlink_to(other)
    else:
        file.parent.rename(other)
        file.parent.symlink_to(other)
    with pytest.raises(StoreUnavailableError, match=r"is a link, .* HYPERNB_DB=PATH"):
        open_store()
    monkeypatch.setenv("HYPERNB_DB", str(file))
    assert default_location() == str(file)


@pytest.mark.parametrize("written", ["config.toml", "agents/x.toml", "cassettes/x.jsonl"])
def test_settings_agents_and_cassettes_of_a_project_hide_no_mission(
    project: Path, home: Path, written: str
) -> None:
    file = project / ".hypernb" / written
    file.parent.mkdir(parents=True)
    file.touch()
    assert default_location() == str(home / "hypernb.db")


def test_project_ends_at_its_git_root(project: Path, tmp_path: Path, home: Path) -> None:
    (tmp_path / "project" / ".git").mkdir()
    with_a_database(tmp_path)
    assert default_location() == str(home / "hypernb.db")
    assert with_a_database(project) == default_location()


def test_home_directory_is_nobodys_project(project: Path, tmp_path: Path, home: Path) -> None:
    del project
    with_a_database(tmp_path)
    assert default_location() == str(home / "hypernb.db")


def test_folder_outside_home_looks_at_itself_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    shared = tmp_path / "shared"
    (shared / "deep").mkdir(parents=True)
    with_a_database(shared)
    monkeypatch.setenv("HOME", str(tmp_path / "somewhere"))
    monkeypatch.chdir(shared / "deep")
    assert default_location() == str(home / "hypernb.db")
    monkeypatch.chdir(shared)
    assert default_location() == str(shared / ".hypernb" / "hypernb.db")


@pytest.mark.parametrize(
    ("where", "path"),
    [
        pytest.param("/a/b.db", "/a/b.db", id="path"),
        pytest.param("sqlite:////a/b.db", "/a/b.db", id="url"),
        pytest.param("sqlite+pysqlite:////a/b.db?timeout=3", "/a/b.db", id="url with driver"),
        pytest.param("/a/what? #1 %20.db", "/a/what? #1 %20.db", id="odd name"),
    ],
)
def test_path_and_url_name_the_same_file(where: str, path: str) -> None:
    assert database_path(where) == Path(path)
    assert database_file(where) == Path(path)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        pytest.param(":memory:", "in memory", id="memory"),
        pytest.param("sqlite://", "in memory", id="empty url"),
        pytest.param("sqlite:///:memory:", "in memory", id="memory url"),
        pytest.param("file:x?mode=memory", "in memory", id="memory uri"),
        pytest.param("sqlite:///file:x?mode=memory&uri=true", "in memory", id="named memory"),
        pytest.param("", "in memory", id="nothing"),
        pytest.param("mysql://localhost/x", "SQLite", id="another database"),
        pytest.param("a\x00b", "cannot be the path", id="NUL"),
    ],
)
def test_what_is_no_file_is_refused(where: str, said: str) -> None:
    with pytest.raises(StoreUnavailableError, match=said) as caught:
        SqlStore(where)
    assert caught.value.hint or "NUL" in repr(said) or "\x00" in where


def test_other_databases_have_no_file() -> None:
    assert database_file("postgresql://localhost/x") is None


def test_home_is_made_where_it_is_missing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERNB_DB", str(home / "deep" / "x.db"))
    opened = open_store()
    opened.close()
    assert (home / "deep" / "x.db").is_file()


@pytest.mark.parametrize("name", ["odd ?name#1.db", "100%.db", "ünï 🚀.db", "a'b.db"])
def test_file_can_have_any_name(tmp_path: Path, name: str) -> None:
    opened = SqlStore(tmp_path / name)
    assert database_file(opened.url) == tmp_path / name
    opened.changed()
    assert opened.query("SELECT count(*) FROM missions")[1] == [(0,)]
    opened.close()
    assert (tmp_path / name).stat().st_size > 0


def test_what_belongs_to_a_database_lies_beside_it(path: Path) -> None:
    assert artifact_folder(path) == path.with_name("store.db.artifacts")
    assert backup_folder(str(path)) == path.parent / "backups"


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_database_is_readable_by_its_owner_only(store: SqlStore) -> None:
    assert store.path.stat().st_mode & 0o077 == 0
