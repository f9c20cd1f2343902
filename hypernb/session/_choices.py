"""Models that the tasks of a mission can be given, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypernb.errors import HypernbError
from hypernb.model import MissionState
from hypernb.session._models import settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.llm import ModelSettings
    from hypernb.model import ModelSpec, PlanSpec
    from hypernb.session._mission import Mission
    from hypernb.session._session import Session
    from hypernb.views import Choice


def choices(mission: Mission, plan: PlanSpec) -> tuple[Choice, ...]:
    """Return the models that the settings and the plan name, cheaper ones first.

    Nobody is asked. There are none where a person cannot change them: before a plan is
    approved they are for its edit, and while it is paused for `Mission.take_model`.
    """
    from hypernb.views import is_cheaper

    state = mission.record.state
    if state not in (MissionState.AWAITING_APPROVAL, MissionState.PAUSED):
        return ()
    settings, named = _named(mission.session)
    # What is taken is resolved as anything typed; an edit leaves what the plan has.
    is_taken = state is MissionState.PAUSED
    known = {**plan.models, **named} if is_taken else {**named, **plan.models}
    asked = plan.models_used
    if is_taken:
        asked |= _taken(mission)
    prices = [each.price for each in asked.values()]
    cheap = {name for name, model in known.items() if is_cheaper(model.price, prices)}
    return tuple(
        _choice(settings, name, known[name], is_cheap=name in cheap)
        for name in sorted(known, key=lambda name: name not in cheap)
    )


def _named(session: Session) -> tuple[ModelSettings | None, Mapping[str, ModelSpec]]:
    try:
        settings = settings_of(session, is_named=True)
        return settings, {} if settings.mode == "offline" else settings.models()
    except HypernbError:  # told where a model is looked up, which a view is not
        return None, {}


def _taken(mission: Mission) -> Mapping[str, ModelSpec]:
    taken: dict[str, ModelSpec] = {}
    try:
        for amendment in mission.session.store.amendments(mission.record.id):
            taken |= amendment.models
    except HypernbError:
        return {}
    return taken


def _choice(
    settings: ModelSettings | None, name: str, model: ModelSpec, *, is_cheap: bool
) -> Choice:
    from hypernb.views import Choice, price_words

    cheaper = ", cheaper," if is_cheap else ""
    parts = [f"{name}{cheaper} at {model.host}: {price_words(model.price)}"]
    if model.key and settings is not None and settings.key_of(model) is None:
        parts.append(f"{model.key} is not set here")
    return Choice(name, "; ".join(parts))
