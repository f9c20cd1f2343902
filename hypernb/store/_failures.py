"""What a database's error means for the reader: one sentence, and what to do next."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError

from hypernb.errors import StoreCorruptError, StoreError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ELSEWHERE: Final = "HYPERNB_DB chooses another database."
RESTORE: Final = (
    "%hyper restore puts a backup in its place; the damaged file is kept beside it."
)
_LOCKED_HINT: Final = (
    "Close the program that holds it (an open SQL browser, a copy in progress) and try again."
)
_NETWORK_HINT: Final = (
    "It seems to lie on a network file system. HYPERNB_DB chooses a place on a local disk."
)
_SPACE_HINT: Final = "Free some space and try again; what was committed before is safe."


@contextmanager
def failures_told(path: Path, *, waited_s: float = 0.0) -> Iterator[None]:
    """Raise what goes wrong with the database inside as one of ours."""
    try:
        yield
    except DBAPIError as error:
        raise told(error.orig or error, path, waited_s=waited_s) from error
    except sqlite3.Error as error:
        raise told(error, path, waited_s=waited_s) from error


@contextmanager
def values_told(where: str, *, hint: str) -> Iterator[None]:
    """Raise what is wrong with a value that is read, or looked up, as one of ours.

    Args:
        where: Path or URL of the database.
        hint: What to do about a damaged one.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise StoreError(
            f"{error.object[:120]!r} cannot be looked up: it is not sound Unicode."
        ) from error
    except ValueError as error:
        # A state, a time or JSON that this program never writes.
        raise StoreCorruptError(
            f"{where!r} holds a value that cannot be read: {error}", hint=hint
        ) from error


@contextmanager
def file_failures_told(path: Path) -> Iterator[None]:
    """Raise what goes wrong with a file of the store as one of ours."""
    try:
        yield
    except OSError as error:
        raise told_of_file(error, path) from error


def breaks_a_reference(error: BaseException | None) -> bool:
    """Tell whether the database refused a row because of another that is missing.

    Every driver names the class so, and so does SQLAlchemy.
    """
    return any(kind.__name__ == "IntegrityError" for kind in type(error).__mro__)


def told(error: BaseException, path: Path, *, waited_s: float = 0.0) -> StoreError:
    """Say what a driver's error means for the database at ``path``."""
    name = getattr(error, "sqlite_errorname", "") or ""
    where = repr(str(path))
    if name.startswith("SQLITE_CANTOPEN") or "unable to open" in str(error):
        return _cannot_open(path)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return _damaged(name, where, error)
    if "no such table" in str(error) or "no such column" in str(error):
        return StoreCorruptError(f"{where} lacks a part of its schema: {error}.", hint=RESTORE)
    if "malformed JSON" in str(error):
        return StoreCorruptError(f"{where} holds a value that is no JSON.", hint=RESTORE)
    for beginning, sentence, hint in _UNAVAILABLE:
        if name.startswith(beginning):
            said = sentence.format(where=where, error=error, waited=f"{waited_s:g} s")
            return StoreUnavailableError(said, hint=hint)
    return StoreError(f"{where} refused what was to be done: {error}.")


_UNAVAILABLE: Final = (
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED"),
        "{where} is locked by another program; waited {waited}.",
        _LOCKED_HINT,
    ),
    (
        ("SQLITE_READONLY",),
        "{where} cannot be written: the file or its folder is read-only.",
        f"Make both writable, or move the database. {ELSEWHERE}",
    ),
    (("SQLITE_FULL",), "The disk of {where} is full; nothing was written.", _SPACE_HINT),
    (
        ("SQLITE_PROTOCOL", "SQLITE_NOLFS", "SQLITE_IOERR_LOCK", "SQLITE_IOERR_SHM"),
        "{where} cannot be locked: {error}.",
        _NETWORK_HINT,
    ),
    (
        ("SQLITE_IOERR",),
        "{where} cannot be read or written: {error}.",
        "The disk may be full, over its quota or failing; %hyper doctor looks closer.",
    ),
    (("SQLITE_PERM", "SQLITE_AUTH"), "{where} may not be used: {error}.", ELSEWHERE),
)


def _damaged(name: str, where: str, error: BaseException) -> StoreCorruptError:
    if name == "SQLITE_NOTADB":
        return StoreCorruptError(
            f"{where} is not a database of hypernb.", hint=f"{ELSEWHERE} {RESTORE}"
        )
    return StoreCorruptError(f"{where} is damaged: {error}.", hint=RESTORE)


def _cannot_open(path: Path) -> StoreUnavailableError:
    where = repr(str(path))
    try:
        if path.is_dir():
            return StoreUnavailableError(
                f"{where} is a folder, not a database.", hint=f"Give a file. {ELSEWHERE}"
            )
        if not path.parent.is_dir():
            return StoreUnavailableError(
                f"{where} cannot be made: there is no folder {str(path.parent)!r}.",
                hint=f"mkdir -p makes it. {ELSEWHERE}",
            )
        if not path.exists() and _may_write(path.parent):
            return removed(path)
    except OSError as error:
        return told_of_file(error, path)
    return StoreUnavailableError(
        f"{where} cannot be opened: no permission to it or its folder.", hint=ELSEWHERE
    )


def _may_write(folder: Path) -> bool:
    by_effect = os.access in os.supports_effective_ids
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=by_effect)


def removed(path: Path) -> StoreUnavailableError:
    """Say that the database was there and is gone."""
    return StoreUnavailableError(
        f"{str(path)!r} is gone: the database was moved or removed while it was open.",
        hint="%hyper restore puts a backup in its place; a new session makes an empty one.",
    )


def told_of_file(error: OSError, path: Path) -> StoreUnavailableError:
    """Say what the system's error means for a file of the store."""
    where = repr(str(path))
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StoreUnavailableError(
            f"The disk of {where} is full; nothing was written.", hint=_SPACE_HINT
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return StoreUnavailableError(
            f"{where} cannot be written or read: no permission.",
            hint=f"Make it writable, or move the database. {ELSEWHERE}",
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return StoreUnavailableError(
            f"{where} cannot be made: there is no folder {str(path.parent)!r}.",
            hint=f"mkdir -p makes it. {ELSEWHERE}",
        )
    return StoreUnavailableError(f"{where} cannot be used: {error}.", hint=ELSEWHERE)
