"""Replaying the log: the state that a mission's events lead to, without any table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hypernb.model._events import EventKind
from hypernb.model._states import AttemptState, MissionState, TaskState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hypernb.model._events import Event

_KINDS: Final = frozenset(kind.value for kind in EventKind)
_MISSION: Final = {
    EventKind.MISSION_CREATED: MissionState.AWAITING_APPROVAL,
    EventKind.PLAN_REJECTED: MissionState.REJECTED,
    EventKind.MISSION_STARTED: MissionState.RUNNING,
    EventKind.MISSION_PAUSED: MissionState.PAUSED,
    EventKind.MISSION_RESUMED: MissionState.RUNNING,
}
_TASK: Final = {
    EventKind.TASK_SHARED: TaskState.SUCCEEDED,
    EventKind.TASK_READIED: TaskState.READY,
    EventKind.TASK_DEFERRED: TaskState.WAITING,
    EventKind.TASK_STARTED: TaskState.RUNNING,
    EventKind.TASK_STALLED: TaskState.STALLED,
    EventKind.TASK_REVIVED: TaskState.RUNNING,
}
_ENDS: Final = {
    TaskState.SUCCEEDED: AttemptState.SUCCEEDED,
    TaskState.FAILED: AttemptState.FAILED,
    TaskState.CANCELLED: AttemptState.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a mission's events say about it.

    Attributes:
        mission: Where the mission is.
        tasks: Where each task is that any event is about, by name; see `task`.
        attempts: Where each attempt is, by the task's name and the attempt's number.
        rest: Where tasks are that no event is about.
        unknown: Events of kinds that this version does not know, in order.
    """

    mission: MissionState
    tasks: Mapping[str, TaskState] = field(default_factory=dict)
    attempts: Mapping[tuple[str, int], AttemptState] = field(default_factory=dict)
    rest: TaskState = TaskState.PENDING
    unknown: tuple[Event, ...] = ()

    def task(self, name: str) -> TaskState:
        """Return where a task of the mission is."""
        return self.tasks.get(name, self.rest)


def replay(events: Iterable[Event]) -> Replayed:
    """Follow the events of one mission, in order of ``seq``, to the state they lead to.

    Logs of every earlier version are understood; what this version does not know is kept
    apart and changes nothing.

    Example:
        >>> from datetime import UTC, datetime
        >>> from hypernb.model import Event
        >>> at = datetime(2026, 11, 26, tzinfo=UTC)
        >>> log = [Event(1, at, "mission.created"), Event(2, at, "mission.dreamt")]
        >>> replayed = replay(log)
        >>> replayed.mission.value, [event.kind for event in replayed.unknown]
        ('awaiting_approval', ['mission.dreamt'])
    """
    fold = _Fold()
    for event in events:
        fold.take(event)
    return Replayed(fold.mission, fold.tasks, fold.attempts, fold.rest, tuple(fold.unknown))


class _Fold:
    def __init__(self) -> None:
        self.mission = MissionState.PLANNING
        self.tasks: dict[str, TaskState] = {}
        self.attempts: dict[tuple[str, int], AttemptState] = {}
        self.rest = TaskState.PENDING
        self.unknown: list[Event] = []

    def take(self, event: Event) -> None:
        if event.kind not in _KINDS:
            self.unknown.append(event)
        elif event.task is not None:
            self._take_for(event.task, event)
        else:
            self._take_for_mission(EventKind(event.kind), event)

    def _take_for_mission(self, kind: EventKind, event: Event) -> None:
        before = self.mission
        if kind is EventKind.MISSION_FINISHED:
            self.mission = MissionState(event.payload["state"])
        elif kind is EventKind.MISSION_CREATED and event.payload.get("is_planned"):
            self.mission = MissionState.PLANNING
        elif kind is EventKind.PLAN_PROPOSED and before is MissionState.PLANNING:
            self.mission = MissionState.AWAITING_APPROVAL
        else:
            self.mission = _MISSION.get(kind, before)
        if kind is EventKind.PLAN_EDITED:
            # Its tasks take the place of those before; what of them is shared is told after it.
            self.tasks.clear()
        given_up = self.mission in (MissionState.REJECTED, MissionState.CANCELLED)
        if given_up and before is MissionState.AWAITING_APPROVAL:
            # Ended before it began: its tasks with it, in one statement and one event.
            self.rest = TaskState.CANCELLED

    def _take_for(self, name: str, event: Event) -> None:
        kind = EventKind(event.kind)
        if kind in _TASK:
            self.tasks[name] = _TASK[kind]
        if kind is EventKind.TASK_STARTED and event.attempt is not None:
            self.attempts[name, event.attempt] = AttemptState.RUNNING
        elif kind is EventKind.TASK_FINISHED:
            state = self.tasks[name] = TaskState(event.payload["state"])
            if state in _ENDS:
                self._end(name, event, _ENDS[state])
        elif kind is EventKind.TASK_RETRIED:
            self.tasks[name] = _after_retry(event)
            failed = "error" in event.payload
            self._end(name, event, AttemptState.FAILED if failed else AttemptState.CANCELLED)
        elif kind is EventKind.TASK_DEFERRED:
            self._end(name, event, AttemptState.REFUSED)
        elif kind is EventKind.ATTEMPT_ABANDONED:
            self.tasks[name] = TaskState(event.payload["state"])
            self._end(name, event, AttemptState.ABANDONED)

    def _end(self, name: str, event: Event, state: AttemptState) -> None:
        key = (name, event.attempt or 0)
        if self.attempts.get(key) is AttemptState.RUNNING:
            self.attempts[key] = state


def _after_retry(event: Event) -> TaskState:
    """Return where a task is that is tried again: its event names the state where it varies."""
    if "state" in event.payload:
        return TaskState(event.payload["state"])
    waits = "after_attempt" in event.payload and "reason" in event.payload
    return TaskState.PENDING if waits else TaskState.READY
