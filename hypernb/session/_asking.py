"""What a mission under way asks of a person, so that nobody waits for it in vain."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from hypernb.errors import MissionWaitsError
from hypernb.model import EventKind, MissionState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.session._mission import Mission

BECAUSE_OF_MONEY: Final = "budget"


def asked(
    mission: Mission, environ: Mapping[str, str] | None = None
) -> MissionWaitsError | None:
    """Return what is to be raised because a person has to act first; None if nothing is.

    A plan that awaits approval is not meant, and neither is a mission that a person paused.

    Args:
        mission: The mission.
        environ: Where this session has its keys from.
    """
    record = mission.record
    if record.state is MissionState.PAUSED and _is_out_of_money(mission):
        return MissionWaitsError(
            mission.id,
            "no money is left for its next call",
            f"%hyper resume {mission.id} --budget DOLLARS raises its budget, --model NAME asks "
            "a cheaper model, --finish goes on with what is left only; "
            f"%hyper cancel {mission.id} ends it.",
        )
    if record.state.is_final or not mission.asks_models:
        return None
    here = os.environ if environ is None else environ
    wanted = [key for key in mission.snapshot(events=0).lacks if not _has(mission, key, here)]
    if not wanted:
        return None
    names = " and ".join(wanted)
    return MissionWaitsError(
        mission.id,
        f"it needs {names}, and neither its runner nor this process has it",
        f"Open a kernel that has it, or set it where this one starts; then %hyper attach "
        f"{mission.id}.",
    )


def _is_out_of_money(mission: Mission) -> bool:
    kinds = (EventKind.MISSION_PAUSED, EventKind.MISSION_RESUMED)
    last = mission.events(kinds=kinds, newest=True, limit=1)
    return bool(last) and (
        last[-1].kind == EventKind.MISSION_PAUSED
        and last[-1].payload.get("because") == BECAUSE_OF_MONEY
    )


def _has(mission: Mission, key: str, environ: Mapping[str, str]) -> bool:
    """Tell whether this process has the very key that the plan needs."""
    secret = environ.get(key, "")
    if not secret:
        return False
    wanted = {model.key_id for model in mission.plan.models.values() if model.key == key}
    return "" in wanted or mission.session.store.fingerprint(secret) in wanted
