"""Text in columns, for terminals of any width."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from hypernb.views._clean import CUT_AT, clean
from hypernb.views._clean import width as cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GAP: Final = "  "
_LEAST: Final = 8
_WORD: Final = 24


def columns(heads: Sequence[str], rows: Iterable[Sequence[str]], *, width: int = 80) -> str:
    """Write a table as text; what does not fit is wrapped within its column.

    Example:
        >>> print(columns(["task", "state"], [["fetch", "succeeded"], ["clean", "running"]]))
        task   state
        -----  ---------
        fetch  succeeded
        clean  running
    """
    body = [[clean(cell) for cell in row] for row in rows]
    sizes = _sizes(heads, body, width)
    lines = [*_lines(heads, sizes), _GAP.join("-" * size for size in sizes)]
    for row in body:
        lines += _lines(row, sizes)
    return "\n".join(lines)


def _sizes(heads: Sequence[str], body: list[list[str]], width: int) -> list[int]:
    natural, least = [], []
    for place, head in enumerate(heads):
        found = [head, *(row[place] for row in body if place < len(row))]
        natural.append(max(map(cells, found)))
        least.append(min(max(_longest_word(text) for text in found), _WORD))
    room = max(width - len(_GAP) * (len(heads) - 1), len(heads))
    sizes = _shrunk(natural, least, room)
    return _shrunk(sizes, [_LEAST] * len(sizes), room)


def _longest_word(text: str) -> int:
    return max(map(cells, text.split()), default=0)


def _shrunk(sizes: list[int], least: list[int], room: int) -> list[int]:
    """Take room from the columns that have most to spare, until all fit or none can give."""
    sizes = list(sizes)
    while sum(sizes) > room:
        spare = [size - enough for size, enough in zip(sizes, least, strict=True)]
        place = max(range(len(sizes)), key=spare.__getitem__)
        if spare[place] <= 0:
            break
        second = max((each for at, each in enumerate(spare) if at != place), default=0)
        step = max(1, spare[place] - max(second, 0))
        sizes[place] -= min(step, spare[place], sum(sizes) - room)
    return sizes


def _lines(row: Sequence[str], sizes: Sequence[int]) -> list[str]:
    wrapped = [wrap(cell, size) for cell, size in zip(row, sizes, strict=False)]
    tall = max((len(cell) for cell in wrapped), default=1)
    lines = []
    for at in range(tall):
        said = [
            _padded(cell[at] if at < len(cell) else "", size)
            for cell, size in zip(wrapped, sizes, strict=False)
        ]
        lines.append(_GAP.join(said).rstrip())
    return lines


def _padded(text: str, size: int) -> str:
    return text + " " * max(0, size - cells(text))


def wrap(text: str, size: int) -> list[str]:
    """Break text into lines that fit; long words are broken."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        lines += textwrap.wrap(paragraph, max(size, 1), break_on_hyphens=False) or [""]
    return [part for said in lines for part in _narrowed(said, size)]


def _narrowed(text: str, size: int) -> list[str]:
    # textwrap counts characters; some take two cells of a terminal.
    if cells(text) <= size:
        return [text]
    parts, part = [], ""
    for char in text:
        if part and cells(part + char) > size:
            parts.append(part)
            part = ""
        part += char
    return [*parts, part]


def labelled(
    rows: Iterable[tuple[str, str]], *, width: int = 80, indent: str = "", cut_at: int = CUT_AT
) -> str:
    """Write terms and what they are, aligned; longer text hangs below its beginning."""
    known = [(clean(term), clean(said, cut_at=cut_at)) for term, said in rows]
    wide = max((cells(term) for term, _ in known), default=0) + 2
    lines: list[str] = []
    for term, said in known:
        head = indent + _padded(term, wide)
        body = wrap(said, max(width - len(indent) - wide, 20))
        lines.append((head + body[0]).rstrip())
        lines += [(indent + " " * wide + more).rstrip() for more in body[1:]]
    return "\n".join(lines)
