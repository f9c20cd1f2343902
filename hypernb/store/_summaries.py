"""Many missions at once: the rows of a list, with what their tasks come to."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from sqlalchemy import JSON, Float, case, cast, func, select

from hypernb.model import MissionState, MissionSummary, TaskState
from hypernb.store import _calls, _rows, _sought
from hypernb.store import _tables as t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from hypernb.model import MissionId, MissionRecord
    from hypernb.store._approvals import Approvals

    _Page = tuple[list[MissionRecord], int, dict[MissionId, tuple[_sought.Place, ...]]]

_AT_HAND_OF_EACH: Final = 8
_AT_HAND: Final = (
    TaskState.AWAITING_APPROVAL.value,
    TaskState.STALLED.value,
    TaskState.RUNNING.value,
    TaskState.VERIFYING.value,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which missions are asked for; see `hypernb.abc.Store.summaries`."""

    text: str
    states: tuple[MissionState, ...]
    limit: int
    offset: int


def read(
    connection: Connection, wanted: Wanted, approvals: Approvals
) -> tuple[list[MissionSummary], int]:
    """Return the rows, and how many missions there are that fit."""
    words = _sought.words_of(wanted.text)
    missions, total, places = (
        _with_words(connection, wanted, words) if words else _newest(connection, wanted)
    )
    if not missions:
        return [], total
    counts = _counts(connection, missions)
    findings = _findings(connection, missions)
    budgets = _budgets(connection, missions)
    uncertain = _calls.uncertain_among(connection, _ids(missions))
    at_hand = _tasks_at_hand(connection, missions)
    all_places = [place for mine in places.values() for place in mine]
    hits = _sought.told(connection, all_places, words)
    waiting = [each for each in missions if each.state is MissionState.AWAITING_APPROVAL]
    approved = approvals.approved_among(connection, waiting) if waiting else set()
    rows = [
        MissionSummary(
            mission=each,
            counts=counts.get(each.id, {}),
            findings=findings.get(each.id, 0),
            budget=budgets.get(each.id),
            is_approved=each.id in approved or each.state is not MissionState.AWAITING_APPROVAL,
            at_hand=tuple(at_hand.get(each.id, ())),
            unknown=uncertain.get(each.id, (0, 0))[0],
            at_most=uncertain.get(each.id, (0, 0))[1],
            found=tuple(hits[place] for place in places.get(each.id, ()) if place in hits),
        )
        for each in missions
    ]
    return rows, total


def _newest(connection: Connection, wanted: Wanted) -> _Page:
    of_states = [t.missions.c.state.in_([each.value for each in wanted.states])]
    conditions = of_states if wanted.states else []
    count = select(func.count()).select_from(t.missions).where(*conditions)
    page = (
        _rows.SELECT_MISSIONS.where(*conditions)
        .order_by(t.missions.c.number.desc())
        .limit(wanted.limit)
        .offset(wanted.offset)
    )
    missions = [_rows.mission(row) for row in connection.execute(page)]
    return missions, int(connection.execute(count).scalar_one()), {}


def _with_words(connection: Connection, wanted: Wanted, words: Sequence[str]) -> _Page:
    found = _sought.sought(connection, words, wanted.states)
    ids = list(islice(found, wanted.offset, wanted.offset + wanted.limit))
    page = _rows.SELECT_MISSIONS.where(t.missions.c.id.in_(ids)).order_by(
        t.missions.c.number.desc()
    )
    missions = [_rows.mission(row) for row in connection.execute(page)] if ids else []
    return missions, len(found), {each: found[each] for each in ids}


def _ids(missions: Sequence[MissionRecord]) -> list[MissionId]:
    return [each.id for each in missions]


def _counts(
    connection: Connection, missions: Sequence[MissionRecord]
) -> dict[MissionId, dict[TaskState, int]]:
    c = t.tasks.c
    statement = (
        select(c.mission_id, c.state, func.count())
        .where(c.mission_id.in_(_ids(missions)))
        .group_by(c.mission_id, c.state)
    )
    found: dict[MissionId, dict[TaskState, int]] = {}
    for mission_id, state, many in connection.execute(statement):
        found.setdefault(mission_id, {})[TaskState(state)] = many
    return found


def _findings(
    connection: Connection, missions: Sequence[MissionRecord]
) -> dict[MissionId, int]:
    c = t.findings.c
    statement = (
        select(c.mission_id, func.count())
        .where(c.mission_id.in_(_ids(missions)))
        .group_by(c.mission_id)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def _budgets(
    connection: Connection, missions: Sequence[MissionRecord]
) -> dict[MissionId, float | None]:
    """Take the budgets out of the plans, without reading the plans."""
    c = t.plans.c
    if connection.dialect.name == "postgresql":
        budget = cast(func.json_extract_path_text(cast(c.spec, JSON), "budget"), Float)
    else:
        # A list goes on beside a mission whose plan is damaged.
        found = case((func.json_valid(c.spec) == 1, func.json_extract(c.spec, "$.budget")))
        budget = cast(found, Float)
    statement = (
        select(c.mission_id, budget)
        .join(t.missions, t.missions.c.id == c.mission_id)
        .where(c.mission_id.in_(_ids(missions)), c.revision == t.missions.c.revision)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def _tasks_at_hand(
    connection: Connection, missions: Sequence[MissionRecord]
) -> dict[MissionId, list[tuple[str, TaskState]]]:
    c = t.tasks.c
    place = func.row_number().over(partition_by=c.mission_id, order_by=c.number).label("place")
    listed = (
        select(c.mission_id, c.name, c.state, place)
        .where(c.mission_id.in_(_ids(missions)), c.state.in_(_AT_HAND))
        .subquery()
    )
    statement = (
        select(listed.c.mission_id, listed.c.name, listed.c.state)
        .where(listed.c.place <= _AT_HAND_OF_EACH)
        .order_by(listed.c.mission_id, listed.c.place)
    )
    found: dict[MissionId, list[tuple[str, TaskState]]] = {}
    for mission_id, name, state in connection.execute(statement):
        found.setdefault(mission_id, []).append((name, TaskState(state)))
    return found
