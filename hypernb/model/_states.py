"""States of missions, tasks and attempts, and the one table of allowed transitions."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from hypernb.errors import TransitionError

if TYPE_CHECKING:
    from collections.abc import Mapping


class MissionState(StrEnum):
    """Where a mission is."""

    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting_approval"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """Nothing leads out of this state but a retry."""
        return self in _MISSION_FINAL


class TaskState(StrEnum):
    """Where a task is."""

    PENDING = "pending"
    READY = "ready"
    WAITING = "waiting"
    RUNNING = "running"
    VERIFYING = "verifying"
    AWAITING_APPROVAL = "awaiting_approval"
    STALLED = "stalled"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"

    @property
    def is_final(self) -> bool:
        """The task is over, one way or another."""
        return self in _TASK_FINAL

    @property
    def is_active(self) -> bool:
        """An attempt at the task is under way."""
        return self in _TASK_ACTIVE


class AttemptState(StrEnum):
    """Where one try at a task is."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABANDONED = "abandoned"
    CANCELLED = "cancelled"
    REFUSED = "refused"


State = TypeVar("State", MissionState, TaskState, AttemptState)

_MISSION_FINAL: Final = frozenset(
    {
        MissionState.SUCCEEDED,
        MissionState.FAILED,
        MissionState.CANCELLED,
        MissionState.REJECTED,
    }
)
_TASK_FINAL: Final = frozenset(
    {TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELLED, TaskState.SKIPPED}
)
_TASK_ACTIVE: Final = frozenset({TaskState.RUNNING, TaskState.VERIFYING, TaskState.STALLED})

_M, _T, _A = MissionState, TaskState, AttemptState
_TASK_ENDED: Final = (_T.SUCCEEDED, _T.FAILED, _T.CANCELLED)

# A retry leads out of failed, cancelled and skipped; nothing leads out of succeeded, because
# a finished task never runs again. One table per type: members of two StrEnums with the same
# string are equal, so a single dictionary would let a task answer for a mission.
TRANSITIONS: Final[Mapping[type[StrEnum], Mapping[str, frozenset[str]]]] = {
    MissionState: {
        _M.PLANNING: frozenset({_M.AWAITING_APPROVAL, _M.FAILED, _M.CANCELLED}),
        _M.AWAITING_APPROVAL: frozenset({_M.RUNNING, _M.REJECTED, _M.CANCELLED, _M.FAILED}),
        _M.RUNNING: frozenset({_M.PAUSED, _M.SUCCEEDED, _M.FAILED, _M.CANCELLED}),
        _M.PAUSED: frozenset({_M.RUNNING, _M.FAILED, _M.CANCELLED}),
        _M.SUCCEEDED: frozenset(),
        _M.FAILED: frozenset({_M.RUNNING}),
        _M.CANCELLED: frozenset({_M.RUNNING}),
        _M.REJECTED: frozenset(),
    },
    TaskState: {
        _T.PENDING: frozenset({_T.READY, _T.CANCELLED, _T.SKIPPED}),
        _T.READY: frozenset(
            {
                _T.RUNNING,
                _T.WAITING,
                _T.AWAITING_APPROVAL,
                _T.PENDING,
                _T.CANCELLED,
                _T.SKIPPED,
            }
        ),
        _T.WAITING: frozenset({_T.RUNNING, _T.READY, _T.PENDING, _T.CANCELLED, _T.SKIPPED}),
        _T.RUNNING: frozenset(
            {
                _T.READY,
                _T.WAITING,
                _T.VERIFYING,
                _T.STALLED,
                _T.AWAITING_APPROVAL,
                *_TASK_ENDED,
            }
        ),
        _T.VERIFYING: frozenset(
            {_T.READY, _T.WAITING, _T.STALLED, _T.AWAITING_APPROVAL, *_TASK_ENDED}
        ),
        _T.AWAITING_APPROVAL: frozenset(
            {_T.READY, _T.RUNNING, _T.FAILED, _T.CANCELLED, _T.SKIPPED}
        ),
        _T.STALLED: frozenset(
            {
                _T.RUNNING,
                _T.READY,
                _T.WAITING,
                _T.VERIFYING,
                _T.AWAITING_APPROVAL,
                *_TASK_ENDED,
            }
        ),
        _T.SUCCEEDED: frozenset(),
        _T.FAILED: frozenset({_T.READY, _T.PENDING}),
        _T.CANCELLED: frozenset({_T.READY, _T.PENDING}),
        _T.SKIPPED: frozenset({_T.READY, _T.PENDING}),
    },
    AttemptState: {
        _A.RUNNING: frozenset(
            {_A.SUCCEEDED, _A.FAILED, _A.ABANDONED, _A.CANCELLED, _A.REFUSED}
        ),
        _A.SUCCEEDED: frozenset(),
        _A.FAILED: frozenset(),
        _A.ABANDONED: frozenset(),
        _A.CANCELLED: frozenset(),
        _A.REFUSED: frozenset(),
    },
}

_KINDS: Final = {MissionState: "mission", TaskState: "task", AttemptState: "attempt"}


def can_become(before: State, after: State) -> bool:
    """Tell whether the table allows the transition."""
    return after in TRANSITIONS[type(before)][before]


def transition(before: State, after: State, *, name: str) -> State:
    """Return the state after, if the table allows it.

    Args:
        name: Which mission, task or attempt; for the error.

    Raises:
        TransitionError: The table does not allow it.
    """
    if not can_become(before, after):
        raise TransitionError(_KINDS[type(before)], name, before.value, after.value)
    return after
