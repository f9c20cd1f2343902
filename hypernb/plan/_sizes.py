"""How large a value is, before it is turned into bytes: what is too large is not copied."""

from __future__ import annotations

import os
import sys
from typing import Any, Final

from hypernb.errors import CannotShipError, ConfigError

LIMIT: Final = "HYPERNB_INPUT_MB"
"""The variable that says how large an input may be, in millions of bytes."""

_DEFAULT_MB: Final = 1_000
_MB: Final = 1_000_000


def refuse_too_large(name: str, value: Any, size_bytes: int | None = None) -> None:
    """Refuse an input that is larger than the limit, as far as that can be known.

    Args:
        name: Of the input.
        value: Its size is taken from what holds its data, without looking at all of it.
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
    """Return how many bytes a value takes at least; 0 if that is not known at once.

    Example:
        >>> about_bytes(b"abc"), about_bytes(object())
        (3, 0)
    """
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
