"""Many missions: rows of a list, two side by side, and what one is turned into."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import PathError, UnknownNameError, UsageError, limit_words
from hypernb.model import MissionState, TaskState
from hypernb.session import RETRIABLE
from hypernb.views import (
    TASK_ORDER,
    Code,
    Figures,
    Strong,
    all_done,
    clean,
    enumerate_names,
    line,
    named,
    words,
)
from hypernb.widgets._actions import action
from hypernb.widgets._difference import difference_facts
from hypernb.widgets._facts import mission_facts, phrase
from hypernb.widgets._shown import finding_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hypernb.model import (
        Finding,
        MissionId,
        MissionRecord,
        MissionSnapshot,
        MissionSummary,
        SearchHit,
        TaskRecord,
    )
    from hypernb.session import Mission, Session
    from hypernb.views import Part

Facts = dict[str, Any]

ROWS_AT_MOST: Final = 500
FINDINGS_AT_MOST: Final = 200
TASKS_AT_MOST: Final = 1_000
_GOAL_CUT_AT: Final = 2_000
_ESTIMATED_AT_MOST: Final = 12
_PLACES_AT_MOST: Final = 3
_SNIPPET_CUT_AT: Final = 200
_SPACES: Final = re.compile(r"\s+")
_NAMES_TRIED: Final = 1_000
_SAME_S: Final = 0.001
_AT_WORK: Final = (TaskState.RUNNING, TaskState.VERIFYING)


# -- rows --------------------------------------------------------------------------------


def rows(
    session: Session,
    text: str = "",
    states: Sequence[str] = (),
    limit: int = 50,
    offset: int = 0,
) -> Facts:
    """Return missions newest first, and how many there are in all.

    Args:
        session: Whose store is read.
        text: Only missions that have each of these words somewhere; see
            `hypernb.abc.Store.summaries`.
        states: Only missions in these states; of all if empty.
        limit: At most so many, 500 at the most.
        offset: Leave out so many of the newest.

    Raises:
        UnknownNameError: There is no such state.
    """
    session.end_lost_plannings()
    found, total = session.store.summaries(
        text=text,
        states=[_state(each) for each in states],
        limit=min(max(limit, 0), ROWS_AT_MOST),
        offset=max(offset, 0),
    )
    left = _left(session, found)
    return {"rows": [_row(each, left) for each in found], "total": total}


def _left(session: Session, found: Sequence[MissionSummary]) -> dict[MissionId, str]:
    """Say of the first few that run how long they probably still take; others are read less."""
    running = [each.mission.id for each in found if each.mission.state is MissionState.RUNNING]
    store, said = session.store, {}
    for mission_id in running[:_ESTIMATED_AT_MOST]:
        figures = Figures(store.snapshot(mission_id, events=0), past=store.past(mission_id))
        left = figures.left_now
        said[mission_id] = left.said if left else ""
    return said


def _state(name: str) -> MissionState:
    try:
        return MissionState(name)
    except ValueError:
        known = [state.value for state in MissionState]
        raise UnknownNameError("state of a mission", name, known) from None


def _row(summary: MissionSummary, left: Mapping[MissionId, str]) -> Facts:
    counts = summary.counts
    facts = mission_facts(summary.mission)
    facts["goal"] = line(facts["goal"], cut_at=_GOAL_CUT_AT)
    return {
        "mission": facts,
        "total": summary.total,
        "counts": [(state.value, counts[state]) for state in TASK_ORDER if state in counts],
        "at_work": sum(counts.get(state, 0) for state in _AT_WORK),
        "told": phrase(told(summary)),
        "found": phrase(found_in(summary.found)),
        "needs_you": needs_you(summary),
        "cost": words.cost_and_unknown(summary.mission.cost, summary.unknown, summary.at_most),
        "figures": _figures(summary, left.get(summary.mission.id, "")),
        "actions": actions(summary),
    }


def _figures(summary: MissionSummary, left: str) -> str:
    """Say what it spends, has found and still takes, as far as there is anything to say."""
    found = words.count(summary.findings, "finding") if summary.findings else ""
    return ", ".join(filter(None, [_spending(summary), found and f"{found} so far", left]))


def _spending(summary: MissionSummary) -> str:
    cost, budget = summary.mission.cost, summary.budget
    if summary.mission.started_at is None:
        return "" if budget is None else f"It may spend {limit_words(budget)}"
    if summary.unknown:
        return words.cost_and_unknown(cost, summary.unknown, summary.at_most)
    if budget is not None:
        return f"{_at_most(cost, summary.at_most)}{words.money_of(cost, budget)} spent"
    return f"{words.cost_and_unknown(cost, 0, summary.at_most)} spent" if cost else ""


def _at_most(cost: float, calls: int) -> str:
    return "at most " if cost and calls else ""


def needs_you(summary: MissionSummary) -> bool:
    """Tell whether a person has to decide something before all of it can go on."""
    state = summary.mission.state
    if state is MissionState.AWAITING_APPROVAL:
        return not (summary.is_approved or _is_done_already(summary))
    return state is MissionState.RUNNING and TaskState.AWAITING_APPROVAL in summary.counts


def _is_done_already(summary: MissionSummary) -> bool:
    return bool(summary.mission.forked_from) and set(summary.counts) == {TaskState.SUCCEEDED}


def told(summary: MissionSummary) -> tuple[Part, ...]:
    """Say in a sentence or two what a mission does, waits for, or came to."""
    match summary.mission.state:
        case MissionState.PLANNING:
            return ("The plan is being made. Nothing runs.",)
        case MissionState.AWAITING_APPROVAL if summary.is_approved:
            return ("The plan is approved. It starts as soon as a runner takes it up.",)
        case MissionState.AWAITING_APPROVAL:
            return _asked(summary)
        case MissionState.RUNNING:
            return _under_way(summary)
        case MissionState.PAUSED:
            return (
                "Paused: nothing new starts until you resume it; ",
                f"{_done(summary)} had succeeded.",
            )
        case _:
            return _ended(summary)


def _asked(summary: MissionSummary) -> tuple[Part, ...]:
    if _is_done_already(summary):
        done = all_done(summary.total, line(summary.mission.forked_from))
        return (f"{done} ", Strong("Nothing would run."))
    size = words.count(summary.total, "task")
    return (f"The plan is ready: {size}. ", Strong("Nothing runs until you approve it."))


def _under_way(summary: MissionSummary) -> tuple[Part, ...]:
    def those(*states: TaskState) -> tuple[list[str], int]:
        names = [name for name, state in summary.at_hand if state in states]
        return names, sum(summary.counts.get(state, 0) for state in states)

    asks, many_asks = those(TaskState.AWAITING_APPROVAL)
    work, many_work = those(*_AT_WORK)
    stalled, many_stalled = those(TaskState.STALLED)
    said: list[Part] = []
    if many_asks:
        said += [Strong(f"It needs you for {words.count(many_asks, 'decision')}"), ": "]
        said += [*_named(asks, many_asks), ". "]
    if many_work:
        verb = "task is" if many_work == 1 else "tasks are"
        said += [f"{many_work:,} {verb} running: ", *_named(work, many_work), "."]
    elif many_stalled:
        said += ["No sign of life from ", *_named(stalled, many_stalled), "."]
    else:
        said.append("Nothing runs at this moment.")
    return tuple(said)


def _named(names: Sequence[str], many: int) -> tuple[Part, ...]:
    shown = enumerate_names(names[:3], most=3)
    rest = many - min(len(names), 3)
    return (*shown, f" and {rest:,} more") if rest > 0 else shown


def _ended(summary: MissionSummary) -> tuple[Part, ...]:
    mission = summary.mission
    found = words.count(summary.findings, "finding") if summary.findings else ""
    because = words.because(mission.state, mission.error, cut_at=300)
    came_to = ", ".join(filter(None, [f"{_done(summary)} succeeded", found]))
    match mission.state:
        case MissionState.SUCCEEDED:
            took = _took(mission)
            said = [found or "No findings", f"{_done(summary)} succeeded"]
            return (", ".join(said) + (f" in {took}." if took else "."),)
        case MissionState.REJECTED:
            return (f"The plan was rejected, and nothing ran{because}",)
        case MissionState.CANCELLED:
            return (f"Cancelled{because} {came_to}.",)
        case _:
            return (f"{because.removeprefix(': ')} {came_to}.".removeprefix(". "),)


def _done(summary: MissionSummary) -> str:
    done = summary.counts.get(TaskState.SUCCEEDED, 0)
    return f"{done:,} of {words.count(summary.total, 'task')}"


def _took(mission: MissionRecord) -> str:
    took_s = mission.took_s()
    return "" if took_s is None else words.duration(took_s)


def found_in(hits: Sequence[SearchHit]) -> tuple[Part, ...]:
    """Say where the words of a search were found; nothing if there was none."""
    if not hits:
        return ()
    said: list[Part] = ["Found in "]
    for place, hit in enumerate(hits[:_PLACES_AT_MOST]):
        said += ["; " if place else "", *_place(hit)]
    more = len(hits) - _PLACES_AT_MOST
    return (*said, f"; and in {words.count(more, 'more place')}." if more > 0 else ".")


def _place(hit: SearchHit) -> tuple[Part, ...]:
    whose: tuple[Part, ...] = (" of ", named(hit.task)) if hit.task else ()
    text = tuple(_around(hit))
    match hit.kind:
        case "task":
            return ("the name of ", named(hit.task))
        case "finding" if hit.where:
            return ("a finding", *whose, ", ", Code(line(hit.where, cut_at=120)), *text)
        case "finding":
            return ("a finding", *whose, *text)
        case "event":
            return ("an event", *whose, *text)
        case kind:
            return (f"the {line(kind, cut_at=40)}", *whose, *text)


def _around(hit: SearchHit) -> Iterator[Part]:
    """Yield the text of a hit, if there is any; what was searched stands out from it."""
    text, at, left = hit.snippet.rstrip(), 0, _SNIPPET_CUT_AT
    parts: list[str | Strong] = []
    for start, end in hit.hits:
        parts += [text[at:start], Strong(text[start + 1 : end - 1])]
        at = end
    yield text and ": "
    for part in (*parts, text[at:]):
        as_it_is = part.text if isinstance(part, Strong) else part
        said = _SPACES.sub(" ", clean(as_it_is, cut_at=left))
        yield said if part is as_it_is else Strong(said)
        left -= len(said)
        if left < 0:
            return


# -- what a row lets one do --------------------------------------------------------------


def actions(summary: MissionSummary) -> list[Facts]:
    """Return the buttons of a row; each names the mission in its arguments.

    A plan is not approved from a row: whoever approves has to see it.
    """
    ref = summary.mission.short_id
    match summary.mission.state:
        case MissionState.RUNNING:
            return [_simply(ref, "pause", "Pause"), _cancel(ref)]
        case MissionState.PAUSED:
            return [_simply(ref, "resume", "Resume", primary=True), _cancel(ref)]
        case MissionState.AWAITING_APPROVAL if summary.is_approved:
            return [_cancel(ref)]
        case MissionState.FAILED | MissionState.CANCELLED if _has_left(summary):
            return [_simply(ref, "retry", "Retry what is left")]
        case _:
            return []


def _has_left(summary: MissionSummary) -> bool:
    has_begun = summary.mission.started_at is not None  # what was never approved has not
    return has_begun and any(state in summary.counts for state in RETRIABLE)


def _simply(ref: str, verb: str, label: str, *, primary: bool = False) -> Facts:
    return action(verb, label, f"%hyper {verb} {ref}", args={"mission": ref}, primary=primary)


def _cancel(ref: str) -> Facts:
    confirm = {
        "question": f"Everything of {ref} that runs is stopped. What is done is kept.",
        "button": f"Cancel {ref}",
    }
    return action(
        "cancel",
        "Cancel mission…",
        f"%hyper cancel {ref}",
        args={"mission": ref},
        confirm=confirm,
    )


# -- two missions side by side -----------------------------------------------------------


def compare(session: Session, a: str, b: str) -> Facts:
    """Return what differs between two missions: plans, tasks, findings, time and money.

    Findings are the same where file, rule, tool and words are: their line may have moved.

    Raises:
        UnknownMissionError: There is no such mission.
        UsageError: It is the same mission twice.
    """
    one, other = session.mission(a), session.mission(b)
    if one.id == other.id:
        raise UsageError(
            f"{one.id} cannot be compared with itself.", hint="Choose two missions."
        )
    first, second = one.snapshot(events=0), other.snapshot(events=0)
    return {
        "a": _side(first, _uncertain(one)),
        "b": _side(second, _uncertain(other)),
        "difference": _difference(first, second),
        "tasks": _tasks(first, second),
        "total_tasks": len({task.name for task in (*first.tasks, *second.tasks)}),
        "findings": _findings(first.findings, second.findings),
    }


def _uncertain(mission: Mission) -> tuple[int, int]:
    """Return of how many calls nobody knows the cost, and of how many only the most."""
    sums = mission.session.store.usage_sums(("mission",), mission_id=mission.record.id)
    return sum(each.unknown for each in sums), sum(each.at_most for each in sums)


def _side(snapshot: MissionSnapshot, uncertain: tuple[int, int]) -> Facts:
    mission = snapshot.mission
    counts = Counter(task.state for task in snapshot.tasks)
    facts = mission_facts(mission)
    facts["goal"] = line(facts["goal"], cut_at=_GOAL_CUT_AT)
    return {
        "mission": facts,
        "counts": [(state.value, counts[state]) for state in TASK_ORDER if counts[state]],
        "facts": [
            {"label": label, "said": [said]} for label, said in _measures(snapshot, uncertain)
        ],
    }


def _measures(snapshot: MissionSnapshot, uncertain: tuple[int, int]) -> list[tuple[str, str]]:
    mission = snapshot.mission
    took_s = mission.took_s(snapshot.now)
    budget = snapshot.plan.budget if snapshot.plan else None
    unknown, at_most = uncertain
    cost = words.cost_and_unknown(mission.cost, unknown, at_most)
    if budget is None:
        cost = f"{cost}, no limit"
    elif not unknown:
        cost = f"{_at_most(mission.cost, at_most)}{words.money_of(mission.cost, budget)}"
    return [
        ("Took", "It has not started." if took_s is None else words.duration(took_s)),
        ("Sum of task times", words.duration(sum(task.worked_s for task in snapshot.tasks))),
        ("Cost", cost),
        ("Findings", f"{len(snapshot.findings):,}"),
    ]


def _difference(first: MissionSnapshot, second: MissionSnapshot) -> Facts | None:
    if first.plan is None or second.plan is None:
        return None
    revisions = (first.mission.revision, second.mission.revision)
    return difference_facts(first.plan, second.plan, revisions)


def _tasks(first: MissionSnapshot, second: MissionSnapshot) -> list[Facts]:
    """Return the tasks of both by name, in the order of the second, then what it lacks."""
    before = {task.name: task for task in first.tasks}
    after = {task.name: task for task in second.tasks}
    names = list(dict.fromkeys((*after, *before)))
    return [
        {
            "name": name,
            "a": _task(before.get(name)),
            "b": _task(after.get(name)),
            "difference": _longer(before.get(name), after.get(name)),
        }
        for name in names[:TASKS_AT_MOST]
    ]


def _task(task: TaskRecord | None) -> Facts | None:
    if task is None:
        return None
    more = [
        words.duration(task.worked_s) if task.worked_s else "",
        words.count(task.attempt, "attempt") if task.attempt > 1 else "",
        words.count(task.findings, "finding") if task.findings else "",
    ]
    return {"state": task.state.value, "more": ", ".join(filter(None, more))}


def _longer(one: TaskRecord | None, other: TaskRecord | None) -> str:
    """Say how much longer or shorter the other one worked; empty if one has not."""
    if one is None or other is None or not (one.worked_s and other.worked_s):
        return ""
    more = other.worked_s - one.worked_s
    if abs(more) < _SAME_S:
        return "the same"
    return f"{words.duration(abs(more))} {'less' if more < 0 else 'more'}"


def _findings(first: Iterable[Finding], second: Iterable[Finding]) -> Facts:
    before, after = _by_key(first), _by_key(second)
    both = sum(min(len(found), len(after.get(key, ()))) for key, found in before.items())
    return {
        "only_a": _only(before, after),
        "only_b": _only(after, before),
        "both": both,
    }


def _by_key(findings: Iterable[Finding]) -> dict[tuple[Any, ...], list[Finding]]:
    kept: dict[tuple[Any, ...], list[Finding]] = {}
    for each in findings:
        key = (each.file, each.cell, each.tool, each.rule, each.category, each.message)
        kept.setdefault(key, []).append(each)
    return kept


def _only(
    here: Mapping[tuple[Any, ...], list[Finding]],
    there: Mapping[tuple[Any, ...], list[Finding]],
) -> Facts:
    found = [each for key, mine in here.items() for each in mine[len(there.get(key, ())) :]]
    found.sort(key=lambda each: -each.severity.rank)
    return {
        "rows": [finding_facts(each) for each in found[:FINDINGS_AT_MOST]],
        "total": len(found),
    }


# -- what a mission is turned into -------------------------------------------------------


def fork(mission: Mission, at: str = "", budget: float | None = None) -> Facts:
    """Begin a new mission that shares what this one has done, up to a task.

    Args:
        mission: What it begins from.
        at: The task that is done anew with all that comes after it; empty for none.
        budget: Another cap on cost, in dollars; that of the plan if None.

    Raises:
        UnknownTaskError: The plan has no such task.
        PlanError: The plan could not be carried out; nothing was stored.
    """
    other: dict[str, Any] = {} if budget is None else {"budget": budget}
    return {"mission": mission.fork(at, **other).id}


def export(mission: Mission, form: str = "html") -> Facts:
    """Write a mission to a new file in the session's folder; no file is ever overwritten.

    Raises:
        UnknownNameError: There is no such form.
        PathError: The file cannot be written.
    """
    from hypernb.session import forms

    known = forms()
    if form not in known:
        raise UnknownNameError("form of export", form, known)
    path = _reserved(mission.session.root, mission.id, known[form])
    try:
        mission.export(path, form=form)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return {"path": str(path)}


def _reserved(folder: Path, name: str, suffix: str) -> Path:
    """Make an empty file under the first free name, so that no other export takes it.

    A link that has the name already is taken for a file, and not followed.
    """
    if Path(name).name != name:
        # A database may come with a cloned repository, and say anything.
        raise PathError(name, "is no name of a file", hint="The store may be damaged.")
    for number in range(1, _NAMES_TRIED):
        path = folder / (f"{name}{suffix}" if number == 1 else f"{name}-{number}{suffix}")
        try:
            path.open("xb").close()
        except FileExistsError:
            continue
        except OSError as error:
            raise PathError(
                str(path),
                f"cannot be written: {error.strerror}",
                hint="%hyper export and a file writes it to another folder.",
            ) from error
        return path
    raise PathError(
        str(folder),
        f"has {_NAMES_TRIED - 1:,} exports of {name}",
        hint="Move some away, or name a file: %hyper export.",
    )
