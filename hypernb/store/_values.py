"""What crosses the border to the database: times, JSON, and text that any database takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Text
from sqlalchemy.types import TypeDecorator

from hypernb.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

_OPTIONS = orjson.OPT_NON_STR_KEYS
_DEEPEST = 64  # orjson stops at 254; facts about an event are never that deep
_NUL_SIGN = "\N{SYMBOL FOR NULL}"


def utc_now() -> datetime:
    """Return the wall-clock time, aware, UTC; stores take another source in tests."""
    return datetime.now(UTC)  # noqa: TID251 - the one place where a store without a clock gets one


def utc_text(at: datetime) -> str:
    """Write a time so that people can read it and text order is time order.

    Raises:
        ValueError: The time has no zone.

    Example:
        >>> utc_text(datetime(2026, 11, 20, 16, 29, tzinfo=UTC))
        '2026-11-20T16:29:00.000000Z'
    """
    if at.tzinfo is not UTC:
        if at.tzinfo is None:
            raise ValueError(f"A time without a zone cannot be stored: {at!r}")
        at = at.astimezone(UTC)
    return f"{at.isoformat(timespec='microseconds')[:-6]}Z"


def clean(text: str) -> str:
    r"""Return text that every database takes: lone surrogates and NULs made visible.

    File names that are not UTF-8 arrive with lone surrogates, and PostgreSQL refuses NULs.

    Example:
        >>> clean("odd\udcff name")
        'odd\\udcff name'
    """
    if text.isascii():
        return text.replace("\x00", _NUL_SIGN) if "\x00" in text else text
    sound = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return sound.replace("\x00", _NUL_SIGN)


def json_text(value: Any) -> str:
    """Write a value as JSON; what JSON does not know becomes its text."""
    if not value:
        return "{}"
    try:
        return orjson.dumps(value, default=str, option=_OPTIONS).decode()
    except TypeError:  # a lone surrogate, a number beyond 64 bits, a circle
        return orjson.dumps(_plain(value), default=str, option=_OPTIONS).decode()


def _plain(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -(2**63) <= value < 2**64 else str(value)
    if depth > _DEEPEST:
        return clean(repr(value))[:200]
    if isinstance(value, Mapping):
        return {clean(str(key)): _plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each, depth + 1) for each in value]
    return value if isinstance(value, float | bool | None) else clean(str(value))


def plain_json(value: Any) -> str:
    """Write any value as JSON, also an empty one; otherwise as `json_text`.

    Example:
        >>> plain_json(""), plain_json({"a": (1, 2)})
        ('""', '{"a":[1,2]}')
    """
    return json_text([value])[1:-1]


def exact_json(value: Any, what: str) -> str:
    """Write a value as JSON that gives the very same value when it is read.

    Only text is changed that no database takes; see `clean`.

    Args:
        value: JSON values.
        what: What it is, as a sentence begins.

    Raises:
        UsageError: JSON does not have such a value.
    """
    return orjson.dumps(_exact(value, what)).decode()


def _exact(value: Any, what: str, depth: int = 0) -> Any:
    if isinstance(value, str):
        return clean(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**64:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if depth > _DEEPEST:
        raise UsageError(
            f"{what} is nested more than {_DEEPEST} levels deep.", hint="Make it flatter."
        )
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {clean(key): _exact(each, what, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(each, what, depth + 1) for each in value]
    raise UsageError(
        f"{what} holds {clean(repr(value))[:80]}, which JSON does not know.",
        hint="Keep texts, numbers below 64 bits, lists, and objects with texts as keys.",
    )


class UtcText(TypeDecorator[datetime]):
    """An aware time as ISO 8601 text, UTC, with microseconds."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else utc_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        del dialect
        return None if value is None else datetime.fromisoformat(value)


class JsonText(TypeDecorator[Any]):
    """Facts that are never filtered on, as JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        del dialect
        return json_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        del dialect
        return {} if value in (None, "{}") else orjson.loads(value)
