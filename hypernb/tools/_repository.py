"""A repository whose history is read, without what its configuration says and leads to.

A project is somebody else's: its ``.git`` may name files that git would read, programs that it
would start, or the repository of another project.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hypernb.errors import ToolError
from hypernb.tools._files import GIT_ENVIRONMENT
from hypernb.tools._process import run_process
from hypernb.tools._scope import plain_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIMEOUT_S: Final = 30.0
_MARK_BYTES: Final = 4_096
_MOST_ENTRIES: Final = 500_000  # half a second or so
_HEAD: Final = re.compile(r"ref: refs/[^\x00-\x20\x7f]+|[0-9a-f]{40,64}")
# How files are stored and compared; nothing here names a file or a program.
_TAKEN: Final = (
    r"^(core\.(repositoryformatversion|filemode|symlinks|ignorecase|autocrlf|eol)"
    r"|extensions\.objectformat)$"
)
_VALUE: Final = re.compile(r"[A-Za-z0-9]{1,20}")
_SETTINGS: Final = {
    "blame.showemail": "false",
    "core.attributesfile": os.devnull,
    "core.excludesfile": os.devnull,
    "diff.submodule": "short",
    "diff.ignoresubmodules": "all",
    "log.showsignature": "false",
}


@dataclass(frozen=True, slots=True)
class Repository:
    """Where a repository is.

    Attributes:
        top: Its working tree.
        own: The folder with what belongs to this tree: HEAD and the index.
        common: The folder with objects and branches.
    """

    top: Path
    own: Path
    common: Path


def repository_around(root: Path) -> Repository | str:
    """Return the repository that a folder is in, or why its history is not read, in words.

    It is in a folder ``.git`` of the tree, or where git put it that made this tree as a
    worktree or submodule: then it names the tree in its turn.
    """
    whole = root.resolve()
    marks = (folder / ".git" for folder in (whole, *whole.parents))
    mark = next((each for each in marks if os.path.lexists(each)), None)
    if mark is None:
        return f"{root.name!r} is in no git repository"
    if mark.is_symlink():
        return "its .git is a link to another place"
    found = Repository(mark.parent, mark, mark) if mark.is_dir() else _named_by(mark)
    if found is None:
        return "its .git names another repository, which does not name this tree"
    return _leads_elsewhere(found) or found


def _named_by(mark: Path) -> Repository | None:
    said = plain_bytes(mark.parent, mark.name, _MARK_BYTES)
    if isinstance(said, str) or not said.startswith(b"gitdir:"):
        return None
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        own = (mark.parent / os.fsdecode(said.removeprefix(b"gitdir:")).strip()).resolve()
        back = plain_bytes(own, "gitdir", _MARK_BYTES)
        known = (own / os.fsdecode(back).strip()).resolve() if isinstance(back, bytes) else None
        if known == mark and own.parent.name == "worktrees":
            return Repository(mark.parent, own, own.parent.parent)
        tree = _settings(own, r"^core\.worktree$").get("core.worktree")
        if tree and (own / tree).resolve() == mark.parent:
            return Repository(mark.parent, own, own)
    return None


def _leads_elsewhere(found: Repository) -> str:
    if os.path.lexists(found.common / "objects" / "info" / "alternates"):
        return "it borrows the objects of another repository"
    odd = "parts of its .git are links to other places, or no files"
    named = [found.own / "HEAD", found.own / "index", *found.own.glob("sharedindex.*")]
    named += [found.common / each for each in ("packed-refs", "shallow", "config")]
    if any(os.path.lexists(each) and not _is_plain(each.lstat()) for each in named):
        return odd
    entries = 0
    try:
        for is_plain in _below(found.common / "objects", found.common / "refs"):
            entries += 1
            if not is_plain:
                return odd
            if entries > _MOST_ENTRIES:
                return f"its .git has more than {_MOST_ENTRIES:,} files that are not packed"
    except OSError:
        return "parts of its .git cannot be read"
    return ""


def _is_plain(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode)


def _below(*folders: Path) -> Iterator[bool]:
    """Yield, for all that is in folders and below, whether it is a file or folder itself."""
    waiting: list[str | Path] = []
    for folder in folders:
        yield not folder.is_symlink()
        waiting.append(folder)
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                yield is_folder or entry.is_file(follow_symlinks=False)
                if is_folder:
                    waiting.append(entry.path)


@contextlib.contextmanager
def apart(found: Repository) -> Iterator[dict[str, str]]:
    """Give the variables by which git reads a history with a configuration of ours.

    Raises:
        ToolError: git cannot read the repository's own.
    """
    head = plain_bytes(found.own, "HEAD", _MARK_BYTES)
    said = head.decode(errors="replace").strip() if isinstance(head, bytes) else ""
    if not _HEAD.fullmatch(said):
        raise ToolError("git", "the repository has no HEAD that can be read.")
    own = {
        name: value
        for name, value in _settings(found.common, _TAKEN).items()
        if _VALUE.fullmatch(value)
    }
    with tempfile.TemporaryDirectory(prefix="hypernb-git-") as name:
        folder = Path(name)
        (folder / "HEAD").write_text(f"{said}\n", encoding="utf-8")
        (folder / "config").write_text(_written({**own, **_SETTINGS}), encoding="utf-8")
        # Without logs: what was amended away or reset is no history.
        places = [found.common / each for each in ("refs", "packed-refs", "shallow")]
        for place in (*places, *found.own.glob("sharedindex.*")):
            if place.exists():
                (folder / place.name).symlink_to(place)
        yield {
            **GIT_ENVIRONMENT,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_DIR": str(folder),
            "GIT_INDEX_FILE": str(found.own / "index"),
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OBJECT_DIRECTORY": str(found.common / "objects"),
            "GIT_WORK_TREE": str(found.top),
        }


def _settings(folder: Path, which: str) -> dict[str, str]:
    """Return settings of a repository, without those of files that it includes."""
    file = folder / "config"
    if not file.is_file():
        return {}
    asked = ["git", "config", "--file", str(file), "--no-includes", "-z", "--get-regexp", which]
    # In no repository, or git would first read its configuration with all that it includes.
    nowhere = {**GIT_ENVIRONMENT, "GIT_DIR": os.devnull}
    done = run_process(
        asked, cwd=folder, timeout_s=_TIMEOUT_S, env_extra=nowhere, allowed_exit=None
    )
    if done.exit_code not in (0, 1):
        raise ToolError("git", "the repository's configuration cannot be read.")
    pairs = (entry.partition("\n") for entry in done.stdout.split("\0") if entry)
    return {name: value for name, _, value in pairs}


def _written(settings: dict[str, str]) -> str:
    lines = []
    for name, value in settings.items():
        section, _, key = name.partition(".")
        lines.append(f"[{section}]\n\t{key} = {value}\n")
    return "".join(lines)
