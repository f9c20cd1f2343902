"""The mission in which a goal is being planned: it pays, also where no plan comes of it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from hypernb import codec
from hypernb.errors import (
    HypernbError,
    LeaseLostError,
    PlanningInterruptedError,
    StoreError,
)
from hypernb.model import MissionState, PlanSpec
from hypernb.session._keys_inside import secrets_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hypernb.abc import Payload
    from hypernb.model import CallRecord, LeaseRecord
    from hypernb.plan import Plan
    from hypernb.session._planning_calls import Ledger
    from hypernb.session._session import Session

_REASON_AT_MOST: Final = 1_000
_PLANNING: Final = "Planning has "
_COUNTED: Final = "counts as the mission's"
_INTERRUPTED: Final = "planning was interrupted"

# Planning by a model takes two minutes at most, by the clock of its process.
_TTL: Final = timedelta(minutes=10)


class Planning:
    """The mission in which a goal is being planned; begun by the first call that is noted.

    Where no call is made there is none, and none where nothing was used.

    Args:
        session: Whose.
        goal: In words; keys in it are covered up.

    Attributes:
        lease: By which the store knows who plans; None as long as there is no mission.
        mission: Short id of the mission; empty as long as there is none.
    """

    def __init__(self, session: Session, goal: str) -> None:
        from hypernb.redact import key_forms, scrub

        self._session = session
        self._secrets = tuple(secrets_here(session.root).values())
        self._forms = key_forms(self._secrets)
        self._goal = scrub(goal, self._secrets)
        self.lease: LeaseRecord | None = None
        self.mission = ""

    def note(self, call: CallRecord, said: Sequence[Payload]) -> None:
        """Write a call before it is made, or what came of it; durable at return.

        Raises:
            LeaseLostError: Somebody has ended the planning.
            StoreError: It cannot be written.
        """
        # A text that holds a key of another model is worth less than that key.
        texts = {
            codec.digest(each.data): each for each in said if not self._forms.lie_in(each.data)
        }
        store = self._session.store
        if self.lease is not None:
            store.note_planning(self.lease, call, payloads=texts)
            return
        from hypernb.store import process_facts

        mission, self.lease = store.begin_planning(
            PlanSpec(goal=self._goal, root=str(self._session.root), planned_by="nobody"),
            call,
            by=self._session.by,
            ttl=_TTL,
            facts=process_facts(),
            payloads=texts,
        )
        self.mission = mission.short_id

    def end(self, state: MissionState, reason: str) -> str:
        """End it without a plan; return the short id of the mission that keeps what it used.

        Empty if there is none. A store that cannot be written does not hide why it ends: the
        mission then ends with this process.
        """
        with suppress(StoreError):
            return _ended(self._session, self.lease, state, reason)
        return self.mission


@contextmanager
def kept_if_it_ends(planning: Planning, ledger: Ledger) -> Iterator[None]:
    """Keep goal, calls and cost if the planning inside is interrupted or fails.

    The mission in which it is planned is then cancelled or has failed, with no task, so that
    its money is in all totals. Where nothing was used, there is nothing to keep, and no
    mission.

    Raises:
        PlanningInterruptedError: It was interrupted, or somebody has ended that mission.
    """
    try:
        yield
    except LeaseLostError:
        raise PlanningInterruptedError(planning.mission) from None
    except KeyboardInterrupt:
        kept = planning.end(MissionState.CANCELLED, _INTERRUPTED)
        raise PlanningInterruptedError(kept) from None
    except HypernbError as error:
        reason = f"planning failed: {ledger.kept_of(error).args[0]}"
        _tell(error, planning.end(MissionState.FAILED, reason))
        raise
    except BaseException as error:
        planning.end(MissionState.FAILED, f"planning failed: {type(error).__name__}")
        raise


@contextmanager
def kept_if_not_started(session: Session, plan: Plan) -> Iterator[None]:
    """Keep what the planning of a plan has used if the plan turns out to be of no use.

    Raises:
        PlanningInterruptedError: Somebody has ended the mission in which it was planned.
    """
    try:
        yield
    except LeaseLostError as error:
        mission_id = error.resource.removeprefix("mission:")
        raise PlanningInterruptedError(session.store.mission(mission_id).short_id) from None
    except HypernbError as error:
        reason = f"its plan cannot be started: {error.args[0]}"
        _tell(error, _kept(session, plan, MissionState.FAILED, reason))
        raise
    except BaseException:
        _kept(session, plan, MissionState.CANCELLED, _INTERRUPTED)
        raise


def keep_looked_at(session: Session, plan: Plan) -> None:
    """Keep what the planning of a plan has used that may never be started."""
    reason = "it was planned to be looked at"
    if kept := _kept(session, plan, MissionState.CANCELLED, reason):
        plan.notes = tuple(
            each.replace(_COUNTED, f"is kept in {kept}")
            if each.endswith(f"{_COUNTED}.")
            else each
            for each in plan.notes
        )


def not_planned_anew(spec: PlanSpec) -> PlanSpec:
    """Return a plan for another mission, whose notes do not say what its planning has used.

    The mission in which it was planned has paid that, and says so.
    """
    notes = tuple(note for note in spec.notes if not note.startswith(_PLANNING))
    return spec if notes == spec.notes else spec.model_copy(update={"notes": notes})


def _kept(session: Session, plan: Plan, state: MissionState, reason: str) -> str:
    """End the mission in which a plan was made; return its short id, empty if there is none."""
    if plan.planned_in is None:
        return ""
    with suppress(StoreError):
        plan.paid_by = _ended(session, plan.planned_in, state, reason)
        plan.planned_in = None
    return plan.paid_by


def _ended(
    session: Session, lease: LeaseRecord | None, state: MissionState, reason: str
) -> str:
    if lease is None:
        return ""
    from hypernb.redact import scrub

    reason = scrub(reason, tuple(secrets_here(session.root).values()))[:_REASON_AT_MOST]
    mission = session.store.end_planning(lease, state, reason, by=session.by)
    return mission.short_id if mission is not None else ""


def _tell(error: HypernbError, kept: str) -> None:
    if kept:
        said = f"What the planning has used is kept in {kept}."
        error.hint = f"{error.hint} {said}".strip()
