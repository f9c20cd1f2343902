"""What planning has used that led to no plan: kept as a mission that never began."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from hypernb import codec
from hypernb.errors import HypernbError, PlanningInterruptedError
from hypernb.model import CallRecord, MissionState, PlanSpec
from hypernb.session._keys_inside import secrets_here

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypernb.session._planning_calls import Ledger
    from hypernb.session._session import Session

_REASON_AT_MOST: Final = 1_000


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
        kept = _keep(session, goal, ledger, MissionState.CANCELLED, reason)
        raise PlanningInterruptedError(kept) from None
    except HypernbError as error:
        reason = f"planning failed: {ledger.kept_of(error).args[0]}"
        if kept := _keep(session, goal, ledger, MissionState.FAILED, reason):
            said = f"What the planning has used is kept in {kept}."
            error.hint = f"{error.hint} {said}".strip()
        raise


def _keep(session: Session, goal: str, ledger: Ledger, state: MissionState, reason: str) -> str:
    """Return the short id of the mission that keeps it; empty if nothing was used."""
    if not any(_is_used(each) for each in ledger.calls):
        return ""
    from hypernb.redact import scrub

    secrets = tuple(secrets_here(session.root).values())
    # A text that holds a key of another model is worth less than that key.
    texts = [
        each
        for each in ledger.payloads
        if not any(key.encode() in each.data for key in secrets)
    ]
    mission = session.store.create_mission(
        PlanSpec(goal=scrub(goal, secrets), root=str(session.root), planned_by="nobody"),
        by=session.by,
        payloads={codec.digest(each.data): each for each in texts},
        planning=ledger.calls,
        ended=(state, scrub(reason, secrets)[:_REASON_AT_MOST]),
    )
    return mission.short_id


def _is_used(call: CallRecord) -> bool:
    """Tell whether a call may have to be paid; one that reached nobody need not."""
    has_used = bool(call.input_tokens or call.output_tokens)
    return call.is_live and (call.state.is_paid or has_used)
