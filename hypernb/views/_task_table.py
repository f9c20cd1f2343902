"""The tasks as a table: the same facts as the graph, for everyone who does not see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.model import TaskState
from hypernb.views import words
from hypernb.views._clean import line
from hypernb.views._icons import state
from hypernb.views._markup import Html, el, join, short, table
from hypernb.views._story import reason

if TYPE_CHECKING:
    from hypernb.model import TaskRecord
    from hypernb.views._figures import Figures
    from hypernb.views._markup import Head

ROWS_AT_MOST: Final = 200

# Where not all fit, these tell more than the rest.
_TELLING: Final = (
    TaskState.AWAITING_APPROVAL,
    TaskState.STALLED,
    TaskState.FAILED,
    TaskState.RUNNING,
    TaskState.VERIFYING,
    TaskState.CANCELLED,
    TaskState.WAITING,
    TaskState.READY,
    TaskState.SKIPPED,
    TaskState.PENDING,
    TaskState.SUCCEEDED,
)


def chosen(figures: Figures, most: int = ROWS_AT_MOST) -> list[TaskRecord]:
    """Return the tasks that are shown, in plan order: all, or those that tell most."""
    tasks = figures.snapshot.tasks
    if len(tasks) <= most:
        return list(tasks)
    ranked = sorted(tasks, key=lambda task: (_TELLING.index(task.state), task.number))
    return sorted(ranked[:most], key=lambda task: task.number)


def task_table(figures: Figures, caption: str = "") -> Html:
    """List the tasks with their states, in plan order."""
    shown = chosen(figures)
    critical = bool(figures.critical)
    heads: list[Head] = [
        "Task",
        "State",
        "Agent",
        ("Worked", "num"),
        ("Findings", "num"),
        "Said last",
    ]
    if critical:
        heads.append("Critical path")
    title = caption or words.count(figures.total, "task")
    told = table(title, heads, (_row(figures, task, critical=critical) for task in shown))
    return join([told, rest(figures, len(shown))])


def rest(figures: Figures, shown: int) -> Html | None:
    """Say how many tasks are not shown, which those are, and how to get them."""
    total = len(figures.snapshot.tasks)
    if shown >= total:
        return None
    return el(
        "p",
        f"{shown:,} of {total:,} tasks are shown: those that wait, failed or run come first. ",
        "All of them: ",
        el("code", "mission.to_frame()"),
        ".",
        cls="quiet",
    )


def said_last(task: TaskRecord, *, cut_at: int) -> str:
    """Return what a task said last: its error in one line, else its note."""
    said = reason(task) if task.error else task.note or task.outcome
    return line(said, cut_at=cut_at)


def _row(figures: Figures, task: TaskRecord, *, critical: bool) -> Html:
    worked = figures.worked_s(task)
    cells = [
        el(
            "th",
            el("code", line(task.name)),
            scope="row",
            cls="name" if short(task.name) else None,
        ),
        el(
            "td",
            state(
                words.state_word(task.state),
                figures.tries(task),
                line(task.outcome, cut_at=40) if task.outcome not in ("", "findings") else "",
            ),
        ),
        el("td", line(task.agent, cut_at=80) or "–", cls=short(task.agent)),
        el("td", words.duration(worked) if worked else "–", cls="num"),
        el("td", f"{task.findings:,}" if task.findings else "–", cls="num"),
        el("td", said_last(task, cut_at=160) or "–"),
    ]
    if critical:
        cells.append(el("td", "yes" if task.name in figures.critical else ""))
    return el("tr", *cells)
