"""A mission as plain text, for terminals and for whoever reads no HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.model import MissionState, TaskState
from hypernb.views import words
from hypernb.views._clean import clean, line
from hypernb.views._columns import columns, labelled, wrap
from hypernb.views._commands import as_commands, with_commands
from hypernb.views._contract import allowed, caps, contract_in_brief, errand, expected, notes
from hypernb.views._decision import needed
from hypernb.views._egress import told_variables
from hypernb.views._endings import (
    ANSWER_AT_MOST,
    next_commands,
    outcome,
    rest_of_result,
    result_title,
    took,
)
from hypernb.views._events import tell
from hypernb.views._figures import Figures
from hypernb.views._findings import findings_text
from hypernb.views._mission_html import GOAL_CUT_AT, since
from hypernb.views._models import NO_OUTLOOK, Outlook, quoted_words
from hypernb.views._own_code import NO_SOURCE, functions, own_agents, source
from hypernb.views._phrase import WHOLE_AT_MOST, plain
from hypernb.views._story import alarms, gaps, needs, story
from hypernb.views._task_table import chosen, said_last

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hypernb.model import MissionSnapshot, PlanSpec, Report, SprintItem, TaskSpec

_ROWS: Final = 60
_FINDINGS: Final = 40
_EVENTS: Final = 8
_SOURCES: Final = 20
_SOURCE_LINES: Final = 60


def mission_text(
    snapshot: MissionSnapshot,
    width: int = 80,
    *,
    result: Report | None = None,
    cli: bool = False,
    outlook: Outlook = NO_OUTLOOK,
) -> str:
    """Write a mission as text, in any of its states.

    Args:
        snapshot: What to write.
        width: Columns of the terminal.
        result: The mission's result, if it is a report: adds the proposed sprint.
        cli: Name commands of the command line as what comes next, instead of magics.
        outlook: What it will probably cost, where that was looked up.
    """
    if cli:
        snapshot = with_commands(snapshot)
    figures = Figures(snapshot, cli, outlook=outlook)
    if snapshot.mission.state.is_final:
        parts = _ended(figures, width, result)
    elif snapshot.mission.started_at is None and snapshot.plan is not None:
        parts = iter([plan_text(snapshot, width, cli=cli, outlook=outlook)])
    else:
        parts = _under_way(figures, width)
    return "\n\n".join(part for part in parts if part)


def plan_text(
    snapshot: MissionSnapshot,
    width: int = 80,
    *,
    cli: bool = False,
    outlook: Outlook = NO_OUTLOOK,
) -> str:
    """Write a plan as text: what a yes allows, what to expect, and every task."""
    figures = Figures(snapshot, cli, outlook=outlook)
    parts = [_head(figures, width), _three(figures, width)]
    plan = snapshot.plan
    if plan is not None:
        known = [as_commands(each) for each in notes(plan)] if cli else notes(plan)
        parts += [
            _titled("What you allow", _terms(allowed(plan, figures.quote), width)),
            _titled("What to expect", _terms(expected(figures), width)),
            _titled("Know this first", "\n".join(_bullets(known[:20], width))),
            _plan_table(figures, width),
            _titled("Contract of each task", _contracts(figures, plan, width)),
            _titled("Functions", _sources(figures, functions(plan))),
            _titled("Agents in Python", _sources(figures, own_agents(plan))),
        ]
    if figures.decides:
        parts.append(_titled("Your decision", _decision(figures, width)))
    return "\n\n".join(part for part in parts if part)


def brief_text(snapshot: MissionSnapshot, width: int = 80) -> str:
    """Write only how a mission stands and what comes next."""
    figures = Figures(snapshot)
    return f"{_head(figures, width)}\n\n{_three(figures, width)}"


# -- by state ----------------------------------------------------------------------------


def _under_way(figures: Figures, width: int) -> Iterator[str]:
    yield _head(figures, width)
    yield _three(figures, width)
    if figures.snapshot.mission.state is MissionState.PLANNING:
        return
    yield _tally(figures, width)
    yield _paragraph(quoted_words(figures.outlook), width)
    yield "\n".join(
        _paragraph(f"Needs you: {plain(n.what)} {' or '.join(n.commands)}", width)
        for n in needs(figures)
    )
    yield "\n".join(
        _paragraph(f"{n.label} {plain(n.what)}", width) for n in alarms(figures)[:10]
    )
    yield _task_table(figures, width)
    yield _titled("What happened last", _feed(figures, width))


def _ended(figures: Figures, width: int, result: Report | None) -> Iterator[str]:
    yield _head(figures, width)
    yield _paragraph(outcome(figures, result), width)
    yield _three(figures, width)
    yield _titled(result_title(figures), _answers(figures, width))
    if figures.snapshot.findings:
        yield findings_text(figures.snapshot.findings, width, most=_FINDINGS)
    found = gaps(figures, result)
    rows = [
        (gap.task or gap.what, gap.what if gap.task else "did not run", gap.why)
        for gap in found[:_ROWS]
    ]
    if rows:
        yield _titled(
            "What was not done, and why",
            columns(("task or tool", "what", "why"), rows, width=width),
        )
    if result is not None and result.sprint:
        yield _titled("Proposed sprint", sprint_text(result.sprint, width))
    if figures.snapshot.mission.started_at is not None:
        yield _task_table(figures, width)
    yield _titled("Go on", labelled(next_commands(figures), width=width))


# -- parts -------------------------------------------------------------------------------


def _head(figures: Figures, width: int) -> str:
    mission = figures.snapshot.mission
    word = figures.word
    goal = clean(mission.goal, cut_at=GOAL_CUT_AT).strip() or "(no goal was written)"
    when = took(figures) if mission.state.is_final else since(figures)
    state = (
        f"{word.sign} {word.word.capitalize()}, {when}"
        if when
        else f"{word.sign} {word.word.capitalize()}"
    )
    which = f"Mission {mission.short_id}"
    if mission.forked_from:
        which += f", forked from {mission.forked_from}"
        which += f" at {line(mission.forked_at, cut_at=80)}" if mission.forked_at else ""
    return "\n".join([*wrap(which, width), *wrap(goal, width), state])


def _three(figures: Figures, width: int) -> str:
    told = story(figures).lines()
    return labelled([(label, plain(said)) for label, said in told], width=width)


def _tally(figures: Figures, width: int) -> str:
    done = figures.counts.get(TaskState.SUCCEEDED, 0)
    counted = [
        f"{many:,} {words.state_word(known).word}" for known, many in figures.counts.items()
    ]
    said = f"{done:,} of {words.count(figures.total, 'task')} succeeded ({', '.join(counted)})."
    if (left := figures.left_now) is not None:
        said += f" About {left.about} left."
    found = len(figures.snapshot.findings)
    if found:
        said += f" {words.count(found, 'finding')} so far."
    return _paragraph(said, width)


def _task_table(figures: Figures, width: int) -> str:
    shown = chosen(figures, _ROWS)
    rows = []
    for task in shown:
        word = words.state_word(task.state)
        tries = figures.tries(task)
        state = f"{word.sign} {word.word}" + (f", {tries}" if tries else "")
        worked = figures.worked_s(task)
        rows.append(
            (
                line(task.name, cut_at=120),
                state,
                line(task.agent, cut_at=80) or "-",
                words.duration(worked) if worked else "-",
                said_last(task, cut_at=120) or "-",
            )
        )
    if not rows:
        return ""
    told = columns(("task", "state", "agent", "worked", "said last"), rows, width=width)
    total = len(figures.snapshot.tasks)
    if len(shown) < total:
        told += f"\n{len(shown):,} of {total:,} tasks are shown; first those that need you."
    return told


def _plan_table(figures: Figures, width: int) -> str:
    plan = figures.plan
    if plan is None or not plan.tasks:
        return ""
    rows = [
        (
            f"t{number}",
            line(task.name, cut_at=120) + (" *" if task.name in figures.critical else ""),
            line(task.agent, cut_at=80) or "-",
            needed(figures, task) if task.needs else "-",
            caps(task),
            errand(task) or "-",
        )
        for number, task in enumerate(plan.tasks[:_ROWS], 1)
    ]
    told = columns(("", "task", "agent", "needs", "cap", "does"), rows, width=width)
    if figures.critical:
        told += "\n* on the critical path"
    if len(plan.tasks) > _ROWS:
        told += f"\n{_ROWS} of {len(plan.tasks):,} tasks are shown."
    return told


def _answers(figures: Figures, width: int) -> str:
    told = figures.snapshot.answers
    blocks = []
    for each in told:
        if len(told) > 1:
            blocks.append(f"  {line(each.task, cut_at=120)}:")
        said = clean(each.text.strip(), cut_at=ANSWER_AT_MOST) or line(each.about)
        lines = wrap(said, width - 2) if each.is_text else said.splitlines()
        blocks += [f"  {part}".rstrip() for part in lines]
    if rest := rest_of_result(figures):
        blocks.append(
            f"  {rest}: {figures.typed(f'result {figures.snapshot.mission.short_id}')}."
        )
    return "\n".join(blocks)


def _contracts(figures: Figures, plan: PlanSpec, width: int) -> str:
    """Say of each task what it is told, by what it is done, and what the table leaves out."""
    blocks = []
    for number, task in enumerate(plan.tasks[:_ROWS], 1):
        if terms := contract_in_brief(task, plan, figures.outlook):
            told = [(term, plain(said)) for term, said in terms]
            blocks.append(f"  t{number} {line(task.name, cut_at=120)}")
            blocks.append(labelled(told, width=width, indent="    ", cut_at=WHOLE_AT_MOST))
    return "\n".join(blocks)


def _sources(figures: Figures, known: Sequence[TaskSpec]) -> str:
    """Give the source of the person's own code: who says yes to it should have seen it."""
    ref = figures.snapshot.mission.short_id
    whole = figures.typed(f"export {ref} {ref}.html")
    blocks = []
    for task in known[:_SOURCES]:
        lines = (source(task) or f"({NO_SOURCE})").splitlines()
        said = [f"    {each}" for each in lines[:_SOURCE_LINES]]
        if rest := len(lines) - len(said):
            said.append(f"    … {words.count(rest, 'more line')}: {whole} has them.")
        blocks.append("\n".join([f"  {line(task.name, cut_at=120)}", *said]))
    if more := len(known) - len(blocks):
        blocks.append(f"  And {words.count(more, 'more task')}: {whole} has them.")
    return "\n".join(blocks)


