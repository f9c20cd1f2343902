"""Quotes: what work will probably use, before it is done, and how that is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class QuoteSource(StrEnum):
    """How a quote is known: from past tasks, as the model guessed it, or not at all."""

    HISTORY = "history"
    ESTIMATE = "estimate"
    UNKNOWN = "unknown"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Range:
    """The middle and the high end of what is to be expected: P50 and P90."""

    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class Quote:
    """What a task, or a whole mission, will probably use; None is not known, never 0.

    Attributes:
        task: Name of the task; empty for the whole.
        source: How it is known; of a whole, the weakest of its tasks.
        runs: How many past tasks it is taken from.
        minutes: Of a whole: with its tasks side by side as they may run.
    """

    source: QuoteSource
    task: str = ""
    runs: int = 0
    tokens: Range | None = None
    dollars: Range | None = None
    minutes: Range | None = None
