"""A database on a PostgreSQL server: its connections, its transactions, and who else wrote."""

from __future__ import annotations

import os
import re
import threading
import weakref
from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hypernb.errors import ConfigError, StoreError, StoreUnavailableError
from hypernb.store._database import synchronous_setting
from hypernb.store._failures import values_told
from hypernb.store._tables import metadata
from hypernb.store._values import utc_text
from hypernb.store.postgres._check import problems
from hypernb.store.postgres._failures import RESTORE, failures_told
from hypernb.store.postgres._query import run_query
from hypernb.store.postgres._schema import bring_up_to_date, is_up_to_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import URL, Connection, Engine

CHANNEL: Final = "hypernb"
_LOCK: Final = int.from_bytes(b"hypernb", "big")
# One round trip: the lock that makes this the only writer; the note to whoever listens, which
# the server sends when the transaction is committed; and the time after which a process that
# was stopped in the middle of writing stops all others no longer.
_BEGIN: Final = text(
    "SELECT pg_advisory_xact_lock(:lock), pg_notify(:channel, ''),"
    " set_config('idle_in_transaction_session_timeout', :idle_ms, true)"
)
_CLOCK: Final = text("SELECT clock_timestamp()")
_LATER: Final = text("SET LOCAL synchronous_commit = off")
# Only our own, and none that somebody is locking.
_VACUUM: Final = f"VACUUM (SKIP_LOCKED) {', '.join([*metadata.tables, 'search'])}"
_NAMED: Final = re.compile(r"(?<!:):([a-z]+)\b")
_SECRETS: Final = frozenset({"password", "sslpassword", "oauth_client_secret"})
_COMMITS: Final = {"FULL": "on", "EXTRA": "on", "NORMAL": "off"}


