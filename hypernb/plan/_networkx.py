"""Plans as networkx graphs, for questions that this package does not answer itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypernb.model import PlanSpec


def to_networkx(spec: PlanSpec) -> Any:
    """Return a plan as an ``networkx.DiGraph``: an edge leads from a task to one that needs it.

    Nodes are task names, in plan order, with the task's ``agent``, ``goal`` and ``estimate_s``
    as attributes. The plan need not be sound: circles stay circles, and a need that is no task
    becomes a node without attributes. Changing the graph does not change the plan.

    Example:
        >>> import networkx as nx
        >>> from hypernb.plan import Plan
        >>> plan = Plan("demo").add("a", dict).add("b", dict, needs=["a"])
        >>> sorted(nx.descendants(to_networkx(plan.build()[0]), "a"))
        ['b']
    """
    import networkx as nx

    graph = nx.DiGraph()
    for task in spec.tasks:
        graph.add_node(task.name, agent=task.agent, goal=task.goal, estimate_s=task.estimate_s)
    graph.add_edges_from((need, task.name) for task in spec.tasks for need in task.needs)
    return graph
