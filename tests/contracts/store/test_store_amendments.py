"""Amendments, and the keys that missions wait for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from hypernb.errors import ApprovalError, TransitionError, UnknownNameError, UsageError
from hypernb.model import AgentWork, MissionState, ModelSpec, RunnerId, TaskSpec, Usage
from tests.by_hand import take_up

if TYPE_CHECKING:
    from pathlib import Path

    from hypernb.abc import Store

Bench = Any
Clock = Any
Place = Any
URL = "https://api.example.com/v1"
LARGE = ModelSpec(name="large-1", base_url=URL, key="A_KEY", key_id="aa")
SMALL = ModelSpec(name="small-1", base_url="http://localhost:1/v1")
MINUTE = timedelta(minutes=1)


def test_an_amendment_is_signed_kept_and_told_of(bench: Bench, store: Store) -> None:
    held = bench.running("a", models={"main": LARGE})
    mission = held.mission.id
    first = store.amend(mission, budget=5, by="ada@here")
    second = store.amend(mission, models={"main": SMALL}, by="ada@here")
    assert store.amendments(mission) == [first, second]
    assert (first.budget, first.plan_hash) == (5.0, held.mission.plan_hash)
    assert second.models == {"main": SMALL}
    assert [each.payload for each in store.events(mission, kinds=("budget.raised",))] == [
        {"budget": 5.0, "models": {}, "hosts": {}, "by": "ada@here"},
        {
            "budget": None,
            "models": {"main": "small-1"},
            "hosts": {"main": SMALL.host},
            "by": "ada@here",
        },
    ]
    # The runner is told, for what runs is asked by its new terms from the next call on.
    assert [each.kind for each in store.commands()] == ["start", "amend", "amend"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param("budget", "1000000.0", id="budget"),
        pytest.param("by_user", "'eve'", id="by whom"),
        pytest.param("plan_hash", "'abc'", id="plan"),
        pytest.param("models", "'{\"main\": 1}'", id="models that are none"),
        pytest.param("models", "'[]'", id="models of another kind"),
    ],
)
def test_an_amendment_that_was_changed_does_not_count(
    bench: Bench, store: Any, column: str, value: str
) -> None:
    held = bench.running("a", models={"main": LARGE})
    store.amend(held.mission.id, budget=5, by="ada@here")
    with store._database.writing() as connection:
        change = f"UPDATE amendments SET {column} = {value}"  # noqa: S608 - names of this file
        connection.execute(text(change))
    assert store.amendments(held.mission.id) == []


def test_an_amendment_that_was_copied_brings_back_no_terms(bench: Bench, store: Any) -> None:
    held = bench.running("a", models={"main": LARGE})
    mission = held.mission.id
    store.amend(mission, budget=100, by="ada@here")
    store.amend(mission, budget=5, by="ada@here")
    columns = "mission_id, plan_hash, by_user, at, budget, models, signature"
    with store._database.writing() as connection:
        copied = (
            f"INSERT INTO amendments ({columns}) SELECT {columns} "  # noqa: S608 - as above
            "FROM amendments WHERE budget = 100"
        )
        connection.execute(text(copied))
    assert [each.budget for each in store.amendments(mission)] == [100, 5]
    assert store.amend(mission, budget=6, by="ada@here") == store.amendments(mission)[-1]


def test_amendments_keep_their_order_when_the_clock_is_set_back(
    bench: Bench, store: Store, clock: Clock
) -> None:
    held = bench.running("a", models={"main": LARGE})
    store.amend(held.mission.id, budget=100, by="ada@here")
    clock.jump(hours=-1)
    store.amend(held.mission.id, budget=5, by="ada@here")
    assert [each.budget for each in store.amendments(held.mission.id)] == [100, 5]


def test_an_amendment_of_somebody_else_does_not_count(
    bench: Bench, place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    held = bench.running("a")
    held.store.amend(held.mission.id, budget=5, by="ada@here")
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "another"))
    other = place.open()
    assert other.amendments(held.mission.id) == []
    with pytest.raises(ApprovalError, match="not given by you"):
        other.amend(held.mission.id, budget=6, by="eve@here")


def test_only_a_mission_under_way_is_amended(bench: Bench, store: Store) -> None:
    waiting = bench.proposed("a")
    with pytest.raises(TransitionError):
        store.amend(waiting.id, budget=5, by="ada@here")
    held = bench.running("a")
    held.commit(held.change("mission.paused", mission_state=MissionState.PAUSED))
    assert store.amend(held.mission.id, budget=5, by="ada@here").budget == 5
    held.commit(held.change("mission.finished", mission_state=MissionState.CANCELLED))
    with pytest.raises(TransitionError):
        store.amend(held.mission.id, budget=6, by="ada@here")


def test_a_mission_that_is_approved_and_has_not_begun_is_amended(
    bench: Bench, store: Store
) -> None:
    mission = bench.approved("a", models={"main": LARGE})
    store.amend(mission.id, models={"main": SMALL}, by="ada@here")
    assert [each.models for each in store.amendments(mission.id)] == [{"main": SMALL}]
    # A runner is told, for it may have left the mission alone.
    assert [each.kind for each in store.commands()] == ["start", "amend"]


def test_terms_that_cannot_be_are_refused(bench: Bench, store: Store) -> None:
    held = bench.running("a", models={"main": LARGE})
    held.run("a")
    held.commit(held.change("budget.settled", "a", attempt=1, usage=Usage(3.0)))
    mission = held.mission.id
    for budget in (2.99, -1.0, float("nan"), float("inf"), 1e10):
        with pytest.raises(UsageError, match="budget of m-1"):
            store.amend(mission, budget=budget, by="ada@here")
    with pytest.raises(UsageError, match="Nothing"):
        store.amend(mission, by="ada@here")
    with pytest.raises(UnknownNameError, match="main"):
        store.amend(mission, models={"mai": SMALL}, by="ada@here")
    assert store.amendments(mission) == []


# -- keys --------------------------------------------------------------------------------


def lacks(store: Store, mission: Any) -> tuple[str, ...]:
    """What a snapshot and a reader of changes are told, which is the same."""
    found = store.snapshot(mission.id).lacks
    assert store.since(mission.id, 0).lacks == found
    return found


def asking(models: dict[str, ModelSpec]) -> dict[str, Any]:
    """Fields of a plan in which a task asks each model; the tasks have the models' names."""
    tasks = tuple(TaskSpec(name=name, work=AgentWork(model=name)) for name in models)
    return {"tasks": tasks, "models": models}


