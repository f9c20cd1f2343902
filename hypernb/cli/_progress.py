"""A mission in a terminal: a table that updates in place, or a line a task that ended."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from hypernb.views import as_commands, clean, line
from hypernb.views.words import state_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console, RenderableType

    from hypernb.model import MissionSnapshot, TaskRecord
    from hypernb.session import Mission

# The sign and the word say the state; colour only repeats it.
STYLES = {
    "active": "cyan",
    "attention": "yellow",
    "good": "green",
    "bad": "red",
    "neutral": "dim",
}
ROWS_AT_MOST = 24


def watch(mission: Mission, *, timeout: float | None = None) -> None:
    """Show a mission until it has ended, then its outcome."""
    from rich.console import Console

    from hypernb.views import mission_text

    console = Console(highlight=False)
    if console.is_terminal:
        _in_place(mission, console, timeout)
    else:
        _line_by_line(mission, console, timeout)
    said = mission_text(
        mission.snapshot(),
        console.width,
        result=mission.report(),
        cli=True,
        outlook=mission.outlook(),
    )
    console.print(said, markup=False, soft_wrap=True)


@contextmanager
def planning(who: str = "The strategist") -> Iterator[Callable[[str], None]]:
    """Yield what shows how planning by a model gets on: in place, or in one line.

    Args:
        who: Who does it.
    """
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    told: list[str] = []
    if not console.is_terminal:

        def tell(words: str) -> None:
            if not told:
                console.print(f"{who} {line(words)}.", markup=False, soft_wrap=True)
            told.append(words)

        yield tell
        return
    from rich.markup import escape

    status = console.status(f"{who} is at work.")
    try:

        def show(words: str) -> None:
            status.update(escape(f"{who} {line(words)}. Ctrl-C ends it."))
            status.start()

        yield show
    finally:
        status.stop()


def _in_place(mission: Mission, console: Console, timeout: float | None) -> None:
    from rich.live import Live

    with Live(
        get_renderable=lambda: _table(mission.snapshot(events=0)),
        console=console,
        refresh_per_second=4,
        transient=True,
    ):
        mission.wait(timeout, until_asked=True)


def _line_by_line(mission: Mission, console: Console, timeout: float | None) -> None:
    told: set[str] = set()

    def tell() -> None:
        for task in mission.session.store.tasks(mission.record.id):
            if task.state.is_final and task.name not in told:
                told.add(task.name)
                console.print(_sentence(task), markup=False, soft_wrap=True)

    mission.wait(timeout, on_change=tell, until_asked=True)
    tell()


def _sentence(task: TaskRecord) -> str:
    known = state_word(task.state)
    said = f". {as_commands(clean(task.error or task.note))}" if task.error or task.note else ""
    return f"{known.sign} {clean(task.name)}: {known.word}, {task.worked_s:.1f} s{said}"


def _table(snapshot: MissionSnapshot) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    done = sum(task.state.is_final for task in snapshot.tasks)
    title = f"{snapshot.mission.short_id} {snapshot.mission.state.value.replace('_', ' ')}"
    table = Table(title=f"{title}: {done} of {len(snapshot.tasks)} tasks done", box=None)
    for column in ("Task", "State", "Agent", "Doing"):
        table.add_column(column, overflow="fold", no_wrap=column != "Doing")
    for task in _most_telling(snapshot.tasks):
        known = state_word(task.state)
        table.add_row(
            Text(clean(task.name)),
            Text(f"{known.sign} {known.word}", style=STYLES[known.role]),
            Text(clean(task.agent)),
            Text(as_commands(clean(task.error or task.note))),
        )
    return table


def _most_telling(tasks: tuple[TaskRecord, ...]) -> list[TaskRecord]:
    """Return all tasks, or those under way and around them where there are too many."""
    if len(tasks) <= ROWS_AT_MOST:
        return list(tasks)
    active = [task for task in tasks if task.state.is_active]
    return active[:ROWS_AT_MOST]
