"""Pieces of an answer on their way to the feed: the first at once, then a few each second."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import TYPE_CHECKING, Final, Literal

from hypernb.redact import COVERED, key_forms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_EVERY_S: Final = 0.25
_PIECE_CHARS: Final = 2_000
_CHARS_AT_MOST: Final = 100_000
_PIECES_AT_MOST: Final = 500
_OPENING: Final = re.compile(r'\s*\{\s*"[^"\\]*"\s*:\s*"')
_OPENING_CHARS: Final = 1_000
_WORD_CHARS: Final = 40
"""Where a piece may end is looked for so far back; longer words are cut."""
_GIVEN_AWAY: Final = 8
"""So many characters of a key's form at the end of an answer are one that was cut off, and no
chance."""
_SIMPLE: Final = 2
_UNICODE: Final = 6


class Stream:
    """Collects the text of one call.

    Keys are covered up in all forms of `hypernb.redact.KeyForms`, also where one comes in two
    pieces: what may be the beginning of one is held back until more has come, or the end. Of
    an answer that is a JSON object only its first text is told, as people read it. Many begin
    with an empty line: it waits for a word, or the word would wait for the next piece. A piece
    ends between words, except the first, which shows that something comes.

    Args:
        tell: Told a text, and whether what came before no longer counts. Called in the thread
            that the pieces come in.
    """

    def __init__(self, secrets: Sequence[str], tell: Callable[[str, bool], object]) -> None:
        self._keys = key_forms(tuple(secrets))
        self._prose: Prose | None = None
        self._has_begun = False
        self._tell = tell
        self._lock = threading.Lock()
        self._pending = ""
        self._chars = 0
        self._pieces = 0
        self._told_at = float("-inf")
        self._begins_anew = False
        self._is_first = True

    def take(self, piece: str) -> None:
        """Take a piece as it comes; an empty one says that the call begins anew."""
        with self._lock:
            if not piece:
                self._pending, self._begins_anew = "", True
                self._told_at = float("-inf")
                self._has_begun = False
                self._is_first = True
                return
            self._pending += self._read(piece)
            now = time.monotonic()
            if now - self._told_at < _EVERY_S or self._pieces >= _PIECES_AT_MOST:
                return
            if not self._pending.strip():
                return
            if text := self._ready():
                self._told_at = now
                self._say(text)

    def end(self) -> None:
        """Tell what has been kept back: nothing more comes."""
        with self._lock:
            while self._pending.strip() and self._pieces < _PIECES_AT_MOST:
                text = self._ready(is_last=True)
                if not text:
                    return
                self._say(text)

    def _say(self, text: str) -> None:
        self._pieces += 1
        self._is_first = False
        anew, self._begins_anew = self._begins_anew, False
        self._tell(text, anew)

    def _read(self, piece: str) -> str:
        if not self._has_begun:
            self._has_begun = bool(piece.strip())
            self._prose = Prose() if piece.lstrip().startswith("{") else None
        return piece if self._prose is None else self._prose.take(piece)

    def _ready(self, *, is_last: bool = False) -> str:
        """Return what may be told, and keep the rest."""
        text = self._keys.cover(self._pending, COVERED)
        held = self._keys.begun(text, _GIVEN_AWAY if is_last else 0)
        if is_last and held:
            text, held = f"{text[: len(text) - held]}{COVERED}", 0
        end = min(len(text) - held, _PIECE_CHARS, _CHARS_AT_MOST - self._chars)
        if not (is_last and end == len(text)):
            end = _between_words(text, end, is_first=self._is_first)
        if end <= 0:
            return ""
        self._pending = text[end:]
        self._chars += end
        return text[:end]


def _between_words(text: str, end: int, *, is_first: bool) -> int:
    """Return where a piece ends that is no longer than so, and cuts no word if it can.

    Example:
        >>> _between_words("Let me look at ap", 17, is_first=True)
        15
        >>> _between_words("Let", 3, is_first=True), _between_words("ap", 2, is_first=False)
        (3, 0)
    """
    start = max(0, end - _WORD_CHARS)
    for at in range(end, start, -1):
        if text[at - 1].isspace() and text[:at].strip():
            return at
    # A long text without white space is one of a script that has none, or no words at all.
    return end if is_first or end > _WORD_CHARS else 0


class Prose:
    """Takes the first text out of a JSON object while the object is being written.

    Example:
        >>> prose = Prose()
        >>> [prose.take(piece) for piece in ('{"summ', 'ary": "One ', 'line.', '", "n": 1}')]
        ['', 'One ', 'line.', '']
    """

    def __init__(self) -> None:
        self._before = ""
        self._escape = ""
        self._place: Literal["before", "inside", "after"] = "before"

    def take(self, piece: str) -> str:
        """Return what a piece adds to the text."""
        if self._place == "before":
            self._before = (self._before + piece)[:_OPENING_CHARS]
            opening = _OPENING.match(self._before)
            if opening is None:
                return ""
            self._place, piece = "inside", self._before[opening.end() :]
        return "".join(self._characters(piece)) if self._place == "inside" else ""

    def _characters(self, piece: str) -> Iterator[str]:
        for character in piece:
            if self._escape:
                self._escape += character
                if len(self._escape) < (_UNICODE if self._escape[1] == "u" else _SIMPLE):
                    continue
                yield _unescaped(self._escape)
                self._escape = ""
            elif character == "\\":
                self._escape = character
            elif character == '"':
                self._place = "after"
                return
            else:
                yield character


def _unescaped(escape: str) -> str:
    try:
        text: str = json.loads(f'"{escape}"')
    except ValueError:
        return ""
    # Half of a character beyond the sixteen bits; the whole answer will have it.
    return text if text.isprintable() or text in "\n\t" else ""
