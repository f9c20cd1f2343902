"""Amounts as people read them: none is nothing, and none looks like more than a larger one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernb.errors import dollars, told_apart

AMOUNTS = st.floats(0, 1e6) | st.floats(0, 0.2)


def _number(said: str) -> float:
    return float(said.removeprefix("$").replace(",", ""))


@given(AMOUNTS, AMOUNTS)
def test_smaller_amount_never_looks_like_more(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert _number(dollars(low)) <= _number(dollars(high))


@given(st.floats(1e-9, 1e6))
def test_amount_is_written_to_the_cent_or_with_two_digits(amount: float) -> None:
    near = max(0.005, amount * 1e-9) if amount >= 0.1 else 0.05 * amount
    assert _number(dollars(amount)) == pytest.approx(amount, abs=near * (1 + 1e-9))
    assert "e" not in dollars(amount)
    assert len(dollars(amount).partition(".")[2]) >= 2


@given(st.lists(AMOUNTS.map(lambda each: round(each, 6)), max_size=3), AMOUNTS)
def test_amounts_are_told_apart_and_stay_in_order(amounts: list[float], limit: float) -> None:
    limit = round(limit, 6)
    *said, most = told_apart(*amounts, limit=limit)
    known = [*zip(amounts, said, strict=True), (limit, most)]
    for value, told in known:
        for other, shown in known:
            assert (value < other) == (_number(told) < _number(shown))


@given(AMOUNTS)
def test_amount_is_told_as_ever_where_that_tells_it_apart(amount: float) -> None:
    assert told_apart(amount, limit=2e6) == (dollars(amount), "$2,000,000.00")
