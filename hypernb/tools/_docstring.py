"""Reads docstrings with Google's sections: what a function does, and what its arguments are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECTION: Final = re.compile(
    r"(?:Args|Arguments|Parameters|Returns?|Yields|Raises|Examples?|Notes?|Attributes|"
    r"Warns|See Also|References|Todo):\s*"
)
_ARGUMENTS: Final = re.compile(r"(?:Args|Arguments|Parameters):\s*")
_ARGUMENT: Final = re.compile(r"(\s+)\*{0,2}(\w+)\s*(?:\([^)]{0,200}\))?:\s*(.*)")
_TEXT_AT_MOST: Final = 1_000
_ARGUMENT_AT_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Docstring:
    """What a docstring says.

    Attributes:
        text: What comes before the first section.
        arguments: What is said of each argument, by its name.
    """

    text: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)


def read_docstring(docstring: str) -> Docstring:
    r"""Read a docstring whose indentation was cleaned, as `inspect.getdoc` does.

    Example:
        >>> read_docstring("Return rows.\n\nArgs:\n    city: Of which city.").arguments
        {'city': 'Of which city.'}
    """
    lines = docstring.splitlines()
    end = next((i for i, line in enumerate(lines) if _SECTION.fullmatch(line)), len(lines))
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines[:end]).strip())
    text = "\n".join(" ".join(each.split()) for each in paragraphs)[:_TEXT_AT_MOST]
    arguments: dict[str, str] = {}
    for start, line in enumerate(lines):
        if _ARGUMENTS.fullmatch(line):
            arguments |= _arguments(lines[start + 1 :])
    return Docstring(text, arguments)


def _arguments(lines: list[str]) -> dict[str, str]:
    said: dict[str, list[str]] = {}
    indent, last = "", ""
    for line in lines:
        if line.strip() and not line[0].isspace():
            break
        found = _ARGUMENT.fullmatch(line)
        if found and (not indent or found[1] == indent):
            indent, last = found[1], found[2]
            said[last] = [found[3]]
        elif last and line.strip():
            said[last].append(line.strip())
    return {name: " ".join(words).strip()[:_ARGUMENT_AT_MOST] for name, words in said.items()}
