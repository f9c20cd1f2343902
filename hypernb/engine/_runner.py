"""The runner: takes missions and commands from the store, and decides what starts next."""

from __future__ import annotations

import asyncio
import math
import random
import sys
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from hypernb.clock import SystemClock
from hypernb.engine._attempt import Materials
from hypernb.engine._crew import Crew
from hypernb.engine._dispatch import choose
from hypernb.engine._environment import without
from hypernb.engine._governor import Governor
from hypernb.engine._keys import runner_resource
from hypernb.engine._log import close_log, open_log
from hypernb.engine._mission import MissionRun
from hypernb.engine._models import ModelDesk
from hypernb.engine._settings import RunnerSettings
from hypernb.engine._threads import Desk
from hypernb.engine._writer import Writer
from hypernb.engine.executors import (
    DaskExecutor,
    InlineExecutor,
    ProcessExecutor,
    ThreadExecutor,
)
from hypernb.errors import (
    HypernbError,
    LeaseLostError,
    StoreError,
    StoreUnavailableError,
    TransitionError,
    UnknownNameError,
)
from hypernb.model import EventKind, MissionState, RunnerId, new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from hypernb.abc import Clock, Store
    from hypernb.engine._dispatch import Candidate
    from hypernb.engine._recovery import Leftover
    from hypernb.engine.executors import Executor
    from hypernb.model import CommandRecord, LeaseRecord, MissionId, MissionRecord

Got = TypeVar("Got")

_SLICE_S: Final = 0.005
"""Work that is done at once must not keep the loop from everything else."""
_QUIET_AFTER_S: Final = 2.0
_LOOK_AGAIN_S: Final = 1.0
_OUTAGE_POLL_S: Final = 0.25
_LOOK_AT_KEYS_S: Final = 30.0
"""A mission that waits for a key is looked at so often: its models may be others by then."""
_FAULTS_AT_MOST: Final = 5
_LONGEST_REST_S: Final = 30.0
_AIMS: Final = {
    "start": "running",
    "pause": "paused",
    "resume": "running",
    "cancel": "cancelled",
}


class RunnerEnd(StrEnum):
    """Why a runner ended."""

    IDLE = "idle"
    STOPPED = "stopped"
    HELD = "held by another runner"
    LOST = "lease lost"
    FAILED = "failed"


