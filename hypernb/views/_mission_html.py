"""The whole view of a mission as one piece of HTML: no script, nothing fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.model import MissionState, TaskState
from hypernb.views import words
from hypernb.views._board import board
from hypernb.views._clean import clean, line
from hypernb.views._decision import decision, plan_table
from hypernb.views._endings import ending, endings
from hypernb.views._events import tell
from hypernb.views._figures import Figures
from hypernb.views._findings import tally
from hypernb.views._frame import fragment
from hypernb.views._graph import graph
from hypernb.views._icons import icon, state
from hypernb.views._lists import feed
from hypernb.views._markup import Html, el, join, pairs, sentence
from hypernb.views._models import NO_OUTLOOK, Outlook, quoted_words
from hypernb.views._phrase import command, plain
from hypernb.views._story import Story, alarms, needs, story
from hypernb.views._task_table import task_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypernb.model import MissionRecord, MissionSnapshot, Report
    from hypernb.views._story import Need

GOAL_CUT_AT: Final = 1200
SEGMENTS_AT_MOST: Final = 60
ALARMS_SHOWN: Final = 10
FEED_ROWS: Final = 12

_SEGMENT: Final = {
    "good": "b-good",
    "active": "b-active",
    "attention": "b-attention",
    "bad": "b-bad",
}


def mission_html(
    snapshot: MissionSnapshot,
    *,
    live: bool,
    closed: bool = False,
    result: Report | None = None,
    outlook: Outlook = NO_OUTLOOK,
) -> str:
    """Show a mission as a self-contained fragment of HTML, in any of its states.

    Args:
        snapshot: What to show.
        live: Whether somebody keeps the view current; otherwise it says that it is a copy.
        closed: Whether it is what a closed view leaves; then it says how to open another.
        result: The mission's result, if it is a report: adds the proposed sprint and the
            tools that did not run.
        outlook: What it will probably cost, where that was looked up.
    """
    figures = Figures(snapshot, outlook=outlook)
    mission = snapshot.mission
    parts = [
        _eyebrow(figures, live=live, closed=closed),
        *_body(figures, story(figures), result),
        _foot(figures, live=live),
    ]
    return fragment(f"Mission {mission.short_id}: {line(mission.goal, cut_at=200)}", *parts)


def _body(figures: Figures, told: Story, result: Report | None) -> Iterator[Html]:
    match figures.snapshot.mission.state:
        case MissionState.PLANNING | MissionState.AWAITING_APPROVAL:
            yield from _before(figures, told)
        case MissionState.RUNNING | MissionState.PAUSED:
            yield from _under_way(figures, told)
        case _:
            yield ending(figures, told, result)
            yield from endings(figures, result)


def _before(figures: Figures, told: Story) -> Iterator[Html]:
    yield el("div", _stateline(figures), three(told), cls="block")
    if figures.plan is None:
        return
    if figures.decides:
        yield decision(figures)
    elif quoted := _quoted(figures):
        yield el("div", quoted, cls="block")
    yield graph(figures, "Plan, from start to end")
    yield el("div", plan_table(figures), cls="block")


def _under_way(figures: Figures, told: Story) -> Iterator[Html]:
    yield el("div", _stateline(figures), three(told), meters(figures), cls="block")
    yield from _asked(figures)
    yield graph(figures, "Graph")
    yield board(figures)
    yield el(
        "div",
        feed(
            figures.snapshot.events[-FEED_ROWS:], "What happened last", now=figures.snapshot.now
        ),
        cls="block",
    )
    yield el("div", task_table(figures), cls="block")


# -- the head ----------------------------------------------------------------------------


def _eyebrow(figures: Figures, *, live: bool, closed: bool) -> Html:
    mission = figures.snapshot.mission
    made = words.moment(figures.snapshot.now)
    copy = None if live else el("span", f"Static copy, made {made}. Nothing here runs.")
    if closed:
        again = el("code", f"%hyper attach {mission.short_id}")
        copy = el("span", f"Closed {made}; ", again, " shows it live again.")
    which = el("span", "Mission ", el("code", mission.short_id), fork_of(mission))
    goal = clean(mission.goal, cut_at=GOAL_CUT_AT).strip() or "(no goal was written)"
    return el(
        "header",
        el("p", which, Html(" ") if copy else None, copy, cls="eyebrow"),
        el("h3", goal, cls="goal", dir="auto"),
        cls="head",
    )


def fork_of(mission: MissionRecord) -> Html | None:
    """Say where a fork comes from; None for other missions."""
    if not mission.forked_from:
        return None
    at = mission.forked_at
    return join(
        [
            Html(", forked from "),
            el("code", mission.forked_from),
            *([Html(" at "), el("code", line(at, cut_at=80))] if at else []),
        ]
    )


def _stateline(figures: Figures) -> Html:
    shown = state(figures.word, strong=True)
    return el("p", shown, Html(" "), el("span", since(figures), cls="since"), cls="stateline")


def since(figures: Figures) -> str:
    """Say since when the mission is in its state."""
    mission = figures.snapshot.mission
    now = figures.snapshot.now
    if mission.state is MissionState.AWAITING_APPROVAL:
        if figures.approved:
            return f"at {words.clock(figures.snapshot.approvals[-1].at)}"
        return f"planned at {words.moment(mission.created_at, now=now)}"
    if mission.started_at is None:
        return f"since {words.moment(mission.finished_at or mission.created_at, now=now)}"
    started = words.moment(mission.started_at, now=now)
    return f"started {started}, {words.duration(round(figures.elapsed_s))} ago"


def three(told: Story) -> Html:
    """Write Now, Waiting for and Next; always all three."""
    return pairs(((label, sentence(said)) for label, said in told.lines()), cls="now")


# -- progress ----------------------------------------------------------------------------


def meters(figures: Figures) -> Html:
    """Show how far the mission is, by tasks and by time or money."""
    return el("div", _progress(figures), _time(figures), cls="meters")


def _progress(figures: Figures) -> Html:
    done = figures.counts.get(TaskState.SUCCEEDED, 0)
    left = figures.left_now
    return el(
        "div",
        el(
            "p",
            el("b", f"{done:,} of {words.count(figures.total, 'task')} succeeded"),
            Html(" "),
            el("span", f"about {left.about} left") if left is not None else None,
        ),
        el("div", join(_segments(figures)), cls="bar", aria_hidden="true"),
        el("p", join(_tally(figures)), cls="tally"),
        cls="meter",
    )


def _segments(figures: Figures) -> Iterator[Html]:
    """One segment per task; for many tasks one per state, as long as its share."""
    if figures.total <= SEGMENTS_AT_MOST:
        for task in figures.snapshot.tasks:
            role = words.state_word(task.state).role
            yield el("i", cls=_SEGMENT.get(role))
        return
    for known, many in figures.counts.items():
        role = words.state_word(known).role
        yield el("i", cls=_SEGMENT.get(role), style=f"flex-grow:{many}")


def _tally(figures: Figures) -> Iterator[Html]:
    for known, many in figures.counts.items():
        word = words.state_word(known)
        said = el("span", f"{many:,} {word.word}")
        yield el("span", icon(word.shape, word.role), Html(" "), said)
        yield Html(" ")


def _time(figures: Figures) -> Html:
    plan = figures.plan
    cap = plan.deadline_s if plan else None
    elapsed = words.duration(round(figures.took_s))
    of = f" of at most {words.duration(cap)}" if cap else " so far"
    found = len(figures.snapshot.findings)
    return el(
        "div",
        el("p", el("b", f"{elapsed}{of}"), Html(" "), el("span", _worked(figures))),
        _share(figures.took_s / cap) if cap else None,
        _money(figures),
        _quoted(figures),
        el(
            "p",
            f"{words.count(found, 'finding')} so far: {tally(figures.snapshot.findings)}",
            cls="tally",
        )
        if found
        else None,
        cls="meter",
    )


def _worked(figures: Figures) -> str:
    return f"{words.duration(figures.all_worked_s)} of work" if figures.all_worked_s else ""


def _share(share: float) -> Html:
    gone = min(max(share, 0.0), 1.0) * 100
    filled = el("i", cls="b-spent", style=f"flex:0 0 {gone:.1f}%")
    return el("div", filled, el("i"), cls="bar", aria_hidden="true")


def _money(figures: Figures) -> Html | None:
    budget, cost = figures.budget, figures.snapshot.mission.cost
    if budget is None and not cost and not figures.outlook.unknown:
        return None
    bar = _share(cost / budget) if budget else None
    return join([el("p", el("b", figures.spent_words)), bar])


def _quoted(figures: Figures) -> Html | None:
    said = quoted_words(figures.outlook)
    return el("p", said, cls="tally") if said else None


# -- who needs whom ----------------------------------------------------------------------


def _asked(figures: Figures) -> Iterator[Html]:
    wanted = needs(figures)
    if wanted:
        title = f"Needs you: {words.count(len(wanted), 'decision')}"
        head = el("h4", icon("awaiting", "attention"), Html(" "), title, cls="h")
        yield el("section", head, *(_need(need) for need in wanted), cls="block ask")
    seeming = alarms(figures)
    if seeming:
        items = [
            el(
                "p",
                icon(*_alarm_shape(figures, each)),
                Html(" "),
                el("b", each.label),
                " ",
                sentence(each.what),
            )
            for each in seeming[:ALARMS_SHOWN]
        ]
        more = len(seeming) - len(items)
        rest = el("p", f"And {more:,} more like these.", cls="quiet") if more else None
        yield el("section", *items, rest, cls="block", aria_label="You need not act")


def _alarm_shape(figures: Figures, need: Need) -> tuple[str, str]:
    task = figures.tasks.get(need.task)
    word = words.state_word(task.state) if task else figures.word
    return word.shape, word.role


def _need(need: Need) -> Html:
    typed = ((sentence((command(each),)), each) for each in need.commands)
    items = [el("dt", code) for code, _ in typed]
    both = (join([dt, el("dd", say)]) for dt, say in zip(items, need.does, strict=False))
    return join([el("p", sentence(need.what)), el("dl", *both, cls="cmds")])


# -- the foot ----------------------------------------------------------------------------


def _foot(figures: Figures, *, live: bool) -> Html:
    snapshot = figures.snapshot
    zone = f"Times are {words.offset(snapshot.now)}."
    return el(
        "footer",
        el("span", _last_change(figures)),
        Html(" "),
        el("span", f"{_held(figures, live=live)} {zone}"),
        cls="foot",
    )


def _last_change(figures: Figures) -> str:
    events = figures.snapshot.events
    if not events:
        return "No change yet."
    last = events[-1]
    subject = f"{line(last.task, cut_at=80)}: " if last.task else ""
    said = plain(tell(last))
    return f"Last change, {words.clock(last.at)}: {subject}{said}"


def _held(figures: Figures, *, live: bool) -> str:
    mission = figures.snapshot.mission
    if not live:
        return "Kept in the store."
    if mission.state in (MissionState.RUNNING, MissionState.PAUSED):
        return "Live. Close the notebook if you like: the runner goes on."
    return "Kept in the store. Nothing is running."
