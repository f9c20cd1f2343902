"""What events of models, money, keys and messages tell of, in sentences."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import dollars, limit_words, told_apart
from hypernb.model import CallState
from hypernb.views._clean import line
from hypernb.views._phrase import Phrase, Strong, named
from hypernb.views.words import as_sentence, claim_words, clock, count, duration, money_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypernb.model import Event

NOT_KNOWN: Final = "cost not known"
_SHOWN: Final = 300
_A_YEAR_S: Final = 366 * 86_400.0
_WHY: Final[Mapping[str, str]] = {
    "plan": " for a plan",
    "repair": " once more, because its answer could not be used",
    "probe": " something small, to see what it can do",
}
_NOBODY: Final[Mapping[str, str]] = {
    "cache": "from the cache: nobody was asked, and nothing is paid",
    "cassette": "from the cassette: nobody was asked, and nothing is paid",
}


def cost_of_call(cost: object) -> str:
    """Write what a call has cost; what nobody knows is not nothing.

    Example:
        >>> cost_of_call(0.0214), cost_of_call(None), cost_of_call(0.0)
        ('$0.021', 'cost not known', 'free')
    """
    if not isinstance(cost, int | float) or isinstance(cost, bool):
        return NOT_KNOWN
    return dollars(cost) if cost else "free"


def waits_until(event: Event) -> datetime | None:
    """Return when a call that waits is made again; None if it goes on."""
    facts = event.payload
    wait_s, until = facts.get("wait_s"), facts.get("until")
    if isinstance(until, str):
        return datetime.fromisoformat(until)
    if isinstance(wait_s, int | float) and 0 < wait_s < _A_YEAR_S:
        return event.at + timedelta(seconds=wait_s)
    return None


def given_up_at(event: Event) -> datetime | None:
    """Return when a call that waits is given up; None if nobody knows."""
    told = event.payload.get("given_up")
    return datetime.fromisoformat(told) if isinstance(told, str) else None


def tried_since(event: Event) -> datetime | None:
    """Return when a call began that waits; None if that is not known."""
    told = event.payload.get("since")
    return datetime.fromisoformat(told) if isinstance(told, str) else None


def waits_for(event: Event, host: str = "") -> Phrase:
    """Say what a call waits for, without a stop: ``too many requests, again at 14:05:42``.

    Empty if it goes on.

    Args:
        event: ``llm.waited``.
        host: Where the model is, if that is known.
    """
    until = waits_until(event)
    if until is None:
        return ()
    reason = line(event.payload.get("reason") or "its model", cut_at=_SHOWN)
    where: Phrase = (" at ", named(host)) if host and host not in reason else ()
    return (reason, *where, f", again at {clock(until)}")


def _named(event: Event, key: str = "model", otherwise: str = "The model") -> Phrase:
    said = line(event.payload.get(key) or "", cut_at=120)
    return (named(said),) if said else (otherwise,)


def _number(event: Event, key: str) -> float | None:
    value = event.payload.get(key)
    return float(value) if isinstance(value, int | float) else None


def _requested(event: Event) -> Phrase:
    facts = event.payload
    host = line(facts.get("host") or "", cut_at=120)
    where: Phrase = (" at ", named(host)) if host else ()
    why = _WHY.get(str(facts.get("purpose", "")), "")
    return ("Asks ", *_named(event, otherwise="its model"), *where, f"{why}.")


def _responded(event: Event) -> Phrase:
    facts = event.payload
    model = _named(event)
    if error := line(facts.get("error") or "", cut_at=_SHOWN):
        return (*model, f" gave no answer that can be used: {as_sentence(error)}")
    if told := _NOBODY.get(str(facts.get("source", ""))):
        return ("The answer of ", *_named(event, otherwise="the model"), f" is {told}.")
    took = _number(event, "duration_s")
    within = f" in {duration(took)}" if took is not None else ""
    if facts.get("state") == CallState.LOST:
        cost = facts.get("cost")
        paid = f"at most {cost_of_call(cost)} is paid" if cost else cost_of_call(cost)
        return (*model, f" was asked, and nobody knows what it answered: {paid}.")
    figures = [*_tokens(facts), cost_of_call(facts.get("cost"))]
    return (*model, f" answered{within}: {', '.join(figures)}.")


def _tokens(facts: Mapping[str, Any]) -> list[str]:
    read, written = facts.get("input_tokens"), facts.get("output_tokens")
    if not isinstance(read, int) or not isinstance(written, int):
        return []
    return [f"{count(read, 'token')} read", f"{written:,} written"]


def _streamed(event: Event) -> Phrase:
    said = line(event.payload.get("text") or "", cut_at=_SHOWN)
    if event.payload.get("anew") or not said:
        return ("What was written so far does not count; the answer begins anew.",)
    return ("Writes: ", said)


def _waited(event: Event) -> Phrase:
    waits = waits_for(event)
    if not waits:
        return ("It asks again.",)
    given_up = given_up_at(event)
    end = f"; it is given up at {clock(given_up)}" if given_up else ""
    return ("Its model has to be waited for: ", *waits, f"{end}.")


def _reserved(event: Event) -> Phrase:
    kept, left = _number(event, "cost"), _number(event, "left")
    if kept is None:
        return ("A call begins whose cost is not known, so nothing can be kept for it.",)
    rest = f"; {dollars(left)} of the budget is free" if left is not None else ""
    return (f"Up to {dollars(kept)} is kept for a call{rest}.",)


def _warned(event: Event) -> Phrase:
    if "times" in event.payload:
        return (*_named(event, otherwise="A model"), f" {claim_words(event.payload)}")
    spent, budget = _number(event, "spent"), _number(event, "budget")
    if spent is None or not budget:
        return ("Most of the budget is spent.",)
    return (f"{spent / budget:.0%} of the budget is spent: {money_of(spent, budget)}.",)


def _raised(event: Event) -> Phrase:
    budget, models = _number(event, "budget"), event.payload.get("models")
    by = line(event.payload.get("by") or "", cut_at=120)
    who = f", by {by}" if by else ""
    said: list[Any] = []
    if budget is not None:
        said += [f"The budget is {limit_words(budget)} from now on"]
    if isinstance(models, dict) and models:
        begins = "; other models are asked: " if said else "Other models are asked: "
        hosts = event.payload.get("hosts")
        said += [begins, *_others(models, hosts if isinstance(hosts, dict) else {})]
    return (*said, f"{who}.") if said else (f"The contract was changed{who}.",)


def _others(models: Mapping[str, Any], hosts: Mapping[str, Any]) -> list[Any]:
    said: list[Any] = []
    for name, spec in list(models.items())[:5]:
        other = spec.get("name", "") if isinstance(spec, dict) else spec
        at = [" at ", named(str(hosts[name]))] if name in hosts else []
        said += [", " if said else "", named(str(other)), *at, " for ", named(str(name))]
    return said


def _key(event: Event) -> Phrase:
    key = named(line(event.payload.get("key") or "a key", cut_at=120).partition(":")[0])
    return (
        "It needs ",
        key,
        ", which its runner does not have. It goes on when a kernel that has it is open.",
    )


def _sent(event: Event) -> Phrase:
    facts = event.payload
    kind = line(facts.get("type") or "note", cut_at=60)
    to = line(facts.get("recipient") or "", cut_at=120)
    whom: Phrase = (named(to),) if to else ("everybody",)
    size = facts.get("characters")
    long = f", {count(size, 'character')}" if isinstance(size, int) else ""
    what = "an answer" if facts.get("reply_to") else "a message"
    return (f"Sends {what} to ", *whom, f": {kind}{long}.")


def _received(event: Event) -> Phrase:
    ids = event.payload.get("ids")
    many = len(ids) if isinstance(ids, list) else 1
    return (f"It has read {count(many, 'message')}.",)


def paused_for_money(event: Event) -> Phrase:
    """Say that a mission was paused because no money is left for its next call."""
    spent, budget, needed = (_number(event, name) for name in ("spent", "budget", "needed"))
    if budget is None:
        return ("The mission was paused: ", Strong("no money is left for its next call"), ".")
    paid, cost, most = told_apart(spent or 0.0, needed or 0.0, limit=budget)
    said = f"{paid} of {most} is spent"
    more = f", and its next call may cost up to {cost}" if needed else ""
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
