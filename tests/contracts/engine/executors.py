"""The executors that promises are tried on."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Final

import pytest

from hypernb import codec
from hypernb.clock import SystemClock
from hypernb.engine import RunnerSettings
from hypernb.engine.executors import Executor, InlineExecutor, ProcessExecutor, ThreadExecutor
from hypernb.model import MissionId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hypernb.engine._job import Ending

MISSION: Final = MissionId("M")
SETTINGS: Final = RunnerSettings(workers=1, heartbeat_s=0.05, grace_s=0.3)


def processes() -> Executor:
    return ProcessExecutor(SETTINGS, clock=SystemClock(), environ=dict(os.environ))


def threads() -> Executor:
    return ThreadExecutor(heartbeat_s=0.05)


def inline() -> Executor:
    return InlineExecutor(heartbeat_s=0.05)


ALL: Final = pytest.mark.parametrize("make", [processes, threads, inline])


def use(make: Callable[[], Executor], work: Callable[[Executor], Awaitable[None]]) -> None:
    """Work with an executor from its start to its end."""

    async def main() -> None:
        executor = make()
        await executor.start()
        try:
            await work(executor)
        finally:
            await executor.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def value_of(ending: Ending) -> Any:
    """Return what a job has returned."""
    assert ending.output is not None, ending
    return codec.decode(ending.output.media_type, ending.output.data)
