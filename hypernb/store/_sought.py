"""Missions that have all words of a search somewhere, and where each was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, func, or_, select

from hypernb.model import SearchHit, parse_ref
from hypernb.store import _search
from hypernb.store import _tables as t
from hypernb.store._values import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from hypernb.model import MissionId, MissionState

_MOST_WORDS: Final = 32
_LONGEST_WORD: Final = 200
_OWN: Final = ("id", "goal", "playbook")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a word was found: in the mission's own row, a task's name, or a text."""

    kind: str
    mission: str
    task: str = ""
    row: int = 0


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    own: Mapping[MissionId, str]
    names: Mapping[MissionId, str]
    texts: Mapping[str, int]

    def place(self, mission_id: MissionId, ref: str) -> Place | None:
        """Return where a mission has the word, what is seen at once first."""
        if (kind := self.own.get(mission_id)) is not None:
            return Place(kind, ref)
        if (task := self.names.get(mission_id)) is not None:
            return Place("task", ref, task)
        if (row := self.texts.get(ref)) is not None:
            return Place("text", ref, row=row)
        return None


def words_of(text: str) -> list[str]:
    """Cut what is searched into words; no more and no longer than a person would type."""
    cut = clean(text[: _MOST_WORDS * _LONGEST_WORD])
    return [word[:_LONGEST_WORD] for word in cut.split()[:_MOST_WORDS]]


def sought(
    connection: Connection, words: Sequence[str], states: Iterable[MissionState]
) -> dict[MissionId, tuple[Place, ...]]:
    """Return the missions that have each of the words, newest first, with their places.

    The number of queries depends on the number of words, not on that of missions.
    """
    c = t.missions.c
    statement = select(c.id, c.short_id).order_by(c.number.desc())
    if wanted := [each.value for each in states]:
        statement = statement.where(c.state.in_(wanted))
    known = [_known(connection, word, is_last=word is words[-1]) for word in words]
    # A text with all of the words says more than one for each.
    whole = _search.newest(connection, words) if len(words) > 1 else {}
    found: dict[MissionId, tuple[Place, ...]] = {}
    for mission_id, ref in connection.execute(statement):
        places = [place for word in known if (place := word.place(mission_id, ref))]
        if len(places) < len(words):
            continue
        if ref in whole and any(place.kind == "text" for place in places):
            places = [Place("text", ref, row=whole[ref])]
        found[mission_id] = tuple(dict.fromkeys(places))
    return found


def told(
    connection: Connection, places: Iterable[Place], words: Sequence[str]
) -> dict[Place, SearchHit]:
    """Return what stands at the places of a page."""
    places = set(places)
    texts = _search.texts(connection, [place.row for place in places if place.row], words)
    hits = {}
    for place in places:
        if not place.row:
            hits[place] = SearchHit(place.kind, place.mission, place.task, "", "")
        elif place.row in texts:
            hits[place] = texts[place.row]
    return hits


def _known(connection: Connection, word: str, *, is_last: bool) -> _Word:
    own, names = _own(connection, word), _names(connection, word)
    # Who looks for m-7 means the mission, not what mentions it or m-70.
    texts = {} if parse_ref(word) else _search.newest(connection, [word], is_beginning=is_last)
    return _Word(word, own, names, texts)


def _own(connection: Connection, word: str) -> dict[MissionId, str]:
    c = t.missions.c
    parts = (c.short_id == word.lower(), _has(c.goal, word), _has(c.playbook, word))
    rows = connection.execute(select(c.id, *parts).where(or_(*parts)))
    return {
        mission_id: next(kind for kind, is_there in zip(_OWN, there, strict=True) if is_there)
        for mission_id, *there in rows
    }


def _names(connection: Connection, word: str) -> dict[MissionId, str]:
    c = t.tasks.c
    # Of the tasks with the word, the first by name: it needs no second look.
    statement = (
        select(c.mission_id, func.min(c.name)).where(_has(c.name, word)).group_by(c.mission_id)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def _has(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    # SQLite knows upper and lower case of ASCII only; the usual spellings cover the rest.
    spellings = (
        {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
    )
    return or_(*(column.icontains(each, autoescape=True) for each in sorted(spellings)))
