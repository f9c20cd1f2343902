"""Where tasks run: worker processes, or threads where no process can be started."""

from __future__ import annotations

from hypernb.engine.executors._executor import Executor, Seat
from hypernb.engine.executors._pool import ProcessExecutor
from hypernb.engine.executors._thread import ThreadExecutor

__all__ = ["Executor", "ProcessExecutor", "Seat", "ThreadExecutor"]
