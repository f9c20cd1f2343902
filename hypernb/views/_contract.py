"""What an approval allows, and what to expect of it, in words."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from hypernb.errors import dollars, limit_words, told_apart
from hypernb.model import AgentWork, OnFailure, PythonWork, TokenUse
from hypernb.views import words
from hypernb.views._clean import CUT_AT, clean, line
from hypernb.views._egress import told_variables
from hypernb.views._left import between, roughly
from hypernb.views._models import (
    NO_OUTLOOK,
    Outlook,
    model_hosts,
    model_name,
    model_terms,
    quote_dollars,
    quote_words,
    short_of,
    task_model_terms,
)
from hypernb.views._own_code import kinds, own_agents, own_tasks, own_terms, own_work, runs
from hypernb.views._phrase import (
    WHOLE_AT_MOST,
    Code,
    Phrase,
    Strong,
    Whole,
    enumerate_names,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from hypernb.model import PlanSpec, Quote, TaskSpec
    from hypernb.views._figures import Figures

_COMMANDS_SHOWN: Final = 20
_ERRAND: Final = 160
_ERRAND_AT_MOST: Final = 200  # what a cut would say takes room as well
_ENDED: Final = "it has ended without an error"
_IN_TABLE: Final = ("Agent", "Needs", "Caps", "Done when")
_BY_TOOLS: Final = ("By", "After a crash")
_WITH_TOOLS: Final = ("Tools", "With", "After a crash")
_QUOTES_SHOWN: Final = 8

_IF_IT_FAILS: Final[Mapping[OnFailure, str]] = {
    OnFailure.STOP: "nothing more starts, and the mission fails",
    OnFailure.SKIP: "what needs it is skipped, the rest goes on, and the mission fails",
    OnFailure.CONTINUE: "what needs it goes on without its output",
}


def allowed(plan: PlanSpec, quote: Quote | None = None) -> list[tuple[str, Phrase]]:
    """Return what a yes to the plan allows, term by term.

    Args:
        plan: What a yes is asked to.
        quote: What the whole will probably use, if that is known; a budget that will not do
            is told beside it.
    """
    terms = [
        ("Reads", _reads(plan)),
        ("Writes", _writes(plan)),
        ("Reaches", _reaches(plan)),
        *model_terms(plan),
        ("Spends", _spends(plan, quote)),
        ("Starts", _starts(plan)),
    ]
    if variables := told_variables(plan):
        terms.insert(3, ("Would tell" if plan.is_replayed else "Tells", variables))
    terms += own_terms(plan)
    if plan.paths:
        terms.append(("Imports", ("modules from ", *enumerate_names(plan.paths, most=6))))
    return terms


def notes(plan: PlanSpec) -> tuple[str, ...]:
    """Return what is to be known of a plan first: caps that are too low, and its own notes."""
    return (*filter(None, (_too_low(plan, task) for task in plan.tasks)), *plan.notes)


def _too_low(plan: PlanSpec, task: TaskSpec) -> str:
    """Say that the cap of a task does not cover one answer, whose worst case is kept for it."""
    work, cap = task.work, task.cap_cost
    if cap is None or plan.is_replayed or not isinstance(work, AgentWork) or work.function:
        return ""
    model = plan.models.get(work.model)
    if model is None or model.price is None:
        return ""
    # What is read comes on top, and is not known yet.
    most = model.price.cost(TokenUse(output_tokens=min(model.max_output_tokens, work.tokens)))
    if most <= cap:
        return ""
    may, has = told_apart(most, limit=cap)
    return (
        f"Task {task.name!r} will probably end without an answer: one of {model.name} may cost "
        f"{may} and more, and its cap on cost is {has}."
    )


def _reads(plan: PlanSpec) -> Phrase:
    if not _has_agents(plan):
        return (f"what your {kinds(plan)} read",)
    scopes = _scopes(plan)
    root = Code(line(plan.root, cut_at=200))
    said: Phrase = ("no files of a project",)
    if scopes:
        where = (" below ", root) if plan.root else ()
        said = (*enumerate_names(scopes, most=12), *where)
    elif plan.root:
        said = ("the files below ", root)
    return _beside_own_code(plan, "read", said)


def _scopes(plan: PlanSpec) -> list[str]:
    """Return the parts of the project that agents may read; all of it if empty."""
    free = [task for task in plan.tasks if model_name(task) and not task.scope]
    if free and not plan.scope:
        return []
    return list(dict.fromkeys([*plan.scope, *(s for task in plan.tasks for s in task.scope)]))


def _has_agents(plan: PlanSpec) -> bool:
    """Tell whether a task is done by an agent that a plan can keep from something."""
    return len(own_tasks(plan)) < len(plan.tasks) or not plan.tasks


def _beside_own_code(plan: PlanSpec, verb: str, agents: Phrase) -> Phrase:
    """Say what agents may, and before it what no plan keeps code of the person's own from."""
    if not own_tasks(plan):
        return agents
    others = "other agents" if own_agents(plan) else "agents"
    return (f"what your {kinds(plan)} {verb}; your {others}: ", *agents)


