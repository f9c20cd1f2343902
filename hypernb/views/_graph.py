"""The plan as a drawing: boxes by state, arrows by what was handed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hypernb.model import MissionState, TaskState
from hypernb.views import words
from hypernb.views._clean import line, name
from hypernb.views._clean import width as cells
from hypernb.views._icons import shape_of
from hypernb.views._markup import Html, el, join, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hypernb.plan import Layout, Route
    from hypernb.views._figures import Figures
    from hypernb.views._markup import Head

_HIGH: Final = 46
_ROW: Final = 58
_BETWEEN: Final = 52
_BELOW: Final = 32
_BESIDE: Final = 16
_EDGE: Final = 5
_LEAST_WIDE, _MOST_WIDE = 132, 260
_CHAR: Final = 7.3
_CHAR_UNDER: Final = 7.1
# Letters are 12 px high, and 11 px are the least; an output of 840 px leaves so much room.
_LEAST_SCALE: Final = 11 / 12
_ROOM: Final = 806
WAVES_SHOWN: Final = 40


def graph(figures: Figures, title: str) -> Html:
    """Draw the plan; a plan too large for a drawing is told wave by wave."""
    if figures.plan is None or not figures.plan.tasks:
        return Html("")
    if not figures.draws:
        return el("div", _waves(figures), cls="block")
    return el(
        "section",
        el("h4", title, cls="h"),
        _critical(figures),
        el(
            "div",
            _drawing(figures, title),
            cls="graph",
            tabindex=0,
            role="group",
            aria_label=f"{title}, scrollable",
        ),
        _legend(figures),
        cls="block",
        aria_label=title,
    )


def _critical(figures: Figures) -> Html:
    path = figures.critical
    if not path:
        return Html("")
    shown = [el("code", name(each)) for each in path]
    said = join(x for code in shown for x in (code, ", "))
    listed = Html(said.removesuffix(", "))
    tail = f". {figures.path_says}"
    return el("p", el("b", "Critical path:"), " ", listed, tail, cls="lead")


def _legend(figures: Figures) -> Html:
    ended = figures.snapshot.mission.state.is_final
    lacking = "not handed on" if ended else "still waited for"
    lines = [("e crit", "critical path"), ("e", "output handed on"), ("e wait", lacking)]
    if not _has_run(figures):
        lines = [("e crit wait", "critical path"), ("e wait", "needs")]
    items = (
        el(
            "span",
            el(
                "svg",
                el("path", cls=kind, d="M0 4h30"),
                cls="ln",
                viewBox="0 0 30 8",
                aria_hidden="true",
            ),
            said,
        )
        for kind, said in lines
    )
    return el("p", join(x for item in items for x in (item, " ")), cls="legend")


def _has_run(figures: Figures) -> bool:
    return figures.snapshot.mission.state not in (
        MissionState.PLANNING,
        MissionState.AWAITING_APPROVAL,
        MissionState.REJECTED,
    )


# -- the drawing -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where boxes and arrows go; columns of the layout are drawn from left to right or down.

    Attributes:
        wide: Width of a box.
        down: Whether they are drawn from top to bottom.
        columns: How many there are.
        top: The first row that anything lies in.
        rows: How many there are from there.
    """

    wide: float
    down: bool
    columns: int
    top: float
    rows: float

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the drawing."""
        along, across = self._pitch
        long = self.columns * along - (along - self._long)
        broad = self.rows * across - (across - self._broad)
        x, y = (broad, long) if self.down else (long, broad)
        return x + 2 * _EDGE, y + 2 * _EDGE

    def corner(self, column: float, row: float) -> tuple[float, float]:
        """Return the upper left corner of a box."""
        return self._turned(*self._at(column, row))

    def path(self, route: Route) -> str:
        """Draw an arrow from the end of a box to the beginning of another."""
        points = [self._at(*point) for point in route.points]
        middle = self._broad / 2
        x, y = points[0][0] + self._long, points[0][1] + middle
        said = [f"M{self._written(x, y)}"]
        for at, (left, row) in enumerate(points[1:], 1):
            across, bow = row + middle, (left - x) / 2
            bends = ((x + bow, y), (left - bow, across), (left, across))
            said.append("C" + " ".join(self._written(*each) for each in bends))
            x, y = left, across
            if at < len(points) - 1:
                x += self._long
                said.append(f"L{self._written(x, y)}")
        return "".join(said)

    @property
    def _long(self) -> float:
        return _HIGH if self.down else self.wide

    @property
    def _broad(self) -> float:
        return self.wide if self.down else _HIGH

    @property
    def _pitch(self) -> tuple[float, float]:
        return (
            (_HIGH + _BELOW, self.wide + _BESIDE) if self.down else (self.wide + _BETWEEN, _ROW)
        )

    def _at(self, column: float, row: float) -> tuple[float, float]:
        along, across = self._pitch
        return _EDGE + column * along, _EDGE + (row - self.top) * across

    def _turned(self, along: float, across: float) -> tuple[float, float]:
        return (across, along) if self.down else (along, across)

    def _written(self, along: float, across: float) -> str:
        x, y = self._turned(along, across)
        return f"{x:.0f} {y:.0f}"


def _frame(figures: Figures, placed: Layout) -> _Frame:
    """Draw from left to right where that can be read without scrolling, otherwise down.

    A plan that is too large for both is drawn in the way that takes less room.
    """
    bends = [row for route in placed.routes for _, row in route.points]
    top = min(0.0, *bends) if bends else 0.0
    rows = max(placed.rows, max(bends, default=0.0) + 1) - top
    wide = _box_width(figures, placed)
    right, down = (_Frame(wide, down, placed.columns, top, rows) for down in (False, True))
    fits = right.size[0] * _LEAST_SCALE <= _ROOM
    return right if fits or right.size[0] <= down.size[0] else down


def _drawing(figures: Figures, title: str) -> Html:
    from hypernb.plan import layout

    placed = layout(figures.plan) if figures.plan else None
    if placed is None:
        return Html("")
    frame = _frame(figures, placed)
    across, down = frame.size
    first = "on top" if frame.down else "on the left"
    return el(
        "svg",
        el("title", f"{title}: {words.count(figures.total, 'task')}, first ones {first}"),
        el("desc", _described(figures)),
        join(_edges(figures, placed, frame)),
        join(_boxes(figures, placed, frame)),
        role="img",
        viewBox=f"0 0 {across:.0f} {down:.0f}",
        width=f"{across:.0f}",
        height=f"{down:.0f}",
        # It shrinks with its place, until its letters are as small as can be read.
        style=f"min-width:{across * _LEAST_SCALE:.0f}px",
    )


def _described(figures: Figures) -> str:
    counted = ", ".join(
        f"{many:,} {words.state_word(known).word}" for known, many in figures.counts.items()
    )
    return f"{counted}. The table of tasks says the same in words."


def _box_width(figures: Figures, placed: Layout) -> float:
    longest = max((cells(name(each)) for each in placed.places), default=0)
    under = max((cells(_under(figures, each)) for each in placed.places), default=0)
    needed = max(longest * _CHAR, under * _CHAR_UNDER) + 40
    return min(max(needed, _LEAST_WIDE), _MOST_WIDE)


def _edges(figures: Figures, placed: Layout, frame: _Frame) -> Iterator[Html]:
    steps = set(zip(figures.critical, figures.critical[1:], strict=False))
    # The critical path is drawn last, so that it lies on top.
    for route in sorted(placed.routes, key=lambda each: (each.source, each.target) in steps):
        source = figures.tasks.get(route.source)
        waits = source is None or source.state is not TaskState.SUCCEEDED
        critical = " crit" if (route.source, route.target) in steps else ""
        kind = f"e{critical}{' wait' if waits else ''}"
        yield el("path", cls=kind, d=frame.path(route))


def _boxes(figures: Figures, placed: Layout, frame: _Frame) -> Iterator[Html]:
    for each, (column, row) in placed.places.items():
        x, y = frame.corner(column, row)
        box = _box(figures, each, frame.wide)
        yield el("g", *box, transform=f"translate({x:.0f} {y:.0f})")


def _box(figures: Figures, task_name: str, wide: float) -> Iterator[Html]:
    task = figures.tasks.get(task_name)
    word = words.state_word(task.state if task else TaskState.PENDING)
    yield el("rect", cls=f"n {word.shape}", width=f"{wide:.0f}", height=_HIGH, rx=3)
    if word.shape == "verifying":
        yield el(
            "rect", cls="n inner", x=3, y=3, width=f"{wide - 6:.0f}", height=_HIGH - 6, rx=2
        )
    yield el("g", shape_of(word.shape), cls=f"r-{word.role}", transform="translate(8 15)")
    room = int((wide - 36) / _CHAR)
    yield el("text", _fitted(name(task_name), room), x=30, y=20, cls="nt")
    yield el(
        "text",
        _fitted(_under(figures, task_name), int((wide - 36) / _CHAR_UNDER)),
        x=30,
        y=36,
        cls="ns",
    )


def _fitted(text: str, room: int) -> str:
    if cells(text) <= room:
        return text
    kept = text
    while kept and cells(kept) > room - 1:
        kept = kept[:-1]
    return f"{kept}…"


def _under(figures: Figures, task_name: str) -> str:
    task = figures.tasks.get(task_name)
    spec = figures.specs[task_name]
    if task is None or not _has_run(figures):
        return line(spec.agent, cut_at=60) or "Python function"
    if task in figures.shared:
        return f"shared with {figures.snapshot.mission.forked_from}"
    word = words.state_word(task.state).word
    if task.state is TaskState.PENDING:
        unmet = len(figures.unmet(task_name))
        return f"{word}, needs {unmet}" if unmet else word
    if task.state is TaskState.STALLED:
        return f"{word} {_short(figures.silent_s(task))}"
    # Of a task that waits, what it has worked would read as how long it waits.
    worked = 0.0 if task.state is TaskState.WAITING else figures.worked_s(task)
    tries = figures.tries(task).removeprefix("attempt ")
    if tries and task.state.is_active:
        return f"{word} ({tries})"
    return f"{word} {_short(worked)}" if worked else word


def _short(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}" if whole else words.duration(seconds)


# -- plans too large to be drawn ---------------------------------------------------------


def _waves(figures: Figures) -> Html:
    from hypernb.plan import waves

    found = list(waves(figures.plan)) if figures.plan else []
    shown = found[:WAVES_SHOWN]
    rows = (_wave(figures, number, wave) for number, wave in enumerate(shown, 1))
    aside = "too many to draw; each wave waits for those before it"
    heads: list[Head] = [("Wave", "num"), ("Tasks", "num"), "States", "Among them"]
    told = table(
        f"{words.count(figures.total, 'task')} by wave",
        heads,
        rows,
        aside=aside,
    )
    more = len(found) - len(shown)
    return join(
        [told, el("p", f"And {words.count(more, 'more wave')}.", cls="quiet") if more else None]
    )


def _wave(figures: Figures, number: int, wave: tuple[str, ...]) -> Html:
    counted: dict[str, int] = {}
    for each in wave:
        task = figures.tasks.get(each)
        word = words.state_word(task.state if task else TaskState.PENDING).word
        counted[word] = counted.get(word, 0) + 1
    return el(
        "tr",
        el("td", str(number), cls="num"),
        el("td", f"{len(wave):,}", cls="num"),
        el("td", _said(counted)),
        el("td", join(x for each in wave[:3] for x in (el("code", name(each)), " "))),
    )


def _said(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{many:,} {word}" for word, many in counted.items())
