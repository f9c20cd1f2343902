"""A plan that waits for a person: the decision first, then every task with its contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.model import PythonWork
from hypernb.views import words
from hypernb.views._clean import line
from hypernb.views._contract import (
    allowed,
    caps,
    contract,
    errand,
    expected,
    notes,
    refused,
)
from hypernb.views._egress import told_variables
from hypernb.views._icons import icon
from hypernb.views._markup import Html, el, join, pairs, sentence, short, table, whole
from hypernb.views._models import model_name, quote_dollars
from hypernb.views._own_code import NO_SOURCE, SOURCE_CUT_AT, own_work, source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hypernb.model import TaskSpec
    from hypernb.views._figures import Figures
    from hypernb.views._markup import Head
    from hypernb.views._phrase import Phrase

ROWS_AT_MOST: Final = 200
NEEDS_SHOWN: Final = 8


def _begin(figures: Figures) -> str:
    if figures.total == 1:
        return "it starts"
    return "those that are not shared start" if figures.shared else "they start"


def decision(figures: Figures) -> Html:
    """Say what a yes allows and what to expect, and how to answer."""
    plan, mission = figures.plan, figures.snapshot.mission
    if plan is None:
        return Html("")
    ref = mission.short_id
    some = (f"%hyper approve {ref} t1 t2", "approves only these, with all that they need")
    yes = [(f"%hyper approve {ref}", f"approves {figures.size}; {_begin(figures)} at once")]
    if figures.total > 1:
        yes.append(some)
    if figures.has_nothing_to_run:
        yes = [(f"%hyper rewind {ref} TASK", "does it anew from that task, as a new mission")]
    return el(
        "section",
        el("h4", icon("awaiting", "attention"), Html(" "), "Your decision", cls="h"),
        el(
            "div",
            el("div", el("p", "What you allow", cls="b"), _terms(allowed(plan, figures.quote))),
            el("div", el("p", "What to expect", cls="b"), _terms(expected(figures))),
            cls="two",
        ),
        _notes(notes(plan)),
        commands(
            *yes,
            *_lens(figures),
            (f"%hyper edit {ref} t1 timeout_s=60", "changes the plan first; nothing runs yet"),
            (f'%hyper reject {ref} "reason"', "ends it; nothing of it ever runs"),
        ),
        el(
            "p",
            f"Approving records revision {mission.revision}, its hash ",
            el("code", mission.plan_hash[:8] or "(none)"),
            f", your name and the time. You can pause or cancel later. {refused(plan)}",
            cls="quiet",
        ),
        cls="block ask",
        aria_label="Your decision",
    )


def _lens(figures: Figures) -> list[tuple[str, str]]:
    if figures.plan is None or not told_variables(figures.plan):
        return []
    typed = f"%hyper egress {figures.snapshot.mission.short_id}"
    return [(typed, "shows what would leave of your variables, to the last character")]


def commands(*rows: tuple[str, str]) -> Html:
    """List what can be typed, each with what it does."""
    items = (join([el("dt", el("code", line(typed))), el("dd", does)]) for typed, does in rows)
    return el("dl", *items, cls="cmds")


def _terms(terms: list[tuple[str, Phrase]]) -> Html:
    return pairs((term, sentence(said)) for term, said in terms)


def _notes(known: tuple[str, ...]) -> Html | None:
    if not known:
        return None
    items = (el("li", line(note, cut_at=600)) for note in known[:20])
    return el(
        "div", el("p", "Know this first", cls="b"), el("ul", *items, cls="list"), cls="notes"
    )


def plan_table(figures: Figures) -> Html:
    """List the tasks in plan order; a task's contract opens under its row."""
    plan = figures.plan
    if plan is None:
        return Html("")
    shown = plan.tasks[:ROWS_AT_MOST]
    rest = len(plan.tasks) - len(shown)
    heads: list[Head] = ["Task and what it does", "Agent", "Needs", ("Cap", "num")]
    shared = {task.name for task in figures.shared}
    rows = (
        row
        for number, task in enumerate(shown, 1)
        for row in _rows(figures, number, task, shared)
    )
    aside = "in plan order; a task's contract opens under its row"
    told = table(words.count(len(plan.tasks), "task"), heads, rows, aside=aside, cls="plan")
    return join([told, _rest(figures, rest)])


def _rest(figures: Figures, rest: int) -> Html | None:
    if not rest:
        return None
    ref = figures.snapshot.mission.short_id
    return el(
        "p",
        f"And {words.count(rest, 'more task')}. All of them: ",
        el("code", f"%hyper export {ref} plan.json --form plan"),
        ".",
        cls="quiet",
    )


def _rows(
    figures: Figures, number: int, task: TaskSpec, shared: Collection[str]
) -> Iterator[Html]:
    on_path = task.name in figures.critical
    critical = el("span", " · on the critical path", cls="quiet") if on_path else None
    name = el(
        "span", el("span", f"t{number} ", cls="no"), el("code", line(task.name)), cls="name"
    )
    does = errand(task) or _function(task)
    done = el("span", " · done already", cls="quiet") if task.name in shared else None
    yield el(
        "tr",
        el(
            "th",
            name,
            critical,
            done,
            el("span", Html(" "), does, cls="sub"),
            scope="row",
            cls="wide",
        ),
        el("td", line(task.agent, cut_at=80) or "none", _model(task), cls=short(task.agent)),
        el("td", needed(figures, task), cls="no" if task.needs else None),
        el("td", caps(task), _quote(figures, task), cls="num"),
        cls="row",
    )
    yield el("tr", el("td", _details(figures, number, task), colspan=4), cls="open")


def _model(task: TaskSpec) -> Html | None:
    name = model_name(task)
    return (
        el("span", Html(" "), "with ", el("code", line(name, cut_at=80)), cls="sub")
        if name
        else None
    )


def _quote(figures: Figures, task: TaskSpec) -> Html | None:
    quote = figures.outlook.quote(task.name)
    if quote is None or not model_name(task):
        return None
    return el("span", Html(" "), f"quote {quote_dollars(quote)}", cls="sub")


def needed(figures: Figures, task: TaskSpec) -> str:
    """Name a task's needs by their numbers, ``t1, t3``; the contract has the names."""
    numbers = figures.numbers
    known = [f"t{numbers[need]}" for need in task.needs[:NEEDS_SHOWN] if need in numbers]
    more = len(task.needs) - NEEDS_SHOWN
    return ", ".join(known) + (f" and {more:,} more" if more > 0 else "") or "nothing"


def _function(task: TaskSpec) -> str:
    work = task.work
    return f"Calls {line(work.label)}" if isinstance(work, PythonWork) else ""


def _details(figures: Figures, number: int, task: TaskSpec) -> Html:
    told = contract(task, figures.plan, figures.outlook)
    terms = ((term, sentence(said)) for term, said in told)
    return el(
        "details",
        el("summary", f"Contract of t{number}"),
        el("div", pairs(terms, cls="kv wide"), _source(task), cls="in"),
    )


def _source(task: TaskSpec) -> Html | None:
    if not own_work(task):
        return None
    if said := source(task):
        return el("pre", whole(said, cut_at=SOURCE_CUT_AT), tabindex=0)
    return el("p", f"{NO_SOURCE[0].upper()}{NO_SOURCE[1:]}.", cls="quiet")
