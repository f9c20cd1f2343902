"""Quotes of any plan: high ends are high, wholes hold their parts, and nothing is made up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from hypernb.model import (
    AgentWork,
    ModelSpec,
    Past,
    PlanSpec,
    Price,
    Quote,
    QuoteSource,
    Spread,
    TaskHistory,
    TaskSpec,
)
from hypernb.plan import Experience, makespan, quote_plan

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = [f"t-{number}" for number in range(8)]
SECONDS = st.none() | st.floats(0, 1e6)
PRICES = st.none() | st.builds(Price, input=st.floats(0, 100), output=st.floats(0, 100))


@st.composite
def plans(draw: st.DrawFn) -> PlanSpec:
    """Tasks of two agents, some with a model, that need some of those before them."""
    tasks = []
    for number, name in enumerate(NAMES[: draw(st.integers(0, 8))]):
        needs = draw(st.sets(st.sampled_from(NAMES[:number]))) if number else set()
        tasks.append(
            TaskSpec(
                name=name,
                agent=draw(st.sampled_from(["qa", "scribe"])),
                needs=tuple(sorted(needs)),
                work=AgentWork(model=draw(st.sampled_from(["", "main"]))),
                estimate_s=draw(SECONDS),
                estimate_tokens=draw(st.none() | st.integers(0, 2**53)),
                cap_cost=draw(st.none() | st.floats(0, 10)),
            )
        )
    model = ModelSpec(name="small-1", base_url="http://x/v1", price=draw(PRICES))
    return PlanSpec(
        goal="look",
        tasks=tuple(tasks),
        models={"main": model},
        concurrency=draw(st.integers(1, 4)),
        agent_concurrency=draw(st.none() | st.integers(1, 2)),
    )


RUNS = st.lists(
    st.builds(
        TaskHistory,
        agent=st.just("qa"),
        model=st.just("small-1"),
        calls=st.integers(1, 9),
        input_tokens=st.integers(0, 2**53),
        output_tokens=st.integers(0, 2**53),
        seconds=st.floats(0, 1e6),
        size=st.integers(0, 10**6),
        cached_tokens=st.integers(0, 2**53),
    ),
    max_size=15,
)
PASTS = st.dictionaries(
    st.sampled_from(NAMES), st.lists(st.floats(0, 1e6), min_size=1, max_size=5)
).map(lambda took: Past(1, {name: Spread.of(times) for name, times in took.items()}))


@settings(deadline=None)
@given(spec=plans(), runs=RUNS, past=PASTS)
def test_high_ends_are_high_and_wholes_hold_their_parts(
    spec: PlanSpec, runs: list[TaskHistory], past: Past
) -> None:
    *tasks, whole = quote_plan(spec, Experience({("qa", "small-1"): runs}, past))
    assert [each.task for each in tasks] == [task.name for task in spec.tasks]
    for name in ("tokens", "dollars", "minutes"):
        ranges = [getattr(each, name) for each in tasks]
        together = getattr(whole, name)
        for each in [*ranges, together]:
            assert each is None or 0 <= each.p50 <= each.p90 * (1 + 1e-9) < math.inf
        # A whole of which a part is not known is not known, and the other way round.
        if tasks:
            assert (together is None) == (None in ranges)
        if together is not None and ranges:
            assert together.p50 >= max(each.p50 for each in ranges) * (1 - 1e-9)
            assert together.p90 <= sum(each.p90 for each in ranges) * (1 + 1e-9) + 1e-9
    assert _unknown(tasks, lambda each: each.source is QuoteSource.UNKNOWN) == (
        whole.source is QuoteSource.UNKNOWN
    )


def _unknown(quotes: list[Quote], is_so: Callable[[Quote], bool]) -> bool:
    return any(is_so(each) for each in quotes)


@settings(deadline=None)
@given(spec=plans(), seconds=st.lists(st.floats(0, 1e6), min_size=8, max_size=8))
def test_plan_takes_as_long_as_its_longest_chain_and_at_most_all_its_work(
    spec: PlanSpec, seconds: list[float]
) -> None:
    took = dict(zip(NAMES, seconds, strict=True))
    ends: dict[str, float] = {}
    for task in spec.tasks:
        ends[task.name] = (
            max((ends[need] for need in task.needs), default=0.0) + took[task.name]
        )
    work = sum(took[task.name] for task in spec.tasks)
    found = makespan(spec, took)
    assert max(ends.values(), default=0.0) * (1 - 1e-9) <= found <= work * (1 + 1e-9)
    assert found >= work / spec.concurrency * (1 - 1e-9)
