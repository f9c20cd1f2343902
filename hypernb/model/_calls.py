"""Calls of models as the store keeps them: reserved, and then settled."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hypernb.model._chat import ReplySource

if TYPE_CHECKING:
    from datetime import datetime

    from hypernb.model._ids import Digest, MissionId, TaskId


class CallState(StrEnum):
    """Where a call of a model is.

    ``reserved``: its worst case is kept out of the budget, and it is under way. ``settled``:
    it was answered and paid. ``failed``: there is no answer, and paid are those that began and
    could not be used. ``lost``: whoever made it ended before the answer, so its worst case
    counts as paid.
    """

    RESERVED = "reserved"
    SETTLED = "settled"
    FAILED = "failed"
    LOST = "lost"

    @property
    def is_paid(self) -> bool:
        """It counts as paid, whatever is known of its cost."""
        return self in (CallState.SETTLED, CallState.LOST)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call of a model.

    Attributes:
        id: A ULID.
        task_id: None for the planning of the mission.
        task: Name of the task; empty for the planning.
        agent: Who called.
        model: Name of the model.
        host: Where it is.
        purpose: As in `hypernb.model.ChatRequest`.
        source: ``live``, ``cache`` or ``cassette``.
        reserved: Worst case, in dollars; None if the price is not known.
        cost: In dollars; None until settled, and if the price or the tokens are not known.
        request_hash: SHA-256 of the canonical request.
        request: Digest of its text in the artifacts; None if that is not kept.
        reply: The same of the answer.
        error: Why there is no answer.
    """

    id: str
    mission_id: MissionId
    state: CallState
    at: datetime
    task_id: TaskId | None = None
    task: str = ""
    attempt: int | None = None
    agent: str = ""
    model: str = ""
    host: str = ""
    purpose: str = "task"
    source: str = ReplySource.LIVE.value
    ended_at: datetime | None = None
    reserved: float | None = None
    cost: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    tries: int = 1
    request_hash: str = ""
    request: Digest | None = None
    reply: Digest | None = None
    error: str = ""

    @property
    def paid(self) -> float:
        """What counts as paid, in dollars: the worst case where nobody knows the cost."""
        if self.cost is not None:
            return self.cost
        return (self.reserved or 0.0) if self.has_unknown_cost else 0.0

    @property
    def is_live(self) -> bool:
        """A model was asked: no cache and no cassette has answered."""
        return self.source == ReplySource.LIVE

    @property
    def is_used(self) -> bool:
        """It may have to be paid; a call that reached nobody need not."""
        return self.is_live and (
            self.state.is_paid or bool(self.input_tokens + self.output_tokens)
        )

    @property
    def has_unknown_cost(self) -> bool:
        """It counts as paid, and nobody knows how much it has cost."""
        return self.is_live and self.state.is_paid and self.cost is None

    @property
    def is_lost(self) -> bool:
        """It counts with what was kept for it: nobody knows what it cost, but not more."""
        return self.is_live and self.state is CallState.LOST and bool(self.cost)


@dataclass(frozen=True, slots=True)
class UsageSum:
    """Calls and payments of one group: of an agent, a model, a day.

    Attributes:
        keys: What the group has in common, in the order that was asked for.
        calls: How many calls of models, without those that a cache or a cassette answered.
        spared: How many of those there were besides.
        cost: In dollars, as far as it is known.
        unknown: How many calls have no known cost.
        at_most: How many count with what was kept for them: nobody knows what they cost, but
            not more.
    """

    keys: tuple[str, ...]
    calls: int = 0
    spared: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    unknown: int = 0
    at_most: int = 0


@dataclass(frozen=True, slots=True)
class TaskHistory:
    """What a task that has succeeded has used, over all its attempts; for quotes.

    Attributes:
        size: Characters of the first request of it; 0 if not known.
        seconds: Its working time.
        cached_tokens: Of those that it read, the ones that the server had at hand.
    """

    agent: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    seconds: float
    size: int = 0
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What the cache of answers holds, and what it has spared.

    Attributes:
        hits: How often an answer was used once more.
        spared: What those would have cost, in dollars, as far as it is known.
    """

    entries: int = 0
    size_bytes: int = 0
    hits: int = 0
    spared: float = 0.0
