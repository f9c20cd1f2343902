"""What a mission cannot be told in the state that it is in, and what can be done instead."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from hypernb.errors import (
    LIST_AT_MOST,
    ApprovalError,
    MissionWaitsError,
    TransitionError,
    UsageError,
    told_apart,
)
from hypernb.model import MissionState, TaskState
from hypernb.session._asking import last_pause_for_money, money_ways

if TYPE_CHECKING:
    from hypernb.model import Event
    from hypernb.session._mission import Mission
    from hypernb.session._session import Session

_GOING: Final = MissionState.RUNNING.value
RETRIABLE: Final = frozenset(
    {TaskState.FAILED, TaskState.CANCELLED, TaskState.SKIPPED, TaskState.AWAITING_APPROVAL}
)


def paused_one(session: Session) -> Mission:
    """Return the only mission that is paused.

    Raises:
        UsageError: There is none, or more than one.
    """
    paused = session.missions(states=(MissionState.PAUSED,))
    if len(paused) == 1:
        return paused[0]
    if not paused:
        hint = "Name the one that is meant: %hyper resume m-7. %hyper ls lists them."
        raise UsageError("No mission is paused.", hint=hint)
    named = ", ".join(each.id for each in paused[:LIST_AT_MOST])
    more = f" and {len(paused) - LIST_AT_MOST} more" if len(paused) > LIST_AT_MOST else ""
    hint = f"Name the one that is meant: %hyper resume {paused[0].id}."
    raise UsageError(f"{len(paused)} missions are paused: {named}{more}.", hint=hint)


def refuse_unapproved(mission: Mission) -> None:
    """Make sure that waiting for a mission's end is not waiting for its approval.

    Raises:
        ApprovalError: Its plan awaits a yes.
    """
    if mission.needs_approval:
        raise ApprovalError(
            f"Mission {mission.id} waits for your approval; it does not run yet.",
            hint=f"%hyper approve {mission.id} --wait starts it and waits for its end.",
        )


def may_retry(mission: Mission, name: str = "") -> bool:
    """Tell whether a task can be tried again; without a name, whether any can.

    None can of a mission that has succeeded.
    """
    if mission.state is MissionState.SUCCEEDED:
        return False
    if name:
        return mission.tasks.called(name).state in RETRIABLE
    return any(task.state in RETRIABLE for task in mission.tasks.values())


def require_retriable(mission: Mission, name: str = "") -> None:
    """Make sure that a task can be tried again; without a name, that any can.

    Raises:
        TransitionError: There is nothing to try again, or the plan was never approved.
    """
    require_approved(mission)
    if may_retry(mission, name):
        return
    hint = _done_anew(mission, name)
    hint = hint or "Only what failed, was cancelled or was skipped can be tried again."
    kind, which, state = "mission", mission.id, mission.state.value
    if name:
        kind, which, state = "task", f"{which}/{name}", mission.tasks.called(name).state.value
    raise TransitionError(kind, which, state, "ready", hint=hint)


def require_approved(mission: Mission) -> None:
    """Make sure that a mission that has ended was ever to run.

    Raises:
        TransitionError: Its plan was never approved.
    """
    state = mission.state
    if state.is_final and not _is_approved(mission):
        raise TransitionError("mission", mission.id, state.value, _GOING, hint=_anew(mission))


def require_paused(mission: Mission, *, budget: float | None, model: str, finish: bool) -> None:
    """Make sure that a mission can be resumed on these terms.

    Raises:
        TransitionError: It is not paused.
        MissionWaitsError: It was paused for money, and would be again at once.
    """
    state = mission.state
    if state is not MissionState.PAUSED:
        hint = _instead(mission, state, budget=budget, model=model, finish=finish)
        raise TransitionError("mission", mission.id, state.value, _GOING, hint=hint)
    if not (model or finish):
        _require_money(mission, budget)


def _is_approved(mission: Mission) -> bool:
    try:
        return mission.session.store.approval(mission.record.id) is not None
    except ApprovalError:  # somebody else's
        return True


def _anew(mission: Mission) -> str:
    if not mission.tasks:
        return "It has no plan; %%hyper and a goal makes one, as a new mission."
    return (
        f"Its plan was never approved. %hyper rewind {mission.id} proposes it again, as a new "
        "mission."
    )


def _done_anew(mission: Mission, name: str) -> str:
    """Say what does a task anew that a mission has succeeded without; or nothing."""
    left = [each for each, task in mission.tasks.items() if task.state in RETRIABLE]
    if mission.state is not MissionState.SUCCEEDED or not left or name not in ("", *left):
        return ""
    at, what = "", "what has not succeeded"
    if name or len(left) == 1:
        at, what = f" {name or left[0]}", "it"
    return (
        f"{mission.id} has succeeded, so nothing of it runs again: %hyper rewind {mission.id}"
        f"{at} does {what} anew, in a new mission."
    )


def _instead(
    mission: Mission, state: MissionState, *, budget: float | None, model: str, finish: bool
) -> str:
    """Say what to do with a mission that was to go on, and is not paused; or nothing."""
    ref = mission.id
    if state is MissionState.RUNNING and finish:
        return (
            f"%hyper pause {ref} pauses it; then %hyper resume {ref} --finish lets it go on "
            "with what is left only."
        )
    if state is MissionState.AWAITING_APPROVAL:
        return _before_it_runs(mission, budget=budget, model=model)
    if not state.is_final:
        return ""
    if not _is_approved(mission):
        return _anew(mission)
    more = "" if budget is None else f" --budget {budget:g}"
    anew = f"%hyper rewind {ref}{more} begins a new mission with what is done."
    if budget is not None or not may_retry(mission):
        return anew
    return f"%hyper retry {ref} tries what is left again; {anew}"


def _before_it_runs(mission: Mission, *, budget: float | None, model: str) -> str:
    ref = mission.id
    if _is_approved(mission):
        return f"It is approved; %hyper show {ref} says what it waits for."
    if model:
        return (
            f"%hyper edit {ref} {_first_with_a_model(mission)} model={model[:80]} gives a task "
            "of the plan this model."
        )
    if budget is not None:
        return f"%hyper edit {ref} budget={budget:g} changes the plan's budget."
    return f"%hyper approve {ref} starts it."


def _first_with_a_model(mission: Mission) -> str:
    works = [getattr(task.work, "model", "") for task in mission.plan.tasks]
    return f"t{1 + next((place for place, model in enumerate(works) if model), 0)}"


def _require_money(mission: Mission, budget: float | None) -> None:
    """Make sure that what is left pays the call that a mission was paused for."""
    from hypernb.session._models import current_budget

    pause = last_pause_for_money(mission)
    limit = current_budget(mission, mission.plan) if budget is None else budget
    if pause is None or limit is None or _has_other_models(mission, pause):
        return
    needed = pause.payload.get("needed")
    most = float(needed) if isinstance(needed, int | float) else 0.0
    left = max(0.0, limit - mission.record.cost)
    if left > 0 and (most <= left or math.isclose(most, left)):
        return
    rest, call, of = told_apart(left, most, limit=limit)
    raise MissionWaitsError(
        mission.id,
        f"{rest} of its budget of {of} is left, and the call that it was paused for may cost "
        f"up to {call}",
        money_ways(mission.id),
    )


def _has_other_models(mission: Mission, pause: Event) -> bool:
    amendments = mission.session.store.amendments(mission.record.id)
    return any(each.models and each.at >= pause.at for each in amendments)
