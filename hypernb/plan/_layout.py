"""Where the tasks of a plan stand in a drawing, in grid units; pure numbers, no picture."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from hypernb.plan._graph import graph_of
from hypernb.plan._paths import depths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypernb.model import PlanSpec
    from hypernb.plan._graph import Graph

_SWEEPS: Final = 6
_COUNTED_AT_MOST: Final = 20_000
_BENDS_EACH: Final = 10
_BENDS_FREE: Final = 2_000
_BEND_ROOM: Final = 0.5
_BEND_WEIGHT: Final = 0.0001


@dataclass(frozen=True, slots=True)
class Route:
    """An arrow from a task to one that needs it.

    Attributes:
        points: Column and row of its ends and bends, from source to target.
    """

    source: str
    target: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A layered drawing.

    Draw columns left to right, or top to bottom with rows going right.

    Attributes:
        columns: How many columns there are; a task's column is its wave.
        rows: How many rows it takes; rows of tasks go from 0 to ``rows - 1``, may be
            fractions, and are at least 1 apart within a column.
        places: Column and row of each task, in plan order.
        routes: All arrows, those of each task's needs together, in plan order.
    """

    columns: int
    rows: float
    places: Mapping[str, tuple[int, float]]
    routes: tuple[Route, ...]


def layout(spec: PlanSpec) -> Layout:
    """Arrange a plan so that arrows point forward, cross little and bend little.

    The same plan always gives the same drawing. Takes time about in proportion to tasks and
    arrows: 2,000 tasks take a fifth of a second.

    Example:
        >>> from hypernb.plan import Plan
        >>> plan = Plan("demo").add("a", dict).add("b", dict).add("c", dict, needs=["a", "b"])
        >>> layout(plan.build()[0]).places
        {'a': (0, 0.0), 'b': (0, 1.0), 'c': (1, 0.5)}
    """
    graph = graph_of(spec)
    drawing = _Drawing(graph)
    columns = _ordered(drawing)
    rows = _aligned(drawing, columns)
    places = {
        name: (drawing.column[number], rows[number]) for number, name in enumerate(graph.names)
    }
    routes = tuple(
        Route(
            graph.names[stops[0]],
            graph.names[stops[-1]],
            tuple((float(drawing.column[stop]), rows[stop]) for stop in stops),
        )
        for stops in drawing.routes
    )
    height = max((row for _, row in places.values()), default=-1.0) + 1
    return Layout(len(columns), height, places, routes)


class _Drawing:
    """Tasks and the bends of long arrows as points in columns, joined only to the next column.

    Arrows that leave the same task, or come to the same, share their bends, so that a task
    that everything waits for does not fill the drawing. The bends of all arrows together are
    bounded in proportion to the tasks; the longest arrows beyond that run straight.
    """

    def __init__(self, graph: Graph) -> None:
        self.column = depths(graph)
        self.tasks = len(self.column)
        self.routes: list[list[int]] = []
        self._bends: dict[tuple[int, int, bool], int] = {}
        self._room = _BENDS_FREE + _BENDS_EACH * self.tasks
        by_need = {
            (need, number): [need, number]
            for number, needs in enumerate(graph.needs)
            for need in needs
        }
        for need, number in sorted(by_need, key=self._span):
            by_need[need, number] = self._route(graph, need, number)
        self.routes = list(by_need.values())
        self.before: list[list[int]] = [[] for _ in self.column]
        self.after: list[list[int]] = [[] for _ in self.column]
        joined = {
            pair for stops in self.routes for pair in pairwise(stops) if self._span(pair) == 1
        }
        for one, other in sorted(joined):
            self.after[one].append(other)
            self.before[other].append(one)

    def _span(self, ends: tuple[int, int]) -> int:
        return self.column[ends[1]] - self.column[ends[0]]

    def _route(self, graph: Graph, need: int, number: int) -> list[int]:
        between = range(self.column[need] + 1, self.column[number])
        shares_target = len(graph.needs[number]) > len(graph.children[need])
        shared = number if shares_target else need
        keys = [(shared, column, shares_target) for column in between]
        if len(keys) > self._room:
            return [need, number]
        self._room -= len(keys)
        for key in keys:
            if key not in self._bends:
                self._bends[key] = len(self.column)
                self.column.append(key[1])
        return [need, *(self._bends[key] for key in keys), number]


def _ordered(drawing: _Drawing) -> list[list[int]]:
    """Order each column by the mean place of its neighbours, back and forth; keep the best."""
    columns: list[list[int]] = [[] for _ in range(max(drawing.column, default=-1) + 1)]
    for point, column in enumerate(drawing.column):
        columns[column].append(point)
    count = sum(map(len, drawing.after)) <= _COUNTED_AT_MOST
    best, fewest = columns, _crossings(drawing, columns) if count else 0
    for sweep in range(_SWEEPS):
        if count and not fewest:
            break
        columns = _swept(drawing, columns, forward=sweep % 2 == 0)
        crossings = _crossings(drawing, columns) if count else 0
        if not count or crossings < fewest:
            best, fewest = columns, crossings
    return best