class Runner:
    """Executes the missions of a store, one runner for each store and machine.

    Promises, each with a test of its wording:

    1. What was acknowledged is durable: when ``wait()``, a magic, the command line or an event
       says that a task is done, that survives SIGKILL of every process and, unless the store
       is set to ``synchronous=NORMAL``, a power cut.
    2. A finished task never runs again, whoever resumes it. An attempt in flight at a crash
       becomes abandoned and runs once more, if the task is safe to repeat; if not, a person is
       asked.
    3. One runner per mission: a paused or partitioned runner that wakes up late cannot write,
       and clock jumps break no lease.
    4. Events are gap-free and ordered by ``seq``; a state change and its event are one
       transaction.
    5. Cancel reaches every descendant, including subprocesses and their children, within two
       seconds; pause stops new starts at once; a budget or deadline of the mission is a hard
       limit: what is under way when more is spent is ended, and nothing else begins.
    6. The database stays bounded; see `hypernb.abc.Store.sweep`.
    7. Time travel: a fork shares the finished prefix, and its origin stays as it was.
    8. A poisoned task, which ends its runner, is given up after three tries with the
       evidence, and does not take the others down.
    9. Recorded logs replay to the same state; unknown kinds of events are kept.
    10. No more attempts hold a resource than its limit allows, over all missions and runners
        of the store; a task that has to wait for one is waiting, never failed.

    Args:
        store: Used from several threads; not closed.
        settings: By default from the environment.
        path: ``sys.path`` of worker processes; by default as it is here.
        keys: Of models, by the name of their variable. They stay in this process.
    """

    def __init__(
        self,
        store: Store,
        settings: RunnerSettings | None = None,
        clock: Clock | None = None,
        *,
        path: tuple[str, ...] | None = None,
        rng: random.Random | None = None,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        self.id = RunnerId(new_id())
        self.store = store
        self.settings = settings or RunnerSettings.from_env()
        self.clock = clock or SystemClock()
        self._path = tuple(sys.path if path is None else path)
        self._rng = rng or random.Random()  # noqa: S311 - spreads waits, guards nothing
        self._keys = dict(keys or {})
        self._models = ModelDesk(self._keys, store, self.clock)
        self._told_of_keys: set[MissionId] = set()
        self._foreign: dict[MissionId, tuple[str, float]] = {}  # they wait for another's key
        self._runs: dict[MissionId, MissionRun] = {}
        self._faults: dict[MissionId, int] = {}
        self._rest_until: dict[MissionId, float] = {}
        self._leftovers: dict[MissionId, Leftover] = {}
        self._unreleased: list[LeaseRecord] = []  # the store was out of reach
        self._taken: set[int] = set()
        self._end: RunnerEnd | None = None
        self._stopping: asyncio.Event | None = None
        self._is_poked = False
        self._busy_at = 0.0
        self._has_worked = False

    @property
    def resource(self) -> str:
        """The lease that makes it the only one on this machine with its keys."""
        return runner_resource(self._models.ids)

    def request_stop(self, end: RunnerEnd = RunnerEnd.STOPPED) -> None:
        """Ask it to end: running attempts are stopped and left to the next runner.

        To be called in the runner's own loop; elsewhere by ``loop.call_soon_threadsafe``.
        """
        self._end = self._end or end
        if self._stopping is not None:
            self._stopping.set()

    async def run(self) -> RunnerEnd:
        """Run missions until there are none for a while, or until asked to stop.

        Cancelling the caller ends running work as a crash would, without the final commits;
        the next runner recovers it.

        Returns:
            Why it ended; at the next sign of life of another runner, if one is at work.

        Raises:
            StoreError: The store cannot be used.
        """
        self._loop = asyncio.get_running_loop()
        self._desk = Desk("hypernb store")
        self._artifacts = Desk("hypernb artifacts")
        self._questions = Desk("hypernb questions")
        try:
            while True:
                end = await self._hold_and_serve()
                # A session that approved just before the lease was given back saw a runner
                # and started none; whoever comes second looks again.
                if end is not RunnerEnd.IDLE or not await self._has_work():
                    return end
                self._end = None
        finally:
            self._desk.close()
            self._artifacts.close()
            self._questions.close()

    async def _has_work(self) -> bool:
        commands = await self._desk.call(self.store.commands)
        missions = await self._desk.call(self.store.runnable_missions)
        known = {*self._runs, *self._left, *self._foreign}
        mine = [each for each in commands if each.mission_id not in self._foreign]
        return bool(mine) or any(each.id not in known for each in missions)

    async def _hold_and_serve(self) -> RunnerEnd:
        lease = await self._own_lease()
        if lease is None:
            return self._end or RunnerEnd.HELD
        self._lease = lease
        self._log = open_log(self.store.url, runner=self.id)
        self._stopping = asyncio.Event()
        if self._end is not None:
            self._stopping.set()
        try:
            return await self._serve()
        finally:
            with suppress(HypernbError):
                await self._desk.call(self.store.release_lease, self._lease)
            close_log(self._log)

    async def _own_lease(self) -> LeaseRecord | None:
        """Take the lease of the store's runner; None if another runner gives a sign of life.

        A runner that hangs or was stopped gives none, so this may take as long as its lease.
        """
        first: LeaseRecord | None = None
        while self._end is None:
            lease = await self._desk.call(
                self.store.take_lease, self.resource, self.id, self._ttl, self._facts()
            )
            if lease is not None:
                return lease
            leases = await self._desk.call(self.store.leases, self.resource, live=False)
            other = next((each for each in leases if each.resource == self.resource), None)
            first = first or other
            if other != first:
                return None
            await self.clock.sleep(self.settings.idle_poll_s)
        return None

    # -- the life of a runner -----------------------------------------------------------

    async def _serve(self) -> RunnerEnd:
        self._started_at = self.clock.now()
        self._left: set[MissionId] = set()
        self._log.info("Runner started on %s", self.store.url)
        await self._desk.call(
            self.store.record, EventKind.RUNNER_STARTED, {"runner": self.id, **self._facts()}
        )
        self._executor = self._make_executor()
        self._writer = Writer(
            self.store, log=self._log, on_room=self._poke, is_idle=self._waits_for_a_commit
        )
        self._materials = Materials(self.store, self._artifacts)
        self._governor = Governor(self.clock, self._spawn, self._poke)
        await self._executor.start()
        try:
            await self._work()
        finally:
            await self._executor.close()
            await asyncio.to_thread(self._models.close)
            await self._writer.close()
            self._runs.clear()
        end = self._end or RunnerEnd.STOPPED
        self._log.info("Runner ended: %s", end.value)
        await self._last_words(end)
        return end

    async def _work(self) -> None:
        assert self._stopping is not None  # noqa: S101 - narrows the type
        async with asyncio.TaskGroup() as self._group:
            loops = [
                self._spawn(self._guarded(self._poll), "poll the store"),
                self._spawn(self._guarded(self._renew), "renew the leases"),
                self._spawn(self._guarded(self._watch), "watch running tasks"),
            ]
            self._busy_at = self.clock.monotonic()
            await self._stopping.wait()
            loops[0].cancel()
            await self._suspend_all()
            for loop in loops:
                loop.cancel()

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """End the runner in order when one of its loops fails."""
        try:
            await work()
        except LeaseLostError as error:
            self._log.warning("The runner's lease is lost: %s", error)
            self.request_stop(RunnerEnd.LOST)
        except Exception:  # noqa: BLE001 - the border of a background loop
            self._log.exception("The runner cannot go on")
            self.request_stop(RunnerEnd.FAILED)

    async def _suspend_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for run in self._runs.values():
                group.create_task(self._suspend(run), name=f"suspend {run.record.short_id}")

    async def _suspend(self, run: MissionRun) -> None:
        try:
            async with run.lock:
                await run.suspend()
        except HypernbError as error:
            self._log.warning(
                "Mission %s was left as it was: %s",
                run.record.short_id,
                error,
                extra={"mission": run.record.id},
            )
        run.over.set()

    async def _last_words(self, end: RunnerEnd) -> None:
        try:
            await self._desk.call(
                self.store.record,
                EventKind.RUNNER_STOPPED,
                {"runner": self.id, "reason": end.value},
            )
            if self._has_worked and self.settings.backups:
                await self._desk.call(back_up, self.store, self.settings.backups)
        except (HypernbError, OSError) as error:
            self._log.warning("No backup was made: %s", error)
        if self._has_worked:
            await self._tidy_up()

    async def _tidy_up(self) -> None:
        """Forget what is old, after the backup that still has it."""
        try:
            swept = await self._desk.call(self.store.sweep, self.settings.retention)
            await self._desk.call(self.store.checkpoint)
        except (HypernbError, OSError) as error:
            self._log.warning("The store was not tidied up: %s", error)
            return
        if not swept.is_nothing:
            self._log.info(
                "Forgot %d missions; removed %d artifacts and %d files, %d bytes",
                len(swept.missions),
                swept.artifacts,
                swept.files,
                swept.size_bytes,
            )

    def _make_executor(self) -> Executor:
        if self.settings.executor == "thread":
            return ThreadExecutor(heartbeat_s=self.settings.heartbeat_s)
        if self.settings.executor == "inline":
            return InlineExecutor(heartbeat_s=self.settings.heartbeat_s)
        if self.settings.executor == "dask":
            return DaskExecutor(self.settings, path=self._path)
        return ProcessExecutor(
            self.settings, clock=self.clock, environ=without(self._keys), path=self._path
        )

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        return self._group.create_task(work, name=name)

    # -- what to do ---------------------------------------------------------------------

    async def _poll(self) -> None:
        looked_at = quiet_since = self.clock.monotonic()
        is_first = True
        while True:
            now = self.clock.monotonic()
            has_changed = await self._reached(self._desk.call, self.store.changed)
            if has_changed or is_first or now - looked_at >= _LOOK_AGAIN_S:
                looked_at, is_first = now, False
                if has_changed:
                    quiet_since = now
                missions, commands = await self._reached(self._desk.call, self._look)
                await self._reached(self._take_missions, missions)
                self._take_commands(commands)
            self._end_if_idle(now)
            is_quiet = now - quiet_since >= _QUIET_AFTER_S
            nap = self.settings.idle_poll_s if is_quiet else self.settings.poll_s
            await self.clock.sleep(nap)

    async def _reached(self, work: Callable[..., Coroutine[Any, Any, Got]], *args: Any) -> Got:
        """Do something with the store; while it is out of reach, wait and try again.

        A server is restarted, a disk is full for a while: what runs meanwhile goes on.

        Raises:
            StoreUnavailableError: It is out of reach for longer than may be.
        """
        since: float | None = None
        while True:
            try:
                return await work(*args)
            except StoreUnavailableError as error:
                now = self.clock.monotonic()
                if since is None:
                    since = now
                    self._log.warning("The store is waited for: %s", error)
                if now - since >= self.settings.outage_s:
                    raise
            await self.clock.sleep(_OUTAGE_POLL_S)

    def _end_if_idle(self, now: float) -> None:
        if any(not run.needs_a_person for run in self._runs.values()):
            self._busy_at = now
        elif now - self._busy_at >= self.settings.idle_s:
            self._left = set(self._runs)
            self.request_stop(RunnerEnd.IDLE)

    def _look(self) -> tuple[list[MissionRecord], list[CommandRecord]]:
        # Missions first: a command is about a mission that was there before it.
        return self.store.runnable_missions(), self.store.commands()

    async def _take_missions(self, missions: list[MissionRecord]) -> None:
        new = [record for record in missions if self._is_for_me(record)]
        for ended in self._leftovers.keys() - {record.id for record in missions}:
            del self._leftovers[ended]  # another runner has ended it
        while self._unreleased:
            lease = self._unreleased.pop()
            try:
                await self._desk.call(self.store.release_lease, lease)
            except StoreUnavailableError:
                self._unreleased.append(lease)
                raise
        in_company = bool(new) and await self._has_company()
        if in_company:
            # Runners that all begin at the front would come to nothing one after the other.
            self._rng.shuffle(new)
            new.sort(key=lambda record: -record.priority)
        for record in new:
            if in_company and (self._is_laden(record.priority) or not _is_here(record)):
                continue  # whoever has a free hand, and the files, takes it
            await self._take(record)

    def _is_for_me(self, record: MissionRecord) -> bool:
        """Tell whether it is to be taken: it is not held, and no key is known to lack."""
        if record.id in self._runs:
            return False
        plan, until = self._foreign.get(record.id, ("", 0.0))
        return plan != record.plan_hash or self.clock.monotonic() >= until

    def _is_laden(self, priority: int) -> bool:
        """Tell whether it holds as many missions that go first as tasks may run at once."""
        busy = (
            run
            for run in self._runs.values()
            if run.record.priority >= priority and not run.needs_a_person
        )
        return sum(1 for _ in busy) >= self.settings.concurrency

    async def _has_company(self) -> bool:
        """Tell whether runners of other machines are at work on the store."""
        leases = await self._desk.call(self.store.leases, "runner:")
        return len(leases) > 1

    async def _take(
        self, record: MissionRecord, *, is_asked: bool = False
    ) -> MissionRun | None:
        """Take a mission by lease; None if another holds it, or it is to rest after a fault.

        Args:
            is_asked: Because of a command, which may concern a mission that has ended.
        """
        if not is_asked and self.clock.monotonic() < self._rest_until.get(record.id, 0.0):
            return None
        lease = await self._desk.call(
            self.store.take_lease, f"mission:{record.id}", self.id, self._ttl, self._facts()
        )
        if lease is None:
            return None
        self._has_worked = True
        turns = self._turns_at(record.priority)
        leftover = self._leftovers.pop(record.id, None)
        run = self._runs[record.id] = MissionRun(
            record, lease, self._crew(), turns=turns, leftover=leftover
        )
        self._spawn(self._hold(run, is_asked=is_asked), f"mission {record.short_id}")
        return run

    def _turns_at(self, priority: int) -> int:
        """Return where the count of turns stands, so that a newcomer need not catch up."""
        equals = (run for run in self._runs.values() if run.record.priority == priority)
        return min((run.turns for run in equals), default=0)

    def _crew(self) -> Crew:
        return Crew(
            store=self.store,
            desk=self._desk,
            questions=self._questions,
            materials=self._materials,
            writer=self._writer,
            executor=self._executor,
            governor=self._governor,
            clock=self.clock,
            settings=self.settings,
            log=self._log,
            rng=self._rng,
            spawn=self._spawn,
            poke=self._poke,
            models=self._models,
            told_of_keys=self._told_of_keys,
        )

    async def _hold(self, run: MissionRun, *, is_asked: bool) -> None:
        """Keep a mission until it is over, and give it back."""
        error: Exception | None = None
        try:
            await run.open(is_asked=is_asked)
            if not is_asked:
                run.end_if_final()
            while not run.broken and not run.is_closed:
                await run.over.wait()
                async with run.lock:
                    run.close_if_over()
            error = run.broken
        except Exception as failure:  # noqa: BLE001 - the border of a background task
            error = failure
        if error is not None:
            run.broken = error  # or time and commands would look at what was never opened
            await self._drop(run, error)
        else:
            self._faults.pop(run.record.id, None)
        run.opened.set()
        self._executor.forget(run.record.id)
        self._models.forget(run.record.id)
        try:
            await self._desk.call(self.store.release_lease, run.lease)
        except HypernbError:
            self._unreleased.append(run.lease)
        self._runs.pop(run.record.id, None)
        if run.lacking and error is None:
            until = self.clock.monotonic() + _LOOK_AT_KEYS_S
            self._foreign[run.record.id] = (run.record.plan_hash, until)
        else:
            self._foreign.pop(run.record.id, None)
        self._poke()

    async def _drop(self, run: MissionRun, error: Exception) -> None:
        """Let go of a mission that cannot be written; recovery picks it up again."""
        leftover = await run.drop()
        record = run.record
        facts = {"mission": record.id, "short_id": record.short_id}
        if isinstance(error, LeaseLostError):
            self._log.warning(
                "Mission %s is another runner's now", record.short_id, extra=facts
            )
            with suppress(HypernbError):
                await self._desk.call(
                    self.store.record,
                    EventKind.LEASE_LOST,
                    {"mission": record.short_id, "runner": self.id, "reason": str(error)},
                )
            return
        if not leftover.is_nothing:
            self._leftovers[record.id] = leftover
        faults = self._faults[record.id] = self._faults.get(record.id, 0) + 1
        rest_s = min(_LONGEST_REST_S, 0.25 * 2.0**faults)
        self._rest_until[record.id] = self.clock.monotonic() + rest_s
        self._log.error(
            "Mission %s was dropped (%d times now), its work is kept: %s: %s",
            record.short_id,
            faults,
            type(error).__name__,
            error,
            exc_info=None if isinstance(error, StoreError) else error,
            extra=facts,
        )
        if faults < _FAULTS_AT_MOST:
            return
        if isinstance(error, StoreUnavailableError):
            self._log.error("The runner gives up; the next one tries again", extra=facts)
            self.request_stop(RunnerEnd.FAILED)
        else:
            # The fault is this mission's own, so the others go on.
            self._rest_until[record.id] = math.inf
            self._log.error(
                "Mission %s is left alone; the next runner tries again",
                record.short_id,
                extra=facts,
            )

    # -- commands -----------------------------------------------------------------------

    def _take_commands(self, commands: list[CommandRecord]) -> None:
        for command in commands:
            if command.seq in self._taken:
                continue
            self._taken.add(command.seq)
            self._spawn(self._obey(command), f"command {command.seq} {command.kind}")

    async def _obey(self, command: CommandRecord) -> None:
        try:
            outcome = await self._carry_out(command)
            if outcome is None:
                self._taken.discard(command.seq)  # another runner's, or not yet
                return
            await self._desk.call(self.store.answer_command, command.seq, outcome)
        except StoreError as error:
            self._taken.discard(command.seq)
            self._log.warning("Command %s was not answered: %s", command.kind, error)
        except Exception as error:  # noqa: BLE001 - the border of a background task
            self._log.exception("Command %s failed", command.kind)
            with suppress(HypernbError):
                said = f"failed: {type(error).__name__}: {error}"
                await self._desk.call(self.store.answer_command, command.seq, said)

    async def _carry_out(self, command: CommandRecord) -> str | None:
        if command.mission_id is None:
            return await self._obey_stop(command)
        if command.kind == "start":
            record = await self._desk.call(self.store.mission, command.mission_id)
            return None if record.state is MissionState.AWAITING_APPROVAL else "started"
        try:
            run = self._runs.get(command.mission_id) or await self._fetch(command)
            if run is None:
                return None
            await run.opened.wait()
            async with run.lock:
                try:
                    return await self._steer(run, command)
                finally:
                    run.end_if_final()
        except (TransitionError, UnknownNameError) as error:
            return await self._refuse(command, str(error))

    async def _fetch(self, command: CommandRecord) -> MissionRun | None:
        """Take the mission that a command is about; None if that is not possible now.

        Raises:
            TransitionError: The mission has ended, and the command is no retry.
        """
        if self._is_stopping:
            return None
        record = await self._desk.call(self.store.mission, str(command.mission_id))
        if record.state.is_final and command.kind != "retry":
            after = _AIMS.get(command.kind, command.kind)
            raise TransitionError("mission", record.short_id, record.state.value, after)
        return await self._take(record, is_asked=True)

    async def _steer(self, run: MissionRun, command: CommandRecord) -> str | None:
        if run.is_closed or run.broken is not None:
            return None
        if command.kind == "pause":
            await run.pause(by=command.by)
        elif command.kind == "resume":
            await run.resume(by=command.by, finish=command.payload.get("finish") is True)
        elif command.kind == "amend":
            await run.amend()
        elif command.kind == "cancel":
            await run.cancel(by=command.by)
        elif command.kind == "retry":
            names = await run.retry(str(command.payload.get("task") or ""), by=command.by)
            return f"tried again: {', '.join(names[:10])}"
        else:
            return await self._refuse(command, "this version does not know it")
        return "done"

    @property
    def _is_stopping(self) -> bool:
        return self._stopping is not None and self._stopping.is_set()

    async def _obey_stop(self, command: CommandRecord) -> str | None:
        if command.kind != "stop":
            return "refused: this version does not know it"
        wanted = command.payload.get("runner") or self.id
        if wanted != self.id:
            leases = await self._desk.call(self.store.leases, "runner:")
            known = any(lease.holder == wanted for lease in leases)
            return None if known else "too late: that runner had ended already"
        if command.at < self._started_at:
            return "too late: that runner had ended already"
        self._log.info("Stopped by %s", command.by)
        self.request_stop()
        return "stopping"

    async def _refuse(self, command: CommandRecord, reason: str) -> str:
        self._log.info("%s was refused: %s", command.kind, reason)
        payload = {"command": command.kind, "reason": reason, "by": command.by}
        await self._desk.call(self.store.record, EventKind.COMMAND_REFUSED, payload)
        return f"refused: {reason}"

    # -- dispatch -----------------------------------------------------------------------

    def _poke(self) -> None:
        """Decide soon what may start; many calls in one turn of the loop are one decision."""
        if not self._is_poked:
            self._is_poked = True
            self._loop.call_soon(self._dispatch)

    def _dispatch(self) -> None:
        self._is_poked = False
        if self._is_stopping:
            return
        self._start_what_may()
        self._writer.flush()

    def _start_what_may(self) -> None:
        until = self.clock.monotonic() + _SLICE_S
        while (best := self._best()) is not None:
            if self.clock.monotonic() > until:
                self._poke()
                return
            try:
                self._runs[best.mission].start(best.task)
            except OSError as error:
                self._log.warning("No worker could be started: %s", error)
                self._loop.call_later(_LOOK_AGAIN_S, self._poke)
                return
            except Exception as error:  # noqa: BLE001 - one mission must not end them all
                self._runs[best.mission].give_up(error)
                return

    def _best(self) -> Candidate | None:
        """Return what starts next, if anything may."""
        if self._writer.is_full:
            return None
        free, at_work, candidates = self.settings.concurrency, 0, []
        for run in self._runs.values():
            if run.runs_alone:
                return None
            free -= run.hands
            at_work += run.at_work
            if (candidate := run.candidate()) is not None:
                candidates.append(candidate)
        return choose(candidates, free=free, is_idle=not at_work)

    def _waits_for_a_commit(self) -> bool:
        """Tell whether nothing goes on here before what was submitted is committed."""
        return not self._is_poked and all(run.waits for run in self._runs.values())

    # -- leases and watching ------------------------------------------------------------

    @property
    def _ttl(self) -> timedelta:
        return timedelta(seconds=self.settings.lease_s)

    def _facts(self) -> dict[str, Any]:
        from hypernb.store import process_facts

        return {
            **process_facts(),
            "missions": len(self._runs),
            "running": sum(run.running for run in self._runs.values()),
            **({"keys": list(self._models.ids)} if self._models.ids else {}),
        }

    async def _renew(self) -> None:
        while True:
            await self.clock.sleep(self.settings.lease_s / 2)
            self._lease = await self._reached(self._renewed, self._lease)
            for run in list(self._runs.values()):
                try:
                    run.lease = await self._reached(self._renewed, run.lease)
                except LeaseLostError as error:
                    run.give_up(error)

    async def _renewed(self, lease: LeaseRecord) -> LeaseRecord:
        return await self._desk.call(self.store.renew_lease, lease, self._ttl, self._facts())

    async def _watch(self) -> None:
        beat_at = self.clock.monotonic()
        while True:
            await self.clock.sleep(self.settings.tick_s)
            for run in list(self._runs.values()):
                if run.opened.is_set() and run.broken is None:
                    run.tick()
            if self.clock.monotonic() - beat_at >= self.settings.heartbeat_s:
                beat_at = self.clock.monotonic()
                beats = [run.take_signs() for run in self._runs.values()]
                if merged := {task: at for signs in beats for task, at in signs.items()}:
                    self._writer.beat(merged)


def _is_here(record: MissionRecord) -> bool:
    """Tell whether the directory that a mission works in is on this machine."""
    return not record.root or Path(record.root).is_dir()


def back_up(store: Store, keep: int) -> None:
    """Copy the store to the folder of backups beside it, and keep only the latest. Blocking."""
    from hypernb.store import backup_folder, backup_name, database_file, rotate_backups

    if database_file(store.url) is None:
        return
    folder = backup_folder(store.url)
    folder.mkdir(parents=True, exist_ok=True)
    store.backup(folder / backup_name(store.url))
    rotate_backups(folder, keep)
