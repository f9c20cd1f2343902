"""What was used and paid in a store, in groups: a table, a frame, a plot."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import ToolAbsentError, UsageError
from hypernb.model import UsageSum

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from hypernb.session._session import Session

_BARS_AT_MOST: Final = 30
_INCH_A_BAR: Final = 0.3
_LEAST_INCHES: Final = 2.0
_WIDE_INCHES: Final = 7.0
_LABEL_AT_MOST: Final = 40
_BAR_CHARS: Final = 24


@dataclass(frozen=True)
class UsageTable:
    """What was used and paid, in groups, dearest first.

    Attributes:
        by: What the groups have in common.
        rows: The groups.
    """

    by: tuple[str, ...]
    rows: tuple[UsageSum, ...]

    @property
    def total(self) -> UsageSum:
        """All groups together: the sum of the calls and payments that are in the store."""
        return UsageSum(
            (),
            calls=sum(each.calls for each in self.rows),
            spared=sum(each.spared for each in self.rows),
            input_tokens=sum(each.input_tokens for each in self.rows),
            output_tokens=sum(each.output_tokens for each in self.rows),
            cost=sum(each.cost for each in self.rows),
            unknown=sum(each.unknown for each in self.rows),
            at_most=sum(each.at_most for each in self.rows),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the groups as a DataFrame; a cost of which nothing is known is missing."""
        import pandas as pd

        tokens = ("input_tokens", "output_tokens")
        names = ("calls", "spared", *tokens, "cost", "unknown", "at_most")
        rows = [
            dict(zip(self.by, each.keys, strict=True))
            | {name: getattr(each, name) for name in names}
            | ({"cost": None} if each.unknown and not each.cost else {})
            for each in self.rows
        ]
        frame = pd.DataFrame(rows, columns=[*self.by, *names])
        return frame.astype({"cost": float})

    def plot(self) -> UsagePlot:
        """Draw what each group has cost or, if nothing is known of that, its tokens.

        Raises:
            ToolAbsentError: matplotlib is not installed.
        """
        return UsagePlot(_drawn(self), _bars(self))

    def __repr__(self) -> str:
        from hypernb.views import usage_text

        return usage_text(self.by, self.rows, self.total)

    def _repr_html_(self) -> str:
        from hypernb.views import usage_html

        return usage_html(self.by, self.rows, self.total)


@dataclass(frozen=True, repr=False)
class UsagePlot:
    """A plot, shown by a notebook whatever its settings for plots are, and by a terminal.

    Attributes:
        figure: The figure, to change or to save.
        text: The same as bars of text.
    """

    figure: Any
    text: str = ""

    def __repr__(self) -> str:
        return self.text or f"UsagePlot({self.figure!r})"

    def _repr_png_(self) -> bytes:
        written = io.BytesIO()
        self.figure.savefig(written, format="png", bbox_inches="tight")
        return written.getvalue()


def usage(
    session: Session, by: Sequence[str] | str, *, mission: str, days: float | None
) -> UsageTable:
    """Sum up; see `Session.usage`."""
    if days is not None and not days > 0:
        raise UsageError(
            f"There is no usage of the last {days:g} days.", hint="Give a number above 0."
        )
    groups = (by,) if isinstance(by, str) else tuple(by)
    chosen = session.store.mission(mission).id if mission else None
    rows = session.store.usage_sums(groups, mission_id=chosen, days=days)
    return UsageTable(groups, tuple(rows))


def _drawn(table: UsageTable) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        hint = 'pip install "hypernb[data]" installs it.'
        raise ToolAbsentError("matplotlib", hint=hint) from None
    shown = table.rows[:_BARS_AT_MOST][::-1]
    lengths, unit = _lengths(shown)
    tall = max(_LEAST_INCHES, _INCH_A_BAR * len(shown) + 1)
    figure = Figure(figsize=(_WIDE_INCHES, tall))
    axes = figure.add_subplot()
    axes.barh(range(len(shown)), [float(each) for each in lengths])
    axes.set_yticks(range(len(shown)), [_label(each) for each in shown], parse_math=False)
    axes.set_xlabel(unit)
    axes.set_title(f"Usage by {' and '.join(table.by)}")
    return figure


def _lengths(shown: Sequence[UsageSum]) -> tuple[list[float], str]:
    """Return what each has cost or, if nothing is known of that, its tokens; and the unit."""
    if any(each.cost for each in shown):
        return [float(each.cost) for each in shown], "dollars"
    return [float(each.input_tokens + each.output_tokens) for each in shown], "tokens"


def _bars(table: UsageTable) -> str:
    from hypernb.views import cost_of_group, labelled

    shown = table.rows[:_BARS_AT_MOST]
    lengths, unit = _lengths(shown)
    longest = max(lengths, default=0.0) or 1.0
    rows = []
    for each, length in zip(shown, lengths, strict=True):
        said = cost_of_group(each) if unit == "dollars" else f"{length:,.0f}"
        bar = "█" * round(_BAR_CHARS * length / longest)
        rows.append((_label(each), f"{bar} {said}".strip()))
    return f"Usage by {' and '.join(table.by)}, in {unit}\n{labelled(rows)}"


def _label(usage: UsageSum) -> str:
    from hypernb.views import line

    return line(" · ".join(key or "–" for key in usage.keys), cut_at=_LABEL_AT_MOST)
