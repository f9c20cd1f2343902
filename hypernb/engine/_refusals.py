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
_RETRY_AFTER: Final = "retry-after"
_LONGEST_S: Final = 24 * 3600.0


def refusal_of(
    error: BaseException, resources: Sequence[str], *, repeatable: bool = True
) -> Refusal | None:
    """Return what an exception says of being asked too much; None if it says nothing of that.

    Of a task that names resources, the exceptions of HTTP clients count too: those with the
    status 429 (RFC 6585), and their ``Retry-After`` (RFC 9110). Not if it is not safe to
    repeat: it may have done part of its work, and did not say that it had not.

    Args:
        resources: What the task holds.
        repeatable: It is safe to begin it anew.
    """
    if isinstance(error, TooManyRequestsError):
        named = (error.resource,) if error.resource else ()
        return Refusal(named, sound(error.retry_after_s))
    if not resources or not repeatable or not isinstance(error, Exception):
        return None
    try:
        return _of_http(error)
    except Exception:  # noqa: BLE001 - its attributes are anybody's code
        return None


def _of_http(error: Any) -> Refusal | None:
    # Of openai and httpx, of httpx and requests, and of urllib.
    response = getattr(error, "response", error)
    headers = getattr(response, "headers", None)
    statuses = [getattr(each, "status_code", None) for each in (error, response)]
    if headers is not None:
        statuses.append(getattr(error, "code", None))
    if _TOO_MANY not in statuses:
        return None
    after = [value for name, value in (headers or {}).items() if name.lower() == _RETRY_AFTER]
    return Refusal(retry_after_s=_seconds(after[0] if after else None))


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
    if not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
        return None
    return min(float(seconds), _LONGEST_S)