def _swept(
    drawing: _Drawing, columns: Sequence[Sequence[int]], *, forward: bool
) -> list[list[int]]:
    neighbours = drawing.before if forward else drawing.after
    place = _places(drawing, columns)
    swept = [list(column) for column in columns]
    for column in swept if forward else reversed(swept):
        wish = {
            point: sum(place[near] for near in neighbours[point]) / len(neighbours[point])
            if neighbours[point]
            else place[point]
            for point in column
        }
        column.sort(key=wish.__getitem__)
        for order, point in enumerate(column):
            place[point] = order
    return swept


def _places(drawing: _Drawing, columns: Sequence[Sequence[int]]) -> list[int]:
    place = [0] * len(drawing.column)
    for column in columns:
        for order, point in enumerate(column):
            place[point] = order
    return place


def _crossings(drawing: _Drawing, columns: Sequence[Sequence[int]]) -> int:
    """Count crossings: inversions among the far ends, met in order of the near ends."""
    place = _places(drawing, columns)
    total = 0
    for column, following in pairwise(columns):
        tree = [0] * (len(following) + 1)
        met = 0
        for point in column:
            ends = sorted(place[end] for end in drawing.after[point])
            total += sum(met - _count_up_to(tree, end) for end in ends)
            for end in ends:
                _count_one(tree, end)
            met += len(ends)
    return total


def _count_up_to(tree: Sequence[int], end: int) -> int:
    total = 0
    node = end + 1
    while node:
        total += tree[node]
        node &= node - 1
    return total


def _count_one(tree: list[int], end: int) -> None:
    node = end + 1
    while node < len(tree):
        tree[node] += 1
        node += node & -node


def _aligned(drawing: _Drawing, columns: Sequence[Sequence[int]]) -> list[float]:
    """Give each point a row near those of its neighbours, keeping order and distance."""
    row = [0.0] * len(drawing.column)
    for column in columns:
        for point, at in zip(column, _offsets(drawing, column), strict=True):
            row[point] = at
    pulls = [_pulls(drawing, drawing.before), _pulls(drawing, drawing.after)]
    for sweep in range(_SWEEPS):
        near = pulls[sweep % 2]
        for column in reversed(columns) if sweep % 2 else columns:
            wishes = [
                sum(row[one] for one in near[point]) / len(near[point])
                if near[point]
                else row[point]
                for point in column
            ]
            weights = [1.0 if point < drawing.tasks else _BEND_WEIGHT for point in column]
            spread = _spread(wishes, _offsets(drawing, column), weights)
            for point, at in zip(column, spread, strict=True):
                row[point] = at
    lowest = min(row[: drawing.tasks], default=0.0)
    return [round(at - lowest, 3) for at in row]


def _pulls(drawing: _Drawing, near: Sequence[Sequence[int]]) -> list[Sequence[int]]:
    """Return what each point wants to stand near; a task heeds bends only for want of tasks."""
    return [
        [one for one in around if one < drawing.tasks] or around
        if point < drawing.tasks
        else around
        for point, around in enumerate(near)
    ]


def _offsets(drawing: _Drawing, column: Sequence[int]) -> list[float]:
    """Return the rows of a column packed as closely as may be; bends need less room."""
    offsets: list[float] = []
    at = 0.0
    for order, point in enumerate(column):
        if order:
            bends = (point >= drawing.tasks) + (column[order - 1] >= drawing.tasks)
            at += 1.0 if bends == 0 else _BEND_ROOM if bends == 2 else (1 + _BEND_ROOM) / 2  # noqa: PLR2004  both are bends
        offsets.append(at)
    return offsets


def _spread(
    wishes: Sequence[float], offsets: Sequence[float], weights: Sequence[float]
) -> list[float]:
    """Return the rows nearest to the wishes, in least squares, at least the offsets apart.

    Taking the offsets away leaves the rule that values must not fall, which pooling adjacent
    violators solves in one pass.
    """
    pools: list[tuple[float, float, int]] = []
    for wish, offset, weight in zip(wishes, offsets, weights, strict=True):
        level, mass, size = wish - offset, weight, 1
        while pools and pools[-1][0] > level:
            other, more, many = pools.pop()
            level = (level * mass + other * more) / (mass + more)
            mass, size = mass + more, size + many
        pools.append((level, mass, size))
    levels = [level for level, _, size in pools for _ in range(size)]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]
