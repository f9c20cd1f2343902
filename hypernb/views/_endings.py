"""A mission that has ended: the outcome first, then what it rests on, and how to go on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hypernb.errors import dollars
from hypernb.model import MissionState, QuoteSource, TaskState
from hypernb.views import words
from hypernb.views._clean import line
from hypernb.views._decision import commands, plan_table
from hypernb.views._findings import findings_table, tally
from hypernb.views._graph import graph
from hypernb.views._icons import severity, state
from hypernb.views._markup import Html, el, join, pairs, sentence, table, whole
from hypernb.views._models import quote_dollars, quote_words
from hypernb.views._phrase import enumerate_names, plain
from hypernb.views._story import Gap, gaps, lacks, reason
from hypernb.views._task_table import task_table
from hypernb.views._timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypernb.model import Answer, MissionRecord, Report, SprintItem, TaskRecord
    from hypernb.views._figures import Figures
    from hypernb.views._story import Story

GAPS_SHOWN: Final = 50
ANSWER_AT_MOST: Final = 20_000
ANSWERS_SHOWN: Final = 20
_HEADLINE: Final = 160
_WORD: Final = re.compile(r"[A-Za-z][\w-]{0,59}")
_KINDS: Final = {MissionState.SUCCEEDED: "end-good", MissionState.FAILED: "end-bad"}


def ending(figures: Figures, told: Story, result: Report | None) -> Html:
    """Say in a block how it ended."""
    mission = figures.snapshot.mission
    return el(
        "section",
        el(
            "p",
            state(words.state_word(mission.state), strong=True),
            Html(" "),
            el("span", took(figures), cls="since"),
            cls="stateline",
        ),
        el("p", outcome(figures, result), cls="outcome"),
        pairs(((label, sentence(said)) for label, said in told.lines()), cls="now"),
        cls=f"block {_KINDS.get(mission.state, 'end-neutral')}",
        aria_label="Outcome",
    )


def took(figures: Figures) -> str:
    """Say how long it took, what it cost and when it ended."""
    mission = figures.snapshot.mission
    said = []
    if mission.started_at is not None:
        said.append(f"in {words.duration(figures.took_s)}")
    if mission.cost or figures.outlook.unknown:
        said[-1:] = [f"{said[-1] if said else ''} for {figures.cost_so_far}".strip()]
    if rested := round(figures.rested_s):
        said.append(f"with a pause of {words.duration(rested)}")
    if mission.finished_at is not None:
        said.append(f"ended {words.moment(mission.finished_at, now=figures.snapshot.now)}")
    return ", ".join(said)


def outcome(figures: Figures, result: Report | None = None) -> str:
    """Say in one or two sentences what came of it."""
    mission = figures.snapshot.mission
    match mission.state:
        case MissionState.SUCCEEDED:
            return f"{_came_out(figures, result)}{_quoted(figures)}"
        case MissionState.FAILED:
            return f"{_went_wrong(figures, mission)}{_quoted(figures)}"
        case MissionState.REJECTED:
            return f"No to the plan{words.because(mission.state, mission.error)}"
        case _:
            done = figures.counts.get(TaskState.SUCCEEDED, 0)
            of = words.count(figures.total, "task")
            why = words.because(mission.state, mission.error)
            if not figures.total:
                return f"Ended{why}"
            return f"Ended{why} {done:,} of {of} succeeded.{_quoted(figures)}"


def _quoted(figures: Figures) -> str:
    """Say what it cost beside what was quoted, as a further sentence; empty without a quote."""
    quote = figures.outlook.quote()
    if quote is None or quote.source is QuoteSource.NOTHING:
        return ""
    if quote.source is QuoteSource.UNKNOWN:
        if quote.dollars is not None:
            return f" {_cost(figures)}; quoted: {quote_dollars(quote)}."
        return f" {_cost(figures)}; before, there was nothing to quote it by."
    return f" {_cost(figures)}; quoted: {quote_words(quote)}."


def _cost(figures: Figures) -> str:
    unknown = figures.outlook.unknown
    if unknown and not figures.snapshot.mission.cost:
        return f"What {words.count(unknown, 'call')} cost is not known"
    if planned := figures.outlook.planning:
        if figures.outlook.at_most:
            planning = words.cost_and_unknown(planned, 0, figures.outlook.planning_at_most)
            return f"It cost {figures.cost_so_far}, of which planning {planning}"
        return f"Planning cost {dollars(planned)}, the tasks {figures.cost_of_tasks}"
    return f"It cost {figures.cost_so_far}"


def _came_out(figures: Figures, result: Report | None) -> str:
    findings = figures.snapshot.findings
    said = [_all(figures) if _all_well(figures) else _partly(figures)]
    if findings:
        said.insert(0, f"{words.count(len(findings), 'finding')}: {tally(findings)}.")
    if answered := _answered(figures):
        said.insert(0, answered)
    elif not findings and any(task.outcome for task in figures.snapshot.tasks):
        lacking = any(lacks(task) for task in figures.snapshot.tasks)
        said.insert(0, "No findings from what could run." if lacking else "No findings.")
    if result is not None and result.summary:
        said = [line(result.summary, cut_at=600), *said[-1:]]
    return " ".join(said)


def _answered(figures: Figures) -> str:
    """Say in a sentence what the result says; empty if there is nothing to say of it."""
    told = figures.snapshot.answers
    if len(told) > 1:
        there = figures.results_there
        names = enumerate_names([line(each, cut_at=80) for each in there], most=6)
        return f"{words.count(len(there), 'result')}: {plain(names)}."
    if not told:
        return ""
    only = told[0]
    said = only.text if only.is_text else only.about or only.text
    said = line(said, cut_at=_HEADLINE * 2)
    if len(said) > _HEADLINE:
        return f"{said[:_HEADLINE].rstrip(' …')} …"
    if not only.is_text:
        said = f"The result: {said}"
    return said if said.endswith((".", "!", "?", ":", "…")) else f"{said}."


def _all(figures: Figures) -> str:
    few = {1: "Its task succeeded", 2: "Both tasks succeeded"}
    said = few.get(figures.total, f"All {figures.total:,} tasks succeeded")
    if not figures.shared:
        return f"{said}."
    origin = figures.snapshot.mission.forked_from
    are = "is" if len(figures.shared) == 1 else "are"
    return (
        f"{said}; {len(figures.shared):,} of them {are} shared with {origin} and did not run."
    )


def _all_well(figures: Figures) -> bool:
    return figures.counts.get(TaskState.SUCCEEDED, 0) == figures.total and not any(
        lacks(task) for task in figures.snapshot.tasks
    )


def _partly(figures: Figures) -> str:
    done = figures.counts.get(TaskState.SUCCEEDED, 0)
    lacking = sum(lacks(task) for task in figures.snapshot.tasks)
    said = f"{done:,} of {words.count(figures.total, 'task')} succeeded"
    return f"{said}; {lacking:,} of them could not do all." if lacking else f"{said}."


def _went_wrong(figures: Figures, mission: MissionRecord) -> str:
    failed = figures.among(TaskState.FAILED)
    if not failed:
        return f"It failed{words.because(mission.state, mission.error)}"
    first = failed[0]
    more = f" {words.count(len(failed) - 1, 'more task')} failed." if len(failed) > 1 else ""
    return f"{line(first.name, cut_at=120)} failed: {reason(first)}{more}"


def endings(figures: Figures, result: Report | None) -> Iterator[Html]:
    """Give what the outcome rests on, in the order in which it is asked for."""
    ref = figures.snapshot.mission.short_id
    yield _answers(figures)
    if result is not None and result.sprint:
        yield el(
            "section", el("h4", "Proposed sprint", cls="h"), sprint(result.sprint), cls="block"
        )
    if figures.snapshot.findings:
        how = figures.typed(f"export {ref} {ref}.json")
        told = findings_table(figures.snapshot.findings, how=how)
        yield el("section", told, cls="block", aria_label="Findings")
    yield _gaps(figures, result)
    yield timeline(figures)
    if figures.snapshot.mission.started_at is not None:
        yield graph(figures, "Graph, as it ended")
    if figures.snapshot.mission.state is MissionState.REJECTED:
        yield el("div", plan_table(figures), cls="block")
    elif figures.snapshot.tasks:
        yield el("div", task_table(figures), cls="block")
    yield _go_on(figures)


def _answers(figures: Figures) -> Html:
    told = figures.snapshot.answers
    if not told:
        return Html("")
    parts: list[Html] = []
    for each in told:
        if len(told) > 1:
            parts.append(el("p", el("code", line(each.task, cut_at=120)), cls="b"))
        parts.append(_answer(each))
    if said := rest_of_result(figures):
        typed = el("code", figures.typed(f"result {figures.snapshot.mission.short_id}"))
        parts.append(el("p", f"{said}: ", typed, ".", cls="quiet"))
    title = result_title(figures)
    return el("section", el("h4", title, cls="h"), *parts, cls="block", aria_label=title)


def result_title(figures: Figures) -> str:
    """Say above a mission's result whether that is all of it."""
    return "Result" if figures.has_result else "What there is of its result"


