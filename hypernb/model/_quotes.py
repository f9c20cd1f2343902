"""Quotes: what work will probably use, before it is done, and how that is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


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


_RANGES = ("tokens", "dollars", "minutes")


@dataclass(frozen=True, slots=True)
class Quote:
    """What a task, or a whole mission, will probably use; None is not known, never 0.

    Attributes:
        task: Name of the task; empty for the whole.
        source: How it is known; of a whole, the weakest of its tasks.
        runs: How many past tasks it is taken from.
        minutes: Of a whole: with its tasks side by side as they may run.
        by_size: It was raised to what is handed in, which is more than past tasks had or
            anybody guessed.
    """

    source: QuoteSource
    task: str = ""
    runs: int = 0
    tokens: Range | None = None
    dollars: Range | None = None
    minutes: Range | None = None
    by_size: bool = False

    def facts(self) -> dict[str, Any]:
        """Return it as JSON values, as the event of an approval keeps it."""
        ranges = {name: getattr(self, name) for name in _RANGES}
        facts: dict[str, Any] = {
            name: [each.p50, each.p90] for name, each in ranges.items() if each is not None
        }
        if self.by_size:
            facts["by_size"] = True
        return {"task": self.task, "source": self.source.value, "runs": self.runs, **facts}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Quote:
        """Read what `facts` gave.

        Raises:
            ValueError: It is something else.

        Example:
            >>> quote = Quote(QuoteSource.ESTIMATE, "a", tokens=Range(10.0, 30.0))
            >>> Quote.of(quote.facts()) == quote
            True
        """
        try:
            return cls(
                QuoteSource(facts["source"]),
                str(facts["task"]),
                int(facts["runs"]),
                **{name: _range(facts[name]) for name in _RANGES if name in facts},
                by_size=facts.get("by_size") is True,
            )
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"this is no quote: {str(facts)[:100]!r}") from error


def _range(ends: Any) -> Range:
    low, high = map(float, ends)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("a quote has finite numbers")
    return Range(low, high)
