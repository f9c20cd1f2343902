"""The pool: worker processes that are kept, bound to one mission at a time, and replaced."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hypernb.engine import guard
from hypernb.engine._environment import scrubbed
from hypernb.engine._spending import WORKER
from hypernb.engine.executors._executor import Executor, Seat
from hypernb.engine.executors._worker import Terms, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypernb.abc import Clock
    from hypernb.engine._job import Ending, Job, Signal
    from hypernb.engine._requests import OnRequest
    from hypernb.engine._settings import RunnerSettings
    from hypernb.model import MissionId


def _all_memory_mb() -> int:
    import psutil

    return int(psutil.virtual_memory().total / 1e6)


class ProcessExecutor(Executor):
    """Runs each job in a worker process that is its own session and process group.

    A worker does jobs of one mission only: a second mission must not see modules that the
    first one has imported, for the user may have edited them since.
    """

    can_stop: ClassVar[bool] = True

    def __init__(
        self,
        settings: RunnerSettings,
        *,
        clock: Clock,
        environ: Mapping[str, str] | None = None,
        path: tuple[str, ...] = (),
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._environ = {
            **scrubbed(os.environ if environ is None else environ),
            WORKER: "1",
            "PYTHONUNBUFFERED": "1",
        }
        self._path = path
        self._workers: set[WorkerProcess] = set()
        self._fresh: list[WorkerProcess] = []
        self._idle: dict[MissionId, list[WorkerProcess]] = {}
        self._scratch: Path | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._is_closing = False

    async def start(self) -> None:
        """Start the guard and the first workers; they get ready by themselves."""
        self._scratch = Path(tempfile.mkdtemp(prefix="hypernb-"))
        self._terms = Terms(
            scratch=self._scratch,
            environ=self._environ,
            path=self._path,
            clock=self._clock,
            heartbeat_s=self._settings.heartbeat_s,
            output_bytes=self._settings.output_bytes,
            grace_s=self._settings.grace_s,
            memory_mb=self._settings.memory_mb or _all_memory_mb(),
        )
        self._guard = subprocess.Popen(  # noqa: ASYNC220 - a start takes two milliseconds
            [sys.executable, "-I", "-S", guard.__file__, str(self._scratch)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,
        )
        self._fill_up()

    def seat(self, mission: MissionId, *, is_agent: bool = False) -> Seat:
        """Return a worker of the mission that is idle, else a fresh one."""
        del is_agent
        idle = self._idle.get(mission, [])
        while idle:
            worker = idle.pop()
            if worker.is_fit:
                return _ProcessSeat(self, worker)
        worker = self._take_fresh()
        worker.mission = mission
        return _ProcessSeat(self, worker)

    def _take_fresh(self) -> WorkerProcess:
        while self._fresh:
            worker = self._fresh.pop(0)
            if worker.is_fit:
                return worker
        return self._spawn()

    def _spawn(self) -> WorkerProcess:
        worker = WorkerProcess(self._terms, on_exit=self._lost)
        self._workers.add(worker)
        self._tell_guard("+", worker)
        return worker

    def _fill_up(self) -> None:
        fit = sum(worker.is_fit for worker in self._workers)
        for _ in range(0 if self._is_closing else self._settings.workers - fit):
            try:
                self._fresh.append(self._spawn())
            except OSError:
                return  # the machine is full; the next seat says so

    def give_back(self, worker: WorkerProcess) -> None:
        """Keep a worker for the next job of its mission, or replace it."""
        if not worker.is_fit:
            if not worker.gone.is_set():
                worker.dismiss()
        elif worker.jobs >= self._settings.tasks_per_worker or worker.mission is None:
            worker.dismiss()
        else:
            self._idle.setdefault(worker.mission, []).append(worker)

    def _lost(self, worker: WorkerProcess) -> None:
        self._workers.discard(worker)
        self._tell_guard("-", worker)
        if worker in self._fresh:
            # A fresh worker that ends by itself cannot start; another would fare no better.
            self._fresh.remove(worker)
        elif not worker.mission:
            return
        elif worker in (idle := self._idle.get(worker.mission, [])):
            idle.remove(worker)

    def forget(self, mission: MissionId) -> None:
        """End the workers that are bound to a mission, and have fresh ones ready."""
        for worker in self._idle.pop(mission, []):
            worker.dismiss()
        self._fill_up()

    def _tell_guard(self, sign: str, worker: WorkerProcess) -> None:
        if self._guard is None or self._guard.stdin is None:
            return
        with contextlib.suppress(OSError, ValueError):
            self._guard.stdin.write(f"{sign}{worker.pid}\n".encode())
            self._guard.stdin.flush()

    async def close(self) -> None:
        """End all workers and the guard; files on their way are removed."""
        self._is_closing = True
        for worker in self._workers:
            worker.dismiss()
        for worker in list(self._workers):
            await worker.gone.wait()
        if self._guard is not None and self._guard.stdin is not None:
            with contextlib.suppress(OSError):
                self._guard.stdin.close()
            await asyncio.to_thread(self._guard.wait)
        if self._scratch is not None:
            await asyncio.to_thread(shutil.rmtree, self._scratch, ignore_errors=True)


class _ProcessSeat(Seat):
    def __init__(self, pool: ProcessExecutor, worker: WorkerProcess) -> None:
        self.pid = worker.pid
        self._pool = pool
        self._worker = worker

    async def run(
        self,
        job: Job,
        on_signal: Callable[[Signal], None],
        on_request: OnRequest | None = None,
    ) -> Ending:
        return await self._worker.run(job, on_signal, on_request)

    async def kill(self) -> None:
        await self._worker.kill()

    def pause(self) -> None:
        self._worker.pause()

    def resume(self) -> None:
        self._worker.resume()

    def leave(self) -> None:
        self._pool.give_back(self._worker)