def rest_of_result(figures: Figures) -> str:
    """Say what of the result is not shown, before how to get it; empty if all of it is."""
    if (more := len(figures.results_there) - ANSWERS_SHOWN) > 0:
        return f"And {words.count(more, 'more result')}. All of them"
    is_cut = any(len(each.text) > ANSWER_AT_MOST for each in figures.snapshot.answers)
    return "All of it" if is_cut else ""


def _answer(told: Answer) -> Html:
    if not told.text:
        return el("p", line(told.about))
    text = whole(told.text.strip(), cut_at=ANSWER_AT_MOST)
    if told.is_text:
        return el("p", text, cls="whole", dir="auto")
    return el("pre", text, tabindex=0)


def sprint(items: tuple[SprintItem, ...]) -> Html:
    """List the proposed pieces of work, first things first."""
    return el("ol", *map(_item, items), cls="steps")


def _item(item: SprintItem) -> Html:
    about = [severity(item.severity), f" for {line(item.agent, cut_at=80)}"]
    if item.effort:
        about.append(f", {line(item.effort, cut_at=120)}")
    places = [el("code", line(each, cut_at=200)) for each in item.findings[:5]]
    more = len(item.findings) - len(places)
    where = join(x for place in places for x in (place, " "))
    rest = f"and {more:,} more" if more else ""
    return el(
        "li",
        el("b", line(item.title)),
        " ",
        el("span", line(item.why, cut_at=600)),
        el("p", join(about), cls="quiet"),
        el("p", "Settles ", where, rest, cls="quiet") if places else None,
    )


