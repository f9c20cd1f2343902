"""What was used and paid, in groups, as HTML and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.errors import dollars
from hypernb.views._clean import line
from hypernb.views._columns import columns
from hypernb.views._frame import small
from hypernb.views._markup import el, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypernb.model import UsageSum
    from hypernb.views._markup import Head

ROWS_AT_MOST: Final = 200
_NUMBERS: Final = ("Calls", "Spared", "Read", "Written", "Cost")
_NOBODY: Final = "–"
_PLANNING: Final = "planning"
_SPARED: Final = (
    "Spared are calls that the cache or a cassette answered. Read and written: tokens."
)


def cost_of_group(usage: UsageSum) -> str:
    """Say what a group has cost; what nobody knows is never nothing.

    Example:
        >>> from hypernb.model import UsageSum
        >>> cost_of_group(UsageSum(("a",), 2, cost=0.5, unknown=1)), cost_of_group(
        ...     UsageSum(("b",), 1, unknown=1)
        ... )
        ('$0.50 and 1 unknown', 'unknown')
        >>> cost_of_group(UsageSum(("c",), 1, cost=0.05, at_most=1))
        'at most $0.05'
    """
    paid = f"{'at most ' if usage.at_most else ''}{dollars(usage.cost)}"
    if not usage.unknown:
        return paid
    if not usage.cost:
        return "unknown"
    return f"{paid} and {usage.unknown:,} unknown"


def usage_html(by: Sequence[str], rows: Sequence[UsageSum], total: UsageSum) -> str:
    """Show what each group has used and paid, dearest first, and all of them together."""
    if not rows:
        return small("Usage", el("p", "Nothing was called, and nothing was paid."))
    shown = rows[:ROWS_AT_MOST]
    heads: list[Head] = [name.capitalize() for name in by]
    heads += [(name, "num") for name in _NUMBERS]
    body = [
        el(
            "tr",
            *(
                el("th", el("code", said), scope="row", cls="nowrap")
                for said in _keys(by, each.keys)
            ),
            *(el("td", said, cls="num") for said in _numbers(each)),
        )
        for each in shown
    ]
    body.append(
        el(
            "tr",
            el("th", "all", scope="row", colspan=float(len(by))),
            *(el("td", el("b", said), cls="num") for said in _numbers(total)),
        )
    )
    rest = f"{len(shown):,} of {len(rows):,} groups are shown. " if rows[len(shown) :] else ""
    return small(
        "Usage",
        table(f"Usage by {' and '.join(by)}", heads, body),
        el("p", rest + _SPARED, cls="quiet"),
    )


def usage_text(
    by: Sequence[str], rows: Sequence[UsageSum], total: UsageSum, width: int = 80
) -> str:
    """Write the same as a table of text."""
    if not rows:
        return "Nothing was called, and nothing was paid."
    body = [(*_keys(by, each.keys), *_numbers(each)) for each in rows]
    body.append(("all", *("" for _ in by[1:]), *_numbers(total)))
    heads = (*by, *(name.lower() for name in _NUMBERS))
    return f"{columns(heads, body, width=width)}\n{_SPARED}"


def _keys(by: Sequence[str], keys: Sequence[str]) -> list[str]:
    # A call of no task is one that has planned.
    none = [_PLANNING if name == "task" else _NOBODY for name in by]
    return [line(key, cut_at=120) or word for key, word in zip(keys, none, strict=True)]


def _numbers(usage: UsageSum) -> tuple[str, ...]:
    counted = (usage.calls, usage.spared, usage.input_tokens, usage.output_tokens)
    return (*(f"{each:,}" for each in counted), cost_of_group(usage))
