"""What a view follows a mission by: one step for all that has changed since an event."""

from __future__ import annotations

import multiprocessing
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import UnknownMissionError
from hypernb.model import MissionId, Retention, TaskId, Usage

if TYPE_CHECKING:
    from hypernb.abc import Store
    from hypernb.model import Event, Since

Bench = Any
Clock = Any
Place = Any
Underway = Any


def _names(since: Since) -> list[str]:
    return [task.name for task in since.tasks]


def test_since_tells_what_changed_after_an_event(bench: Bench, store: Store) -> None:
    underway = bench.running("a", "b")
    before = store.last_seq()
    last = underway.run("b")
    since = store.since(underway.mission.id, before)
    assert since.events == tuple(store.events(underway.mission.id, after=before))
    assert (since.seq, since.more, since.plan_changed) == (last, False, False)
    assert list(since.tasks) == [underway.task("b")]
    assert list(since.attempts) == store.attempts(underway.mission.id)
    assert since.mission == store.mission("m-1")


def test_since_the_last_event_there_is_nothing(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    underway.run("a")
    since = store.since(underway.mission.id, last := store.last_seq())
    assert (since.seq, since.events, since.tasks, since.attempts) == (last, (), (), ())


def test_since_is_read_in_portions_without_gaps(bench: Bench, store: Store) -> None:
    underway = bench.running(*(f"t{number}" for number in range(30)))
    for name in underway.ids:
        underway.run(name)
    found: list[Event] = []
    after, more = 0, True
    while more:
        since = store.since(underway.mission.id, after, limit=7)
        found += since.events
        after, more = since.seq, since.more
    assert found == store.events(underway.mission.id)


def test_since_leaves_other_missions_out(bench: Bench, store: Store) -> None:
    one, other = bench.running("a"), bench.running("a")
    before = store.last_seq()
    other.run("a")
    since = store.since(one.mission.id, before)
    assert (since.seq, since.events, since.tasks) == (before, (), ())


def test_signs_of_life_are_in_the_rows_of_tasks_at_work(
    bench: Bench, clock: Clock, store: Store
) -> None:
    underway = bench.running("a", "b")
    underway.commit(underway.ready("a"), underway.start("a"))
    before = store.last_seq()
    clock.advance(seconds=9)
    store.heartbeat({underway.ids["a"]: (at := clock())})
    since = store.since(underway.mission.id, before)
    assert (since.events, _names(since)) == ((), ["a"])
    assert since.tasks[0].heartbeat_at == at


def test_heartbeats_are_read_over(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    before = underway.commit(underway.ready("a"), underway.start("a"))
    last = underway.commit(*(underway.change("task.heartbeat", "a") for _ in range(5)))
    since = store.since(underway.mission.id, before, limit=5)
    assert (since.seq, since.events, since.more) == (last, (), True)
    assert since.counted == 5


def test_since_brings_all_tasks_of_another_revision(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a", "b")
    before = store.last_seq()
    store.revise_plan(mission.id, bench.spec("b", "c"), by="ada@here")
    since = store.since(mission.id, before)
    assert since.plan_changed
    assert list(since.tasks) == store.tasks(mission.id)
    assert since.mission.revision == 2


def test_since_brings_tasks_that_end_with_their_mission(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a", "b")
    before = store.last_seq()
    store.reject(mission.id, reason="no", by="ada@here")
    since = store.since(mission.id, before)
    assert [task.state.value for task in since.tasks] == ["cancelled", "cancelled"]


def test_payments_are_told_once(bench: Bench, store: Store) -> None:
    underway = bench.running("a", "b")
    _pay(underway, "a", Usage(0.25, "m", 10, 5))
    first = store.since(underway.mission.id, 0)
    assert first.spent == {underway.ids["a"]: (0.25, 15)}
    _pay(underway, "b", Usage(0.5))
    _pay(underway, "b", Usage(0.125, "m", 1, 1))
    second = store.since(underway.mission.id, first.seq, paid=first.paid)
    assert second.spent == {underway.ids["b"]: (0.625, 2)}
    third = store.since(underway.mission.id, second.seq, paid=second.paid)
    assert (third.spent, third.paid) == ({}, second.paid)


def _pay(underway: Underway, task: str, usage: Usage) -> None:
    underway.commit(underway.change("budget.settled", task, attempt=1, usage=usage))


def test_since_of_an_unknown_or_forgotten_mission_is_refused(
    bench: Bench, clock: Clock, store: Store
) -> None:
    with pytest.raises(UnknownMissionError):
        store.since(MissionId("01J"), 0)
    mission = bench.proposed("a")
    store.reject(mission.id, reason="", by="ada@here")
    clock.advance(days=100)
    store.sweep(Retention(days=1, missions=0))
    with pytest.raises(UnknownMissionError):
        store.since(mission.id, 0)


def test_events_of_a_mission_are_counted(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    bench.proposed("b")
    events = store.events(underway.mission.id)
    last = store.last_seq()
    assert store.count_events(underway.mission.id, until=last) == len(events)
    assert store.count_events(underway.mission.id, until=events[1].seq) == 2
    assert store.count_events(MissionId("01J"), until=last) == 0


def test_looking_does_not_hide_what_others_commit(bench: Bench, place: Place) -> None:
    mine, theirs = place.open(), bench.running("a")
    mine.changed()
    mine.since(theirs.mission.id, 0)
    theirs.run("a")
    deadline = time.monotonic() + 5
    while not (found := mine.changed()) and time.monotonic() < deadline:
        pass
    assert found


def test_burst_is_read_quickly_beside_a_busy_thread(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    underway.commit(underway.ready("a"), underway.start("a"))
    before = store.last_seq()
    progress = underway.change("task.progressed", "a", note="on", payload={"note": "on"})
    underway.commit(*[progress] * 10_000)
    took: list[float] = []
    seen: list[int] = []

    def read() -> None:
        began, after, more = time.monotonic(), before, True
        while more:
            since = store.since(underway.mission.id, after, limit=1000)
            seen.extend(event.seq for event in since.events)
            after, more = since.seq, since.more
        took.append(time.monotonic() - began)

    reader = threading.Thread(target=read)
    reader.start()
    while reader.is_alive():
        sum(range(1000))  # pure Python, as in a cell that computes
    assert seen == list(range(before + 1, before + 10_001))
    assert took[0] < 3


def _since_in_child(store: Store, mission: MissionId, answers: Any) -> None:
    answers.put(store.since(mission, 0).seq)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_since_works_in_a_forked_child(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a")
    seq = store.since(mission.id, 0).seq
    forking = multiprocessing.get_context("fork")
    answers = forking.SimpleQueue()
    child = forking.Process(target=_since_in_child, args=(store, mission.id, answers))
    child.start()
    assert answers.get() == seq
    child.join()
    assert store.since(mission.id, 0).seq == seq


def test_task_ids_of_payments_are_ids(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    _pay(underway, "a", Usage(0.25))
    [paid_for] = store.since(underway.mission.id, 0).spent
    assert paid_for == TaskId(underway.task("a").id)