def _gaps(figures: Figures, result: Report | None) -> Html:
    found = gaps(figures, result)
    if not found:
        return Html("")
    shown = found[:GAPS_SHOWN]
    told = table(
        "What was not done, and why", ["Task or tool", "What", "Why"], map(_gap, shown)
    )
    more = len(found) - len(shown)
    rest = el("p", f"And {more:,} more; each has its reason in the store.", cls="quiet")
    return el(
        "section", told, rest if more else None, cls="block", aria_label="What was not done"
    )


def _gap(gap: Gap) -> Html:
    why = gap.why[:1].upper() + gap.why[1:]
    detail = None
    if gap.detail:
        text = el("pre", whole(gap.detail, cut_at=ANSWER_AT_MOST), tabindex=0)
        detail = el("details", el("summary", "The whole error"), text)
    return el(
        "tr",
        el("th", el("code", line(gap.task) or gap.what), scope="row"),
        el("td", gap.what if gap.task else "did not run"),
        el("td", why, detail, cls="wide"),
    )


def next_commands(figures: Figures, *, live: bool = False) -> list[tuple[str, str]]:
    """Return what can be typed after the end, each with what it does; in a live view or not."""
    mission = figures.snapshot.mission
    ref = mission.short_id
    rows = []
    if mission.state is MissionState.SUCCEEDED:
        form = "the result in full" if figures.cli else "the result as a Python object"
        rows.append((figures.typed(f"result {ref}"), form))
        if anew := figures.rewinds_what_failed:
            rows.append((anew, "what failed anew, in a new mission"))
    elif mission.state is MissionState.FAILED and figures.results_there:
        rows.append((figures.typed(f"result {ref}"), "what there is of its result"))
    if figures.is_out_of_money:
        rows.append((figures.larger_budget, "a new mission with what is done, and more money"))
    elif figures.is_capped:
        rewind = figures.typed(f"rewind {ref}")
        rows.append((rewind, "a new mission with what is done, whose caps can be higher"))
    elif figures.total and mission.state in (MissionState.FAILED, MissionState.CANCELLED):
        rows.append(
            (figures.typed(f"rewind {ref}"), "this plan again, as a new mission")
            if figures.was_never_to_run
            else (figures.typed(f"retry {ref}"), "goes on; what succeeded is not run again")
        )
    if mission.state is MissionState.SUCCEEDED and (failed := figures.among(TaskState.FAILED)):
        again = figures.typed(f"rewind {ref} {_ref(failed[0])}")
        rows.append((again, "tries what failed anew, as a new mission with the rest of it"))
    if not live and not figures.cli:
        rows.append((f"%hyper attach {ref}", "the live view, with its buttons"))
    rows.append((figures.typed(f"show {ref}"), "this view, as it is now"))
    if mission.state is not MissionState.REJECTED:
        rows.append((figures.typed(f"events {ref}"), "all that happened, one line each"))
    rows.append((figures.typed(f"export {ref} {ref}.html"), "the mission as one file"))
    return rows


def _ref(task: TaskRecord) -> str:
    """Return a task's name as it can be typed, its number where that is no plain word."""
    return task.name if _WORD.fullmatch(task.name) else f"t{task.number}"


def _go_on(figures: Figures) -> Html:
    return el(
        "section",
        el("h4", "Go on", cls="h"),
        commands(*next_commands(figures)),
        cls="block",
        aria_label="Go on",
    )
