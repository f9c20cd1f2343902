"""Calls of tools that run in kernels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from hypernb import codec
from hypernb.abc import Payload
from hypernb.errors import UnknownMissionError
from hypernb.model import KernelCall, MissionId, Retention, ToolCallState, new_id
from hypernb.store import _tables as t

if TYPE_CHECKING:
    from hypernb.abc import Store
    from tests.by_hand import Underway

Bench = Any
Clock = Any


@pytest.fixture
def held(bench: Bench) -> Underway:
    """A mission of two tasks."""
    made: Underway = bench.running("a", "b")
    return made


def asked(held: Underway, lane: str = "kernel:1", **facts: Any) -> KernelCall:
    call = KernelCall(
        id=new_id(),
        mission_id=held.mission.id,
        task_id=held.ids["a"],
        attempt=1,
        lane=lane,
        tool="lookup",
        state=ToolCallState.WAITING,
        at=held.clock(),
        **facts,
    )
    held.store.ask_kernel(call)
    return call


def test_a_call_waits_in_its_lane_for_its_kernel(held: Underway) -> None:
    calls = [asked(held, arguments={"rows": number}) for number in range(3)]
    other = asked(held, "kernel:2")
    held.store.ask_kernel(calls[0])
    assert held.store.kernel_calls("kernel:1") == calls
    assert held.store.kernel_calls("kernel:2") == [other]
    assert held.store.kernel_call(calls[0].id) == calls[0]
    assert held.store.kernel_call("none") is None


@pytest.mark.parametrize("column", ["id", "tool", "arguments", "attempt", "task_id"])
def test_a_call_that_somebody_else_has_written_or_changed_does_not_wait(
    held: Underway, column: str
) -> None:
    store: Any = held.store
    call = asked(held, arguments={"path": "\udcff\x00", "share": 0.1, "many": (1, 2**70)})
    assert [each.id for each in store.kernel_calls("kernel:1")] == [call.id]
    other = {"task_id": held.ids["b"], "attempt": 2, "arguments": {"path": "/etc/passwd"}}
    rows = t.kernel_calls
    with store._database.writing() as connection:
        connection.execute(update(rows).values({column: other.get(column, "another")}))
    assert store.kernel_calls("kernel:1") == []


def test_one_taker_wins_a_call(held: Underway) -> None:
    call = asked(held)
    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(lambda who: held.store.take_kernel_call(call.id, who), "abcd"))
    assert sorted(won) == [False, False, False, True]
    taken = held.store.kernel_call(call.id)
    assert taken is not None
    assert (taken.state, taken.taken_by) == (ToolCallState.TAKEN, "abcd"[won.index(True)])
    assert held.store.kernel_calls("kernel:1") == []


@pytest.mark.parametrize("answer", ["", 0, [], {"a": [1]}, None, "\x00\udcff"])
def test_an_answer_is_read_back_as_it_was_given(held: Underway, answer: Any) -> None:
    call = asked(held)
    held.store.take_kernel_call(call.id, "k")
    held.store.answer_kernel_call(call.id, answer=answer)
    found = held.store.kernel_call(call.id)
    assert found is not None
    assert found.state is ToolCallState.RETURNED
    wanted = "\N{SYMBOL FOR NULL}\\udcff" if answer == "\x00\udcff" else answer
    assert (found.answer, found.ended_at is None) == (wanted, False)


def test_a_failure_says_why_and_is_final(held: Underway) -> None:
    call = asked(held)
    held.store.answer_kernel_call(call.id, error="it raised ValueError")
    held.store.answer_kernel_call(call.id, answer=1)
    found = held.store.kernel_call(call.id)
    assert found is not None
    assert (found.state, found.error, found.answer) == (
        ToolCallState.FAILED,
        "it raised ValueError",
        None,
    )


def test_what_an_attempt_left_open_is_cancelled_and_not_answered(held: Underway) -> None:
    open_, done = asked(held), asked(held)
    held.store.answer_kernel_call(done.id, answer=1)
    held.store.cancel_kernel_calls(held.ids["a"], 1)
    held.store.answer_kernel_call(open_.id, answer=2)
    states = [held.store.kernel_call(each.id) for each in (open_, done)]
    assert [each and each.state for each in states] == [
        ToolCallState.CANCELLED,
        ToolCallState.RETURNED,
    ]
    assert not held.store.take_kernel_call(open_.id, "late")


def test_of_calls_that_are_over_only_that_there_were_some_can_be_kept(held: Underway) -> None:
    store, value = held.store, held.store.put_artifact(codec.encode("kept"))
    calls = [asked(held, arguments={"city": "Rome"}) for _ in range(3)]
    store.answer_kernel_call(calls[0].id, answer="sunny", value=value)
    store.answer_kernel_call(calls[1].id, error="it raised ValueError")
    store.forget_kernel_calls(held.ids["a"], 2)
    done, failed, open_ = (store.kernel_call(each.id) for each in calls)
    assert done is not None
    assert failed is not None
    assert (done.arguments, done.answer, done.value) == ({}, None, value)
    assert (failed.state, failed.arguments, failed.error) == (ToolCallState.FAILED, {}, "")
    assert open_ == calls[2]


def test_another_kernel_answers_for_one_that_is_gone(held: Underway) -> None:
    store, mission = held.store, held.mission.id
    waits, taken = asked(held), asked(held)
    store.take_kernel_call(taken.id, "gone")
    assert store.lane_of(mission, "kernel:1") == "kernel:1"
    assert store.move_lane(mission, "kernel:1", "kernel:2") == 2
    assert [each.id for each in store.kernel_calls("kernel:2")] == [waits.id, taken.id]
    assert store.move_lane(mission, "kernel:2", "kernel:3") == 2
    assert store.lane_of(mission, "kernel:1") == "kernel:3"
    later = asked(held, "kernel:1")
    assert [each.id for each in store.kernel_calls("kernel:3")][-1] == later.id
    assert store.move_lane(mission, "kernel:3", "kernel:1") == 3
    assert store.lane_of(mission, "kernel:1") == "kernel:1"


def test_lanes_of_other_missions_stay(bench: Bench, held: Underway) -> None:
    other = bench.running("a")
    call = asked(other)
    assert held.store.move_lane(held.mission.id, "kernel:1", "kernel:2") == 0
    assert held.store.kernel_calls("kernel:1") == [call]
    with pytest.raises(UnknownMissionError):
        held.store.move_lane(MissionId("none"), "kernel:1", "kernel:2")


def test_the_value_of_a_call_is_kept(held: Underway, store: Store, clock: Clock) -> None:
    value = store.put_artifact(Payload("text/plain", b"an object"))
    call = asked(held)
    store.answer_kernel_call(call.id, answer="done", value=value)
    clock.advance(days=1)
    store.sweep(Retention())
    found = store.kernel_call(call.id)
    assert found is not None
    assert found.value == value
    assert store.artifact(value)[1] == b"an object"
