"""Missions that are being planned: they pay for the models that are asked for their plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select, update

from hypernb.model import CallState, EventKind, LeaseRecord, MissionId, MissionState, transition
from hypernb.store import _calls, _leases, _rows, _search
from hypernb.store import _tables as t
from hypernb.store._commit import check_lease
from hypernb.store._decisions import end_unstarted
from hypernb.store._events import append_event
from hypernb.store._plans import write_plan
from hypernb.store._reading import leases_of, mission_by_id
from hypernb.store._upkeep import forget_mission

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from hypernb.model import CallRecord, MissionRecord
    from hypernb.store._plans import Proposal

_GONE: Final = "the process that planned it has ended"
_UNANSWERED: Final = "whoever asked it ended before its answer came"
_PLANNING: Final = _rows.SELECT_MISSIONS.where(
    t.missions.c.state == MissionState.PLANNING.value
).order_by(t.missions.c.number)


def mission_of(connection: Connection, lease: LeaseRecord) -> MissionRecord:
    """Return the mission that the holder of a lease plans.

    Raises:
        LeaseLostError: It is over: ended by somebody else, or its plan was proposed.
    """
    mission_id = MissionId(lease.resource.removeprefix("mission:"))
    check_lease(connection, lease, f"mission:{mission_id}")
    return mission_by_id(connection, mission_id)


def note(connection: Connection, mission_id: MissionId, call: CallRecord) -> None:
    """Write a call as it is now; it is paid when it is over, and only once."""
    known = select(t.calls.c.state).where(t.calls.c.id == call.id)
    before = connection.execute(known).scalar()
    if before not in (None, CallState.RESERVED.value):
        return
    if before is None:
        _calls.reserve(connection, call, mission_id)
    if call.state is not CallState.RESERVED:
        _calls.settle(connection, call, mission_id)


def propose(
    connection: Connection, mission: MissionRecord, proposal: Proposal, now: datetime
) -> MissionRecord:
    """Write the plan that has come, in the place of the one without tasks."""
    _lose_calls(connection, mission.id, now)
    after = transition(mission.state, MissionState.AWAITING_APPROVAL, name=mission.short_id)
    connection.execute(
        update(t.missions)
        .where(t.missions.c.id == mission.id)
        .values(state=after.value, **proposal.columns())
    )
    connection.execute(delete(t.plans).where(t.plans.c.mission_id == mission.id))
    _search.forget_goals(connection, mission.short_id)
    write_plan(connection, mission.id, mission.number, proposal, now)
    append_event(connection, EventKind.PLAN_PROPOSED, now, proposal.facts(), mission.id)
    _leases.void(connection, f"mission:{mission.id}")
    return mission_by_id(connection, mission.id)


def end(
    connection: Connection,
    mission: MissionRecord,
    state: MissionState,
    *,
    reason: str,
    by: str,
    now: datetime,
) -> MissionRecord:
    """End the planning of a mission; a call without an answer counts as paid."""
    _lose_calls(connection, mission.id, now)
    end_unstarted(connection, mission, state, reason=reason, by=by, now=now)
    return mission_by_id(connection, mission.id)


def has_used(connection: Connection, mission_id: MissionId) -> bool:
    """Tell whether a call of the planning may have to be paid."""
    return any(
        each.is_used or each.state is CallState.RESERVED
        for each in _calls.read(connection, mission_id)
    )


def drop(connection: Connection, mission: MissionRecord, now: datetime) -> None:
    """Forget a planning that has used nothing; not even the goal is kept."""
    _search.forget_goals(connection, mission.short_id)
    forget_mission(connection, mission.id)
    # Numbers without gaps: the last event has the number that the counter says.
    facts = {"missions": {mission.short_id: ""}, "is_unused": True}
    append_event(connection, EventKind.MISSIONS_FORGOTTEN, now, facts)


def lost(connection: Connection, now: datetime) -> list[MissionRecord]:
    """Return the missions that are being planned by nobody any more."""
    planned = [_rows.mission(row) for row in connection.execute(_PLANNING)]
    return [each for each in planned if not _is_held(connection, each.id, now)]


def end_lost(connection: Connection, *, by: str, now: datetime) -> list[MissionRecord]:
    """End the plannings of processes that are gone."""
    return [
        end(connection, mission, MissionState.FAILED, reason=_GONE, by=by, now=now)
        for mission in lost(connection, now)
    ]


def _is_held(connection: Connection, mission_id: MissionId, now: datetime) -> bool:
    """Tell whether somebody still plans it.

    By the wall clock: a lease on a planning is far longer than any planning takes, and who
    only looks into the store now and then never sees the silence of another machine.
    """
    held = leases_of(connection, f"mission:{mission_id}")
    return any(_leases.seems_held(lease, now) for lease in held)


def _lose_calls(connection: Connection, mission_id: MissionId, now: datetime) -> None:
    for call in _calls.read(connection, mission_id):
        if call.state is CallState.RESERVED:
            over = replace(
                call,
                state=CallState.LOST,
                ended_at=now,
                cost=call.reserved,
                error=_UNANSWERED,
            )
            _calls.settle(connection, over, mission_id)
