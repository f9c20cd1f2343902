"""How large a value is, before it is turned into bytes: what is too large is not copied."""

from __future__ import annotations

import itertools
import os
import sys
from typing import Any, Final

from hypernb.errors import CannotShipError, ConfigError

LIMIT: Final = "HYPERNB_INPUT_MB"
"""The variable that says how large an input may be, in millions of bytes."""

_DEFAULT_MB: Final = 1_000
_MB: Final = 1_000_000
_LOOKED_AT: Final = 1_000_000
_CONTAINERS: Final = frozenset([list, tuple, dict, set, frozenset])


def refuse_too_large(name: str, value: Any, size_bytes: int | None = None) -> None:
    """Refuse an input that is larger than the limit, as far as that can be known.

    Args:
        name: Of the input.
        value: Its size is taken from what holds its data, and of a million items at most.
        size_bytes: Its size as bytes, where it was turned into them already.

    Raises:
        CannotShipError: It is too large.
        ConfigError: The limit is set to something that is no number.
    """
    size = about_bytes(value) if size_bytes is None else size_bytes
    most = _limit_mb() * _MB
    if size <= most:
        return
    raise CannotShipError(
        f"The input {name!r} has about {size / _MB:,.0f} MB, and {most / _MB:,.0f} MB are the "
        "most that is handed in.",
        hint="Hand in a part of it, or the path of its file, or set "
        f"{LIMIT}={-(-size // _MB)} before the kernel starts.",
    )


def about_bytes(value: Any) -> int:
    """Return how many bytes a value takes at least, as far as a million of its items tell.

    Example:
        >>> about_bytes(b"abc"), about_bytes(["ab", {"c": "def"}]), about_bytes(object())
        (3, 6, 0)
    """
    size, looked = 0, 0
    seen: set[int] = set()
    left: list[Any] = [value]
    while left and looked < _LOOKED_AT:
        each = left.pop()
        looked += 1
        if type(each) not in _CONTAINERS:
            size += _own_bytes(each)
        elif id(each) not in seen:
            seen.add(id(each))
            more = itertools.chain(each, each.values()) if type(each) is dict else each
            left += itertools.islice(more, _LOOKED_AT - looked)
    return size


def _own_bytes(value: Any) -> int:
    kind = type(value)
    if kind in (bytes, bytearray, str):
        return len(value)
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    if numpy is not None and issubclass(kind, numpy.ndarray):
        return int(value.nbytes)
    if pandas is not None and issubclass(kind, pandas.DataFrame):
        return int(value.memory_usage(deep=False).sum())
    if pandas is not None and issubclass(kind, pandas.Series):
        return int(value.memory_usage(deep=False))
    return 0


def _limit_mb() -> float:
    text = os.environ.get(LIMIT, "").strip()
    if not text:
        return _DEFAULT_MB
    try:
        limit = float(text)
    except ValueError:
        limit = 0.0
    if not limit > 0:
        raise ConfigError(f"{LIMIT} is {text[:80]!r}.", hint="It is a number of MB above 0.")
    return limit
