from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import pytest

from hypernb.errors import ToolAbsentError, UnknownMissionError, UnknownNameError, UsageError
from hypernb.model import UsageSum
from hypernb.session import Session, UsageTable

if TYPE_CHECKING:
    from pathlib import Path

TABLE = UsageTable(
    ("model", "agent"),
    (
        UsageSum(("large-1", "qa"), 3, 1, 1200, 30, 0.75, 1),
        UsageSum(("my $x_1$ model", ""), 2, 0, 10, 2, 0.0, 2),
        UsageSum(("small-1", "scribe"), 1, 0, 5, 5, 0.0, 0),
    ),
)


def test_total_is_the_sum_of_the_rows() -> None:
    assert TABLE.total == UsageSum((), 6, 1, 1215, 37, 0.75, 3)


def test_table_says_unknown_and_never_nothing() -> None:
    lines = repr(TABLE).splitlines()
    assert [row.split("  ")[-1].strip() for row in lines[2:6]] == [
        "$0.75 and 1 unknown",
        "unknown",
        "$0.00",
        "$0.75 and 3 unknown",
    ]
    assert lines[5].startswith("all")


def test_html_has_a_line_for_the_sum_and_escapes_names() -> None:
    rows = (UsageSum(("<script>",), 1, unknown=1),)
    html = UsageTable(("model",), rows)._repr_html_()
    assert "&lt;script&gt;" in html
    assert html.count("<b>") == 5
    assert html.count("unknown") == 2


def test_nothing_used_is_said(tmp_path: Path) -> None:
    with Session(tmp_path / "store.db") as session:
        found = session.usage()
        assert repr(found) == "Nothing was called, and nothing was paid."
        assert "nothing was paid" in found._repr_html_()
        assert list(found.to_frame().columns)[:2] == ["model", "calls"]


def test_reserve_of_a_lost_call_is_told_as_a_bound() -> None:
    rows = (UsageSum(("a",), 1, cost=0.05, at_most=1), UsageSum(("b",), 1, 0, 9, 1, 0.02))
    lines = repr(UsageTable(("task",), rows)).splitlines()
    told = [row.split("  ")[-1].strip() for row in lines[2:5]]
    assert told == ["at most $0.05", "$0.02", "at most $0.07"]


@pytest.mark.parametrize("days", [0, -1.0, math.nan])
def test_usage_of_no_days_is_refused(tmp_path: Path, days: float) -> None:
    refused = pytest.raises(UsageError, match=r"Give a number above 0\.")
    with Session(tmp_path / "store.db") as session, refused:
        session.usage(days=days)


def test_groups_and_missions_that_are_not_there_are_named(tmp_path: Path) -> None:
    with Session(tmp_path / "store.db") as session:
        with pytest.raises(UnknownNameError, match="'model'"):
            session.usage(["modl"])
        with pytest.raises(UnknownMissionError):
            session.usage(mission="m-7")


def test_frame_has_no_number_where_no_cost_is_known() -> None:
    costs = TABLE.to_frame()["cost"].to_list()
    assert (costs[0], math.isnan(costs[1]), costs[2]) == (0.75, True, 0.0)


def test_plot_is_a_picture() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    plot = TABLE.plot()
    assert plot._repr_png_().startswith(b"\x89PNG")
    assert [text.get_text() for text in plot.figure.axes[0].get_yticklabels()][-1] == (
        "large-1 · qa"
    )


def test_plot_is_bars_of_text_in_a_terminal() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    first, *bars = repr(TABLE.plot()).splitlines()
    assert first.endswith(", in dollars")
    assert " ".join(bars[0].split()).startswith(f"large-1 · qa {'█' * 24} $0.75")
    assert bars[1].endswith("unknown")
    assert "█" not in bars[1]


def test_plot_without_matplotlib_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ToolAbsentError, match=r"hypernb\[data\]"):
        TABLE.plot()
