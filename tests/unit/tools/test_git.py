"""History as a model reads it: bounded, within the scope, and without starting programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from hypernb.abc import ToolContext
from hypernb.errors import ToolError
from hypernb.tools import list_files
from tests.unit.tools.conftest import call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.tools.conftest import Tree

KEY = "sk-proj-" + "a1B2c3D4e5F6g7H8i9J0"


def git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def rev(root: Path, name: str) -> str:
    asked = ["git", "rev-parse", name]
    return subprocess.run(
        asked, cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tree: Tree) -> Path:
    """Two commits, and a change of each file that is not committed."""
    root = tree({"a.txt": "one\n", "src/b.txt": "b\n", ".env": "A=1\n", "deep/c.txt": "c\n"})
    git(root, "commit", "-qm", "first")
    (root / "a.txt").write_text("one\ntwo\n")
    git(root, "commit", "-qam", "second; mail ada@example.org")
    (root / "a.txt").write_text(f"one\ntwo\nkey = '{KEY}'\n")
    (root / ".env").write_text("A=2\n")
    return root


def context_of(root: Path, *files: str) -> ToolContext:
    listing = list_files(root)
    return ToolContext(listing.root, files or listing.files)


def test_log_is_short_and_newest_first(repository: Path) -> None:
    said = call("git-log", context_of(repository)).split("\n")
    assert [line.split(" ", 2)[2] for line in said] == [
        "Ada: second; mail ada@example.org",
        "Ada: first",
    ]
    assert len(call("git-log", context_of(repository), path="src/b.txt").split("\n")) == 1


def test_blame_names_who_and_when_of_a_range(repository: Path) -> None:
    said = call("git-blame", context_of(repository), path="a.txt", first_line=1, last_line=1)
    assert "(Ada 20" in said
    assert said.endswith("1) one")
    assert "example.org" not in said


def test_difference_covers_up_secrets_and_leaves_out_secret_files(repository: Path) -> None:
    said = call("git-diff", context_of(repository))
    assert "+key = '[secret]" in said or "+key = [secret]" in said
    assert KEY not in said
    assert "A=2" not in said
    assert "1 changed files are outside of the scope or for secrets." in said


def test_difference_between_commits(repository: Path) -> None:
    said = call("git-diff", context_of(repository), before="HEAD~1", after="HEAD")
    assert "+two" in said
    assert "key" not in said
    assert call("git-diff", context_of(repository), path="src/b.txt") == "Nothing has changed."


def test_only_files_of_the_scope_are_compared(repository: Path) -> None:
    said = call("git-diff", context_of(repository, "src/b.txt"))
    assert said.startswith("Nothing has changed.")
    assert "2 changed files are outside of the scope" in said


@pytest.mark.parametrize(
    "revision", ["HEAD:.env", "--output=x", ":/first", "HEAD --", "a\nb", "HEAD^{/x y}"]
)
def test_what_names_no_commit_is_refused(repository: Path, revision: str) -> None:
    with pytest.raises(ToolError, match="names no commit"):
        call("git-diff", context_of(repository), before=revision)


def test_only_commits_that_a_branch_leads_to_are_compared(repository: Path) -> None:
    gone = rev(repository, "HEAD:src/b.txt")
    (repository / "src" / "b.txt").write_text("amended away\n")
    git(repository, "commit", "-qam", "third")
    amended = rev(repository, "HEAD")
    git(repository, "reset", "-q", "--soft", "HEAD~1")
    stashed = rev(repository, "HEAD^{tree}")
    for name in ("nope", gone, gone[:5], stashed, amended, "HEAD@{1}", "HEAD^{tree}"):
        with pytest.raises(ToolError, match="names no commit of a branch or tag"):
            call("git-diff", context_of(repository), path="a.txt", before=name)
    git(repository, "tag", "-a", "v1", "-m", "one", "HEAD~1")
    assert "+two" in call("git-diff", context_of(repository), before="v1", after="HEAD")


def test_file_that_was_a_folder_does_not_show_what_was_in_it(tree: Tree) -> None:
    root = tree({"docs/.env": "the code is 0000\n", "docs/x.md": "hidden plan\n"})
    git(root, "commit", "-qm", "folder")
    git(root, "rm", "-qr", "docs")
    (root / "docs").write_text("a file\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "file")
    context = ToolContext(root, ("docs",))
    for path in ("", "docs"):
        said = call("git-diff", context, path=path, before="HEAD~1")
        assert "0000" not in said
        assert "hidden" not in said


def test_blame_does_not_name_files_that_a_line_was_in_before(repository: Path) -> None:
    git(repository, "mv", "deep/c.txt", "src/c.txt")
    git(repository, "commit", "-qm", "moved", "src/c.txt", "deep/c.txt")
    context = ToolContext(repository, ("src/c.txt",))
    said = call("git-blame", context, path="src/c.txt", first_line=1, last_line=9)
    assert said.endswith(" 1) c")
    assert said.count("\n") == 0
    assert "deep" not in said


def test_what_was_renamed_from_outside_of_the_scope_is_new(repository: Path) -> None:
    git(repository, "mv", "deep/c.txt", "src/c.txt")
    said = call("git-diff", ToolContext(repository, ("src/c.txt",)))
    assert "new file mode" in said
    assert "deep" not in said


def test_tree_below_the_repository_is_read_from_there(repository: Path) -> None:
    context = context_of(repository / "src")
    (repository / "src" / "b.txt").write_text("b\nmore\n")
    assert "+more" in call("git-diff", context)
    assert "first" in call("git-log", context)


def test_configuration_of_the_repository_starts_nothing(repository: Path) -> None:
    mark = repository.parent / "started"
    touch = f"touch {mark}; cat"
    (repository / ".gitattributes").write_text("*.txt filter=evil diff=evil\n")
    for name in (
        *("filter.evil.clean", "filter.evil.smudge", "filter.evil.process"),
        *("diff.evil.textconv", "diff.evil.command", "diff.external", "core.fsmonitor"),
        *("core.pager", "pager.log", "gpg.program"),
    ):
        git(repository, "config", name, touch)
    git(repository, "config", "filter.evil.required", "true")
    git(repository, "config", "log.showSignature", "true")
    context = context_of(repository)
    call("git-diff", context)
    call("git-log", context)
    call("git-blame", context, path="a.txt", first_line=1, last_line=1)
    assert not mark.exists()


def test_repository_cannot_say_that_its_files_are_elsewhere(
    repository: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text("what nobody should see\n")
    git(repository, "config", "core.worktree", str(outside))
    said = call("git-diff", ToolContext(repository, ("a.txt",)), path="a.txt")
    assert "nobody" not in said


def test_configuration_of_the_repository_reads_nothing(
    repository: Path, tmp_path: Path
) -> None:
    context = context_of(repository)
    secret = tmp_path / "token"
    secret.write_text("four nine zero one\n")
    for name in (
        *("blame.ignoreRevsFile", "diff.orderFile", "core.attributesFile"),
        *("core.excludesFile", "mailmap.file", "gpg.ssh.allowedSignersFile", "include.path"),
    ):
        git(
            repository,
            "config",
            "--file",
            str(repository / ".git" / "config"),
            name,
            str(secret),
        )
    said = [
        call("git-diff", context, path="a.txt"),
        call("git-log", context),
        call("git-blame", context, path="a.txt", first_line=1, last_line=1),
    ]
    assert all(said)
    assert "four nine" not in "".join(said)


def test_what_git_says_of_a_failure_is_not_passed_on(repository: Path) -> None:
    with pytest.raises(ToolError) as caught:
        call("git-blame", context_of(repository), path="a.txt", first_line=99, last_line=99)
    assert "git ended with exit code 128." in str(caught.value)
    assert "fatal" not in str(caught.value)


def private(folder: Path) -> Path:
    """Another project, which nobody has handed in."""
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("buy ACME\n")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "private: acquire ACME")
    return folder


def file_to_another(root: Path, other: Path) -> None:
    (root / ".git").write_text(f"gitdir: {other}/.git\n")


def file_to_a_worktree_of_another(root: Path, other: Path) -> None:
    git(other, "worktree", "add", "-q", str(other.parent / "third"))
    (root / ".git").write_text(f"gitdir: {other}/.git/worktrees/third\n")


def link_to_another(root: Path, other: Path) -> None:
    (root / ".git").symlink_to(other / ".git")


def links_inside(root: Path, other: Path) -> None:
    git(root, "init", "-q")
    for name in ("objects", "refs"):
        shutil.rmtree(root / ".git" / name)
        (root / ".git" / name).symlink_to(other / ".git" / name)


def links_to_objects(root: Path, other: Path) -> None:
    git(root, "init", "-q")
    for file in (other / ".git/objects").glob("??/*"):
        mine = root / ".git/objects" / file.parent.name / file.name
        mine.parent.mkdir(exist_ok=True)
        mine.symlink_to(file)
    (root / ".git/refs/heads/master").write_text(rev(other, "HEAD") + "\n")


def link_to_branches(root: Path, other: Path) -> None:
    git(root, "init", "-q")
    (root / ".git/refs/heads/deep").mkdir()
    (root / ".git/refs/heads/deep/sub").symlink_to(other / ".git/refs/heads")


def borrowed(root: Path, other: Path) -> None:
    git(root, "init", "-q")
    (root / ".git/objects/info/alternates").write_text(f"{other}/.git/objects\n")
    (root / ".git/refs/heads/master").write_text(rev(other, "HEAD") + "\n")


def own_folder_of_another(root: Path, other: Path) -> None:
    git(root, "init", "-q", "--separate-git-dir", str(root / "gd"))
    (root / "gd" / "commondir").write_text(f"{other}/.git\n")


@pytest.mark.parametrize(
    "lead",
    [
        file_to_another,
        file_to_a_worktree_of_another,
        link_to_another,
        links_inside,
        links_to_objects,
        link_to_branches,
        borrowed,
        own_folder_of_another,
    ],
)
def test_history_of_another_repository_is_not_read(
    tmp_path: Path, lead: Callable[[Path, Path], None]
) -> None:
    other, root = private(tmp_path / "private"), tmp_path / "project"
    root.mkdir()
    (root / "README.md").write_text("hello\n")
    lead(root, other)
    context = ToolContext(root, ("README.md",))
    with pytest.raises(ToolError, match=r"another|other places"):
        call("git-log", context)
    with pytest.raises(ToolError, match=r"another|other places"):
        call("git-diff", context, path="README.md")


@pytest.mark.parametrize(
    "place", ["packed-refs", "shallow", "refs/heads/z", "objects/pack/pack-0.idx"]
)
def test_pipe_is_refused_and_not_waited_for(repository: Path, place: str) -> None:
    os.mkfifo(repository / ".git" / place)
    with pytest.raises(ToolError, match="or no files"):
        call("git-log", context_of(repository))


def test_worktrees_and_submodules_have_their_history(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "tree-2"))
    other = private(tmp_path / "part")
    allow = ["-c", "protocol.file.allow=always"]
    git(repository, *allow, "submodule", "add", "-q", str(other), "part")
    assert "second" in call("git-log", context_of(tmp_path / "tree-2"))
    assert "acquire" in call("git-log", context_of(repository / "part"))
    assert "acquire" not in call("git-log", context_of(repository))


def test_without_a_repository_there_is_no_history(tree: Tree) -> None:
    root = tree({"a.txt": ""}, git=False)
    with pytest.raises(ToolError, match="is in no git repository"):
        call("git-log", ToolContext(root, ("a.txt",)))


def test_names_like_patterns_and_options_are_names(tree: Tree) -> None:
    root = tree({":(top)x": "1\n", "--all": "1\n", "*": "1\n"})
    git(root, "commit", "-qm", "odd")
    for name in (":(top)x", "--all", "*"):
        (root / name).write_text("2\n")
        said = call("git-diff", ToolContext(root, (name,)), path=name)
        assert said.count("diff --git") == 1
