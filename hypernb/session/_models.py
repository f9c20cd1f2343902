"""What a session knows of models: which there are, and what a plan will cost."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from hypernb.clock import SystemClock
from hypernb.errors import (
    HypernbError,
    KeyMissingError,
    UnknownNameError,
    UsageError,
    dollars,
)
from hypernb.session._apart import apart, telling
from hypernb.session._here import settings_here
from hypernb.session._tables import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hypernb.llm import ModelSettings, Probe, Setting
    from hypernb.model import CacheStats, ModelSpec, PlanSpec, Quote
    from hypernb.session._doctor import Check
    from hypernb.session._mission import Mission
    from hypernb.session._session import Session
    from hypernb.views import Outlook

T = TypeVar("T")
ASKING_NOBODY: Final = ("offline", "replay")
"""Modes in which nothing leaves, keys least of all."""
_A_CENTURY: Final = 36_500.0
"""In days."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model that can be named, or that a server offers.

    Attributes:
        name: What to write after ``--model``.
        model: What the server calls it.
        host: Where it is.
        key: Name of the variable with its key; empty if it needs none.
        has_key: Whether that is set here.
        price: What a million tokens cost, read and written, in words.
        note: Where this is from, or what is wrong with it.
    """

    name: str
    model: str
    host: str
    key: str
    has_key: bool
    price: str
    note: str


class Models(Rows[ModelRow]):
    """Models, in the order of their settings; see `Session.models`."""

    heads = ("Name", "Model", "At", "Key", "For a million tokens", "Note")

    def __init__(self, rows: Iterable[ModelRow], hint: str = "") -> None:
        super().__init__(rows)
        self.nothing = hint or "No model is offered."

    def cells(self, row: ModelRow) -> tuple[Any, ...]:
        """Return what stands under the heads."""
        key = row.key if row.has_key else f"{row.key}, not set here"
        return (row.name, row.model, row.host, key or "needs none", row.price, row.note)


class Settings(Rows["Setting"]):
    """Settings of models as they count; see `Session.model_settings`."""

    heads = ("Setting of models", "Value", "From")

    def cells(self, row: Setting) -> tuple[Any, ...]:
        """Return what stands under the heads."""
        return (row.name, _value_words(row.value), row.source)


def _value_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"


@dataclass(frozen=True, slots=True)
class Cache:
    """What the cache of models' answers holds, and what it has spared."""

    stats: CacheStats

    def __repr__(self) -> str:
        from hypernb.views import cache_text

        return cache_text(self.stats)


def settings_of(session: Session, *, is_named: bool = False) -> ModelSettings:
    """Return the settings of models as they are now: files, environment, kernel, this session.

    Args:
        session: Whose settings.
        is_named: A model was asked for by name, which goes before the session's ``offline``.

    Raises:
        ConfigError: One of them has no meaning.
    """
    from hypernb.llm import ModelSettings

    given = {**settings_here(), **session.settings}
    if given.pop("offline", False) and not is_named:
        given["mode"] = "offline"
    return ModelSettings.load(session.root, os.environ, given)


def model_names(session: Session) -> list[str]:
    """Return the names that models have in the settings; nobody is asked for them."""
    return list(settings_of(session).models())


def profile_names(session: Session) -> list[str]:
    """Return the names of servers in the settings; nobody is asked for them."""
    return list(settings_of(session).profiles)


def models(session: Session, profile: str = "") -> Models:
    """See `Session.models`."""
    settings = settings_of(session)
    if profile:
        return Models(_offered(settings, profile), _unasked(settings))
    rows = [_row(settings, name, spec) for name, spec in settings.models().items()]
    return Models(rows, settings.hint())


def _row(settings: ModelSettings, name: str, spec: ModelSpec) -> ModelRow:
    from hypernb.views import price_figures

    usual = settings.resolve() if settings.model else None
    is_usual = usual is not None and usual[0] == name
    return ModelRow(
        name,
        spec.name,
        spec.host,
        key=spec.key,
        has_key=not spec.key or settings.key_of(spec) is not None,
        price=price_figures(spec.price),
        note="is asked if nobody says otherwise" if is_usual else "",
    )