def runner(store: Store, name: str, *keys: Any) -> None:
    assert store.take_lease(f"runner:{name}", RunnerId(name), MINUTE, {"keys": list(keys)})


def test_an_approved_mission_says_which_keys_nobody_has(bench: Bench, store: Store) -> None:
    of_its_host = LARGE.model_copy(update={"key": "B_KEY", "key_id": ""})
    models = {"main": LARGE, "spare": of_its_host, "local": SMALL}
    draft = bench.proposed(**asking(models))
    assert lacks(store, draft) == ()
    mission = bench.approved(**asking(models))
    assert lacks(store, mission) == ("A_KEY", "B_KEY")
    runner(store, "r-0", "A_KEY:another", "B_KEY:bb", "B_KEY:@other.example")
    assert lacks(store, mission) == ("A_KEY", "B_KEY")
    runner(store, "r-1", "A_KEY:another", f"B_KEY:@{LARGE.host}", 7)
    assert lacks(store, mission) == ("A_KEY",)
    runner(store, "r-2", "A_KEY:aa")
    assert len(lacks(store, mission)) == 1
    runner(store, "r-3", "A_KEY:aa", f"B_KEY:@{LARGE.host}")
    assert lacks(store, mission) == ()


def test_a_model_that_no_task_asks_any_more_needs_no_key(bench: Bench, store: Store) -> None:
    held = bench.running(**asking({"main": SMALL, "first": LARGE}))
    mission = held.mission
    unasked = bench.approved(models={"main": LARGE})
    assert lacks(store, unasked) == ()
    held.commit(held.ready("first"), held.start("first"))
    store.release_lease(held.lease)
    assert lacks(store, mission) == ("A_KEY",)
    again = take_up(store, mission, bench.clock)
    again.commit(again.finish("first"))
    store.release_lease(again.lease)
    assert lacks(store, mission) == ()


def test_a_mission_that_a_runner_holds_lacks_nothing(bench: Bench, store: Store) -> None:
    held = bench.running(**asking({"main": LARGE}))
    assert lacks(store, held.mission) == ()
    store.release_lease(held.lease)
    assert lacks(store, held.mission) == ("A_KEY",)
    store.amend(held.mission.id, models={"main": SMALL}, by="ada@here")
    assert lacks(store, held.mission) == ()


def test_a_mission_that_has_ended_lacks_nothing(bench: Bench, store: Store) -> None:
    held = bench.running(**asking({"main": LARGE}))
    held.commit(held.change("mission.finished", mission_state=MissionState.FAILED))
    store.release_lease(held.lease)
    assert lacks(store, held.mission) == ()


def test_a_mission_that_is_replayed_lacks_nothing(bench: Bench, store: Store) -> None:
    tape = {"cassette": "replay:/tapes/a.jsonl"}
    mission = bench.approved(**asking({"main": LARGE}), **tape)
    assert lacks(store, mission) == ()


def test_keys_that_a_runner_tells_of_oddly_are_none(bench: Bench, store: Store) -> None:
    mission = bench.approved(**asking({"main": LARGE}))
    assert store.take_lease("runner:x", RunnerId("x"), MINUTE, {"keys": "A_KEY:aa"})
    assert store.take_lease("runner:y", RunnerId("y"), MINUTE, {"keys": {"A_KEY:aa": 1}})
    assert lacks(store, mission) == ("A_KEY",)


def test_revised_plan_says_anew_which_keys_it_needs(bench: Bench, store: Store) -> None:
    mission = bench.proposed(**asking({"main": LARGE}))
    assert lacks(store, mission) == ()
    revised = store.revise_plan(mission.id, bench.spec("a"), by="ada@here")
    store.approve(mission.id, revision=2, plan_hash=revised.plan_hash, by="ada@here")
    assert lacks(store, replace(mission, revision=2)) == ()
