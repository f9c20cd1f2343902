"""What a server's error means for the reader: one sentence, and what to do next."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psycopg
from sqlalchemy.exc import DBAPIError

from hypernb.errors import StoreCorruptError, StoreError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

RESTORE: Final = "Restore it with the server's own tools."
_CORRUPT: Final = ("XX001", "XX002", "58P01")
_MISSING: Final = ("42P01", "42703", "3F000")


@contextmanager
def failures_told(where: str, *, waited_s: float) -> Iterator[None]:
    """Raise what goes wrong with the database inside as one of ours.

    Args:
        where: The database's URL.
        waited_s: How long to wait for a lock.
    """
    try:
        yield
    except DBAPIError as error:
        raise told(error.orig or error, where, waited_s=waited_s) from error
    except psycopg.Error as error:
        raise told(error, where, waited_s=waited_s) from error


def told(error: BaseException, where: str, *, waited_s: float = 0.0) -> StoreError:
    """Say what a driver's error means for the database at ``where``."""
    state = getattr(error, "sqlstate", None) or ""
    said = " ".join(str(error).split())
    if state in _CORRUPT:
        return StoreCorruptError(f"{where!r} is damaged: {said}.", hint=RESTORE)
    if state in _MISSING:
        return StoreCorruptError(
            f"{where!r} lacks a part of its schema: {said}.",
            hint=RESTORE,
        )
    for beginning, sentence, hint in _UNAVAILABLE:
        if state.startswith(beginning):
            told_ = sentence.format(where=repr(where), said=said, waited=f"{waited_s:g} s")
            return StoreUnavailableError(told_, hint=hint)
    if is_unreachable(error):
        return StoreUnavailableError(
            f"{where!r} cannot be reached: {said}.",
            hint="Is the server running, and may you use it? PGPASSWORD or ~/.pgpass holds a "
            "password.",
        )
    return StoreError(f"{where!r} refused what was to be done: {said}.")


def is_unreachable(error: BaseException) -> bool:
    """Tell whether the server could not be asked, or went away meanwhile."""
    state = getattr(error, "sqlstate", None) or ""
    is_ours = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return is_ours and (not state or state.startswith(("08", "57P")))


_UNAVAILABLE: Final = (
    (
        ("55P03", "40P01"),
        "{where} is being written by another program; waited {waited}.",
        "Try again.",
    ),
    (
        ("25P03",),
        "{where} has cut off a transaction that stood still for {waited}; it wrote nothing.",
        "Try again.",
    ),
    (("57014",), "{where} has ended a statement: {said}.", "Its own limits may be too narrow."),
    (
        ("53100", "53200"),
        "The server of {where} has no room left; nothing was written.",
        "Free some and try again; what was committed before is safe.",
    ),
    (("53300",), "{where} has no connection left: {said}.", "Try again, or raise its limit."),
    (("25006",), "{where} cannot be written: it is read-only.", "Use its primary server."),
    (
        ("28", "3D000"),
        "{where} cannot be opened: {said}.",
        "PGPASSWORD or ~/.pgpass holds a password; createdb makes a database.",
    ),
    (("42501",), "{where} may not be used so: {said}.", "Ask its owner for the rights."),
)
