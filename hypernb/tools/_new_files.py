"""New files of a repository: git neither tracks nor ignores them, and nobody reads them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from hypernb.errors import ToolAbsentError, ToolError
from hypernb.tools._files import LEFT_OUT, files_by_git, is_showable, own_files
from hypernb.tools._scope import is_secret_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hypernb.tools._files import Listing

_OTHERS: Final = ("ls-files", "-z", "--others", "--exclude-standard")


def new_files(listing: Listing) -> tuple[str, ...]:
    """Return the files that would be looked at if git tracked them, sorted.

    They may hold what nobody was to see, and no rule of git's says so yet: agents read them
    after a `git add`. Files for secrets and by-products are not among them.
    """
    if not listing.git:
        return ()
    others = set(_others(listing.root)) - set(listing.files)
    return tuple(sorted(_counted(listing.root, others)))


def is_new_file(root: Path, name: str) -> bool:
    """Tell whether a path below a repository is that of a new file."""
    if not any(_counted(root, [name])):
        return False
    return name in _others(root, "--", f":(literal){name}")


def _others(root: Path, *which: str) -> list[str]:
    try:
        return files_by_git(root, *_OTHERS, *which)
    except (ToolAbsentError, ToolError):  # it is only told where it is known
        return []


def _counted(root: Path, names: Iterable[str]) -> Iterator[str]:
    own = own_files(root)
    for name in names:
        folders = PurePosixPath(name).parts[:-1]
        is_aside = name.endswith("/") or own(name) or not LEFT_OUT.isdisjoint(folders)
        if is_showable(name) and not is_aside and not is_secret_path(name):
            yield name
