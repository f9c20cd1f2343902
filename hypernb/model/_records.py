"""Rows of the store as values: what missions, tasks, attempts and the rest are right now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypernb.model._ids import short_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hypernb.model._events import Event
    from hypernb.model._findings import Finding
    from hypernb.model._ids import Digest, MissionId, RunnerId, TaskId
    from hypernb.model._models import ModelSpec
    from hypernb.model._plan import PlanSpec
    from hypernb.model._states import AttemptState, MissionState, TaskState


@dataclass(frozen=True, slots=True)
class MissionRecord:
    """A mission, without its tasks.

    Attributes:
        revision: Number of the current plan revision, from 1; 0 while there is no plan.
        plan_hash: Hash of that revision.
        error: Why it failed or was rejected or cancelled, in a sentence; else empty.
        cost: Spent so far, in dollars.
        by: Who started it: ``user@host``.
        forked_from: Short id of the mission that it was forked from; empty if of none.
        forked_at: Name of the task that the fork begins at; empty if it only changes the plan.
        rested_s: Seconds between its ends and the retries after them, together.
    """

    id: MissionId
    number: int
    goal: str
    state: MissionState
    created_at: datetime
    playbook: str = ""
    planned_by: str = ""
    root: str = ""
    priority: int = 50
    revision: int = 0
    plan_hash: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str = ""
    cost: float = 0.0
    by: str = ""
    forked_from: str = ""
    forked_at: str = ""
    rested_s: float = 0.0

    @property
    def short_id(self) -> str:
        """``m-7``."""
        return short_id(self.number)

    def took_s(self, now: datetime | None = None) -> float | None:
        """Return the seconds from its start to its end without those in which it had ended.

        Args:
            now: Taken for the end of a mission that has not ended.

        Returns:
            None for a mission that has not started, or, without ``now``, not ended.
        """
        end = self.finished_at or now
        if self.started_at is None or end is None:
            return None
        return max(0.0, (end - self.started_at).total_seconds() - self.rested_s)


@dataclass(frozen=True, slots=True)
class MissionSummary:
    """A mission in a list of many, with what its tasks come to.

    Attributes:
        counts: How many tasks are in each state that occurs.
        findings: How many its agents have found so far.
        budget: What it may spend, in dollars; None for no limit.
        is_approved: The newest revision of its plan has this user's yes.
        at_hand: Tasks that are at work, stalled or waiting for a person, in plan order, the
            first few: name and state.
        found: Where the words of a search were found, if there was one; see `SearchHit`.
        unknown: How many of its calls of models cost nobody knows what.
        at_most: How many of them count with what was kept for them.
    """

    mission: MissionRecord
    counts: Mapping[TaskState, int] = field(default_factory=dict)
    findings: int = 0
    budget: float | None = None
    is_approved: bool = False
    at_hand: tuple[tuple[str, TaskState], ...] = ()
    found: tuple[SearchHit, ...] = ()
    unknown: int = 0
    at_most: int = 0

    @property
    def total(self) -> int:
        """How many tasks it has."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task as it stands.

    Attributes:
        number: Place in the plan, from 1: ``t3``.
        attempt: Number of the latest attempt; 0 before the first.
        heartbeat_at: Last sign of life of the running attempt.
        note: What it is doing or has done, in a few words: latest progress, then summary.
        output: Digest of its output.
        outcome: A report's outcome in words (`Outcome`), or empty.
        worked_s: Sum of the times of its attempts, in seconds.
    """

    id: TaskId
    mission_id: MissionId
    number: int
    name: str
    state: TaskState
    agent: str = ""
    goal: str = ""
    attempt: int = 0
    ready_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    heartbeat_at: datetime | None = None
    pid: int | None = None
    note: str = ""
    error: str = ""
    output: Digest | None = None
    outcome: str = ""
    findings: int = 0
    worked_s: float = 0.0


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One try at a task."""

    task_id: TaskId
    number: int
    state: AttemptState
    started_at: datetime
    finished_at: datetime | None = None
    runner_id: RunnerId | None = None
    pid: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """A recorded human decision, bound to a plan hash.

    Attributes:
        signature: HMAC-SHA256 by the deciding user's key; a runner refuses others.
    """

    mission_id: MissionId
    revision: int
    plan_hash: str
    by: str
    at: datetime
    signature: str


