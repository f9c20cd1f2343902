"""What a mission under way asks of a person, so that nobody waits for it in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.errors import MissionWaitsError
from hypernb.model import EventKind, MissionState, lacking_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    lacks = mission.snapshot(events=0).lacks
    wanted = {key: words for key, words in _lacking(mission, environ) if key in lacks}
    if not wanted:
        return None
    names = " and ".join(dict.fromkeys(wanted.values()))
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


def _lacking(mission: Mission, environ: Mapping[str, str] | None) -> Iterator[tuple[str, str]]:
    """Yield the keys that this process could not give to a runner: the name, and in words."""
    from hypernb.engine import key_ids
    from hypernb.session._hosting import keys_to_tell

    needed = mission.needed_keys()
    told = keys_to_tell(mission.session, needed, environ)
    for each in lacking_keys(needed, key_ids(mission.session.store, told)):
        name, _, which = each.partition(":")
        host = which.removeprefix("@") if which.startswith("@") else ""
        yield name, f"{name} for {host}" if host else name
