"""What exceptions say of being asked too much."""

from __future__ import annotations

import time
import urllib.error
from email.message import Message
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import pytest

from hypernb.engine._refusals import refusal_of
from hypernb.errors import TooManyRequestsError
from hypernb.model import Refusal

HELD = ("the-service",)


class ApiError(Exception):
    """As of openai and httpx."""

    def __init__(self, status: int, headers: Any) -> None:
        super().__init__("no")
        self.response = SimpleNamespace(status_code=status, headers=headers)


def by_urllib(code: int, after: str = "") -> urllib.error.HTTPError:
    headers = Message()
    if after:
        headers["Retry-After"] = after
    return urllib.error.HTTPError("http://x", code, "no", headers, None)


@pytest.mark.parametrize(
    ("told", "after_s"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("999999999", 86_400.0),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
    ],
)
def test_seconds_are_read_as_they_were_told(told: str, after_s: float | None) -> None:
    known = Refusal(retry_after_s=after_s)
    assert refusal_of(ApiError(429, {"Retry-After": told}), HELD) == known
    assert refusal_of(ApiError(429, {"RETRY-AFTER": told}), HELD) == known
    assert refusal_of(by_urllib(429, told), HELD) == known


def test_dates_are_read_as_seconds_from_now() -> None:
    refusal = refusal_of(by_urllib(429, formatdate(time.time() + 60, usegmt=True)), HELD)
    assert refusal is not None
    assert refusal.retry_after_s == pytest.approx(60, abs=3)
    past = refusal_of(by_urllib(429, formatdate(time.time() - 60, usegmt=True)), HELD)
    assert past == Refusal()


@pytest.mark.parametrize(
    "error",
    [
        ApiError(500, {}),
        ApiError(200, {}),
        ValueError(429),
        SystemExit(429),
        by_urllib(503, "3"),
    ],
)
def test_other_errors_are_no_refusals(error: BaseException) -> None:
    assert refusal_of(error, HELD) is None


def test_status_says_nothing_where_nothing_is_shared() -> None:
    assert refusal_of(ApiError(429, {}), ()) is None
    assert refusal_of(ApiError(429, {}), HELD, repeatable=False) is None


def test_attributes_that_fail_say_nothing() -> None:
    class OddError(Exception):
        @property
        def response(self) -> object:
            raise RuntimeError("not now")

    assert refusal_of(OddError(), HELD) is None


@pytest.mark.parametrize(
    ("told", "after_s"),
    [(3, 3.0), ("30", 30.0), (None, None), (float("nan"), None), (-1, None), (10**400, None)],
)
def test_own_error_takes_what_can_be_waited(told: Any, after_s: float | None) -> None:
    error = TooManyRequestsError("the-service", retry_after_s=told)
    assert refusal_of(error, (), repeatable=False) == Refusal(HELD, after_s)
    assert refusal_of(TooManyRequestsError(), HELD) == Refusal()
