"""Plans in the database: written with their tasks, read once, and never read changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, insert, select

from hypernb.errors import PlanError, StoreCorruptError
from hypernb.model import PlanSpec, TaskState, new_id, short_id
from hypernb.store import _search
from hypernb.store import _tables as t
from hypernb.store._bulk import Bulk
from hypernb.store._values import clean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection

    from hypernb.model import MissionId
    from hypernb.store._search import SearchRow

_KEPT: Final = 16
_THIS_ONE: Final = (t.plans.c.mission_id == bindparam("mission")) & (
    t.plans.c.revision == bindparam("wanted")
)
_HASH: Final = select(t.plans.c.hash).where(_THIS_ONE)
_SPEC: Final = select(t.plans.c.spec).where(_THIS_ONE)
_INSERT_TASKS: Final = Bulk(
    insert(t.tasks), "id", "mission_id", "number", "name", "state", "agent", "goal"
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A revision of a plan on its way into the store.

    Attributes:
        text: Its canonical JSON, which the hash was made of.
    """

    spec: PlanSpec
    text: str
    hash: str
    revision: int
    by: str

    @classmethod
    def of(cls, spec: PlanSpec, *, revision: int, by: str) -> Proposal:
        """Write a plan down.

        Raises:
            PlanError: It holds what JSON cannot.
        """
        try:
            return cls(spec, spec.canonical().decode(), spec.hash, revision, by)
        except (TypeError, ValueError) as error:
            raise PlanError(
                f"The plan cannot be written down: {error}.",
                hint="Parameters of a plan are JSON values: texts, numbers, lists, objects.",
            ) from error

    def columns(self) -> dict[str, Any]:
        """Return what a mission's row says of its plan."""
        spec = self.spec
        return {
            "goal": clean(spec.goal),
            "playbook": clean(spec.playbook),
            "planned_by": clean(spec.planned_by),
            "root": clean(spec.root),
            "priority": spec.priority,
            "revision": self.revision,
            "plan_hash": self.hash,
        }

    def facts(self) -> dict[str, Any]:
        """Return what the event says of it."""
        return {
            "revision": self.revision,
            "plan_hash": self.hash,
            "tasks": len(self.spec.tasks),
            "planned_by": self.spec.planned_by,
            "by": self.by,
        }


def write_plan(
    connection: Connection,
    mission_id: MissionId,
    number: int,
    proposal: Proposal,
    now: datetime,
) -> None:
    """Write a revision and its tasks, which replace those of the revision before."""
    if proposal.revision > 1:
        connection.execute(delete(t.tasks).where(t.tasks.c.mission_id == mission_id))
        _search.forget_goals(connection, short_id(number))
    connection.execute(
        insert(t.plans),
        {
            "mission_id": mission_id,
            "revision": proposal.revision,
            "hash": proposal.hash,
            "spec": proposal.text,
            "at": now,
            "by_user": proposal.by,
        },
    )
    pending = TaskState.PENDING.value
    _INSERT_TASKS.run(
        connection,
        [
            (
                new_id(),
                mission_id,
                place,
                clean(task.name),
                pending,
                clean(task.agent),
                clean(task.goal),
            )
            for place, task in enumerate(proposal.spec.tasks, 1)
        ],
    )
    _search.index(connection, list(_goals(proposal.spec, short_id(number))))


def _goals(spec: PlanSpec, mission: str) -> Iterator[SearchRow]:
    yield _search.goal_row(mission, spec.goal)
    for task in spec.tasks:
        if task.goal and task.goal != spec.goal:
            yield _search.goal_row(mission, task.goal, clean(task.name))


class PlanReader:
    """Reads plans, and keeps the latest few: a view reads the same one many times."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, str], PlanSpec] = OrderedDict()
        self._lock = threading.Lock()

    def read(
        self, connection: Connection, mission_id: MissionId, revision: int
    ) -> PlanSpec | None:
        """Return a revision; None if there is none.

        Raises:
            StoreCorruptError: It is not the one that its hash was made of.
        """
        place = {"mission": mission_id, "wanted": revision}
        stored = connection.execute(_HASH, place).scalar()
        if stored is None:
            return None
        key = (str(mission_id), revision, str(stored))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        spec = PlanSpec.model_validate_json(connection.execute(_SPEC, place).scalar_one())
        if spec.hash != stored:
            raise StoreCorruptError(
                f"Revision {revision} of the plan is not the one that its hash was made of.",
                hint="It was changed outside hypernb; start the mission anew.",
            )
        with self._lock:
            self._kept[key] = spec
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return spec
