from __future__ import annotations

import math
from typing import Any

from hypernb.model import (
    AgentWork,
    ModelSpec,
    Past,
    PlanSpec,
    Price,
    PythonWork,
    Quote,
    QuoteSource,
    Range,
    Spread,
    TaskHistory,
    TaskSpec,
)
from hypernb.plan import Experience, agents_with_models, makespan, quote_plan

MODEL = ModelSpec(name="small-1", base_url="http://x/v1", price=Price(input=1, output=2))
FREE = Range(0.0, 0.0)


def run(tokens: int = 100, **facts: Any) -> TaskHistory:
    known = {"calls": 1, "output_tokens": 0, "seconds": 60.0}
    return TaskHistory("qa", "small-1", input_tokens=tokens, **(known | facts))


def asks(name: str = "a", **fields: Any) -> TaskSpec:
    """A task that works with the model."""
    return TaskSpec(name=name, agent="qa", work=AgentWork(model="main"), **fields)


def plan(*tasks: TaskSpec, **fields: Any) -> PlanSpec:
    models = {"main": MODEL}
    return PlanSpec(**({"goal": "look", "tasks": tasks, "models": models} | fields))


def function(name: str, **fields: Any) -> TaskSpec:
    work = PythonWork(function="f" * 64, arguments="a" * 64, label=name)
    return TaskSpec(name=name, work=work, **fields)


def quoted(spec: PlanSpec, *runs: TaskHistory, past: Past | None = None) -> tuple[Quote, ...]:
    known = Experience({("qa", "small-1"): runs}, past or Past())
    return quote_plan(spec, known)


def test_three_runs_of_agent_and_model_say_what_to_expect() -> None:
    task, whole = quoted(plan(asks()), run(100), run(200), run(300, seconds=120))
    assert (task.source, task.runs) == (QuoteSource.HISTORY, 3)
    assert task.tokens == Range(200.0, 280.0)
    assert task.dollars == Range(0.0002, 0.00028)
    assert task.minutes is not None
    assert round(task.minutes.p90, 9) == 1.8
    assert (whole.task, whole.tokens, whole.source) == ("", task.tokens, task.source)


def test_two_runs_say_less_than_an_estimate() -> None:
    spec = plan(asks(estimate_tokens=1_000_000, estimate_s=30))
    task, _ = quoted(spec, run(), run())
    assert (task.source, task.runs) == (QuoteSource.ESTIMATE, 0)
    # No more than the tokens that the plan allows it.
    assert task.tokens == Range(400_000.0, 400_000.0)
    assert task.dollars == Range(0.48, 0.48)
    assert task.minutes == Range(0.5, 1.0)


def test_nothing_known_stays_unknown_and_makes_the_whole_unknown() -> None:
    task, known, whole = quoted(plan(asks(), asks("b", estimate_tokens=10, estimate_s=1)))
    assert task == Quote(QuoteSource.UNKNOWN, "a")
    assert known.source is QuoteSource.ESTIMATE
    assert whole == Quote(QuoteSource.UNKNOWN)


def test_free_model_costs_nothing_whatever_it_uses() -> None:
    free = MODEL.model_copy(update={"price": Price(input=0, output=0)})
    task, whole = quoted(plan(asks(), models={"main": free}))
    assert task == Quote(QuoteSource.UNKNOWN, "a", dollars=FREE)
    assert whole == Quote(QuoteSource.UNKNOWN, dollars=FREE)


def test_unknown_prices_are_unknown_and_never_nothing() -> None:
    dear = MODEL.model_copy(update={"price": None})
    spec = plan(asks(estimate_tokens=10), models={"main": dear})
    assert quoted(spec)[0].dollars is None
    task, whole = quoted(spec, run(), run(), run())
    assert (task.dollars, whole.dollars) == (None, None)
    assert task.tokens == Range(100.0, 100.0)


def test_tokens_of_history_are_priced_by_the_plan() -> None:
    runs = [run(1_000_000, output_tokens=500_000)] * 3
    task, _ = quoted(plan(asks()), *runs)
    assert task.dollars == Range(2.0, 2.0)
    free = MODEL.model_copy(update={"price": Price(input=0, output=0)})
    task, whole = quoted(plan(asks(), models={"main": free}), *runs)
    assert (task.tokens, task.dollars, whole.dollars) == (Range(1.5e6, 1.5e6), FREE, FREE)


def test_what_a_server_had_at_hand_is_priced_as_such() -> None:
    price = Price(input=1, output=2, cached=0.1)
    spec = plan(asks(), models={"main": MODEL.model_copy(update={"price": price})})
    task, _ = quoted(spec, *[run(1_000_000, cached_tokens=1_000_000)] * 3)
    assert task.dollars == Range(0.1, 0.1)


