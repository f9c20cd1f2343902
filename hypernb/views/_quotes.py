"""Quotes: what work will probably use, and beside it what it has used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hypernb.model import QuoteSource, UsageSum
from hypernb.views import words
from hypernb.views._clean import line
from hypernb.views._columns import columns
from hypernb.views._frame import small
from hypernb.views._left import span
from hypernb.views._markup import el, table
from hypernb.views._models import BY_SIZE, dollars_range, tokens_range
from hypernb.views._usage import cost_of_group

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypernb.model import Quote, Range
    from hypernb.views._markup import Head

ROWS_AT_MOST: Final = 200
_HEADS: Final = ("Tokens", "Cost", "Time")
_USED: Final = ("Used", "Paid", "Took")
_UNKNOWN: Final = "unknown"
_MINUTE: Final = 60.0
_NONE: Final = "There are no quotes."
_MEANS: Final = "as likely too low as too high"
_BETWEEN: Final = " to "
_NUMBER: Final = re.compile(r"[1-9]")


@dataclass(frozen=True, slots=True)
class Used:
    """What a task, or all of them, has really used.

    Attributes:
        unknown: How many of its calls have no known cost.
        minutes: Working time; of the whole, from start to end. None if there is none.
        at_most: How many of its calls count with what was kept for them.
    """

    tokens: int = 0
    dollars: float = 0.0
    unknown: int = 0
    minutes: float | None = None
    at_most: int = 0


def quotes_html(
    quotes: Sequence[Quote],
    used: Mapping[str, Used] | None = None,
    planning: Used | None = None,
    *,
    note: str = "",
) -> str:
    """Show quotes as a table, with what was used if that is known, below a note on them."""
    above = el("p", note) if note else ""
    if not quotes:
        return small("Quote", above, el("p", _NONE))
    shown = [*quotes[:-1][:ROWS_AT_MOST], quotes[-1]]
    numbers = (*_HEADS, *(_USED if used else ()))
    heads: list[Head] = ["Task", *((name, "num") for name in numbers), "Known"]
    told = _rows(shown, used, planning)
    rows = (
        el(
            "tr",
            el("th", name, scope="row"),
            *(el("td", said, cls="num") for said in cells),
            el("td", known),
        )
        for name, *cells, known in told
    )
    rest = ""
    if len(shown) < len(quotes):
        rest = f"{len(shown) - 1:,} of {len(quotes) - 1:,} tasks are shown. "
    said = el("p", rest + _means(shown), cls="quiet")
    caption = "What was quoted, and what was used" if used else "What it will probably use"
    return small("Quote", above, table(caption, heads, rows), said)


def quotes_text(
    quotes: Sequence[Quote],
    used: Mapping[str, Used] | None = None,
    width: int = 100,
    planning: Used | None = None,
    *,
    note: str = "",
) -> str:
    """Write the same as a table of text."""
    above = f"{note}\n" if note else ""
    if not quotes:
        return f"{above}{_NONE}"
    heads = ("task", *(each.lower() for each in (*_HEADS, *(_USED if used else ()))), "known")
    rows = _rows(quotes, used, planning)
    return f"{above}{columns(heads, rows, width=width)}\n{_means(quotes)}".rstrip()


def _rows(
    quotes: Sequence[Quote], used: Mapping[str, Used] | None, planning: Used | None
) -> list[tuple[str, ...]]:
    """Return the cells of each row; what planning has used comes last, beside all tasks."""
    whole = "all tasks" if used and planning else "all"
    rows = [
        (
            line(each.task, cut_at=120) if each.task else whole,
            *_cells(each, used),
            _known(each),
        )
        for each in quotes
    ]
    if used and planning:
        rows.append(("planning", *("–" for _ in _HEADS), *_was(planning), "is not quoted"))
    return rows


def _means(quotes: Sequence[Quote]) -> str:
    """Say how its numbers are to be read: of one alone, nothing is said of a second."""
    cells = [cell for each in quotes for cell in _cells(each, None)]
    if any(_BETWEEN in cell for cell in cells):
        return f"The first number is {_MEANS}; one in ten exceeds the second."
    known = any(_NUMBER.search(cell) for cell in cells)
    return f"Each number is {_MEANS}." if known else ""


def _cells(quote: Quote, used: Mapping[str, Used] | None) -> list[str]:
    cost = _UNKNOWN if quote.dollars is None else dollars_range(quote.dollars)
    said = [_tokens(quote.tokens), cost, _time(quote.minutes)]
    if used:
        said += _was(used.get(quote.task, Used()))
    return said


def _was(used: Used) -> tuple[str, str, str]:
    paid = UsageSum((), cost=used.dollars, unknown=used.unknown, at_most=used.at_most)
    took = "–" if used.minutes is None else words.duration(used.minutes * _MINUTE)
    return f"{used.tokens:,}", cost_of_group(paid), took


def _tokens(tokens: Range | None) -> str:
    if tokens is None:
        return _UNKNOWN
    return tokens_range(tokens)


def _time(minutes: Range | None) -> str:
    if minutes is None:
        return _UNKNOWN
    if not minutes.p90:
        return "none"
    return span(minutes.p50 * _MINUTE, minutes.p90 * _MINUTE)


def _known(quote: Quote) -> str:
    by_size = BY_SIZE if quote.by_size else ""
    match quote.source:
        case QuoteSource.HISTORY:
            return f"from {words.count(quote.runs, 'past task')}{by_size}"
        case QuoteSource.ESTIMATE:
            past = f"in part from {words.count(quote.runs, 'past task')}, in part "
            return f"{past if quote.runs else ''}estimated{by_size}"
        case QuoteSource.NOTHING:
            return "will not run" if quote.task else "nothing to run"
        case QuoteSource.UNKNOWN:
            return _UNKNOWN
