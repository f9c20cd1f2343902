"""Models in a plan, in words: which are asked and where, what they see, what they may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hypernb.errors import dollars
from hypernb.model import AgentWork, QuoteSource
from hypernb.views import words
from hypernb.views._clean import line
from hypernb.views._egress import grant_reaches
from hypernb.views._left import span
from hypernb.views._model_events import NOT_KNOWN
from hypernb.views._phrase import Code, Part, Phrase, Strong, enumerate_names, named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypernb.model import Grant, ModelSpec, PlanSpec, Price, Quote, Range, TaskSpec

_MODELS_SHOWN: Final = 6
_EXACT_BELOW: Final = 100
_NAMES_SHOWN: Final = 8
_KEPT: Final[Mapping[str, str]] = {
    "full": "what is said to models, and what they answer",
    "hashes": "of what is said to models and answered only the hashes",
    "none": "nothing of what is said to models and answered",
}
BY_SIZE: Final = " and by the size of what is handed in"
"""What stands behind the source of a quote that was raised to that."""

_KNOWN_FROM: Final[Mapping[QuoteSource, str]] = {
    QuoteSource.ESTIMATE: "as the model guessed it",
    QuoteSource.UNKNOWN: "no past task and no guess to go by",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A model that tasks can be given.

    Attributes:
        name: What to write after ``--model``.
        said: That, where it is, and what it costs.
    """

    name: str
    said: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of a plan beside the plan.

    Attributes:
        quotes: What each task, and the whole, will probably use; see
            `hypernb.session.Session.quote`.
        budget: The most that it may spend, in dollars, where a person has changed that.
        unknown: How many calls have no known cost.
        choices: Models that its tasks can be given, as long as a person may do that.
        planning: What the plan has cost, which no quote is for.
        at_most: How many calls count with what was kept for them: nobody knows what they
            cost, but not more.
        planning_at_most: How many of these were calls of the planning.
        unquoted: Why there are no quotes of a mission under way, as a sentence.
    """

    quotes: tuple[Quote, ...] = ()
    budget: float | None = None
    unknown: int = 0
    choices: tuple[Choice, ...] = ()
    planning: float = 0.0
    at_most: int = 0
    planning_at_most: int = 0
    unquoted: str = ""

    def quote(self, task: str = "") -> Quote | None:
        """Return the quote of a task, or of the whole."""
        return next((each for each in self.quotes if each.task == task), None)


NO_OUTLOOK: Final = Outlook()


def model_name(task: TaskSpec) -> str:
    """Return the plan's name for the model that a task is done with; empty for none."""
    return task.work.model if isinstance(task.work, AgentWork) else ""


def model_hosts(plan: PlanSpec) -> list[str]:
    """Return where those models are; nowhere if a cassette answers."""
    if plan.is_replayed:
        return []
    return list(dict.fromkeys(model.host for model in plan.models_used.values()))


def model_terms(plan: PlanSpec) -> list[tuple[str, Phrase]]:
    """Return what a yes allows of models, term by term; nothing if none is used."""
    used = plan.models_used
    if not used:
        return []
    terms = [("Would ask" if plan.is_replayed else "Asks", _asks(plan, used))]
    terms.append(("Keeps", (_KEPT[plan.content], ", in the store")))
    if plan.cassette:
        terms.append(("Cassette", _cassette(plan)))
    if plan.cache_s and plan.content == "full":
        age = words.duration(plan.cache_s)
        terms.append(("Cache", (f"an answer to the very same question may be {age} old",)))
    return terms


def _asks(plan: PlanSpec, used: Mapping[str, ModelSpec]) -> Phrase:
    said: list[Part] = []
    for model in list(used.values())[:_MODELS_SHOWN]:
        was_set = bool(model.key_id)
        one = where(model, needs_key=not plan.is_replayed, was_set=was_set)
        said += ["; " if said else "", *one]
    if len(used) > _MODELS_SHOWN:
        said.append(f"; and {len(used) - _MODELS_SHOWN:,} more")
    if plan.is_replayed:
        said.append("; a cassette answers for them, and nobody is asked")
    return tuple(said)


def where(model: ModelSpec, *, needs_key: bool = True, was_set: bool = True) -> Phrase:
    """Name a model, where it is, and which key it needs to be asked.

    Args:
        needs_key: Whether it is asked at all.
        was_set: Whether its key was set where it was planned, as far as that is to be said.
    """
    said: Phrase = (named(model.name), " at ", named(model.host))
    if model.key and needs_key:
        said = (*said, ", with the key in ", Code(line(model.key, cut_at=80)))
        said = said if was_set else (*said, ", not set where it was planned")
    return said if model.price is not None else (*said, f", {NOT_KNOWN}")