def _writes(plan: PlanSpec) -> Phrase:
    kept = "outputs are kept in the store"
    if not _has_agents(plan):
        return (f"what your {kinds(plan)} write; {kept}",)
    return _beside_own_code(plan, "write", (f"nothing in your files; {kept}",))


def _reaches(plan: PlanSpec) -> Phrase:
    listed = [*plan.hosts, *(h for task in plan.tasks for h in task.hosts), *model_hosts(plan)]
    hosts = _reached(listed, plan)
    if not _has_agents(plan):
        models: Phrase = ("; their models: ", *enumerate_names(hosts)) if hosts else ()
        return (f"what your {kinds(plan)} reach", *models)
    said: Phrase = enumerate_names(hosts, most=12) if hosts else ("no host",)
    return _beside_own_code(plan, "reach", said)


def refused(plan: PlanSpec) -> str:
    """Say what happens to what the plan does not allow, as far as anything stops it."""
    if not own_tasks(plan):
        return "What lies outside the plan is refused."
    if not _has_agents(plan):
        return f"Only these {kinds(plan)} are called; nothing checks what they do."
    others = "other agents" if own_agents(plan) else "agents"
    return (
        f"What lies outside the plan is refused to {others}; "
        f"nothing checks what your {kinds(plan)} do."
    )


def _spends(plan: PlanSpec, quote: Quote | None) -> Phrase:
    limit = _limit(plan)
    cost: Phrase = (_unlimited(plan),)
    short: Phrase = ()
    if limit is not None:
        cost = ("at most ", Strong(limit_words(limit))) if limit else _nothing(plan)
        if plan.is_replayed and not own_tasks(plan):
            cost, quote = ("no money: a cassette answers",), None
        # Without a budget the limit is what its tasks cap themselves: there is none to raise.
        short = short_of(limit, quote) if plan.budget is not None else ()
        cost = (*cost, *short)
    if plan.deadline_s is not None:
        then = "; at most " if short else " and at most "
        return (*cost, then, Strong(words.duration(plan.deadline_s)), " in all")
    longest = max((task.timeout_s for task in plan.tasks), default=0.0)
    return (*cost, f"; each attempt takes at most {words.duration(longest)}")


def _nothing(plan: PlanSpec) -> Phrase:
    if not plan.budget:
        return ("no money",)
    return ("nothing of its budget of ", Strong(limit_words(plan.budget)))


def _limit(plan: PlanSpec) -> float | None:
    """Return the most that a plan can cost, in dollars; None if nobody has set a limit."""
    if plan.tasks and all(map(_costs_nothing, plan.tasks)):
        return 0.0
    if plan.budget is not None:
        return plan.budget
    free = [task for task in plan.tasks if task.cap_cost is None]
    if any(own_work(task) or _may_pay(plan, task) for task in free):
        return None
    return sum(task.cap_cost or 0.0 for task in plan.tasks)


def _costs_nothing(task: TaskSpec) -> bool:
    """Tell whether an agent only uses hypernb's own tools, which pay nobody."""
    work = task.work
    return isinstance(work, AgentWork) and not (work.model or work.function or task.cap_cost)


