"""One database file: its connections, its transactions, and whether somebody else wrote."""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
import threading
import time
import weakref
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine
from sqlalchemy.pool import QueuePool

from hypernb.errors import (
    ConfigError,
    StoreUnavailableError,
    nearest,
)
from hypernb.store._failures import RESTORE, failures_told, removed, told_of_file, values_told
from hypernb.store._forking import Gate, require_own, watch
from hypernb.store._locking import require_locks
from hypernb.store._schema import bring_up_to_date, is_up_to_date
from hypernb.store._writing import WriteConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from sqlalchemy import Connection, Engine

BUSY_TIMEOUT_S: Final = 30.0
SYNCHRONOUS: Final = ("FULL", "NORMAL", "EXTRA")
_JOURNAL_LIMIT_BYTES: Final = 64 * 1024 * 1024
_RETRY_S: Final = 0.01
_TURN_S: Final = 0.0005


class Database:
    """A file that any number of threads and processes work on.

    Safe across a fork (nothing is open meanwhile; see `hypernb.store._forking`) and after the
    file was replaced by a restored one (the next transaction opens that one).

    Args:
        path: The file; made, with its schema, if it is not there.
        synchronous: ``FULL`` (what was acknowledged survives a power cut) or ``NORMAL`` (the
            last moments may be lost then, nothing is ever damaged); by default
            ``HYPERNB_SYNCHRONOUS``, else ``FULL``.
        busy_timeout_s: How long to wait for another program's lock.
    """

    def __init__(
        self,
        path: Path,
        *,
        synchronous: str | None = None,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        self.path = path
        self._synchronous = synchronous_setting(synchronous)
        self._busy_timeout_s = busy_timeout_s
        self._opening = threading.RLock()
        self.gate = Gate()
        self._identity: tuple[int, int, int] | None = None
        self._finalizer: Any = None
        self._fresh_handles()
        with self.gate:
            self._open(may_make=True)
        watch(self)

    # -- transactions -------------------------------------------------------------------

    @contextmanager
    def writing(self, *, ahead: bool = False, patient: bool = True) -> Iterator[Connection]:
        """Give a connection inside a write transaction; commit it, or undo all of it.

        Args:
            ahead: What is written is of no use before a later transaction names it, and need
                not be on the disk before that one is: its sync brings both there.
            patient: Wait while somebody else writes.
        """
        waited_s = self._busy_timeout_s if patient else 0.0
        with self.gate, failures_told(self.path, waited_s=waited_s):
            self._current()
            pen = self._ahead if ahead else self._pen
            self._await_turn(pen.turn, waited_s)
            # Taken and given back by the statement itself: an interrupt cannot come between.
            with pen.turn, pen.transaction(patient=patient) as opened:
                yield opened

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the database throughout."""
        where = str(self.path)
        with self.gate:
            self._current()
            with (
                self._failures_told(),
                values_told(where, hint=RESTORE),
                self._engine.begin() as opened,
            ):
                opened.exec_driver_sql("BEGIN")
                yield opened

    @contextmanager
    def driver(self, *, read_only: bool = False) -> Iterator[sqlite3.Connection]:
        """Give a connection of the driver itself, for what only SQLite can do."""
        with self.gate, self._failures_told():
            self._current()
            connection = connect(self.path, "ro" if read_only else "rw", self._busy_timeout_s)
            with closing(connection):
                yield connection

    def changed(self) -> bool:
        """Tell whether another connection has committed since this thread asked last."""
        with self.gate, self._failures_told(), self._watcher() as watcher:
            return watcher.changed()

    def glance(self, sql: str, values: Mapping[str, Any]) -> Any:
        """See `hypernb.store._backend.Backend`."""
        with self.gate, self._failures_told(), self._watcher() as watcher:
            return watcher.glance(sql, values)

    @contextmanager
    def _watcher(self) -> Iterator[_Watcher]:
        """Give this thread's watcher, which nobody closes meanwhile."""
        self._current()
        while True:
            watcher: _Watcher | None = getattr(self._watching, "watcher", None)
            if watcher is None or watcher.is_closed:
                watcher = _Watcher(connect(self.path, "rw", self._busy_timeout_s))
                self._watching.watcher = watcher
                with self._opening:
                    self._watchers.add(watcher)
            with watcher.lock:
                if not watcher.is_closed:
                    yield watcher
                    return

    def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        with self._opening:
            self._finalizer()
            self._identity = None

    def _await_turn(self, turn: threading.Lock, waited_s: float) -> None:
        deadline = time.monotonic() + waited_s
        while turn.locked():
            if time.monotonic() >= deadline:
                raise self._busy_here(waited_s)
            self._pause.wait(_TURN_S)

    # -- forks --------------------------------------------------------------------------

    def before_fork(self) -> None:
        """See `hypernb.store._forking.Forked`."""
        self._finalizer()
        self._identity = None

    def in_child(self) -> None:
        """See `hypernb.store._forking.Forked`."""
        self.gate, self._opening = Gate(), threading.RLock()
        if self._identity is not None:
            # They are the parent's: closing them would tell SQLite something that is not so.
            _inherited.append((self._pen, self._ahead, self._engine, list(self._watchers)))
        self._finalizer.detach()
        self._fresh_handles()

    def file(self) -> tuple[int, int] | None:
        """See `hypernb.store._forking.Forked`."""
        return None if self._identity is None else (self._identity[1], self._identity[2])

    # -- opening ------------------------------------------------------------------------

    def _current(self) -> None:
        """Make sure that the connections are this process's, and to the file that is there."""
        try:
            identity = self._look()
        except FileNotFoundError as error:
            # Also where what lay there meanwhile could not be opened: an empty one in its place
            # would meet the side files of the one that somebody is about to put back.
            raise removed(self.path) from error
        except OSError as error:
            raise told_of_file(error, self.path) from error
        if identity != self._identity:
            self._reopen(identity)

    def _look(self) -> tuple[int, int, int]:
        found = self.path.stat()
        require_own(self.path, (found.st_dev, found.st_ino))
        return os.getpid(), found.st_dev, found.st_ino

    def _reopen(self, identity: tuple[int, int, int]) -> None:
        with self._opening:
            if identity == self._identity:
                return
            self._finalizer()
            self._fresh_handles()
            self._open(may_make=False)

    def _fresh_handles(self) -> None:
        self._identity = None
        self._pause = threading.Event()
        self._watching = threading.local()
        self._watchers: weakref.WeakSet[_Watcher] = weakref.WeakSet()
        timeout_s, turn = self._busy_timeout_s, threading.Lock()
        self._engine = _engine(self.path, self._synchronous, timeout_s)
        less_durable = _engine(self.path, "NORMAL", timeout_s)
        self._pen = WriteConnection(self._engine, turn, timeout_s)
        self._ahead = WriteConnection(less_durable, turn, timeout_s)
        # Without it, a store that nobody closed would leave open files to the collector.
        self._finalizer = weakref.finalize(
            self,
            _let_go,
            (self._pen, self._ahead),
            (self._engine, less_durable),
            self._watchers,
            os.getpid(),
        )

    def _open(self, *, may_make: bool) -> None:
        with self._failures_told():
            made = _make(self.path, self._busy_timeout_s, may_make=may_make)
            with closing(made) as connection:
                # Before anything is changed: it may be another program's.
                ready = _patiently(
                    lambda: is_up_to_date(connection, self.path), self._busy_timeout_s
                )
                _patiently(lambda: _use_wal(connection), self._busy_timeout_s)
            if not ready:
                with self._engine.begin() as opened:
                    opened.exec_driver_sql("BEGIN IMMEDIATE")
                    bring_up_to_date(opened, self.path)
        self._identity = self._look()

    def _failures_told(self) -> Any:
        return failures_told(self.path, waited_s=self._busy_timeout_s)

    def _busy_here(self, waited_s: float) -> StoreUnavailableError:
        return StoreUnavailableError(
            f"{str(self.path)!r} is being written by another thread of this program; "
            f"waited {waited_s:g} s.",
            hint="Try again.",
        )


class _Watcher:
    """A connection that asks whether others have committed, and what; one per thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA trusted_schema = OFF")  # as for the pooled ones
        self._connection = connection
        self._version: int | None = None
        # Another thread may close the store meanwhile; SQLite does not survive that.
        self.lock = threading.Lock()
        self.is_closed = False

    def changed(self) -> bool:
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        before, self._version = self._version, version
        return bool(before != version)

    def glance(self, sql: str, values: Mapping[str, Any]) -> Any:
        cursor = self._connection.execute(sql, values)
        try:
            return cursor.fetchone()[0]
        finally:
            cursor.close()  # a statement that is not reset would go on reading

    def close(self) -> None:
        with self.lock:
            self.is_closed = True
            self._connection.close()

    def __del__(self) -> None:
        # A thread that ends drops its watcher; SQLite's files must not wait for the collector.
        self._connection.close()


_inherited: list[tuple[WriteConnection, WriteConnection, Engine, list[_Watcher]]] = []


def connect(path: Path, mode: str, timeout_s: float) -> sqlite3.Connection:
    """Open the file; ``mode`` is ``ro``, ``rw`` or, to make it, ``rwc``."""
    # Without an isolation level the driver begins nothing by itself: we say when, and how.
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=False,
    )


def synchronous_setting(chosen: str | None) -> str:
    """Return how durable a commit is: what was chosen, ``HYPERNB_SYNCHRONOUS``, or ``FULL``.

    Raises:
        ConfigError: There is no such setting.
    """
    name = (chosen or os.environ.get("HYPERNB_SYNCHRONOUS") or "FULL").upper()
    if name not in SYNCHRONOUS:
        raise ConfigError(
            f"HYPERNB_SYNCHRONOUS cannot be {name!r}.", hint=nearest(name, SYNCHRONOUS)
        )
    return name


def _engine(path: Path, synchronous: str, timeout_s: float) -> Engine:
    return create_engine(
        "sqlite+pysqlite://",
        creator=functools.partial(_pooled, path, synchronous, timeout_s),
        poolclass=QueuePool,
        pool_size=4,
        max_overflow=-1,
        pool_use_lifo=True,
    )


def _pooled(path: Path, synchronous: str, timeout_s: float) -> sqlite3.Connection:
    connection = connect(path, "rw", timeout_s)
    try:
        for pragma in (
            "foreign_keys = ON",
            f"synchronous = {synchronous}",
            f"journal_size_limit = {_JOURNAL_LIMIT_BYTES}",
            # A database may come with a cloned repository: its triggers and views get no
            # functions that reach outside it.
            "trusted_schema = OFF",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _make(path: Path, timeout_s: float, *, may_make: bool) -> sqlite3.Connection:
    is_new = not path.exists()
    if is_new and not may_make:
        raise removed(path)
    # SQLite would leave a journal beside a device.
    if not is_new and not path.is_dir() and not path.is_file():
        raise StoreUnavailableError(
            f"{str(path)!r} is no regular file, so it cannot be a database.",
            hint="Give a file. HYPERNB_DB chooses another database.",
        )
    if is_new and path.parent.is_dir():
        require_locks(path.parent)
    if any(path.with_name(path.name + end).exists() for end in ("-wal", "-journal")):
        _refuse_others(path, timeout_s)
    connection = connect(path, "rwc" if is_new else "rw", timeout_s)
    if is_new:
        path.chmod(0o600)  # goals and outputs are nobody else's business
    return connection


def _refuse_others(path: Path, timeout_s: float) -> None:
    # A connection that may write carries a log over when it is closed, also one that is not
    # ours. What this one cannot read, because there is something to recover, the next one says.
    with (
        contextlib.suppress(sqlite3.OperationalError),
        closing(connect(path, "ro", timeout_s)) as connection,
    ):
        is_up_to_date(connection, path)


def _use_wal(connection: sqlite3.Connection) -> None:
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")


def _patiently(do: Callable[[], Any], timeout_s: float) -> Any:
    # SQLite's own waiting does not cover two processes switching a fresh file at once.
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while True:
        try:
            return do()
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
            if not is_busy or time.monotonic() > deadline:
                raise
            pause.wait(_RETRY_S)


def _let_go(
    pens: Iterable[WriteConnection],
    engines: Iterable[Engine],
    watchers: weakref.WeakSet[_Watcher],
    pid: int,
) -> None:
    if pid != os.getpid():
        return
    for pen in pens:
        pen.close()
    for watcher in list(watchers):
        watcher.close()
    for engine in engines:
        engine.dispose()
