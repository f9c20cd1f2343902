from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import hypothesis.strategies as st
from hypothesis import given

from hypernb.model import Hurdle, Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

START = datetime(2026, 11, 27, tzinfo=UTC)

pauses = st.floats(0.0, 5.0)
rates = st.floats(0.1, 50.0)
bursts = st.integers(1, 20)
rests = st.none() | st.floats(0.0, 100.0)


def later(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@given(rates, bursts, st.lists(pauses, min_size=1, max_size=200))
def test_no_more_begin_than_rate_and_burst_allow(
    rate: float, burst: int, steps: Sequence[float]
) -> None:
    resource, now, begun = Resource("r", rate_per_s=rate, burst=burst), 0.0, 0
    for step in steps:
        now += step
        while resource.wait(0, later(now)) is None:
            resource = resource.taken(later(now))
            begun += 1
    assert begun <= burst + rate * (now - steps[0]) + 1e-3


@given(rates, bursts, st.floats(0.0, 60.0), st.lists(pauses, min_size=1, max_size=200))
def test_clocks_that_differ_let_no_more_begin(
    rate: float, burst: int, skew: float, steps: Sequence[float]
) -> None:
    resource, now, begun = Resource("r", rate_per_s=rate, burst=burst), 0.0, 0
    for number, step in enumerate(steps):
        now += step
        at = later(now + (skew if number % 2 else 0.0))
        while resource.wait(0, at) is None:
            resource = resource.taken(at)
            begun += 1
    assert begun <= burst + rate * (now - steps[0] + skew) + 1e-3


@given(rates, bursts, st.lists(pauses, min_size=1, max_size=50))
def test_whoever_waits_as_long_as_it_says_gets_it(
    rate: float, burst: int, steps: Sequence[float]
) -> None:
    resource, now = Resource("r", rate_per_s=rate, burst=burst), 0.0
    for step in steps:
        now += step
        if (wait := resource.wait(0, later(now))) is not None:
            assert wait.hurdle is Hurdle.RATE
            assert wait.after_s is not None
            now += wait.after_s + 1e-5  # a clock tells microseconds
        assert resource.wait(0, later(now)) is None
        resource = resource.taken(later(now))


@given(st.none() | st.integers(1, 64), st.lists(st.booleans(), max_size=300))
def test_limit_learnt_stays_between_one_and_the_limit_set(
    at_once: int | None, outcomes: Sequence[bool]
) -> None:
    resource, now = Resource("r", at_once=at_once), 0.0
    for is_served in outcomes:
        now += 1000.0
        held = resource.limit or 8
        before = resource.limit
        resource = resource.served() if is_served else resource.refused(held, later(now), 1.0)
        assert resource.limit is None or resource.limit >= 1
        assert at_once is None or (resource.limit is not None and resource.limit <= at_once)
        if before is not None and resource.limit is not None:
            assert resource.limit >= before if is_served else resource.limit <= before


def test_refusal_halves_and_a_round_of_successes_adds_one() -> None:
    resource = Resource("r", at_once=16).refused(16, START, 0.0)
    assert resource.limit == 8
    for _ in range(9):
        resource = resource.served()
    assert resource.limit == 9


@given(rests, st.lists(st.floats(0.0, 0.9), min_size=1, max_size=20))
def test_refusals_of_one_moment_count_once(rest: float | None, shares: Sequence[float]) -> None:
    resource = Resource("r", at_once=16).refused(16, START, rest)
    known = resource.limit
    for share in shares:
        left = resource.closed_s * share
        assert resource.closed_at is not None
        at = resource.closed_at + timedelta(seconds=left)
        if resource.wait(0, at) is not None:
            resource = resource.refused(10, at, rest)
    assert resource.limit == known


@given(rests)
def test_closed_for_as_long_as_it_was_asked(rest: float | None) -> None:
    resource = Resource("r").refused(4, START, rest)
    wait = resource.wait(0, START)
    if rest == 0.0:
        assert wait is None
        return
    assert wait is not None
    assert wait.hurdle is Hurdle.CLOSED
    assert wait.after_s == (1.0 if rest is None else rest)
    assert resource.wait(0, later(wait.after_s + 1e-5)) is None


def test_rests_grow_where_nobody_says_how_long() -> None:
    resource, now, rests = Resource("r"), 0.0, []
    for _ in range(9):
        resource = resource.refused(1, later(now), None)
        rests.append(resource.closed_s)
        now += resource.closed_s
    assert rests == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    assert resource.served().refused(1, later(now), None).closed_s == 1.0


@given(st.none() | st.floats(0.0, 1.0), st.integers(1, 60))
def test_whoever_goes_on_refusing_is_asked_ever_more_rarely(
    rest: float | None, times: int
) -> None:
    resource, now = Resource("r"), 0.0
    for _ in range(times):
        resource = resource.refused(1, later(now), rest)
        now += resource.closed_s + 1e-5
    assert now >= min(60.0, 2.0 ** (times - 2) / 20.0) if times > 1 else now >= 0.0


@given(st.floats(61.0, 1e7))
def test_clock_set_back_closes_nothing_and_fills_nothing(back: float) -> None:
    closed = Resource("r").refused(4, START, 3600.0)
    assert closed.wait(0, START - timedelta(seconds=back)) is None
    empty = Resource("r", rate_per_s=1.0).taken(START)
    wait = empty.wait(0, START - timedelta(seconds=back))
    assert wait is not None
    assert wait.after_s == 1.0
