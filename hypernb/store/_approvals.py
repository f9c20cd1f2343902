"""Approvals: signed by the user who gave them, and worth nothing to anybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import insert

from hypernb.errors import ApprovalError
from hypernb.model import ApprovalRecord
from hypernb.store import _rows
from hypernb.store import _tables as t
from hypernb.store._values import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from hypernb.model import MissionId, MissionRecord
    from hypernb.store._keys import SigningKey

_PURPOSE: Final = "approval"


class Approvals:
    """Signs and verifies.

    Args:
        key: Gives the user's key; asked for only when there is an approval.
    """

    def __init__(self, key: Callable[[], SigningKey]) -> None:
        self._key = key

    def give(
        self, connection: Connection, mission: MissionRecord, *, by: str, now: datetime
    ) -> ApprovalRecord:
        """Write a signed approval of the mission's newest plan."""
        unsigned = ApprovalRecord(
            mission.id, mission.revision, mission.plan_hash, by, now, signature=""
        )
        signature = self._key().sign(_PURPOSE, *_parts(unsigned))
        connection.execute(
            insert(t.approvals),
            {
                "mission_id": mission.id,
                "revision": mission.revision,
                "plan_hash": mission.plan_hash,
                "by_user": by,
                "at": now,
                "signature": signature,
            },
        )
        return ApprovalRecord(
            mission.id, mission.revision, mission.plan_hash, by, now, signature
        )

    def read(self, connection: Connection, mission_id: MissionId) -> list[ApprovalRecord]:
        """Return all approvals of a mission, whoever signed them, oldest first."""
        statement = _rows.SELECT_APPROVALS.where(t.approvals.c.mission_id == mission_id)
        return _rows.approvals(connection.execute(statement.order_by(t.approvals.c.id)))

    def in_force(self, connection: Connection, mission: MissionRecord) -> ApprovalRecord | None:
        """Return the newest approval, if this user signed it and it is of the newest plan."""
        records = self.read(connection, mission.id)
        return records[-1] if records and self._holds(records[-1], mission) else None

    def approved_among(
        self, connection: Connection, missions: Sequence[MissionRecord]
    ) -> set[MissionId]:
        """Return which of the missions have an approval in force; one query for all."""
        of_these = t.approvals.c.mission_id.in_([each.id for each in missions])
        statement = _rows.SELECT_APPROVALS.where(of_these).order_by(t.approvals.c.id)
        newest = {
            each.mission_id: each for each in _rows.approvals(connection.execute(statement))
        }
        return {each.id for each in missions if self._holds(newest.get(each.id), each)}

    def _holds(self, approval: ApprovalRecord | None, mission: MissionRecord) -> bool:
        if approval is None:
            return False
        fits = (approval.revision, approval.plan_hash) == (mission.revision, mission.plan_hash)
        return fits and self.is_signed(approval)

    def is_signed(self, record: ApprovalRecord) -> bool:
        """Tell whether this user signed it."""
        return self._key().verify(record.signature, _PURPOSE, *_parts(record))


def require_same_plan(mission: MissionRecord, revision: int, plan_hash: str) -> None:
    """Make sure that what is approved is the newest plan, as it was shown.

    Raises:
        ApprovalError: It is not.
    """
    if revision != mission.revision:
        raise ApprovalError(
            f"Revision {revision} of the plan of {mission.short_id} is not the newest: "
            f"that is {mission.revision}.",
            hint=f"%hyper show {mission.short_id} shows it.",
        )
    if plan_hash != mission.plan_hash:
        raise ApprovalError(
            f"The approval is for another plan than revision {revision} of {mission.short_id}: "
            f"its hash is {mission.plan_hash[:12]}, not {plan_hash[:12]!r}.",
            hint=f"%hyper show {mission.short_id} shows the plan that is there.",
        )


def not_yours(mission: MissionRecord) -> ApprovalError:
    """Say that an approval was signed by somebody else, or by nobody."""
    return ApprovalError(
        f"The approval of mission {mission.short_id} was not given by you on this machine; "
        "it does not count.",
        hint=f"%hyper show {mission.short_id} shows the plan, %hyper approve "
        f"{mission.short_id} approves it anew while it awaits approval.",
    )


def _parts(record: ApprovalRecord) -> tuple[str, ...]:
    return (
        record.mission_id,
        str(record.revision),
        record.plan_hash,
        record.by,
        utc_text(record.at),
    )
