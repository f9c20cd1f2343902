"""What a store needs of a database, whichever kind it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from hypernb.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection


class Backend(Protocol):
    """A database: its transactions, and what each kind does in its own way.

    Attributes:
        kind: ``sqlite`` or ``postgresql``.
        url: Names it for other processes; never with a password.
        artifacts: Folder of the artifacts that are too large for rows; None if none are.
    """

    kind: str
    url: str
    artifacts: Path | None

    def writing(
        self, *, ahead: bool = False, patient: bool = True
    ) -> AbstractContextManager[Connection]:
        """Give a connection inside a write transaction; commit it, or undo all of it.

        Of all processes one writes at a time, so what a transaction has read stays so, and
        events are committed in the order of their numbers.

        Args:
            ahead: What is written is of no use before a later transaction names it, and need
                not be on the disk before that one is.
            patient: Wait while somebody else writes; if not, refuse. A server is never worked
                with impatiently: every word to it is waited for.
        """

    def reading(self) -> AbstractContextManager[Connection]:
        """Give a connection that sees one moment of the database throughout."""

    def changed(self) -> bool:
        """Tell whether somebody has committed since this thread asked last."""

    def glance(self, sql: str, values: Mapping[str, Any]) -> Any:
        """Return the one value of a statement that reads, and sees one moment.

        It runs on the connection that this thread watches with: no transaction is begun and
        ended, because beside a busy thread every further step costs a turn of that thread.

        Args:
            sql: In the database's own words, with ``:name`` for values.
        """

    def now(self, connection: Connection) -> datetime:
        """Return the wall-clock time, UTC, of what all who use the database share."""

    def query(
        self, sql: str, *, limit: int, timeout_s: float
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Run one statement that reads; see `hypernb.abc.Store.query`."""

    def learned(self, missions: Sequence[str]) -> dict[str, list[int]]:
        """Return the rows of missions, by short id, in the full-text search."""

    def drop_artifacts(self, digests: Sequence[str], before: datetime) -> list[str]:
        """Remove artifacts that no task names and that are older; return which it were."""

    def problems(self) -> Iterator[str]:
        """Yield what is wrong, one sentence each."""

    def backup(self, target: Path, now: datetime) -> Path:
        """Write a consistent copy; see `hypernb.abc.Store.backup`."""

    def compact(self) -> int:
        """Give free space back; return how many bytes."""

    def checkpoint(self) -> None:
        """Bring what was written lately to its final place, if that can be done at once."""

    def close(self) -> None:
        """Close all connections; the next call opens new ones."""


def open_backend(
    location: str | Path, *, synchronous: str | None, busy_timeout_s: float
) -> Backend:
    """Open the database that a path or URL names.

    Raises:
        StoreUnavailableError: It cannot be opened.
        StoreCorruptError: It is damaged or no database.
        SchemaError: It is from a newer hypernb.
    """
    from hypernb.store._location import is_server

    if is_server(location):
        try:
            from hypernb.store.postgres import PostgresBackend
        except ModuleNotFoundError as error:
            raise StoreUnavailableError(
                f"A store on a server needs {error.name!r}, which is not installed.",
                hint='pip install "hypernb[postgres]"',
            ) from error

        return PostgresBackend(
            str(location), synchronous=synchronous, busy_timeout_s=busy_timeout_s
        )
    from hypernb.store._sqlite import SqliteBackend

    return SqliteBackend(location, synchronous=synchronous, busy_timeout_s=busy_timeout_s)
