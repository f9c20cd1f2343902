"""Which files of a tree are looked at: what git tracks, or the tree without its by-products."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hypernb.errors import PathError, ToolAbsentError, ToolError
from hypernb.tools._process import run_process

if TYPE_CHECKING:
    from collections.abc import Callable

_GIT_TIMEOUT_S: Final = 120.0
_SHOWN: Final = 8
_SUBMODULE: Final = "160000"

# Folders that hold by-products or other people's code, where no git can say so.
LEFT_OUT: Final = frozenset(
    {
        ".bzr",
        ".cache",
        ".eggs",
        ".git",
        ".hg",
        ".hypothesis",
        ".import_linter_cache",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".venv",
        "__pycache__",
        "__pypackages__",
        "htmlcov",
        "node_modules",
        "venv",
    }
)

# Recorded answers of models, and the project's own store with what lies beside it: a crew that
# sees the recording of itself cannot be replayed, and what missions said is no project's file.
CASSETTES: Final = ".hypernb/cassettes/"
STORE: Final = (".hypernb/hypernb.db", ".hypernb/backups/")

_WALKED: Final = "all files were taken but those in folders of by-products."
# Folders of these names are by-products too, unless they are Python packages.
_OUTPUT: Final = frozenset({"build", "dist"})

# The repository is somebody else's: its configuration may name programs that git would start
# (fsmonitor, hooks, transports for missing objects), and its owner may be another user.
GIT_COMMAND: Final = (
    "git",
    "-c",
    "core.fsmonitor=false",
    "-c",
    f"core.hooksPath={os.devnull}",
    "-c",
    "core.quotePath=false",
    "-c",
    "safe.directory=*",
)
GIT_ENVIRONMENT: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a tree that tools may read.

    Attributes:
        root: The tree, absolute.
        files: Paths relative to it, with forward slashes, sorted.
        git: git said which they are.
        note: What a reader should know of the choice; empty if there is nothing to say.
    """

    root: Path
    files: tuple[str, ...]
    git: bool
    note: str


def list_files(root: str | Path) -> Listing:
    """List the files of a tree that count as its own.

    In a git repository these are the tracked files below ``root``; while nothing is tracked,
    those that git does not ignore. Elsewhere the tree is walked without by-products
    (`LEFT_OUT`, and ``build`` or ``dist``). Symbolic links count if they lead to a file that
    is listed itself; names that cannot be shown on a line are left out, and the note says so.
    Cassettes of models, the project's store and that of ``HYPERNB_DB`` are never among them.

    Raises:
        PathError: There is no such directory, or it cannot be read.
    """
    path = _directory(root)
    notes: list[str] = []
    names = _by_git(path, notes)
    git = names is not None
    if names is None:
        names = _by_walking(path, notes)
    own = own_files(path)
    names = [each for each in names if not own(each)]
    files = _regular(path, _showable(names, notes), notes)
    if not files:
        notes.append("There are no files to look at.")
    return Listing(root=path, files=files, git=git, note=" ".join(notes))


def own_files(root: Path) -> Callable[[str], bool]:
    """Return what tells whether a file is hypernb's own: a cassette, or of a store."""
    marks = [f"/{each}" for each in (CASSETTES, *STORE)]
    store = _chosen_store(root)
    beside = (f"{store}-", f"{store}.logs/", f"{store}.artifacts/")

    def is_own(name: str) -> bool:
        is_chosen = bool(store) and (name == store or name.startswith(beside))
        return is_chosen or any(mark in f"/{name}" for mark in marks)

    return is_own


def _chosen_store(root: Path) -> str:
    """Return where below a folder the environment has the store; empty if it is elsewhere."""
    where = os.environ.get("HYPERNB_DB", "").removeprefix("sqlite:///")
    if not where or "://" in where:
        return ""
    try:
        path = Path(where).expanduser().absolute()
        return (path.parent.resolve() / path.name).relative_to(root).as_posix()
    except (OSError, ValueError, RuntimeError):
        return ""


def _directory(root: str | Path) -> Path:
    given = str(root)
    try:
        path = Path(root).expanduser().absolute()
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise PathError(
            given, "does not exist", hint="Give the path of a directory that is there."
        ) from None
    except PermissionError:
        raise PathError(
            given, "cannot be read", hint="Ask for read permission, or give another directory."
        ) from None
    except (OSError, ValueError, RuntimeError) as error:
        raise PathError(
            given[:200], f"is no path ({error})", hint="Check its spelling."
        ) from None
    if not stat.S_ISDIR(mode):
        raise PathError(
            given, "is not a directory", hint=f"Give its folder: {str(path.parent)!r}."
        )
    try:
        with os.scandir(path):
            return path.resolve()
    except OSError as error:
        raise PathError(
            given,
            f"cannot be read ({error.strerror})",
            hint="Ask for read permission, or give another directory.",
        ) from None


