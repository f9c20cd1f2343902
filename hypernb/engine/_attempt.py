"""One attempt at a task while it runs: its seat, its clock and what it says."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from hypernb import errors
from hypernb.engine._job import EndKind, Job, Value
from hypernb.engine._spending import exceeds
from hypernb.engine._watchdog import Vital
from hypernb.errors import (
    BudgetExhaustedError,
    TaskError,
    TaskTimeoutError,
    WorkerLostError,
    dollars,
)
from hypernb.model import AgentWork, Digest, PythonWork
from hypernb.plan import keyword_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.abc import Store
    from hypernb.engine._job import Ending
    from hypernb.engine._threads import Desk
    from hypernb.engine.executors import Seat
    from hypernb.model import PlanSpec, TaskId, TaskSpec

_CACHED_BYTES: Final = 32 * 1024 * 1024
_CACHED_AT_MOST: Final = 1_000_000


class Doom(StrEnum):
    """Why an attempt is being ended from outside."""

    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    SUSPENDED = "suspended"
    DROPPED = "dropped"
    OVERSPENT = "overspent"


@dataclass(slots=True)
class Attempt:
    """One try at a task.

    Attributes:
        begun: Whether its job was handed over; before that it has no clock.
        doom: Why it is being ended from outside, if it is.
        allowance: Dollars that it may spend; None for no limit.
        spent: Dollars.
        pledged: Dollars that its open calls of models may cost at most.
        words: What it last said that it is doing.
        values: What kernels have returned to it, and may be its output.

    Times are monotonic seconds; see `Vital`.
    """

    task: TaskSpec
    task_id: TaskId
    number: int
    seat: Seat
    begun: bool = False
    started: float = 0.0
    last_sign: float = 0.0
    paused_s: float = 0.0
    paused_since: float | None = None
    is_stalled: bool = False
    doom: Doom | None = None
    allowance: float | None = None
    spent: float = 0.0
    pledged: float = 0.0
    words: str = ""
    values: set[Digest] = field(default_factory=set)
    is_paused: bool = False
    waits: set[str] = field(default_factory=set)

    @property
    def key(self) -> str:
        """Unique among all attempts."""
        return f"{self.task_id}#{self.number}"

    @property
    def reserved(self) -> float:
        """Dollars that are kept for it: what its cap leaves it, or its calls may cost."""
        if self.task.cap_cost is None or self.allowance is None:
            return self.pledged
        return max(self.pledged, self.allowance - self.spent)

    def begin(self, now: float) -> None:
        """Start its clock."""
        self.begun = True
        self.started = self.last_sign = now

    def vital(self) -> Vital:
        """Return what the watchdog judges."""
        return Vital(
            started=self.started,
            last_sign=self.last_sign,
            timeout_s=self.task.timeout_s,
            paused_s=self.paused_s,
            paused_since=self.paused_since,
            is_stalled=self.is_stalled,
        )

    def pause(self, now: float) -> None:
        """Stop its processes and its clock."""
        if not self.is_paused and self.begun:
            self.is_paused = True
            self._stand_still(now)
            self.seat.pause()

    def resume(self, now: float) -> None:
        """Let both go on; the silence of a pause is no silence."""
        if self.is_paused:
            self.is_paused = False
            self._go_on(now)
            self.seat.resume()

    def hold(self, now: float, what: str) -> None:
        """Stop its clock while it waits for what is not in its hands: a server, a kernel."""
        self.waits.add(what)
        self._stand_still(now)

    def let_go(self, now: float, what: str) -> None:
        """Note that it waits for that no longer."""
        if what in self.waits:
            self.waits.discard(what)
            self._go_on(now)

    def _stand_still(self, now: float) -> None:
        if self.paused_since is None:
            self.paused_since = now

    def _go_on(self, now: float) -> None:
        if self.paused_since is not None and not self.is_paused and not self.waits:
            self.paused_s += now - self.paused_since
            self.paused_since = None
            self.last_sign = now

    @property
    def is_overspent(self) -> bool:
        """It has spent more than it may."""
        return self.allowance is not None and exceeds(self.spent, self.allowance)

    async def end(self) -> None:
        """End its processes; `doom` says why."""
        if self.begun:
            await self.seat.kill()


def failure(attempt: Attempt, ending: Ending) -> tuple[str, dict[str, Any]]:
    """Say in a sentence why an attempt failed, and give the facts for its event."""
    task = attempt.task
    if attempt.doom is Doom.TIMED_OUT:
        error: TaskError = TaskTimeoutError(task.name, task.timeout_s)
    elif attempt.doom is Doom.OVERSPENT:
        said = f"it paid {dollars(attempt.spent)}, of money that is kept for other tasks"
        if attempt.is_overspent:
            # It was told so by an exception, and went on.
            said = str(BudgetExhaustedError(attempt.spent, attempt.allowance or 0.0))
        error = TaskError(task.name, BudgetExhaustedError.__name__, said, "")
    elif ending.kind is EndKind.FAILED:
        error = TaskError(task.name, ending.error_kind, ending.detail, ending.traceback)
    else:
        error = WorkerLostError(task.name, ending.exit_code)
    said = str(error)
    if task.agent and ending.kind is EndKind.FAILED and _is_a_sentence(ending):
        said = ending.detail
    facts = {
        "code": error.code,
        "kind": error.kind,
        "detail": ending.detail,
        "traceback": error.traceback,
    }
    return said, {name: value for name, value in facts.items() if value}


def _is_a_sentence(ending: Ending) -> bool:
    """Tell whether the message of an agent's error says all: ours do, and name the task.

    That of any other exception may be no more than ``'x'``; without what a model has said,
    it begins with the exception's class.
    """
    kind = ending.error_kind
    is_ours = isinstance(getattr(errors, kind, None), type)
    return is_ours or ending.detail.startswith(f"{kind} with a message of ")


class Materials:
    """Gets the bytes that jobs need out of the store, and keeps the latest.

    The store checks the signature of every pickle that it returns.
    """

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store = store
        self._desk = desk
        self._kept: OrderedDict[Digest, Value] = OrderedDict()
        self._kept_bytes = 0

    async def job(
        self,
        attempt: Attempt,
        plan: PlanSpec,
        *,
        outputs: Mapping[str, Digest | Value],
        failures: Mapping[str, str],
    ) -> Job:
        """Put together the job of an attempt.

        Args:
            outputs: Of the tasks that have succeeded, by name; as bytes until committed.
            failures: Why tasks have failed, by name.

        Raises:
            UntrustedArtifactError: A pickle is not this user's.
            StoreError: Something that it needs cannot be read.
        """
        needed = _needed(attempt.task, plan, outputs)
        values = [None if each is None else await self._value(each) for each in needed.values()]
        return _job(attempt, plan, dict(zip(needed, values, strict=True)), failures)

    def job_at_hand(
        self,
        attempt: Attempt,
        plan: PlanSpec,
        *,
        outputs: Mapping[str, Digest | Value],
        failures: Mapping[str, str],
    ) -> Job | None:
        """Put together the same, if all that it needs is at hand; None if not."""
        values: dict[str, Value | None] = {}
        for name, needed in _needed(attempt.task, plan, outputs).items():
            at_hand = (
                needed if needed is None or isinstance(needed, Value) else self._at_hand(needed)
            )
            if at_hand is None and needed is not None:
                return None
            values[name] = at_hand
        return _job(attempt, plan, values, failures)

    def _at_hand(self, digest: Digest) -> Value | None:
        if value := self._kept.get(digest):
            self._kept.move_to_end(digest)
        return value

    async def _value(self, digest: Digest | Value) -> Value:
        if isinstance(digest, Value):
            return digest
        if value := self._at_hand(digest):
            return value
        record, data = await self._desk.call(self._store.artifact, digest)
        value = Value(record.media_type, data)
        self.keep(digest, value)
        return value

    def keep(self, digest: Digest, value: Value) -> None:
        """Have a stored value at hand; others go when there are too many."""
        data = value.data
        if len(data) <= _CACHED_AT_MOST and digest not in self._kept:
            self._kept[digest] = value
            self._kept_bytes += len(data)
            while self._kept_bytes > _CACHED_BYTES:
                self._kept_bytes -= len(self._kept.popitem(last=False)[1].data)


_FUNCTION: Final = " function"
_ARGUMENTS: Final = " arguments"


def _needed(
    task: TaskSpec, plan: PlanSpec, outputs: Mapping[str, Digest | Value]
) -> dict[str, Digest | Value | None]:
    """Return what a job needs, by name; names of values as the function calls them."""
    work = task.work
    shown = None
    if isinstance(work, AgentWork) and (work.model or work.function):
        # What a model may not see does not come near it.
        shown = work.variables
    digests: dict[str, Digest | Value | None] = {
        name: Digest(text)
        for name, text in plan.inputs.items()
        if shown is None or name in shown
    }
    for need in task.needs:
        if shown is None or need not in digests:
            # What a model sees of a variable is what was approved, whatever else is called so.
            digests[need] = outputs.get(need)
    if isinstance(work, PythonWork):
        if digests:
            digests = _taken(work, digests)
        digests[_FUNCTION] = Digest(work.function)
        digests[_ARGUMENTS] = Digest(work.arguments)
    elif work.function:
        digests[_FUNCTION] = Digest(work.function)
    return digests


def _taken(
    work: PythonWork, digests: Mapping[str, Digest | Value | None]
) -> dict[str, Digest | Value | None]:
    """Name the values as the function does, and leave out those that it does not take."""
    named = {keyword_name(name): digest for name, digest in digests.items()}
    if work.takes is None:
        return named
    return {name: digest for name, digest in named.items() if name in work.takes}


def _job(
    attempt: Attempt,
    plan: PlanSpec,
    values: dict[str, Value | None],
    failures: Mapping[str, str],
) -> Job:
    task = attempt.task
    return Job(
        key=attempt.key,
        task=task.name,
        work=task.work,
        agent=task.agent,
        root=plan.root,
        paths=_import_paths(task, plan),
        scope=task.scope or plan.scope,
        function=values.pop(_FUNCTION, None),
        arguments=values.pop(_ARGUMENTS, None),
        inputs=values,
        failures=(
            {need: failures[need] for need in task.needs if need in failures}
            if failures
            else {}
        ),
        repeatable=task.repeatable,
        resources=task.resources,
        allowance=attempt.allowance,
        goal=task.goal if task.agent else "",
        check=task.check if task.agent else "",
        is_quiet=plan.content != "full" and _is_of_models(task.work),
    )


def _is_of_models(work: AgentWork | PythonWork) -> bool:
    return isinstance(work, AgentWork) and bool(work.model or work.function)


def _import_paths(task: TaskSpec, plan: PlanSpec) -> tuple[str, ...]:
    if not isinstance(task.work, PythonWork) or not plan.root:
        return ()
    return (plan.root, *(path for path in plan.paths if path != plan.root))
