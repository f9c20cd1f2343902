"""Stores to try the contract on, and missions under way in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from hypernb.model import (
    AgentWork,
    AttemptState,
    Change,
    MissionState,
    PlanSpec,
    RunnerId,
    TaskSpec,
    TaskState,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypernb.abc import Store
    from hypernb.model import LeaseRecord, MissionRecord, TaskId, TaskRecord
    from tests.postgresql import Server

HALF_A_MINUTE = timedelta(seconds=30)


class Ticking:
    """A wall clock that goes on by a millisecond whenever it is looked at, and a true one."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.seconds = 100.0

    def __call__(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, **span: float) -> None:
        """Let time pass."""
        self.time += timedelta(**span)
        self.seconds += timedelta(**span).total_seconds()

    def jump(self, **span: float) -> None:
        """Set the wall clock; no time passes."""
        self.time += timedelta(**span)


class Place(Protocol):
    """Where a database is: every `open` is a further store on the same one."""

    def open(self) -> Store: ...

    def size_bytes(self) -> int: ...


class SqlitePlace:
    def __init__(self, folder: Path, clock: Ticking) -> None:
        self.path = folder / "store.db"
        self._clock = clock
        self._opened: list[Store] = []

    def open(self) -> Store:
        from hypernb.store import SqlStore

        store = SqlStore(
            self.path,
            clock=self._clock,
            monotonic=self._clock.monotonic,
            busy_timeout_s=20.0,
        )
        self._opened.append(store)
        return self._opened[-1]

    def size_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.path.parent.glob("store.db*"))

    def close(self) -> None:
        for store in self._opened:
            store.close()


class PostgresPlace:
    def __init__(self, server: Server, clock: Ticking) -> None:
        self._server = server
        self.url = server.database()
        self._clock = clock
        self._opened: list[Store] = []

    def open(self) -> Store:
        from hypernb.store import SqlStore

        store = SqlStore(
            self.url,
            clock=self._clock,
            monotonic=self._clock.monotonic,
            busy_timeout_s=20.0,
        )
        self._opened.append(store)
        return store

    def size_bytes(self) -> int:
        name = self.url.rpartition("/")[2]
        ((size,),) = self._server.execute("SELECT pg_database_size(current_database())", name)
        return int(size)

    def close(self) -> None:
        for store in self._opened:
            store.close()
        self._server.drop(self.url)


@dataclass
class Underway:
    """A mission that a runner holds."""

    store: Store
    clock: Ticking
    mission: MissionRecord
    lease: LeaseRecord
    ids: dict[str, TaskId] = field(default_factory=dict)

    def task(self, name: str) -> TaskRecord:
        return next(each for each in self.store.tasks(self.mission.id) if each.name == name)

    def change(self, kind: str, task: str | None = None, **facts: Any) -> Change:
        at = facts.pop("at", None) or self.clock()
        return Change(kind, at, None if task is None else self.ids[task], **facts)

    def commit(self, *changes: Change) -> int:
        return self.store.commit(self.mission.id, self.lease, changes)

    def ready(self, task: str) -> Change:
        return self.change("task.readied", task, task_state=TaskState.READY)

    def start(self, task: str, attempt: int = 1, **facts: Any) -> Change:
        return self.change(
            "task.started",
            task,
            attempt=attempt,
            task_state=TaskState.RUNNING,
            attempt_state=AttemptState.RUNNING,
            **facts,
        )

    def finish(self, task: str, attempt: int = 1, **facts: Any) -> Change:
        states = {"task_state": TaskState.SUCCEEDED, "attempt_state": AttemptState.SUCCEEDED}
        return self.change("task.finished", task, attempt=attempt, **(states | facts))

    def run(self, task: str, **facts: Any) -> int:
        return self.commit(self.ready(task), self.start(task), self.finish(task, **facts))


class Bench:
    """Makes missions in a store."""

    def __init__(self, store: Store, clock: Ticking) -> None:
        self.store = store
        self.clock = clock

    def spec(self, *names: str, **fields: Any) -> PlanSpec:
        tasks = tuple(TaskSpec(name=name, work=AgentWork()) for name in names or ("a",))
        return PlanSpec(**({"goal": "count the stars", "tasks": tasks} | fields))

    def proposed(self, *names: str, **fields: Any) -> MissionRecord:
        return self.store.create_mission(self.spec(*names, **fields), by="ada@here")

    def approved(self, *names: str, **fields: Any) -> MissionRecord:
        mission = self.proposed(*names, **fields)
        self.store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="ada@here")
        return mission

    def held(self, *names: str, holder: str = "r-1", **fields: Any) -> Underway:
        mission = self.approved(*names, **fields)
        lease = self.store.take_lease(
            f"mission:{mission.id}", RunnerId(holder), HALF_A_MINUTE, {}
        )
        assert lease is not None
        ids = {task.name: task.id for task in self.store.tasks(mission.id)}
        return Underway(self.store, self.clock, mission, lease, ids)

    def running(self, *names: str, **fields: Any) -> Underway:
        underway = self.held(*names, **fields)
        underway.commit(underway.change("mission.started", mission_state=MissionState.RUNNING))
        return underway


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HYPERNB_DB", raising=False)


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Ticking
) -> Iterator[SqlitePlace | PostgresPlace]:
    """A place of each kind of database that there is a store for."""
    made: SqlitePlace | PostgresPlace
    if request.param == "sqlite":
        made = SqlitePlace(tmp_path, clock)
    else:
        made = PostgresPlace(request.getfixturevalue("postgresql"), clock)
    yield made
    made.close()


@pytest.fixture
def store(place: Place) -> Store:
    return place.open()


@pytest.fixture
def bench(store: Store, clock: Ticking) -> Bench:
    return Bench(store, clock)
