"""Longest paths: which tasks a mission's end waits for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

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
    return _longest_path(graph_of(spec), weights(spec, durations))


def _longest_path(graph: Graph, weight: Sequence[float]) -> tuple[str, ...]:
    if not graph.names:
        return ()
    length = lengths(graph, weight)
    starts = [number for number, before in enumerate(graph.needs) if not before]
    here = max(starts, key=lambda number: (length[number], -number))
    path = [here]
    while graph.children[here]:
        here = max(graph.children[here], key=lambda number: (length[number], -number))
        path.append(here)
    return tuple(graph.names[number] for number in path)


class Outline:
    """The arrows of a plan, made once, to be asked again and again while it runs.

    Weights are seconds of each task, in plan order.

    Example:
        >>> from hypernb.plan import Plan
        >>> plan = Plan("demo").add("a", dict).add("b", dict, needs=["a"]).add("c", dict)
        >>> outline = Outline(plan.build()[0])
        >>> outline.longest([1.0, 2.0, 9.0]), outline.path([1.0, 2.0, 0.5])
        (9.0, ('a', 'b'))
    """

    def __init__(self, spec: PlanSpec) -> None:
        self._graph = graph_of(spec)

    def longest(self, weight: Sequence[float]) -> float:
        """Return how long the chain of tasks takes that takes longest; 0 without tasks."""
        length = [0.0] * len(weight)
        children = self._graph.children
        for number in reversed(self._graph.order):
            after = 0.0
            for child in children[number]:
                after = max(after, length[child])
            length[number] = weight[number] + after
        return max(length, default=0.0)

    def path(self, weight: Sequence[float]) -> tuple[str, ...]:
        """Return the names along that chain; see `critical_path`."""
        return _longest_path(self._graph, weight)


_KEPT: Final = 16
_outlines: dict[int, tuple[PlanSpec, Outline]] = {}
_lock: Final = threading.Lock()


def outline(spec: PlanSpec) -> Outline:
    """Return the outline of a plan; those of the latest few are kept.

    Raises:
        PlanProblemsError: A name is there twice, or a need is no task.
        CyclicPlanError: Tasks wait for each other in a circle.
    """
    # By identity, because comparing ten thousand tasks takes longer than the outline spares;
    # the plan is kept with it, so that its identity is not another's.
    with _lock:
        known = _outlines.get(id(spec))
    if known is not None:
        return known[1]
    made = Outline(spec)
    with _lock:
        _outlines[id(spec)] = (spec, made)
        while len(_outlines) > _KEPT:
            del _outlines[next(iter(_outlines))]
    return made


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
