"""Lanes: where a tool call runs, and calls that wait for a kernel."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hypernb.model._ids import Digest, MissionId, TaskId

RUNNER_LANE: Final = "runner"
KERNEL_LANE: Final = "kernel:"
"""How the lane of a kernel begins; its id follows."""
THE_KERNEL: Final = "the kernel that has "
"""How the note of a task names the kernel that it waits for; the tool follows."""


class ToolCallState(StrEnum):
    """Where a call of a kernel's tool is."""

    WAITING = "waiting"
    TAKEN = "taken"
    RETURNED = "returned"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class StoredValue:
    """An output that is in the store already: the object that a kernel's tool has returned.

    What an agent's work returns in its place; nobody loads the object to store it once more.
    """

    digest: Digest


@dataclass(frozen=True, slots=True)
class KernelCall:
    """A call of a tool that runs in a kernel: written by the runner, answered by the kernel.

    Attributes:
        id: A ULID.
        lane: ``kernel:<id>``.
        tool: Name of the tool.
        arguments: Checked against the tool's schema already.
        answer: What the model is told, JSON values only; None until answered.
        value: Digest of the object that the tool returned; None if it is not kept.
        error: Why it failed, in a sentence.
        taken_by: Which process took it.
    """

    id: str
    mission_id: MissionId
    task_id: TaskId
    attempt: int
    lane: str
    tool: str
    state: ToolCallState
    at: datetime
    arguments: Mapping[str, Any] = field(default_factory=dict)
    answer: Any = None
    value: Digest | None = None
    error: str = ""
    taken_by: str = ""
    ended_at: datetime | None = None
