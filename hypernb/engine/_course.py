"""The course of a mission: what follows from each thing that happens, as changes to write."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from hypernb.engine import _changes as changes
from hypernb.engine._attempt import failure
from hypernb.engine._backoff import backoff_s
from hypernb.engine._budget import Budget
from hypernb.engine._dispatch import busy_agents
from hypernb.engine._recovery import ask
from hypernb.errors import TransitionError, UnknownTaskError, told_apart
from hypernb.model import (
    OVERSPENT,
    UNCOVERED,
    MissionState,
    OnFailure,
    Refusal,
    TaskState,
    rest_s,
)
from hypernb.plan import Consequence, Schedule

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from random import Random

    from hypernb.engine._attempt import Attempt
    from hypernb.engine._job import Ending, Value
    from hypernb.engine._opening import Opening
    from hypernb.engine._product import Product
    from hypernb.model import Change, Digest, TaskId, TaskSpec, Usage, Wait


_MORE_MONEY: Final = "Rewind the mission: a new one has what is done, and can have more money."
SUSPECT_AFTER: Final = 2
"""A task that was running at the end of so many runners may be what ended them."""


@dataclass(frozen=True, slots=True)
class Setback:
    """What follows from a failed attempt.

    Attributes:
        retry_after_s: Wait before the next try; None if there is none.
    """

    changes: tuple[Change, ...]
    error: str
    retry_after_s: float | None = None


class Course:
    """What is known of a mission's tasks, one step ahead of the store.

    Nothing here waits, writes or reads a clock: each step returns the changes that tell of
    it, and whoever takes the step has them committed.

    Attributes:
        outputs: Of the tasks that have succeeded; bytes until they are committed.
        errors: Why tasks have failed, by name.
        budget: What may still be spent.
        started_at: When it was started last, by an approval or a retry.
    """

    def __init__(self, opening: Opening) -> None:
        self.plan = opening.plan
        self.mission = opening.mission
        self.specs = {task.name: task for task in opening.plan.tasks}
        self.outputs: dict[str, Digest | Value] = {
            task.name: task.output for task in opening.tasks if task.output is not None
        }
        self.errors = {
            task.name: task.error for task in opening.tasks if task.state is TaskState.FAILED
        }
        self.started_at = opening.started_at
        self._ids = {task.name: task.id for task in opening.tasks}
        self._numbers = {task.name: task.number for task in opening.tasks}
        self._attempts = {task.name: task.attempt for task in opening.tasks}
        self._failures = Counter(opening.recovery.failures)
        self._lost = Counter(opening.recovery.lost)
        self._unwritten: set[str] = set()
        self._refusals: Counter[str] = Counter()
        self.budget = Budget(opening.plan, opening.mission.cost, opening.spent)
        self._waiting = {
            name
            for name, state in opening.recovery.states.items()
            if state is TaskState.WAITING
        }
        self._schedule = Schedule(self.plan, opening.durations)
        for name in opening.spent:
            self._reserve(name)
        self._late = self._schedule.restore(opening.recovery.states)
        self._recovered = opening.recovery.changes
        self._cut_short = opening.cut_short
        names = {task.id: task.name for task in opening.tasks}
        for change in self._recovered:
            if change.task_state is TaskState.FAILED and change.task_id is not None:
                self.errors[names[change.task_id]] = change.error or ""

    # -- what may happen ----------------------------------------------------------------

    @property
    def is_stopped(self) -> bool:
        """A failure has ended the starting of tasks."""
        return self._schedule.is_stopped

    @property
    def is_done(self) -> bool:
        """Every task has ended."""
        return self._schedule.is_done

    @property
    def done(self) -> set[str]:
        """Names of the tasks that have succeeded."""
        state = self._schedule.state
        return {name for name in self.specs if state(name) is TaskState.SUCCEEDED}

    def best(
        self,
        at_work: Mapping[str, int] | None = None,
        lacking: Collection[str] = (),
        reserved: float = 0.0,
    ) -> str | None:
        """Return the best task that may start, within the limits for agents and the budget.

        Args:
            at_work: How many tasks run, by agent.
            lacking: Resources that cannot be had now.
            reserved: Dollars that are kept for tasks that run.
        """
        if self.budget.is_overspent:
            return None
        busy = busy_agents(at_work or {}, self.plan.agent_concurrency)
        return self._schedule.best(
            busy=busy,
            lacking=lacking,
            affordable=self.budget.affordable(reserved),
            is_open=self.budget.is_open(reserved),
        )

    def spend(self, at: datetime, attempt: Attempt, usage: Usage) -> Change:
        """Note what an attempt has paid."""
        self.take(attempt, usage)
        return changes.settled(at, attempt.task_id, attempt.number, usage)

    def take(self, attempt: Attempt, usage: Usage) -> None:
        """Count what an attempt has paid."""
        attempt.spent += usage.cost
        self.budget.take(attempt.task.name, usage.cost)
        self._reserve(attempt.task.name)

    def take_over(self, payment: Change) -> None:
        """Count what was paid in an earlier run, and is not in the store yet."""
        name = next((name for name, task in self._ids.items() if task == payment.task_id), None)
        if name is not None and payment.usage is not None:
            self.budget.take(name, payment.usage.cost)
            self._reserve(name)

    def _reserve(self, name: str) -> None:
        """Have the next attempt at a task count with what its cap leaves it."""
        if (left := self.budget.cap_left(name)) is not None:
            self._schedule.reserve(name, left)

    def too_dear(self) -> str | None:
        """Return the task that would be next, if the budget covers none of those that are left.

        Nothing runs, so nothing is reserved.
        """
        affordable = self.budget.affordable()
        if affordable is None:
            return None
        if not self.budget.is_overspent and self._schedule.best(affordable=affordable):
            return None
        return self._schedule.best()

    def run_dry(self, at: datetime, name: str) -> tuple[list[Change], str]:
        """End the tasks that the budget does not cover; return why the mission ends.

        Args:
            name: The first of them.
        """
        if self.budget.is_overspent:
            error, because, needed = self.budget.overspent(), OVERSPENT, None
        else:
            error, because = self.budget.too_dear(name), UNCOVERED
            needed = self.budget.cap_left(name)
        return [self.exhausted(at, needed), *self.cancel_rest(at, because=because)], error

    def leave_rest(self, at: datetime) -> tuple[list[Change], str]:
        """End what has not begun, because a person wanted only what ran to end."""
        spent, limit = told_apart(self.budget.spent, limit=self.budget.limit or 0.0)
        error = f"it was to finish only what ran: {spent} of its budget of {limit} is spent"
        return [self.exhausted(at), *self.cancel_rest(at, because=UNCOVERED)], error

    def exhausted(self, at: datetime, needed: float | None = None) -> Change:
        """Note that the budget is spent, or does not cover what is left to do."""
        return changes.exhausted(
            at, spent=self.budget.spent, budget=self.budget.limit or 0.0, needed=needed
        )

    def remaining_s(self, name: str) -> float:
        """Return the length of the longest path that begins with a task."""
        return self._schedule.remaining_s(name)

    def cut_short(self, lacking: Collection[str] = ()) -> str | None:
        """Return a task that ran when an earlier runner ended, and has not begun anew since.

        Args:
            lacking: Resources that cannot be had now.
        """
        for name in self._cut_short:
            is_ready = self._schedule.state(name) is TaskState.READY
            if is_ready and not set(lacking).intersection(self.specs[name].resources):
                return name
        return None

    def is_waiting(self, name: str) -> bool:
        """Tell whether a task lacks a resource."""
        return name in self._waiting

    def is_suspect(self, name: str) -> bool:
        """Tell whether a task may be what ended its runners, and so is to run alone.

        With it ran others; the next end of a runner then has only one to blame.
        """
        return self._lost.get(name, 0) >= SUSPECT_AFTER

    def waits_for_its_start(self, task: TaskSpec) -> bool:
        """Tell whether the start has to be committed before the first line of the task runs.

        After a crash the next runner repeats whatever it does not know to be finished. For a
        task that may be repeated and whose needs are committed, it makes no difference whether
        it knows of the start; so those tasks run while their start is being written, and a
        wide mission is not held up by one sync after the other.
        """
        return not task.repeatable or not self._unwritten.isdisjoint(task.needs)

    # -- what has happened --------------------------------------------------------------

    def begin(self, at: datetime) -> None:
        """Note that the mission is started, for the first time or after an end."""
        self.started_at, known = at, self.mission
        # As the store counts it: what an event tells and what a list tells is one figure.
        rested_s = known.rested_s
        if known.finished_at is not None:
            rested_s += max(0.0, (at - known.finished_at).total_seconds())
        self.mission = replace(
            known, started_at=known.started_at or at, finished_at=None, rested_s=rested_s
        )

    def go_on(self, at: datetime) -> list[Change]:
        """Return what has to be written of attempts that were found running."""
        return [*self._recovered, *self._consequences(at, self._late)]

    @property
    def is_recovered(self) -> bool:
        """Attempts were found running, of a runner that was lost or could not write."""
        return bool(self._recovered)

    def ask(self, name: str) -> tuple[TaskId, int]:
        """Put a task aside while its resources are asked for; `release` puts it back.

        Returns:
            The task's id, and the number of the attempt that would begin.
        """
        self._schedule.start(name)
        return self._ids[name], self._attempts[name] + 1

    def defer(self, at: datetime, name: str, wait: Wait) -> list[Change]:
        """Note that a task lacks a resource; nothing if that is known already."""
        if name in self._waiting:
            return []
        self._waiting.add(name)
        return [changes.deferred(at, self._ids[name], wait)]

    def start(self, name: str) -> tuple[TaskId, int]:
        """Note that an attempt begins; return the task's id and the attempt's number."""
        self._schedule.start(name)
        self._waiting.discard(name)
        self._attempts[name] += 1
        return self._ids[name], self._attempts[name]

    def succeed(self, at: datetime, attempt: Attempt, product: Product) -> list[Change]:
        """Note that an attempt has done its work."""
        name = attempt.task.name
        self.outputs[name] = product.value
        self._unwritten.add(name)
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
        done = replace(done, rested_s=attempt.paused_s)
        return [done, *self._consequences(at, self._schedule.succeed(name))]

    def written(self, name: str, output: Digest | None) -> None:
        """Note that a task's end is in the store, and under which digest its output."""
        self._unwritten.discard(name)
        if output is not None:
            self.outputs[name] = output

    def fail(self, at: datetime, attempt: Attempt, ending: Ending, rng: Random) -> Setback:
        """Note that an attempt has failed, and decide whether there is another."""
        name, spec = attempt.task.name, attempt.task
        error, facts = failure(attempt, ending)
        self._failures[name] += 1
        number = self._failures[name]
        is_poor = self.budget.is_used_up(name)
        if number < spec.attempts and not self._schedule.is_stopped and not is_poor:
            wait_s = backoff_s(number, spec.backoff_s, rng)
            facts |= {
                "try": number,
                "of": spec.attempts,
                "delay_s": round(wait_s, 3),
                "next_attempt": attempt.number + 1,
            }
            again = changes.retried(
                at, attempt.task_id, attempt.number, error=error, facts=facts
            )
            again = replace(again, rested_s=attempt.paused_s)
            return Setback((again,), error, wait_s)
        self.errors[name] = error
        self._unwritten.add(name)
        done = changes.failed(at, attempt.task_id, attempt.number, error=error, facts=facts)
        done = replace(done, rested_s=attempt.paused_s)
        follows = self._consequences(at, self._schedule.fail(name))
        return Setback((done, *follows), error)

    def refuse(
        self, at: datetime, attempt: Attempt, ending: Ending, refusal: Refusal
    ) -> tuple[Change, Refusal, float]:
        """Note that a resource was asked too much: no failure, and no attempt of those it has.

        The task is still put aside; `release` puts it back.

        Returns:
            The change, what was refused, and after how many seconds to try again.
        """
        name = attempt.task.name
        self._refusals[name] += 1
        self._waiting.add(name)
        # What is not its own is nobody's permit: then only this task waits.
        names = refusal.resources or attempt.task.resources
        after_s = rest_s(self._refusals[name], refusal.retry_after_s)
        known = Refusal(names, refusal.retry_after_s)
        said = _brief(ending.detail)
        change = changes.refused(
            at, attempt.task_id, attempt.number, known, after_s=after_s, said=said
        )
        return change, known, after_s

    def release(self, name: str) -> None:
        """Put a task back among the ready, for its next attempt."""
        self._schedule.release(name)

    def _consequences(self, at: datetime, consequence: Consequence) -> list[Change]:
        skipped = []
        for name in consequence.skipped:
            needs = self._schedule.blocked_by(name) or self.specs[name].needs
            blocking = ", ".join(repr(need) for need in needs[:3])
            because = f"skipped: {blocking} did not succeed"
            skipped.append(changes.skipped(at, self._ids[name], because=because))
        readied = [changes.readied(at, self._ids[name]) for name in consequence.readied]
        return [*skipped, *readied]

    # -- the end ------------------------------------------------------------------------

    def cancel_rest(
        self, at: datetime, *, because: str, ended: Mapping[str, int] | None = None
    ) -> list[Change]:
        """Cancel every task that has not ended.

        Args:
            ended: Number of the attempt that was just ended, by name.
        """
        ended = ended or {}
        names = [*self._schedule.cancel_rest()]
        for name in self.specs:
            if not self._schedule.state(name).is_final:
                self._schedule.cancel(name)
                names.append(name)
        return [
            changes.cancelled(at, self._ids[name], ended.get(name), because=because)
            for name in names
        ]

    def suspend(self, at: datetime, ended: Mapping[str, int]) -> list[Change]:
        """Leave tasks whose attempts were ended to the next runner, or to the user."""
        return [self._suspended(at, name, number) for name, number in ended.items()]

    def _suspended(self, at: datetime, name: str, number: int) -> Change:
        after, note = TaskState.READY, "waits for the next runner"
        if not self.specs[name].repeatable:
            after = TaskState.AWAITING_APPROVAL
            note = ask(self.mission, self._numbers[name])
        reason = "the runner was stopped"
        task = self._ids[name]
        return changes.suspended(at, task, number, after=after, reason=reason, note=note)

    def verdict(self) -> tuple[MissionState, str]:
        """Return the state that the mission ends in, and why if it has failed."""
        bad = [
            task.name
            for task in self.plan.tasks
            if self._schedule.state(task.name) is TaskState.FAILED
            and task.on_failure is not OnFailure.CONTINUE
        ]
        if bad:
            return MissionState.FAILED, self._said_of(bad)
        cancelled = self._schedule.counts().get(TaskState.CANCELLED, 0)
        if cancelled:
            tasks = "1 task stays" if cancelled == 1 else f"{cancelled} tasks stay"
            return MissionState.FAILED, f"{tasks} cancelled"
        made = self.plan.result_tasks
        if not made or any(self._schedule.state(n) is TaskState.SUCCEEDED for n in made):
            return MissionState.SUCCEEDED, ""
        # What was skipped has no error of its own: then those that it needed tell why.
        failed = [n for n in self.specs if self._schedule.state(n) is TaskState.FAILED]
        own = set(made).intersection(failed)
        return MissionState.FAILED, self._said_of([n for n in failed if n in own] or failed)

    def _said_of(self, failed: Sequence[str]) -> str:
        """Say why tasks failed: the first, and how many more."""
        first = self.errors.get(failed[0]) or f"Task {failed[0]!r} failed"
        if repr(failed[0]) not in first:
            first = f"Task {failed[0]!r} failed: {first}"
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return f"{_brief(first)}{more}"

    def finish(self, at: datetime, state: MissionState, error: str) -> Change:
        """End the mission."""
        counts = self._schedule.counts()
        facts: dict[str, Any] = {"counts": {key.value: many for key, many in counts.items()}}
        took_s = self.mission.took_s(at)
        if took_s is not None:
            facts["duration_s"] = round(took_s, 3)
        self.mission = replace(self.mission, finished_at=at)
        return changes.mission_finished(at, state, error=error, facts=facts)

    # -- another go ---------------------------------------------------------------------

    def reopen(self, at: datetime, ref: str, *, by: str) -> tuple[list[str], list[Change]]:
        """Try ended tasks again, or those that were put to the user; return names and changes.

        Args:
            ref: Name or ``t3``; empty for all that did not succeed.

        Raises:
            UnknownTaskError: There is no such task.
            TransitionError: It cannot be tried again, or has spent what it may; nothing has
                changed.
        """
        wanted = self._resolve(ref)
        for name in wanted:
            if self._schedule.state(name) is TaskState.FAILED and self.budget.is_used_up(name):
                raise TransitionError(
                    "task",
                    f"{self.mission.short_id}/{name}",
                    TaskState.FAILED.value,
                    TaskState.READY.value,
                    hint=f"Of its money: {self.budget.used_up(name)}. {_MORE_MONEY}",
                )
        asked = [
            name for name in wanted if self._schedule.state(name) is TaskState.AWAITING_APPROVAL
        ]
        opened = Consequence() if asked else self._schedule.retry(wanted if ref else None)
        for name in asked:
            self._schedule.release(name)
        names = [*asked, *opened.readied, *opened.pending]
        written = []
        for name in names:
            self._failures[name] = self._lost[name] = self._refusals[name] = 0
            self._waiting.discard(name)
            self.errors.pop(name, None)
            note = changes.pending if name in opened.pending else changes.reopened
            written.append(note(at, self._ids[name], by=by, after_attempt=self._attempts[name]))
        return names, written

    def name_of(self, ref: str) -> str:
        """Return the name that a reference stands for; empty if it stands for none."""
        if ref in self.specs:
            return ref  # first: a session sends names only, having asked which task is meant
        return next((name for name, n in self._numbers.items() if f"t{n}" == ref), "")

    def _resolve(self, ref: str) -> list[str]:
        if not ref:
            return list(self.specs)
        name = self.name_of(ref)
        if not name:
            raise UnknownTaskError(ref, self.specs)
        return [name]


def _brief(text: str) -> str:
    first = text.strip().splitlines()[0] if text.strip() else ""
    return first.rstrip(".")[:500]
