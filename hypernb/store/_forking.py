"""Forks: SQLite's locks are not inherited, and what it remembers of them is.

A child whose memory says that a connection of its parent's holds a lock takes none for its own
connections to that file, and whoever closes the file next takes its log away under it; see
https://sqlite.org/howtocorrupt.html, section 2.6. So nothing is open while this process forks,
and where that cannot be had, the child may not use the file.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Final, Protocol

from hypernb.errors import StoreUnavailableError

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE_S: Final = 2.0
_PAUSE_S: Final = 0.001


class Forked(Protocol):
    """What has files open.

    Attributes:
        gate: Gone through by whoever uses them.
    """

    gate: Gate

    def before_fork(self) -> None:
        """Close everything; nobody uses it."""

    def in_child(self) -> None:
        """Begin anew, with nothing that was the parent's."""

    def file(self) -> tuple[int, int] | None:
        """Return device and inode of the file that is open; None if none is."""


class Gate:
    """Counts who is inside, and lets nobody else in while a fork is under way."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._lock = threading.Lock()
        self._inside = 0
        self._own = threading.local()

    def __enter__(self) -> None:
        depth = getattr(self._own, "depth", 0)
        if not depth and not self._open.is_set():
            self._open.wait(_PATIENCE_S)
        self._own.depth = depth + 1
        with self._lock:
            self._inside += 1

    def __exit__(self, *_raised: object) -> None:
        self._own.depth -= 1
        with self._lock:
            self._inside -= 1

    def shut(self) -> bool:
        """Let nobody in; tell whether all have left soon."""
        self._open.clear()
        deadline = time.monotonic() + _PATIENCE_S
        pause = threading.Event()
        while self._inside and time.monotonic() < deadline:
            if getattr(self._own, "depth", 0):
                break  # it is this thread that is inside
            pause.wait(_PAUSE_S)
        return not self._inside

    def open(self) -> None:
        """Let people in again."""
        self._open.set()


_known: weakref.WeakSet[Any] = weakref.WeakSet()
_in_use: list[Any] = []
_forbidden: set[tuple[int, int]] = set()


def watch(what: Forked) -> None:
    """Have files closed before forks."""
    _known.add(what)


def require_own(path: Path, file: tuple[int, int]) -> None:
    """Make sure that no connection to a file was inherited.

    Raises:
        StoreUnavailableError: It was in use when this process was forked.
    """
    if file in _forbidden:
        raise StoreUnavailableError(
            f"{str(path)!r} was in use when this process was forked; it cannot be used here.",
            hint="Start the process with multiprocessing.get_context('spawn').",
        )


def _before() -> None:
    _in_use.clear()
    for each in list(_known):
        if each.gate.shut():
            each.before_fork()
        else:
            _in_use.append(each)


def _in_parent() -> None:
    _in_use.clear()
    for each in list(_known):
        each.gate.open()


def _in_child() -> None:
    _forbidden.update(file for each in _in_use if (file := each.file()) is not None)
    for each in list(_known):
        each.in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