def _offered(settings: ModelSettings, profile: str) -> list[ModelRow]:
    from hypernb.llm import list_models, price_of

    servers = settings.servers()
    if profile not in servers:
        raise UnknownNameError("profile", profile, servers)
    if _unasked(settings):
        return []
    server = servers[profile]
    if server.key and settings.key_of(server) is None:
        raise KeyMissingError(profile, server.host, server.key)
    prices = settings.profiles[profile].prices
    rows = []
    for name in apart(lambda: list_models(server, settings.key_of(server))):
        price = price_of(name, server.base_url, prices, key=server.key)
        model = server.model_copy(update={"name": name, "price": price})
        rows.append(_row(settings, f"{profile}:{name}", model))
    return rows


def _unasked(settings: ModelSettings) -> str:
    """Say why no server may be asked what it offers; empty if it may."""
    if settings.mode not in ASKING_NOBODY:
        return ""
    return f"Nobody was asked: {settings.source_of_mode} says {settings.mode}."


def evict(session: Session, *, days: float | None = None, model: str = "") -> int:
    """See `Session.evict_cache`."""
    before = None
    if days is not None:
        if not 0 <= days <= _A_CENTURY:
            raise UsageError(
                f"Answers cannot be older than {days:g} days.",
                hint=f"Write a number of days, from 0 to {_A_CENTURY:,.0f}.",
            )
        before = SystemClock().now() - timedelta(days=days)
    return session.store.evict_cache(before=before, model=model)


def outlook(mission: Mission, plan: PlanSpec) -> Outlook:
    """See `Mission.outlook`: what cannot be looked up is left out, for a view is to be seen."""
    from hypernb.views import NO_OUTLOOK, Outlook

    if not plan.models_used:
        # No plan may have come of a model's planning, which has cost something all the same.
        is_paid = not plan.tasks and mission.record.cost
        return Outlook(**_paid(mission)) if is_paid else NO_OUTLOOK
    from hypernb.session._choices import choices
    from hypernb.session._quoting import NOT_KEPT

    record, offered = mission.record, choices(mission, plan)
    # A cassette is never paid.
    quotes = () if plan.is_replayed else _quotes(mission)
    if record.started_at is None:
        return Outlook(quotes, choices=offered)
    unquoted = "" if quotes or plan.is_replayed else NOT_KEPT
    return Outlook(
        quotes, _budget(mission), choices=offered, unquoted=unquoted, **_paid(mission)
    )


def _quotes(mission: Mission) -> tuple[Quote, ...]:
    """Return what was quoted for the plan when it was approved; before, what it is now."""
    from hypernb.session._quoting import kept_quotes

    try:
        kept = kept_quotes(mission)
        return kept if kept or mission.record.started_at else mission.quote().quotes
    except HypernbError:
        return ()


def _paid(mission: Mission) -> dict[str, Any]:
    """Return how many calls have no known cost, or only a bound, and what planning cost."""
    try:
        sums = mission.session.store.usage_sums(("task",), mission_id=mission.record.id)
    except HypernbError:
        return {}
    planning = [each for each in sums if each.keys == ("",)]
    return {
        "unknown": sum(each.unknown for each in sums),
        "at_most": sum(each.at_most for each in sums),
        "planning": sum(each.cost for each in planning),
        "planning_at_most": sum(each.at_most for each in planning),
    }


def _budget(mission: Mission) -> float | None:
    """Return the budget that a person has given it since its approval; None for none."""
    try:
        signed = mission.session.store.amendments(mission.record.id)
    except HypernbError:
        return None
    return next((each.budget for each in reversed(signed) if each.budget is not None), None)


def current_budget(mission: Mission, plan: PlanSpec) -> float | None:
    """Return the most that a mission may cost, as a person has set it last; None if none."""
    raised = _budget(mission)
    return plan.budget if raised is None else raised


