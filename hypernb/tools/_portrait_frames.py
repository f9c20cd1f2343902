"""Looks at frames, series and arrays: of large ones at rows that are evenly spread."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from hypernb.redact import COVERED, SECRET, redact
from hypernb.tools._places import (
    Portrait,
    evenly,
    in_blocks,
    is_secret_name,
    rest_untold,
    seed_of,
    seeded,
)
from hypernb.tools._plainly import plainly, real, type_name
from hypernb.tools._profile import Column, kind_of, numbers, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd

    from hypernb.model import Grant

ROWS_LOOKED_AT: Final = 100_000
"""Statistics of a larger frame are those of so many of its rows, evenly spread."""

_CELLS_LOOKED_AT: Final = 5_000_000
_COLUMNS_AT_MOST: Final = 100
_ALL_ROWS: Final = 20_000
_SEEDING_ROWS: Final = 20
_TOP: Final = 3
_TOP_AT_MOST: Final = 60
_ARRAY_ROW: Final = 20
_NAMING: Final = frozenset(
    ["k", "key", "name", "variable", "setting", "option", "param", "parameter", "field", "env"]
)
_VALUED: Final = frozenset(["v", "val", "value", "values", "content"])
"""Names of columns that give names of things, and what these things are."""
_INSIDE: Final = re.compile(r"<.*>", re.DOTALL)
_UNIT: Final = re.compile(r"(?<=64)\[(?:s|ms|us|ns)\]|(?<=64\[)(?:s|ms|us|ns), ")


def frame_portrait(frame: pd.DataFrame, grant: Grant) -> Portrait:
    """Say what may be seen of a frame; columns after the first hundred are counted."""
    rows, width = frame.shape
    part = frame.iloc[:, :_COLUMNS_AT_MOST]
    labels = [plainly(label) for label in part.columns]
    looked = _looked_at(part)
    columns = [
        Column(label, looked.iloc[:, place], kind_of(looked.iloc[:, place]))
        for place, label in enumerate(labels)
    ]
    is_secret = [grant.redact and is_secret_name(label) for label in labels]
    more = [f"… {width - len(labels):,} more columns"] if width > len(labels) else []
    parts = {
        "schema": "\n".join([*map(_schema, columns), *more]),
        "statistics": "\n".join(
            [
                *_spread(len(looked), rows),
                *(
                    _statistics(column, is_secret=secret, shows_values=grant.see != "schema")
                    for column, secret in zip(columns, is_secret, strict=True)
                ),
            ]
        ),
    }
    covered = sum(is_secret)
    if grant.see != "schema":
        places = _places(part, labels, grant)
        title = "all" if grant.see == "all" else "sample"
        parts[title], others = _table(part, labels, places, is_secret, redacts=grant.redact)
        if grant.see == "all":
            parts[title] += rest_untold(rows, len(places), "rows").lstrip("\n")
        elif len(places) < rows:
            parts[title] += f"({len(places):,} of {rows:,} rows)"
        covered = sum(is_secret) * len(places) + others
    return Portrait(
        type_name(frame).rpartition(".")[2],
        f"{_short(frame)} of {rows:,} rows and {width:,} columns",
        (rows, width),
        parts,
        {"secret": covered} if covered else {},
        tuple(labels),
    )


def series_portrait(series: pd.Series[Any], grant: Grant) -> Portrait:
    """Say what may be seen of a series: as of a frame with one column."""
    name = "values" if series.name is None else series.name
    portrait = frame_portrait(series.to_frame(name), grant)
    return Portrait(
        _short(series),
        f"{_short(series)} of {len(series):,} values",
        (len(series),),
        portrait.parts,
        portrait.covered,
        portrait.columns,
    )


def array_portrait(array: np.ndarray[Any, Any], grant: Grant) -> Portrait:
    """Say what may be seen of an array."""
    shape = " × ".join(f"{each:,}" for each in array.shape) or "no dimension"
    words = f"{_short(array)} of {shape}, {array.dtype}"
    parts = {"schema": f"dtype {array.dtype}, shape {tuple(array.shape)}"}
    looked = _values_looked_at(array)
    if said := _array_statistics(looked):
        spread = _spread(looked.size, array.size, "values")
        parts["statistics"] = "\n".join([*spread, said])
    found = 0
    if grant.see != "schema" and array.size:
        rows = array.reshape(1) if array.ndim == 0 else array
        most = _ALL_ROWS if grant.see == "all" else grant.rows
        seed = seed_of([shape, *(_row(rows[each]) for each in evenly(len(rows), 20))])
        places = (
            seeded(len(rows), most, seed) if grant.see != "all" else range(min(len(rows), most))
        )
        width = 1_000 if grant.see == "all" else _ARRAY_ROW
        title = "all" if grant.see == "all" else "sample"
        shown = [f"[{each}] {_row(rows[each], width, redacts=grant.redact)}" for each in places]
        parts[title] = "\n".join(shown)
        found = parts[title].count(COVERED)
        if grant.see == "all":
            parts[title] += rest_untold(len(rows), len(places), "rows")
    covered = {SECRET: found} if found else {}
    return Portrait(_short(array), words, tuple(array.shape), parts, covered)


def _short(value: Any) -> str:
    return type_name(value).rpartition(".")[2]


def _looked_at(frame: pd.DataFrame) -> pd.DataFrame:
    rows, width = frame.shape
    most = min(ROWS_LOOKED_AT, max(1_000, _CELLS_LOOKED_AT // max(1, width)))
    return frame if rows <= most else frame.iloc[list(in_blocks(rows, most))]


def _spread(looked: int, length: int, what: str = "rows") -> list[str]:
    return [f"(of {looked:,} {what}, in blocks evenly spread)"] if looked < length else []


def _schema(column: Column) -> str:
    missing = len(column.values) - len(column.present)
    said = f", {share(missing, len(column.values))} missing" if missing else ""
    # Not `label: dtype`, which reads like a secret where the label is `token`.
    return f"{column.label} ({_dtype(column)}{said})"


def _dtype(column: Column) -> str:
    """Return a column's dtype by the name that it has with every pandas.

    Text is ``object`` or ``str``, and times have other units, with one or another: what was
    told of the same data would differ, and no recorded answer would be found again.
    """
    dtype = _dtype_name(column.values.dtype)
    if column.kind == "text" and (dtype in ("object", "str") or dtype.startswith("string")):
        return "text"
    return _UNIT.sub("", dtype)


def _dtype_name(dtype: Any) -> str:
    """Return the name of a dtype without what it holds: a value, or names inside of one.

    A sparse one has the value that is left out, one of Arrow the names of a struct's fields;
    what a library adds to pandas may say anything.
    """
    kind = type(dtype)
    if kind.__name__ == "SparseDtype":
        return f"Sparse[{_dtype_name(dtype.subtype)}]"
    if kind.__module__.partition(".")[0] not in ("pandas", "numpy"):
        return _short(dtype)
    return _INSIDE.sub("", str(dtype))


def _statistics(column: Column, *, is_secret: bool, shows_values: bool) -> str:
    if not len(column.present):
        return f"{column.label}: no values"
    if is_secret:
        return f"{column.label}: {COVERED}"
    often = _often(column) if shows_values and column.kind == "text" else ""
    return f"{column.label}: {_SAID[column.kind](column)}{often}"


def _of_numbers(column: Column) -> str:
    import numpy as np

    floats, _ = numbers(column)
    if not len(floats):
        return "no finite values"
    with np.errstate(all="ignore"):
        low, quarter, middle, three, high = np.quantile(floats, [0, 0.25, 0.5, 0.75, 1])
        mean, deviation = float(floats.mean()), float(floats.std())
    return (
        f"min {real(low)}, 25 % {real(quarter)}, median {real(middle)}, 75 % {real(three)}, "
        f"max {real(high)}, mean {real(mean)}, standard deviation {real(deviation)}, "
        f"{column.distinct:,} distinct"
    )


def _of_booleans(column: Column) -> str:
    true = int(column.present.astype(bool).sum())
    return f"true {true:,}, false {len(column.present) - true:,}"


def _of_times(column: Column) -> str:
    present = column.present
    try:
        return f"from {plainly(present.min())} to {plainly(present.max())}"
    except TypeError:
        return f"{column.distinct:,} distinct"


def _of_texts(column: Column) -> str:
    counts = _counts(column)
    lengths = [len(each) for each in counts]
    said = f"{len(counts):,} distinct"
    if lengths:
        said += f", {min(lengths):,} to {max(lengths):,} characters"
    return said


def _often(column: Column) -> str:
    """Say which texts come more than once: cells, so they need a grant of some."""
    counts = _counts(column)
    often = sorted(
        (each for each in counts.items() if each[1] > 1), key=lambda each: (-each[1], each[0])
    )
    top = [f"{plainly(each, _TOP_AT_MOST)!r} ({times:,})" for each, times in often[:_TOP]]
    return f", most often {', '.join(top)}" if top else ""


def _counts(column: Column) -> dict[str, int]:
    return Counter(each for each in column.present.tolist() if type(each) is str)


def _of_others(column: Column) -> str:
    counts: dict[str, int] = {}
    for each in column.present.tolist():
        kind = type_name(each)
        counts[kind] = counts.get(kind, 0) + 1
    most = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:5]
    return ", ".join(f"{kind} ({times:,})" for kind, times in most)


_SAID: Final = {
    "bool": _of_booleans,
    "number": _of_numbers,
    "other": _of_others,
    "text": _of_texts,
    "time": _of_times,
}


def _places(frame: pd.DataFrame, labels: Sequence[str], grant: Grant) -> Sequence[int]:
    rows = len(frame)
    if grant.see == "all":
        return range(min(rows, _ALL_ROWS))
    looked = frame.iloc[list(evenly(rows, _SEEDING_ROWS))]
    cells = [
        plainly(cell)
        for place in range(looked.shape[1])
        for cell in looked.iloc[:, place].tolist()
    ]
    return seeded(rows, grant.rows, seed_of([str(rows), *labels, *cells]))


def _table(
    frame: pd.DataFrame,
    labels: Sequence[str],
    places: Sequence[int],
    is_secret: Sequence[bool],
    *,
    redacts: bool,
) -> tuple[str, int]:
    """Return rows as CSV, and how many cells besides the secret columns are covered up."""
    import pandas as pd

    chosen = frame.iloc[list(places)]
    cells = [
        [COVERED] * len(chosen) if secret else [plainly(cell) for cell in _cells(chosen, place)]
        for place, secret in enumerate(is_secret)
    ]
    header, covered = list(labels), 0
    if not isinstance(frame.index, pd.RangeIndex):
        names, levels = _levels(chosen.index, redacts=redacts)
        covered = sum(each.count(COVERED) for each in levels)
        covered += _covered_rows(levels, cells) if redacts else 0
        header, cells = [*names, *header], [*levels, *cells]
    covered += _covered_pairs(header, cells) + _covered_quoted(cells) if redacts else 0
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(zip(*cells, strict=True))
    return sink.getvalue(), covered


def _levels(index: pd.Index[Any], *, redacts: bool) -> tuple[list[str], list[list[str]]]:
    """Return the names of an index, and its cells: those under a secret's name are covered."""
    names, levels = [], []
    for number, label in enumerate(index.names):
        name = "index" if label is None else plainly(label)
        values = index.get_level_values(number).tolist()
        is_covered = redacts and is_secret_name(name)
        names.append(name)
        levels.append([COVERED if is_covered else plainly(each) for each in values])
    return names, levels


