"""Which keys a mission waits for: nobody at work has them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import JSON, case, cast, func, select

from hypernb.model import (
    AgentWork,
    MissionState,
    TaskState,
    host_of,
    is_replay,
    lacking_keys,
    needed_key,
)
from hypernb.store import _tables as t

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection

    from hypernb.model import Amendment, LeaseRecord, MissionRecord, PlanSpec, TaskRecord

_WAITING: Final = (MissionState.AWAITING_APPROVAL, MissionState.RUNNING, MissionState.PAUSED)
_MOST_KNOWN: Final = 1_000
Keys = Mapping[str, str]
"""Which key a model needs (`ModelSpec.needed_key`), by the plan's name for the model."""


class KeysNeeded:
    """Knows which keys plans need, without reading a plan each time it is asked."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Keys] = {}
        self._lock = threading.Lock()

    def of(self, connection: Connection, mission: MissionRecord) -> Keys:
        """Return the keys that the newest plan of a mission needs."""
        if mission.state not in _WAITING:
            return {}
        place = (str(mission.id), mission.plan_hash)
        with self._lock:
            if (known := self._known.get(place)) is not None:
                return known
        found = _keys_of(_models(connection, mission))
        with self._lock:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[place] = found
        return found

    def has_none(self, mission: MissionRecord) -> bool:
        """Tell whether it is known already that the plan needs no key, or needs none now."""
        if mission.state not in _WAITING:
            return True
        with self._lock:
            return self._known.get((str(mission.id), mission.plan_hash)) == {}


def _models(connection: Connection, mission: MissionRecord) -> Any:
    """Take the models out of the plan that are asked, without reading the plan."""
    c, kind = t.plans.c, connection.dialect.name
    wanted = select(_field(kind, "models"), _field(kind, "cassette"))
    mine = wanted.where(c.mission_id == mission.id, c.revision == mission.revision)
    text, cassette = connection.execute(mine).one_or_none() or (None, None)
    if is_replay(cassette):
        return {}
    try:
        return orjson.loads(text) if isinstance(text, str) else {}
    except orjson.JSONDecodeError:
        return {}  # a plan that was changed outside hypernb: whoever reads it says so


def _field(kind: str, name: str) -> ColumnElement[Any]:
    spec = t.plans.c.spec
    if kind == "postgresql":
        return func.json_extract_path_text(cast(spec, JSON), name)
    # A view goes on beside a mission whose plan is damaged.
    return case((func.json_valid(spec) == 1, func.json_extract(spec, f"$.{name}")))


def _keys_of(models: Any) -> Keys:
    if not isinstance(models, dict):
        return {}
    return {
        name: needed_key(
            model["key"], model.get("key_id") or "", host_of(str(model.get("base_url")))
        )
        for name, model in models.items()
        if isinstance(model, dict) and model.get("key")
    }


def amended(keys: Keys, amendments: Iterable[Amendment]) -> Keys:
    """Return the keys that are needed with other models in the place of the plan's."""
    now = dict(keys)
    for amendment in amendments:
        for name, model in amendment.models.items():
            now.pop(name, None)
            if model.key:
                now[name] = model.needed_key
    return now


def still_asked(keys: Keys, plan: PlanSpec | None, tasks: Iterable[TaskRecord]) -> Keys:
    """Return the keys of the models that tasks ask which have not succeeded."""
    done = {task.name for task in tasks if task.state is TaskState.SUCCEEDED}
    works = [task.work for task in plan.tasks if task.name not in done] if plan else []
    asked = {work.model for work in works if isinstance(work, AgentWork)}
    return {name: key for name, key in keys.items() if name in asked}


def lacking(keys: Keys, runners: Iterable[LeaseRecord]) -> tuple[str, ...]:
    """Return the names of keys that even the runner with most of them does not have."""
    needed = set(keys.values())
    lacks = sorted(needed)
    for runner in runners:
        lacks = min(lacks, lacking_keys(needed, runner.keys), key=len)
    return tuple(sorted({each.partition(":")[0] for each in lacks}))
