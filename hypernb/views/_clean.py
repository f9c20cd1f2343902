"""Text of strangers, made fit to be shown: no control characters, no endless lines."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from hypernb.model import HIDDEN

CUT_AT: Final = 4000
LINE_CUT_AT: Final = 300
NAME_CUT_AT: Final = 60

# Escape sequences first, so that their visible rests ("[31m") go with them: CSI, then strings
# (OSC, DCS ...) up to their end, then two-character escapes.
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]"
)
_BREAKS: Final = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_UNSEEN: Final = re.compile(rf"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f{HIDDEN}]")
_SURROGATES: Final = re.compile(r"[\ud800-\udfff]")
_SPACES: Final = re.compile(r"\s+")
_NOTICE_CHARS: Final = 60
_CUT: Final = re.compile(r"…(?: \(cut here; [\d,]{1,20} characters in all\))?\Z")


def clean(text: object, *, cut_at: int = CUT_AT) -> str:
    r"""Return the text without control characters; tabs and line ends stay.

    Escape sequences of terminals, marks that reorder text and lone surrogates are removed or
    replaced. Longer text is cut, and says so; of text that is cut already, what was said of
    its length stays.

    Example:
        >>> clean("\x1b[31mred\x1b[0m\x07")
        'red'
        >>> clean("abcdef", cut_at=3)
        'abc… (cut here; 6 characters in all)'
        >>> clean(clean("abcdef", cut_at=3), cut_at=2)
        'ab… (cut here; 6 characters in all)'
    """
    said = str(text)
    whole = len(said)
    before = _CUT.search(said, max(0, whole - _NOTICE_CHARS))
    said = said[: cut_at * 2]
    said = _BREAKS.sub("\n", _ESCAPES.sub("", said))
    said = _SURROGATES.sub("\ufffd", _UNSEEN.sub("", said))
    if len(said) > cut_at or whole > cut_at * 2:
        notice = before[0] if before else f"… (cut here; {whole:,} characters in all)"
        return f"{said[:cut_at].rstrip().removesuffix('…').rstrip()}{notice}"
    return said


def line(text: object, *, cut_at: int = LINE_CUT_AT) -> str:
    r"""Return the text cleaned, on one line.

    Example:
        >>> line("two\n  lines")
        'two lines'
    """
    # Cutting comes last: text that is mostly white space is shorter than it looks.
    return clean(_SPACES.sub(" ", clean(text, cut_at=cut_at * 4)).strip(), cut_at=cut_at)


def name(text: object) -> str:
    """Return a name cleaned and short enough for a sentence.

    Example:
        >>> name("a" * 100)[-3:]
        'aa…'
    """
    said = _SPACES.sub(" ", clean(text, cut_at=400)).strip()
    return said if len(said) <= NAME_CUT_AT else f"{said[: NAME_CUT_AT - 1]}…"


def width(text: str) -> int:
    """Count the cells that a terminal needs for the text.

    Example:
        >>> width("ab"), width("日本")
        (2, 4)
    """
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
