"""Another model for a mission under way: which one is meant, and whether it can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.errors import (
    ConfigError,
    HypernbError,
    KeyMissingError,
    ModelError,
    UnknownNameError,
    UnnamedHostError,
    UsageError,
)
from hypernb.session._apart import apart
from hypernb.session._models import ASKING_NOBODY, settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.llm import ModelSettings
    from hypernb.model import ModelSpec, PlanSpec
    from hypernb.session._mission import Mission

_LISTED_S: Final = 3.0
_LISTED_AT_MOST: Final = 1_000
"""So many names are read of a server; it may have more."""


def amended(mission: Mission) -> PlanSpec:
    """Return the plan with the models that a person has put in the place of its own."""
    plan = mission.plan
    models = dict(plan.models)
    if models:
        for amendment in mission.session.store.amendments(mission.record.id):
            models |= amendment.models
    return plan if models == plan.models else plan.model_copy(update={"models": models})


def chosen(
    mission: Mission,
    name: str,
    instead_of: str = "",
    *,
    budget: float | None = None,
    approve_host: bool = False,
) -> dict[str, ModelSpec]:
    """Return what the mission is to ask from now on, by the plan's names for models.

    Args:
        mission: Which one.
        name: What is meant.
        instead_of: The plan's name for the one that it replaces; all of them if empty.
        budget: What it gets with it, in dollars; None if it keeps the one that it has.
        approve_host: It may be at a host that was not approved.

    Raises:
        UnknownNameError: There is no such model, or its server does not list it.
        UsageError: The plan asks no model.
        KeyMissingError: Its key is neither here nor with a runner.
        ConfigError: Nobody knows its price, and the mission has a budget.
        UnnamedHostError: It is at a host that was not approved.
    """
    now = amended(mission)
    if not now.models:
        raise UsageError(
            f"{mission.id} cannot be given another model: its plan asks none.",
            hint="%hyper edit gives a task a model before the plan is approved.",
        )
    if instead_of and instead_of not in now.models:
        raise UnknownNameError("model of this plan", instead_of, now.models)
    settings = settings_of(mission.session, is_named=True)
    model = _meant(mission, now, settings, name, instead_of)
    wanted = [instead_of] if instead_of else list(now.models)
    models = dict.fromkeys(wanted, model)
    if not now.is_replayed:
        _require_key(mission, now, settings, model)
        if approve_host or model.host in _hosts(mission, now):
            # First: a name that is mistyped has no price either.
            _require_listed(now, settings, model)
        _require_price(mission, now, model, budget)
        _require_host(mission, now, models, name, approve_host=approve_host)
    return models


def _meant(
    mission: Mission, now: PlanSpec, settings: ModelSettings, name: str, instead_of: str
) -> ModelSpec:
    """Return the model of a name: one that has it, or another one of the same server."""
    named = settings.models()
    if name in mission.plan.models and name not in named:
        return mission.plan.models[name]
    head, colon, _ = name.partition(":")
    is_of_profile = head in settings.profiles and (colon or settings.profiles[head].model)
    if name not in named and not is_of_profile:
        usual = now.models[instead_of or _usual(now)]
        return _beside(settings, usual, name)
    found = settings.resolve(name, fingerprint=mission.session.store.fingerprint)
    if found is None:
        raise UnknownNameError("model", name, named)
    return found[1]


def _usual(plan: PlanSpec) -> str:
    """Return the plan's name for the model that most of its tasks ask."""
    asked = [getattr(task.work, "model", "") for task in plan.tasks]
    return max(plan.models, key=asked.count)


def _beside(settings: ModelSettings, usual: ModelSpec, name: str) -> ModelSpec:
    """Return another model of the server that one is at."""
    from hypernb.llm import price_of

    prices = next(
        (
            profile.prices
            for profile in settings.profiles.values()
            if profile.base_url.rstrip("/") == usual.base_url.rstrip("/")
        ),
        {},
    )
    price = usual.price if name == usual.name else None
    price = price_of(name, usual.base_url, prices, key=usual.key) or price
    try:
        return type(usual).model_validate(
            usual.model_dump() | {"name": name, "price": price, "context_tokens": None}
        )
    except ValueError:
        raise UnknownNameError("model", name, settings.models()) from None


def _require_key(
    mission: Mission, now: PlanSpec, settings: ModelSettings, model: ModelSpec
) -> None:
    if not model.key or settings.key_of(model) is not None:
        return
    has_runner = any(each.needed_key == model.needed_key for each in now.models.values())
    if not has_runner or model.key in mission.snapshot(events=0).lacks:
        own = settings.own_profiles()
        raise KeyMissingError(model.name, model.host, model.key, profiles=own)


def _require_price(
    mission: Mission, now: PlanSpec, model: ModelSpec, budget: float | None
) -> None:
    from hypernb.session._models import current_budget

    limit = current_budget(mission, now) if budget is None else budget
    is_bounded = limit is not None or any(task.cap_cost is not None for task in now.tasks)
    if model.price is None and is_bounded:
        raise ConfigError(
            f"{mission.id} cannot ask {model.name} at {model.host}: nobody knows what it "
            "costs, so its budget could not be held.",
            hint=f"Give {model.name} a price in your config.toml (0 if it is free), or take "
            "another model.",
        )


def _hosts(mission: Mission, now: PlanSpec) -> set[str]:
    """Return the hosts that were approved."""
    return {each.host for each in (*mission.plan.models.values(), *now.models.values())}


def _require_host(
    mission: Mission,
    now: PlanSpec,
    models: Mapping[str, ModelSpec],
    name: str,
    *,
    approve_host: bool,
) -> None:
    (host,) = {each.host for each in models.values()}
    if approve_host or host in _hosts(mission, now):
        return
    after = now.model_copy(update={"models": {**now.models, **models}})
    told = leaving_for(mission, after, host)
    raise UnnamedHostError(mission.id, name, host, told)


def leaving_for(mission: Mission, plan: PlanSpec, host: str) -> list[str]:
    """Say what would leave for a host, a sentence each."""
    from hypernb.session._leaving import leaving
    from hypernb.views import leaves, leaves_later

    try:
        told = [leaves(each) for each in leaving(mission.session, plan) if each.host == host]
    except HypernbError as error:
        told = [f"What of its variables leaves cannot be told here: {error.args[0]}"]
    told += [f"Of {each}" for each in leaves_later(plan) if f" for {host}: " in each]
    return list(dict.fromkeys(told))


def _require_listed(now: PlanSpec, settings: ModelSettings, model: ModelSpec) -> None:
    """Refuse a name that its server does not list; one that does not say soon is not asked."""
    from hypernb.llm import list_models

    key = settings.key_of(model)
    is_known = model in now.models.values()
    if settings.mode in ASKING_NOBODY or (model.key and key is None) or is_known:
        return
    try:
        names = apart(lambda: list_models(model, key, deadline_s=_LISTED_S))
    except ModelError:
        return
    is_listed = any(each == model.name or each.endswith(f"/{model.name}") for each in names)
    if names and not is_listed and len(names) < _LISTED_AT_MOST:
        raise UnknownNameError(f"model of {model.host}", model.name, names)