def _may_pay(plan: PlanSpec, task: TaskSpec) -> bool:
    name = task.work.model if isinstance(task.work, AgentWork) else ""
    price = plan.models[name].price if name in plan.models else None
    is_free = plan.is_replayed or (price is not None and price.is_free)
    return bool(name) and not is_free


def _unlimited(plan: PlanSpec) -> str:
    payers = [kinds(plan)] if own_tasks(plan) else []
    payers += ["models"] if plan.models_used and not plan.is_replayed else []
    said = f"what your {' and '.join(payers)} {'cost' if 'models' in payers else 'pay'}"
    return f"{said}; no budget is set" if "models" in payers else said


def _starts(plan: PlanSpec) -> Phrase:
    if not _has_agents(plan):
        return (f"what your {kinds(plan)} start",)
    found = list(commands(plan))
    if not found:
        said: Phrase = ("only the tools named with each task",)
        return _beside_own_code(plan, "start", said)
    parts: list[Any] = []
    for index, (task, command) in enumerate(found[:_COMMANDS_SHOWN]):
        parts += ["; " if index else "", Code(command), " for ", Code(line(task, cut_at=60))]
    if len(found) > _COMMANDS_SHOWN:
        parts.append(f"; and {len(found) - _COMMANDS_SHOWN} more, each under its task")
    # A fence that is not there must not be promised.
    parts.append(". It is the project's own code and runs with your rights.")
    return _beside_own_code(plan, "start", tuple(parts))


def commands(plan: PlanSpec) -> Iterator[tuple[str, str]]:
    """Yield every command line that the plan names, with the task that runs it."""
    for task in plan.tasks:
        if isinstance(task.work, AgentWork):
            for params in task.work.params.values():
                said = _command(params)
                if said:
                    yield task.name, said


def _command(params: Mapping[str, Any]) -> str:
    given = params.get("command")
    if isinstance(given, list | tuple):
        return line(shlex.join(map(str, given)))
    return line(given) if given else ""


def expected(figures: Figures) -> list[tuple[str, Phrase]]:
    """Return what is likely to happen after a yes, term by term."""
    plan = figures.plan
    if plan is None:
        return []
    agents = [agent for agent in figures.agents if agent]
    crew = f" by {words.count(len(agents), 'agent')}" if agents else ""
    at_once = min(plan.concurrency, len(plan.tasks))
    terms: list[tuple[str, Phrase]] = [
        ("Work", (Strong(_work_to_do(figures)), crew)),
        ("Time", _time(figures, plan)),
        ("At once", (f"up to {words.count(at_once, 'task')}",)),
        ("Planned by", (line(plan.planned_by or "a person", cut_at=120),)),
    ]
    if figures.shared:
        origin = Code(figures.snapshot.mission.forked_from)
        names = enumerate_names([line(each.name, cut_at=80) for each in figures.shared], most=6)
        is_one = len(figures.shared) == 1
        whose = "its output is that of " if is_one else "their outputs are those of "
        done = (*names, f" will not run: {whose}", origin)
        terms.insert(1, ("Shared", done))
    is_free = figures.has_nothing_to_run or plan.is_replayed
    cost = None if is_free else figures.past.cost
    quotes = _quotes(figures, plan)
    if quotes:
        terms[1:1] = quotes
    elif cost:
        limits = words.money_range(cost.low, cost.high)
        terms.insert(1, ("Cost", ("about ", Strong(dollars(cost.typical)), limits)))
    if figures.past.missions and (cost or (figures.left and figures.left.missions)):
        known = words.count(figures.past.missions, "past mission")
        terms.append(("Based on", (f"{known} like this one",)))
    if plan.result:
        terms.append(("Result", ("the output of ", Code(line(plan.result, cut_at=80)))))
    return terms


