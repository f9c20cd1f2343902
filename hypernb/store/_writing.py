"""The connection that a process writes a file with: one, kept open."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hypernb.store._bulk import UNDISTURBED

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine


class WriteConnection:
    """Write transactions on one connection, which keeps the pages that it read last.

    To take it out of the pool, have it reset and give it back for each transaction costs more
    than SQLite takes for a small commit.

    Args:
        turn: Held by whoever uses it, and by nobody else.
        busy_timeout_s: How long its connections wait for another program's lock.

    Attributes:
        turn: The same.
    """

    def __init__(self, engine: Engine, turn: threading.Lock, busy_timeout_s: float) -> None:
        self._engine = engine
        self.turn = turn
        self._timeout_ms = round(busy_timeout_s * 1000)
        self._connection: Connection | None = None
        self._is_closed = False

    @contextmanager
    def transaction(self, *, patient: bool = True) -> Iterator[Connection]:
        """Give the connection inside a write transaction; commit it, or undo all of it.

        Args:
            patient: Wait for another program's lock. Who does not has no other work meanwhile.
        """
        connection = self._connection or self._engine.connect()
        self._connection = connection
        driver: Any = connection.connection.dbapi_connection
        connection.info[UNDISTURBED] = not patient
        try:
            with connection.begin():
                if patient:
                    # At once: a transaction that reads first and then wants to write can be
                    # refused halfway, however long it is willing to wait.
                    driver.execute("BEGIN IMMEDIATE")
                else:
                    self._begin_or_refuse(driver)
                yield connection
        except AssertionError as error:
            self._throw_away(connection)
            if isinstance(error.__context__, KeyboardInterrupt):
                raise error.__context__ from None  # SQLAlchemy's own checks trip over it
            raise
        except Exception:
            self._let_go()  # it may be what is broken
            raise
        except BaseException:
            self._throw_away(connection)  # nobody knows how far it came
            raise
        if self._is_closed:
            self._let_go()

    def _begin_or_refuse(self, driver: Any) -> None:
        driver.execute("PRAGMA busy_timeout = 0")
        try:
            driver.execute("BEGIN IMMEDIATE")
        finally:
            driver.execute(f"PRAGMA busy_timeout = {self._timeout_ms}")

    def close(self) -> None:
        """Give the connection back, as soon as nobody uses it."""
        self._is_closed = True
        if self.turn.acquire(blocking=False):
            try:
                self._let_go()
            finally:
                self.turn.release()

    def _throw_away(self, connection: Connection) -> None:
        self._connection = None
        connection.invalidate()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
