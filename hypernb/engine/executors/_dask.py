"""Jobs on a Dask cluster: one of this machine's, or one that is there already."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.engine._job import Ending, EndKind, Signal, SignalKind
from hypernb.engine.executors import _dask_worker
from hypernb.engine.executors._executor import Executor, Seat
from hypernb.engine.executors._thread import ThreadExecutor
from hypernb.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.engine._job import Job
    from hypernb.engine._requests import OnRequest
    from hypernb.engine._settings import RunnerSettings
    from hypernb.model import MissionId

_CONNECT_S: Final = 30


class DaskExecutor(Executor):
    """Hands Python functions to the workers of a Dask cluster; agents work here, in threads.

    Without an address it starts a cluster of worker processes with one thread each, and ends
    it. Values go from worker to runner and back by Dask's own transport; the events of the
    store tell what happened and hold none of them. A worker that dies is replaced by Dask,
    and its jobs are done again by another; those that are not safe to repeat end as lost.
    A job that is killed takes its worker with it, if it has that worker to itself.

    Raises:
        ConfigError: Dask is not installed, or nothing answers at the address.
    """

    can_stop: ClassVar[bool] = False

    def __init__(self, settings: RunnerSettings, *, path: tuple[str, ...] = ()) -> None:
        self.settings = settings
        self.path = path
        self._threads = ThreadExecutor(heartbeat_s=settings.heartbeat_s)
        self._listening: dict[str, Callable[[Signal], None]] = {}
        self._cluster: Any = None
        self.client: Any = None

    async def start(self) -> None:
        """Start the cluster, or find it."""
        try:
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise ConfigError(
                "HYPERNB_EXECUTOR is dask, and Dask is not installed.",
                hint='pip install "hypernb[dask]"',
            ) from error
        address = self.settings.dask_scheduler
        if not address:
            self._cluster = await LocalCluster(
                n_workers=self.settings.workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                asynchronous=True,
            )
        try:
            self.client = await Client(
                address or self._cluster, asynchronous=True, timeout=_CONNECT_S
            )
        except (OSError, TimeoutError) as error:
            raise ConfigError(
                f"No Dask scheduler answers at {address!r}: {error}.",
                hint="HYPERNB_DASK_SCHEDULER is an address such as tcp://host:8786.",
            ) from error
        self.client.subscribe_topic(_dask_worker.TOPIC, self._hear)

    def seat(self, mission: MissionId, *, is_agent: bool = False) -> Seat:
        """Return a new seat; the cluster decides which worker takes it, agents stay here."""
        return self._threads.seat(mission) if is_agent else _DaskSeat(self)

    def forget(self, mission: MissionId) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """End the cluster, if it is ours."""
        if self.client is not None:
            await self.client.close()
        if self._cluster is not None:
            await self._cluster.close()
        await self._threads.close()

    # -- what jobs say ------------------------------------------------------------------

    def listen(self, key: str, on_signal: Callable[[Signal], None] | None) -> None:
        """Have the signals of a job handed on, or no longer."""
        if on_signal is None:
            self._listening.pop(key, None)
        else:
            self._listening[key] = on_signal

    def _hear(self, event: tuple[float, dict[str, Any]]) -> None:
        _, said = event
        if on_signal := self._listening.get(said.get("key", "")):
            on_signal(Signal(SignalKind(said["kind"]), said.get("text", "")))


class _DaskSeat(Seat):
    def __init__(self, executor: DaskExecutor) -> None:
        self.pid = os.getpid()
        self._executor = executor
        self._future: Any = None
        self._is_killed = False

    async def run(
        self,
        job: Job,
        on_signal: Callable[[Signal], None],
        on_request: OnRequest | None = None,
    ) -> Ending:
        del on_request  # agents have seats elsewhere, and functions ask nothing
        settings = self._executor.settings
        self._executor.listen(job.key, on_signal)
        try:
            self._future = self._executor.client.submit(
                _dask_worker.do,
                job,
                settings.heartbeat_s,
                settings.output_bytes,
                (*job.paths, *self._executor.path),
                key=f"{job.task}-{job.key}",
                pure=False,
            )
            return await self._result()
        finally:
            self._executor.listen(job.key, None)
            self._future = None

    async def _result(self) -> Ending:
        from distributed import CancelledError, KilledWorker

        try:
            ending: Ending = await self._future
        except asyncio.CancelledError:
            if not self._is_killed:
                await self._end()
                raise
            return Ending(EndKind.KILLED)
        except CancelledError:
            return Ending(EndKind.KILLED)
        except KilledWorker as error:
            kind = EndKind.KILLED if self._is_killed else EndKind.LOST
            return Ending(kind, detail=str(error))
        except Exception as error:  # noqa: BLE001 - what Dask could not send or receive
            name = type(error).__name__
            return Ending(EndKind.FAILED, error_kind=name, detail=str(error))
        return Ending(EndKind.KILLED) if self._is_killed else ending

    async def kill(self) -> None:
        self._is_killed = True
        await self._end()

    async def _end(self) -> None:
        """Take the job back; a worker that is at it alone is restarted."""
        future, client = self._future, self._executor.client
        if future is None or future.done():
            return
        threads = await client.nthreads()
        alone = [
            address
            for address, keys in (await client.processing()).items()
            if future.key in keys and threads.get(address) == 1
        ]
        await client.cancel([future], force=True)
        if alone:
            await client.restart_workers(alone, raise_for_error=False)

    def pause(self) -> None:
        """A job on a cluster cannot be paused; it goes on, and nothing new starts."""

    def resume(self) -> None:
        """See `pause`."""

    def leave(self) -> None:
        """The cluster has it back already."""