def _quotes(figures: Figures, plan: PlanSpec) -> list[tuple[str, Phrase]]:
    whole = figures.outlook.quote()
    if whole is None or not plan.models_used or figures.has_nothing_to_run:
        return []
    cost = quote_dollars(whole)
    rest = quote_words(whole).removeprefix(cost)
    terms: list[tuple[str, Phrase]] = [("Quote", (Strong(cost), rest))]
    with_models = {task.name for task in plan.tasks if model_name(task)}
    if len(plan.tasks) == 1:
        with_models = set()  # the whole says it
    known = [quote for quote in figures.outlook.quotes if quote.task in with_models]
    terms += [
        (f"– {line(quote.task, cut_at=60)}", (quote_words(quote, whole=whole),))
        for quote in known[:_QUOTES_SHOWN]
    ]
    if len(known) > _QUOTES_SHOWN:
        rest = f"{len(known) - _QUOTES_SHOWN:,} more, each under its task"
        terms.append(("–", (rest,)))
    return terms


def _work_to_do(figures: Figures) -> str:
    size = words.count(figures.total, "task")
    return f"{figures.total - len(figures.shared):,} of {size}" if figures.shared else size


def _time(figures: Figures, plan: PlanSpec) -> Phrase:
    if figures.has_nothing_to_run:
        return ("none",)
    whole, left = figures.quote, figures.left
    if whole is not None and whole.minutes is not None:
        ends = (60 * whole.minutes.p50, 60 * max(whole.minutes.p50, whole.minutes.p90))
        return ("about ", Strong(roughly(ends[0])), between(*ends))
    if left is not None:
        return ("about ", Strong(left.about), *([left.range] if left.range else []))
    shared, known = {task.name for task in figures.shared}, figures.past.tasks
    runs = [task for task in plan.tasks if task.name not in shared]
    without = sum(1 for task in runs if task.estimate_s is None and task.name not in known)
    return (f"not known: no estimate for {without:,} of {words.count(len(runs), 'task')}",)


def errand(task: TaskSpec) -> str:
    """Return what a task is for in the space of a line; its contract has all of it."""
    said = goal(task)
    if is_told_whole(said):
        return line(said, cut_at=_ERRAND_AT_MOST)
    return f"{line(said[:_ERRAND]).rstrip('…')}… (its contract has all of it)"


def is_told_whole(said: str) -> bool:
    """Tell whether a line says all of a goal."""
    return "\n" not in said and len(said) <= _ERRAND_AT_MOST


def goal(task: TaskSpec) -> str:
    """Return what a task is told, all of it; without what is said of its tools, see `means`."""
    said = clean(task.goal, cut_at=WHOLE_AT_MOST).strip()
    if known := len(means(task)):
        said = "\n".join(said.splitlines()[:-known])
    return said


def means(task: TaskSpec) -> list[str]:
    """Return by what an agent without a model does its task, a line for each of its tools.

    They are the last lines of its goal, written with its tools. In the goal of a task with a
    model such lines are only what somebody has written there: perhaps a model.
    """
    if not is_done_by_tools(task):
        return []
    tools = task.work.tools if isinstance(task.work, AgentWork) else ()
    said = clean(task.goal, cut_at=WHOLE_AT_MOST).strip().splitlines()
    last = said[-len(tools) :] if len(said) > len(tools) else []
    if not all(each.startswith(f"{tool}: ") for each, tool in zip(last, tools, strict=False)):
        return []
    return [line(each, cut_at=400) for each in last]


def is_done_by_tools(task: TaskSpec) -> bool:
    """Tell whether an agent only uses its tools, and nobody reads its goal."""
    work = task.work
    return (
        isinstance(work, AgentWork) and not (work.model or work.function) and bool(work.tools)
    )