def _decision(figures: Figures, width: int) -> str:
    ref = figures.snapshot.mission.short_id
    some = (figures.typed(f"approve {ref} t1 t2"), "approves only these, with all they need")
    rows = [
        (figures.typed(f"approve {ref}"), f"approves {figures.size}"),
        *([some] if figures.total > 1 else []),
        (figures.typed(f'reject {ref} "reason"'), "ends it; nothing of it ever runs"),
    ]
    if figures.has_nothing_to_run:
        again = figures.typed(f"rewind {ref} TASK")
        rows[:-1] = [(again, "does it anew from that task, as a new mission")]
    if figures.plan is not None and told_variables(figures.plan):
        lens = figures.typed(f"egress {ref}")
        rows.insert(-1, (lens, "shows what would leave of your variables"))
    if not figures.cli:
        rows.insert(-1, (f"%hyper edit {ref} t1 timeout_s=60", "changes the plan first"))
    return labelled(rows, width=width)


def _feed(figures: Figures, width: int) -> str:
    lines = [
        (
            words.clock(event.at),
            (f"{line(event.task, cut_at=80)}: " if event.task else "") + plain(tell(event)),
        )
        for event in figures.snapshot.events[-_EVENTS:]
        if event.kind != "task.heartbeat"
    ]
    if not lines:
        return ""
    return f"{labelled(lines, width=width)}\nTimes are {words.offset(figures.snapshot.now)}."


def sprint_text(items: Sequence[SprintItem], width: int) -> str:
    """Number the proposed pieces of work, first things first."""
    lines = []
    for number, item in enumerate(items, 1):
        about = f"{item.severity.value}, for {line(item.agent, cut_at=80)}"
        if item.effort:
            about += f", {line(item.effort, cut_at=120)}"
        said = f"{line(item.title)}: {line(item.why, cut_at=600)} ({about})"
        lines.append((f"{number}.", said))
    return labelled(lines, width=width)


def _terms(terms: Sequence[tuple[str, Sequence[object]]], width: int) -> str:
    return labelled([(term, plain(said)) for term, said in terms], width=width, indent="  ")  # type: ignore[arg-type]


def _bullets(notes: Sequence[str], width: int) -> Iterator[str]:
    for note in notes:
        yield labelled([("-", line(note, cut_at=600))], width=width, indent="  ")


def _titled(title: str, body: str) -> str:
    return f"{title}\n{body}" if body else ""


def _paragraph(text: str, width: int) -> str:
    return "\n".join(wrap(text, width))
