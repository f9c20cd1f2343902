"""Writes single values on a line: those whose text is known to be harmless, and no others."""

from __future__ import annotations

import datetime as dt
import decimal
import fractions
import math
import pathlib
import sys
import uuid
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

CELL_AT_MOST: Final = 200
_DEPTH: Final = 3
_ITEMS: Final = 10
_BITS_AT_MOST: Final = 256
_AS_TEXT: Final = frozenset(
    {
        dt.date,
        dt.datetime,
        dt.time,
        dt.timedelta,
        decimal.Decimal,
        fractions.Fraction,
        pathlib.PosixPath,
        pathlib.WindowsPath,
        uuid.UUID,
    }
)


def type_name(value: Any) -> str:
    """Return the name of a value's type with its module; no code of the type runs.

    Example:
        >>> type_name(3), type_name(dt.date(2026, 1, 1))
        ('int', 'datetime.date')
    """
    kind = type(value)
    # A class can have attributes of these names that are anything.
    module = type.__getattribute__(kind, "__module__")
    name = type.__getattribute__(kind, "__qualname__")
    module = module if type(module) is str else ""
    return str(name)[:200] if module in ("builtins", "") else f"{module}.{name}"[:200]


def plainly(value: Any, limit: int = CELL_AT_MOST, depth: int = _DEPTH) -> str:
    """Return a value as one line, never longer than the limit by more than a few words.

    Example:
        >>> plainly({"a": [1, 2.5, None]}), plainly(object())
        ("{'a': [1, 2.5, None]}", '<object>')
    """
    kind = type(value)
    write = _WRITERS.get(kind)
    if write is not None:
        return write(value)
    if kind is str or kind in _AS_TEXT:
        return _one_line(str(value), limit)
    if kind in (list, tuple, dict, set, frozenset):
        return _several(value, limit, depth)
    return _of_a_library(value, limit)


def real(value: float) -> str:
    """Return a number in six digits, which are enough to know it and too few to be an id.

    Example:
        >>> real(1234567890.5), real(0.1), real(3.0)
        ('1.23457e+09', '0.1', '3')
    """
    return f"{value:.6g}" if math.isfinite(value) else str(value)


def _whole(value: int) -> str:
    if value.bit_length() > _BITS_AT_MOST:
        return f"<int of {value.bit_length():,} bits>"
    return str(value)


def _one_line(text: str, limit: int) -> str:
    part = text[: limit + 1]
    line = "".join(ch if ch.isprintable() else " " for ch in part)
    return line if len(text) <= limit else f"{line[:limit]}…"


def _several(value: Any, limit: int, depth: int) -> str:
    kind = type(value).__name__
    if depth <= 0:
        return f"<{kind} of {len(value):,}>"
    inner = max(20, limit // 2)
    if type(value) is dict:
        pairs = list(islice(value.items(), _ITEMS))
        items = [
            f"{_quoted(key, inner, depth)}: {_quoted(held, inner, depth)}"
            for key, held in pairs
        ]
        opened, closed = "{", "}"
    else:
        # The order of a set is another in each process.
        items = [_quoted(each, inner, depth) for each in islice(value, _ITEMS)]
        if type(value) in (set, frozenset):
            items = (
                sorted(_quoted(each, inner, depth) for each in value)
                if len(value) <= _ITEMS
                else []
            )
        brackets = {"list": "[]", "tuple": "()"}.get(kind, "{}")
        opened, closed = brackets[0], brackets[1]
    more = len(value) - len(items)
    rest = [f"… {more:,} more"] if more > 0 else []
    return _one_line(f"{opened}{', '.join([*items, *rest])}{closed}", limit)


def _quoted(value: Any, limit: int, depth: int) -> str:
    if type(value) is str:
        return repr(_one_line(value, limit))
    return plainly(value, limit, depth - 1)


def _of_a_library(value: Any, limit: int) -> str:
    numpy = sys.modules.get("numpy")
    pandas = sys.modules.get("pandas")
    kind = type(value)
    if numpy is not None and issubclass(kind, numpy.generic) and kind.__module__ == "numpy":
        if issubclass(kind, (numpy.datetime64, numpy.timedelta64)):
            return str(value)
        made = value.item()
        return (
            plainly(made, limit)
            if type(made) in (str, int, float, bool)
            else f"<{kind.__name__}>"
        )
    if pandas is not None and kind in (
        pandas.Timestamp,
        pandas.Timedelta,
        pandas.Period,
        pandas.Interval,
        type(pandas.NaT),
        type(pandas.NA),
    ):
        return _one_line(str(value), limit)
    return f"<{type_name(value)}>"


_WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    bool: str,
    bytearray: lambda value: f"<{len(value):,} bytes>",
    bytes: lambda value: f"<{len(value):,} bytes>",
    float: real,
    int: _whole,
    type(None): str,
}
