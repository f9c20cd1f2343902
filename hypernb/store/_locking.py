"""Whether locks hold where a database is to be: without them two writers destroy it."""

from __future__ import annotations

import contextlib
import os
import struct
import tempfile
from typing import TYPE_CHECKING, Final

from hypernb.errors import StoreUnavailableError
from hypernb.store._failures import ELSEWHERE

if TYPE_CHECKING:
    from pathlib import Path

_FLOCK: Final = "hhqqi0q"
"""``struct flock`` of Linux: type, whence, start, length, process; see fcntl(2)."""


def require_locks(folder: Path) -> None:
    """Make sure that a file in the folder can be locked, and that the lock keeps others out.

    Linux only; elsewhere nothing is known and nothing is said. Some network and FUSE file
    systems refuse locks, some take them and do nothing.

    Raises:
        StoreUnavailableError: Locks do not hold there.
    """
    try:
        import fcntl

        command = fcntl.F_OFD_SETLK
    except (ImportError, AttributeError):
        return
    # A file of its own: closing one more handle of a database drops the locks SQLite has.
    try:
        one = tempfile.NamedTemporaryFile(dir=folder, prefix=".hypernb-lock-")  # noqa: SIM115 - below
    except OSError:
        return  # SQLite is about to say what is wrong with the folder
    with one, open(one.name, "r+b") as other:  # noqa: PTH123 - a second handle of the same file
        lock = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
        try:
            fcntl.fcntl(one, command, lock)
        except OSError as error:
            raise _refusal(folder, error.strerror or "the system refuses") from error
        with contextlib.suppress(BlockingIOError, PermissionError):
            fcntl.fcntl(other, command, lock)
            raise _refusal(folder, "a second writer was let in")


def _refusal(folder: Path, why: str) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"A database cannot be kept in {str(folder)!r}: locks do not hold there ({why}), so "
        "two programs would destroy it.",
        hint=f"Keep it on a local disk. {ELSEWHERE}",
    )
