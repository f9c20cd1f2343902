"""The part of Markdown that agents write, read into values that a view can draw.

Headings, lists, code, quotes, tables, emphasis and links. There is no HTML in it, and a link
leads to http, https or mail only. Every search forward is bounded, so text made to be slow is
not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Block = dict[str, Any]
"""A block: its ``kind``, and what its kind has; as ``MarkdownBlock`` in ``protocol.ts``."""
Piece = str | dict[str, str]
"""A part of a line: text, or ``code``, ``strong``, ``em``, or a ``link`` with its ``href``."""

BLOCKS_AT_MOST: Final = 2_000
_SEEN_AHEAD: Final = 2_000
_CELLS_AT_MOST: Final = 40
_RULE_AT_MOST: Final = 200
_ADDRESS_AT_LEAST: Final = 9

_HEADING: Final = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)$")
_CLOSING: Final = re.compile(r"[ \t]+#{1,6}[ \t]*$")
_FENCE: Final = re.compile(r" {0,3}(```+|~~~+)")
_ITEM: Final = re.compile(r"( {0,12})(?:[-*+]|(\d{1,9})[.)])[ \t]+(.*)$")
_QUOTE: Final = re.compile(r" {0,3}> ?(.*)$")
_RULE: Final = re.compile(r" {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$")
_DIVIDER: Final = re.compile(r"[|:\- \t]+$")
_SET_IN: Final = re.compile(r"\s+\S")

_SIGNS: Final = re.compile(r"[\\`*_[!]|https?://")
_ESCAPED: Final = re.compile(r"\\([\\`*_\[\]()#+\-.!|>~])")
_TICKS: Final = re.compile(r"`{1,8}")
_ADDRESS: Final = re.compile(r"""https?://[^\s<>"'`\])]{1,1900}""")
_LEADS_OUT: Final = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_BLANK_OR_CONTROL: Final = re.compile(r"[\x00-\x20\x7f-\x9f]")


def blocks(text: str) -> list[Block]:
    """Read text into blocks; past two thousand of them the rest is one of code."""
    lines = text.split("\n")
    found: list[Block] = []
    place = 0
    while place < len(lines):
        if len(found) >= BLOCKS_AT_MOST:
            found.append({"kind": "code", "text": "\n".join(lines[place:])})
            break
        if not lines[place].strip():
            place += 1
            continue
        block, place = _block_at(lines, place)
        found.append(block)
    return _ranked(found)


def _ranked(found: list[Block]) -> list[Block]:
    """Say of headings which are the uppermost of all."""
    headings = [block for block in found if block["kind"] == "heading"]
    first = min((block["rank"] for block in headings), default=0)
    for block in headings:
        block["top"] = block.pop("rank") == first
    return found


def _block_at(lines: Sequence[str], place: int) -> tuple[Block, int]:
    line = lines[place]
    for begins, read in _BLOCKS:
        if begins(line):
            return read(lines, place)
    if _is_table(lines, place):
        return _table_at(lines, place)
    if _ITEM.match(line):
        return _list_at(lines, place)
    if _QUOTE.match(line):
        return _quote_at(lines, place)
    return _paragraph_at(lines, place)


def _code_at(lines: Sequence[str], place: int) -> tuple[Block, int]:
    fence = _FENCE.match(lines[place])
    mark = fence[1] if fence else "```"
    end = place + 1
    while end < len(lines) and not lines[end].lstrip().startswith(mark):
        end += 1
    return {"kind": "code", "text": "\n".join(lines[place + 1 : end])}, end + 1


def _heading_at(lines: Sequence[str], place: int) -> tuple[Block, int]:
    heading = _HEADING.match(lines[place])
    marks, text = heading.groups() if heading else ("#", lines[place])
    line = pieces(_CLOSING.sub("", text))
    return {"kind": "heading", "rank": len(marks), "line": line}, place + 1


