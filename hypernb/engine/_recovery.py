"""What an earlier runner left behind, and what follows from it: decided, not carried out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hypernb.engine import _changes as changes
from hypernb.model import AttemptState, TaskState

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from hypernb.model import (
        AttemptRecord,
        Change,
        Event,
        MissionRecord,
        PlanSpec,
        TaskId,
        TaskRecord,
    )

LOST = "its runner ended while it ran"
UNREACHABLE = "the store was out of reach while it ran"


@dataclass(frozen=True, slots=True)
class Leftover:
    """What a runner could not write of a mission because the store was out of reach.

    Attributes:
        attempts: Task and number of those that it has ended; they may be found running.
        payments: What was paid, as changes.
    """

    attempts: frozenset[tuple[TaskId, int]] = frozenset()
    payments: tuple[Change, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Everything was written."""
        return not self.attempts and not self.payments


@dataclass(frozen=True, slots=True)
class Recovery:
    """How to go on with a mission.

    Attributes:
        states: State of each task once the changes are written, by name.
        changes: What has to be written first.
        failures: How many tries have failed since a person last had it tried again, by name.
        lost: How often it was abandoned since then, by name.
    """

    states: Mapping[str, TaskState]
    changes: tuple[Change, ...] = ()
    failures: Mapping[str, int] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)


def recover(  # noqa: PLR0913 - a decision over all that is known
    mission: MissionRecord,
    spec: PlanSpec,
    tasks: Sequence[TaskRecord],
    attempts: Sequence[AttemptRecord],
    *,
    asked_again: Mapping[TaskId, int],
    dropped: Collection[tuple[TaskId, int]],
    at: datetime,
    abandoned_at_most: int,
) -> Recovery:
    """Decide about every attempt that was found running.

    A finished task stays finished. A task whose attempt was running is tried again if it is
    safe to repeat, and is put to the user if not; one that was abandoned too often has failed,
    for it may be what ends its runners.

    Args:
        asked_again: The last attempt before a person had the task tried again, by task;
            earlier ones no longer count.
        dropped: Attempts, by task and number, that the runner which recovers has ended itself
            when the store was out of reach. That is no evidence against their tasks, however
            often it happens. Only that runner knows: for any other, one that takes the mission
            meanwhile or comes after it, they are lost like those of a runner that was killed.
    """
    specs = {task.name: task for task in spec.tasks}
    names = {task.id: task.name for task in tasks}
    counted = [each for each in attempts if each.number > asked_again.get(each.task_id, 0)]
    failures = _count(counted, AttemptState.FAILED, names)
    lost = _count(counted, AttemptState.ABANDONED, names)
    running = {each.task_id for each in attempts if each.state is AttemptState.RUNNING}
    states: dict[str, TaskState] = {}
    written: list[Change] = []
    for task in tasks:
        states[task.name] = task.state
        if not task.state.is_active:
            continue
        if task.id in running and (task.id, task.attempt) in dropped:
            ended = _end(mission, task, at=at, is_repeatable=specs[task.name].repeatable)
            written.append(ended)
            states[task.name] = ended.task_state or task.state
            continue
        lost[task.name] += 1
        steps = _abandon(
            mission,
            task,
            at=at,
            is_repeatable=specs[task.name].repeatable,
            times=lost[task.name],
            limit=abandoned_at_most,
            has_attempt=task.id in running,
        )
        written += steps
        states[task.name] = steps[-1].task_state or task.state
    return Recovery(states, tuple(written), failures, lost)


def _count(
    attempts: Sequence[AttemptRecord], state: AttemptState, names: Mapping[TaskId, str]
) -> Counter[str]:
    return Counter(names[each.task_id] for each in attempts if each.state is state)


def _end(
    mission: MissionRecord, task: TaskRecord, *, at: datetime, is_repeatable: bool
) -> Change:
    after, note = TaskState.READY, "tried again: " + UNREACHABLE
    if not is_repeatable:
        after, note = TaskState.AWAITING_APPROVAL, ask(mission, task.number)
    return changes.suspended(
        at, task.id, task.attempt, after=after, reason=UNREACHABLE, note=note
    )


def _abandon(  # noqa: PLR0913 - as above
    mission: MissionRecord,
    task: TaskRecord,
    *,
    at: datetime,
    is_repeatable: bool,
    times: int,
    limit: int,
    has_attempt: bool,
) -> list[Change]:
    def left(after: TaskState, note: str) -> Change:
        return changes.abandoned(
            at,
            task.id,
            task.attempt,
            after=after,
            reason=LOST,
            note=note,
            has_attempt=has_attempt,
        )

    if times >= limit:
        error = (
            f"Task {task.name!r} was given up: {times} times its runner ended while it ran. "
            f"%hyper retry {mission.short_id}/t{task.number} tries it once more."
        )
        ready = left(TaskState.READY, LOST)
        # Ready leads to skipped and cancelled only, so the last attempt is ended as it is.
        failed = changes.given_up(at, task.id, task.attempt, error=error)
        return [_without_state(ready), failed]
    if is_repeatable:
        return [left(TaskState.READY, "tried again: " + LOST)]
    return [left(TaskState.AWAITING_APPROVAL, ask(mission, task.number))]


def _without_state(change: Change) -> Change:
    return replace(change, task_state=None)


def ask(mission: MissionRecord, number: int) -> str:
    """Say what a person has to decide about a task that is not safe to repeat."""
    return (
        "it is not marked as safe to repeat, and may have done part of its work. "
        f"Look, then: %hyper retry {mission.short_id}/t{number}, "
        f"or %hyper cancel {mission.short_id}"
    )


def asked_again(events: Sequence[Event]) -> dict[TaskId, int]:
    """Return the last attempt before a person had a task tried again, from its events.

    Args:
        events: ``task.retried`` of a mission, in order.
    """
    return {
        event.task_id: int(event.payload["after_attempt"])
        for event in events
        if event.task_id is not None and "after_attempt" in event.payload
    }