@dataclass(frozen=True, slots=True)
class Amendment:
    """A change of a mission's contract while it runs, signed like its approval.

    Attributes:
        budget: The new one, in dollars; None leaves it.
        models: In the place of the plan's models of the same names.
    """

    mission_id: MissionId
    plan_hash: str
    by: str
    at: datetime
    budget: float | None = None
    models: Mapping[str, ModelSpec] = field(default_factory=dict)
    signature: str = ""


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """What a session asks of a runner: ``start``, ``pause``, ``cancel``, ``stop`` ...

    Attributes:
        seq: Ascending number; a runner remembers the last one it took.
        mission_id: None for commands to the runner itself.
    """

    seq: int
    kind: str
    mission_id: MissionId | None
    payload: Mapping[str, Any]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """Who may write for a resource, and until when.

    Attributes:
        resource: ``mission:<id>`` or ``runner:<host>``.
        token: Fencing token; rises with each new holder.
        facts: What the holder says of itself: pid, host, load.
    """

    resource: str
    holder: RunnerId
    token: int
    expires_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        """Which keys of models the holder says it has; see `hypernb.model.lacking_keys`."""
        told = self.facts.get("keys")
        if not isinstance(told, list):
            return ()
        return tuple(each for each in told if isinstance(each, str))


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """Content-addressed bytes in the store.

    Attributes:
        media_type: ``application/json``, ``application/vnd.apache.parquet`` ...
        path: File that holds them, relative to the store's artifact folder; empty if they
            are in the row.
        signature: For pickles: HMAC-SHA256 by the writing user's key; else empty.
    """

    digest: Digest
    media_type: str
    size_bytes: int
    created_at: datetime
    path: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One place where a search found its words.

    Attributes:
        kind: ``goal``, ``output``, ``finding`` or ``event``; in a list of missions also
            ``id``, ``playbook`` and, for the name of a task, ``task``.
        snippet: The text around the hit, hits marked by ``[`` and ``]``.
        hits: Where those marks are, as the text may have brackets of its own: from each ``[``
            to behind its ``]``. Told in a list of missions only.
    """

    kind: str
    mission: str
    task: str
    where: str
    snippet: str
    hits: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a mission's result says, or the part of it that one task has returned.

    Attributes:
        text: The text, a report's summary, or how another value looks; empty if that cannot be
            told without running what is in it.
        about: Of what kind and size a value is; empty for a text.
        is_text: Whether it is a text, and no value.
    """

    task: str
    text: str
    about: str = ""
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class MissionSnapshot:
    """All that a view needs, read in one transaction.

    Attributes:
        seq: The last event that the snapshot includes.
        plan: The current revision; None while planning.
        tasks: In plan order.
        attempts: In the order they started.
        events: The latest, oldest first; heartbeats left out.
        findings: Most severe first, then by place.
        now: When it was read.
        runners: Runners with a live lease.
        lacks: Names of keys that the approved plan needs, while nobody holds the mission and
            no runner has them.
        answers: What there is of its result, once it has ended; filled in above the store.
        tracebacks: Of the tasks that have failed, by name; filled in likewise.
    """

    seq: int
    now: datetime
    mission: MissionRecord
    plan: PlanSpec | None
    tasks: tuple[TaskRecord, ...] = ()
    attempts: tuple[AttemptRecord, ...] = ()
    events: tuple[Event, ...] = ()
    findings: tuple[Finding, ...] = ()
    approvals: tuple[ApprovalRecord, ...] = ()
    runners: tuple[LeaseRecord, ...] = ()
    lacks: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    tracebacks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Since:
    """What has changed in a mission since an event, read in one step.

    Rows are as they are now, also those of changes that later events tell of.

    Attributes:
        seq: The last event that was read; where to go on from.
        mission: The mission's row.
        events: Oldest first; heartbeats left out.
        counted: How many events were read, heartbeats included.
        tasks: Rows that may have changed, in plan order; all of them if the plan changed.
        attempts: All attempts at those tasks, in the order they started.
        spent: Dollars and tokens by task, of what was paid after ``paid``.
        paid: Number of the last payment that ``spent`` includes; where to go on from.
        plan_changed: Whether the plan has come, or another revision of it, and so other tasks.
        more: Whether there are further events.
        lacks: As in `MissionSnapshot`.
    """

    seq: int
    mission: MissionRecord
    events: tuple[Event, ...] = ()
    counted: int = 0
    tasks: tuple[TaskRecord, ...] = ()
    attempts: tuple[AttemptRecord, ...] = ()
    spent: Mapping[TaskId, tuple[float, int]] = field(default_factory=dict)
    paid: int = 0
    plan_changed: bool = False
    more: bool = False
    lacks: tuple[str, ...] = ()
