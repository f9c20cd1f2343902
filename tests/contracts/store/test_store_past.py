"""What earlier missions say of a new one: how long, how dear, from how many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import MissionState, Past, Usage

if TYPE_CHECKING:
    from hypernb.abc import Store

Bench = Any
Clock = Any


def _took(bench: Bench, clock: Clock, seconds: float, cost: float = 0.0, **fields: Any) -> Any:
    """Have a mission that succeeded, whose task ``a`` took so long and paid so much."""
    underway = bench.running("a", **fields)
    underway.commit(underway.ready("a"), underway.start("a"))
    clock.advance(seconds=seconds)
    if cost:
        paid = Usage(cost)
        underway.commit(underway.change("budget.settled", "a", attempt=1, usage=paid))
    underway.commit(
        underway.finish("a"),
        underway.change("mission.finished", mission_state=MissionState.SUCCEEDED),
    )
    return underway.mission


def test_nothing_is_known_of_the_first_of_its_kind(bench: Bench, store: Store) -> None:
    assert store.past(bench.proposed("a").id) == Past()


def test_spread_is_that_of_missions_alike(bench: Bench, clock: Clock, store: Store) -> None:
    for seconds in range(1, 12):
        _took(bench, clock, seconds, playbook="nightly", goal=f"took {seconds}")
    _took(bench, clock, 500, playbook="weekly")
    known = store.past(bench.proposed("a", "b", playbook="nightly").id)
    assert known.missions == 11
    spread = known.tasks["a"]
    assert spread.count == 11
    assert [spread.low, spread.typical, spread.high] == pytest.approx([2, 6, 10], abs=0.1)
    assert "b" not in known.tasks


def test_only_the_latest_missions_count(bench: Bench, clock: Clock, store: Store) -> None:
    for seconds in [100] * 5 + [2] * 20:
        _took(bench, clock, seconds, playbook="nightly")
    known = store.past(bench.proposed("a", playbook="nightly").id)
    assert known.missions == 20
    assert known.tasks["a"].high == pytest.approx(2, abs=0.1)


def test_cost_is_known_from_missions_that_told_of_money(
    bench: Bench, clock: Clock, store: Store
) -> None:
    _took(bench, clock, 1)
    assert store.past(bench.proposed("a").id).cost is None
    for cost in (0.25, 0.5, 0.75):
        _took(bench, clock, 1, cost)
    spread = store.past(bench.proposed("a").id).cost
    assert spread is not None
    assert spread.count == 3
    assert spread.typical == pytest.approx(0.5)


def test_what_a_fork_shares_took_no_time_in_it(
    bench: Bench, clock: Clock, store: Store
) -> None:
    origin = _took(bench, clock, 8)
    store.create_mission(bench.spec("a"), by="ada@here", forked_from=origin.id)
    later = bench.proposed("a")
    assert store.past(later.id).missions == 1
    assert store.durations(later.id) == {"a": pytest.approx(8, abs=0.1)}


def test_past_of_a_plan_is_that_of_the_mission_it_becomes(
    bench: Bench, clock: Clock, store: Store
) -> None:
    for seconds in (1, 2, 3):
        _took(bench, clock, seconds, cost=0.25, goal="count \x00")
    spec = bench.spec("a", goal="count \x00")
    found = store.past_of(spec)
    assert found == store.past(store.create_mission(spec, by="ada@here").id)
    assert (found.missions, found.tasks["a"].count) == (3, 3)
    assert store.past_of(bench.spec("a", goal="another")) == Past()
