"""Reminders in comments: TODO, FIXME, XXX and HACK, and nothing of the kind in strings."""

from __future__ import annotations

import io
import re
import tokenize
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS: Final = ("TODO", "FIXME", "XXX", "HACK")
_WORD: Final = re.compile(rf"\b(?:{'|'.join(WORDS)})\b")
_ANY: Final = re.compile("|".join(WORDS).encode())

_GARBAGE_BYTES: Final = 1_000_000

_DOUBLE: Final = r'"(?:\\.|[^"\\\n])*"?'
_SINGLE: Final = r"'(?:\\.|[^'\\\n])*'?"
_BACKTICK: Final = r"`(?:\\.|[^`\\])*`?"
_BLOCK: Final = r"(?P<comment>/\*.*?(?:\*/|\Z)|//[^\n]*)"
_HASH: Final = r"(?<![^\s;(\[{|&`])(?P<comment>#[^\n]*)"

# One expression per family: comments by name, and what may look like one, strings, beside
# them. They know no regular-expression literals, heredocs or nested comments.
_STYLES: Final = {
    "c": re.compile(f"{_BLOCK}|{_DOUBLE}|{_SINGLE}", re.DOTALL),
    # A quote alone is a lifetime in Rust and a label in others, so it opens no string.
    "rust": re.compile(f"{_BLOCK}|{_DOUBLE}", re.DOTALL),
    "js": re.compile(f"{_BLOCK}|{_DOUBLE}|{_SINGLE}|{_BACKTICK}", re.DOTALL),
    "css": re.compile(rf"(?P<comment>/\*.*?(?:\*/|\Z))|{_DOUBLE}|{_SINGLE}", re.DOTALL),
    # An apostrophe within a word opens no string.
    "hash": re.compile(rf"{_HASH}|{_DOUBLE}|(?<!\w){_SINGLE}", re.DOTALL),
    "sql": re.compile(
        rf"(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))|{_DOUBLE}|'(?:''|[^'])*'?", re.DOTALL
    ),
    "dash": re.compile(rf"(?P<comment>--[^\n]*)|{_DOUBLE}|{_SINGLE}", re.DOTALL),
    "html": re.compile(r"(?P<comment><!--.*?(?:-->|\Z))", re.DOTALL),
    "percent": re.compile(r"(?<!\\)(?P<comment>%[^\n]*)"),
    "semicolon": re.compile(rf"(?P<comment>;[^\n]*)|{_DOUBLE}", re.DOTALL),
}


@dataclass(frozen=True, slots=True)
class Reminder:
    """A comment, or a line of one, that holds one of the words; the first counts."""

    line: int
    word: str
    text: str


def python_reminders(data: bytes) -> tuple[list[Reminder], str]:
    """Find reminders in the comments of a Python file, by Python's own tokenizer.

    Returns:
        One reminder per comment that holds a word, and why the tokenizer stopped before the
        end of the file, or an empty string. What it saw before it stopped counts.

    Example:
        >>> python_reminders(b"x = 'TODO'  # TODO: mend")[0]
        [Reminder(line=1, word='TODO', text='# TODO: mend')]
    """
    if not _ANY.search(data):
        if _parses(data):
            return [], ""
        if len(data) > _GARBAGE_BYTES or b"\0" in data:
            # No word to find, and minutes of work to learn where the tokenizer would stop.
            return [], "it does not parse"
    found: list[Reminder] = []
    try:
        for token in tokenize.tokenize(io.BytesIO(data).readline):
            if token.type == tokenize.COMMENT and (word := _WORD.search(token.string)):
                # What came before a stop must stay, which extend() does not promise.
                found.append(Reminder(token.start[0], word[0], token.string))  # noqa: PERF401
    except (tokenize.TokenError, SyntaxError, ValueError, LookupError) as error:
        return found, str(error.args[0] if error.args else error)
    return found, ""


def reminders(text: str, style: str) -> list[Reminder]:
    """Find reminders in the comments of a file of another language.

    Args:
        style: How the language writes comments: ``c``, ``js``, ``hash``, ``sql`` ...

    Example:
        >>> reminders('url = "http://TODO";  // FIXME: no', "js")
        [Reminder(line=1, word='FIXME', text='// FIXME: no')]
    """
    if not _WORD.search(text):
        return []
    return [
        Reminder(number, word[0], line.strip())
        for start, comment in _comments(text, _STYLES[style])
        for number, line in enumerate(comment.split("\n"), start=text.count("\n", 0, start) + 1)
        if (word := _WORD.search(line))
    ]


def _comments(text: str, style: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    for match in style.finditer(text):
        if match["comment"] is not None and _WORD.search(match["comment"]):
            yield match.start("comment"), match["comment"]


def _parses(data: bytes) -> bool:
    # Much faster than the tokenizer; a file that parses also tokenizes.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(data, "file", "exec", flags=0x400, dont_inherit=True)  # ast.PyCF_ONLY_AST
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
