"""Full-text search over goals, outputs, findings and events; here by SQLite's FTS5."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from hypernb.model import EventKind, SearchHit
from hypernb.store._values import clean
from hypernb.store.postgres import _search as server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from hypernb.model import Change, Finding

SearchRow = tuple[str, str, str, str, str]
"""Text, kind, mission, task, place."""

_INSERT: Final = "INSERT INTO search(text, kind, mission, task, place) VALUES (?, ?, ?, ?, ?)"
_MERGE: Final = "INSERT INTO search (search, rank) VALUES ('merge', 500)"
"""What was deleted takes room in the index until parts of it are merged; this merges a few."""
_FORGET_GOALS: Final = "DELETE FROM search WHERE kind = 'goal' AND mission = ?"
# Newest first: that order needs no score for every hit, so a common word costs no more than a
# rare one.
_BY_WORDS: Final = (
    "SELECT kind, mission, task, place, snippet(search, 0, '[', ']', '…', 16)"
    " FROM search WHERE search MATCH ? ORDER BY rowid DESC LIMIT ?"
)
_BY_SIGNS: Final = (
    "SELECT kind, mission, task, place,"
    " substr(text, max(1, instr(text, :signs) - 40), 40 + length(:signs) + 40)"
    " FROM search WHERE instr(text, :signs) > 0 ORDER BY rowid DESC LIMIT :limit"
)
_NEWEST_BY_MISSION: Final = (
    "SELECT mission, max(rowid) FROM search WHERE search MATCH ? GROUP BY mission"
)
_TEXTS: Final = "SELECT rowid, kind, mission, task, place, text FROM search WHERE rowid IN "
_WORD: Final = re.compile(r"[^\W_]")
_MOST_WORDS: Final = 32
_LONGEST_WORD: Final = 200
_LONGEST_TEXT: Final = 100_000
_LONGEST_FACT: Final = 2_000

# They come by the thousand and say nothing that one would search for.
_UNINFORMATIVE: Final = frozenset(
    {
        EventKind.TASK_READIED,
        EventKind.TASK_STARTED,
        EventKind.TASK_PROGRESSED,
        EventKind.TASK_HEARTBEAT,
        EventKind.TASK_OUTPUT,
        EventKind.BUDGET_SETTLED,
    }
)
_UNINFORMATIVE_FACTS: Final = frozenset(
    {"state", "status", "outcome", "runner", "holder", "digest", "output", "hash", "at"}
)
_ID_OR_HASH: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}|[0-9a-f]{64}")
_READ_FOR_EACH: Final = 4
"""A text is there up to so many times: said by a model, put out, handed on, told at the end."""


def index(connection: Connection, rows: Sequence[SearchRow]) -> None:
    """Make rows findable."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        server.index(connection, rows)
    else:
        connection.exec_driver_sql(_INSERT, list(rows))


def forget_goals(connection: Connection, mission: str) -> None:
    """Make room for the goals of a plan's next revision."""
    if connection.dialect.name == "postgresql":
        server.forget_goals(connection, mission)
    else:
        connection.exec_driver_sql(_FORGET_GOALS, (mission,))


