"""What a fork shares with the mission that it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypernb.plan._graph import graph_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from hypernb.model import PlanSpec


def shared_tasks(
    before: PlanSpec, succeeded: Collection[str], after: PlanSpec, *, at: str = ""
) -> list[str]:
    """Return the tasks of a fork that are done already, in the order of its plan.

    A task is shared if it has succeeded, is word for word what it was, and needs nothing but
    shared tasks; and neither is it the one that the fork begins at, nor comes after it. What
    was handed in, or the directory, being another, nothing is shared.

    Args:
        before: The plan that was carried out.
        succeeded: Names of its tasks that have succeeded.
        after: The plan of the fork.
        at: Name of the task that the fork begins at; empty if only changes open tasks.

    Example:
        >>> from hypernb.plan import Plan
        >>> plan = Plan("demo").add("fetch", dict).add("clean", dict, needs=["fetch"])
        >>> spec = plan.build()[0]
        >>> shared_tasks(spec, ["fetch", "clean"], spec, at="clean")
        ['fetch']
    """
    if (before.inputs, before.root, before.paths) != (after.inputs, after.root, after.paths):
        return []
    known = {task.name: task for task in before.tasks}
    done = set(succeeded)
    graph = graph_of(after)
    shared: set[int] = set()
    for number in graph.order:
        task = after.tasks[number]
        is_same = known.get(task.name) == task and task.name in done
        scope = (task.scope or before.scope) == (task.scope or after.scope)
        if is_same and scope and task.name != at and shared.issuperset(graph.needs[number]):
            shared.add(number)
    return [after.tasks[number].name for number in sorted(shared)]
