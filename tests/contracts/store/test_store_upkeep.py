"""Upkeep: the store stays bounded, and nothing that anybody needs goes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hypernb import codec
from hypernb.abc import Payload
from hypernb.codec import digest
from hypernb.errors import StoreError, UnknownMissionError
from hypernb.model import MissionState, Report, Retention, RunnerId, Swept, TaskState

if TYPE_CHECKING:
    from hypernb.abc import Store

Bench = Any
Clock = Any
Place = Any

KEEP = Retention(days=90, missions=2)
NOTHING = Retention(days=0, missions=0)
MINUTE = timedelta(minutes=1)


def text(said: str) -> Payload:
    return Payload("text/plain", said.encode(), said)


def ended(bench: Bench, store: Store, goal: str = "look", output: str = "") -> Any:
    """A mission of one task that has succeeded."""
    underway = bench.running("a", goal=goal)
    known = store.put_artifact(text(output or goal))
    underway.run("a", output=known, text=output or goal)
    underway.commit(underway.change("mission.finished", mission_state=MissionState.SUCCEEDED))
    store.release_lease(underway.lease)
    return underway.mission


def short_ids(store: Store) -> list[str]:
    return [mission.short_id for mission in store.missions()][::-1]


def test_missions_that_ended_long_ago_are_forgotten_but_for_the_newest(
    bench: Bench, store: Store, clock: Clock
) -> None:
    for number in range(4):
        ended(bench, store, f"goal {number}")
    clock.advance(days=89)
    assert store.sweep(KEEP).missions == ()
    clock.advance(days=2)
    assert store.sweep(KEEP).missions == (("m-1", "goal 0"), ("m-2", "goal 1"))
    assert short_ids(store) == ["m-3", "m-4"]
    assert store.sweep(KEEP) == Swept()


@pytest.mark.parametrize(
    ("retention", "left"),
    [
        pytest.param(Retention(days=0, missions=1), ["m-3"], id="by count alone"),
        pytest.param(Retention(days=1, missions=0), [], id="by age alone"),
        pytest.param(Retention(forgets=False), ["m-1", "m-2", "m-3"], id="not at all"),
        pytest.param(Retention(), ["m-1", "m-2", "m-3"], id="as by default"),
    ],
)
def test_missions_are_kept_by_age_and_count(
    bench: Bench, store: Store, clock: Clock, retention: Retention, left: list[str]
) -> None:
    for _ in range(3):
        ended(bench, store)
    clock.advance(days=100)
    store.sweep(retention)
    assert short_ids(store) == left


def test_missions_that_have_not_ended_are_never_forgotten(
    bench: Bench, store: Store, clock: Clock
) -> None:
    bench.proposed("a")
    bench.running("a")
    clock.advance(days=10_000)
    assert store.sweep(NOTHING).missions == ()
    assert short_ids(store) == ["m-1", "m-2"]


def test_ended_mission_with_a_retry_to_come_is_kept(
    bench: Bench, store: Store, clock: Clock
) -> None:
    mission = ended(bench, store)
    seq = store.send("retry", mission.id, by="ada@here")
    clock.advance(days=1)
    assert store.sweep(NOTHING, only_look=True).missions == ()
    assert store.sweep(NOTHING).missions == ()
    store.answer_command(seq, "refused: it has succeeded")
    assert len(store.sweep(NOTHING).missions) == 1


def test_command_that_leads_nowhere_keeps_no_mission(
    bench: Bench, store: Store, clock: Clock
) -> None:
    store.send("cancel", ended(bench, store).id, by="ada@here")
    clock.advance(days=1)
    assert len(store.sweep(NOTHING).missions) == 1


def test_ended_mission_that_a_runner_holds_is_kept(
    bench: Bench, store: Store, clock: Clock
) -> None:
    mission = ended(bench, store)
    clock.advance(days=1)
    lease = store.take_lease(f"mission:{mission.id}", RunnerId("r-2"), MINUTE, {})
    assert lease is not None
    assert store.sweep(NOTHING, only_look=True).missions == ()
    assert store.sweep(NOTHING).missions == ()
    store.release_lease(lease)
    assert len(store.sweep(NOTHING).missions) == 1


def test_lease_of_a_runner_that_is_gone_keeps_no_mission(
    bench: Bench, store: Store, clock: Clock
) -> None:
    mission = ended(bench, store)
    assert store.take_lease(f"mission:{mission.id}", RunnerId("r-2"), MINUTE, {})
    clock.advance(minutes=2)
    assert len(store.sweep(NOTHING).missions) == 1


def test_all_that_belongs_to_a_forgotten_mission_goes(
    bench: Bench, store: Store, clock: Clock
) -> None:
    mission = ended(bench, store, "the stars", output="unicorn")
    other = ended(bench, store, "the moon", output="dragon")
    clock.advance(days=100)
    store.sweep(Retention(days=1, missions=1))
    with pytest.raises(UnknownMissionError):
        store.mission(mission.id)
    with pytest.raises(StoreError):
        store.artifact(digest(b"unicorn"))
    for table in ("plans", "tasks", "attempts", "events", "approvals", "commands"):
        sql = "SELECT count(*) FROM {} WHERE mission_id = '{}'"
        assert store.query(sql.format(table, mission.id))[1] == [(0,)]
    assert (store.find("unicorn"), len(store.find("dragon"))) == ([], 1)
    assert store.artifact(digest(b"dragon"))[1] == b"dragon"
    assert store.mission(other.id).state is MissionState.SUCCEEDED
    assert store.check() == []


def test_an_event_tells_what_was_forgotten(bench: Bench, store: Store, clock: Clock) -> None:
    mission = ended(bench, store, "the stars")
    events = len(store.events(mission.id))
    clock.advance(days=100)
    store.sweep(Retention(days=1, missions=0))
    told = store.events()[-1]
    assert (told.kind, told.mission_id) == ("missions.forgotten", None)
    assert told.payload == {"missions": {"m-1": "the stars"}, "events": events}


def test_looking_removes_nothing(bench: Bench, store: Store, clock: Clock) -> None:
    ended(bench, store, "the stars")
    clock.advance(days=100)
    retention = Retention(days=1, missions=0)
    would = store.sweep(retention, only_look=True)
    assert (would.missions, would.artifacts, would.size_bytes) == (
        (("m-1", "the stars"),),
        1,
        9,
    )
    assert short_ids(store) == ["m-1"]
    assert store.sweep(retention) == would


def test_artifacts_are_kept_by_what_names_them(
    bench: Bench, store: Store, clock: Clock
) -> None:
    output, listed, handed_in = text("output"), text("listed"), text("handed in")
    left = store.put_artifact(listed)
    report = codec.encode(Report(agent="qa", task="a", summary="done", files={"a.txt": left}))
    underway = bench.running("a", inputs={"df": store.put_artifact(handed_in)})
    underway.run("a", output=store.put_artifact(report))
    stray = store.put_artifact(text("stray"))
    second = bench.running("a")
    second.run("a", output=store.put_artifact(output))
    clock.advance(days=1)
    swept = store.sweep(KEEP)
    assert (swept.artifacts, swept.size_bytes) == (1, 5)
    with pytest.raises(StoreError):
        store.artifact(stray)
    for kept in (output, listed, handed_in, report):
        assert store.artifact(digest(kept.data))[1] == kept.data


def test_output_that_was_just_stored_is_kept_until_it_is_named(
    bench: Bench, store: Store, clock: Clock
) -> None:
    underway = bench.running("a")
    known = store.put_artifact(text("soon"))
    clock.advance(minutes=59)
    assert store.sweep(KEEP).artifacts == 0
    assert store.put_artifact(text("soon")) == known
    clock.advance(minutes=59)
    assert store.sweep(KEEP).artifacts == 0
    underway.run("a", output=known)
    clock.advance(days=1)
    assert store.sweep(KEEP).artifacts == 0


def test_fork_outlives_its_origin(bench: Bench, store: Store, clock: Clock) -> None:
    origin = ended(bench, store, "the stars", output="unicorn")
    fork = store.create_mission(store.plan(origin.id), by="eve", forked_from=origin.id)
    clock.advance(days=100)
    assert store.sweep(Retention(days=1, missions=0)).missions == (("m-1", "the stars"),)
    [task] = store.tasks(fork.id)
    assert (task.state, task.output) == (TaskState.SUCCEEDED, digest(b"unicorn"))
    assert store.artifact(digest(b"unicorn"))[1] == b"unicorn"
    assert store.mission(fork.id).forked_from == "m-1"
    store.revise_plan(fork.id, store.plan(fork.id), by="eve")
    assert [task.state for task in store.tasks(fork.id)] == [TaskState.PENDING]


def test_numbers_are_not_used_again(bench: Bench, store: Store, clock: Clock) -> None:
    ended(bench, store)
    last = store.last_seq()
    clock.advance(days=100)
    store.sweep(Retention(days=1, missions=0))
    assert ended(bench, store).short_id == "m-2"
    assert min(event.seq for event in store.events()) > last


def test_a_store_that_is_swept_stays_bounded(
    bench: Bench, store: Store, clock: Clock, place: Place
) -> None:
    sizes = []
    for round_ in range(10):
        for number in range(20):
            ended(bench, store, f"goal {round_} {number}", output="x" * 20_000)
        clock.advance(days=100)
        store.sweep(Retention(days=1, missions=5))
        store.checkpoint()
        sizes.append(place.size_bytes())
    assert sizes[-1] <= 1.05 * sizes[3]  # the first rounds make room for the search's index


def test_full_state_snapshots_of_a_mission_are_never_stored(bench: Bench, store: Store) -> None:
    def size(tasks: int) -> int:
        names = [f"t{number:04}" for number in range(tasks)]
        underway = bench.running(*names)
        for name in names:
            underway.run(name)
        sql = "SELECT sum(length(payload) + length(kind)) FROM events WHERE mission_id = '{}'"
        return int(store.query(sql.format(underway.mission.id))[1][0][0])

    few, many = size(20), size(200)
    assert many < 11 * few  # in proportion to the tasks, not to their square


def test_old_events_about_no_mission_are_forgotten_too(
    bench: Bench, store: Store, clock: Clock
) -> None:
    store.record("runner.started", {})
    store.record("runner.stopped", {})
    clock.advance(days=100)
    kept = ended(bench, store)
    store.record("runner.started", {})
    store.sweep(KEEP)
    kinds = [event.kind for event in store.events() if event.mission_id is None]
    assert kinds == ["runner.started"]
    assert store.events(kept.id) != []
    assert store.check() == []


@pytest.mark.parametrize("days", [1e9, float("inf")])
def test_for_ever_is_a_time_to_keep_missions(bench: Bench, store: Store, days: float) -> None:
    ended(bench, store, "old")
    assert store.sweep(Retention(days=days, missions=10**20)).missions == ()
    assert len(store.missions()) == 1