def _rule_at(_lines: Sequence[str], place: int) -> tuple[Block, int]:
    return {"kind": "rule"}, place + 1


def _is_rule(line: str) -> bool:
    return len(line) < _RULE_AT_MOST and _RULE.match(line) is not None


_BLOCKS: Final[tuple[tuple[Callable[[str], Any], Callable[..., tuple[Block, int]]], ...]] = (
    (_FENCE.match, _code_at),
    (_HEADING.match, _heading_at),
    (_is_rule, _rule_at),
)


def _is_table(lines: Sequence[str], place: int) -> bool:
    divider = lines[place + 1] if place + 1 < len(lines) else ""
    return (
        "|" in lines[place]
        and "-" in divider
        and "|" in divider
        and _DIVIDER.match(divider) is not None
    )


def _table_at(lines: Sequence[str], place: int) -> tuple[Block, int]:
    heads = _cells(lines[place])
    rows = []
    end = place + 2
    while end < len(lines) and "|" in lines[end]:
        row = _cells(lines[end])[: len(heads)]
        rows.append(row + [[]] * (len(heads) - len(row)))
        end += 1
    return {"kind": "table", "heads": heads, "rows": rows}, end


def _cells(line: str) -> list[list[Piece]]:
    cells = line.strip().removeprefix("|").removesuffix("|").split("|")
    return [pieces(cell.strip()) for cell in cells[:_CELLS_AT_MOST]]


def _list_at(lines: Sequence[str], place: int) -> tuple[Block, int]:
    first: _Item | None = None
    items: list[dict[str, Any]] = []
    # What is set in less than the first item, or numbered otherwise, begins another list.
    while item := _item_at(lines, place):
        first = first or item
        deeper = item.indent - first.indent
        if items and items[-1]["inner"] is None and deeper > 1:
            items[-1]["inner"], place = _list_at(lines, place)
            continue
        if abs(deeper) > 1 or bool(item.number) != bool(first.number):
            break
        items.append({"line": pieces(item.text), "inner": None})
        place = item.end
    number = first.number if first else ""
    block = {"kind": "list", "ordered": bool(number), "start": int(number or 1)}
    return {**block, "items": items}, place


class _Item(NamedTuple):
    """An item as it stands in the text: how far set in, its number, its words."""

    indent: int
    number: str
    text: str
    end: int


def _item_at(lines: Sequence[str], place: int) -> _Item | None:
    item = _ITEM.match(lines[place]) if place < len(lines) else None
    if item is None:
        return None
    indent, number, text = item.groups(default="")
    end = place + 1
    while end < len(lines) and _SET_IN.match(lines[end]) and not _ITEM.match(lines[end]):
        end += 1
    more = [line.strip() for line in lines[place + 1 : end]]
    return _Item(len(indent), number, " ".join([text, *more]), end)


def _quote_at(lines: Sequence[str], place: int) -> tuple[Block, int]:
    kept = []
    while place < len(lines) and (quote := _QUOTE.match(lines[place])):
        kept.append(quote[1])
        place += 1
    return {"kind": "quote", "line": pieces("\n".join(kept))}, place


def _paragraph_at(lines: Sequence[str], place: int) -> tuple[Block, int]:
    end = place + 1
    while end < len(lines) and not _begins(lines, end):
        end += 1
    return {"kind": "paragraph", "line": pieces("\n".join(lines[place:end]))}, end


def _begins(lines: Sequence[str], place: int) -> bool:
    line = lines[place]
    marks = (_FENCE, _HEADING, _ITEM, _QUOTE)
    return (
        not line.strip() or any(mark.match(line) for mark in marks) or _is_table(lines, place)
    )


# -- inside of a block -------------------------------------------------------------------


