"""The egress lens: which bytes of which variable would leave, and for which host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.views import words
from hypernb.views._clean import clean, line
from hypernb.views._columns import columns
from hypernb.views._frame import small
from hypernb.views._markup import Html, el, join, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hypernb.views._figures import Figures
    from hypernb.views._markup import Head
    from hypernb.views._models import Leaves

ROWS_AT_MOST: Final = 50
_TEXT_CUT_AT: Final = 20_000
_HEADS: Final = ("Variable", "Goes to", "For", "Size", "Covered")
NOTHING: Final = "Nothing of your variables would leave this machine."


def egress_table(figures: Figures) -> Html | None:
    """Show in a decision what would leave; None if nothing of a variable would."""
    return _table(figures.outlook.leaves) if figures.outlook.leaves else None


def egress_html(leaves: Sequence[Leaves]) -> str:
    """Show what would leave, to the last byte."""
    if not leaves:
        return small("Egress", el("p", NOTHING))
    return small("Egress", _table(leaves))


def egress_text(leaves: Sequence[Leaves], width: int = 80) -> str:
    """Write what would leave: a row for each variable, then its very text."""
    if not leaves:
        return NOTHING
    rows = [tuple(line(cell, cut_at=120) for cell in _cells(each)) for each in leaves]
    told = [columns(_HEADS, rows, width=width)]
    for each in leaves[:ROWS_AT_MOST]:
        text = clean(each.text, cut_at=_TEXT_CUT_AT).rstrip()
        said = "\n".join(f"    {part}" for part in text.splitlines())
        told.append(f"{line(each.variable, cut_at=120)}, as it would leave:\n{said}")
    return "\n\n".join(told)


def _table(leaves: Sequence[Leaves]) -> Html:
    heads: list[Head] = [(head, "num" if head == "Size" else "") for head in _HEADS]
    shown = leaves[:ROWS_AT_MOST]
    more = len(leaves) - len(shown)
    rest = f"And {words.count(more, 'more row')}." if more > 0 else ""
    told = table("What would leave", heads, join(map(_rows, shown)), aside=None)
    return join([told, el("p", rest, cls="quiet") if rest else None])


def _rows(each: Leaves) -> Html:
    return join(_both(each))


def _both(each: Leaves) -> Iterator[Html]:
    name, host, tasks, size, covered = _cells(each)
    yield el(
        "tr",
        el("th", el("code", line(name, cut_at=120)), scope="row"),
        el("td", el("code", line(host, cut_at=120))),
        el("td", line(tasks, cut_at=200), cls="wide"),
        el("td", size, cls="num"),
        el("td", covered),
        cls="row",
    )
    text = el("pre", clean(each.text, cut_at=_TEXT_CUT_AT), tabindex=0)
    told = el("details", el("summary", f"As it would leave: {line(name, cut_at=60)}"), text)
    yield el("tr", el("td", told, colspan=len(_HEADS)), cls="open")


def _cells(each: Leaves) -> tuple[str, ...]:
    size = words.count(len(each.text.encode("utf-8", "replace")), "byte")
    covered = ", ".join(words.count(many, kind) for kind, many in each.redactions.items())
    return (each.variable, each.host, ", ".join(each.tasks), size, covered or "nothing")