def _covered_pairs(header: Sequence[str], cells: Sequence[list[str]]) -> int:
    """Cover up values in rows that give the name of a secret and then its value."""
    covered = 0
    for at in range(len(header) - 1):
        if header[at].lower() not in _NAMING or header[at + 1].lower() not in _VALUED:
            continue
        for row, name in enumerate(cells[at]):
            if is_secret_name(name) and cells[at + 1][row] != COVERED:
                cells[at + 1][row] = COVERED
                covered += 1
    return covered


def _covered_rows(levels: Sequence[Sequence[str]], cells: Sequence[list[str]]) -> int:
    """Cover up the cells of rows that an index calls as a secret."""
    covered = 0
    for row, labels in enumerate(zip(*levels, strict=True)):
        if any(label != COVERED and is_secret_name(label) for label in labels):
            for column in cells:
                covered += column[row] != COVERED
                column[row] = COVERED
    return covered


def _covered_quoted(cells: Sequence[list[str]]) -> int:
    """Cover up secrets in cells with quotes: CSV doubles these, and the rules know one."""
    covered = 0
    for column in cells:
        for row, cell in enumerate(column):
            if '"' in cell:
                told = redact(cell)
                column[row] = told.text
                covered += told.counts.get(SECRET, 0)
    return covered


