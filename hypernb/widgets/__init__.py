"""Live views of missions for notebooks, on anywidget.

Loaded when they are first used: anywidget takes a fifth of a second to import.
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

__all__ = [
    "FeedView",
    "GraphView",
    "History",
    "HyperBoard",
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
