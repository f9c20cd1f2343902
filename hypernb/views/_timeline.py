"""The timeline: every attempt, by agent, as a table with a bar in each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.views import words
from hypernb.views._clean import line
from hypernb.views._icons import state
from hypernb.views._markup import Html, el, short, table

if TYPE_CHECKING:
    from hypernb.model import AttemptRecord, TaskRecord
    from hypernb.views._figures import Figures
    from hypernb.views._markup import Head

ROWS_AT_MOST: Final = 100


def timeline(figures: Figures) -> Html:
    """Show when each attempt began, how long it took and how it ended."""
    attempts = _by_agent(figures)
    if not attempts:
        return Html("")
    shown = attempts[:ROWS_AT_MOST]
    heads: list[Head] = [
        "Agent",
        "Task",
        ("Attempt", "num"),
        ("Began after", "num"),
        ("Took", "num"),
        "Ended",
    ]
    span = words.duration(figures.elapsed_s)
    told = table(
        "Timeline: attempts by agent",
        [*heads, (f"From start to end, {span}", "lanes")],
        _rows(figures, shown),
        aside=_sums(figures),
        cls="time",
    )
    more = len(attempts) - len(shown)
    rest = f"And {words.count(more, 'more attempt')}. All of them: " if more else ""
    typed = el("code", f"%hyper events {figures.snapshot.mission.short_id}")
    return el(
        "section",
        told,
        el("p", rest, typed, ".", cls="quiet") if more else None,
        cls="block",
        aria_label="Timeline",
    )


def _sums(figures: Figures) -> str:
    worked, elapsed = figures.all_worked_s, figures.took_s
    said = f"most at once {figures.most_at_once}; {words.duration(worked)} of work"
    if elapsed > 0:
        said += f" in {words.duration(elapsed)}"
    return said


def _by_agent(figures: Figures) -> list[tuple[TaskRecord, AttemptRecord]]:
    tasks = {task.id: task for task in figures.snapshot.tasks}
    order = {agent: place for place, agent in enumerate(figures.agents)}
    known = [
        (tasks[attempt.task_id], attempt)
        for attempt in figures.snapshot.attempts
        if attempt.task_id in tasks
    ]
    return sorted(
        known,
        key=lambda pair: (
            order.get(pair[0].agent, len(order)),
            pair[1].started_at,
            pair[0].number,
        ),
    )


def _rows(figures: Figures, shown: list[tuple[TaskRecord, AttemptRecord]]) -> list[Html]:
    start = min(
        (attempt.started_at for attempt in figures.snapshot.attempts),
        default=figures.end,
    )
    start = min(start, figures.snapshot.mission.started_at or start)
    whole = max((figures.end - start).total_seconds(), 0.001)
    rows: list[Html] = []
    previous: str | None = None
    for task, attempt in shown:
        began = max(0.0, (attempt.started_at - start).total_seconds())
        took = max(0.0, (figures.attempt_end(attempt) - attempt.started_at).total_seconds())
        agent = line(task.agent, cut_at=80) or "Python functions"
        cells = [
            el(
                "td",
                agent if agent != previous else el("span", agent, cls="vh"),
                cls=short(agent),
            ),
            el(
                "th", el("code", line(task.name, cut_at=120)), scope="row", cls=short(task.name)
            ),
            el("td", str(attempt.number), cls="num"),
            el("td", words.duration(began), cls="num"),
            el("td", words.duration(took), cls="num"),
            el("td", state(words.state_word(attempt.state)), cls="nowrap"),
            el("td", _bar(figures, task, attempt, (began / whole, took / whole)), cls="vm"),
        ]
        rows.append(el("tr", *cells))
        previous = agent
    return rows


def _bar(
    figures: Figures, task: TaskRecord, attempt: AttemptRecord, shares: tuple[float, float]
) -> Html:
    left = min(100 * shares[0], 99.0)
    wide = min(max(100 * shares[1], 0.5), 100.0 - left)
    critical = " crit" if task.name in figures.critical else ""
    bar = el(
        "span",
        cls=f"at {attempt.state.value}{critical}",
        style=f"left:{left:.1f}%;width:{wide:.1f}%",
    )
    return el("span", bar, cls="lane", aria_hidden="true")
