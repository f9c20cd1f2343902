"""One attempt as a worker sees it: what is handed over, what it says, how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hypernb.abc import Payload
    from hypernb.model import AgentWork, PythonWork, Refusal, Usage


@dataclass(frozen=True, slots=True)
class Value:
    """A stored value as bytes; see `hypernb.codec`."""

    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at a task, ready to be done anywhere.

    Attributes:
        key: Unique among all attempts: task id and attempt number.
        root: Directory it works in; empty for none.
        paths: Directories that Python work imports from, first of all others. Empty for
            agents: they look at the tree and must never run a module of it by its name.
        scope: Files below the root that it may read; all if empty.
        function: For Python work, and for an agent of the user's own.
        arguments: For Python work: ``(args, kwargs)``.
        inputs: Outputs of its needs and inputs of the plan, by name (of a Python function: by
            keyword); None for a need that failed and lets it run all the same.
        failures: Why needs gave nothing, by task name.
        repeatable: It may be begun anew where it was begun before.
        resources: What it holds permits of.
        allowance: Dollars that it may spend; None for no limit.
        goal: What an agent is to reach; empty for Python work.
        check: What the agent is told must hold for its result; nothing checks it.
        is_quiet: What its model says and is asked is not kept, so its errors do not quote it.
    """

    key: str
    task: str
    work: AgentWork | PythonWork
    agent: str = ""
    root: str = ""
    paths: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    function: Value | None = None
    arguments: Value | None = None
    inputs: Mapping[str, Value | None] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True
    resources: tuple[str, ...] = ()
    allowance: float | None = None
    goal: str = ""
    check: str = ""
    is_quiet: bool = False


class SignalKind(StrEnum):
    """What a running job says."""

    ALIVE = "alive"
    PROGRESS = "progress"
    PRINTED = "printed"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that a running job says; each is a sign of life.

    Attributes:
        text: A few words on what it is doing, or what it printed.
        share: Share done, 0 to 1, or None.
        usage: What it has paid.
    """

    kind: SignalKind
    text: str = ""
    share: float | None = None
    usage: Usage | None = None


class EndKind(StrEnum):
    """How a job ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"
    KILLED = "killed"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended, and what is left of it.

    Attributes:
        output: Of a job that succeeded.
        files: Files it left, by name; whoever is told moves them on before the seat is freed.
        error_kind: Name of the exception class of a job that failed.
        detail: Message of the exception; for a lost job, what was last heard of it.
        exit_code: Of the lost process; negative for a signal; None if there is none.
        dropped_bytes: How much it printed beyond what is kept.
        refusal: It failed because a resource was asked too much.
        usage: What it has paid and not said before.
    """

    kind: EndKind
    output: Payload | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
    error_kind: str = ""
    detail: str = ""
    traceback: str = ""
    exit_code: int | None = None
    dropped_bytes: int = 0
    refusal: Refusal | None = None
    usage: tuple[Usage, ...] = ()