def _by_git(root: Path, notes: list[str]) -> list[str] | None:
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        notes.append(f"No git repository: {_WALKED}")
        return None
    try:
        tracked = files_by_git(root, "ls-files", "-z", "--stage")
        if tracked:
            return _tracked(tracked, notes)
        new = files_by_git(root, "ls-files", "-z", "--others", "--exclude-standard")
    except ToolAbsentError:
        notes.append(f"git is not installed: {_WALKED}")
        return None
    except ToolError as error:
        notes.append(f"git cannot read it ({_one_line(error.reason)}): {_WALKED}")
        return None
    nested = [name for name in new if name.endswith("/")]
    if nested:
        notes.append(f"{_count(len(nested), 'repository', 'repositories')} inside left out.")
    names = [name for name in new if not name.endswith("/")]
    if not names and not (root / ".git").exists():
        notes.append(f"The repository around it ignores this folder: {_WALKED}")
        return None
    notes.append("Nothing is tracked yet: these are the files that git does not ignore.")
    return names


def files_by_git(root: Path, *args: str) -> list[str]:
    """Return what git says of a repository's files, one each.

    Raises:
        ToolAbsentError: There is no git.
        ToolError: It cannot say.
    """
    done = run_process(
        [*GIT_COMMAND, *args], cwd=root, timeout_s=_GIT_TIMEOUT_S, env_extra=GIT_ENVIRONMENT
    )
    return [os.fsdecode(name) for name in done.raw.split(b"\0") if name]


def _tracked(entries: list[str], notes: list[str]) -> list[str]:
    names: set[str] = set()
    submodules: set[str] = set()
    for entry in entries:
        facts, _, name = entry.partition("\t")
        (submodules if facts.startswith(_SUBMODULE) else names).add(name)
    if submodules:
        notes.append(f"{_count(len(submodules), 'submodule', 'submodules')} left out.")
    return sorted(names)


def _by_walking(root: Path, notes: list[str]) -> list[str]:
    names: list[str] = []
    unreadable = 0

    def skipped(_error: OSError) -> None:
        nonlocal unreadable
        unreadable += 1

    left_out: set[str] = set()
    for folder, folders, files in os.walk(root, onerror=skipped):
        byproducts = {name for name in folders if _is_byproduct(Path(folder, name))}
        left_out |= byproducts
        folders[:] = [name for name in folders if name not in byproducts]
        inside = Path(folder).relative_to(root)
        names += [(inside / name).as_posix() for name in files]
    if shown := sorted(filter(is_showable, left_out)):
        more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        notes.append(f"Left out: {', '.join(shown[:_SHOWN])}{more}.")
    if unreadable:
        notes.append(f"{_count(unreadable, 'folder', 'folders')} could not be read.")
    return names


def _is_byproduct(folder: Path) -> bool:
    name = folder.name
    if name in _OUTPUT:
        return not (folder / "__init__.py").is_file()
    return name in LEFT_OUT or name.endswith((".egg-info", ".dist-info"))


def _showable(names: list[str], notes: list[str]) -> list[str]:
    kept = [name for name in names if is_showable(name)]
    if odd := len(names) - len(kept):
        notes.append(
            f"{_count(odd, 'file', 'files')} left out: control characters or bytes that are "
            "not UTF-8 in the name."
        )
    return kept


def is_showable(name: str) -> bool:
    """Tell whether a name can stand on a line."""
    return not any(ch < " " or ch == "\x7f" or "\ud800" <= ch <= "\udfff" for ch in name)


def _regular(root: Path, names: list[str], notes: list[str]) -> tuple[str, ...]:
    regular: set[str] = set()
    links: list[str] = []
    missing = special = 0
    folders: dict[str, bool] = {}
    for name in names:
        folder = name.rpartition("/")[0]
        if folder not in folders:
            folders[folder] = _is_inside(root, folder)
        if not folders[folder]:
            special += 1
            continue
        try:
            mode = (root / name).lstat().st_mode
        except OSError:
            missing += 1
            continue
        if stat.S_ISREG(mode):
            regular.add(name)
        elif stat.S_ISLNK(mode):
            links.append(name)
        else:
            special += 1
    kept = [name for name in links if _target(root, name) in regular]
    for number, words in (
        (missing, "not in the working tree"),
        (special, "left out: neither a file nor a link, or reached through one"),
        (len(links) - len(kept), "left out: a link that leads to no listed file"),
    ):
        if number:
            notes.append(f"{_count(number, 'path', 'paths')} {words}.")
    return tuple(sorted(regular.union(kept)))


def _is_inside(root: Path, folder: str) -> bool:
    # A tracked folder may have been replaced by a link to another place.
    try:
        return (root / folder).resolve() == root / folder
    except (OSError, ValueError, RuntimeError):
        return False


def _target(root: Path, name: str) -> str | None:
    try:
        return (root / name).resolve(strict=True).relative_to(root).as_posix()
    except (OSError, ValueError, RuntimeError):
        return None


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
