"""What a look at a running task says: too long, silent, or alive again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What has to be done about a running task."""

    FINE = "fine"
    TIMED_OUT = "timed_out"
    STALLED = "stalled"
    REVIVED = "revived"


@dataclass(frozen=True, slots=True)
class Vital:
    """What is known of a running task; times are monotonic seconds.

    Attributes:
        started: When it started.
        last_sign: Its last sign of life.
        timeout_s: Cap on its time.
        paused_s: How long it has stood still, pauses that are over.
        paused_since: When it was stopped, or None if it runs.
        is_stalled: It was called stalled before.
    """

    started: float
    last_sign: float
    timeout_s: float
    paused_s: float = 0.0
    paused_since: float | None = None
    is_stalled: bool = False

    def worked_s(self, now: float) -> float:
        """Return how long it has really run."""
        until = now if self.paused_since is None else self.paused_since
        return until - self.started - self.paused_s


def judge(vital: Vital, *, now: float, stalled_s: float) -> Verdict:
    """Decide about one running task.

    A paused task is never stalled, and the time it stands still is not counted.

    Example:
        >>> judge(Vital(started=0, last_sign=0, timeout_s=60), now=61, stalled_s=300)
        <Verdict.TIMED_OUT: 'timed_out'>
    """
    if vital.worked_s(now) >= vital.timeout_s:
        return Verdict.TIMED_OUT
    if vital.paused_since is not None:
        return Verdict.FINE
    is_silent = now - vital.last_sign >= stalled_s
    if is_silent and not vital.is_stalled:
        return Verdict.STALLED
    if vital.is_stalled and not is_silent:
        return Verdict.REVIVED
    return Verdict.FINE
