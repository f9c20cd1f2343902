"""The listing: what git tracks, and what there is where git cannot say."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from hypernb.errors import PathError
from hypernb.tools import list_files, new_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tree = Callable[..., Path]


def git(root: Path, *args: str) -> None:
    subprocess.run(["git", *args], cwd=root, check=True, capture_output=True)


def test_tracked_files_are_listed_sorted(tree: Tree) -> None:
    root = tree({"b.py": "", "a/c d.py": "", "ä.py": ""})
    (root / "untracked.py").touch()
    listing = list_files(root)
    assert (listing.files, listing.git) == (("a/c d.py", "b.py", "ä.py"), True)
    assert listing.note == ""


def test_new_files_are_told_apart_from_what_nobody_should_add(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree({"a.py": "", ".gitignore": "*.log\n"})
    monkeypatch.setenv("HYPERNB_DB", str(root / "missions.db"))
    (root / "src" / "__pycache__").mkdir(parents=True)
    for name in ("app.log", ".env", "missions.db", "missions.db-wal", "src/app.py"):
        (root / name).touch()
    (root / "src" / "__pycache__" / "app.pyc").touch()
    assert new_files(list_files(root)) == ("src/app.py",)
    assert list_files(root).files == (".gitignore", "a.py")


@pytest.mark.parametrize("where", ["{root}/m.db", "sqlite:///{root}/m.db", "m.db"])
def test_store_of_the_environment_is_no_file_of_the_project(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    names = ("m.db", "m.db-wal", "m.db-shm", "m.db.logs/runner.jsonl", "m.db.artifacts/x")
    root = tree({"a.py": "", "m.dbx": "", **dict.fromkeys(names, "")}, git=False)
    monkeypatch.chdir(root)
    monkeypatch.setenv("HYPERNB_DB", where.format(root=root))
    assert list_files(root).files == ("a.py", "m.dbx")


def test_subfolder_of_a_repository_is_listed(tree: Tree) -> None:
    root = tree({"top.py": "", "inner/a.py": "", "inner/deep/b.py": ""})
    assert list_files(root / "inner").files == ("a.py", "deep/b.py")


def test_new_repository_lists_untracked_files(tree: Tree) -> None:
    root = tree({"a.py": "", "secret.log": "", ".gitignore": "*.log\n"}, git=False)
    git(root, "init", "-q", ".")
    listing = list_files(root)
    assert listing.files == (".gitignore", "a.py")
    assert "Nothing is tracked yet" in listing.note


@pytest.mark.parametrize("git", [True, False])
def test_cassettes_are_no_files_of_the_project(tree: Tree, git: bool) -> None:  # noqa: FBT001
    tape = "{}\n"
    root = tree(
        {"a.py": "", ".hypernb/cassettes/a.jsonl": tape, "n/.hypernb/cassettes/b.jsonl": tape},
        git=git,
    )
    assert list_files(root).files == ("a.py",)


def test_ignored_folder_is_walked(tree: Tree) -> None:
    root = tree({".gitignore": "inner\n"})
    (root / "inner").mkdir()
    (root / "inner" / "a.py").touch()
    listing = list_files(root / "inner")
    assert (listing.files, listing.git) == (("a.py",), False)
    assert "ignores this folder" in listing.note


def test_folder_without_git_is_walked(tree: Tree) -> None:
    files = {
        "src/a.py": "",
        ".venv/lib/x.py": "",
        "node_modules/y.js": "",
        "build/z.py": "",
        "src/__pycache__/a.pyc": b"\0",
        "src/build/__init__.py": "",
    }
    listing = list_files(tree(files, git=False))
    assert listing.files == ("src/a.py", "src/build/__init__.py")
    assert listing.note.startswith("No git repository")
    assert ".venv, __pycache__, build, node_modules" in listing.note


def test_store_and_cassettes_of_the_project_are_no_files_of_it(tree: Tree) -> None:
    files = {
        ".hypernb/agents/a.toml": "",
        ".hypernb/config.toml": "",
        ".hypernb/hypernb.db": "",
        ".hypernb/hypernb.db-wal": "",
        ".hypernb/hypernb.db.artifacts/ab/cd": "",
        ".hypernb/backups/one.hypernb-backup": "",
        ".hypernb/cassettes/goal.jsonl": "",
        "a.py": "",
    }
    kept = (".hypernb/agents/a.toml", ".hypernb/config.toml", "a.py")
    for in_git in (False, True):
        assert list_files(tree(files, git=in_git)).files == kept


def test_without_git_program_the_tree_is_walked(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree({"a.py": ""})
    monkeypatch.setenv("PATH", "/nowhere")
    listing = list_files(root)
    assert (listing.files, listing.git) == (("a.py",), False)
    assert "git is not installed" in listing.note


def test_broken_repository_is_walked(tree: Tree) -> None:
    root = tree({"a.py": ""})
    (root / ".git" / "HEAD").write_text("garbage")
    listing = list_files(root)
    assert (listing.files, listing.git) == (("a.py",), False)
    assert "git cannot read it" in listing.note


def test_deleted_files_are_counted(tree: Tree) -> None:
    root = tree({"a.py": "", "b.py": ""})
    (root / "b.py").unlink()
    listing = list_files(root)
    assert listing.files == ("a.py",)
    assert "1 path not in the working tree" in listing.note


def test_links_lead_only_to_listed_files(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("secret = 1")
    root = tree({"a.py": "", ".gitignore": "ignored.py"}, git=False)
    (root / "ignored.py").touch()
    (root / "inside.py").symlink_to("a.py")
    (root / "leaves.py").symlink_to(tmp_path / "outside.py")
    (root / "ignores.py").symlink_to("ignored.py")
    (root / "circle.py").symlink_to("circle.py")
    (root / "config.py").symlink_to(".git/config")
    git(root, "init", "-q", ".")
    git(root, "add", "-A")
    listing = list_files(root)
    assert listing.files == (".gitignore", "a.py", "inside.py")
    assert "4 paths left out: a link that leads to no listed file" in listing.note


def test_tracked_folder_replaced_by_a_link_is_left_out(tree: Tree, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.py").write_text("secret = 1")
    root = tree({"inner/a.py": "", "b.py": ""})
    (root / "inner" / "a.py").unlink()
    (root / "inner").rmdir()
    (root / "inner").symlink_to(elsewhere)
    assert list_files(root).files == ("b.py",)


def test_submodules_are_counted(tree: Tree) -> None:
    root = tree({"a.py": "", "sub/b.py": ""}, git=False)
    for folder in (root / "sub", root):
        git(folder, "init", "-q", ".")
        git(folder, "add", "-A")
        git(folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x")
    listing = list_files(root)
    assert listing.files == ("a.py",)
    assert "1 submodule left out" in listing.note


@pytest.mark.parametrize(
    "in_git", [pytest.param(True, id="git"), pytest.param(False, id="bare")]
)
def test_names_that_no_line_can_show(tree: Tree, in_git: bool) -> None:  # noqa: FBT001
    root = tree({"a.py": "", "new\nline.py": ""}, git=False)
    try:
        (root / os.fsdecode(b"latin\xe9.py")).touch()
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    if in_git:
        git(root, "init", "-q", ".")
        git(root, "add", "-A")
    listing = list_files(root)
    assert listing.files == ("a.py",)
    assert "2 files left out: control characters" in listing.note


def test_empty_folder_has_no_files(tmp_path: Path) -> None:
    listing = list_files(tmp_path)
    assert listing.files == ()
    assert "There are no files to look at" in listing.note


def test_programs_of_the_repository_do_not_run(tree: Tree, tmp_path: Path) -> None:
    root = tree({"a.py": ""})
    mark = tmp_path / "mark"
    script = tmp_path / "monitor.sh"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o755)
    git(root, "config", "core.fsmonitor", str(script))
    assert list_files(root).files == ("a.py",)
    assert not mark.exists()


def test_environment_names_no_other_repository(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree({"a.py": ""})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other"))
    assert list_files(root).git


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_repository_of_another_user_is_read(tree: Tree) -> None:
    root = tree({"a.py": ""})
    for path in (root, root / ".git"):
        os.chown(path, 12345, 12345)
    listing = list_files(root)
    assert (listing.files, listing.git) == (("a.py",), True)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        pytest.param("gone", "does not exist", id="missing"),
        pytest.param("a.py", "is not a directory", id="file"),
        pytest.param("nul\0", "is no path", id="nul-byte"),
        pytest.param("x" * 5000, "is no path", id="endless"),
    ],
)
def test_what_is_no_directory_is_refused(tree: Tree, name: str, problem: str) -> None:
    root = tree({"a.py": ""}, git=False)
    with pytest.raises(PathError, match=problem) as caught:
        list_files(f"{root}/{name}")
    assert caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_directory_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    with pytest.raises(PathError, match="cannot be read"):
        list_files(closed)
