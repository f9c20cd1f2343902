"""A drawing that can be read: forward arrows, room between tasks, few crossings."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise

import pytest

from hypernb.model import PlanSpec, PythonWork, TaskSpec
from hypernb.plan import Layout, layout, waves
from hypernb.plan._graph import graph_of
from hypernb.plan._layout import _crossings, _Drawing, _ordered

WORK = PythonWork(function="f", arguments="a", label="f")


def plan(**needs: str) -> PlanSpec:
    return PlanSpec(
        goal="A goal",
        tasks=tuple(
            TaskSpec(name=name, needs=tuple(wanted.split()), work=WORK)
            for name, wanted in needs.items()
        ),
    )


def random_plan(count: int, seed: int = 1, reach: int = 40, most: int = 3) -> PlanSpec:
    dice = random.Random(seed)  # noqa: S311  a plan, no secret
    needs = {
        f"t{n}": " ".join(
            sorted(
                {
                    f"t{dice.randrange(max(0, n - reach), n)}"
                    for _ in range(dice.randint(0, most))
                }
            )
        )
        if n
        else ""
        for n in range(count)
    }
    return plan(**needs)


def crossings(drawing: Layout) -> int:
    """Count crossings of straight pieces between neighbouring columns, two by two."""
    pieces: dict[float, set[tuple[float, float]]] = defaultdict(set)
    for route in drawing.routes:
        for (column, row), (_, other) in pairwise(route.points):
            pieces[column].add((row, other))
    return sum(
        (a - c) * (b - d) < 0
        for here in pieces.values()
        for a, b in here
        for c, d in here
        if a < c
    )


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(plan(), id="empty"),
        pytest.param(plan(a=""), id="one-task"),
        pytest.param(plan(a="", b="", c=""), id="no-arrows"),
        pytest.param(plan(a="", b="a", c="b", d="a c"), id="long-arrow"),
        pytest.param(random_plan(80), id="random"),
        pytest.param(random_plan(80, reach=80, most=6), id="random-dense"),
    ],
)
def test_drawing_keeps_its_promises(spec: PlanSpec) -> None:
    drawing = layout(spec)
    column_of = {name: n for n, wave in enumerate(waves(spec)) for name in wave}
    rows: dict[int, list[float]] = defaultdict(list)
    for column, row in drawing.places.values():
        rows[column].append(row)
    assert {name: column for name, (column, _) in drawing.places.items()} == column_of
    assert all(b - a >= 0.99 for each in rows.values() for a, b in pairwise(sorted(each)))
    assert drawing.columns == len(waves(spec))


def test_rows_begin_at_zero() -> None:
    drawing = layout(random_plan(80))
    rows = [row for _, row in drawing.places.values()]
    assert (min(rows), max(rows)) == (0, drawing.rows - 1)


def test_empty_drawing_has_no_size() -> None:
    assert layout(plan()) == Layout(columns=0, rows=0.0, places={}, routes=())


def test_routes_join_tasks_column_by_column() -> None:
    spec = random_plan(80)
    drawing = layout(spec)
    arrows = [(need, task.name) for task in spec.tasks for need in task.needs]
    assert [(route.source, route.target) for route in drawing.routes] == arrows
    for route in drawing.routes:
        ends = [drawing.places[route.source], drawing.places[route.target]]
        assert [route.points[0], route.points[-1]] == ends
        assert all(b - a == 1 for (a, _), (b, _) in pairwise(route.points))


def test_long_arrow_passes_beside_tasks() -> None:
    drawing = layout(plan(a="", b="a", c="b", d="a c"))
    (route,) = (route for route in drawing.routes if len(route.points) > 2)
    occupied = set(drawing.places.values())
    assert (route.source, route.target) == ("a", "d")
    assert not occupied & set(route.points[1:-1])


def test_fan_is_drawn_evenly() -> None:
    drawing = layout(plan(scan="", a="scan", b="scan", c="scan", rank="scan a b c"))
    assert drawing.places == {
        "scan": (0, 1.0),
        "a": (1, 0.0),
        "b": (1, 1.0),
        "c": (1, 2.0),
        "rank": (2, 1.0),
    }


def test_needless_crossings_are_undone() -> None:
    spec = plan(a="", b="", c="", z="c", y="b", x="a", end_z="z", end_y="y", end_x="x")
    assert crossings(layout(spec)) == 0


@pytest.mark.parametrize("seed", [pytest.param(n, id=f"seed-{n}") for n in range(5)])
def test_ordering_halves_the_crossings(seed: int) -> None:
    drawing = _Drawing(graph_of(random_plan(60, seed, reach=15)))
    columns: list[list[int]] = [[] for _ in range(max(drawing.column) + 1)]
    for point, column in enumerate(drawing.column):
        columns[column].append(point)
    assert _crossings(drawing, _ordered(drawing)) < _crossings(drawing, columns) / 2


def test_crossings_are_counted_right() -> None:
    spec = random_plan(60, reach=15)
    drawing = _Drawing(graph_of(spec))
    assert _crossings(drawing, _ordered(drawing)) == crossings(layout(spec))


def test_same_plan_same_drawing() -> None:
    assert layout(random_plan(60)) == layout(random_plan(60))


def test_very_long_arrows_run_straight() -> None:
    chain = {f"t{n}": f"t{n - 1}" if n else "" for n in range(600)}
    drawing = layout(plan(**chain, end=" ".join(chain)))
    points = sum(len(route.points) for route in drawing.routes)
    assert points < 20 * len(drawing.places)
    assert min(len(route.points) for route in drawing.routes) == 2


def test_large_plan_is_drawn_in_time() -> None:
    drawing = layout(random_plan(2_000, reach=200))
    assert len(drawing.places) == 2_000
