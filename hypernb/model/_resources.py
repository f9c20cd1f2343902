"""Resources: what tasks share beyond a runner's slots, and how much of it there is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

_LONGEST_REST_S: Final = 60.0
_CLOCKS_DIFFER_S: Final = 60.0
"""Those of several machines; what differs by more was set back."""


def rest_s(times: int, retry_after_s: float | None) -> float:
    """Return for how long to leave something alone that has refused.

    As long as it asked for; where it did not say, a second that doubles with each refusal in a
    row, at most a minute. Who asks for no rest and goes on refusing gets one all the same.

    Args:
        times: How often it has refused in a row, from 1.
        retry_after_s: How long it asked for, in seconds.

    Example:
        >>> [rest_s(times, None) for times in (1, 2, 3)], rest_s(1, 0.0), rest_s(4, 0.0)
        ([1.0, 2.0, 4.0], 0.0, 0.4)
    """
    growing = 2.0 ** min(times - 1, 10)
    if retry_after_s is None:
        return min(_LONGEST_REST_S, growing)
    least = 0.0 if times == 1 else min(_LONGEST_REST_S, growing / 20.0)
    return max(retry_after_s, least)


def _elapsed_s(since: datetime, at: datetime) -> float | None:
    """Return the seconds in between; 0 if two clocks differ, None if one was set back."""
    elapsed = (at - since).total_seconds()
    if elapsed >= 0:
        return elapsed
    return 0.0 if elapsed >= -_CLOCKS_DIFFER_S else None


class Hurdle(StrEnum):
    """Why a resource cannot be had now."""

    FULL = "full"
    RATE = "rate"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Wait:
    """A resource that cannot be had now.

    Attributes:
        resource: Its name.
        after_s: Seconds until it is worth asking again; None if others hold it, and nobody
            knows for how long.
        held: How many permits are held.
        limit: How many may be; None if that is not what is lacking.
    """

    resource: str
    hurdle: Hurdle
    after_s: float | None = None
    held: int = 0
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A resource said that it was asked too much.

    Attributes:
        resources: Names; all that the task holds if empty.
        retry_after_s: How long it wants to be left alone, in seconds; None if it did not say.
    """

    resources: tuple[str, ...] = ()
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource by name, its limits, and what was learnt of it; see `Resource.wait`.

    The rate is a token bucket. What the resource can take at once is found by additive
    increase and multiplicative decrease (Chiu and Jain, 1989): a refusal halves it, and a
    full round of successes adds one. Wall clocks that are set back close nothing for longer
    and fill no bucket.

    Attributes:
        at_once: How many attempts may hold it at once; None for any number.
        rate_per_s: How many may begin in a second, on average; None for any number.
        burst: How many may begin at once after a rest.
        ceiling: How many it seems to take at once; None before it has refused any.
        tokens: What is left of the burst, as of ``filled_at``.
        closed_s: How long from ``closed_at`` on it is to be left alone.
        refusals: How many it has given since it last served.
    """

    name: str
    at_once: int | None = None
    rate_per_s: float | None = None
    burst: int = 1
    ceiling: float | None = None
    tokens: float = 1.0
    filled_at: datetime | None = None
    closed_at: datetime | None = None
    closed_s: float = 0.0
    refusals: int = 0

    @property
    def limit(self) -> int | None:
        """How many attempts may hold it at once, by its limit and by what was learnt."""
        known = [] if self.at_once is None else [self.at_once]
        if self.ceiling is not None:
            known.append(max(1, math.floor(self.ceiling)))
        return min(known, default=None)

    def wait(self, held: int, at: datetime) -> Wait | None:
        """Return why it cannot be had now; None if it can.

        Args:
            held: How many permits are held.

        Example:
            >>> from datetime import UTC, datetime
            >>> suite = Resource("pytest", at_once=1)
            >>> suite.wait(1, datetime(2026, 11, 27, tzinfo=UTC)).hurdle.value
            'full'
        """
        if (left := self._closed_for(at)) > 0:
            return Wait(self.name, Hurdle.CLOSED, left)
        if (limit := self.limit) is not None and held >= limit:
            return Wait(self.name, Hurdle.FULL, None, held, limit)
        if self.rate_per_s is not None and (lacking := 1.0 - self._tokens(at)) > 0:
            return Wait(self.name, Hurdle.RATE, lacking / self.rate_per_s)
        return None

    def taken(self, at: datetime) -> Resource:
        """Return it with one permit more."""
        if self.rate_per_s is None:
            return self
        filled_at = at
        if self.filled_at is not None and _elapsed_s(self.filled_at, at) == 0.0:
            filled_at = self.filled_at  # or a clock that is ahead would fill it once more
        return replace(self, tokens=self._tokens(at) - 1.0, filled_at=filled_at)

    def served(self) -> Resource:
        """Return it after an attempt that it did not refuse."""
        if self.ceiling is None:
            return self if not self.refusals else replace(self, refusals=0)
        more = self.ceiling + 1.0 / self.ceiling
        if self.at_once is not None:
            more = min(more, float(self.at_once))
        return replace(self, ceiling=more, refusals=0)

    def refused(
        self,
        held: int,
        at: datetime,
        retry_after_s: float | None,
        *,
        began: datetime | None = None,
    ) -> Resource:
        """Return it after a refusal.

        What began before the last refusal was asked for before it: it says nothing new, and
        only the longest wish to be left alone counts.

        Args:
            held: How many permits were held, the refused one with them.
            began: When the refused attempt began.
        """
        left = self._closed_for(at)
        is_old = began is not None and self.closed_at is not None and began <= self.closed_at
        if left > 0 or is_old:
            longer = max(left, retry_after_s or 0.0)
            return replace(self, closed_at=at, closed_s=longer)
        times = self.refusals + 1
        rest = rest_s(times, retry_after_s)
        before = float(held) if self.limit is None else min(float(held), float(self.limit))
        ceiling = max(1.0, before / 2.0)
        return replace(self, ceiling=ceiling, closed_at=at, closed_s=rest, refusals=times)

    def _closed_for(self, at: datetime) -> float:
        if self.closed_at is None:
            return 0.0
        elapsed = _elapsed_s(self.closed_at, at)
        return 0.0 if elapsed is None else max(0.0, self.closed_s - elapsed)

    def _tokens(self, at: datetime) -> float:
        if self.filled_at is None:
            return float(self.burst)
        since = _elapsed_s(self.filled_at, at) or 0.0
        return min(float(self.burst), self.tokens + since * (self.rate_per_s or 0.0))


@dataclass(frozen=True, slots=True)
class ResourceUse:
    """A resource and how much of it is in use.

    Attributes:
        held: How many attempts hold a permit of it.
        wait: Why it could not be had when the store was asked; None if it could.
    """

    resource: Resource
    held: int = 0
    wait: Wait | None = None
