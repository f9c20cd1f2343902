"""The seven promises of `hypernb.abc.Store`, in their own words."""

from __future__ import annotations

import threading
from dataclasses import FrozenInstanceError
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.abc import Payload
from hypernb.codec import PICKLE, digest
from hypernb.errors import (
    ApprovalError,
    HypernbError,
    LeaseLostError,
    TransitionError,
    UntrustedArtifactError,
)
from hypernb.model import Digest, MissionState, RunnerId, TaskState

if TYPE_CHECKING:
    from pathlib import Path

    from hypernb.abc import Store

# Types of fixtures that conftest makes; pytest offers no way to import them.
Bench = Any
Clock = Any
Place = Any


def _everything(store: Store) -> list[tuple[Any, ...]]:
    tables = "missions plans tasks attempts events approvals commands leases artifacts findings"
    sql = "SELECT * FROM {}"
    names = (*tables.split(), "counters")
    return [row for name in names for row in store.query(sql.format(name))[1]]


# 1. A call that returns has committed; a call that raises has changed nothing.


def test_call_that_returns_has_committed(bench: Bench, place: Place) -> None:
    mission = bench.proposed("a", "b")
    other = place.open()
    assert other.mission("m-1") == mission
    assert [task.name for task in other.tasks(mission.id)] == ["a", "b"]


def test_call_that_raises_has_changed_nothing(bench: Bench, store: Store) -> None:
    underway = bench.running("a", "b")
    before = _everything(store)
    good = underway.ready("a")
    with pytest.raises(TransitionError):
        underway.commit(good, underway.finish("b"))
    assert _everything(store) == before


def test_refused_commit_leaves_no_number_behind(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    last = store.last_seq()
    underway.commit(underway.ready("a"))
    with pytest.raises(HypernbError):
        underway.commit(underway.start("a", output=Digest("0" * 64)))
    store.record("runner.started", {})
    assert [event.seq for event in store.events(after=last)] == list(
        range(last + 1, store.last_seq() + 1)
    )


# 2. A state change and its event are one transaction.


def test_state_change_and_event_are_one_transaction(bench: Bench, place: Place) -> None:
    underway = bench.running(*(f"t{number}" for number in range(200)))
    reader, mission = place.open(), underway.mission.id
    seen: list[tuple[int, int]] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.001):
            snapshot = reader.snapshot(mission, events=1000)
            ready = sum(task.state is TaskState.READY for task in snapshot.tasks)
            told = sum(event.kind == "task.readied" for event in snapshot.events)
            seen.append((ready, told))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for start in range(0, 200, 20):
        names = [f"t{number}" for number in range(start, start + 20)]
        underway.commit(*map(underway.ready, names))
    over.set()
    watcher.join()
    assert seen
    assert all(ready == told for ready, told in seen)


# 3. Events are numbered without gaps; who reads on from its last ``seq`` misses nothing and
#    sees nothing twice.


def test_events_are_numbered_without_gaps(bench: Bench, store: Store) -> None:
    bench.running("a").run("a")
    bench.running("b").run("b")
    store.record("runner.stopped", {"why": "idle"})
    numbers = [event.seq for event in store.events()]
    assert numbers == list(range(1, store.last_seq() + 1))