def forget(connection: Connection, rows: Sequence[int]) -> None:
    """Make rows unfindable; see `hypernb.store._backend.Backend.learned`."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        server.forget(connection, rows)
        return
    connection.exec_driver_sql("DELETE FROM search WHERE rowid = ?", [(row,) for row in rows])
    connection.exec_driver_sql(_MERGE)


def goal_row(mission: str, goal: str, task: str = "") -> SearchRow:
    """Lay out a goal of a mission or, if it is named, of a task."""
    return (clean(goal)[:_LONGEST_TEXT], "goal", mission, task, "")


def says_something(change: Change) -> bool:
    """Tell cheaply whether anything of a change may be found."""
    return change.kind not in _UNINFORMATIVE or bool(change.text or change.findings)


def change_rows(change: Change, mission: str, task: str) -> Iterator[SearchRow]:
    """Yield what is to be found of a change: its event, its output, its findings."""
    if change.kind not in _UNINFORMATIVE:
        note = None if _says_its_output(change) else change.note
        said = " ".join(_facts(note, change.error, change.payload))
        if said:
            yield (clean(said)[:_LONGEST_TEXT], "event", mission, task, change.kind)
    if change.text:
        yield (clean(change.text)[:_LONGEST_TEXT], "output", mission, task, "")
    for finding in change.findings:
        yield (finding_text(finding), "finding", mission, task, clean(finding.where))


def _says_its_output(change: Change) -> bool:
    """Tell whether a note only says what the output is, which is found by its own text."""
    return change.output is not None and bool(change.text) and change.outcome is None


def finding_text(finding: Finding) -> str:
    """Return what a finding can be found by."""
    words = (finding.message, finding.rule, finding.category, finding.severity, finding.file)
    return clean(" · ".join(filter(None, words)))


def _facts(note: str | None, error: str | None, payload: Mapping[str, Any]) -> Iterator[str]:
    said = [fact for fact in (note, error) if fact]
    yield from said
    for name, value in payload.items():
        if isinstance(value, str) and value and name not in _UNINFORMATIVE_FACTS:
            fact = value[:_LONGEST_FACT]
            if fact not in said and not _ID_OR_HASH.fullmatch(fact):
                yield fact


def find(connection: Connection, text: str, limit: int) -> list[SearchHit]:
    """Return hits, newest first; every word has to be there, the last may be a beginning.

    What reads the same in the same mission is one hit, the newest; findings are one a place.
    """
    found: dict[tuple[str, str, str], SearchHit] = {}
    for hit in _found(connection, text, limit * _READ_FOR_EACH):
        place = hit.where if hit.kind == "finding" else ""
        found.setdefault((hit.mission, place, hit.snippet), hit)
    return list(found.values())[:limit]


def _found(connection: Connection, text: str, limit: int) -> list[SearchHit]:
    sound = clean(text[: _MOST_WORDS * _LONGEST_WORD])
    words = [word for word in sound.split() if _WORD.search(word)][:_MOST_WORDS]
    if connection.dialect.name == "postgresql":
        return server.find(connection, words, sound.strip(), limit)
    if words:
        rows = connection.exec_driver_sql(_BY_WORDS, (_match(words), limit)).all()
        return [SearchHit(*row) for row in rows]
    signs = sound.strip()
    if not signs:
        return []
    # The index knows words only; signs such as an emoji are looked for in the texts.
    rows = connection.exec_driver_sql(_BY_SIGNS, {"signs": signs, "limit": limit}).all()
    return [
        SearchHit(kind, mission, task, place, snippet.replace(signs, f"[{signs}]"))
        for kind, mission, task, place, snippet in rows
    ]


def newest(
    connection: Connection, words: Sequence[str], *, is_beginning: bool = True
) -> dict[str, int]:
    """Return, for each mission by short id, its newest text with all of the words.

    Args:
        connection: Inside a transaction.
        words: Without any letter or digit in them, nothing is found.
        is_beginning: The last word may be the beginning of one.
    """
    words = [word for word in words if _WORD.search(word)]
    if not words:
        return {}
    if connection.dialect.name == "postgresql":
        return server.newest(connection, words, is_beginning=is_beginning)
    wanted = _match(words, is_beginning=is_beginning)
    return {row[0]: row[1] for row in connection.exec_driver_sql(_NEWEST_BY_MISSION, (wanted,))}


def texts(
    connection: Connection, rows: Sequence[int], words: Sequence[str]
) -> dict[int, SearchHit]:
    """Return what stands in rows, with brackets around the words."""
    if not rows:
        return {}
    if connection.dialect.name == "postgresql":
        found: Iterable[Any] = server.texts(connection, rows)
    else:
        # Matching each row anew would read the whole list of a common beginning each time.
        marks = ", ".join("?" * len(rows))
        found = connection.exec_driver_sql(f"{_TEXTS}({marks})", tuple(rows))
    return {
        row: SearchHit(kind, mission, task, place, *server.snippet(text, words))
        for row, kind, mission, task, place, text in found
    }


def _match(words: Sequence[str], *, is_beginning: bool = True) -> str:
    # In quotes nothing is an operator; a quote inside is doubled.
    quoted = ['"' + word[:_LONGEST_WORD].replace('"', '""') + '"' for word in words]
    return " ".join(quoted) + ("*" if is_beginning else "")