def price_words(price: Price | None) -> str:
    """Say what a million tokens cost; what nobody knows is not nothing.

    Example:
        >>> from hypernb.model import Price
        >>> price_words(Price(input=0.25, output=2))
        '$0.25 read, $2 written for a million tokens'
        >>> price_words(Price(input=0, output=0, source="runs on your machine"))
        'free, runs on your machine'
        >>> price_words(None)
        'cost not known'
    """
    figures = price_figures(price)
    return figures if price is None or price.is_free else f"{figures} for a million tokens"


def price_figures(price: Price | None) -> str:
    """Say the same where it is known already that a million tokens are meant."""
    if price is None:
        return NOT_KNOWN
    if price.is_free:
        return f"free, {line(price.source)}" if price.source else "free"
    return f"${price.input:g} read, ${price.output:g} written"


def is_cheaper(price: Price | None, than: Sequence[Price | None]) -> bool:
    """Tell whether a price is below others, whatever is read and written.

    Example:
        >>> from hypernb.model import Price
        >>> big, small = Price(input=2, output=8), Price(input=0.25, output=2)
        >>> is_cheaper(small, [big]), is_cheaper(small, [big, small]), is_cheaper(small, [None])
        (True, True, False)
        >>> is_cheaper(Price(input=1, output=9), [big]), is_cheaper(big, [big])
        (False, False)
    """
    others = [(each.input, each.output) for each in than if each is not None]
    if price is None or not others or len(others) < len(than):
        return False
    own = (price.input, price.output)
    is_never_more = all(own[0] <= read and own[1] <= written for read, written in others)
    return is_never_more and any(own != other for other in others)


def _granted(grants: Mapping[str, Grant]) -> Phrase:
    said: list[Part] = []
    for name, grant in list(grants.items())[:_NAMES_SHOWN]:
        said += ["; " if said else "", "of ", named(name), " ", *grant_words(grant)]
    if len(grants) > _NAMES_SHOWN:
        said.append(f"; and of {len(grants) - _NAMES_SHOWN:,} more")
    return tuple(said)


def grant_words(grant: Grant) -> Phrase:
    """Say how much of a variable may be seen.

    Example:
        >>> from hypernb.model import Grant
        >>> from hypernb.views._phrase import plain
        >>> plain(grant_words(Grant(see="sample", rows=3)))
        'types, statistics, at most 3 rows, lines or items, secrets covered'
    """
    said = grant_reaches(grant)
    if grant.see == "schema":
        return (f"{said}, no row, line or item",)
    cover = ", secrets covered" if grant.redact else ", nothing covered"
    return (Strong(said) if grant.see == "all" else said, cover)


def _cassette(plan: PlanSpec) -> Phrase:
    how, _, path = plan.cassette.partition(":")
    if how == "replay":
        return ("answers come from ", Code(line(path)))
    return ("answers are kept in ", Code(line(path)))


# -- a task ------------------------------------------------------------------------------


def task_model_terms(
    plan: PlanSpec | None, task: TaskSpec, outlook: Outlook
) -> list[tuple[str, Phrase]]:
    """Return what a task's contract says of its model and of functions that run in a kernel."""
    work, name = task.work, model_name(task)
    if not isinstance(work, AgentWork):
        return []
    if not name:
        return _in_kernel(work)
    model = plan.models.get(name) if plan else None
    most = (
        f"{words.count(work.steps, 'answer')}, {words.count(work.calls, 'call')} of tools and "
        f"{words.count(work.tokens, 'token')}"
    )
    terms: list[tuple[str, Phrase]] = [
        ("Model", _where_in(plan, model) if plan and model else (named(name),)),
        ("Sees", _granted(work.variables) or ("no variable",)),
        ("At most", (most,)),
    ]
    if quote := outlook.quote(task.name):
        terms.append(("Quote", (quote_words(quote),)))
    return [*terms, *_in_kernel(work)]


def _where_in(plan: PlanSpec, model: ModelSpec) -> Phrase:
    return where(model, needs_key=not plan.is_replayed)


def _in_kernel(work: AgentWork) -> list[tuple[str, Phrase]]:
    if not work.lanes:
        return []
    tools = enumerate_names(work.lanes, most=_NAMES_SHOWN)
    return [("In your kernel", (*tools, ": your own functions, with your rights"))]


# -- quotes ------------------------------------------------------------------------------