def test_reader_misses_nothing_and_sees_nothing_twice(place: Place) -> None:
    stores = [place.open() for _ in range(3)]
    reader, over, seen = place.open(), threading.Event(), []

    def write(store: Store) -> None:
        for _ in range(40):
            store.record("runner.started", {"by": id(store)})

    def read() -> None:
        last = 0
        while True:
            # A reader without any pause would leave writers no turn of the interpreter.
            is_last_look = over.wait(0.001)
            for event in reader.events(after=last, limit=7):
                seen.append(event.seq)
                last = event.seq
            if is_last_look and last == reader.last_seq():
                return

    following = threading.Thread(target=read, daemon=True)
    writers = [threading.Thread(target=write, args=(each,)) for each in stores]
    for thread in (following, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    over.set()
    following.join()
    assert seen == list(range(1, 121))


# 4. A commit with a lease token that is no longer the newest is refused, and writes nothing.


def test_commit_with_old_token_is_refused(bench: Bench, store: Store, clock: Clock) -> None:
    underway = bench.running("a")
    resource = f"mission:{underway.mission.id}"
    assert store.take_lease(resource, RunnerId("r-2"), timedelta(0), {}) is None
    clock.advance(minutes=1)
    assert store.take_lease(resource, RunnerId("r-2"), timedelta(0), {})
    before = _everything(store)
    with pytest.raises(LeaseLostError, match="r-2"):
        underway.commit(underway.ready("a"))
    assert _everything(store) == before


def test_commit_with_lease_on_another_mission_is_refused(bench: Bench, store: Store) -> None:
    one, other = bench.running("a"), bench.running("b")
    with pytest.raises(LeaseLostError):
        store.commit(one.mission.id, other.lease, [one.ready("a")])


def test_commit_after_release_is_refused(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    store.release_lease(underway.lease)
    with pytest.raises(LeaseLostError, match="nobody"):
        underway.commit(underway.ready("a"))


# 5. Values that were returned never change.


def test_values_that_were_returned_never_change(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    mission, task = store.mission("m-1"), underway.task("a")
    underway.run("a", mission_state=MissionState.SUCCEEDED)
    assert mission.state is MissionState.RUNNING
    assert task.state is TaskState.PENDING
    with pytest.raises(FrozenInstanceError):
        mission.state = MissionState.FAILED  # type: ignore[misc]  # what is tried here


def test_payload_handed_over_can_change_later(store: Store) -> None:
    payload = {"why": "idle"}
    store.record("runner.stopped", payload)
    payload["why"] = "changed"
    assert store.events()[-1].payload == {"why": "idle"}


# 6. Every method can be called from any thread, and from any number of processes at once.


def test_methods_can_be_called_from_any_thread(bench: Bench, store: Store) -> None:
    underway = bench.running(*(f"t{number}" for number in range(8)))
    failed: list[BaseException] = []

    def work(name: str) -> None:
        try:
            underway.run(name)
            store.changed()
            store.snapshot(underway.mission.id)
            store.put_artifact(Payload("text/plain", name.encode()))
            store.find("stars")
            store.query("SELECT count(*) FROM events")
        except BaseException as error:  # noqa: BLE001 - shown by the main thread
            failed.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in underway.ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    states = {task.state for task in store.tasks(underway.mission.id)}
    assert states == {TaskState.SUCCEEDED}


# 7. A pickle or an approval that this user did not sign is never returned as trusted.


def test_pickle_that_another_user_signed_is_never_returned(
    store: Store, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = store.put_artifact(Payload(PICKLE, b"cos\nsystem\n."))
    assert store.artifact(known)[1] == b"cos\nsystem\n."
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "somebody else"))
    with pytest.raises(UntrustedArtifactError):
        place.open().artifact(known)


def test_pickle_is_trusted_after_writing_it_oneself(
    store: Store, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = Payload(PICKLE, b"N.")
    store.put_artifact(payload)
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "somebody else"))
    theirs = place.open()
    assert theirs.put_artifact(payload) == digest(b"N.")
    assert theirs.artifact(digest(b"N."))[1] == b"N."


def test_approval_of_another_user_is_never_trusted(
    bench: Bench, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mission = bench.approved("a")
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "somebody else"))
    theirs = place.open()
    with pytest.raises(ApprovalError, match="not given by you"):
        theirs.approval(mission.id)
    assert theirs.runnable_missions() == []
    assert theirs.snapshot(mission.id).approvals == ()


def test_foreign_approval_can_be_given_anew(
    bench: Bench, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mission = bench.approved("a")
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "somebody else"))
    theirs = place.open()
    given = theirs.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="bob")
    assert theirs.approval(mission.id) == given
    assert [each.id for each in theirs.runnable_missions()] == [mission.id]
