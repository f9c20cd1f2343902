"""Pictures of a frame: its columns, what is missing, and what goes together."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.errors import ToolAbsentError, ToolError
from hypernb.tools._profile import SAMPLE_ROWS, Look, ProfileTool, numbers, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hypernb.abc import ToolContext
    from hypernb.model import ToolRun
    from hypernb.tools._profile import Column, Table

_PANELS_AT_MOST: Final = 12
_ACROSS: Final = 4
_BARS_AT_MOST: Final = 10
_HEAT_AT_MOST: Final = 30
_BINS: Final = 30
_LABEL_AT_MOST: Final = 24
_BLUE: Final = "#1f6fb2"
_GREY: Final = "#8a8a8a"


class PlotsTool(ProfileTool):
    """Draws the columns, what is missing, and correlations, as PNG files."""

    name: ClassVar[str] = "profile-plots"
    title: ClassVar[str] = "Plots"
    category: ClassVar[str] = "plots"
    settings: ClassVar[str] = (
        "with matplotlib: the first 12 columns, missing values, correlations; a sample above "
        f"{SAMPLE_ROWS:,} rows"
    )

    def run(self, context: ToolContext) -> ToolRun:
        """Draw.

        Raises:
            ToolAbsentError: matplotlib is not installed.
            ToolError: There is no place to leave files.
        """
        try:
            import matplotlib
        except ImportError:
            hint = 'pip install "hypernb[data]" installs matplotlib.'
            raise ToolAbsentError(self.name, hint=hint) from None
        if context.outbox is None:
            raise ToolError(self.name, "there is no folder to leave pictures in")
        drawn = super().run(context)
        version = f"matplotlib {matplotlib.__version__}"
        return drawn.model_copy(update={"version": version})

    def look(self, table: Table, context: ToolContext) -> Look:
        """Draw one frame."""
        assert context.outbox is not None  # noqa: S101 - `run` has made sure
        sample = table.sample()
        look = Look()
        if len(sample.frame) < len(table.frame):
            look.notes.append(f"drawn from {SAMPLE_ROWS:,} of {len(table.frame):,} rows")
        stem = re.sub(r"\W+", "-", table.name).strip("-") or "frame"
        files: list[str] = []
        with warnings.catch_warnings():
            # A label in a script that the font lacks is drawn as boxes, and warned of.
            warnings.simplefilter("ignore")
            for kind, figure in (
                ("columns", _columns(sample)),
                ("missing", _missing(table)),
                ("correlations", _correlations(sample)),
            ):
                if figure is not None:
                    _save(figure, context.outbox / f"{stem}-{kind}.png")
                    files.append(f"{stem}-{kind}.png")
        look.facts["files"] = files
        return look


def _figure(width: float, height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Any, path: Path) -> None:
    # Without the program's version in it, the same data gives the same bytes.
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _plain(text: str) -> str:
    return shortened(text, _LABEL_AT_MOST).replace("$", r"\$").replace("\n", " ")


def _columns(table: Table) -> Any:
    shown = [each for each in table.columns if len(each.present)][:_PANELS_AT_MOST]
    if not shown:
        return None
    down = -(-len(shown) // _ACROSS)
    figure = _figure(3.0 * min(len(shown), _ACROSS), 2.4 * down)
    panels = figure.subplots(down, min(len(shown), _ACROSS), squeeze=False).ravel()
    for panel, column in zip(panels, shown, strict=False):
        _panel(panel, column)
    for panel in panels[len(shown) :]:
        panel.set_axis_off()
    return figure


def _panel(panel: Any, column: Column) -> None:
    panel.set_title(_plain(column.label), fontsize=9)
    panel.tick_params(labelsize=7)
    values: Any = numbers(column)[0] if column.kind == "number" else ()
    if len(values) and column.distinct > _BARS_AT_MOST:
        panel.hist(values, bins=_BINS, color=_BLUE)
        return
    if column.values.dtype.kind == "M":
        panel.hist(column.present.to_numpy(), bins=_BINS, color=_BLUE)
        panel.tick_params(axis="x", rotation=30)
        return
    counted = column.keys.value_counts()[:_BARS_AT_MOST][::-1]
    labels = [_plain(str(value)) for value in counted.index]
    places = range(len(labels))
    panel.barh(places, counted.to_numpy(), color=_BLUE)
    panel.set_yticks(places, labels)


def _missing(table: Table) -> Any:
    rows = len(table.frame)
    counts = [(each.label, rows - len(each.present)) for each in table.columns]
    some = [(label, count) for label, count in counts if count][:_HEAT_AT_MOST][::-1]
    if not some:
        return None
    figure = _figure(6.0, 0.8 + 0.28 * len(some))
    panel = figure.subplots()
    places = range(len(some))
    panel.barh(places, [100 * count / rows for _, count in some], color=_GREY)
    panel.set_yticks(places, [_plain(label) for label, _ in some], fontsize=8)
    panel.set_xlim(0, 100)
    panel.set_xlabel("missing, %", fontsize=8)
    return figure


def _correlations(table: Table) -> Any:
    columns = [each for each in table.of_kind("number") if each.distinct > 1]
    columns = columns[:_HEAT_AT_MOST]
    if len(columns) < 2:  # noqa: PLR2004 - one column has nothing to go with
        return None
    return _heat(_correlated(columns), [_plain(each.label) for each in columns])


def _correlated(columns: Sequence[Column]) -> Any:
    import numpy as np
    import pandas as pd

    floats: dict[int, Any] = {}
    for place, column in enumerate(columns):
        values, rows = numbers(column)
        floats[place] = np.full(len(column.values), np.nan)
        floats[place][rows] = values
    return pd.DataFrame(floats).corr().to_numpy()


def _heat(values: Any, labels: Sequence[str]) -> Any:
    size = 2.5 + 0.35 * len(labels)
    figure = _figure(size + 0.8, size)
    panel = figure.subplots()
    image = panel.imshow(values, vmin=-1, vmax=1, cmap="RdBu_r")
    places = range(len(labels))
    panel.set_xticks(places, labels, rotation=60, ha="right", fontsize=8)
    panel.set_yticks(places, labels, fontsize=8)
    figure.colorbar(image, ax=panel, shrink=0.8).ax.tick_params(labelsize=7)
    return figure