def contract(
    task: TaskSpec, plan: PlanSpec | None = None, outlook: Outlook = NO_OUTLOOK
) -> list[tuple[str, Phrase]]:
    """Return a task's part of the contract, term by term."""
    terms: list[tuple[str, Phrase]] = [
        ("Does", (Whole(goal(task)) if task.goal.strip() else "what its function does",)),
        *(("By", (each,)) for each in means(task)),
        ("Agent", (line(task.agent, cut_at=120) or "none: a Python function",)),
        ("Needs", enumerate_names(task.needs, most=20) or ("nothing",)),
        *task_model_terms(plan, task, outlook),
        *_work(task),
        *_fences(task, plan),
        *_shares(task),
        ("Done when", (_ENDED,)),
        *_check(task),
        ("Caps", (caps(task, full=True),)),
        ("If it fails", (f"{_IF_IT_FAILS[task.on_failure]}.",)),
    ]
    if not task.repeatable:
        terms.append(("After a crash", ("a person decides: it is not safe to run twice.",)))
    return terms


def _check(task: TaskSpec) -> list[tuple[str, Phrase]]:
    if not task.check:
        return []
    told = "told to its agent; " if task.agent else ""
    return [("Check", (f"{told}nobody checks it yet: ", Whole(clean(task.check))))]


def contract_in_brief(
    task: TaskSpec, plan: PlanSpec | None = None, outlook: Outlook = NO_OUTLOOK
) -> list[tuple[str, Phrase]]:
    """Return what of a contract a table of tasks does not tell, without what goes unsaid."""
    terms = contract(task, plan, outlook)
    if isinstance(task.work, AgentWork) and not is_done_by_tools(task):
        unsaid = _IN_TABLE if task.hosts or own_work(task) else (*_IN_TABLE, "Reaches")
        return [each for each in terms if each[0] not in unsaid]
    told = _BY_TOOLS if means(task) else _WITH_TOOLS
    if not is_told_whole(goal(task)):
        told = ("Does", *told)
    return [each for each in terms if each[0] in told]


def _fences(task: TaskSpec, plan: PlanSpec | None) -> list[tuple[str, Phrase]]:
    if own_work(task):
        return [("Reads", ("what it likes",)), ("Reaches", ("what it likes",))]
    return [
        ("Reads", _every(task.scope) or ("what the plan allows",)),
        ("Reaches", _every(_reached(task.hosts, plan)) or ("no host",)),
    ]


def _reached(hosts: Iterable[str], plan: PlanSpec | None) -> list[str]:
    """Return hosts without those whose models a cassette answers for."""
    models = plan.models.values() if plan is not None and plan.is_replayed else ()
    spared = {each.host for each in models}
    return [host for host in dict.fromkeys(hosts) if host not in spared]


def _every(names: Sequence[str]) -> Phrase:
    """List what a task may: all of it, and to its end, as a yes allows all of it."""
    return enumerate_names([Code(line(each, cut_at=CUT_AT)) for each in names], most=len(names))


def _shares(task: TaskSpec) -> list[tuple[str, Phrase]]:
    if not task.resources:
        return []
    names = enumerate_names([line(each, cut_at=120) for each in task.resources], most=20)
    return [("Shares", (*names, " with tasks of all missions; it waits for a place"))]


def _work(task: TaskSpec) -> list[tuple[str, Phrase]]:
    work = task.work
    if isinstance(work, PythonWork):
        return [("Runs", runs(work))]
    terms: list[tuple[str, Phrase]] = [
        *([("Runs", runs(work))] if work.function else []),
        ("Tools", _every(work.tools) or ("none",)),
    ]
    for tool, params in work.params.items():
        if params:
            said = _command(params)
            rest = {key: value for key, value in params.items() if key != "command" or not said}
            parts: list[Any] = [Code(line(tool, cut_at=60)), ": "]
            if said:
                parts += [Code(said), "; " if rest else ""]
            parts.append(", ".join(f"{line(k, cut_at=60)} {line(v)}" for k, v in rest.items()))
            terms.append(("With", tuple(parts)))
    return terms


def caps(task: TaskSpec, *, full: bool = False) -> str:
    """Say the caps of a task: cost, time of an attempt, attempts."""
    said = [] if task.cap_cost is None else [limit_words(task.cap_cost)]
    said.append(words.duration(task.timeout_s))
    if full:
        said[-1] += " an attempt"
        said.append(words.count(task.attempts, "attempt"))
    elif task.attempts > 1:
        said.append(words.count(task.attempts, "attempt"))
    return ", ".join(said)