class PostgresBackend:
    """A database that any number of threads, processes and machines work on.

    Safe after a fork: the child gets connections of its own. See
    `hypernb.store._backend.Backend`.

    Args:
        location: URL without a password.
        synchronous: ``FULL`` (what was acknowledged survives a power cut of the server) or
            ``NORMAL`` (the last moments may be lost then); by default
            ``HYPERNB_SYNCHRONOUS``, else ``FULL``.
        busy_timeout_s: How long to wait for another writer. Who holds a write transaction
            open for longer, without doing anything in it, is cut off.
    """

    kind = "postgresql"
    artifacts: Path | None = None

    def __init__(
        self, location: str, *, synchronous: str | None, busy_timeout_s: float
    ) -> None:
        self._place = _without_password(location)
        shown = self._place.set(drivername="postgresql")
        self.url = shown.render_as_string(hide_password=False)
        self._busy_timeout_s = busy_timeout_s
        idle_ms = max(1000, round(busy_timeout_s * 1000))
        self._first = {"lock": _LOCK, "channel": CHANNEL, "idle_ms": str(idle_ms)}
        self._commits = _COMMITS[synchronous_setting(synchronous)]
        self._opening = threading.RLock()
        self._fresh_handles()
        self._open()

    # -- transactions -------------------------------------------------------------------

    @contextmanager
    def writing(self, *, ahead: bool = False, patient: bool = True) -> Iterator[Connection]:
        """Give a connection inside a write transaction; commit it, or undo all of it.

        Args:
            ahead: See `Backend`. The server writes its log in order, so whatever makes a later
                commit durable has made this one so.
            patient: See `Backend`.
        """
        if not patient:
            raise StoreUnavailableError(f"{self.url!r} is on a server, which is waited for.")
        with self._failures_told(), self._current().begin() as opened:
            opened.execute(_BEGIN, self._first)
            if ahead:
                opened.execute(_LATER)
            yield opened

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the database throughout."""
        engine = self._current().execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        with (
            self._failures_told(),
            values_told(self.url, hint=RESTORE),
            engine.begin() as opened,
        ):
            yield opened

    def changed(self) -> bool:
        """Tell whether somebody has committed since this thread asked last."""
        return self._listener().heard()

    def glance(self, sql: str, values: Mapping[str, Any]) -> Any:
        """See `Backend`."""
        listener = self._listener()
        with self._failures_told():
            return listener.glance(_NAMED.sub(r"%(\1)s", sql.replace("%", "%%")), values)

    def _listener(self) -> _Listener:
        self._current()
        listener: _Listener | None = getattr(self._listening, "listener", None)
        if listener is None or listener.is_closed:
            with self._failures_told():
                listener = self._listening.listener = _Listener(self._driver())
            self._listeners.add(listener)
        return listener

    def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        with self._opening:
            self._finalizer()
            self._fresh_handles()

    # -- what PostgreSQL does in its own way ----------------------------------------------

    def now(self, connection: Connection) -> datetime:
        """See `Backend`: the clocks of its machines may differ, the server has one."""
        at: datetime = connection.execute(_CLOCK).scalar_one()
        return at.astimezone(UTC)

    def query(
        self, sql: str, *, limit: int, timeout_s: float
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """See `Backend`."""
        with self._failures_told():
            connection = self._driver(read_only=True)
        with connection:
            return run_query(connection, self.url, sql, limit=limit, timeout_s=timeout_s)

    def learned(self, missions: Sequence[str]) -> dict[str, list[int]]:
        """See `Backend`."""
        statement = text("SELECT mission, id FROM search WHERE mission = ANY(:missions)")
        rows: dict[str, list[int]] = {}
        with self.reading() as connection:
            for name, row in connection.execute(statement, {"missions": list(missions)}):
                rows.setdefault(name, []).append(row)
        return rows

    def drop_artifacts(self, digests: Sequence[str], before: datetime) -> list[str]:
        """See `Backend`."""
        statement = text(
            "DELETE FROM artifacts WHERE created_at < :before AND digest = ANY(:digests)"
            " AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.output = artifacts.digest)"
            " RETURNING digest"
        )
        terms = {"before": utc_text(before), "digests": list(digests)}
        with self.writing() as connection:
            return list(connection.execute(statement, terms).scalars())

    def problems(self) -> Iterator[str]:
        """See `Backend`."""
        with self.reading() as connection:
            yield from problems(connection)

    def backup(self, target: Path, now: datetime) -> Path:
        """Refuse: a server has tools of its own for that.

        Raises:
            StoreError: Always.
        """
        del now
        raise StoreError(
            f"{self.url!r} is not copied to {str(target)!r}: it is on a server.",
            hint="pg_dump copies it, and pg_restore puts it back.",
        )

    def compact(self) -> int:
        """See `Backend`; what is free inside tables is used again, and mostly stays theirs."""
        with self._failures_told(), self._driver() as connection:
            before = self._size(connection)
            connection.execute(_VACUUM)
            return max(0, before - self._size(connection))

    def checkpoint(self) -> None:
        """Have what was deleted used again now; the server would do it some minutes later."""
        with self._failures_told(), self._driver() as connection:
            connection.execute(_VACUUM)

    def _size(self, connection: psycopg.Connection[Any]) -> int:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0

    # -- opening ------------------------------------------------------------------------

    def _current(self) -> Engine:
        if self._pid != os.getpid():
            with self._opening:
                if self._pid != os.getpid():
                    # A fork: the connections are the parent's, and stay open there.
                    self._finalizer.detach()
                    _inherited.append((self._engine, list(self._listeners)))
                    self._fresh_handles()
        return self._engine

    def _fresh_handles(self) -> None:
        self._pid = os.getpid()
        self._listening = threading.local()
        self._listeners: weakref.WeakSet[_Listener] = weakref.WeakSet()
        self._engine = create_engine(
            self._place,
            connect_args=self._terms(),
            pool_size=4,
            max_overflow=-1,
            pool_use_lifo=True,
            pool_pre_ping=True,
        )
        # Without it, a store that nobody closed would leave connections to the collector.
        self._finalizer = weakref.finalize(
            self, _let_go, self._engine, self._listeners, os.getpid()
        )

    def _open(self) -> None:
        with self.reading() as connection:
            ready = is_up_to_date(connection, self.url)
        if not ready:
            with self.writing() as connection:
                bring_up_to_date(connection, self.url)

    def _terms(self, *, read_only: bool = False) -> dict[str, Any]:
        wait_ms = max(1, round(self._busy_timeout_s * 1000))
        settings = {
            "lock_timeout": wait_ms,
            "synchronous_commit": self._commits,
            "default_transaction_read_only": "on" if read_only else "off",
            "timezone": "UTC",
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        given = self._place.query.get("options", "")
        told = given if isinstance(given, str) else " ".join(given)
        return {
            "options": f"{told} {options}".strip(),
            "application_name": "hypernb",
            "client_encoding": "utf8",
            "connect_timeout": 10,
            # Whoever only listens would not notice for hours that the other end is gone.
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
        }

    def _driver(self, *, read_only: bool = False) -> psycopg.Connection[Any]:
        _, place = self._engine.dialect.create_connect_args(self._place)
        terms = {**place, **self._terms(read_only=read_only), "autocommit": True}
        return psycopg.connect(**terms)

    def _failures_told(self) -> Any:
        return failures_told(self.url, waited_s=self._busy_timeout_s)


class _Listener:
    """A connection that hears who has committed, and reads what; one per thread."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.is_closed = False
        self._pid = os.getpid()
        self._has_news = True  # whoever begins to listen has not looked yet
        # What arrives while a statement is run is taken off the line by the driver.
        connection.add_notify_handler(self._note)
        connection.execute("LISTEN hypernb")

    def _note(self, _notification: object) -> None:
        self._has_news = True

    def glance(self, sql: str, values: Mapping[str, Any]) -> Any:
        try:
            row = self._connection.execute(sql.encode(), values).fetchone()
        except psycopg.OperationalError:
            self.close()
            raise
        return None if row is None else row[0]

    def heard(self) -> bool:
        """Tell whether there was a commit; also if it is not known, as it is then."""
        try:
            driver = self._connection.pgconn
            driver.consume_input()
            heard, self._has_news = self._has_news, False
            while driver.notifies() is not None:
                heard = True
        except psycopg.OperationalError:
            self.close()  # the server went away; the next call listens anew
            return True
        return heard

    def close(self) -> None:
        self.is_closed = True
        self._connection.close()

    def __del__(self) -> None:
        # A thread that ends drops its listener; the server must not wait for the collector.
        # After a fork it is the parent's.
        if self._pid == os.getpid():
            self._connection.close()


_inherited: list[tuple[Engine, list[_Listener]]] = []


def _let_go(engine: Engine, listeners: weakref.WeakSet[_Listener], pid: int) -> None:
    if pid != os.getpid():
        return
    for listener in list(listeners):
        listener.close()
    engine.dispose()


def _without_password(location: str) -> URL:
    try:
        url = make_url(re.sub("^postgres://", "postgresql://", location, flags=re.I))
    except (ArgumentError, ValueError) as error:
        raise StoreUnavailableError(
            f"This is no URL of a database: {error}.",
            hint="Write postgresql://user@host/name.",
        ) from error
    if url.password is not None or not _SECRETS.isdisjoint(url.query):
        raise ConfigError(
            "The URL of a store cannot hold a password: it would be seen by whoever sees the "
            "list of processes, and in logs.",
            hint="Leave it out; PGPASSWORD or ~/.pgpass holds it.",
        )
    if not url.database:
        raise StoreUnavailableError(
            f"{location!r} names no database.", hint="Write postgresql://user@host/name."
        )
    return url.set(drivername="postgresql+psycopg")
