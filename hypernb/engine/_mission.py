"""One mission while a runner holds it: from its first task to its last commit."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hypernb import codec
from hypernb.engine import _changes as changes
from hypernb.engine._attempt import Attempt, Doom
from hypernb.engine._body import STORED
from hypernb.engine._contract import Contract
from hypernb.engine._course import Course
from hypernb.engine._dispatch import Candidate
from hypernb.engine._errands import Errands
from hypernb.engine._funds import Funds
from hypernb.engine._job import Ending, EndKind, Signal, SignalKind
from hypernb.engine._opening import Opening, read_opening
from hypernb.engine._permits import Permits
from hypernb.engine._product import only_own, product_of
from hypernb.engine._recovery import Leftover
from hypernb.engine._watchdog import Verdict, judge
from hypernb.errors import (
    HypernbError,
    StoreError,
    StoreUnavailableError,
    TransitionError,
)
from hypernb.model import OVERSPENT, AgentWork, MissionState, transition

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
    from datetime import datetime

    from hypernb.abc import Payload
    from hypernb.engine._crew import Crew
    from hypernb.engine._product import Product
    from hypernb.engine._requests import Reply, Request
    from hypernb.engine._writer import Committed
    from hypernb.model import (
        Amendment,
        Change,
        Digest,
        LeaseRecord,
        MissionRecord,
        TaskId,
    )

_SMALL_BYTES: Final = 10_000
"""Outputs below this are looked at in the loop: a hop to a thread costs more."""


@dataclass(slots=True)
class _Batch:
    """What is written together, as one ticket of the writer's.

    Attributes:
        ends: Attempts that it ends, each with its output if it has one.
        starts: Attempts that may begin once it is committed.
        payments: Changes that tell of payments.
        is_last: It ends the mission.
    """

    ends: list[tuple[Attempt, Product | None]] = field(default_factory=list)
    starts: list[Attempt] = field(default_factory=list)
    payments: list[Change] = field(default_factory=list)
    is_last: bool = False


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
        turns: How many starts it has had; see `hypernb.engine._dispatch.Candidate`.

    Args:
        leftover: What `drop` of an earlier run of the mission has returned.
    """

    def __init__(
        self,
        record: MissionRecord,
        lease: LeaseRecord,
        crew: Crew,
        *,
        turns: int = 0,
        leftover: Leftover | None = None,
    ) -> None:
        self.record = record
        self.lease = lease
        self.state = record.state
        self.turns = turns
        self.over = asyncio.Event()
        self.opened = asyncio.Event()
        self.broken: Exception | None = None
        self.lock = asyncio.Lock()
        self._crew = crew
        self.attempts: dict[str, Attempt] = {}
        self._begun: set[tuple[TaskId, int]] = set()  # attempts whose end is not in the store
        self.funds = Funds(self)
        self._errands: Errands | None = None
        self._leftover = leftover or Leftover()
        self.busy: Counter[str] = Counter()  # running tasks by agent
        self._suspect: str | None = None
        self._timers: dict[str, asyncio.Task[None]] = {}
        self.permits = Permits(crew, self)
        self.lacking: list[str] = []  # keys that its models need and the runner has not got
        self.go = asyncio.Event()
        self.go.set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self.is_ending = False
        self.is_closed = False
        self._has_ended = False
        self._signs: dict[TaskId, datetime] = {}
        self._batches: dict[Committed, _Batch] = {}

    # -- opening ------------------------------------------------------------------------

    async def open(self, *, is_asked: bool = False) -> None:
        """Read the mission, check its approval, and go on where the last runner stopped.

        Args:
            is_asked: Because of a command, which is carried out also where a key lacks.

        Raises:
            StoreError: The store cannot be read.
        """
        opening = await self._crew.desk.call(
            read_opening,
            self._crew.store,
            self.record,
            self.lease,
            leftover=self._leftover,
            at=self._crew.clock.now(),
            abandoned_at_most=self._crew.settings.abandoned_at_most,
        )
        self._adopt(opening)
        if opening.objection and not self.state.is_final:
            await self._refuse(opening.objection)
        elif not self.state.is_final and self.lacking:
            await self._wait_for_a_key(is_asked=is_asked)
        elif not self.state.is_final:
            await self._begin_or_go_on()
        self.opened.set()
        self._crew.poke()

    def _adopt(self, opening: Opening) -> None:
        self.record = opening.mission
        self.state = opening.mission.state
        self.plan = opening.plan
        self.course = Course(opening)
        self.contract = Contract(self.plan, self.course.budget, self._crew.models.ids)
        self._amend(opening.amendments)
        self._late = (*self._leftover.payments, *opening.lost)
        for payment in self._late:
            self.course.take_over(payment)
        self.funds.is_finishing = opening.is_finishing
        self.funds.has_warned(opening.warned_of)
        self.funds.trust.recall(opening.claims)
        self._objection = opening.objection
        self._has_ended = self.state.is_final

    async def _refuse(self, objection: str) -> None:
        at = self._crew.clock.now()
        self.log("Mission %s is not run: %s", self.record.short_id, objection)
        rest = self.course.cancel_rest(at, because="never started: the mission may not run")
        await self._write([*rest, self._finish(at, MissionState.FAILED, objection)])

    async def _begin_or_go_on(self) -> None:
        at = self._crew.clock.now()
        if self.state is MissionState.AWAITING_APPROVAL:
            self._become(MissionState.RUNNING)
            self.course.begin(at)
            # Before anything else: a person may just have ended the mission, or changed it.
            await self._write([changes.mission_started(at, by=self.record.by)])
        elif self.state is MissionState.PAUSED:
            self.go.clear()
        if self.course.is_recovered:
            self.log("Mission %s goes on with what was under way", self.record.short_id)
        self.funds.pay(self._late)
        self.submit([*self.course.go_on(at), *self.conclusion(at)])

    async def _wait_for_a_key(self, *, is_asked: bool) -> None:
        """Leave the mission to a runner that has what it needs."""
        at = self._crew.clock.now()
        if self.state is MissionState.PAUSED:
            self.go.clear()
        if is_asked:
            self.funds.pay(self._late)
            self.submit(self.course.go_on(at))
        if self.record.id not in self._crew.told_of_keys:
            self._crew.told_of_keys.add(self.record.id)
            self.log("Mission %s needs %s", self.record.short_id, ", ".join(self.lacking))
            await self._write(self.contract.missing(at, runner=self.lease.holder))

    async def read_amendments(self) -> bool:
        """Take up what a person has changed of the contract; tell whether there was more."""
        found = await self._crew.desk.call(self._crew.store.amendments, self.record.id)
        return self._amend(found)

    async def amend(self) -> None:
        """Take up other terms while it runs: they count from the next call on."""
        if await self.read_amendments() and self._errands is not None:
            self._errands.calls.renew()
        self.funds.look_again()
        if self.lacking and self.state is MissionState.RUNNING:
            await self.suspend()  # for the runner that has the key of its new model
        self._crew.poke()

    def _amend(self, amendments: Sequence[Amendment]) -> bool:
        is_more = self.contract.take(amendments, self.course.done)
        self.lacking = self.contract.lacking
        return is_more

    # -- what the runner asks -----------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Tasks of it run or will do so by themselves."""
        under_way = self.attempts or self._timers or self.permits.asking
        return bool(under_way) or not self.opened.is_set()

    @property
    def needs_a_person(self) -> bool:
        """Nothing happens until somebody decides."""
        return (
            self.state is MissionState.RUNNING
            and not self.is_running
            and self.course.best() is None
        )

    @property
    def running(self) -> int:
        """How many tasks run, or are about to."""
        return len(self.attempts) + len(self.permits.asking) + len(self.permits.granted)

    @property
    def hands(self) -> int:
        """How many hands of the runner it uses: none while it is paused."""
        return 0 if self.state is MissionState.PAUSED else self.running

    @property
    def at_work(self) -> int:
        """How many tasks run that are not stopped."""
        return 0 if self.state is MissionState.PAUSED else len(self.attempts)

    @property
    def waits(self) -> bool:
        """All that runs here are attempts that begin when their start is committed."""
        return not self.permits.asking and all(
            each.seat.is_prompt and not each.begun for each in self.attempts.values()
        )

    def candidate(self) -> Candidate | None:
        """Return the best task that it could start now."""
        if self.is_ending or self.state is not MissionState.RUNNING or self.broken:
            return None
        if not self.opened.is_set() or self.lacking:
            return None
        if (best := self._best()) is None:
            return None
        return Candidate(
            mission=self.record.id,
            number=self.record.number,
            priority=self.plan.priority,
            task=best,
            remaining_s=self.course.remaining_s(best),
            running=self.running,
            limit=self.plan.concurrency,
            turns=self.turns,
            alone=self.course.is_suspect(best),
            is_granted=best in self.permits.granted,
        )

    def _best(self) -> str | None:
        lacking = self._crew.governor.lacking
        if self.funds.is_finishing:
            return self.course.cut_short(lacking)  # nothing new: it has begun before
        granted = next(iter(self.permits.granted), None)
        return granted or self.course.best(self.busy, lacking, self.funds.reserved())

    @property
    def ahead(self) -> tuple[str, ...]:
        """Tasks that start before any other."""
        return (*self.permits.asking, *self.permits.granted)

    @property
    def runs_alone(self) -> bool:
        """A task runs that nothing may run beside; one that is paused does not run."""
        return self._suspect is not None and self.at_work > 0

    def start(self, name: str) -> None:
        """Start a ready task, or ask for the resources that it shares with others.

        Raises:
            OSError: No process can be started for it; nothing has changed.
        """
        spec = self.course.specs[name]
        if spec.resources and name not in self.permits.granted:
            self.permits.ask(spec)
            return
        is_agent = isinstance(spec.work, AgentWork)
        seat = self._crew.executor.seat(self.record.id, is_agent=is_agent)
        self.permits.granted.pop(name, None)
        task, number = self.course.start(name)
        allowance = self.course.budget.allowance(name, self.funds.reserved())
        attempt = Attempt(spec, task, number, seat, allowance=allowance)
        self.attempts[name] = attempt
        self._begun.add((task, number))
        self.busy[spec.agent] += 1
        self._suspect = name if self.course.is_suspect(name) else None
        self.turns += 1
        self._quiet.clear()
        at = self._crew.clock.now()
        started = changes.started(
            at,
            task,
            number,
            pid=seat.pid,
            agent=spec.agent,
            alone=self.runs_alone,
        )
        committed = self.submit([started])
        if not seat.is_prompt:
            self._set_off(attempt, committed)
        elif self.course.waits_for_its_start(spec):
            self._batches[committed].starts.append(attempt)
        else:
            self._do_at_once(attempt, committed)

    # -- one attempt --------------------------------------------------------------------

    def _set_off(
        self, attempt: Attempt, committed: Committed, ending: Ending | None = None
    ) -> None:
        self._crew.spawn(self._carry_out(attempt, committed, ending), attempt.key)

    def _do_at_once(self, attempt: Attempt, committed: Committed) -> None:
        """Do an attempt here and now, if it takes no waiting; else set it off."""
        if not self.go.is_set() or attempt.doom is not None or self.broken:
            self._set_off(attempt, committed)
            return
        try:
            job = self._crew.materials.job_at_hand(
                attempt, self.plan, outputs=self.course.outputs, failures=self.course.errors
            )
            if job is None:
                self._set_off(attempt, committed)
                return
            attempt.begin(self._crew.clock.monotonic())
            ending = attempt.seat.do(job)
            if ending is None or not _is_small(ending):
                self._set_off(attempt, committed, ending)
                return
            ending = self._crew.models.cover.ending(ending)
            succeeded = ending.kind is EndKind.SUCCEEDED
            product = product_of(ending, self._crew.store) if succeeded else None
        except Exception as error:
            self._crew.log.exception("Attempt %s failed inside hypernb", attempt.key)
            self._break(error)
            ending, product = Ending(EndKind.KILLED), None
        self._leave(attempt)
        self._settle(attempt, ending, product)
        self._look_on()

    async def _carry_out(
        self, attempt: Attempt, committed: Committed, ended: Ending | None
    ) -> None:
        ending, product = Ending(EndKind.KILLED), None
        try:
            ending = await self._covered(ended or await self._do(attempt, committed))
            if ending.kind is EndKind.SUCCEEDED and attempt.doom is None:
                product = await self._product(ending)
        except HypernbError as error:
            # Not the task's fault: the store or the lease is gone.
            self._break(error)
        except Exception as error:
            self._crew.log.exception("Attempt %s failed inside hypernb", attempt.key)
            self._break(error)
        finally:
            # Cancelled, it writes nothing: that is for the next runner to find.
            self._leave(attempt)
        self._settle(attempt, ending, product)
        self._look_on()

    def _look_on(self) -> None:
        if not self.attempts:
            self._quiet.set()
        self._crew.poke()

    def _leave(self, attempt: Attempt) -> None:
        attempt.seat.leave()
        name = attempt.task.name
        if self._errands is not None:
            self._errands.close(attempt)
        del self.attempts[name]
        self.funds.look_again()
        self.busy[attempt.task.agent] -= 1
        if self._suspect == name:
            self._suspect = None

    async def _do(self, attempt: Attempt, committed: Committed) -> Ending:
        try:
            job = await self._crew.materials.job(
                attempt, self.plan, outputs=self.course.outputs, failures=self.course.errors
            )
        except StoreUnavailableError:
            raise  # no task's fault
        except HypernbError as error:
            await committed
            return Ending(EndKind.FAILED, error_kind=type(error).__name__, detail=str(error))
        if self.course.waits_for_its_start(attempt.task):
            await committed
        await self.go.wait()
        if attempt.doom is not None:
            return Ending(EndKind.KILLED)
        attempt.begin(self._crew.clock.monotonic())
        hear, answer = partial(self._hear, attempt), partial(self._answer, attempt)
        return only_own(await attempt.seat.run(job, hear, answer), attempt.values)

    def has(self, attempt: Attempt) -> bool:
        """Tell whether an attempt is still under way."""
        return self.attempts.get(attempt.task.name) is attempt

    async def _answer(self, attempt: Attempt, request: Request) -> Reply:
        if self.has(attempt):
            self._sign(attempt)
        if self._errands is None:
            self._errands = Errands(self._crew, self)
        return await self._errands.answer(attempt, request)

    async def _covered(self, ending: Ending) -> Ending:
        """Return how a job ended, without the runner's keys."""
        cover = self._crew.models.cover
        output = ending.output
        is_table = output is not None and output.media_type == codec.PARQUET
        if not cover or (_is_small(ending) and not is_table):
            return cover.ending(ending)
        return await asyncio.to_thread(cover.ending, ending)

    async def _product(self, ending: Ending) -> Product:
        if _is_small(ending):
            return product_of(ending, self._crew.store)
        return await self._crew.desk.call(product_of, ending, self._crew.store)

    def _hear(self, attempt: Attempt, signal: Signal) -> None:
        if not self.has(attempt):
            return
        at = self._sign(attempt)
        if signal.usage is not None:
            self.funds.spend(at, attempt, [self._crew.models.cover.usage(signal.usage)])
            return
        if self.is_ending or self._crew.writer.is_full:
            return
        if signal.kind is SignalKind.PROGRESS:
            attempt.words = self._crew.models.cover.part(signal.text)
            change = changes.progressed(
                at, attempt.task_id, attempt.number, words=attempt.words, share=signal.share
            )
            self.submit([change])
        elif signal.kind is SignalKind.PRINTED:
            text = self._crew.models.cover.part(signal.text)
            self.submit([changes.printed(at, attempt.task_id, attempt.number, text=text)])

    def _sign(self, attempt: Attempt) -> datetime:
        """Note that an attempt has given a sign of life, and return when."""
        attempt.last_sign = self._crew.clock.monotonic()
        at = self._signs[attempt.task_id] = self._crew.clock.now()
        return at

    # -- what it costs ------------------------------------------------------------------

    def submit_payments(
        self, payments: Sequence[Change], outputs: Mapping[Digest, Payload] | None = None
    ) -> Committed:
        """Have payments written; `funds` is told when they are."""
        committed = self.submit(payments, outputs)
        self._batches[committed].payments += payments
        return committed

    async def end_poor(self) -> None:
        """End all that runs: more was spent than the mission may.

        Raises:
            StoreError: It could not be written.
        """
        self.is_ending = True
        self.submit([self.course.exhausted(self._crew.clock.now())])
        error = self.course.budget.overspent()
        await self._end_all(MissionState.FAILED, error, because=OVERSPENT)

    # -- what came of it ----------------------------------------------------------------

    def _settle(self, attempt: Attempt, ending: Ending, product: Product | None) -> None:
        at = self._crew.clock.now()
        if ending.usage:
            self.funds.spend(at, attempt, ending.usage)
        if self.broken or attempt.doom not in (None, Doom.TIMED_OUT, Doom.OVERSPENT):
            return  # whoever ended it writes, or nobody may
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
            written += self.course.succeed(at, attempt, product)
        elif ending.refusal is not None and attempt.doom is None:
            product = None
            written += self.permits.refused(at, attempt, ending)
        else:
            product = None
            written += self._fail(at, attempt, ending)
        written += self.conclusion(at)
        committed = self.submit(written, outputs)
        self._batches[committed].ends.append((attempt, product))

    def _settled(
        self, attempt: Attempt, product: Product | None, filed: Mapping[Digest, Digest]
    ) -> None:
        """Let go of an output that is in the store now; from here on its digest does."""
        name = attempt.task.name
        self._begun.discard((attempt.task_id, attempt.number))
        digest = None
        if product is not None:
            digest = filed.get(product.digest, product.digest)
            self._crew.materials.keep(digest, product.value)
        self.course.written(name, digest)
        resources = self.course.specs[name].resources
        if resources and not self.course.is_waiting(name):
            self._crew.governor.freed(resources)

    def _fail(self, at: datetime, attempt: Attempt, ending: Ending) -> tuple[Change, ...]:
        name = attempt.task.name
        setback = self.course.fail(at, attempt, ending, self._crew.rng)
        if setback.retry_after_s is None:
            self.log(
                "Task %s/%s failed: %s", self.record.short_id, name, setback.error, task=name
            )
        else:
            self.again_after(name, setback.retry_after_s)
        return setback.changes

    def again_after(self, name: str, wait_s: float) -> None:
        self._timers[name] = self.spawn(
            partial(self._again, name, wait_s), f"{self.record.short_id}/{name} waits"
        )

    async def _again(self, name: str, wait_s: float) -> None:
        await self._crew.clock.sleep(wait_s)
        del self._timers[name]
        self.course.release(name)
        self.submit(self.conclusion(self._crew.clock.now()))
        self._crew.poke()

    # -- the end ------------------------------------------------------------------------

    def conclusion(self, at: datetime) -> list[Change]:
        """Return the mission's end, if this was the last of it."""
        under_way = self.attempts or self.permits.asking
        if self.is_ending or under_way or self.state is MissionState.PAUSED:
            return []
        if self.course.is_stopped or self.funds.is_finishing:
            self._stop_timers()
        return [] if self._timers else self._outcome(at)

    def _outcome(self, at: datetime) -> list[Change]:
        """Return what follows when nothing runs: nothing, as long as something may start."""
        course = self.course
        if course.is_stopped:
            rest = course.cancel_rest(at, because="not started, because a task failed")
            return self._end(at, rest, *course.verdict())
        if self.funds.is_finishing and not course.is_done:
            if course.cut_short() is not None:
                return []
            rest, error = course.leave_rest(at)
            return self._end(at, rest, MissionState.FAILED, error)
        if (name := course.too_dear()) is not None:
            if self.plan.models:
                return [self._stand_still(at, **self.funds.lack(course.budget.cap_left(name)))]
            rest, error = course.run_dry(at, name)
            return self._end(at, rest, MissionState.FAILED, error)
        return self._end(at, [], *course.verdict()) if course.is_done else []

    def _end(
        self, at: datetime, written: list[Change], state: MissionState, error: str
    ) -> list[Change]:
        self.is_ending = True
        self.permits.granted.clear()
        return [*written, self._finish(at, state, error)]

    def _finish(self, at: datetime, state: MissionState, error: str) -> Change:
        self.state = state
        because = f": {error}" if error else ""
        self.log("Mission %s %s%s", self.record.short_id, state.value, because)
        return self.course.finish(at, state, error)

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
        await self._write([self._stand_still(self._crew.clock.now(), by=by)])

    def _stand_still(self, at: datetime, **facts: Any) -> Change:
        self._become(MissionState.PAUSED)
        self.go.clear()
        now = self._crew.clock.monotonic()
        for attempt in self.attempts.values():
            attempt.pause(now)
        return changes.mission_paused(at, **facts)

    def ask_for_money(self, needed: float) -> None:
        """Pause because a call is not covered, until a person has decided."""
        if self.state is MissionState.RUNNING:
            at = self._crew.clock.now()
            self.log("Mission %s needs more money, and is paused", self.record.short_id)
            self.submit([self._stand_still(at, **self.funds.lack(needed))])

    async def resume(self, *, by: str, finish: bool = False) -> None:
        """Let a paused mission go on, by its contract as it is now.

        Args:
            finish: Only with what runs, and with calls that the budget covers.

        Raises:
            TransitionError: The mission is not paused.
        """
        if self.state is not MissionState.PAUSED:
            raise self._refusal(MissionState.RUNNING)
        if self.plan.models:
            await self.read_amendments()
        self._become(MissionState.RUNNING)
        self.funds.is_finishing = finish
        at = self._crew.clock.now()
        # An answer that was on its way when the mission was paused may have been the last.
        resumed = changes.mission_resumed(at, by=by, finish=finish)
        await self._write([resumed, *self.conclusion(at)])
        now = self._crew.clock.monotonic()
        for attempt in self.attempts.values():
            attempt.resume(now)
        self.go.set()
        if self._errands is not None:
            self._errands.calls.renew()
        if self.lacking:
            await self.suspend()  # for the runner that has the key of its new model
        self._crew.poke()

    async def cancel(self, *, by: str) -> None:
        """End all running work with its processes, and start nothing more; one commit.

        Raises:
            TransitionError: The mission has ended already.
        """
        if self.state.is_final or self.is_ending:
            raise self._refusal(MissionState.CANCELLED)
        await self._end_all(MissionState.CANCELLED, f"by {by}", because=f"cancelled by {by}")

    async def _end_all(self, state: MissionState, error: str, *, because: str) -> None:
        ended = await self._end_running(Doom.CANCELLED)
        at = self._crew.clock.now()
        written = self.course.cancel_rest(at, because=because, ended=ended)
        await self._write([*written, self._finish(at, state, error)])

    async def _end_running(self, doom: Doom) -> dict[str, int]:
        """End the running attempts; return their numbers by task name."""
        self.is_ending = True
        self._stop_timers()
        attempts = list(self.attempts.values())
        for attempt in attempts:
            attempt.doom = doom  # whatever they answer from here on is not written
        async with asyncio.TaskGroup() as group:
            for attempt in attempts:
                group.create_task(attempt.end(), name=f"end {attempt.key}")
        self.go.set()
        await self._quiet.wait()
        if asking := list(self.permits.asking.values()):
            await asyncio.wait(asking)
        self.permits.granted.clear()
        return {attempt.task.name: attempt.number for attempt in attempts}

    async def suspend(self) -> None:
        """Stop because the runner does: end what runs, leave the mission to the next one."""
        if self.broken or self.is_ending or self.state.is_final:
            return
        ended = await self._end_running(Doom.SUSPENDED)
        if ended:
            await self._write(self.course.suspend(self._crew.clock.now(), ended))

    async def drop(self) -> Leftover:
        """End what runs and write nothing: the mission can no longer be held.

        Returns:
            What was not written, for the next run of the mission. After another fault than a
            store out of reach, its attempts are only those of an earlier run: a fault can be a
            task's doing, as when what it returns cannot be written, so they count as lost.
        """
        await self._end_running(Doom.DROPPED)
        attempts = self._leftover.attempts
        if isinstance(self.broken, StoreUnavailableError):
            attempts |= self._begun
        return Leftover(attempts, self.funds.leftover())

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
        if (name := self.course.name_of(ref)) in self._timers:
            # It waits for its next try, which may as well be now.
            self._timers.pop(name).cancel()
            self.course.release(name)
            self.submit(self.conclusion(self._crew.clock.now()))
            self._crew.poke()
            return [name]
        if self.course.budget.is_overspent:
            raise TransitionError(
                "mission",
                self.record.short_id,
                self.state.value,
                "running",
                hint=f"Of its money: {self.course.budget.overspent()}. Rewind it: a new "
                "mission has what is done, and can have a larger budget.",
            )
        at = self._crew.clock.now()
        was_final = self.state.is_final
        if was_final:
            transition(self.state, MissionState.RUNNING, name=self.record.short_id)
        elif self.is_ending:
            raise self._refusal(MissionState.RUNNING)
        names, written = self.course.reopen(at, ref, by=by)
        for name in names:
            self.permits.granted.pop(name, None)  # it may have to wait for its needs again
        if was_final:
            written.insert(0, changes.mission_started(at, by=by, retry=ref))
            self.state = MissionState.RUNNING
            self.course.begin(at)
            self.is_ending = self._has_ended = self.funds.is_finishing = False
            self.over.clear()
        await self._write(written)
        self.submit(self.conclusion(self._crew.clock.now()))  # there may be no money for it
        self._crew.poke()
        return names

    def _become(self, state: MissionState) -> None:
        if self.is_ending and not self.state.is_final:
            raise self._refusal(state)
        self.state = transition(self.state, state, name=self.record.short_id)

    def _refusal(self, state: MissionState) -> TransitionError:
        return TransitionError("mission", self.record.short_id, self.state.value, state.value)

    # -- what time does -----------------------------------------------------------------

    def tick(self) -> None:
        """Look at everything that runs: ended in time, alive, within the deadline?"""
        now, at = self._crew.clock.monotonic(), self._crew.clock.now()
        for attempt in list(self.attempts.values()):
            if attempt.begun and attempt.doom is None:
                self._look_at(attempt, now=now, at=at)
        limit = self.plan.deadline_s if self.opened.is_set() else None
        started_at = self.course.started_at
        if limit is None or started_at is None or self.is_ending:
            return
        if (at - started_at).total_seconds() >= limit and not self.state.is_final:
            self.is_ending = True
            error = f"it was not done within its deadline of {limit:g} s"
            self.spawn(partial(self._overdue, error), f"{self.record.short_id} is overdue")

    async def _overdue(self, error: str) -> None:
        with contextlib.suppress(HypernbError):  # noted by _break
            await self._end_all(MissionState.FAILED, error, because="the deadline has passed")

    def _look_at(self, attempt: Attempt, *, now: float, at: datetime) -> None:
        stalled_s = self._crew.settings.stalled_s
        verdict = judge(attempt.vital(), now=now, stalled_s=stalled_s)
        if verdict is Verdict.TIMED_OUT:
            attempt.doom = Doom.TIMED_OUT
            self.spawn(attempt.end, f"time out {attempt.key}")
        elif verdict is Verdict.STALLED:
            attempt.is_stalled = True
            change = changes.stalled(
                at,
                attempt.task_id,
                attempt.number,
                silent_s=now - attempt.last_sign,
                cap_s=attempt.task.timeout_s,
            )
            self.submit([change])
        elif verdict is Verdict.REVIVED:
            attempt.is_stalled = False
            self.submit([changes.revived(at, attempt.task_id, attempt.number)])

    def take_signs(self) -> dict[TaskId, datetime]:
        """Return the signs of life since the last call."""
        signs, self._signs = self._signs, {}
        return signs

    def end_if_final(self) -> None:
        """Let the run be closed, if the mission's end is in the store."""
        if self._has_ended or self.lacking:
            self.over.set()

    def close_if_over(self) -> None:
        """Take no more commands, if it has really ended; a retry may have come in between."""
        self.is_closed = self.over.is_set()

    def give_up(self, error: Exception) -> None:
        """Hold the mission no longer, because of an error."""
        self._break(error)

    def spawn(
        self, work: Callable[[], Coroutine[Any, Any, None]], name: str
    ) -> asyncio.Task[None]:
        return self._crew.spawn(self._guarded(work), name)

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Let a fault end this run and not the runner."""
        try:
            await work()
        except Exception as error:
            self._crew.log.exception("Mission %s met a fault", self.record.short_id)
            self._break(error)

    # -- writing ------------------------------------------------------------------------

    def submit(
        self, written: Iterable[Change], outputs: Mapping[Digest, Payload] | None = None
    ) -> Committed:
        batch = [*written]
        if not batch:
            nothing: Committed = asyncio.Future()
            nothing.set_result({})
            return nothing
        committed = self._crew.writer.submit(
            self.record.id, self.lease, batch, outputs, self._committed
        )
        together = self._batches.get(committed)
        if together is None:
            together = self._batches[committed] = _Batch()
        # The state in memory is ahead: commits that are still to come back may be earlier
        # ones, and only the one with the mission's end in it ends the run.
        ends = batch[-1].mission_state
        together.is_last = together.is_last or (ends is not None and ends.is_final)
        return committed

    async def _write(self, written: Iterable[Change]) -> None:
        await self.submit(written)

    def _committed(self, future: Committed) -> None:
        batch = self._batches.pop(future)
        if future.cancelled():
            return
        if error := future.exception():
            self._break(error)
            for attempt in batch.starts:
                self._set_off(attempt, future)  # which finds that all is over
            return
        try:
            filed = future.result()
            self._leftover = Leftover()  # the first commit tells what became of it
            self.funds.written(batch.payments)
            for attempt, product in batch.ends:
                self._settled(attempt, product, filed)
            for attempt in batch.starts:
                self._do_at_once(attempt, future)
        except Exception as fault:
            self._crew.log.exception("Mission %s met a fault", self.record.short_id)
            self._break(fault)
        if batch.is_last:
            self._has_ended = True
            self.over.set()

    def _break(self, error: BaseException) -> None:
        if self.broken is None:
            wrapped = error if isinstance(error, Exception) else StoreError(repr(error))
            self.broken = wrapped
            self.over.set()

    def log(self, message: str, *args: object, task: str = "") -> None:
        extra = {"mission": self.record.id, "short_id": self.record.short_id}
        if task:
            extra |= {"task": task, "agent": self.course.specs[task].agent}
        self._crew.log.info(message, *args, extra=extra)


def _is_small(ending: Ending) -> bool:
    output = ending.output
    if output is None or ending.files:
        return not ending.files
    return len(output.data) < _SMALL_BYTES and output.media_type != STORED
