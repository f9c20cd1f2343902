"""Jobs in threads of this process: for platforms that cannot start one."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hypernb.engine._body import do_job, failed
from hypernb.engine._job import Ending, EndKind, Signal, SignalKind
from hypernb.engine._spending import Carrying, Purse
from hypernb.engine.executors._asked import Asking
from hypernb.engine.executors._executor import Executor, Seat

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.engine._job import Job
    from hypernb.engine._requests import OnRequest
    from hypernb.model import MissionId, Usage


class ThreadExecutor(Executor):
    """Runs each job in a thread of its own.

    It can neither stop a job nor catch what it prints; whatever the job changes in the
    process (directory, environment, modules) stays changed.
    """

    can_stop: ClassVar[bool] = False

    def __init__(self, *, heartbeat_s: float) -> None:
        self.heartbeat_s = heartbeat_s
        self._seats = 0

    @functools.cached_property
    def scratch(self) -> Path:
        """Where agents leave files; made for the first of them."""
        return Path(tempfile.mkdtemp(prefix="hypernb-"))

    async def start(self) -> None:
        """Nothing is needed."""

    def seat(self, mission: MissionId, *, is_agent: bool = False) -> Seat:
        """Return a new seat; there is no end of threads."""
        del mission, is_agent
        self._seats += 1
        return _ThreadSeat(self, number=self._seats)

    def forget(self, mission: MissionId) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """Let go of the threads; daemons all, they end with the process."""
        if "scratch" in vars(self):
            await asyncio.to_thread(shutil.rmtree, self.scratch, ignore_errors=True)


class _ThreadSeat(Seat):
    def __init__(self, executor: ThreadExecutor, *, number: int) -> None:
        self.pid = os.getpid()
        self._executor = executor
        self._outbox = executor.scratch / f"outbox-{number}"
        self._ending: asyncio.Future[Ending] | None = None

    async def run(
        self,
        job: Job,
        on_signal: Callable[[Signal], None],
        on_request: OnRequest | None = None,
    ) -> Ending:
        loop = asyncio.get_running_loop()
        ending: asyncio.Future[Ending] = loop.create_future()
        self._ending = ending
        self._asking = Asking(on_request, loop)
        thread = threading.Thread(
            target=self._do, args=(job, on_signal, loop), name=f"task {job.task}", daemon=True
        )
        thread.start()
        try:
            while not ending.done():
                await asyncio.wait({ending}, timeout=self._executor.heartbeat_s)
                if thread.is_alive():
                    on_signal(Signal(SignalKind.ALIVE))
            return await ending
        finally:
            self._asking.close()

    def _do(
        self, job: Job, on_signal: Callable[[Signal], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        def report(words: str, share: float | None) -> None:
            signal = Signal(SignalKind.PROGRESS, words, share)
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(on_signal, signal)

        sys.path += [path for path in job.paths if path not in sys.path]

        def paid(usage: Usage) -> None:
            with contextlib.suppress(RuntimeError):
                signal = Signal(SignalKind.SPENT, usage=usage)
                loop.call_soon_threadsafe(on_signal, signal)

        try:
            with Carrying(Purse(paid, job.allowance)):
                output = do_job(job, outbox=self._outbox, report=report, ask=self._asking.ask)
            ending = Ending(EndKind.SUCCEEDED, output=output, files=self._files())
        except BaseException as error:  # noqa: BLE001 - the border to the task's own code
            ending = failed(error, job)
        # The loop may be closed by now; nobody waits for the answer then.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._end, ending)

    def _files(self) -> dict[str, Path]:
        if not self._outbox.is_dir():
            return {}
        return {
            path.relative_to(self._outbox).as_posix(): path
            for path in sorted(self._outbox.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }

    def _end(self, ending: Ending) -> None:
        if self._ending is not None and not self._ending.done():
            self._ending.set_result(ending)

    async def kill(self) -> None:
        self._end(Ending(EndKind.KILLED))

    def pause(self) -> None:
        """A thread cannot be paused; it runs on, and nothing new starts."""

    def resume(self) -> None:
        """See `pause`."""

    def leave(self) -> None:
        shutil.rmtree(self._outbox, ignore_errors=True)
