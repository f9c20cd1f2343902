"""Quotes: what tasks, and a plan as a whole, will probably use.

Of a task that works with a model: from at least three tasks of the same agent with the same
model that have succeeded, those with requests of the most similar size if there are many; else
as whoever planned it has estimated (`TaskSpec.estimate_tokens`, `TaskSpec.estimate_s`); else
nothing is known, and nothing is made up. No less is quoted than what is handed in makes: each
answer of the model is to a request that holds it. Dollars are those tokens at the price in the
plan, for the same model may be at another server that asks more, or nothing. Of any other task
only its time is quoted: an agent's own tools use no model, and what a function pays nobody
knows but itself.

The P50 of a sum is the sum of the P50s. Its P90 lies above that by the root of the sum of the
squares of what each P90 lies above its P50: of many tasks that vary by themselves, some come
dear and some cheap. The time of the whole is that of tasks side by side, as many as the plan
lets run at once.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hypernb.model import (
    BYTES_A_TOKEN,
    AgentWork,
    Past,
    PythonWork,
    Quote,
    QuoteSource,
    Range,
    Spread,
    TokenUse,
)
from hypernb.plan._paths import critical_path
from hypernb.plan._schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from hypernb.model import ModelSpec, PlanSpec, TaskHistory, TaskSpec

LEAST_RUNS: Final = 3
"""From so many earlier tasks on, they say more than an estimate."""

_MOST_RUNS: Final = 10
_MINUTE: Final = 60.0
_DEARER: Final = 3.0
_SLOWER: Final = 2.0
"""What seldom is exceeded of an estimate of tokens, and of time."""
_READ: Final = 0.8
"""How much of the tokens of an estimate are read, where the price has to be guessed."""
_MOST_TOKENS: Final = 2**53
_NOUGHT: Final = Range(0.0, 0.0)
_WEAKNESS: Final = (
    QuoteSource.NOTHING,
    QuoteSource.HISTORY,
    QuoteSource.ESTIMATE,
    QuoteSource.UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class Experience:
    """What is known of earlier work.

    Attributes:
        histories: What tasks have used, newest first, by agent and name of the model.
        past: What earlier missions like this one say.
    """

    histories: Mapping[tuple[str, str], Sequence[TaskHistory]] = field(default_factory=dict)
    past: Past = field(default_factory=Past)


def agents_with_models(spec: PlanSpec) -> set[tuple[str, str]]:
    """Return which agents work with which models, by the names that histories go by."""
    return {
        (task.agent, model.name)
        for task in spec.tasks
        if (model := _model_of(spec, task)) is not None
    }


def quote_plan(
    spec: PlanSpec, known: Experience, *, done: Collection[str] = ()
) -> tuple[Quote, ...]:
    """Return a quote for each task, in plan order, and at last one for the whole.

    Args:
        spec: A plan that `check_plan` accepts.
        known: What is known of earlier work.
        done: Tasks that will not run: others have done them already.
    """
    quotes = tuple(
        Quote(QuoteSource.NOTHING, task.name, 0, _NOUGHT, _NOUGHT, _NOUGHT)
        if task.name in done
        else _quote(spec, task, known)
        for task in spec.tasks
    )
    return (*quotes, _whole(spec, quotes, known.past))


def _model_of(spec: PlanSpec, task: TaskSpec) -> ModelSpec | None:
    name = task.work.model if isinstance(task.work, AgentWork) else ""
    return spec.models.get(name) if name else None


def _quote(spec: PlanSpec, task: TaskSpec, known: Experience) -> Quote:
    model = _model_of(spec, task)
    if model is None:
        return _without_model(task, known.past)
    size = _size(spec, task) + spec.handed_in.get(task.name, 0)
    runs = known.histories.get((task.agent, model.name), ())
    if len(runs) >= LEAST_RUNS:
        return _from_history(task, model, _nearest(runs, size), size)
    minutes = _estimated_time(task)
    if task.estimate_tokens is None:
        source = QuoteSource.UNKNOWN if minutes is None else QuoteSource.ESTIMATE
        is_free = model.price is not None and model.price.is_free
        return Quote(source, task.name, dollars=_NOUGHT if is_free else None, minutes=minutes)
    guess = _apart(task.estimate_tokens, _DEARER, most=_most_tokens(task))
    uses = [_guessed(tokens) for tokens in (guess.p50, guess.p90)]
    raised = [_raised(use, size, most=_most_tokens(task)) for use in uses]
    return Quote(
        QuoteSource.ESTIMATE,
        task.name,
        0,
        Range(*(float(use.total) for use in raised)),
        _dollars_of(raised, task, model, lambda costs: Range(*costs)),
        minutes,
        by_size=raised != uses,
    )


def _without_model(task: TaskSpec, past: Past) -> Quote:
    minutes, spread = _time(task, past), past.tasks.get(task.name)
    source = QuoteSource.UNKNOWN if minutes is None else QuoteSource.ESTIMATE
    if spread is not None:
        source = QuoteSource.HISTORY
    is_function = isinstance(task.work, PythonWork)
    tokens = None if is_function else _NOUGHT
    dollars = None if is_function and task.cap_cost != 0 else _NOUGHT
    return Quote(source, task.name, spread.count if spread else 0, tokens, dollars, minutes)


def _size(spec: PlanSpec, task: TaskSpec) -> int:
    prompt = task.work.prompt if isinstance(task.work, AgentWork) else ""
    said = (task.goal or spec.goal, prompt, task.check)
    return sum(len(text.encode(errors="replace")) for text in said)


def _nearest(runs: Sequence[TaskHistory], size: int) -> Sequence[TaskHistory]:
    """Return those of many runs whose first request was of the most similar size."""
    sized = [run for run in runs if run.size > 0]
    if len(sized) <= _MOST_RUNS or not size:
        return runs[:_MOST_RUNS]
    return sorted(sized, key=lambda run: abs(math.log(run.size / size)))[:_MOST_RUNS]


def _from_history(
    task: TaskSpec, model: ModelSpec, runs: Sequence[TaskHistory], size: int
) -> Quote:
    used = [_used(run) for run in runs]
    most = _most_tokens(task)
    raised = [
        _raised(use, size, times=run.calls, most=most)
        for run, use in zip(runs, used, strict=True)
    ]
    return Quote(
        QuoteSource.HISTORY,
        task.name,
        len(runs),
        _range(use.total for use in raised),
        _dollars_of(raised, task, model, _range),
        _range(run.seconds / _MINUTE for run in runs),
        by_size=raised != used,
    )


def _used(run: TaskHistory) -> TokenUse:
    return TokenUse(
        input_tokens=min(run.input_tokens, _MOST_TOKENS),
        output_tokens=min(run.output_tokens, _MOST_TOKENS),
        cached_tokens=min(run.cached_tokens, _MOST_TOKENS),
    )


def _guessed(tokens: float) -> TokenUse:
    read = round(tokens * _READ)
    return TokenUse(input_tokens=read, output_tokens=round(tokens) - read)


def _raised(use: TokenUse, size: int, *, times: int = 1, most: float) -> TokenUse:
    """Return it with no less read than so many requests hold, the first in any case."""
    each = -(-size // BYTES_A_TOKEN)
    least = int(min(each * times, max(each, most), _MOST_TOKENS))
    if use.input_tokens >= least:
        return use
    return use.model_copy(update={"input_tokens": least})


def _range(values: Iterable[float]) -> Range:
    spread = Spread.of(values)
    return Range(spread.typical, spread.high)


def _dollars_of(
    uses: Iterable[TokenUse],
    task: TaskSpec,
    model: ModelSpec,
    ends: Callable[[list[float]], Range],
) -> Range | None:
    if model.price is None:
        return None
    return _capped(ends([model.price.cost(use) for use in uses]), task)


def _capped(dollars: Range, task: TaskSpec) -> Range:
    if task.cap_cost is None:
        return dollars
    return Range(min(dollars.p50, task.cap_cost), min(dollars.p90, task.cap_cost))


def _most_tokens(task: TaskSpec) -> float:
    return task.work.tokens if isinstance(task.work, AgentWork) else math.inf


def _apart(middle: float, times: float, *, most: float) -> Range:
    """Return an estimate with a high end, which no bound of the plan lies below."""
    p50 = float(min(middle, most))
    return Range(p50, float(max(p50, min(middle * times, most))))


def _time(task: TaskSpec, past: Past) -> Range | None:
    if (spread := past.tasks.get(task.name)) is not None:
        return Range(spread.typical / _MINUTE, spread.high / _MINUTE)
    return _estimated_time(task)


def _estimated_time(task: TaskSpec) -> Range | None:
    if task.estimate_s is None:
        return None
    most = task.timeout_s * task.attempts
    seconds = _apart(task.estimate_s, _SLOWER, most=most)
    return Range(seconds.p50 / _MINUTE, seconds.p90 / _MINUTE)


# -- the whole ---------------------------------------------------------------------------


def _whole(spec: PlanSpec, quotes: Sequence[Quote], past: Past) -> Quote:
    functions = {task.name for task in spec.tasks if isinstance(task.work, PythonWork)}
    counted = [each for each in quotes if each.task not in functions or each.dollars]
    tokens, dollars = _sum(counted, lambda each: each.tokens), _sum(counted, _dollars)
    if not counted and quotes:
        # All that is known of what functions pay is what whole missions have cost.
        dollars = Range(past.cost.typical, past.cost.high) if past.cost else None
    return Quote(
        max((each.source for each in quotes), key=_WEAKNESS.index, default=QuoteSource.NOTHING),
        runs=sum(each.runs for each in quotes),
        tokens=tokens,
        dollars=dollars,
        minutes=_side_by_side(spec, quotes),
        by_size=any(each.by_size for each in quotes),
    )


def _dollars(quote: Quote) -> Range | None:
    return quote.dollars


def _sum(quotes: Sequence[Quote], of: Callable[[Quote], Range | None]) -> Range | None:
    """Add up; a sum of which a part is not known is not known."""
    ranges = [of(each) for each in quotes]
    known = [each for each in ranges if each is not None]
    if not known or len(known) < len(ranges):
        return None
    middle = sum(each.p50 for each in known)
    return Range(middle, middle + _spread(known))


def _spread(ranges: Iterable[Range]) -> float:
    return math.hypot(*(max(0.0, each.p90 - each.p50) for each in ranges))


def _side_by_side(spec: PlanSpec, quotes: Sequence[Quote]) -> Range | None:
    minutes = {each.task: each.minutes for each in quotes if each.minutes is not None}
    if len(minutes) < len(quotes):
        return None
    middle = {name: each.p50 for name, each in minutes.items()}
    took = makespan(spec, middle)
    path = critical_path(spec, middle)
    at_once = max(1, min(spec.concurrency, len(quotes)))
    # Either the longest chain decides, or how many hands there are.
    apart = max(_spread(minutes[name] for name in path), _spread(minutes.values()) / at_once)
    return Range(took, took + apart)


def makespan(spec: PlanSpec, durations: Mapping[str, float]) -> float:
    """Return how long a plan takes if its tasks take so long, started as the engine does.

    Example:
        >>> from hypernb.plan import Plan
        >>> plan = Plan("demo", concurrency=2).add("a", dict).add("b", dict).add("c", dict)
        >>> makespan(plan.build()[0], {"a": 1.0, "b": 2.0, "c": 4.0})
        4.0
    """
    schedule = Schedule(spec, durations)
    agents = {task.name: task.agent for task in spec.tasks}
    at_work: Counter[str] = Counter()
    under_way: list[tuple[float, int, str]] = []
    now, number = 0.0, 0
    while True:
        while len(under_way) < max(1, spec.concurrency):
            name = schedule.best(busy=_busy(at_work, spec.agent_concurrency))
            if name is None:
                break
            schedule.start(name)
            at_work[agents[name]] += 1
            number += 1
            heapq.heappush(under_way, (now + durations[name], number, name))
        if not under_way:
            return now
        now, _, name = heapq.heappop(under_way)
        at_work[agents[name]] -= 1
        schedule.succeed(name)


def _busy(at_work: Mapping[str, int], most: int | None) -> Collection[str]:
    if most is None:
        return ()
    return [agent for agent, many in at_work.items() if agent and many >= most]
