"""Plans in the database: written with their tasks, read once, and never read changed."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import TypeAdapter
from sqlalchemy import bindparam, delete, insert, select

from hypernb.errors import PlanError, StoreCorruptError
from hypernb.model import PlanSpec, TaskSpec, TaskState, new_id, short_id
from hypernb.store import _search
from hypernb.store import _tables as t
from hypernb.store._bulk import InsertMany
from hypernb.store._values import clean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pydantic import BaseModel
    from sqlalchemy import Connection

    from hypernb.model import MissionId
    from hypernb.store._search import SearchRow

_KEPT: Final = 16
_PORTION: Final = 500
_LARGE: Final = 5_000
_TASKS: Final = TypeAdapter(list[TaskSpec])
_THIS_ONE: Final = (t.plans.c.mission_id == bindparam("mission")) & (
    t.plans.c.revision == bindparam("wanted")
)
_HASH: Final = select(t.plans.c.hash).where(_THIS_ONE)
_SPEC: Final = select(t.plans.c.spec).where(_THIS_ONE)
_INSERT_TASKS: Final = InsertMany(
    t.tasks, "id", "mission_id", "number", "name", "state", "agent", "goal"
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
            text = spec.canonical().decode()
        except (TypeError, ValueError) as error:
            raise PlanError(
                f"The plan cannot be written down: {error}.",
                hint="Parameters of a plan are JSON values: texts, numbers, lists, objects.",
            ) from error
        return cls(spec, text, _hash_of(text), revision, by)

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


def _hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _changed_outside(revision: int) -> StoreCorruptError:
    return StoreCorruptError(
        f"Revision {revision} of the plan is not the one that its hash was made of.",
        hint="It was changed outside hypernb; start the mission anew.",
    )


def _parsed(text: str) -> PlanSpec:
    """Read a plan in portions, so that a large one never exists three times over.

    What the tasks of a large one have in common is kept once.
    """
    fields = orjson.loads(text)
    raw: list[Any] = fields.pop("tasks")
    raw.reverse()
    tasks: list[TaskSpec] = []
    known = _Known({}, {}) if len(raw) > _LARGE else None
    while raw:
        some = _TASKS.validate_python([raw.pop() for _ in range(min(_PORTION, len(raw)))])
        if known is not None:
            for task in some:
                known.share(task)
                known.share(task.work)
        tasks += some
    return PlanSpec.model_validate(fields).model_copy(update={"tasks": tuple(tasks)})


@dataclass(frozen=True, slots=True)
class _Known:
    """Lets equal texts of a plan be one object, and equal notes of which fields were given too.

    Of a hundred thousand tasks that call the same function, those notes alone (a set of names
    for each task) are 300 MB. The models are frozen, so nobody sees a difference.
    """

    texts: dict[str, str]
    notes: dict[frozenset[str], set[str]]

    def share(self, model: BaseModel) -> None:
        given = model.model_fields_set
        note = self.notes.setdefault(frozenset(given), given)
        object.__setattr__(model, "__pydantic_fields_set__", note)
        values = vars(model)
        for name, value in values.items():
            if type(value) is str:
                values[name] = self.texts.setdefault(value, value)


class PlanReader:
    """Reads plans, and keeps the latest few: a view reads the same one many times."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, str], PlanSpec] = OrderedDict()
        self._lock = threading.Lock()

    def read(
        self,
        connection: Connection,
        mission_id: MissionId,
        revision: int,
        *,
        plan_hash: str | None = None,
    ) -> PlanSpec | None:
        """Return a revision; None if there is none.

        Args:
            plan_hash: What its hash has to be, if that is known from elsewhere.

        Raises:
            StoreCorruptError: It is not the one that its hash was made of.
        """
        place = {"mission": mission_id, "wanted": revision}
        stored = connection.execute(_HASH, place).scalar()
        if stored is None:
            return None
        if plan_hash not in (None, stored):
            raise _changed_outside(revision)
        key = (str(mission_id), revision, str(stored))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        text = connection.execute(_SPEC, place).scalar_one()
        # Of the text, not of what is read from it: an approval is bound to every letter.
        if _hash_of(text) != stored:
            raise _changed_outside(revision)
        spec = _parsed(text)
        with self._lock:
            self._kept[key] = spec
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return spec
