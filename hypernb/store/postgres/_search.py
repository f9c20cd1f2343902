"""Full-text search on PostgreSQL: words of our own making in a ``tsvector``, with a GIN index.

PostgreSQL's own parser takes ``src/app.py`` for one word, a file, and would find neither part.
So texts are cut into words here, as SQLite's ``unicode61`` does: letters and digits, in lower
case, without accents. What is searched is cut the same way.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

from hypernb.model import SearchHit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

_WORD: Final = re.compile(r"[^\W_]+")
_LONGEST_WORD: Final = 200
_MOST_WORDS_KEPT: Final = 16_000
"""A position is a number of 14 bits."""
_SNIPPET_WORDS: Final = 16

_INSERT: Final = text(
    "INSERT INTO search (text, kind, mission, task, place, words) VALUES"
    " (:text, :kind, :mission, :task, :place, CAST(:words AS tsvector))"
)
_BY_WORDS: Final = text(
    "SELECT kind, mission, task, place, text FROM search"
    " WHERE words @@ CAST(:wanted AS tsquery) ORDER BY id DESC LIMIT :limit"
)
_BY_SIGNS: Final = text(
    "SELECT kind, mission, task, place,"
    " substr(text, greatest(1, strpos(text, :signs) - 40), 80 + length(:signs))"
    " FROM search WHERE strpos(text, :signs) > 0 ORDER BY id DESC LIMIT :limit"
)

_NEWEST_BY_MISSION: Final = text(
    "SELECT mission, max(id) FROM search WHERE words @@ CAST(:wanted AS tsquery)"
    " GROUP BY mission"
)
_TEXTS: Final = text(
    "SELECT id, kind, mission, task, place, text FROM search WHERE id = ANY(:rows)"
)


def index(connection: Connection, rows: Sequence[tuple[str, str, str, str, str]]) -> None:
    """Make rows findable: text, kind, mission, task, place."""
    names = ("text", "kind", "mission", "task", "place")
    values: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in rows]
    for value in values:
        value["words"] = _vector(value["text"])
    connection.execute(_INSERT, values)


def forget_goals(connection: Connection, mission: str) -> None:
    """Make room for the goals of a plan's next revision."""
    statement = "DELETE FROM search WHERE kind = 'goal' AND mission = :mission"
    connection.execute(text(statement), {"mission": mission})


def forget(connection: Connection, rows: Sequence[int]) -> None:
    """Make rows unfindable."""
    statement = "DELETE FROM search WHERE id = ANY(:rows)"
    connection.execute(text(statement), {"rows": list(rows)})


def find(
    connection: Connection, words: Sequence[str], signs: str, limit: int
) -> list[SearchHit]:
    """Return hits, newest first; every word has to be there, the last may be a beginning.

    Args:
        words: What is searched, cut at white space.
        signs: The same as it is, for what has no letters and digits.
    """
    if words:
        found = connection.execute(_BY_WORDS, {"wanted": _query(words), "limit": limit})
        return [
            SearchHit(kind, mission, task, place, snippet(said, words)[0])
            for kind, mission, task, place, said in found
        ]
    if not signs:
        return []
    rows = connection.execute(_BY_SIGNS, {"signs": signs, "limit": limit})
    return [
        SearchHit(kind, mission, task, place, said.replace(signs, f"[{signs}]"))
        for kind, mission, task, place, said in rows
    ]


def newest(
    connection: Connection, words: Sequence[str], *, is_beginning: bool
) -> dict[str, int]:
    """Return the newest row of each mission that has all of the words."""
    wanted = _query(words, is_beginning=is_beginning)
    return {
        row[0]: row[1] for row in connection.execute(_NEWEST_BY_MISSION, {"wanted": wanted})
    }


def texts(connection: Connection, rows: Sequence[int]) -> Iterable[Any]:
    """Return rows whole: id, kind, mission, task, place, text."""
    return connection.execute(_TEXTS, {"rows": list(rows)})


def folded(words: str) -> Iterator[str]:
    """Yield the words of a text as they are compared.

    Example:
        >>> list(folded("src/app.py: Café_2"))
        ['src', 'app', 'py', 'cafe', '2']
    """
    for match in _WORD.finditer(words):
        yield _fold(match[0])


def _fold(word: str) -> str:
    if not word.isascii():
        parts = unicodedata.normalize("NFD", word)
        word = "".join(part for part in parts if not unicodedata.combining(part)) or word
    return word.lower()[:_LONGEST_WORD]


def _vector(said: str) -> str:
    """Write a text as PostgreSQL writes a ``tsvector``: ``'app':2 'src':1``."""
    places: dict[str, list[int]] = {}
    for place, word in enumerate(folded(said), 1):
        if place > _MOST_WORDS_KEPT:
            places.setdefault(word, [])
        else:
            places.setdefault(word, []).append(place)
    return " ".join(_lexeme(word, found) for word, found in places.items())


def _lexeme(word: str, places: Iterable[int]) -> str:
    told = ",".join(map(str, places))
    return f"{_quoted(word)}:{told}" if told else _quoted(word)


def _quoted(word: str) -> str:
    # Taking letters apart can bring signs to light that stand for something.
    plain = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{plain}'"


def _query(words: Sequence[str], *, is_beginning: bool = True) -> str:
    """Write what is searched as a ``tsquery``."""
    phrases = [phrase for word in words if (phrase := list(folded(word)))]
    told = [" <-> ".join(map(_quoted, phrase)) for phrase in phrases]
    if is_beginning:
        told[-1] += ":*"
    return " & ".join(f"({each})" for each in told)


def snippet(said: str, words: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the words around the first that was searched, with brackets around those.

    Returns:
        The text, and for each pair of these brackets where it opens and where it has closed.

    Example:
        >>> snippet("Use of a hard-coded password", ["hard", "pass"])
        ('Use of a [hard]-coded [password]', ((9, 15), (22, 32)))
    """
    looked_for = [each for word in words for each in folded(word)]
    known, beginning = set(looked_for), looked_for[-1] if looked_for else ""

    def is_hit(match: re.Match[str]) -> bool:
        word = _fold(match[0])
        return word in known or (beginning != "" and word.startswith(beginning))

    matches = _WORD.finditer(said)
    shown = deque[re.Match[str]](maxlen=_SNIPPET_WORDS // 4 + 1)
    is_cut = False
    for match in matches:
        is_cut |= len(shown) == shown.maxlen
        shown.append(match)
        if is_hit(match):
            break
    else:
        return said[:200], ()
    window = [*shown, *islice(matches, _SNIPPET_WORDS - len(shown))]
    is_more = next(matches, None) is not None
    at = window[0].start() if is_cut else 0
    end = window[-1].end() if is_more else len(said)
    told = "…" if is_cut else ""
    hits: list[tuple[int, int]] = []
    for match in filter(is_hit, window):
        told += said[at : match.start()]
        hits.append((len(told), len(told) + len(match[0]) + 2))
        told += f"[{match[0]}]"
        at = match.end()
    return told + said[at:end] + ("…" if is_more else ""), tuple(hits)
