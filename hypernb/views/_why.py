"""Where a variable came from, as text and HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hypernb.model import UsageSum
from hypernb.views import words
from hypernb.views._clean import clean, line
from hypernb.views._columns import labelled
from hypernb.views._frame import small
from hypernb.views._markup import el, pairs, sentence
from hypernb.views._phrase import (
    WHOLE_AT_MOST,
    Code,
    Phrase,
    Whole,
    enumerate_names,
    named,
    plain,
)
from hypernb.views._usage import cost_of_group

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class WhyLike(Protocol):
    """What is read of `hypernb.session.Why`."""

    @property
    def name(self) -> str: ...
    @property
    def mission(self) -> str: ...
    @property
    def goal(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def prompt(self) -> str: ...
    @property
    def by(self) -> str: ...
    @property
    def models(self) -> Sequence[str]: ...
    @property
    def calls(self) -> int: ...
    @property
    def spared(self) -> int: ...
    @property
    def cost(self) -> float: ...
    @property
    def unknown(self) -> int: ...
    @property
    def at_most(self) -> int: ...
    @property
    def check(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def needs(self) -> Sequence[str]: ...
    @property
    def without(self) -> Sequence[tuple[str, str]]: ...
    @property
    def variables(self) -> Sequence[str]: ...
    @property
    def functions(self) -> Sequence[str]: ...
    @property
    def approved(self) -> str: ...
    @property
    def at(self) -> datetime | None: ...
    @property
    def equals(self) -> Sequence[str]: ...


def why_text(why: WhyLike, width: int = 100) -> str:
    """Write where something came from, term by term."""
    told = [(term, plain(said)) for term, said in _terms(why)]
    return labelled(told, width=width, cut_at=WHOLE_AT_MOST)


def why_html(why: WhyLike) -> str:
    """Show where something came from, term by term."""
    title = f"Why {line(why.name, cut_at=80)} is what it is" if why.name else "Where it is from"
    told = pairs((term, sentence(said)) for term, said in _terms(why))
    return small(title, el("p", title, cls="b"), told)


def _terms(why: WhyLike) -> list[tuple[str, Phrase]]:
    terms: list[tuple[str, Phrase]] = [
        *([("Variable", (named(why.name),))] if why.name else []),
        ("Mission", (Code(why.mission), ": ", line(why.goal))),
        ("Task", (named(why.task),) if why.task else ("the outputs of several together",)),
    ]
    if why.task:
        terms += [
            ("Was to", (_told(why.prompt) or "do what its function does",)),
            ("Done by", (line(why.by) or "nobody is named",)),
        ]
    terms += [("Model", _models(why)), ("Cost", (_cost(why),))]
    if why.task:
        check = line(why.check, cut_at=500)
        terms += [
            *([("Check", ("nobody has checked it: ", check))] if check else []),
            ("Came out as", (line(why.outcome.replace("_", " ")) or "not known",)),
            ("Made from", _made_from(why)),
        ]
        if why.variables:
            terms.append(("Of yours", enumerate_names(why.variables, most=12)))
        if why.functions:
            called = enumerate_names(why.functions, most=12)
            terms.append(("Called", (*called, ", in your kernel")))
    if why.approved:
        terms.append(("Approved by", (line(why.approved),)))
    if why.at is not None:
        terms.append(("Done at", (words.moment(why.at),)))
    if why.equals:
        same = enumerate_names(why.equals, most=3)
        terms.append(("The same as", (*same, ": a value alone does not tell which is meant")))
    return terms


def _told(prompt: str) -> Whole | None:
    said = clean(prompt, cut_at=WHOLE_AT_MOST).strip()
    return Whole(said) if said else None


def _made_from(why: WhyLike) -> Phrase:
    made = enumerate_names(why.needs, most=12) or ("no other task",)
    if not why.without:
        return made
    ended = (f"{name} ({state.replace('_', ' ')})" for name, state in why.without)
    return (*made, "; not from ", *enumerate_names(list(ended), most=12))


def _models(why: WhyLike) -> Phrase:
    return enumerate_names(why.models, most=6) or ("none was asked",)


def _cost(why: WhyLike) -> str:
    spared = f", {why.spared:,} answered by a cache or a cassette" if why.spared else ""
    if not why.calls and not why.cost:
        return f"nothing: nobody was asked{spared}" if why.spared else "nothing"
    paid = UsageSum((), cost=why.cost, unknown=why.unknown, at_most=why.at_most)
    calls = f" for {words.count(why.calls, 'call')}" if why.calls else ""
    return f"{cost_of_group(paid)}{calls}{spared}"
