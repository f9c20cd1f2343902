"""The vocabulary of every view: states, counts, durations, times and money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import dollars, told_apart
from hypernb.model import AttemptState, MissionState, Severity, TaskState
from hypernb.views._clean import LINE_CUT_AT, line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


__all__ = [
    "ATTEMPT_STATES",
    "MISSION_STATES",
    "SEVERITIES",
    "TASK_STATES",
    "StateWord",
    "as_sentence",
    "because",
    "claim_words",
    "clock",
    "count",
    "day",
    "duration",
    "moment",
    "money_of",
    "money_range",
    "offset",
    "state_word",
]


@dataclass(frozen=True, slots=True)
class StateWord:
    """How a state is shown: shape first, word always, colour third.

    Attributes:
        word: The state's own name, with a space for the underscore.
        shape: Name of the drawn icon.
        role: ``active``, ``attention``, ``good``, ``bad`` or ``neutral``.
        sign: One character for terminals.
        means: What it means, in a sentence.
    """

    word: str
    shape: str
    role: str
    sign: str
    means: str


MISSION_STATES: Final[Mapping[str, StateWord]] = {
    MissionState.PLANNING: StateWord(
        "planning", "planning", "active", "✎", "The plan is being made."
    ),
    MissionState.AWAITING_APPROVAL: StateWord(
        "awaiting approval",
        "awaiting",
        "attention",
        "◆",
        "Waits for a person. Nothing runs until the decision.",
    ),
    MissionState.RUNNING: StateWord(
        "running", "running", "active", "►", "At least one task may run."
    ),
    MissionState.PAUSED: StateWord(
        "paused",
        "paused",
        "neutral",
        "‖",
        "Paused by a person, or because no money is left. No new attempt starts.",
    ),
    MissionState.SUCCEEDED: StateWord(
        "succeeded", "succeeded", "good", "✓", "Ended well. The result is there."
    ),
    MissionState.FAILED: StateWord(
        "failed", "failed", "bad", "✗", "Did not end well; says why, and what there is."
    ),
    MissionState.CANCELLED: StateWord(
        "cancelled", "cancelled", "neutral", "⊘", "Ended by a person."
    ),
    MissionState.REJECTED: StateWord(
        "rejected", "rejected", "neutral", "◇", "The plan was refused. Nothing ran."
    ),
}

APPROVED: Final = StateWord(
    "approved", "ready", "neutral", "○", "A person said yes; a runner is about to start it."
)
"""How a mission is shown that awaits approval no longer and has not started yet."""

TASK_STATES: Final[Mapping[str, StateWord]] = {
    TaskState.PENDING: StateWord(
        "pending", "pending", "neutral", "◌", "Its needs are not done."
    ),
    TaskState.READY: StateWord(
        "ready", "ready", "neutral", "○", "Could start; waits for a free place or for budget."
    ),
    TaskState.WAITING: StateWord(
        "waiting",
        "waiting",
        "neutral",
        "◷",
        "Waits for something that is in use elsewhere.",
    ),
    TaskState.RUNNING: StateWord("running", "running", "active", "►", "An attempt is at work."),
    TaskState.VERIFYING: StateWord(
        "verifying", "verifying", "active", "⌕", "Its check is being made: not in use yet."
    ),
    TaskState.AWAITING_APPROVAL: StateWord(
        "awaiting approval",
        "awaiting",
        "attention",
        "◆",
        "A person decides whether it is safe to run twice.",
    ),
    TaskState.STALLED: StateWord(
        "stalled",
        "stalled",
        "attention",
        "⧗",
        "No heartbeat. Says what happens next, and when.",
    ),
    TaskState.SUCCEEDED: StateWord(
        "succeeded", "succeeded", "good", "✓", "Ended without an error."
    ),
    TaskState.FAILED: StateWord(
        "failed", "failed", "bad", "✗", "All attempts are used up, or it is not safe to repeat."
    ),
    TaskState.CANCELLED: StateWord(
        "cancelled", "cancelled", "neutral", "⊘", "Ended by a person, or with its mission."
    ),
    TaskState.SKIPPED: StateWord("skipped", "skipped", "neutral", "»", "Not needed any more."),
}

ATTEMPT_STATES: Final[Mapping[str, StateWord]] = {
    AttemptState.RUNNING: StateWord("running", "running", "active", "►", "At work."),
    AttemptState.SUCCEEDED: StateWord(
        "succeeded", "succeeded", "good", "✓", "Ended without an error."
    ),
    AttemptState.FAILED: StateWord("failed", "failed", "bad", "✗", "Ended with an error."),
    AttemptState.ABANDONED: StateWord(
        "abandoned", "abandoned", "neutral", "⊟", "Its runner or its heartbeat was lost."
    ),
    AttemptState.CANCELLED: StateWord(
        "cancelled", "cancelled", "neutral", "⊘", "Ended by a person."
    ),
    AttemptState.REFUSED: StateWord(
        "refused", "refused", "neutral", "⊖", "It was not let start."
    ),
}

SEVERITIES: Final = tuple(sorted(Severity, key=lambda severity: -severity.rank))
"""Most severe first."""

_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_ROUNDS_TO_ONE: Final = 0.9995
_ROUNDS_TO_TEN: Final = 9.95
_KINDS: Final[Mapping[type, Mapping[str, StateWord]]] = {
    MissionState: MISSION_STATES,
    TaskState: TASK_STATES,
    AttemptState: ATTEMPT_STATES,
}


def state_word(state: MissionState | TaskState | AttemptState) -> StateWord:
    """Return how a state of a mission, a task or an attempt is shown."""
    return _KINDS[type(state)][state]


def because(state: MissionState, error: str, *, cut_at: int = LINE_CUT_AT) -> str:
    """Write why or by whom a mission ended, as the end of a sentence.

    Example:
        >>> because(MissionState.FAILED, "lint failed")
        ': lint failed.'
        >>> because(MissionState.CANCELLED, "by ada@here"), because(MissionState.FAILED, "")
        (' by ada@here.', '.')
    """
    said = line(error, cut_at=cut_at)
    if not said:
        return "."
    by = state is MissionState.CANCELLED and said.startswith("by ")
    return f"{' ' if by else ': '}{as_sentence(said)}"


# -- numbers -----------------------------------------------------------------------------


def as_sentence(text: str) -> str:
    """Return a text that ends as a sentence does.

    Example:
        >>> as_sentence("It is there"), as_sentence("Is it there?")
        ('It is there.', 'Is it there?')
    """
    return text if text.endswith((".", "!", "?", "…", ")")) else f"{text}."


def count(number: int, one: str, many: str = "") -> str:
    """Count things in words.

    Example:
        >>> count(1, "task"), count(1200, "task"), count(0, "reply", "replies")
        ('1 task', '1,200 tasks', '0 replies')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """Write a length of time as people say it, in at most two units.

    Example:
        >>> duration(0.004), duration(4.13), duration(192), duration(7500), duration(200_000)
        ('4 ms', '4.1 s', '3 min 12 s', '2 h 5 min', '2 d 7 h')
    """
    seconds = max(seconds, 0.0)
    if not seconds:
        return "0 s"
    if seconds < _ROUNDS_TO_ONE:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _ROUNDS_TO_TEN:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    for size, unit, rest_size, rest_unit in (
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // rest_size
            return f"{whole // size:,} {unit}" + (f" {rest} {rest_unit}" if rest else "")
    return f"{whole} s"


def cost_and_unknown(cost: float, unknown: int, at_most: int = 0) -> str:
    """Write what was paid, and how many calls cost nobody knows what: that is not nothing.

    Args:
        cost: In dollars, as far as it is known.
        unknown: How many calls are not in it.
        at_most: How many are in it with what was kept for them.

    Example:
        >>> cost_and_unknown(0.5, 0), cost_and_unknown(0.5, 1), cost_and_unknown(0, 2)
        ('$0.50', '$0.50 and 1 call of unknown cost', '2 calls of unknown cost')
        >>> cost_and_unknown(0.5, 0, at_most=1)
        'at most $0.50'
    """
    paid = f"{'at most ' if at_most and cost else ''}{dollars(cost)}"
    if not unknown:
        return paid
    calls = f"{count(unknown, 'call')} of unknown cost"
    return f"{paid} and {calls}" if cost else calls


def money_of(spent: float, budget: float) -> str:
    """Write how much of a sum is spent, with as many digits as tell them apart.

    Example:
        >>> money_of(0.48, 0.5), money_of(0.0172, 0.02)
        ('$0.48 of $0.50', '$0.017 of $0.02')
    """
    return " of ".join(told_apart(spent, limit=budget))


def claim_words(facts: Mapping[str, Any]) -> str:
    """Say of a model which of the tokens that it counts there cannot be.

    Args:
        facts: Of the event ``budget.warned``: what was said, and what was kept for it.

    Example:
        >>> claim_words({"input_tokens": [9, 80], "output_tokens": [80, 50]})[:66]
        'counts more than it was allowed: 80 tokens written of at most 50; '
    """
    beyond, counted = [], []
    for name, done in (("input_tokens", "read"), ("output_tokens", "written")):
        match facts.get(name):
            case [int(said), int(most)] if said > most:
                beyond.append(f"{count(said, 'token')} {done} of at most {most:,}")
                counted.append(f"{most:,}")
    figures = f": {', '.join(beyond)}; counted as {' and '.join(counted)}" if beyond else ""
    return f"counts more than it was allowed{figures}. Compare with your provider's bill."


def money_range(low: float, high: float) -> str:
    """Write between which sums, with a space in front; empty where both sound the same.

    Example:
        >>> money_range(0.27, 0.46), money_range(0.5, 0.501)
        (' ($0.27 to $0.46)', '')
    """
    least, most = dollars(low), dollars(high)
    return "" if least == most else f" ({least} to {most})"


# -- times, in the zone of the machine that renders ---------------------------------------


def clock(at: datetime) -> str:
    """Write the time of day with seconds, in this machine's zone."""
    return at.astimezone().strftime("%H:%M:%S")


def day(at: datetime) -> str:
    """Write the date: ``20 November 2026``."""
    local = at.astimezone()
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def moment(at: datetime, *, now: datetime | None = None) -> str:
    """Write time and date; without the date if it is that of ``now``."""
    if now is not None and day(at) == day(now):
        return clock(at)
    return f"{clock(at)} on {day(at)}"


def offset(at: datetime) -> str:
    """Write the zone that the times are in, as its distance from UTC.

    Example:
        >>> from datetime import UTC, datetime
        >>> offset(datetime(2026, 11, 20, tzinfo=UTC)).startswith("UTC")
        True
    """
    said = at.astimezone().strftime("%z")
    return "UTC" if said == "+0000" else f"UTC{said[:3]}:{said[3:5]}"
