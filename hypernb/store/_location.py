"""Where the database is, and what lies beside it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from hypernb.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_NAME: Final = "hypernb.db"
PROJECT_FOLDER: Final = ".hypernb"
BACKUPS: Final = "backups"
BACKUP_SUFFIX: Final = ".hypernb-backup"
_SQLITE: Final = re.compile(r"sqlite(?:\+pysqlite)?://(?:/(?P<path>.*))?", re.DOTALL)
_SERVERS: Final = ("postgresql://", "postgresql+psycopg://", "postgres://")
_MEMORY_HINT: Final = (
    "Sessions and runners share a file. Give a path, or leave HYPERNB_DB unset for the default."
)


def home_folder() -> Path:
    """Return the user's own folder: ``HYPERNB_HOME``, or the platform's for user data."""
    if chosen := os.environ.get("HYPERNB_HOME"):
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_data_dir

    return Path(user_data_dir("hypernb", appauthor=False))


def default_location() -> str:
    """Return where a store is opened if nobody says otherwise.

    ``HYPERNB_DB`` (a path or an SQLAlchemy URL); else ``.hypernb/hypernb.db`` of the project,
    if this folder or one above it, up to the git root or the home directory, has that file;
    else ``hypernb.db`` in `home_folder`.

    Raises:
        StoreUnavailableError: The project's is a link, or something that belongs to it is.
    """
    if chosen := os.environ.get("HYPERNB_DB"):
        is_path = "://" not in chosen and not chosen.startswith(("file:", ":memory:"))
        return str(_absolute(chosen)) if is_path else chosen
    for folder in _project_folders(Path.cwd()):
        # The folder alone says nothing: settings, cassettes and agents make it too, and whoever
        # writes the first of them would lose sight of all earlier missions.
        path = folder / PROJECT_FOLDER / FILE_NAME
        if path.exists():
            _refuse_links(path)
            return str(path)
    return str(home_folder() / FILE_NAME)


def _refuse_links(path: Path) -> None:
    # A project is somebody else's: a link would have us write wherever it leads.
    beside = (path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))
    folders = (path.parent, artifact_folder(path), path.parent / BACKUPS)
    for part in (path, *beside, *folders):
        if part.is_symlink():
            raise StoreUnavailableError(
                f"{str(part)!r} is a link, and no part of a project's own store may be one.",
                hint="Remove it. HYPERNB_DB=PATH opens a store wherever it is.",
            )


def _project_folders(start: Path) -> Iterator[Path]:
    # Without a git root and outside the home directory nothing says where a project ends, and
    # a folder above may be anybody's (/tmp/.hypernb).
    chain = [start, *start.parents]
    home = Path.home()
    for depth, folder in enumerate(chain):
        if (folder / ".git").exists():
            return iter(chain[: depth + 1])
        if folder == home:
            return iter(chain[: max(depth, 1)])
    return iter(chain[:1])


def is_server(where: str | Path) -> bool:
    """Tell whether a location is the URL of a database server.

    Example:
        >>> is_server("postgresql+psycopg://host/db"), is_server("sqlite:///a.db")
        (True, False)
    """
    return os.fspath(where).lower().startswith(_SERVERS)


def database_path(where: str | Path) -> Path:
    """Return the absolute path of the database file that a path or URL names.

    Raises:
        StoreUnavailableError: It names a database in memory, or one that is not SQLite.
    """
    text = os.fspath(where)
    if "://" in text:
        match = _SQLITE.fullmatch(text)
        if match is None:
            kind = text.partition("://")[0]
            raise StoreUnavailableError(
                f"A store is kept in SQLite or PostgreSQL; it cannot be in {kind!r}.",
                hint="Give a path, sqlite:////absolute/path.db or postgresql://host/name.",
            )
        text = unquote((match["path"] or "").partition("?")[0])
        named_memory = "mode=memory" in str(where)
    else:
        named_memory = text.startswith("file:") and "memory" in text
    if not text or ":memory:" in text or named_memory:
        raise StoreUnavailableError(
            f"A database in memory ({str(where)!r}) cannot be shared.", hint=_MEMORY_HINT
        )
    if "\x00" in text:
        raise StoreUnavailableError(f"{text!r} cannot be the path of a database.")
    return _absolute(text)


def _absolute(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise StoreUnavailableError(
            f"{text!r} cannot be the path of a database: {error}",
            hint="Give an absolute path, without ~.",
        ) from error


def database_url(path: Path) -> str:
    """Return the URL of a database file; `database_path` gives the path back."""
    # Quoted is only what would end the path or be taken for a quotation: it stays readable.
    return f"sqlite:///{str(path).replace('%', '%25').replace('?', '%3F')}"


def database_file(url: str) -> Path | None:
    """Return the file of a store's database; None if it does not live in a file."""
    return database_path(url) if _SQLITE.fullmatch(url) or "://" not in url else None


def artifact_folder(database: Path) -> Path:
    """Return the folder of the artifacts that are too large for rows."""
    return database.with_name(f"{database.name}.artifacts")


def backup_folder(url: str) -> Path:
    """Return the folder beside the database where backups go by default."""
    return database_path(url).parent / BACKUPS
