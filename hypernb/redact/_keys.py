"""The ways in which a key can be written: one place knows them, whoever looks for one."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SHORTEST_KEY: Final = 8
"""Shorter ones are no secrets (``ollama``, ``none``), and would be found in many a word."""

_LONGEST_WAY: Final = 16
"""Characters that stand for one at most, as in ``&amp;amp;#0000115;``; longer ones are no more
than a few, and the hold-back is for what comes in pieces."""
_ESCAPES_IN_BYTES: Final = 2_000_000
_ESCAPING: Final = (b"\\", b"%", b"&")
_TRIPLE: Final = 3
_SEXTET: Final = 6
_OCTET: Final = 8
_TWINS: Final = {"+": "+-", "/": "/_"}
"""Characters of base64 that have another one in addresses."""
_ONE_ALPHABET: Final = str.maketrans("-_", "+/")
_SPACE: Final = str.maketrans(" ", "+")
_LAST_BYTE: Final = 0xFF
_LAST_OF_16_BITS: Final = 0xFFFF
# White space may stand between a text and the mark of its cut; in JSON, it is escaped.
_CUT_FOLLOWS: Final = re.compile(r"(?:\s|\\[nrt]){0,4}+(?:…|\.\.\.|\\u2026)")
_CUT_PRECEDES: Final = re.compile(r"(?:\s|[nrt]\\){0,4}+(?:…|\.\.\.|6202u\\)")  # read backwards
# What can still become an escape, at the end of a text that goes on.
_BEGUN: Final = re.compile(
    r"(?:\\{1,8}(?:u\{?[0-9a-fA-F]{0,5}|U[0-9a-fA-F]{0,7}|x[0-9a-fA-F]?|[0-7]{1,2})?"
    r"|%(?:25){0,4}(?:u[0-9a-fA-F]{0,3}|[0-9a-fA-F])?"
    r"|&(?:amp;){0,4}(?:#[xX]?[0-9a-fA-F]{0,9}|[A-Za-z]{1,31})?)\Z"
)


class KeyForms:
    r"""Finds keys in text and bytes, also where they are escaped or encoded.

    A character of a key can be written as itself, as ``\u0073``, ``\x73``, ``\163`` or with
    backslashes before it, as ``%73``, ``%2573`` or ``%u0073``, as ``&#115;``, ``&#x73;`` or by
    its name in HTML; each character in another way, if someone likes. So can each one of the
    key's hexadecimal digits, and of its base64, wherever in a longer text that begins.

    Args:
        keys: Those that are shorter than eight characters do not count.

    Example:
        >>> KeyForms(["sk-secret-1"]).cover(r"key=sk%2Dsecret-\u0031.", "[key]")
        'key=[key].'
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = sorted(
            {key for key in keys if len(key) >= SHORTEST_KEY}, key=len, reverse=True
        )
        self._written = [form for key in self._keys for form in _forms(key)]
        firsts = "".join({ch for form in self._written for ch in form[0]})
        self._starts = re.compile(f"[{re.escape(firsts)}\\\\%&]")
        self._reach = _LONGEST_WAY * max(map(len, self._written), default=0)

    def __bool__(self) -> bool:
        return bool(self._keys)

    # Made when they are needed: for a long key, that takes the better part of a second.

    @cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        return [re.compile("".join(map(_ways, _characters(form)))) for form in self._written]

    @cached_property
    def _ways(self) -> list[list[re.Pattern[str]]]:
        return [
            [re.compile(_ways(each)) for each in _characters(form)] for form in self._written
        ]

    def _may_stand_in(self, text: str) -> bool:
        """Tell whether a text has to be looked at closely: most have no key and no escape."""
        if not self._keys or len(text) < len(self._keys[-1]):
            return False
        if any(each in text for each in ("\\", "%", "&")):
            return True
        small, plain = text.lower(), text.translate(_ONE_ALPHABET)
        return any(
            key.translate(_SPACE) in text.translate(_SPACE)
            or _bytes(key).hex() in small
            or any(form in plain for form in _base64(key))
            for key in self._keys
        )

    def cover(self, text: str, word: str) -> str:
        """Return a text with a word in the place of each key."""
        for key in self._keys:
            text = text.replace(key, word)
        for pattern in self._patterns if self._may_stand_in(text) else ():
            text = pattern.sub(lambda _found: word, text)
        return text

    def stand_in(self, text: str) -> bool:
        """Tell whether a key stands in a text."""
        return self._may_stand_in(text) and any(
            pattern.search(text) for pattern in self._patterns
        )

    def lie_in(self, data: bytes) -> bool:
        """Tell whether a key lies in bytes, as text of 8, 16 or 32 bits a character.

        Escapes are looked for in the first two million bytes, all else in all of them.
        """
        if any(needle in data for key in self._keys for needle in _needles(key)):
            return True
        begin = data[:_ESCAPES_IN_BYTES]
        return any(each in begin for each in _ESCAPING) and self.stand_in(
            begin.decode("latin-1")
        )

    def cover_pieces(self, text: str, word: str, *, at_ends: bool = False) -> str:
        """Return a text with a word in the place of pieces of keys that a cut has left.

        A piece is eight characters or more of the beginning of a key before the mark of a cut
        (an ellipsis, or three full stops), or of its end after one; of the key as it is,
        percent-encoded, in hexadecimal digits or in base64.

        Args:
            at_ends: The text may be cut at its beginning and its end, too.

        Example:
            >>> KeyForms(["sk-secret-1234"]).cover_pieces("it is sk-secret… or so", "[key]")
            'it is [key]… or so'
        """
        for key in self._keys:
            for written in _texts(key):
                if written[:SHORTEST_KEY] in text:
                    text = _without_heads(text, written, word, cut=_CUT_FOLLOWS, at_end=at_ends)
                if written[-SHORTEST_KEY:] in text:
                    turned = (each[::-1] for each in (text, written, word))
                    text = _without_heads(*turned, cut=_CUT_PRECEDES, at_end=at_ends)[::-1]
        return text

    def pieces_in(self, data: bytes) -> bool:
        """Tell whether what may be a piece of a key, as of `cover_pieces`, lies in bytes."""
        return any(
            _bytes(part) in data
            for key in self._keys
            for written in _texts(key)
            for part in (written[:SHORTEST_KEY], written[-SHORTEST_KEY:])
        )

    def begun(self, text: str, least: int = 0) -> int:
        """Return how many characters at the end of a text may be the beginning of a key.

        Args:
            least: So many characters of a key, or of what it is encoded as, have to be there.

        Example:
            >>> KeyForms(["sk-secret-1"]).begun("it is sk-%7")
            5
        """
        if not self._keys:
            return 0
        for found in self._starts.finditer(text, max(0, len(text) - self._reach)):
            begin = found.start()
            if any(_goes_on(ways, text, begin, least) for ways in self._ways):
                return len(text) - begin
        return 0


