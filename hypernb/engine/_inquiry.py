"""Questions of an agent to the store: SQL over a copy of its own mission, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from hypernb.errors import QueryError

if TYPE_CHECKING:
    from hypernb.abc import Store
    from hypernb.engine._threads import Desk
    from hypernb.model import MissionId

_ROWS_AT_MOST: Final = 20_000
_TABLES: Final = {
    "missions": ("id", "number", 1),
    "tasks": ("mission_id", "number", _ROWS_AT_MOST),
    "attempts": ("mission_id", "started_at", _ROWS_AT_MOST),
    "findings": ("mission_id", "id", _ROWS_AT_MOST),
    "usage": ("mission_id", "id", _ROWS_AT_MOST),
    "calls": ("mission_id", "at", _ROWS_AT_MOST),
    "messages": ("mission_id", "number", 1_000),
    "events": ("mission_id", "seq", _ROWS_AT_MOST),
}
"""What can be asked about: which column names the mission, which is highest in the newest
rows, and how many of these are looked at. A message may be long."""
_TIMEOUT_S: Final = 10.0
_SLACK_S: Final = 5.0
_AT_ONCE: Final = 2
_READS_ONLY: Final = "One statement is run that begins with SELECT or WITH."
_PROGRAM: Final = Path(__file__).with_name("_answer_sql.py")


class Inquiry:
    """Answers SQL about one mission.

    The statement runs on a copy in memory of the rows that are the mission's, whatever
    database the store is in; so there is nothing of another mission that it could name. It
    runs in a process of its own, which is ended when it takes too long.

    Args:
        desk: The thread that reads the rows; nothing else of the runner waits for it.
    """

    def __init__(self, store: Store, desk: Desk, mission: MissionId) -> None:
        if not re.fullmatch(r"\w+", mission):
            raise AssertionError(f"{mission!r} is no id of a mission; please report this.")
        self._store = store
        self._desk = desk
        self._mission = mission
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def ask(self, sql: str, *, limit: int) -> tuple[list[str], list[list[Any]]]:
        """Return column names and rows, JSON values only.

        Cancelling the caller ends the process that answers.

        Raises:
            QueryError: It would write, is wrong, or takes too long.
        """
        async with self._turns:
            asked = await self._desk.call(self._rows, sql, limit)
            said = orjson.loads(await _answer(asked) or b'{"wrong": "it ended without one"}')
        if "wrong" in said:
            known = ", ".join(_TABLES)
            raise QueryError(
                f"The query cannot be answered: {said['wrong']}.",
                hint=f"{_READS_ONLY} Tables: {known}.",
            )
        return said["columns"], said["rows"]

    def _rows(self, sql: str, limit: int) -> bytes:
        named = [name for name in _TABLES if re.search(rf"\b{name}\b", sql, re.IGNORECASE)]
        tables = {name: self._copied(name) for name in named}
        seconds = _TIMEOUT_S + _SLACK_S
        asked = {"sql": sql, "limit": limit, "seconds": seconds, "tables": tables}
        return orjson.dumps(asked, default=str)

    def _copied(self, name: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        column, newest, most = _TABLES[name]
        return self._store.query(
            f"SELECT * FROM {name} WHERE {column} = '{self._mission}' ORDER BY {newest} DESC",  # noqa: S608 - names of ours
            limit=most,
            timeout_s=_TIMEOUT_S,
        )


async def _answer(asked: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(_PROGRAM)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            said, _ = await process.communicate(asked)
    except TimeoutError:
        raise QueryError(
            f"The query was stopped: it took longer than {_TIMEOUT_S:g} s.",
            hint="Ask for less, or for fewer rows.",
        ) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await (
                process.communicate()
            )  # what it has written would keep its end from being seen
    return said
