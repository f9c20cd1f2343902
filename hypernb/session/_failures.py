"""What the code of a task raised, as the store keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypernb.model import EventKind, TaskState

if TYPE_CHECKING:
    from hypernb.abc import Store
    from hypernb.model import TaskRecord


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """Why a task has failed.

    Attributes:
        type: Name of the exception class; empty if its process was lost.
        message: What it said.
        traceback: Of the task's own code, as text; empty if no code of its own was running.
            Keys are covered up in it, as in all that is kept.
    """

    type: str
    message: str
    traceback: str = ""

    def __str__(self) -> str:
        said = f"{self.type}: {self.message}" if self.type else self.message
        return self.traceback.rstrip() or said


def failure_of(store: Store, task: TaskRecord) -> TaskFailure | None:
    """Return why a task has failed; None if it has not."""
    if task.state is not TaskState.FAILED:
        return None
    kinds = (EventKind.TASK_FINISHED,)
    found = store.events(task.mission_id, kinds=kinds, task=task.name, limit=1, newest=True)
    facts = found[-1].payload if found else {}
    kind, said, traceback = (
        str(facts.get(name, "")) for name in ("kind", "detail", "traceback")
    )
    return TaskFailure(kind, said or task.error, traceback)
