"""The board: one card for each agent, in the order of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.model import TaskState
from hypernb.views import words
from hypernb.views._clean import line
from hypernb.views._icons import icon
from hypernb.views._markup import Html, el, join, pairs, sentence
from hypernb.views._phrase import enumerate_names, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypernb.model import TaskRecord
    from hypernb.views._figures import Figures
    from hypernb.views._markup import Child

CARDS_AT_MOST: Final = 24

# What an agent with several tasks shows: first what a person should see first.
_URGENT: Final = (
    TaskState.AWAITING_APPROVAL,
    TaskState.STALLED,
    TaskState.RUNNING,
    TaskState.VERIFYING,
    TaskState.WAITING,
)
_KINDS: Final = {
    TaskState.AWAITING_APPROVAL: "c-awaiting",
    TaskState.STALLED: "c-stalled",
    TaskState.RUNNING: "c-active",
    TaskState.VERIFYING: "c-active",
    TaskState.WAITING: "c-none",
}


def board(figures: Figures) -> Html:
    """Show who is at work on what, and who comes next."""
    agents = figures.agents[:CARDS_AT_MOST]
    more = len(figures.agents) - len(agents)
    return el(
        "section",
        el("h4", "Board", cls="h"),
        _numbers(figures),
        el("div", *(_card(figures, agent) for agent in agents), cls="board"),
        el("p", f"And {words.count(more, 'more agent')}.", cls="quiet") if more else None,
        cls="block",
        aria_label="Board",
    )


def _numbers(figures: Figures) -> Html:
    worked, elapsed = figures.all_worked_s, figures.took_s
    shown = [
        ("at work now", f"{len(figures.active):,}"),
        ("most at once", f"{figures.most_at_once:,}"),
        ("sum of task times", words.duration(worked)),
        ("elapsed", words.duration(round(elapsed))),
    ]
    cells = (el("div", el("dt", label), el("dd", value)) for label, value in shown)
    return el("dl", *cells, cls="par")


def _card(figures: Figures, agent: str) -> Html:
    mine = [task for task in figures.snapshot.tasks if task.agent == agent]
    busy = sorted(
        (task for task in mine if task.state in _URGENT), key=lambda t: _URGENT.index(t.state)
    )
    name = line(agent, cut_at=80) or "Python functions"
    if not busy:
        head = join([icon("none", "neutral"), Html(" "), el("span", "no task now")])
        doing = el("div", *_coming(figures, mine), cls="doing")
        kind = "c-none"
    else:
        word = words.state_word(busy[0].state)
        head = join([icon(word.shape, word.role), Html(" "), el("span", word.word)])
        doing = el("div", *_doing(figures, busy), cls="doing")
        kind = _KINDS[busy[0].state]
    facts = pairs(_facts(figures, mine, busy), cls="")
    return el("article", el("p", head), el("h5", name), doing, facts, cls=f"card {kind}")


def _doing(figures: Figures, busy: list[TaskRecord]) -> Iterator[Child]:
    first = busy[0]
    yield el("p", sentence((named(first.name),)))
    yield el("p", _how_it_goes(figures, first))
    if len(busy) > 1:
        others = enumerate_names([task.name for task in busy[1:]], most=2)
        yield el("p", "also ", sentence(others))


def _how_it_goes(figures: Figures, task: TaskRecord) -> str:
    if task.state is TaskState.AWAITING_APPROVAL:
        return "waiting for you"
    if task.state is TaskState.WAITING:
        return line(task.note, cut_at=120)
    if task.state is TaskState.STALLED:
        return f"silent for {words.duration(figures.silent_s(task))}"
    running = f"for {words.duration(round(figures.running_s(task)))}"
    return ", ".join(filter(None, [line(task.note, cut_at=120), running]))


def _coming(figures: Figures, mine: list[TaskRecord]) -> Iterator[Child]:
    coming = [task for task in mine if not task.state.is_final]
    if not coming:
        failed = [task.name for task in mine if task.state is TaskState.FAILED]
        yield "Nothing more to do."
        if failed:
            yield el("p", sentence((*enumerate_names(failed, most=2), " failed.")))
        return
    first = coming[0]
    unmet = figures.unmet(first.name)
    if unmet:
        verb = "is" if len(unmet) == 1 else "are"
        wait = (named(first.name), ", when ", *enumerate_names(unmet, most=2), f" {verb} done")
    else:
        wait = (named(first.name), ", as soon as there is room")
    yield "Next: "
    yield sentence(wait)


def _facts(
    figures: Figures, mine: list[TaskRecord], busy: list[TaskRecord]
) -> Iterator[tuple[str, str]]:
    done = sum(task.state is TaskState.SUCCEEDED for task in mine)
    yield "Done", f"{done:,} of {words.count(len(mine), 'task')}"
    worked = sum(figures.worked_s(task) for task in mine)
    yield "Worked", words.duration(worked) if worked else "–"
    yield "Findings", f"{sum(task.findings for task in mine):,}"
    first = busy[0] if busy else None
    attempt = (figures.tries(first) or "1 of 1").removeprefix("attempt ") if first else "–"
    yield "Attempt", attempt
    sign = first and first.state.is_active
    yield (
        "Heartbeat",
        f"{words.duration(figures.silent_s(first))} ago" if first and sign else "–",
    )
    yield "Process", str(first.pid) if first and first.pid else "–"