def examined(
    session: Session, *, name: str = "", ask: bool = True, tell: Callable[[str], None]
) -> Iterator[Check]:
    """Look at a model of the settings, and ask it something small if it can be asked.

    Args:
        session: Whose settings.
        name: Which model; the configured one if empty.
        ask: Ask it.
        tell: Told a few words on what it is asked; in this thread.
    """
    from hypernb.session._doctor import Check

    try:
        settings = settings_of(session, is_named=bool(name))
        found = settings.resolve(name, fingerprint=session.store.fingerprint)
    except HypernbError as error:
        yield Check("model", str(error.args[0]), ok=False, next_step=error.hint)
        return
    if found is None:
        yield _no_model(settings, name)
        return
    alias, spec = found
    told, key = f"{alias}: {spec.name} at {spec.host}", settings.key_of(spec)
    if settings.mode == "replay":
        yield Check("model", told, ok=True)
        yield _not_probed("a cassette answers in its place, so nobody is asked")
    elif spec.key and key is None:
        missing = f"{told}, and {spec.key} is not set here"
        then = f"Set {spec.key} in the environment before the kernel starts."
        yield Check("model", missing, ok=False, next_step=then)
        yield _not_probed("its key is missing", ok=False)
    else:
        yield Check("model", told, ok=True)
        where = partial(_where_to_write, settings, alias, spec)
        yield from (
            _probed(alias, spec, key, tell, where)
            if ask
            else [_not_probed("--offline says so")]
        )


def _where_to_write(
    settings: ModelSettings, alias: str, spec: ModelSpec, lines: list[str]
) -> str:
    """Say where lines belong that a server's profile would fit better with."""
    profile = settings.profiles.get(alias.partition(":")[0]) or settings.profiles["openai"]
    own = profile.source if Path(profile.source).is_file() else settings.own_path
    name, then = profile.name, ""
    if settings.is_elsewhere(profile):
        # In the profile itself they would hold for its own server, too.
        name, address = "here", f'base_url = "{spec.base_url}"'
        own = settings.own_path
        lines = [address, *([f'key = "{spec.key}"'] if spec.key else []), *lines]
        then = f", and name the model {name}:{spec.name}"
    return f"In {own}, below [profiles.{name}], write {' and '.join(lines)}{then}."


def _no_model(settings: ModelSettings, name: str) -> Check:
    from hypernb.session._doctor import Check

    why = "no model is configured"
    if settings.mode == "offline":
        why = f"no model is asked: {settings.source_of_mode} says offline"
    if name:
        return Check("model", f"nothing was probed: {why}", ok=False)
    return Check("model", f"{why}; everything that works offline works", ok=True)


def _not_probed(why: str, *, ok: bool = True) -> Check:
    from hypernb.session._doctor import Check

    return Check("model, probe", f"nothing was probed: {why}", ok=ok)


def _probed(
    alias: str,
    spec: ModelSpec,
    key: str | None,
    tell: Callable[[str], None],
    where: Callable[[list[str]], str],
) -> Iterator[Check]:
    from hypernb.llm import probe
    from hypernb.session._doctor import Check

    found = telling(lambda say: probe(spec, key, alias=alias, on_trial=say), tell)
    tell(f"asked {spec.name} at {spec.host} what it can do")
    for trial in found.trials:
        then = trial.next_step
        yield Check(f"model, {trial.what}", trial.words, ok=trial.works, next_step=then)
    yield Check("model, cost", _cost_of_trials(found), ok=True)
    if found.proposal:
        said = f"its profile would fit better with other {', '.join(found.proposal)}"
        yield Check("model, settings", said, ok=True, next_step=where(found.lines))


def _cost_of_trials(found: Probe) -> str:
    calls = "the call" if found.calls == 1 else f"the {found.calls} calls"
    if found.cost is None:
        return f"what {calls} cost is not known"
    return f"{calls} cost {dollars(found.cost)}"