def quote_words(quote: Quote, *, whole: Quote | None = None) -> str:
    """Say what something will probably use, and how that is known.

    Args:
        quote: What is quoted.
        whole: A quote that is told just before: what it says of both is not said again.

    Example:
        >>> from hypernb.model import Range
        >>> from hypernb.model import Quote
        >>> quote_words(Quote(QuoteSource.HISTORY, runs=3, dollars=Range(0.1, 0.3)))
        '$0.10 to $0.30 (P50 to P90), from 3 past tasks'
        >>> quote_words(Quote(QuoteSource.UNKNOWN))
        'cost not known: no past task and no guess to go by'
        >>> known = Quote(QuoteSource.HISTORY, runs=4, tokens=Range(87, 87), by_size=True)
        >>> quote_words(known)[-54:]
        'from 4 past tasks and by the size of what is handed in'
        >>> quote_words(Quote(QuoteSource.UNKNOWN, dollars=Range(0.0, 0.0)))
        '$0.00, tokens not known: no past task and no guess to go by'
        >>> quote_words(Quote(QuoteSource.UNKNOWN), whole=Quote(QuoteSource.UNKNOWN))
        'cost not known'
    """
    if quote.source is QuoteSource.NOTHING:
        return "nothing: it does not run"
    parts = [quote_dollars(quote)]
    if quote.tokens is not None:
        parts.append(f"{tokens_range(quote.tokens)} tokens")
    elif quote.dollars is not None and quote.source is QuoteSource.UNKNOWN:
        parts.append("tokens not known")
    if quote.minutes is not None:
        parts.append(span(*(60 * each for each in _ends(quote.minutes))))
    known = ", ".join(parts)
    if _has_numbers(quote) and not (whole and _has_numbers(whole)):
        known += " (P50 to P90)"
    basis = quote_basis(quote)
    if whole and basis == quote_basis(whole):
        return known
    return f"{known}{': ' if quote.source is QuoteSource.UNKNOWN else ', '}{basis}"


def _has_numbers(quote: Quote) -> bool:
    return any((quote.dollars and quote.dollars.p90, quote.tokens, quote.minutes))


def quoted_words(outlook: Outlook) -> str:
    """Say what a mission under way was quoted at, as a sentence; empty if nobody asks.

    Example:
        >>> from hypernb.model import Quote, Range
        >>> whole = Quote(QuoteSource.HISTORY, runs=3, dollars=Range(0.1, 0.3))
        >>> quoted_words(Outlook((whole,)))
        'Quoted: $0.10 to $0.30 (P50 to P90), from 3 past tasks.'
    """
    quote = outlook.quote()
    if quote is None:
        return outlook.unquoted
    if quote.source is QuoteSource.NOTHING:
        return ""
    return f"Quoted: {quote_words(quote)}."


def short_of(limit: float, quote: Quote | None) -> Phrase:
    """Say that a limit is below what will probably be spent; nothing if it is not.

    Example:
        >>> from hypernb.model import Quote, Range
        >>> from hypernb.views._phrase import plain
        >>> quote = Quote(QuoteSource.ESTIMATE, dollars=Range(0.0642, 0.12))
        >>> plain(short_of(0.06, quote))
        '; probably not enough: $0.064 to $0.12 is expected'
        >>> plain(short_of(0.1, quote)), short_of(0.12, quote)
        ('; perhaps not enough: $0.064 to $0.12 is expected', ())
    """
    if quote is None or quote.dollars is None:
        return ()
    least, most = _ends(quote.dollars)
    if limit >= most:
        return ()
    is_likely = limit < least or dollars(limit) == dollars(least)
    said = f"{'probably' if is_likely else 'perhaps'} not enough"
    return ("; ", Strong(said), f": {quote_dollars(quote)} is expected")


def quote_dollars(quote: Quote) -> str:
    """Say what something will probably cost; what nobody knows is not nothing."""
    if quote.source is QuoteSource.NOTHING:
        return "nothing"
    if quote.dollars is None:
        return NOT_KNOWN
    return dollars_range(quote.dollars)


def quote_basis(quote: Quote) -> str:
    """Say how a quote is known: ``from 12 past tasks``."""
    known, past = _KNOWN_FROM.get(quote.source, ""), words.count(quote.runs, "past task")
    if quote.source is QuoteSource.HISTORY:
        known = f"from {past}"
    elif quote.source is QuoteSource.ESTIMATE and quote.runs:
        known = f"in part from {past}, in part {known}"  # the whole, of unlike parts
    return f"{known}{BY_SIZE}" if quote.by_size and _has_numbers(quote) else known


def _ends(spread: Range) -> tuple[float, float]:
    return spread.p50, max(spread.p50, spread.p90)


def dollars_range(spread: Range) -> str:
    """Write between which amounts; a part never looks like more than the whole.

    Example:
        >>> from hypernb.model import Range
        >>> dollars_range(Range(0.0642, 0.12)), dollars_range(Range(0.0042, 0.0128))
        ('$0.064 to $0.12', '$0.0042 to $0.013')
        >>> dollars_range(Range(0.0, 0.0))
        '$0.00'
    """
    low, high = map(dollars, _ends(spread))
    return low if low == high else f"{low} to {high}"


def tokens_range(spread: Range) -> str:
    """Write between which numbers of tokens, without false precision.

    Example:
        >>> from hypernb.model import Range
        >>> tokens_range(Range(14_238, 30_412)), tokens_range(Range(87, 87.2))
        ('14,000 to 30,000', '87')
    """
    low, high = (f"{_two_digits(each):,}" for each in _ends(spread))
    return low if low == high else f"{low} to {high}"


def _two_digits(number: float) -> int:
    return round(float(f"{number:.2g}")) if number >= _EXACT_BELOW else round(number)
