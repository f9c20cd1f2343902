"""What may be seen of a variable, as text: the same before approval and when it is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import ToolError, nearest
from hypernb.model import ALL_AT_MOST, Grant
from hypernb.redact import COVERED, SECRET, redact
from hypernb.tools._places import Portrait, is_secret_name
from hypernb.tools._plainly import type_name
from hypernb.tools._portrait import portray

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_TEXTS: Final = (str, bytes, bytearray)

SEEN_AT_MOST: Final = 20_000
"""Characters that are told of a variable."""

_HALVES: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Described:
    """What an agent, and so a model and its host, may see of a variable.

    Attributes:
        name: Of the variable.
        text: All of it.
        redactions: How often what was covered up.
        kind: What it is: ``DataFrame``, ``dict``, ``sklearn.svm.SVC`` ...
        shape: How large it is: ``(rows, columns)``, ``(items,)``; empty if it has no size.
        parts: Pieces of the text: ``schema``, ``statistics``, ``sample`` or ``all``.
        columns: The lines of the text about each column, by its name as the text has it.
        is_whole: Nothing of the value is left out of the text, nor cut short.
        untold: How many characters are left out at the end of the text.
    """

    name: str
    text: str
    redactions: Mapping[str, int] = field(default_factory=dict)
    kind: str = ""
    shape: tuple[int, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    is_whole: bool = False
    untold: int = 0

    def part(self, name: str) -> str:
        """Return a part of the text.

        Raises:
            ToolError: It has no such part, or that may not be seen.
        """
        if name not in self.parts:
            raise ToolError(
                "inspect-variable",
                f"{self.name!r} has no {name} that may be seen.",
                hint=f"There is: {', '.join(self.parts)}.",
            )
        return self.parts[name]

    def column(self, name: str) -> str:
        """Return what the text says of a column.

        Raises:
            ToolError: It has no such column.
        """
        if name not in self.columns:
            raise ToolError(
                "inspect-variable",
                f"{self.name!r} has no column {name[:80]!r}.",
                hint=nearest(name, self.columns),
            )
        return self.columns[name]


def describe_variable(name: str, value: Any, grant: Grant) -> Described:
    """Say what may be seen of a variable; the same value gives the same text, always.

    Time and memory are bounded however large the value is, and no code of the value's own
    class runs: of objects, it is the type and the names of public attributes that are told.
    Only types of columns that other libraries add to pandas are asked for their cells.

    Args:
        name: Of the variable.
        value: Is not changed.
        grant: How much may be seen.
    """
    is_secret = grant.redact and type(value) in _TEXTS and is_secret_name(name)
    portrait = _covered(value, grant) if is_secret else portray(value, grant)
    limit = ALL_AT_MOST if grant.see == "all" else SEEN_AT_MOST
    return _assembled(name, portrait, grant, limit)


def _covered(value: Any, grant: Grant) -> Portrait:
    """Say of a secret that it is one: not what it is, and not how long."""
    kind = type_name(value)
    if grant.see == "schema":
        return Portrait(kind, kind)
    return Portrait(kind, kind, parts={grant.see: COVERED}, covered={SECRET: 1})


def outline_variable(name: str, value: Any) -> str:
    """Say what a variable is, as it is told to who plans, before anybody has approved.

    That is its type and its shape, of arrays the dtype, and of frames and series the names
    and types of columns and the share of what is missing; never a key of a dictionary or
    a figure of the data. Secrets, e-mail addresses and long numbers in names are covered up.

    Example:
        >>> outline_variable("pay", {"Ada": 90_000})
        'pay: dict of 1 key'
    """
    described = describe_variable(name, value, Grant(see="schema"))
    head = described.text.partition("\n")[0]
    if described.columns or described.kind == "ndarray":
        return f"{head}\n{described.parts['schema']}"
    return head


def _assembled(name: str, portrait: Portrait, grant: Grant, limit: int) -> Described:
    head = _sent(f"{name}: {portrait.words}")
    counts: dict[str, int] = dict(portrait.covered)
    parts: dict[str, str] = {}
    room = limit - len(head)
    untold = 0
    for title, text in portrait.parts.items():
        # What is cut off anyway is not looked through; by whole lines, so that nothing is cut
        # in two before it is covered up.
        shown, left = _begun(text, 2 * max(0, room))
        left += portrait.untold
        shown = _sent(shown)
        if grant.redact:
            covered = redact(shown)
            shown = covered.text
            for kind, times in covered.counts.items():
                counts[kind] = counts.get(kind, 0) + times
        shown, more = _cut(shown, max(0, room), left)
        untold += more
        room -= len(shown)
        parts[title] = shown
    text = "\n\n".join([head, *(f"{title}:\n{part}" for title, part in parts.items())])
    labels = [_sent(each) for each in portrait.columns]
    columns = _columns(parts, labels, redacts=grant.redact)
    return Described(
        name,
        text,
        counts,
        portrait.kind,
        portrait.shape,
        parts,
        columns,
        is_whole=_is_whole(portrait) and not untold,
        untold=untold,
    )


def _is_whole(portrait: Portrait) -> bool:
    """Tell whether a portrait leaves out nothing; where that cannot be seen, it does not."""
    if portrait.kind == "str":
        return portrait.shape == (len("".join(portrait.parts.values())),)
    # So begin and end the places of what `plainly` shortens.
    said = "".join(portrait.parts.values())
    return "all" in portrait.parts and not ("…" in said or "<" in said)


def _sent(text: str) -> str:
    """Return a text as it can be sent, with a mark in the place of each half of a character."""
    return _HALVES.sub("\ufffd", text)


def _columns(
    parts: Mapping[str, str], labels: Sequence[str], *, redacts: bool
) -> dict[str, str]:
    lines = [*parts.get("schema", "").split("\n"), *parts.get("statistics", "").split("\n")]
    columns: dict[str, str] = {}
    for label in labels:
        shown = redact(label).text if redacts else label
        found = [line for line in lines if line.startswith((f"{shown}: ", f"{shown} ("))]
        if found:
            columns[shown] = "\n".join(found)
    return columns


def _begun(text: str, limit: int) -> tuple[str, int]:
    if len(text) <= limit:
        return text, 0
    end = text.rfind("\n", 0, limit) + 1 or text.find("\n", limit) + 1 or len(text)
    return text[:end], len(text) - end


def _cut(text: str, limit: int, left: int) -> tuple[str, int]:
    if len(text) <= limit and not left:
        return text, 0
    kept = text[:limit].rpartition("\n")[0] or text[:limit]
    more = len(text) - len(kept) + left
    return f"{kept}\n… {more:,} more characters are not told.", more
