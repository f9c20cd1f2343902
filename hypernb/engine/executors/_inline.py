"""Jobs in the runner's own loop: for coroutines, and for functions that take no time."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.engine._body import begin_job, decoded, failed, finish_job
from hypernb.engine._job import Ending, EndKind, Signal, SignalKind
from hypernb.engine._spending import Carrying, Purse
from hypernb.engine.executors._executor import Executor, Seat
from hypernb.engine.executors._thread import ThreadExecutor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hypernb.engine._job import Job, Value
    from hypernb.engine._requests import OnRequest
    from hypernb.model import MissionId, Usage

_FUNCTIONS_AT_MOST: Final = 1_000


class InlineExecutor(Executor):
    """Calls Python functions in the runner's loop; coroutines wait there side by side.

    Nothing is faster, and nothing is guarded less: while a plain function works, the whole
    runner stands still, its leases are not renewed, and no limit on time ends it. What a
    coroutine waits for can be cancelled. The work of agents takes threads, for it is long.
    A function is loaded once, and all its tasks call the same one.
    """

    can_stop: ClassVar[bool] = False

    def __init__(self, *, heartbeat_s: float) -> None:
        self.heartbeat_s = heartbeat_s
        self.pid = os.getpid()
        self._threads = ThreadExecutor(heartbeat_s=heartbeat_s)
        self._functions: dict[Value, Any] = {}

    def function(self, value: Value | None) -> Any:
        """Return the function that a job brings along.

        Raises:
            CannotShipError: It cannot be read here.
        """
        if value is None:
            return None
        found = self._functions.get(value)
        if found is None:
            if len(self._functions) >= _FUNCTIONS_AT_MOST:
                self._functions.clear()
            found = self._functions[value] = decoded(value)
        return found

    async def start(self) -> None:
        """Nothing is needed."""

    def seat(self, mission: MissionId, *, is_agent: bool = False) -> Seat:
        """Return a new seat; there is no end of them."""
        return self._threads.seat(mission) if is_agent else _InlineSeat(self)

    def forget(self, mission: MissionId) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """Let go of the threads."""
        await self._threads.close()


class _InlineSeat(Seat):
    is_prompt: ClassVar[bool] = True

    def __init__(self, executor: InlineExecutor) -> None:
        self.pid = executor.pid
        self._executor = executor
        self._begun: Awaitable[Any] | None = None
        self._waiting: asyncio.Future[Ending] | None = None
        self._paid: list[Usage] = []  # and not told
        self._hear: Callable[[Signal], object] | None = None

    def do(self, job: Job) -> Ending | None:
        if job.paths:
            sys.path += [path for path in job.paths if path not in sys.path]
        try:
            self._purse = Purse(self._tell, job.allowance)
            with Carrying(self._purse, is_last=False):
                result = begin_job(job, self._executor.function)
            if not hasattr(type(result), "__await__"):
                output = finish_job(job, result)
                return Ending(EndKind.SUCCEEDED, output=output, usage=(*self._paid,))
        except BaseException as error:  # noqa: BLE001 - the border to the task's own code
            return replace(failed(error, job), usage=(*self._paid,))
        self._begun = result
        return None

    def _tell(self, usage: Usage) -> None:
        if self._hear is None:
            self._paid.append(usage)
        else:
            self._hear(Signal(SignalKind.SPENT, usage=usage))

    async def run(
        self,
        job: Job,
        on_signal: Callable[[Signal], None],
        on_request: OnRequest | None = None,
    ) -> Ending:
        del on_request  # agents have seats elsewhere, and functions ask nothing
        if self._begun is None and (ending := self.do(job)) is not None:
            return ending
        return await self._wait(job, on_signal)

    async def _wait(self, job: Job, on_signal: Callable[[Signal], None]) -> Ending:
        assert self._begun is not None  # noqa: S101 - narrows the type
        # A task of the loop's own: in a group, a coroutine that will not be cancelled would
        # be waited for.
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        # What it pays may be told by a thread that it waits for.
        self._hear = lambda signal: loop.call_soon_threadsafe(on_signal, signal)
        for usage in self._paid:
            on_signal(Signal(SignalKind.SPENT, usage=usage))
        begun, self._begun = self._begun, None
        work = loop.create_task(_awaited(job, begun, self._purse), name=f"task {job.task}")
        work.add_done_callback(partial(self._done, job))
        try:
            while not self._waiting.done():
                await asyncio.wait({self._waiting}, timeout=self._executor.heartbeat_s)
                on_signal(Signal(SignalKind.ALIVE))
            return await self._waiting
        finally:
            # A coroutine that will not be cancelled goes on, and nobody hears of it.
            work.cancel()

    def _done(self, job: Job, work: asyncio.Future[Ending]) -> None:
        if work.cancelled():
            self._end(failed(asyncio.CancelledError("the task cancelled itself"), job))
        else:
            self._end(work.result())

    def _end(self, ending: Ending) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(ending)

    async def kill(self) -> None:
        self._end(Ending(EndKind.KILLED))

    def pause(self) -> None:
        """What waits here cannot be paused; it goes on, and nothing new starts."""

    def resume(self) -> None:
        """See `pause`."""

    def leave(self) -> None:
        # Begun, and ended before it was waited for: Python would say that nobody ever did.
        if isinstance(self._begun, Coroutine):
            self._begun.close()


async def _awaited(job: Job, result: Awaitable[Any], purse: Purse) -> Ending:
    try:
        with Carrying(purse):
            output = await result
        return Ending(EndKind.SUCCEEDED, output=finish_job(job, output))
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - the border to the task's own code
        return failed(error, job)
