"""What the settings say of a plan's contract where the person does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypernb.errors import ConfigError
from hypernb.session._cassettes import cassette
from hypernb.session._models import settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.llm import ModelSettings
    from hypernb.model import PlanSpec
    from hypernb.plan import Plan
    from hypernb.session._session import Session


def settled_terms(
    session: Session, settings: ModelSettings, goal: str, said: Mapping[str, Any]
) -> dict[str, Any]:
    """Return terms of a contract with those of models, which the settings say otherwise.

    Args:
        session: Whose folder has the cassettes.
        settings: The settings of models.
        goal: What it is all for; names a cassette.
        said: Terms as the person says them; None or nothing for what is not said.
    """
    given = {name: value for name, value in said.items() if value is not None}
    how, _, path = str(given.get("cassette", "")).partition(":")
    asked = {how: path} if how in ("record", "replay") else {}
    # The mode goes before what a person says: what records is replayed, to be checked.
    given["cassette"] = cassette(session.root, goal, mode=settings.mode, **asked)
    return {"content": settings.content, "cache_s": settings.cache_s, **given}


def with_settled_terms(session: Session, spec: PlanSpec, plan: Plan) -> PlanSpec:
    """Return a plan of a person's own as the settings have it; as it is if it asks no model.

    Raises:
        ConfigError: They say that no model is asked.
        PathError: A cassette is to answer, and is not there.
    """
    used = spec.models_used
    if not used:
        return spec
    settings = settings_of(session, is_named=True)
    if settings.is_offline:
        said = settings.source_of_mode
        raise ConfigError(
            f"{next(iter(used))!r} cannot be asked: {said} says offline.",
            hint=f"Leave its tasks out, or set {said} to live.",
        )
    own = {name: getattr(plan, name) for name in ("content", "cache_s", "cassette")}
    return spec.model_copy(update=settled_terms(session, settings, spec.goal, own))
