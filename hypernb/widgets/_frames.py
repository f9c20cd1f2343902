"""Tables of what Python holds in rows: DataFrames, Series, lists of dictionaries."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, Final

from hypernb.views import line, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

Shown = dict[str, Any]

ROWS_AT_MOST: Final = 200
COLUMNS_AT_MOST: Final = 50
CELL_CUT_AT: Final = 300
_SIGNS_AT_MOST: Final = 1_000_000
_DIGITS: Final = 6
_LARGE: Final = 10**15


def is_frame(value: Any) -> bool:
    """Tell whether it is a DataFrame, without importing pandas for the question."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def is_series(value: Any) -> bool:
    """Tell whether it is a Series."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.Series)


def frame(value: Any) -> tuple[str, Shown]:
    """Describe a DataFrame or a Series, and show its first rows with their index."""
    if is_series(value):
        name = "value" if value.name is None else value.name
        return _series_is(value), _table(value.to_frame(name=name))
    rows, columns = value.shape
    what = f"DataFrame, {words.count(rows, 'row')}, {words.count(columns, 'column')}"
    return what, _table(value)


def _series_is(value: pd.Series[Any]) -> str:
    return f"Series, {words.count(len(value), 'value')}"


def _table(value: pd.DataFrame) -> Shown:
    part = value.iloc[:ROWS_AT_MOST, :COLUMNS_AT_MOST]
    columns = [part.iloc[:, place] for place in range(part.shape[1])]
    heads = [
        {"name": _name(name), "kind": _dtype_kind(column)}
        for name, column in zip(part.columns, columns, strict=True)
    ]
    cells = [[cell(each) for each in column] for column in columns]
    rows = (
        [list(row) for row in zip(*cells, strict=True)] if cells else [[] for _ in part.index]
    )
    return _cut(heads, [_name(each) for each in part.index], rows, value.shape)


def rows_table(value: Any) -> Shown | None:
    """Show a list of flat dictionaries as a table; None if it is none."""
    if not isinstance(value, list) or not value or not all(map(_is_flat, value)):
        return None
    names = list(dict.fromkeys(key for each in value[:ROWS_AT_MOST] for key in each))
    shown = names[:COLUMNS_AT_MOST]
    heads = [{"name": _name(name), "kind": _kind_of(value, name)} for name in shown]
    rows = [[cell(each.get(name)) for name in shown] for each in value[:ROWS_AT_MOST]]
    return _cut(heads, [], rows, (len(value), len(names)))


def _is_flat(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and bool(row)
        and all(not isinstance(each, dict | list | tuple) for each in row.values())
    )


def _cut(
    heads: list[dict[str, str]],
    index: list[str],
    rows: list[list[str]],
    shape: tuple[int, int],
) -> Shown:
    """Leave out rows at the end that a page could not hold, and say what is left out."""
    room, fits = _SIGNS_AT_MOST, 0
    for row in rows:
        room -= sum(map(len, row))
        if room < 0 and fits:
            break
        fits += 1
    total, columns = shape
    said = []
    if fits < total:
        said.append(f"The first {fits:,} of {words.count(total, 'row')} are shown.")
    if len(heads) < columns:
        said.append(f"The first {len(heads):,} of {words.count(columns, 'column')} are shown.")
    return {
        "kind": "table",
        "columns": heads,
        "index": index[:fits],
        "rows": rows[:fits],
        "total": total,
        "note": " ".join(said),
    }


def _dtype_kind(column: pd.Series[Any]) -> str:
    import pandas as pd

    if pd.api.types.is_bool_dtype(column.dtype):
        return "boolean"
    if pd.api.types.is_numeric_dtype(column.dtype):
        return "number"
    return "time" if pd.api.types.is_datetime64_any_dtype(column.dtype) else "text"


def _kind_of(rows: Sequence[dict[Any, Any]], name: Any) -> str:
    found = [value for row in rows[:50] if (value := row.get(name)) is not None]
    if found and all(isinstance(each, bool) for each in found):
        return "boolean"
    numbers = all(isinstance(e, int | float) and not isinstance(e, bool) for e in found)
    return "number" if found and numbers else "text"


def cell(value: Any) -> str:
    """Write one value on one line.

    Example:
        >>> cell(None), cell(3.0), cell(1 / 3), cell(True), cell(" a  b ")
        ('–', '3', '0.333333', 'yes', 'a b')
    """
    if value is None or _is_missing(value):
        return "–"
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number(float(value))
    try:
        return line(value, cut_at=CELL_CUT_AT)
    except Exception:  # noqa: BLE001  one odd cell must not take the table along
        return f"({type(value).__name__} that cannot be written)"


def _number(value: float) -> str:
    whole = math.isfinite(value) and value.is_integer() and abs(value) < _LARGE
    return f"{value:.0f}" if whole else f"{value:.{_DIGITS}g}"


def _is_missing(value: Any) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    return type(value).__name__ in ("NaTType", "NAType")


def _name(name: Any) -> str:
    if isinstance(name, tuple):
        return " / ".join(_names(name))
    return cell(name)


def _names(parts: Iterable[Any]) -> list[str]:
    return [cell(each) for each in parts]
