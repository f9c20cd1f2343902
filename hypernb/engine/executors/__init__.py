"""Where tasks run: worker processes; threads where none can be started; the loop itself."""

from __future__ import annotations

from hypernb.engine.executors._dask import DaskExecutor
from hypernb.engine.executors._executor import Executor, Seat
from hypernb.engine.executors._inline import InlineExecutor
from hypernb.engine.executors._pool import ProcessExecutor
from hypernb.engine.executors._thread import ThreadExecutor

__all__ = [
    "DaskExecutor",
    "Executor",
    "InlineExecutor",
    "ProcessExecutor",
    "Seat",
    "ThreadExecutor",
]
