"""The arrows of a plan as integers: what the other modules of this package compute on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypernb.errors import CyclicPlanError, PlanProblemsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypernb.model import PlanSpec


@dataclass(frozen=True, slots=True)
class Graph:
    """Tasks by their number in the plan, from 0.

    Attributes:
        needs: For each task, the tasks it needs, each once, in the order it names them.
        children: For each task, the tasks that need it, in plan order.
        order: All tasks, each after its needs; in plan order where the needs leave a choice.
    """

    names: tuple[str, ...]
    index: Mapping[str, int]
    needs: Sequence[Sequence[int]]
    children: Sequence[Sequence[int]]
    order: Sequence[int]


def graph_of(spec: PlanSpec) -> Graph:
    """Return the graph of a plan that could be carried out.

    Raises:
        PlanProblemsError: A name is there twice, or a need is no task.
        CyclicPlanError: Tasks wait for each other in a circle.
    """
    names = tuple(task.name for task in spec.tasks)
    index = {name: number for number, name in enumerate(names)}
    if len(index) < len(names):
        raise PlanProblemsError(["Two tasks of the plan have the same name."])
    try:
        needs = [list(dict.fromkeys(index[need] for need in task.needs)) for task in spec.tasks]
    except KeyError as missing:
        raise PlanProblemsError(
            [f"A task needs {missing.args[0]!r}, which the plan does not have."]
        ) from None
    children = children_of(needs)
    order = order_of(needs, children)
    if len(order) < len(names):
        raise CyclicPlanError([names[number] for number in cycle_in(needs, order)])
    return Graph(names, index, needs, children, order)


def children_of(needs: Sequence[Sequence[int]]) -> list[list[int]]:
    """Turn the arrows around."""
    children: list[list[int]] = [[] for _ in needs]
    for number, before in enumerate(needs):
        for need in before:
            children[need].append(number)
    return children


def order_of(needs: Sequence[Sequence[int]], children: Sequence[Sequence[int]]) -> list[int]:
    """Order the tasks so that each comes after its needs; those on circles are left out."""
    missing = [len(before) for before in needs]
    order = [number for number, count in enumerate(missing) if not count]
    for number in order:  # grows while it is walked
        for child in children[number]:
            missing[child] -= 1
            if not missing[child]:
                order.append(child)
    return order


def cycle_in(needs: Sequence[Sequence[int]], order: Sequence[int]) -> list[int]:
    """Find one circle among the tasks that ``order`` leaves out; each needs the one before it.

    Every task that was left out needs another such task, so walking along needs comes back
    to a task it has seen.
    """
    ordered = set(order)
    here = next(number for number in range(len(needs)) if number not in ordered)
    seen: dict[int, int] = {}
    while here not in seen:
        seen[here] = len(seen)
        here = next(need for need in needs[here] if need not in ordered)
    circle = list(seen)[seen[here] :][::-1]
    first = circle.index(min(circle))
    return circle[first:] + circle[:first]
