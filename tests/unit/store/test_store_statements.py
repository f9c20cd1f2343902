"""Missions without models pay nothing for those that have them: not one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import MissionState
from hypernb.store import SqlStore, _database
from tests.by_hand import Ticking, plan_of, take_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OF_MODELS = (
    *("calls", "messages", "acknowledgements", "agent_states", "kernel_calls"),
    *("lanes", "amendments", "cache_entries"),
)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whatever the database is told from here on."""
    statements: list[str] = []
    opened, watched = _database._pooled, _database._Watcher.__init__

    def pooled(*where: Any) -> Any:
        connection = opened(*where)
        connection.set_trace_callback(statements.append)
        return connection

    def watching(self: Any, connection: Any) -> None:
        watched(self, connection)
        connection.set_trace_callback(statements.append)

    monkeypatch.setattr(_database, "_pooled", pooled)
    monkeypatch.setattr(_database._Watcher, "__init__", watching)
    return statements


@pytest.fixture
def store(said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    opened = SqlStore(tmp_path / "store.db", clock=Ticking())
    said.clear()
    yield opened
    opened.close()


def test_mission_without_models_runs_without_a_word_about_them(
    store: SqlStore, said: list[str]
) -> None:
    mission = store.create_mission(plan_of("a", "b"), by="ada")
    store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="ada")
    held = take_up(store, mission, store._now)
    held.commit(held.change("mission.started", mission_state=MissionState.RUNNING))
    for task in "ab":
        held.run(task)
    assert len(said) > 20
    told = [each for each in said if any(f" {table}" in each for table in OF_MODELS)]
    assert told == []


def test_view_of_a_mission_without_models_asks_once_for_keys(
    store: SqlStore, said: list[str]
) -> None:
    mission = store.create_mission(plan_of("a"), by="ada")
    store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="ada")
    said.clear()
    for look in (store.snapshot, store.snapshot, lambda each: store.since(each, 0)):
        look(mission.id)
    asked = [each for each in said if "json_extract(plans.spec" in each]
    assert (len(asked), said[-1].strip()[:9]) == (1, "WITH news")
