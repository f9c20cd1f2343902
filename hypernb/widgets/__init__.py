"""Live views of missions for notebooks, each a widget.

A view follows its mission by itself and takes clicks, also while a cell computes. A mission is
given as a `hypernb.Mission`, by its short id or by its number:

    MissionView("m-7")                         the whole mission, its parts in tabs
    MissionView(7, tab="feed", density="compact")
    PlanView("m-7")                            the plan, to be edited and approved
    GraphView("m-7", task="clean")             tasks and what needs what; one of them open
    SwarmBoard("m-7")                          the agents, and what each is at
    FeedView("m-7")                            the events
    TimelineView("m-7")                        the attempts over time
    ResultView("m-7")                          outputs and findings
    HyperBoard()                               all missions under way, or waiting for you
    History()                                  all missions there ever were

They compose like all widgets, ``VBox([GraphView(7), FeedView(7)])``, and have traits:
``mission_id``, ``state`` and ``seq`` to be observed; ``task``, ``density`` and, in
`MissionView`, ``tab`` to be set as well. ``close()`` ends a view and not its mission; so does
the end of a ``with``.

Nothing is loaded before it is used: anywidget takes a fifth of a second to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypernb.widgets._views import FeedView as FeedView
    from hypernb.widgets._views import GraphView as GraphView
    from hypernb.widgets._views import History as History
    from hypernb.widgets._views import HyperBoard as HyperBoard
    from hypernb.widgets._views import MissionView as MissionView
    from hypernb.widgets._views import PlanView as PlanView
    from hypernb.widgets._views import ResultView as ResultView
    from hypernb.widgets._views import SwarmBoard as SwarmBoard
    from hypernb.widgets._views import TimelineView as TimelineView
    from hypernb.widgets._widget import HyperWidget as HyperWidget

__all__ = [
    "FeedView",
    "GraphView",
    "History",
    "HyperBoard",
    "HyperWidget",
    "MissionView",
    "PlanView",
    "ResultView",
    "SwarmBoard",
    "TimelineView",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'hypernb.widgets' has no attribute {name!r}")
    from hypernb.widgets import _views

    return getattr(_views, name)