def pieces(text: str) -> list[Piece]:
    """Read a block's text into pieces.

    Example:
        >>> pieces("see **this** `x`")
        ['see ', {'strong': 'this'}, ' ', {'code': 'x'}]
    """
    found: list[Piece] = []
    plain: list[str] = []
    place = 0
    while sign := _SIGNS.search(text, place):
        plain.append(text[place : sign.start()])
        piece, place = _READ.get(sign[0], _address_at)(text, sign.start())
        if isinstance(piece, str):
            plain.append(piece)
            continue
        found += [*filter(None, ["".join(plain)]), piece]
        plain = []
    plain.append(text[place:])
    return [*found, *filter(None, ["".join(plain)])]


def _escape_at(text: str, place: int) -> tuple[Piece, int]:
    escaped = _ESCAPED.match(text, place)
    return (escaped[1], place + 2) if escaped else ("\\", place + 1)


def _code_span_at(text: str, place: int) -> tuple[Piece, int]:
    ticks = _TICKS.match(text, place)
    mark = ticks[0] if ticks else "`"
    begin = place + len(mark)
    end = text.find(mark, begin, begin + _SEEN_AHEAD)
    if end < 0:
        return mark, begin
    code = text[begin:end]
    return {"code": code.strip() or code}, end + len(mark)


def _emphasis_at(text: str, place: int) -> tuple[Piece, int]:
    char = text[place]
    mark = char * 2 if text[place + 1 : place + 2] == char else char
    begin = place + len(mark)
    before, after = text[max(place - 1, 0) : place], text[begin : begin + 1]
    # In snake_case an underscore is a letter.
    is_letter = char == "_" and (before == "_" or before.isalnum())
    if is_letter or not after.strip():
        return mark, begin
    end = text.find(mark, begin, begin + _SEEN_AHEAD)
    if end <= begin or text[end - 1].isspace():
        return mark, begin
    kind = "strong" if len(mark) > 1 else "em"
    return {kind: _unmarked(text[begin:end])}, end + len(mark)


def _link_at(text: str, place: int) -> tuple[Piece, int]:
    close = text.find("](", place + 1, place + _SEEN_AHEAD)
    end = text.find(")", close + 2, close + _SEEN_AHEAD) if close >= 0 else -1
    label = text[place + 1 : max(close, 0)]
    if end < 0 or "[" in label:
        return "[", place + 1
    target = (text[close + 2 : end].split() or [""])[0]
    if not is_safe(target):
        # An address that is not followed is told, so that nothing is hidden behind words.
        return f"{_unmarked(label)} ({target})", end + 1
    return {"link": _unmarked(label) or target, "href": target}, end + 1


def _picture_at(text: str, place: int) -> tuple[Piece, int]:
    if text[place + 1 : place + 2] != "[":
        return "!", place + 1
    link, end = _link_at(text, place + 1)
    if end == place + 2:
        return "!", place + 1
    return f"(picture: {link if isinstance(link, str) else link['link']})", end


def _address_at(text: str, place: int) -> tuple[Piece, int]:
    found = _ADDRESS.match(text, place)
    address = found[0].rstrip(".,;:!?") if found else ""
    if len(address) < _ADDRESS_AT_LEAST or not is_safe(address):
        return text[place], place + 1
    return {"link": address, "href": address}, place + len(address)


_READ: Final[dict[str, Callable[[str, int], tuple[Piece, int]]]] = {
    "\\": _escape_at,
    "`": _code_span_at,
    "*": _emphasis_at,
    "_": _emphasis_at,
    "[": _link_at,
    "!": _picture_at,
}


def _unmarked(text: str) -> str:
    return text.replace("`", "").replace("*", "")


def is_safe(target: str) -> bool:
    """Tell whether an address may be followed.

    Example:
        >>> is_safe("https://example.org/a"), is_safe("javascript:alert(1)")
        (True, False)
    """
    if not _LEADS_OUT.match(target) or _BLANK_OR_CONTROL.search(target):
        return False
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return bool(parts.netloc if parts.scheme.startswith("http") else parts.path)
