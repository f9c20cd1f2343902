"""One mission while a runner holds it: from its first task to its last commit."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hypernb.engine import _changes as changes
from hypernb.engine._attempt import Attempt, Doom, failure
from hypernb.engine._backoff import backoff_s
from hypernb.engine._dispatch import Candidate, busy_agents
from hypernb.engine._job import Ending, EndKind, Signal, SignalKind, Value
from hypernb.engine._opening import Opening, read_opening
from hypernb.engine._product import product_of
from hypernb.engine._recovery import ask
from hypernb.engine._watchdog import Verdict, judge
from hypernb.errors import HypernbError, StoreError, TransitionError, UnknownTaskError
from hypernb.model import MissionState, OnFailure, TaskState, transition
from hypernb.plan import Consequence, Schedule, remaining_paths

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping, Sequence
    from datetime import datetime

    from hypernb.abc import Payload
    from hypernb.engine._crew import Crew
    from hypernb.engine._product import Product
    from hypernb.model import Change, Digest, LeaseRecord, MissionRecord, TaskId, TaskSpec

_SMALL_BYTES: Final = 10_000
"""Outputs below this are looked at in the loop: a hop to a thread costs more."""


class MissionRun:
    """Drives a mission: starts what may start, and writes what came of it.

    A step changes the schedule and submits its changes in one go; the writer keeps their
    order, and what the step set off runs only after its own commit, which is later. So the
    schedule in memory may be ahead of the store, but nothing that anybody sees is.

    Attributes:
        lease: Renewed by the runner.
        over: Set when the mission has ended, or can no longer be held.
        broken: Why it can no longer be held, if so.
        lock: Held while a command is carried out, and while the run is closed.
        is_closed: It takes no commands any more.
    """

    def __init__(self, record: MissionRecord, lease: LeaseRecord, crew: Crew) -> None:
        self.record = record
        self.lease = lease
        self.state = record.state
        self.over = asyncio.Event()
        self.opened = asyncio.Event()
        self.broken: Exception | None = None
        self.lock = asyncio.Lock()
        self._crew = crew
        self._running: dict[str, Attempt] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._go = asyncio.Event()
        self._go.set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._is_ending = False
        self.is_closed = False
        self._has_ended = False
        self._signs: dict[TaskId, datetime] = {}

    # -- opening ------------------------------------------------------------------------

    async def open(self) -> None:
        """Read the mission, check its approval, and go on where the last runner stopped.

        Raises:
            StoreError: The store cannot be read.
        """
        opening = await self._crew.desk.call(
            read_opening,
            self._crew.store,
            self.record,
            at=self._crew.clock.now(),
            abandoned_at_most=self._crew.settings.abandoned_at_most,
        )
        self._adopt(opening)
        self._schedule_from(opening)
        if opening.objection and not self.state.is_final:
            await self._refuse(opening.objection)
        elif not self.state.is_final:
            await self._begin_or_go_on(opening)
        self.opened.set()
        self._crew.poke()

    def _adopt(self, opening: Opening) -> None:
        self.record = opening.mission
        self.state = opening.mission.state
        self._has_ended = self.state.is_final
        self.plan = opening.plan
        self._objection = opening.objection
        self._specs = {task.name: task for task in opening.plan.tasks}
        self._tasks = {task.name: task for task in opening.tasks}
        self._attempts = {task.name: task.attempt for task in opening.tasks}
        self._outputs: dict[str, Digest | Value] = {
            task.name: task.output for task in opening.tasks if task.output is not None
        }
        self._errors = {
            task.name: task.error for task in opening.tasks if task.state is TaskState.FAILED
        }
        self._failures = Counter(opening.recovery.failures)
        self._started_at = opening.started_at

    async def _refuse(self, objection: str) -> None:
        at = self._crew.clock.now()
        self._log("Mission %s is not run: %s", self.record.short_id, objection)
        await self._write(self._final(at, MissionState.FAILED, objection))

    def _schedule_from(self, opening: Opening) -> None:
        self._schedule = Schedule(self.plan)
        self._remaining = remaining_paths(self.plan)
        self._late = self._schedule.restore(opening.recovery.states)
        for change in opening.recovery.changes:
            if change.task_state is TaskState.FAILED and change.task_id is not None:
                self._errors[self._name(change.task_id)] = change.error or ""

    async def _begin_or_go_on(self, opening: Opening) -> None:
        at = self._crew.clock.now()
        written: list[Change] = []
        if self.state is MissionState.AWAITING_APPROVAL:
            self._become(MissionState.RUNNING)
            self._started_at = at
            written.append(changes.mission_started(at, by=self.record.by))
        elif self.state is MissionState.PAUSED:
            self._go.clear()
        if opening.recovery.changes:
            self._log("Mission %s goes on after its runner was lost", self.record.short_id)
        written += [*opening.recovery.changes, *self._consequences(at, self._late)]
        self._conclude(at, written)
        if written:
            await self._write(written)

    def _name(self, task_id: TaskId) -> str:
        return next(task.name for task in self._tasks.values() if task.id == task_id)

    # -- what the runner asks -----------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Tasks of it run or will do so by themselves."""
        return bool(self._running or self._timers) or not self.opened.is_set()

    @property
    def needs_a_person(self) -> bool:
        """Nothing happens until somebody decides."""
        return (
            self.state is MissionState.RUNNING
            and not self.is_running
            and self._schedule.best() is None
        )

    @property
    def running(self) -> int:
        """How many tasks run."""
        return len(self._running)

    def candidate(self) -> Candidate | None:
        """Return the best task that it could start now."""
        if self._is_ending or self.state is not MissionState.RUNNING or self.broken:
            return None
        if not self.opened.is_set():
            return None
        running = Counter(attempt.task.agent for attempt in self._running.values())
        busy = busy_agents(running, self.plan.agent_concurrency)
        best = self._schedule.best(busy=busy)
        if best is None:
            return None
        return Candidate(
            mission=self.record.id,
            number=self.record.number,
            priority=self.plan.priority,
            task=best,
            remaining_s=self._remaining[best],
            running=len(self._running),
            limit=self.plan.concurrency,
        )

    def start(self, name: str) -> None:
        """Start a ready task.

        Raises:
            OSError: No process can be started for it; nothing has changed.
        """
        seat = self._crew.executor.seat(self.record.id)
        self._schedule.start(name)
        self._attempts[name] += 1
        spec, record = self._specs[name], self._tasks[name]
        attempt = Attempt(spec, record.id, self._attempts[name], seat)
        self._running[name] = attempt
        self._quiet.clear()
        at = self._crew.clock.now()
        committed = self._submit(
            [changes.started(at, record.id, attempt.number, pid=seat.pid, agent=spec.agent)]
        )
        self._crew.spawn(
            self._carry_out(attempt, committed),
            f"{self.record.short_id}/{name}#{attempt.number}",
        )

    # -- one attempt --------------------------------------------------------------------

    async def _carry_out(
        self, attempt: Attempt, committed: asyncio.Future[Mapping[Digest, Digest]]
    ) -> None:
        ending, product = Ending(EndKind.KILLED), None
        try:
            ending = await self._do(attempt, committed)
            if ending.kind is EndKind.SUCCEEDED and attempt.doom is None:
                product = await self._product(ending)
        except HypernbError as error:
            # Not the task's fault: the store or the lease is gone.
            self._break(error)
        except Exception as error:
            self._crew.log.exception("Attempt %s failed inside hypernb", attempt.key)
            self._break(error)
        finally:
            attempt.seat.leave()
            del self._running[attempt.task.name]
        self._settle(attempt, ending, product)
        if not self._running:
            self._quiet.set()
        self._crew.poke()

    async def _do(
        self, attempt: Attempt, committed: asyncio.Future[Mapping[Digest, Digest]]
    ) -> Ending:
        try:
            job = await self._crew.materials.job(
                attempt, self.plan, outputs=self._outputs, failures=self._errors
            )
        except HypernbError as error:
            await committed
            return Ending(EndKind.FAILED, error_kind=type(error).__name__, detail=str(error))
        if self._waits_for_its_start(attempt.task):
            await committed
        await self._go.wait()
        if attempt.doom is not None:
            return Ending(EndKind.KILLED)
        attempt.begin(self._crew.clock.monotonic())
        return await attempt.seat.run(job, partial(self._hear, attempt))

    def _waits_for_its_start(self, task: TaskSpec) -> bool:
        """Tell whether the start has to be committed before the first line of the task runs.

        After a crash the next runner repeats whatever it does not know to be finished. For a
        task that may be repeated and whose needs are committed, it makes no difference whether
        it knows of the start; so those tasks run while their start is being written, and a
        wide mission is not held up by one sync after the other.
        """
        return not task.repeatable or any(
            isinstance(self._outputs.get(need), Value) for need in task.needs
        )

    async def _product(self, ending: Ending) -> Product:
        output = ending.output
        if output is not None and not ending.files and len(output.data) < _SMALL_BYTES:
            return product_of(ending, self._crew.store)
        return await self._crew.desk.call(product_of, ending, self._crew.store)

    def _hear(self, attempt: Attempt, signal: Signal) -> None:
        if self._running.get(attempt.task.name) is not attempt:
            return
        attempt.last_sign = self._crew.clock.monotonic()
        at = self._signs[attempt.task_id] = self._crew.clock.now()
        if self._is_ending or self._crew.writer.is_full:
            return
        if signal.kind is SignalKind.PROGRESS:
            change = changes.progressed(
                at, attempt.task_id, attempt.number, words=signal.text, share=signal.share
            )
            self._submit([change])
        elif signal.kind is SignalKind.PRINTED:
            self._submit(
                [changes.printed(at, attempt.task_id, attempt.number, text=signal.text)]
            )

    # -- what came of it ----------------------------------------------------------------

    def _settle(self, attempt: Attempt, ending: Ending, product: Product | None) -> None:
        if self.broken or attempt.doom not in (None, Doom.TIMED_OUT):
            return  # whoever ended it writes, or nobody may
        at = self._crew.clock.now()
        written: list[Change] = []
        if ending.dropped_bytes:
            written.append(
                changes.output_dropped(
                    at,
                    attempt.task_id,
                    attempt.number,
                    kept_bytes=self._crew.settings.output_bytes,
                    dropped_bytes=ending.dropped_bytes,
                )
            )
        outputs: dict[Digest, Payload] = {}
        if product is not None and attempt.doom is None:
            outputs[product.digest] = product.payload
            written += self._succeeded(at, attempt, product)
        else:
            written += self._failed(at, attempt, ending)
        self._conclude(at, written)
        committed = self._submit(written, outputs)
        if product is not None and attempt.doom is None:
            committed.add_done_callback(partial(self._stored, attempt.task.name, product))

    def _stored(
        self, name: str, product: Product, committed: asyncio.Future[Mapping[Digest, Digest]]
    ) -> None:
        """Let go of an output that is in the store now; from here on its digest does."""
        if committed.cancelled() or committed.exception():
            return
        digest = committed.result().get(product.digest, product.digest)
        self._crew.materials.keep(digest, product.value)
        self._outputs[name] = digest

    def _succeeded(self, at: datetime, attempt: Attempt, product: Product) -> list[Change]:
        name = attempt.task.name
        self._outputs[name] = product.value
        done = changes.succeeded(
            at,
            attempt.task_id,
            attempt.number,
            output=product.digest,
            text=product.payload.text,
            note=product.note,
            outcome=product.outcome,
            findings=product.findings,
        )
        return [done, *self._consequences(at, self._schedule.succeed(name))]

    def _failed(self, at: datetime, attempt: Attempt, ending: Ending) -> list[Change]:
        name, spec = attempt.task.name, attempt.task
        error, facts = failure(attempt, ending)
        self._failures[name] += 1
        number = self._failures[name]
        if number < spec.attempts and not self._schedule.is_stopped:
            wait_s = backoff_s(number, spec.backoff_s, self._crew.rng)
            self._timers[name] = self._spawn(
                self._again(name, wait_s), f"{self.record.short_id}/{name} waits"
            )
            plan = {
                "try": number,
                "of": spec.attempts,
                "delay_s": round(wait_s, 3),
                "next_attempt": attempt.number + 1,
            }
            return [
                changes.retried(
                    at, attempt.task_id, attempt.number, error=error, facts={**facts, **plan}
                )
            ]
        self._errors[name] = error
        self._log("Task %s/%s failed: %s", self.record.short_id, name, error, task=name)
        done = changes.failed(at, attempt.task_id, attempt.number, error=error, facts=facts)
        return [done, *self._consequences(at, self._schedule.fail(name))]

    async def _again(self, name: str, wait_s: float) -> None:
        await self._crew.clock.sleep(wait_s)
        del self._timers[name]
        self._schedule.release(name)
        written: list[Change] = []
        self._conclude(self._crew.clock.now(), written)
        if written:
            self._submit(written)
        self._crew.poke()

    def _consequences(self, at: datetime, consequence: Consequence) -> list[Change]:
        skipped = []
        for name in consequence.skipped:
            blocking = ", ".join(repr(need) for need in self._schedule.blocked_by(name)[:3])
            because = f"skipped: {blocking} did not succeed"
            skipped.append(changes.skipped(at, self._tasks[name].id, because=because))
        return [
            *skipped,
            *(changes.readied(at, self._tasks[name].id) for name in consequence.readied),
        ]

    # -- the end ------------------------------------------------------------------------

    def _conclude(self, at: datetime, written: list[Change]) -> None:
        """Add the mission's end to the changes, if this was the last of it."""
        if self._is_ending or self._running:
            return
        if self._schedule.is_stopped:
            self._stop_timers()
            written += self._cancelled_rest(at, because="not started, because a task failed")
        elif self._timers or not self._schedule.is_done:
            return
        self._is_ending = True
        state, error = self._verdict()
        written += self._final(at, state, error)

    def _verdict(self) -> tuple[MissionState, str]:
        bad = [
            task.name
            for task in self.plan.tasks
            if self._schedule.state(task.name) is TaskState.FAILED
            and task.on_failure is not OnFailure.CONTINUE
        ]
        if bad:
            first = self._errors.get(bad[0]) or f"Task {bad[0]!r} failed"
            if repr(bad[0]) not in first:
                first = f"Task {bad[0]!r} failed: {first}"
            more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
            return MissionState.FAILED, f"{_brief(first)}{more}"
        cancelled = self._schedule.counts().get(TaskState.CANCELLED, 0)
        if cancelled:
            tasks = "1 task stays" if cancelled == 1 else f"{cancelled} tasks stay"
            return MissionState.FAILED, f"{tasks} cancelled"
        return MissionState.SUCCEEDED, ""

    def _final(self, at: datetime, state: MissionState, error: str) -> list[Change]:
        self.state = state
        counts = self._schedule.counts()
        facts: dict[str, Any] = {"counts": {key.value: many for key, many in counts.items()}}
        if self._started_at is not None:
            facts["duration_s"] = round((at - self._started_at).total_seconds(), 3)
        self._log("Mission %s %s %s", self.record.short_id, state.value, error)
        return [changes.mission_finished(at, state, error=error, facts=facts)]

    def _cancelled_rest(
        self, at: datetime, *, because: str, ended: Mapping[str, int] | None = None
    ) -> list[Change]:
        """Cancel every task that has not ended.

        Args:
            ended: Number of the attempt that was just ended, by name.
        """
        ended = ended or {}
        names = [*self._schedule.cancel_rest()]
        for name in self._specs:
            if not self._schedule.state(name).is_final:
                self._schedule.cancel(name)
                names.append(name)
        return [
            changes.cancelled(at, self._tasks[name].id, ended.get(name), because=because)
            for name in names
        ]

    def _stop_timers(self) -> None:
        timers, self._timers = self._timers, {}
        for timer in timers.values():
            timer.cancel()

    # -- what people ask ----------------------------------------------------------------

    async def pause(self, *, by: str) -> None:
        """Stop all running work where it is, and start nothing more.

        Raises:
            TransitionError: The mission does not run.
        """
        self._become(MissionState.PAUSED)
        self._go.clear()
        now = self._crew.clock.monotonic()
        for attempt in self._running.values():
            attempt.pause(now)
        await self._write([changes.mission_paused(self._crew.clock.now(), by=by)])

    async def resume(self, *, by: str) -> None:
        """Let a paused mission go on.

        Raises:
            TransitionError: The mission is not paused.
        """
        if self.state is not MissionState.PAUSED:
            raise self._refusal(MissionState.RUNNING)
        self._become(MissionState.RUNNING)
        await self._write([changes.mission_resumed(self._crew.clock.now(), by=by)])
        now = self._crew.clock.monotonic()
        for attempt in self._running.values():
            attempt.resume(now)
        self._go.set()
        self._crew.poke()

    async def cancel(self, *, by: str) -> None:
        """End all running work with its processes, and start nothing more; one commit.

        Raises:
            TransitionError: The mission has ended already.
        """
        if self.state.is_final or self._is_ending:
            raise self._refusal(MissionState.CANCELLED)
        await self._end_all(MissionState.CANCELLED, f"by {by}", because=f"cancelled by {by}")

    async def _end_all(self, state: MissionState, error: str, *, because: str) -> None:
        ended = await self._end_running(Doom.CANCELLED)
        at = self._crew.clock.now()
        written = self._cancelled_rest(at, because=because, ended=ended)
        await self._write([*written, *self._final(at, state, error)])

    async def _end_running(self, doom: Doom) -> dict[str, int]:
        """End the running attempts; return their numbers by task name."""
        self._is_ending = True
        self._stop_timers()
        attempts = list(self._running.values())
        async with asyncio.TaskGroup() as group:
            for attempt in attempts:
                group.create_task(attempt.end(doom), name=f"end {attempt.key}")
        self._go.set()
        await self._quiet.wait()
        return {attempt.task.name: attempt.number for attempt in attempts}

    async def suspend(self) -> None:
        """Stop because the runner does: end what runs, leave the mission to the next one."""
        if self.broken or self._is_ending or self.state.is_final:
            return
        ended = await self._end_running(Doom.SUSPENDED)
        at = self._crew.clock.now()
        reason = "the runner was stopped"
        written = []
        for name, number in ended.items():
            repeatable = self._specs[name].repeatable
            after = TaskState.READY if repeatable else TaskState.AWAITING_APPROVAL
            record = self._tasks[name]
            note = (
                "waits for the next runner" if repeatable else ask(self.record, record.number)
            )
            written.append(
                changes.suspended(at, record.id, number, after=after, reason=reason, note=note)
            )
        if written:
            await self._write(written)

    async def drop(self) -> None:
        """End what runs and write nothing: the mission is no longer this runner's."""
        await self._end_running(Doom.DROPPED)

    async def retry(self, ref: str, *, by: str) -> list[str]:
        """Try an ended task again, with what was skipped for its sake; without a name, all.

        Returns:
            Names of the tasks that are tried again.

        Raises:
            UnknownTaskError: There is no such task.
            TransitionError: It cannot be tried again, or the mission cannot.
        """
        if self._objection:
            raise TransitionError(
                "mission",
                self.record.short_id,
                self.state.value,
                "running",
                hint=f"It may not run: {self._objection}.",
            )
        at = self._crew.clock.now()
        was_final = self.state.is_final
        if self._is_ending and not was_final:
            raise self._refusal(MissionState.RUNNING)
        if was_final:
            transition(self.state, MissionState.RUNNING, name=self.record.short_id)
        asked = [name for name in self._resolve(ref) if self._is_put_to_the_user(name)]
        written = [changes.mission_started(at, by=by, retry=ref)] if was_final else []
        opened = self._reopen(ref, asked)
        for name in asked:
            self._schedule.release(name)
        for name in (*asked, *opened.readied, *opened.pending):
            self._failures[name] = 0
            self._errors.pop(name, None)
            task, number = self._tasks[name].id, self._attempts[name]
            note = changes.pending if name in opened.pending else changes.reopened
            written.append(note(at, task, by=by, after_attempt=number))
        self._is_ending = False
        if was_final:
            self.state, self._started_at = MissionState.RUNNING, at
            self._has_ended = False
            self.over.clear()
        await self._write(written)
        self._crew.poke()
        return [*asked, *opened.readied, *opened.pending]

    def _reopen(self, ref: str, asked: Sequence[str]) -> Consequence:
        if asked:
            return Consequence()
        return self._schedule.retry(self._resolve(ref) if ref else None)

    def _resolve(self, ref: str) -> list[str]:
        if not ref:
            return list(self._specs)
        if ref in self._specs:
            return [ref]
        by_number = [task.name for task in self._tasks.values() if f"t{task.number}" == ref]
        if not by_number:
            raise UnknownTaskError(ref, self._specs)
        return by_number

    def _is_put_to_the_user(self, name: str) -> bool:
        return self._schedule.state(name) is TaskState.AWAITING_APPROVAL

    def _become(self, state: MissionState) -> None:
        if self._is_ending and not self.state.is_final:
            raise self._refusal(state)
        self.state = transition(self.state, state, name=self.record.short_id)

    def _refusal(self, state: MissionState) -> TransitionError:
        return TransitionError("mission", self.record.short_id, self.state.value, state.value)

    # -- what time does -----------------------------------------------------------------

    def tick(self) -> None:
        """Look at everything that runs: ended in time, alive, within the deadline?"""
        now, at = self._crew.clock.monotonic(), self._crew.clock.now()
        for attempt in list(self._running.values()):
            if attempt.begun and attempt.doom is None:
                self._look_at(attempt, now=now, at=at)
        limit = self.plan.deadline_s if self.opened.is_set() else None
        if limit is None or self._started_at is None or self._is_ending:
            return
        if (at - self._started_at).total_seconds() >= limit and not self.state.is_final:
            self._is_ending = True
            error = f"it was not done within its deadline of {limit:g} s"
            self._spawn(self._overdue(error), f"{self.record.short_id} is overdue")

    async def _overdue(self, error: str) -> None:
        with contextlib.suppress(HypernbError):  # noted by _break
            await self._end_all(MissionState.FAILED, error, because="the deadline has passed")

    def _look_at(self, attempt: Attempt, *, now: float, at: datetime) -> None:
        stalled_s = self._crew.settings.stalled_s
        verdict = judge(attempt.vital(), now=now, stalled_s=stalled_s)
        if verdict is Verdict.TIMED_OUT:
            attempt.doom = Doom.TIMED_OUT
            self._spawn(attempt.end(Doom.TIMED_OUT), f"time out {attempt.key}")
        elif verdict is Verdict.STALLED:
            attempt.is_stalled = True
            change = changes.stalled(
                at,
                attempt.task_id,
                attempt.number,
                silent_s=now - attempt.last_sign,
                cap_s=attempt.task.timeout_s,
            )
            self._submit([change])
        elif verdict is Verdict.REVIVED:
            attempt.is_stalled = False
            self._submit([changes.revived(at, attempt.task_id, attempt.number)])

    def take_signs(self) -> dict[TaskId, datetime]:
        """Return the signs of life since the last call."""
        signs, self._signs = self._signs, {}
        return signs

    def end_if_final(self) -> None:
        """Let the run be closed, if the mission's end is in the store."""
        if self._has_ended:
            self.over.set()

    def close_if_over(self) -> None:
        """Take no more commands, if it has really ended; a retry may have come in between."""
        self.is_closed = self.over.is_set()

    def give_up(self, error: Exception) -> None:
        """Hold the mission no longer, because of an error."""
        self._break(error)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        return self._crew.spawn(self._guarded(work), name)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Let a fault end this run and not the runner."""
        try:
            await work
        except Exception as error:
            self._crew.log.exception("Mission %s met a fault", self.record.short_id)
            self._break(error)

    # -- writing ------------------------------------------------------------------------

    def _submit(
        self, written: Iterable[Change], outputs: Mapping[Digest, Payload] | None = None
    ) -> asyncio.Future[Mapping[Digest, Digest]]:
        batch = [*written]
        # The state in memory is ahead: commits that are still to come back may be earlier
        # ones, and only the one with the mission's end in it ends the run.
        is_last = any(each.mission_state and each.mission_state.is_final for each in batch)
        committed = self._crew.writer.submit(self.record.id, self.lease, batch, outputs)
        committed.add_done_callback(partial(self._committed, is_last))
        return committed

    async def _write(self, written: Iterable[Change]) -> None:
        await self._submit(written)

    def _committed(
        self,
        is_last: bool,  # noqa: FBT001 - bound by name's place in a callback
        future: asyncio.Future[Mapping[Digest, Digest]],
    ) -> None:
        if future.cancelled():
            return
        if error := future.exception():
            self._break(error)
        elif is_last:
            self._has_ended = True
            self.over.set()

    def _break(self, error: BaseException) -> None:
        if self.broken is None:
            wrapped = error if isinstance(error, Exception) else StoreError(repr(error))
            self.broken = wrapped
            self.over.set()

    def _log(self, message: str, *args: object, task: str = "") -> None:
        extra = {"mission": self.record.id, "short_id": self.record.short_id}
        if task:
            extra |= {"task": task, "agent": self._specs[task].agent}
        self._crew.log.info(message, *args, extra=extra)


def _brief(text: str) -> str:
    first = text.strip().splitlines()[0] if text.strip() else ""
    return first.rstrip(".")[:500]