def test_no_quote_is_below_what_is_handed_in() -> None:
    spec = plan(asks(goal="x" * 8, estimate_tokens=1_000))
    runs = [run(900, calls=2), run(900, calls=2), run(900, calls=3)]
    large = spec.model_copy(update={"handed_in": {"a": 200_000}})
    for history, least in (((), 50_002.0), (runs, 100_004.0)):
        task, whole = quote_plan(large, Experience({("qa", "small-1"): history}))
        assert task.tokens is not None
        assert task.dollars is not None
        assert least <= task.tokens.p50 <= least + 1_000
        assert task.dollars.p50 >= least * 1e-6
        assert task.by_size
        assert whole.by_size
    task, _ = quote_plan(spec, Experience({("qa", "small-1"): runs}))
    assert (task.tokens, task.by_size) == (Range(900.0, 900.0), False)


def test_what_is_handed_in_is_bounded_by_what_a_task_may_use() -> None:
    task = TaskSpec(name="a", agent="qa", work=AgentWork(model="main", tokens=1_000))
    spec = plan(task).model_copy(update={"handed_in": {"a": 2_000}})
    quote, _ = quote_plan(spec, Experience({("qa", "small-1"): [run(calls=9)] * 3}))
    assert quote.tokens == Range(1_000.0, 1_000.0)


def test_estimated_task_takes_as_long_as_estimated() -> None:
    spec = plan(asks(estimate_tokens=10, estimate_s=60))
    task, whole = quoted(spec, past=Past(1, {"a": Spread(1, 1, 2, 3)}))
    assert (task.source, task.minutes) == (QuoteSource.ESTIMATE, Range(1.0, 2.0))
    assert whole.minutes == Range(1.0, 2.0)


def test_runs_of_similar_size_are_preferred() -> None:
    small = [run(90, size=40) for _ in range(10)]
    large = [run(9_000, size=50_000) for _ in range(10)]
    task, _ = quoted(plan(asks(goal="x" * 50)), *large, *small)
    assert (task.tokens, task.runs) == (Range(90.0, 90.0), 10)


def test_a_cap_bounds_the_dollars() -> None:
    runs = [run(500_000), run(500_000), run(5_000_000)]
    task, _ = quoted(plan(asks(cap_cost=0.7)), *runs)
    assert task.dollars == Range(0.5, 0.7)


def test_tasks_without_a_model_quote_their_time() -> None:
    tools = TaskSpec(name="tools", agent="qa", work=AgentWork())
    spec = plan(tools, function("f", estimate_s=60), function("free", cap_cost=0), models={})
    past = Past(4, {"tools": Spread(4, 60, 120, 180)})
    agent, other, free, whole = quoted(spec, past=past)
    assert agent == Quote(QuoteSource.HISTORY, "tools", 4, FREE, FREE, Range(2.0, 3.0))
    assert other == Quote(QuoteSource.ESTIMATE, "f", 0, None, None, Range(1.0, 2.0))
    assert (free.dollars, free.minutes) == (FREE, None)
    assert (whole.minutes, whole.source) == (None, QuoteSource.UNKNOWN)


def test_functions_alone_are_quoted_with_minutes_and_what_missions_paid() -> None:
    spec = plan(function("f"), models={})
    past = Past(3, {"f": Spread(3, 30, 60, 90)}, Spread(3, 0.1, 0.2, 0.3))
    _, whole = quoted(spec, past=past)
    assert whole == Quote(QuoteSource.HISTORY, "", 3, None, Range(0.2, 0.3), Range(1.0, 1.5))


def test_sums_vary_less_than_their_parts() -> None:
    runs = [run(100), run(200), run(300)]
    spec = plan(*(asks(name) for name in "abcd"), concurrency=4)
    *tasks, whole = quoted(spec, *runs)
    assert tasks[0].tokens == Range(200.0, 280.0)
    assert whole.tokens == Range(800.0, 800.0 + math.hypot(*[80.0] * 4))
    assert whole.runs == 12


def test_minutes_of_the_whole_follow_needs_and_hands() -> None:
    times = {"estimate_s": 60.0, "estimate_tokens": 1}
    chain = [asks("a", **times), asks("b", needs=("a",), **times), asks("c", **times)]
    *_, whole = quoted(plan(*chain, concurrency=2))
    assert whole.minutes == Range(2.0, 2.0 + math.hypot(1.0, 1.0))
    *_, alone = quoted(plan(*chain, concurrency=1))
    assert alone.minutes is not None
    assert alone.minutes.p50 == 3.0


def test_agents_with_few_hands_take_longer() -> None:
    spec = plan(asks("a"), asks("b"), agent_concurrency=1)
    assert makespan(spec, {"a": 1.0, "b": 2.0}) == 3.0


def test_tasks_that_will_not_run_use_nothing() -> None:
    spec = plan(asks("a"), asks("b", estimate_tokens=1, estimate_s=60, needs=("a",)))
    shared, _, whole = quote_plan(spec, Experience(), done={"a"})
    assert (shared.source, shared.tokens) == (QuoteSource.NOTHING, FREE)
    assert whole.minutes == Range(1.0, 2.0)


def test_plan_without_tasks_uses_nothing() -> None:
    (whole,) = quoted(plan())
    assert (whole.source, whole.minutes) == (QuoteSource.NOTHING, FREE)


def test_models_are_known_by_the_name_that_the_server_has() -> None:
    assert agents_with_models(plan(asks(), function("f"))) == {("qa", "small-1")}
