"""The runner's log: JSON lines beside the database, rotated, with mission, task and agent."""

from __future__ import annotations

import logging
import re
import time
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from pathlib import Path

_FACTS: Final = ("runner", "mission", "short_id", "task", "attempt", "agent")
_FILE_BYTES: Final = 5_000_000
_FILES: Final = 4


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        entry.update({name: vars(record)[name] for name in _FACTS if name in vars(record)})
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(entry, default=str).decode()


def log_file(store_url: str) -> Path:
    """Return where the runners of this machine log what they do for a store.

    Beside its file; of a store on a server, in the user's own folder.
    """
    from hypernb.store import database_file, home_folder

    database = database_file(store_url)
    if database is None:
        name = re.sub(r"[^\w.-]+", "-", store_url.partition("://")[2])
        return home_folder() / "logs" / name / "runner.jsonl"
    return database.with_name(f"{database.name}.logs") / "runner.jsonl"


def open_log(store_url: str, *, runner: str) -> logging.Logger:
    """Return a logger of this runner's own; `close_log` ends it.

    It is not one of ``logging.getLogger``: two runners of one process would share that, and
    a notebook's own logging settings would print it into cells.
    """
    logger = logging.Logger("hypernb.runner", logging.INFO)
    logger.addHandler(_handler(store_url))
    logger.addFilter(_Names(runner))
    return logger


def _handler(store_url: str) -> logging.Handler:
    path = log_file(store_url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            path, maxBytes=_FILE_BYTES, backupCount=_FILES - 1, encoding="utf-8"
        )
    except OSError:
        # A folder that cannot be written to must not keep missions from running.
        return logging.NullHandler()
    handler.setFormatter(_Lines())
    return handler


class _Names(logging.Filter):
    def __init__(self, runner: str) -> None:
        super().__init__()
        self._runner = runner

    def filter(self, record: logging.LogRecord) -> bool:
        record.runner = self._runner
        return True


def close_log(logger: logging.Logger) -> None:
    """Flush and close what `open_log` opened."""
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def read_log(store_url: str, mission: str | None = None) -> list[dict[str, Any]]:
    """Return what the store's runners logged, oldest first.

    Args:
        store_url: As in `hypernb.abc.Store.url`.
        mission: Id or short id; entries of this mission only.
    """
    path = log_file(store_url)
    older = [path.with_name(f"{path.name}.{number}") for number in range(_FILES, 0, -1)]
    entries = [entry for file in (*older, path) for entry in _read(file)]
    if mission is None:
        return entries
    return [each for each in entries if mission in (each.get("mission"), each.get("short_id"))]


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    entries = []
    for line in lines:
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue  # the line that a runner was writing when it was killed
        if isinstance(entry, dict):
            entries.append(entry)
    return entries


def tail(store_url: str, *, since: float, limit: int = 5) -> list[str]:
    """Return the last messages of the log since a time of ``time.time()``."""
    start = datetime.fromtimestamp(since, UTC).isoformat()
    said = [str(each["message"]) for each in read_log(store_url) if each.get("at", "") >= start]
    return said[-limit:]


def timestamp() -> float:
    """Return the wall-clock time that `tail` compares with."""
    return time.time()
