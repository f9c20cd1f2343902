"""What a mission under way asks of a person, so that nobody waits for it in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.errors import MissionWaitsError
from hypernb.model import THE_KERNEL, EventKind, MissionState, TaskState, lacking_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hypernb.model import Event, TaskRecord
    from hypernb.session._mission import Mission

BECAUSE_OF_MONEY: Final = "budget"
ABOUT_TO_START: Final = "approved, about to start"


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
    if record.state is MissionState.PAUSED and last_pause_for_money(mission) is not None:
        reason = "no money is left for its next call"
        return MissionWaitsError(mission.id, reason, money_ways(mission.id))
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


def waits_for(mission: Mission, *, has_runner: bool) -> str:
    """Say in a few words what a mission waits for; empty where its state says it."""
    record = mission.record
    if record.state is MissionState.PAUSED:
        return "paused for money" if last_pause_for_money(mission) is not None else ""
    if mission.needs_approval:
        return ""
    if mission.asks_models and (wanted := mission.snapshot(events=0).lacks):
        return f"needs {' and '.join(wanted)}"
    if record.state is not MissionState.AWAITING_APPROVAL:
        return _of_a_task(mission.session.store.tasks(record.id))
    return ABOUT_TO_START if has_runner else "approved, but no runner is there"


def _of_a_task(tasks: Iterable[TaskRecord]) -> str:
    """Say what a task waits for that only a person can bring about; empty if none does."""
    waiting = [task for task in tasks if not task.state.is_final]
    for task in waiting:
        if task.state is TaskState.AWAITING_APPROVAL:
            return f"waits for your decision on {task.name}"
    for task in waiting:
        if task.state.is_active and task.note.startswith(THE_KERNEL):
            return f"waits for you ({task.note.partition(':')[0]})"
    return ""


def money_ways(mission: str) -> str:
    """Name the four ways on for a mission that was paused because no money is left."""
    return (
        f"%hyper resume {mission} --budget DOLLARS raises its budget, --model NAME asks a "
        "cheaper model, --finish goes on with what is left only; "
        f"%hyper cancel {mission} ends it."
    )


def last_pause_for_money(mission: Mission) -> Event | None:
    """Return what tells that it was paused for money, if nobody has resumed it since."""
    kinds = (EventKind.MISSION_PAUSED, EventKind.MISSION_RESUMED)
    for last in mission.events(kinds=kinds, newest=True, limit=1):
        if last.kind == EventKind.MISSION_PAUSED:
            return last if last.payload.get("because") == BECAUSE_OF_MONEY else None
    return None


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