def _cells(frame: pd.DataFrame, place: int) -> list[Any]:
    return list(frame.iloc[:, place].tolist())


def _values_looked_at(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.size <= ROWS_LOOKED_AT:
        return array.ravel()
    # Through the flat view, so that only those are copied however large the array is.
    return array.flat[list(in_blocks(array.size, ROWS_LOOKED_AT))]


def _array_statistics(looked: np.ndarray[Any, Any]) -> str:
    import numpy as np

    if looked.dtype.kind not in "iufb" or not looked.size:
        return ""
    floats = looked.astype("float64")
    finite = floats[np.isfinite(floats)]
    if not len(finite):
        return "no finite values"
    said = (
        f"min {real(float(finite.min()))}, max {real(float(finite.max()))}, "
        f"mean {real(float(finite.mean()))}, standard deviation {real(float(finite.std()))}"
    )
    lost = len(floats) - len(finite)
    return f"{said}, {share(lost, len(floats))} not finite" if lost else said


def _row(row: Any, width: int = _ARRAY_ROW, *, redacts: bool = False) -> str:
    import numpy as np

    flat = row.reshape(-1)[:width].tolist() if isinstance(row, np.ndarray) else [row]
    more = row.size - len(flat) if isinstance(row, np.ndarray) else 0
    names = [redacts and type(each) is str and is_secret_name(each) for each in [None, *flat]]
    cells = (
        COVERED if named and type(each) is str else plainly(each)
        for named, each in zip(names, flat, strict=False)
    )
    shown = ", ".join(cells)
    return f"{shown}, … {more:,} more" if more > 0 else shown
