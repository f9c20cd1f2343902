"""HeadFacts: sentences and figures of a whole mission, from a snapshot that is in memory."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from hypernb.model import MissionState, Past, Spread, TaskState
from hypernb.views import (
    NO_OUTLOOK,
    Code,
    Figures,
    Left,
    Outlook,
    alarms,
    allowed,
    expected,
    first_step,
    gaps,
    named,
    needs,
    next_commands,
    notes,
    outcome,
    refused,
    roughly,
    since,
    story,
    tally,
    tell,
    words,
)
from hypernb.widgets._actions import (
    cancel,
    choices,
    may_retry,
    mission_actions,
    money_actions,
    retry,
    task_actions,
)
from hypernb.widgets._difference import difference_facts
from hypernb.widgets._facts import phrase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypernb.model import Comment, MissionSnapshot, PlanSpec, Quote, Report, TaskId
    from hypernb.views import Need, Part

Facts = dict[str, Any]

# What no reader goes through one by one is counted instead, so that a head of ten thousand
# tasks is as quick to make and to send as one of ten.
NEEDS_SHOWN: Final = 50
ALARMS_SHOWN: Final = 10
GAPS_SHOWN: Final = 50
NOTES_SHOWN: Final = 20
EXPECTED_AT_MOST: Final = 500
CRITICAL_AT_MOST: Final = 1000
_HASH_SHOWN: Final = 8


def head_facts(  # noqa: PLR0913 - each is read by somebody else
    snapshot: MissionSnapshot,
    *,
    durations: Past | Mapping[str, float] | None = None,
    usage: Mapping[TaskId, tuple[float, int]] | None = None,
    comments: Sequence[Comment] = (),
    previous_plan: PlanSpec | None = None,
    report: Report | None = None,
    outlook: Outlook = NO_OUTLOOK,
) -> Facts:
    """Return what every view says of the mission as a whole; reads nothing further.

    Args:
        snapshot: The mission, and when it was read.
        durations: What earlier missions say of it (`hypernb.abc.Store.past`), or seconds by
            task name where their spread is not known.
        usage: Dollars that tasks have paid, and tokens, by the task's id.
        comments: What people have written about the plan, oldest first.
        previous_plan: The revision before the current one, if there is one.
        report: The mission's report, if it has ended with one.
        outlook: What it will probably cost, where that was looked up.
    """
    figures = Figures(snapshot, past=_past(durations), outlook=outlook)
    mission, plan = snapshot.mission, snapshot.plan
    told = story(figures)
    left = figures.left_now if mission.state is MissionState.RUNNING else None
    return {
        "since": since(figures),
        "now": phrase(told.now),
        "waiting": phrase(told.waiting),
        "next": phrase(told.next),
        "total": figures.total,
        "counts": [[state.value, many] for state, many in figures.counts.items()],
        **_left(left),
        "cost": mission.cost,
        "unknown": figures.outlook.unknown,
        "cost_says": figures.cost_so_far,
        "spent": figures.spent_words,
        "reserved": _reserved(figures, usage or {}),
        "budget": figures.budget,
        "quote": _quote(figures),
        "deadline_s": plan.deadline_s if plan else None,
        "at_work": len(figures.active),
        "most_at_once": figures.most_at_once,
        "worked_s": round(figures.all_worked_s, 3),
        "elapsed_s": round(figures.elapsed_s, 3),
        "rested_s": round(figures.rested_s, 3),
        "critical": _critical(figures),
        "critical_says": figures.path_says,
        "expected_s": _expected_s(figures),
        "findings": _findings(figures),
        **_asked(figures),
        "actions": mission_actions(figures),
        "task_actions": task_actions(figures),
        "decision": _decision(figures, comments, previous_plan),
        "last_change": phrase(_last_change(snapshot)),
        "ending": _ending(figures, report),
    }


def _quote(figures: Figures) -> float | None:
    quote, past = figures.outlook.quote(), figures.past.cost
    if quote is not None and quote.dollars is not None:
        return quote.dollars.p50
    return past.typical if past else None


def _past(durations: Past | Mapping[str, float] | None) -> Past:
    if durations is None or isinstance(durations, Past):
        return durations or Past()
    return Past(tasks={name: Spread(1, each, each, each) for name, each in durations.items()})


def _left(left: Left | None) -> Facts:
    if left is None:
        return {"left": "", "left_s": None, "left_limits_s": None, "left_from": ""}
    return {
        "left": left.said,
        "left_s": round(left.seconds, 1) if left.high else None,
        "left_limits_s": left.limits_s,
        "left_from": left.basis,
    }


def _reserved(figures: Figures, usage: Mapping[TaskId, tuple[float, int]]) -> float:
    """Return what the caps of running tasks leave them to spend."""
    active = [*figures.active, *figures.among(TaskState.STALLED)]
    caps = [(task, figures.specs[task.name].cap_cost) for task in active if figures.specs]
    kept = (
        max(0.0, cap - usage.get(task.id, (0.0, 0))[0]) for task, cap in caps if cap is not None
    )
    return round(sum(kept), 6)


def _critical(figures: Figures) -> list[str]:
    path = figures.longest_path
    return list(path) if len(path) <= CRITICAL_AT_MOST else []


def _expected_s(figures: Figures) -> dict[str, float]:
    """Return what is known of how long tasks take that have not ended; those at work first."""
    if figures.snapshot.mission.state.is_final:
        return {}
    known, specs = figures.past.tasks, figures.specs
    found: dict[str, float] = {}
    for task in figures.unfinished:
        if len(found) == EXPECTED_AT_MOST:
            break
        spread, spec = known.get(task.name), specs.get(task.name)
        expects = spread.typical if spread else spec.estimate_s if spec else None
        if expects is not None:
            found[task.name] = expects
    return found


def _findings(figures: Figures) -> str:
    found = figures.snapshot.findings
    many = max(len(found), sum(task.findings for task in figures.snapshot.tasks))
    if not many:
        return ""
    so_far = "" if figures.snapshot.mission.state.is_final else " so far"
    said = f"{words.count(many, 'finding')}{so_far}"
    # Findings may come a moment later than the tasks that count them.
    return f"{said}: {tally(found)}" if len(found) == many else said


# -- who needs whom ----------------------------------------------------------------------


def _asked(figures: Figures) -> Facts:
    if figures.snapshot.mission.state.is_final:
        return {"needs": [], "alarms": []}
    wanted, seeming = needs(figures), alarms(figures)
    return {
        "needs": [
            *(_need(figures, need) for need in wanted[:NEEDS_SHOWN]),
            *_and_more(len(wanted) - NEEDS_SHOWN),
        ],
        "alarms": [
            *(_alarm(figures, need) for need in seeming[:ALARMS_SHOWN]),
            *_and_more(len(seeming) - ALARMS_SHOWN),
        ],
    }


def _need(figures: Figures, need: Need) -> Facts:
    task = figures.tasks.get(need.task)
    if need.about == "money":
        asked = money_actions(figures)
    elif task is None:
        asked = [cancel(figures)]
    else:
        tries = [retry(figures, task, primary=True)] if may_retry(figures, task) else []
        asked = [*tries, cancel(figures)]
    return {"task": need.task, "what": phrase(need.what), "actions": asked}


def _alarm(figures: Figures, need: Need) -> Facts:
    task = figures.tasks.get(need.task)
    tries = [retry(figures, task)] if task and may_retry(figures, task) else []
    made = {"task": need.task, "what": phrase(need.what), "actions": tries}
    return made | {"ends": True} if need.ends else made


def _and_more(many: int) -> list[Facts]:
    if many <= 0:
        return []
    return [{"task": "", "what": [f"And {many:,} more like these."], "actions": []}]


# -- before: the decision ----------------------------------------------------------------


def _decision(
    figures: Figures,
    comments: Sequence[Comment],
    previous_plan: PlanSpec | None,
) -> Facts | None:
    plan, mission = figures.plan, figures.snapshot.mission
    if plan is None or not figures.decides:
        return None
    difference = None
    if previous_plan is not None:
        revisions = (mission.revision - 1, mission.revision)
        difference = difference_facts(previous_plan, plan, revisions)
    return {
        "allow": _allowed(plan, figures.quote),
        "expect": [_fact(label, said) for label, said in expected(figures)],
        "notes": [[note] for note in notes(plan)[:NOTES_SHOWN]],
        # A plan with problems is never stored; those of a draft are the answer to `check`.
        "problems": [],
        "models": choices(figures),
        "record": phrase(_record(figures, plan)),
        "steps": [phrase(step) for step in _steps(figures, plan)],
        "part": {
            "record": [f"{_PART_RECORD} {refused(plan)}"],
            "steps": [[step] for step in _PART_STEPS],
        },
        "difference": difference,
        "comments": [
            {
                "task": comment.task,
                "text": comment.text,
                "by": comment.by,
                "at": comment.at.isoformat(),
            }
            for comment in comments
        ],
    }


def _fact(label: str, said: Sequence[Part]) -> Facts:
    return {"label": label, "said": phrase(said)}


_allowed_by: Final[dict[int, tuple[PlanSpec, Quote | None, list[Facts]]]] = {}
_lock: Final = threading.Lock()
_KEPT: Final = 4


def _allowed(plan: PlanSpec, quote: Quote | None) -> list[Facts]:
    # Nothing but these two decides it, and of ten thousand tasks it takes a while to tell.
    with _lock:
        known = _allowed_by.get(id(plan))
    if known is not None and known[1] == quote:
        return known[2]
    made = [_fact(label, said) for label, said in allowed(plan, quote)]
    with _lock:
        _allowed_by[id(plan)] = (plan, quote, made)
        while len(_allowed_by) > _KEPT:
            del _allowed_by[next(iter(_allowed_by))]
    return made


_PART_RECORD: Final = (
    "Approving a part makes a new revision with only the ticked tasks and records that one, "
    "its hash, your name and the time. You can pause or cancel later."
)
_PART_STEPS: Final = (
    "A new revision with only the ticked tasks is made and approved.",
    "What needs nothing starts at once. The others follow, each when what it needs is done.",
    "It ends when these tasks are done.",
)


def _record(figures: Figures, plan: PlanSpec) -> tuple[Part, ...]:
    if figures.has_nothing_to_run:
        return (refused(plan),)  # a view offers no approval of it
    mission = figures.snapshot.mission
    then = f"You can pause or cancel later. {refused(plan)}"
    return (
        f"Approving records revision {mission.revision}, its hash ",
        Code(mission.plan_hash[:_HASH_SHOWN] or "(none)"),
        f", your name and the time. {then}",
    )


def _steps(figures: Figures, plan: PlanSpec) -> list[tuple[Part, ...]]:
    if figures.has_nothing_to_run:
        return [
            ("Nothing runs, for all of its tasks are done. Its outputs are there already.",)
        ]
    first = len(figures.first_wave)
    steps = [first_step(figures, "Once approved,")]
    if figures.total - len(figures.shared) > first:
        steps.append(("The others follow, each when what it needs is done.",))
    left = figures.left
    after = f", after about {roughly(left.seconds)}" if left else ""
    if plan.last_tasks == (plan.result,):
        steps.append(("It ends with the output of ", named(plan.result), f"{after}."))
    elif plan.result:
        result = ("Its result is the output of ", named(plan.result), ".")
        steps.append((f"It ends when all of them are done{after}. ", *result))
    else:
        steps.append((f"It ends when all of them are done{after}.",))
    return steps


# -- afterwards --------------------------------------------------------------------------


def _last_change(snapshot: MissionSnapshot) -> tuple[Part, ...]:
    if not snapshot.events:
        return ("No change yet.",)
    last = snapshot.events[-1]
    subject: tuple[Part, ...] = (named(last.task), ": ") if last.task else ()
    return (f"{words.clock(last.at)}: ", *subject, *tell(last))


def _ending(figures: Figures, report: Report | None) -> Facts | None:
    if not figures.snapshot.mission.state.is_final:
        return None
    found = gaps(figures, report)
    more = len(found) - GAPS_SHOWN
    rows = [{"task": gap.task or gap.what, "why": [gap.why]} for gap in found[:GAPS_SHOWN]]
    if more > 0:
        said = f"And {more:,} more; each has its reason in the store."
        rows.append({"task": "", "why": [said]})
    return {
        "outcome": [outcome(figures, report)],
        "gaps": rows,
        "commands": [
            {"label": typed, "said": [does]}
            for typed, does in next_commands(figures, live=True)
        ],
    }
