"""Sentences with names in them, which HTML, Markdown and text each mark in their own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hypernb.views._clean import line, name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Code:
    """A name or something to type: set in the fixed-width face."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """The part of a sentence that must not be missed."""

    text: str


@dataclass(frozen=True, slots=True)
class Whole:
    """A text that is told in full and keeps its lines, as what a task is told must be."""

    text: str


WHOLE_AT_MOST: Final = 100_000
"""Characters of such a text; as many as a goal may have."""

Part = str | Code | Strong | Whole
Phrase = tuple[Part, ...]


def plain(phrase: Sequence[Part] | str) -> str:
    """Write a phrase as text."""
    if isinstance(phrase, str):
        return line(phrase)
    return "".join(part if isinstance(part, str) else part.text for part in phrase)


def command(text: str) -> Code:
    """Mark a magic that the reader can type."""
    return Code(line(text))


def named(text: str) -> Code:
    """Mark the name of a task, an agent or a file, however long or odd it is."""
    return Code(name(text))


def enumerate_names(names: Iterable[str | Code], *, most: int = 4) -> Phrase:
    """List names as a sentence does: ``a, b and c``; past ``most`` the rest is counted.

    Of a long name the end is cut, unless it is given as code.
    """
    known = list(names)
    shown = [each if isinstance(each, Code) else named(each) for each in known[:most]]
    rest = len(known) - len(shown)
    tail: list[Part] = [f"{rest:,} more"] if rest else []
    items: list[Part] = [*shown, *tail]
    phrase: list[Part] = []
    for index, item in enumerate(items):
        if index:
            phrase.append(" and " if index == len(items) - 1 else ", ")
        phrase.append(item)
    return tuple(phrase)