@lru_cache(maxsize=128)
def key_forms(keys: tuple[str, ...]) -> KeyForms:
    """Return the forms of keys, made once."""
    return KeyForms(keys)


def _goes_on(ways: Sequence[re.Pattern[str]], text: str, at: int, least: int) -> bool:
    """Tell whether a text ends in the middle of what is written in these ways."""
    for number, way in enumerate(ways):
        if at == len(text):
            return number >= least
        found = way.match(text, at)
        if found is None:
            return number >= least and _BEGUN.match(text, at) is not None
        at = found.end()
    return False


# --- what a cut has left of a key -------------------------------------------------------------


def _without_heads(
    text: str, written: str, word: str, *, cut: re.Pattern[str], at_end: bool
) -> str:
    """Cover up beginnings of a key that a cut follows."""
    least, kept, done = written[:SHORTEST_KEY], [], 0
    begin = text.find(least)
    while begin >= 0:
        end = begin + _common(written, text[begin : begin + len(written)])
        # A key may go on with a full stop, as the mark of the cut does.
        ends = range(end, max(begin + SHORTEST_KEY, end - 2) - 1, -1)
        cuts = (at for at in ends if cut.match(text, at) or (at_end and at == len(text)))
        if end := next(cuts, 0):
            kept += [text[done:begin], word]
            done = end
        begin = text.find(least, max(done, begin + 1))
    return "".join([*kept, text[done:]])


