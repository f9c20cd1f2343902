from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernb.store._values import clean, json_text, utc_text

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Two days from either end, so that the zone cannot push a time over it.
FIRST, LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)
TIMES = st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None), timezones=ZONES)


@given(TIMES, TIMES)
def test_order_of_texts_is_order_of_times(one: datetime, other: datetime) -> None:
    assert (utc_text(one) < utc_text(other)) == (one < other)
    assert datetime.fromisoformat(utc_text(one)) == one


def test_time_reads_like_a_time() -> None:
    assert (
        utc_text(datetime(2026, 11, 20, 16, 29, 0, 5, tzinfo=UTC))
        == "2026-11-20T16:29:00.000005Z"
    )


@given(st.text(st.characters(), max_size=40))
def test_cleaned_text_can_be_written_anywhere(text: str) -> None:
    cleaned = clean(text)
    assert "\x00" not in cleaned
    assert clean(cleaned) == cleaned
    cleaned.encode()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_sound_text_is_left_alone(text: str) -> None:
    assert clean(text) == text


FACTS: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters()), FACTS))
def test_any_facts_become_json(facts: dict[str, Any]) -> None:
    assert isinstance(orjson.loads(json_text(facts)), dict)


def test_endless_facts_become_json() -> None:
    circle: dict[str, Any] = {}
    circle["self"] = circle
    assert orjson.loads(json_text(circle))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param({}, "{}", id="nothing"),
        pytest.param(None, "{}", id="none"),
        pytest.param(
            {"at": datetime(2026, 1, 1, tzinfo=UTC)},
            '{"at":"2026-01-01T00:00:00+00:00"}',
            id="time",
        ),
        pytest.param({"x": object}, '{"x":"<class \'object\'>"}', id="anything"),
    ],
)
def test_facts_are_written_plainly(value: Any, text: str) -> None:
    assert json_text(value) == text
