"""Longest paths: which tasks a mission's end waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypernb.plan._graph import graph_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypernb.model import PlanSpec
    from hypernb.plan._graph import Graph


def remaining_paths(
    spec: PlanSpec, durations: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return, for each task, the time from its start to the end of what waits for it.

    Args:
        durations: Seconds that tasks took before, by name. A task without one counts its
            estimate, and without that one second.

    Example:
        >>> from hypernb.plan import Plan
        >>> plan = Plan("demo").add("fetch", dict)
        >>> plan = plan.add("clean", dict, needs=["fetch"], estimate=4)
        >>> remaining_paths(plan.build()[0])
        {'fetch': 5.0, 'clean': 4.0}
    """
    graph = graph_of(spec)
    return dict(zip(graph.names, lengths(graph, weights(spec, durations)), strict=True))


def critical_path(
    spec: PlanSpec, durations: Mapping[str, float] | None = None
) -> tuple[str, ...]:
    """Return the chain of tasks that takes longest; shortening any other task gains nothing.

    Of chains that take equally long, the one whose tasks come first in the plan. Empty for an
    empty plan. ``durations`` as in `remaining_paths`.

    Example:
        >>> from hypernb.plan import Plan
        >>> plan = Plan("demo").add("a", dict).add("b", dict).add("c", dict, needs=["b"])
        >>> critical_path(plan.build()[0])
        ('b', 'c')
    """
    graph = graph_of(spec)
    if not graph.names:
        return ()
    length = lengths(graph, weights(spec, durations))
    starts = [number for number, before in enumerate(graph.needs) if not before]
    here = max(starts, key=lambda number: (length[number], -number))
    path = [here]
    while graph.children[here]:
        here = max(graph.children[here], key=lambda number: (length[number], -number))
        path.append(here)
    return tuple(graph.names[number] for number in path)


def waves(spec: PlanSpec) -> tuple[tuple[str, ...], ...]:
    """Split a plan into waves: the tasks of a wave need only tasks of the waves before it.

    A task stands in the first wave it can; within a wave, tasks are in plan order.

    Example:
        >>> from hypernb.plan import Plan
        >>> plan = Plan("demo").add("a", dict).add("b", dict).add("c", dict, needs=["b"])
        >>> waves(plan.build()[0])
        (('a', 'b'), ('c',))
    """
    graph = graph_of(spec)
    depth = depths(graph)
    split: list[list[str]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for name, wave in zip(graph.names, depth, strict=True):
        split[wave].append(name)
    return tuple(map(tuple, split))


def weights(spec: PlanSpec, durations: Mapping[str, float] | None) -> list[float]:
    """Return what each task counts: what it took, else its estimate, else 1."""
    known = durations or {}
    return [
        known.get(task.name, 1.0 if task.estimate_s is None else task.estimate_s)
        for task in spec.tasks
    ]


def lengths(graph: Graph, weight: Sequence[float]) -> list[float]:
    """Return the length of the longest path from each task's start to an end."""
    length = [0.0] * len(weight)
    for number in reversed(graph.order):
        after = max((length[child] for child in graph.children[number]), default=0.0)
        length[number] = weight[number] + after
    return length


def depths(graph: Graph) -> list[int]:
    """Return the number of tasks before each task on its longest chain of needs."""
    depth = [0] * len(graph.names)
    for number in graph.order:
        depth[number] = max((depth[need] + 1 for need in graph.needs[number]), default=0)
    return depth
