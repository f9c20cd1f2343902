"""Too many requests: what the exception of a task says of the resources it asked."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import TooManyRequestsError
from hypernb.model import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOO_MANY: Final = 429
_LONGEST_S: Final = 24 * 3600.0


def refusal_of(error: BaseException, resources: Sequence[str]) -> Refusal | None:
    """Return what an exception says of being asked too much; None if it says nothing of that.

    Of a task that names resources, the exceptions of HTTP clients count too: those with the
    status 429 (RFC 6585), and their ``Retry-After`` (RFC 9110).

    Args:
        resources: What the task holds.
    """
    if isinstance(error, TooManyRequestsError):
        named = (error.resource,) if error.resource in resources else ()
        return Refusal(named, sound(error.retry_after_s))
    if not resources:
        return None
    try:
        return _of_http(error)
    except Exception:  # noqa: BLE001 - its attributes are anybody's code
        return None


def _of_http(error: Any) -> Refusal | None:
    # Of openai and httpx, of httpx and requests, and of urllib.
    response = getattr(error, "response", error)
    statuses = [getattr(each, "status_code", None) for each in (error, response)]
    if _TOO_MANY not in (*statuses, getattr(error, "code", None)):
        return None
    headers = getattr(response, "headers", None) or {}
    return Refusal(retry_after_s=_seconds(headers.get("retry-after")))


def _seconds(text: Any) -> float | None:
    """Read a ``Retry-After``: seconds, or a date."""
    if not isinstance(text, str):
        return None
    try:
        return sound(float(text))
    except ValueError:
        pass
    try:
        return sound(parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def sound(seconds: Any) -> float | None:
    """Return a number of seconds that can be waited; None if it has no meaning."""
    if not isinstance(seconds, int | float) or not seconds >= 0:
        return None
    return min(float(seconds), _LONGEST_S)
