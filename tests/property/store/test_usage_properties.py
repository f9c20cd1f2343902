"""What usage says in groups is the sum of the calls and payments that are in the store."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hypernb.model import CallRecord, CallState, MissionId, MissionState, Usage, new_id
from hypernb.session import Session
from tests.by_hand import Ticking, plan_of, take_up

if TYPE_CHECKING:
    from pathlib import Path

    from hypernb.abc import Store
    from tests.by_hand import Underway

pytestmark = pytest.mark.timeout(120)
GROUPS = ("mission", "agent", "task", "model", "day")
MODELS = st.sampled_from(["small", "large", "odd \udcff\x00"])
COSTS = st.none() | st.integers(0, 10**6).map(lambda many: many / 10_000)
TOKENS = st.integers(0, 2**40)
SOURCES = st.sampled_from(["live", "live", "cache", "cassette"])
STATES = st.sampled_from(list(CallState))


@st.composite
def happenings(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """Calls and payments of two tasks of two missions, over some days."""
    return draw(
        st.lists(
            st.tuples(
                *(st.integers(0, 1), st.sampled_from("ab"), st.booleans(), STATES, SOURCES),
                *(MODELS, COSTS, TOKENS, TOKENS, st.integers(0, 40)),
            ),
            max_size=25,
        )
    )


def carry_out(held: Underway, clock: Ticking, happening: tuple[Any, ...]) -> None:
    """Do what a runner does: a call and its payment in one change, or a payment alone."""
    _, task, is_call, state, source, model, cost, read, written, hours = happening
    clock.time += timedelta(hours=hours)
    usage = Usage(cost or 0.0, model, read, written)
    if not is_call:
        held.commit(held.change("budget.settled", task, attempt=1, usage=usage))
        return
    call = held.call(task, agent=f"agent of {task}", model=model, source=source)
    held.commit(held.change("llm.requested", task, attempt=1, call=call))
    ended = replace(call, state=state, cost=cost, input_tokens=read, output_tokens=written)
    is_paid = source == "live" and state in (CallState.SETTLED, CallState.LOST)
    facts = {"usage": usage} if is_paid else {}
    held.commit(held.change("llm.responded", task, attempt=1, call=ended, **facts))


def made(store: Store, clock: Ticking) -> list[Underway]:
    missions = []
    for _ in range(2):
        planning = CallRecord(
            id=new_id(),
            mission_id=MissionId(""),
            state=CallState.SETTLED,
            at=clock(),
            agent="strategist",
            model="large",
            cost=0.25,
            input_tokens=7,
        )
        mission = store.create_mission(plan_of("a", "b"), by="ada", planning=[planning])
        store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="ada")
        held = take_up(store, mission, clock)
        held.commit(held.change("mission.started", mission_state=MissionState.RUNNING))
        for name in "ab":
            held.commit(held.ready(name), held.start(name))
        missions.append(held)
    return missions


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(happened=happenings())
def test_totals_equal_the_sum_of_calls_and_payments_in_the_store(
    happened: list[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    from hypernb.store import SqlStore

    folder: Path = tmp_path_factory.mktemp("usage")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYPERNB_HOME", str(folder))
        clock = Ticking()
        store = SqlStore(folder / "store.db", clock=clock)
        missions = made(store, clock)
        for happening in happened:
            carry_out(missions[happening[0]], clock, happening)
        session = Session(folder / "store.db")
        calls, paid = store.calls(), [u for m in missions for u in store.usage(m.mission.id)]
        live = [each for each in calls if each.source == "live"]
        for by in permutations(GROUPS, 2):
            total = session.usage(by).total
            assert (total.calls, total.spared) == (len(live), len(calls) - len(live))
            assert total.input_tokens == sum(each.usage.input_tokens for each in paid)
            assert total.output_tokens == sum(each.usage.output_tokens for each in paid)
            assert math.isclose(total.cost, sum(each.usage.cost for each in paid))
        costs = {m.mission.short_id: store.mission(m.mission.id).cost for m in missions}
        for row in session.usage("mission").rows:
            assert math.isclose(row.cost, costs[row.keys[0]])
        by_model: dict[str, float] = {}
        for each in paid:
            by_model[each.usage.model] = by_model.get(each.usage.model, 0.0) + each.usage.cost
        for row in session.usage().rows:
            assert math.isclose(row.cost, by_model.get(row.keys[0], 0.0))
        session.close()
        store.close()
