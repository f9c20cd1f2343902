"""What events of models, money, keys and messages tell of, in sentences."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from hypernb.views._clean import line
from hypernb.views._phrase import Phrase, Strong, named
from hypernb.views.words import clock, count, duration, money

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypernb.model import Event

NOT_KNOWN: Final = "cost not known"
BUDGET: Final = "budget"
_SHOWN: Final = 300
_WHY: Final[Mapping[str, str]] = {
    "plan": " for a plan",
    "repair": " once more, because its answer could not be used",
    "probe": " something small, to see what it can do",
}
_NOBODY: Final[Mapping[str, str]] = {
    "cache": "from the cache: nobody was asked, and nothing is paid",
    "cassette": "from the cassette: nobody was asked, and nothing is paid",
}


def cost_words(cost: object) -> str:
    """Write what a call has cost; what nobody knows is not nothing.

    Example:
        >>> cost_words(0.0214), cost_words(None), cost_words(0.0)
        ('$0.021', 'cost not known', 'free')
    """
    if not isinstance(cost, int | float) or isinstance(cost, bool):
        return NOT_KNOWN
    return money(cost, fine=True) if cost else "free"


def waits_for(event: Event) -> Phrase:
    """Say what a call waits for, without a stop: ``too many requests, again at 14:05:42``.

    Empty if it goes on.
    """
    facts = event.payload
    wait_s, reason = facts.get("wait_s"), line(facts.get("reason") or "", cut_at=_SHOWN)
    host = line(facts.get("host") or "", cut_at=120)
    if not isinstance(wait_s, int | float) or wait_s <= 0:
        return ()
    where: Phrase = (" at ", named(host)) if host and host not in reason else ()
    again = clock(event.at + timedelta(seconds=min(wait_s, _A_WEEK_S)))
    return (reason or "its model", *where, f", again at {again}")


_A_WEEK_S: Final = 7 * 86_400.0


def _named(event: Event, key: str = "model", otherwise: str = "The model") -> Phrase:
    said = line(event.payload.get(key) or "", cut_at=120)
    return (named(said),) if said else (otherwise,)


def _number(event: Event, key: str) -> float | None:
    value = event.payload.get(key)
    return float(value) if isinstance(value, int | float) else None


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…", ")")) else f"{text}."


def _requested(event: Event) -> Phrase:
    facts = event.payload
    if told := _NOBODY.get(str(facts.get("source", ""))):
        return ("The answer of ", *_named(event, otherwise="the model"), f" is {told}.")
    host = line(facts.get("host") or "", cut_at=120)
    where: Phrase = (" at ", named(host)) if host else ()
    why = _WHY.get(str(facts.get("purpose", "")), "")
    return ("Asks ", *_named(event, otherwise="its model"), *where, f"{why}.")


def _responded(event: Event) -> Phrase:
    facts = event.payload
    model = _named(event)
    if error := line(facts.get("error") or "", cut_at=_SHOWN):
        return (*model, f" gave no answer that can be used: {_sentence(error)}")
    if told := _NOBODY.get(str(facts.get("source", ""))):
        return ("The answer of ", *_named(event, otherwise="the model"), f" is {told}.")
    took = _number(event, "duration_s")
    within = f" in {duration(took)}" if took is not None else ""
    figures = [*_tokens(facts), cost_words(facts.get("cost"))]
    return (*model, f" answered{within}: {', '.join(figures)}.")


def _tokens(facts: Mapping[str, Any]) -> list[str]:
    read, written = facts.get("input_tokens"), facts.get("output_tokens")
    if not isinstance(read, int) or not isinstance(written, int):
        return []
    return [f"{count(read, 'token')} read", f"{written:,} written"]


def _streamed(event: Event) -> Phrase:
    said = line(event.payload.get("text") or "", cut_at=_SHOWN)
    if not said:
        return ("What was written so far does not count; the answer begins anew.",)
    return ("Writes: ", said)


def _waited(event: Event) -> Phrase:
    waits = waits_for(event)
    if not waits:
        return ("It goes on.",)
    return ("Waits for ", *_named(event, otherwise="its model"), ": ", *waits, ".")


def _reserved(event: Event) -> Phrase:
    amount = _number(event, "amount")
    if amount is None:
        amount = _number(event, "reserved")
    if amount is None:
        return ("A call begins whose cost is not known; nothing can be kept for it.",)
    return (f"Up to {money(amount, fine=True)} is kept for a call.",)


def _warned(event: Event) -> Phrase:
    spent, budget = _number(event, "spent"), _number(event, "budget")
    if spent is None or not budget:
        return ("Most of the budget is spent.",)
    return (f"{spent / budget:.0%} of the budget is spent: {money(spent)} of {money(budget)}.",)


def _raised(event: Event) -> Phrase:
    budget, models = _number(event, "budget"), event.payload.get("models")
    by = line(event.payload.get("by") or "", cut_at=120)
    who = f", by {by}" if by else ""
    said: list[Any] = []
    if budget is not None:
        said += [f"The budget is {money(budget)} from now on"]
    if isinstance(models, dict) and models:
        said += ["; " if said else "", "Other models are asked from now on: ", *_others(models)]
    return (*said, f"{who}.") if said else (f"The contract was changed{who}.",)


def _others(models: Mapping[str, Any]) -> list[Any]:
    said: list[Any] = []
    for name, spec in list(models.items())[:5]:
        other = spec.get("name", "") if isinstance(spec, dict) else spec
        said += [", " if said else "", named(str(other)), " for ", named(str(name))]
    return said


def _key(event: Event) -> Phrase:
    key = _named(event, "key", "a key")
    return (
        "It needs ",
        *key,
        ", which its runner does not have. It goes on when a kernel that has it is open.",
    )


def _sent(event: Event) -> Phrase:
    facts = event.payload
    kind = line(facts.get("type") or "note", cut_at=60)
    to = line(facts.get("recipient") or "", cut_at=120)
    whom: Phrase = (named(to),) if to else ("everybody",)
    said = line(facts.get("content") or "", cut_at=_SHOWN)
    return ("Says to ", *whom, f" ({kind})", *((": ", said) if said else (".",)))


def _received(event: Event) -> Phrase:
    ids = event.payload.get("ids")
    many = len(ids) if isinstance(ids, list) else 1
    sender = line(event.payload.get("sender") or "", cut_at=120)
    whose: Phrase = (" of ", named(sender)) if sender else ()
    return (f"It has read {count(many, 'message')}", *whose, ".")


def paused_for_money(event: Event) -> Phrase:
    """Say that a mission was paused because no money is left for its next call."""
    facts = event.payload
    spent, budget, needed = (_number(event, name) for name in ("spent", "budget", "needed"))
    del facts
    if budget is None:
        return ("The mission was paused: ", Strong("no money is left for its next call"), ".")
    said = f"{money(spent or 0.0)} of {money(budget)} is spent"
    more = f", and its next call may cost {money(needed, fine=True)}" if needed else ""
    return ("The mission was paused: ", Strong(f"{said}{more}"), ".")


TELLERS: Final[Mapping[str, Callable[[Event], Phrase]]] = {
    "llm.requested": _requested,
    "llm.streamed": _streamed,
    "llm.waited": _waited,
    "llm.responded": _responded,
    "budget.reserved": _reserved,
    "budget.warned": _warned,
    "budget.raised": _raised,
    "key.missing": _key,
    "message.sent": _sent,
    "message.received": _received,
}
