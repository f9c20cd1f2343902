"""Stores to try the contract on, and missions under way in them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from hypernb.model import MissionState
from tests import by_hand
from tests.by_hand import Underway, plan_of, take_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypernb.abc import Store
    from hypernb.model import MissionRecord, PlanSpec
    from tests.postgresql import Server


class Ticking(by_hand.Ticking):
    """A wall clock that goes on by a millisecond whenever it is looked at, and a true one."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 100.0

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


class Bench:
    """Makes missions in a store."""

    def __init__(self, store: Store, clock: Ticking) -> None:
        self.store = store
        self.clock = clock

    def spec(self, *names: str, **fields: Any) -> PlanSpec:
        return plan_of(*names, **fields)

    def proposed(self, *names: str, **fields: Any) -> MissionRecord:
        return self.store.create_mission(self.spec(*names, **fields), by="ada@here")

    def approved(self, *names: str, **fields: Any) -> MissionRecord:
        mission = self.proposed(*names, **fields)
        self.store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="ada@here")
        return mission

    def held(self, *names: str, holder: str = "r-1", **fields: Any) -> Underway:
        mission = self.approved(*names, **fields)
        return take_up(self.store, mission, self.clock, holder=holder)

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
