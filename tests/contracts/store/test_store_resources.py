"""What a store promises of resources: see `Store.take_permits` and `Store.limit_resource`."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import LeaseLostError
from hypernb.model import AttemptState, Hurdle, MissionState, Refusal, RunnerId, TaskState

if TYPE_CHECKING:
    from hypernb.abc import Store
    from hypernb.model import Wait
    from tests.by_hand import Underway
    from tests.contracts.store.conftest import Bench, Place, Ticking


def ask(underway: Underway, task: str, *names: str, attempt: int = 1) -> Wait | None:
    return underway.store.take_permits(underway.lease, underway.ids[task], attempt, names)


def begin(underway: Underway, task: str, *names: str) -> None:
    assert ask(underway, task, *names) is None
    underway.commit(underway.ready(task), underway.start(task))


def held(store: Store) -> dict[str, int]:
    return {use.resource.name: use.held for use in store.resources() if use.held}


def refuse(underway: Underway, task: str, after_s: float | None, *names: str) -> None:
    states = {"task_state": TaskState.WAITING, "attempt_state": AttemptState.REFUSED}
    refusal = Refusal(names, after_s)
    change = underway.change("task.deferred", task, attempt=1, refusal=refusal, **states)
    underway.commit(change)


def test_no_more_permits_are_out_than_the_limit(store: Store, bench: Bench) -> None:
    store.limit_resource("model", at_once=2)
    one, other = bench.running("a", "b"), bench.running("a", "b")
    assert ask(one, "a", "model") is None
    assert ask(other, "a", "model") is None
    wait = ask(one, "b", "model")
    assert wait is not None
    assert (wait.resource, wait.hurdle, wait.held, wait.limit) == ("model", Hurdle.FULL, 2, 2)
    assert wait.after_s is None
    assert held(store) == {"model": 2}


def test_all_or_none_are_taken(store: Store, bench: Bench) -> None:
    store.limit_resource("model", at_once=5)
    store.limit_resource("suite", at_once=1)
    underway = bench.running("a", "b")
    assert ask(underway, "a", "suite") is None
    wait = ask(underway, "b", "model", "suite")
    assert wait is not None
    assert wait.resource == "suite"
    assert held(store) == {"suite": 1}


def test_asking_twice_takes_once(store: Store, bench: Bench) -> None:
    store.limit_resource("suite", at_once=1, rate_per_s=0.001)
    underway = bench.running("a")
    assert ask(underway, "a", "suite") is None
    assert ask(underway, "a", "suite") is None
    assert held(store) == {"suite": 1}


def test_resource_without_limit_is_counted(store: Store, bench: Bench) -> None:
    underway = bench.running(*"abcdefgh")
    for name in "abcdefgh":
        assert ask(underway, name, "model") is None
    assert held(store) == {"model": 8}


@pytest.mark.parametrize(
    ("task", "attempt"),
    [
        (TaskState.SUCCEEDED, AttemptState.SUCCEEDED),
        (TaskState.FAILED, AttemptState.FAILED),
        (TaskState.READY, AttemptState.ABANDONED),
        (TaskState.CANCELLED, AttemptState.CANCELLED),
        (TaskState.WAITING, AttemptState.REFUSED),
    ],
)
def test_end_of_attempt_gives_permits_back(
    store: Store, bench: Bench, task: TaskState, attempt: AttemptState
) -> None:
    store.limit_resource("suite", at_once=1)
    underway = bench.running("a", "b")
    begin(underway, "a", "suite", "model")
    underway.commit(
        underway.change("x.ended", "a", attempt=1, task_state=task, attempt_state=attempt)
    )
    assert held(store) == {}
    assert ask(underway, "b", "suite") is None


def test_other_attempts_keep_theirs(store: Store, bench: Bench) -> None:
    underway = bench.running("a", "b")
    begin(underway, "a", "model")
    begin(underway, "b", "model")
    underway.commit(underway.finish("a"))
    assert held(store) == {"model": 1}


def test_permits_end_with_the_mission(store: Store, bench: Bench) -> None:
    store.limit_resource("suite", at_once=1)
    gone, other = bench.running("a"), bench.running("a")
    assert ask(gone, "a", "suite") is None
    gone.commit(
        gone.change("task.finished", "a", task_state=TaskState.CANCELLED),
        gone.change("mission.finished", mission_state=MissionState.CANCELLED),
    )
    assert ask(other, "a", "suite") is None


def test_permits_end_with_the_lease(store: Store, bench: Bench) -> None:
    store.limit_resource("suite", at_once=1)
    gone, other = bench.running("a"), bench.running("a")
    assert ask(gone, "a", "suite") is None
    store.release_lease(gone.lease)
    assert ask(other, "a", "suite") is None


def test_permits_of_a_silent_runner_end_with_the_next_lease(
    store: Store, bench: Bench, clock: Ticking
) -> None:
    store.limit_resource("suite", at_once=1)
    silent = bench.running("a")
    assert ask(silent, "a", "suite") is None
    resource, ttl = silent.lease.resource, timedelta(seconds=30)
    assert store.take_lease(resource, RunnerId("r-2"), ttl, {}) is None
    clock.advance(seconds=31)
    lease = store.take_lease(resource, RunnerId("r-2"), ttl, {})
    assert lease is not None
    assert held(store) == {}
    with pytest.raises(LeaseLostError):
        ask(silent, "a", "suite")
    assert store.take_permits(lease, silent.ids["a"], 1, ["suite"]) is None


def test_rate_is_that_of_all_missions(store: Store, bench: Bench, clock: Ticking) -> None:
    store.limit_resource("model", rate_per_s=1.0, burst=2)
    one, other = bench.running("a", "b"), bench.running("a", "b")
    assert ask(one, "a", "model") is None
    assert ask(other, "a", "model") is None
    wait = ask(other, "b", "model")
    assert wait is not None
    assert wait.hurdle is Hurdle.RATE
    assert wait.after_s == pytest.approx(1.0, abs=0.1)
    clock.advance(seconds=wait.after_s or 0.0)
    assert ask(other, "b", "model") is None
    assert ask(one, "b", "model") is not None


def test_refusal_closes_the_resource_for_all(bench: Bench, clock: Ticking) -> None:
    one, other = bench.running("a", "b"), bench.running("a")
    begin(one, "a", "model")
    refuse(one, "a", 20.0)
    wait = ask(other, "a", "model")
    assert wait is not None
    assert wait.hurdle is Hurdle.CLOSED
    assert wait.after_s == pytest.approx(20.0, abs=0.1)
    clock.advance(seconds=20)
    assert ask(other, "a", "model") is None


def test_refusal_of_one_resource_closes_no_other(bench: Bench) -> None:
    underway = bench.running("a", "b")
    begin(underway, "a", "model", "disk")
    refuse(underway, "a", 20.0, "model")
    assert ask(underway, "b", "disk") is None
    assert ask(underway, "b", "disk", "model") is not None


def test_what_was_learnt_is_in_the_store(place: Place, bench: Bench, clock: Ticking) -> None:
    underway = bench.running(*"abcd")
    for name in "abcd":
        begin(underway, name, "model")
    refuse(underway, "a", 5.0)
    clock.advance(seconds=5)
    (use,) = place.open().resources()
    assert (use.held, use.resource.limit, use.resource.refusals) == (3, 2, 1)
    underway.commit(underway.finish("b"), underway.finish("c"))
    (use,) = place.open().resources()
    assert (use.held, use.resource.refusals) == (1, 0)
    assert use.resource.ceiling == pytest.approx(2.9)


def test_new_limit_forgets_what_was_learnt(store: Store, bench: Bench) -> None:
    underway = bench.running("a")
    begin(underway, "a", "model")
    refuse(underway, "a", 3600.0)
    store.limit_resource("model", at_once=3)
    (use,) = store.resources()
    assert (use.resource.limit, use.resource.closed_at) == (3, None)


def test_many_who_ask_at_once_get_no_more_than_there_are(place: Place, bench: Bench) -> None:
    names = [f"t{number}" for number in range(24)]
    underway = bench.running(*names)
    underway.store.limit_resource("model", at_once=5)
    granted: list[str] = []
    gate = threading.Barrier(4)

    def claim(own: list[str]) -> None:
        store = place.open()
        gate.wait()
        ids = {name: underway.ids[name] for name in own}
        granted.extend(
            name
            for name, task in ids.items()
            if store.take_permits(underway.lease, task, 1, ["model"]) is None
        )

    threads = [threading.Thread(target=claim, args=(names[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 5
    assert held(underway.store) == {"model": 5}


def test_attempt_that_failed_teaches_nothing(
    store: Store, bench: Bench, clock: Ticking
) -> None:
    underway = bench.running(*"abcd")
    for name in "abcd":
        begin(underway, name, "model")
    refuse(underway, "a", 1.0)
    clock.advance(seconds=1)
    (before,) = store.resources()
    states = {"task_state": TaskState.FAILED, "attempt_state": AttemptState.FAILED}
    underway.commit(underway.change("task.finished", "b", attempt=1, **states))
    (after,) = store.resources()
    assert after.resource == before.resource


def test_refusals_of_one_moment_halve_once(store: Store, bench: Bench) -> None:
    underway = bench.running(*"abcdefgh")
    for name in "abcdefgh":
        begin(underway, name, "model")
    states = {"task_state": TaskState.WAITING, "attempt_state": AttemptState.REFUSED}
    refusal = Refusal((), 0.0)
    underway.commit(
        *(
            underway.change("task.deferred", name, attempt=1, refusal=refusal, **states)
            for name in "abcdefgh"
        )
    )
    (use,) = store.resources()
    assert use.resource.limit == 4


def test_resource_that_closes_while_one_waits_to_write_is_closed(
    place: Place, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = bench.running("a")
    begin(other, "a", "model")
    underway = bench.running("a")
    store: Any = place.open()
    writing = store._database.writing

    def after_a_refusal(**terms: Any) -> Any:
        monkeypatch.undo()
        refuse(other, "a", 20.0)
        return writing(**terms)

    monkeypatch.setattr(store._database, "writing", after_a_refusal)
    wait = store.take_permits(underway.lease, underway.ids["a"], 1, ["model"])
    assert wait is not None
    assert wait.hurdle is Hurdle.CLOSED


def test_resource_named_twice_is_taken_once(store: Store, bench: Bench) -> None:
    underway = bench.running("a")
    assert ask(underway, "a", "model", "model") is None
    assert held(store) == {"model": 1}


def test_limits_taken_away_leave_nothing(store: Store) -> None:
    store.limit_resource("model", at_once=3)
    store.limit_resource("model")
    assert store.resources() == []
