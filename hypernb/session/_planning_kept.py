"""What planning has used that led to no plan: kept as a mission that never began."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from hypernb import codec
from hypernb.errors import HypernbError, PlanningInterruptedError
from hypernb.model import CallRecord, MissionState, PlanSpec
from hypernb.session._keys_inside import secrets_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hypernb.abc import Payload
    from hypernb.plan import Plan
    from hypernb.session._planning_calls import Ledger
    from hypernb.session._session import Session

_REASON_AT_MOST: Final = 1_000
_COUNTED: Final = "counts as the mission's"


@contextmanager
def kept_if_it_ends(session: Session, goal: str, ledger: Ledger) -> Iterator[None]:
    """Keep goal, calls and cost if the planning inside is interrupted or fails.

    They become a mission that is cancelled or has failed, with no task, so that its money is
    in all totals. Where nothing was used, there is nothing to keep, and no mission.

    Raises:
        PlanningInterruptedError: It was interrupted.
    """
    try:
        yield
    except KeyboardInterrupt:
        reason = "planning was interrupted"
        ended = (MissionState.CANCELLED, reason)
        kept = _keep(session, goal, ledger.calls, ledger.payloads, ended)
        raise PlanningInterruptedError(kept) from None
    except HypernbError as error:
        reason = f"planning failed: {ledger.kept_of(error).args[0]}"
        ended = (MissionState.FAILED, reason)
        _tell(error, _keep(session, goal, ledger.calls, ledger.payloads, ended))
        raise


@contextmanager
def kept_if_not_started(session: Session, plan: Plan) -> Iterator[None]:
    """Keep what the planning of a plan has used if the plan turns out to be of no use."""
    try:
        yield
    except HypernbError as error:
        reason = f"its plan cannot be started: {error.args[0]}"
        _tell(error, _keep_apart(session, plan, (MissionState.FAILED, reason)))
        raise


def keep_looked_at(session: Session, plan: Plan) -> None:
    """Keep what the planning of a plan has used that may never be started."""
    ended = (MissionState.CANCELLED, "it was planned to be looked at")
    if kept := _keep_apart(session, plan, ended):
        plan.notes = tuple(
            each.replace(_COUNTED, f"is kept in {kept}")
            if each.endswith(f"{_COUNTED}.")
            else each
            for each in plan.notes
        )


def _keep_apart(session: Session, plan: Plan, ended: tuple[MissionState, str]) -> str:
    if plan.paid_by:
        return ""
    plan.paid_by = _keep(session, plan.goal, plan.planning, plan.said(), ended)
    return plan.paid_by


def _tell(error: HypernbError, kept: str) -> None:
    if kept:
        said = f"What the planning has used is kept in {kept}."
        error.hint = f"{error.hint} {said}".strip()


def _keep(
    session: Session,
    goal: str,
    calls: Sequence[CallRecord],
    payloads: Sequence[Payload],
    ended: tuple[MissionState, str],
) -> str:
    """Return the short id of the mission that keeps it; empty if nothing was used."""
    if not any(_is_used(each) for each in calls):
        return ""
    from hypernb.redact import key_forms, scrub

    secrets = tuple(secrets_here(session.root).values())
    # A text that holds a key of another model is worth less than that key.
    texts = [each for each in payloads if not key_forms(secrets).lie_in(each.data)]
    mission = session.store.create_mission(
        PlanSpec(goal=scrub(goal, secrets), root=str(session.root), planned_by="nobody"),
        by=session.by,
        payloads={codec.digest(each.data): each for each in texts},
        planning=calls,
        ended=(ended[0], scrub(ended[1], secrets)[:_REASON_AT_MOST]),
    )
    return mission.short_id


def _is_used(call: CallRecord) -> bool:
    """Tell whether a call may have to be paid; one that reached nobody need not."""
    has_used = bool(call.input_tokens or call.output_tokens)
    return call.is_live and (call.state.is_paid or has_used)
