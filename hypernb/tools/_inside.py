"""Opens files below a root step by step, so that no link is followed that was not looked at."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

NO_FILE: Final = "is not a plain file"

_BY_STEPS: Final = os.open in os.supports_dir_fd
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
_FOLDER: Final = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0)
# Without waiting: a pipe would keep its reader waiting for ever.
_FILE: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
_IS_LINK: Final = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK})


def bytes_inside(
    root: Path, path: str, limit: int, refused: Callable[[str], str]
) -> bytes | str:
    """Return up to ``limit`` bytes of a plain file below the root, or why not, in words.

    What a link leads to is looked at, and then opened from the root on without following any:
    whatever is exchanged between the two leads to an error, and not out of the root.

    Args:
        root: May be a link itself.
        path: Relative to it.
        limit: Of bytes.
        refused: Says why what a path leads to is not read; empty if it is.

    Raises:
        OSError: It cannot be read.
        RuntimeError: Links lead in a circle.
        ValueError: No file can have that name.
    """
    opened = _opened(root, path, refused)
    if isinstance(opened, str):
        return opened
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        return NO_FILE
    with os.fdopen(opened, "rb") as stream:
        return stream.read(limit)


def _opened(root: Path, path: str, refused: Callable[[str], str]) -> int | str:
    pure = PurePosixPath(path)
    if not pure.is_absolute() and ".." not in pure.parts:
        if said := refused(pure.as_posix()):
            return said
        try:
            return _open(root, pure.parts)
        except OSError as error:
            if error.errno not in _IS_LINK:
                raise
    real, leads_to = root.resolve(), (root / path).resolve(strict=True)
    if not leads_to.is_relative_to(real):
        return "is a link that leads out of the root"
    inside = leads_to.relative_to(real)
    return refused(inside.as_posix()) or _open(real, inside.parts)


def _open(root: Path, parts: Sequence[str]) -> int:
    """Open what is below the root, where no part of the way is a link."""
    if not _BY_STEPS:
        return os.open(root.joinpath(*parts), _FILE | _NO_LINK)
    *folders, name = parts or (".",)
    folder = os.open(root, _FOLDER)
    try:
        for each in folders:
            inner = os.open(each, _FOLDER | _NO_LINK, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(name, _FILE | _NO_LINK, dir_fd=folder)
    finally:
        os.close(folder)
