"""Amendments: what a person changes of the contract of a mission under way, signed."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import ValidationError
from sqlalchemy import insert, select

from hypernb.errors import TransitionError, UnknownNameError, UsageError, told_apart
from hypernb.model import Amendment, EventKind, MissionState, ModelSpec
from hypernb.store import _tables as t
from hypernb.store._approvals import not_yours
from hypernb.store._decisions import append_command
from hypernb.store._events import append_event
from hypernb.store._values import clean, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from hypernb.model import MissionRecord, PlanSpec
    from hypernb.store._approvals import Approvals
    from hypernb.store._keys import SigningKey

_PURPOSE: Final = "amendment"
_UNDER_WAY: Final = (MissionState.RUNNING, MissionState.PAUSED)
_MOST_DOLLARS: Final = 1e9
_NEXT: Final = timedelta(microseconds=1)


class Amendments:
    """Writes, signs and verifies.

    Args:
        key: Gives the user's key; asked for only when there is an amendment.
        approvals: Says whether the plan is approved by this user.
    """

    def __init__(self, key: Callable[[], SigningKey], approvals: Approvals) -> None:
        self._key = key
        self._approvals = approvals

    def give(  # noqa: PLR0913 - the terms are named
        self,
        connection: Connection,
        mission: MissionRecord,
        spec: PlanSpec,
        *,
        budget: float | None,
        models: Mapping[str, ModelSpec],
        by: str,
        now: datetime,
    ) -> Amendment:
        """Write a signed amendment and the event that tells of it.

        Raises:
            TransitionError: The mission is not under way, nor approved to be.
            ApprovalError: Its approval is not this user's.
            UsageError: Nothing is changed, or the budget is less than what is paid.
            UnknownNameError: The plan has no model of such a name.
        """
        is_approved = self._approvals.in_force(connection, mission) is not None
        _require_under_way(mission, is_approved=is_approved)
        if not is_approved:
            raise not_yours(mission)
        _require_terms(mission, spec, budget, models)
        if before := self.read(connection, mission):
            # Their order is their times, also where the clock was set back.
            now = max(now, before[-1].at + _NEXT)
        unsigned = Amendment(
            mission.id,
            mission.plan_hash,
            by,
            now,
            None if budget is None else float(budget),
            dict(models),
        )
        signed = replace(unsigned, signature=self._key().sign(_PURPOSE, *_parts(unsigned)))
        connection.execute(
            insert(t.amendments),
            {
                "mission_id": mission.id,
                "plan_hash": mission.plan_hash,
                "budget": signed.budget,
                "models": _plain(models),
                "by_user": by,
                "at": now,
                "signature": signed.signature,
            },
        )
        facts = {
            "budget": signed.budget,
            "models": {name: model.name for name, model in sorted(models.items())},
            "hosts": {name: model.host for name, model in sorted(models.items())},
            "by": by,
        }
        append_event(connection, EventKind.BUDGET_RAISED, now, facts, mission.id)
        if mission.state is not MissionState.PAUSED:
            # One that is paused reads its terms when it goes on.
            append_command(connection, "amend", mission.id, {}, by=by, now=now)
        return signed

    def read(self, connection: Connection, mission: MissionRecord) -> list[Amendment]:
        """Return the amendments of the mission's plan that this user signed, oldest first.

        By their times, which are signed: a row that was copied would else bring back terms
        that the person has changed since.
        """
        a = t.amendments.c
        columns = (a.mission_id, a.plan_hash, a.by_user, a.at, a.budget, a.models, a.signature)
        mine = select(*columns).where(a.mission_id == mission.id).order_by(a.id)
        found = (_amendment(row) for row in connection.execute(mine))
        signed = {
            each.signature: each
            for each in found
            if each is not None
            and each.plan_hash == mission.plan_hash
            and self._key().verify(each.signature, _PURPOSE, *_parts(each))
        }
        return sorted(signed.values(), key=lambda each: each.at)


def _require_under_way(mission: MissionRecord, *, is_approved: bool) -> None:
    # One that is approved may wait for a key, and never begin with the models of its plan.
    is_to_begin = is_approved and mission.state is MissionState.AWAITING_APPROVAL
    if mission.state not in _UNDER_WAY and not is_to_begin:
        raise TransitionError(
            "mission",
            mission.short_id,
            mission.state.value,
            "amended",
            hint="Only what is approved, runs or is paused can be given other terms.",
        )


def _require_terms(
    mission: MissionRecord,
    spec: PlanSpec,
    budget: float | None,
    models: Mapping[str, ModelSpec],
) -> None:
    if budget is None and not models:
        raise UsageError(
            f"Nothing of {mission.short_id} is changed.", hint="Give a budget or a model."
        )
    if budget is not None:
        if not math.isfinite(budget) or not 0 <= budget <= _MOST_DOLLARS:
            raise UsageError(
                f"The budget of {mission.short_id} cannot be {budget!r}.",
                hint="It is a number of dollars.",
            )
        if budget < mission.cost:
            paid, most = told_apart(mission.cost, limit=budget)
            raise UsageError(
                f"The budget of {mission.short_id} cannot be {most}: {paid} is paid.",
                hint="Give more than that, or cancel the mission.",
            )
    for name in models:
        if name not in spec.models:
            raise UnknownNameError("model of the plan", name, spec.models)


def _plain(models: Mapping[str, ModelSpec]) -> dict[str, Any]:
    return {clean(name): model.model_dump(mode="json") for name, model in models.items()}


def _amendment(row: Any) -> Amendment | None:
    """Read a row; None if it holds what nobody would have signed."""
    mission_id, plan_hash, by, at, budget, models, signature = row
    try:
        read = {name: ModelSpec.model_validate(model) for name, model in models.items()}
    except (ValidationError, AttributeError):
        return None
    return Amendment(mission_id, plan_hash, by, at, budget, read, signature)


def _parts(amendment: Amendment) -> tuple[str, ...]:
    models = orjson.dumps(_plain(amendment.models), option=orjson.OPT_SORT_KEYS)
    return (
        amendment.mission_id,
        amendment.plan_hash,
        repr(amendment.budget),
        models.decode(),
        amendment.by,
        utc_text(amendment.at),
    )