def _common(one: str, other: str) -> int:
    """Return how many characters two texts begin with that are the same."""
    same = (number for number, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(same, min(len(one), len(other)))


# --- what a key is encoded as -----------------------------------------------------------------


def _forms(key: str) -> Iterator[tuple[str, ...]]:
    """Yield what a key can be, each as its characters; one that has a twin with it."""
    yield tuple(key)
    for text in _base64(key):
        yield tuple(_TWINS.get(ch, ch) for ch in text)
    yield tuple(ch if ch.isdigit() else ch + ch.upper() for ch in _bytes(key).hex())


def _base64(key: str) -> Iterator[str]:
    """Yield what base64 makes of a key at each place, without what its neighbours change."""
    data = _bytes(key)
    for before in range(_TRIPLE):
        text = b64encode(b"\0" * before + data).decode()
        begin = -(-before * _OCTET // _SEXTET)
        yield text[begin : (before + len(data)) * _OCTET // _SEXTET]


def _bytes(text: str) -> bytes:
    # The environment can hold bytes that are not UTF-8; an error here would tell the key.
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


@cache
def _entities() -> dict[str, list[str]]:
    from html.entities import html5

    names: dict[str, list[str]] = {}
    for name, character in html5.items():
        names.setdefault(character, []).append(name)
    return {ch: sorted(found, key=len, reverse=True) for ch, found in names.items()}


def _characters(form: Sequence[str]) -> Iterator[str]:
    """Yield the characters of a form; of several backslashes in a row, one."""
    for place, ch in enumerate(form):
        if ch != "\\" or place == 0 or form[place - 1] != "\\":
            yield ch


def _ways(twins: str) -> str:
    """Return a pattern of all ways in which a character can be written, or its twin.

    Each begins with one character that is given: so the search for it is a fast one.
    """
    if twins == "\\":
        return r"(?:\\|%(?:25){0,4}5[cC]){1,64}"
    plain = [re.escape(ch) for ch in twins]
    backslash = "|".join(way for ch in twins for way in _after_backslash(ch))
    percent = "|".join(way for ch in twins for way in _after_percent(ch))
    entity = "|".join(way for ch in twins for way in _after_ampersand(ch))
    if " " in twins:
        plain.append(r"\+")
    # What follows them never begins with one: none of them is given back.
    ways = [rf"\\\\{{0,7}}+(?:{backslash})", f"%(?:{percent})", f"&(?:amp;){{0,4}}(?:{entity})"]
    return f"(?:{'|'.join([*ways, *plain])})"


def _hex(number: int, width: int) -> str:
    digits = f"{number:0{width}x}"
    return "".join(ch if ch.isdigit() else f"[{ch}{ch.upper()}]" for ch in digits)


def _after_backslash(ch: str) -> Iterator[str]:
    code = ord(ch)
    if code <= _LAST_OF_16_BITS:
        yield f"u{_hex(code, 4)}"
    yield f"U{_hex(code, 8)}"
    yield rf"u\{{0{{0,4}}{_hex(code, 1)}\}}"
    if code <= _LAST_BYTE:
        yield f"x{_hex(code, 2)}"
        yield f"{code:03o}"
    if not ch.isalnum():
        yield re.escape(ch)


def _after_percent(ch: str) -> Iterator[str]:
    again = "(?:25){0,4}"
    yield again + f"%{again}".join(_hex(byte, 2) for byte in _bytes(ch))
    yield f"u{_hex(ord(ch), 4)}"


def _after_ampersand(ch: str) -> Iterator[str]:
    code = ord(ch)
    yield f"#0{{0,5}}{code};?"
    yield f"#[xX]0{{0,5}}{_hex(code, 1)};?"
    yield from map(re.escape, _entities().get(ch, ()))


# --- bytes --------------------------------------------------------------------------------


@lru_cache(maxsize=128)
def _needles(key: str) -> tuple[bytes, ...]:
    """Return what to look for in bytes that are too many for patterns."""
    # Without the zeros at its end, what begins with the small end is in the other, too.
    wide = {
        key.encode(form, "surrogatepass").rstrip(b"\0") for form in ("utf-16-le", "utf-32-le")
    }
    return (*(_bytes(text) for text in _texts(key)), *sorted(wide))


@lru_cache(maxsize=128)
def _texts(key: str) -> tuple[str, ...]:
    """Return what a key is as text, with no escapes but those of an address; itself first."""
    digits = _bytes(key).hex()
    texts = {quote(_bytes(key), safe=""), digits, digits.upper()}
    for text in _base64(key):
        texts |= {text, text.replace("+", "-").replace("/", "_")}
    return (key, *sorted(texts - {key}))
