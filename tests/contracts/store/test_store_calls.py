"""Calls of models: kept with the changes that tell of them, and summed up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.abc import Payload
from hypernb.errors import LeaseLostError, UnknownNameError, UsageError
from hypernb.model import (
    AgentMessage,
    CallRecord,
    CallState,
    KernelCall,
    MissionId,
    MissionState,
    Retention,
    TaskHistory,
    ToolCallState,
    Usage,
    UsageSum,
    new_id,
)
from tests.by_hand import plan_of

if TYPE_CHECKING:
    from hypernb.abc import Store
    from tests.by_hand import Underway

Bench = Any
Clock = Any
NOTHING = Retention(days=0, missions=0)


def call_of(held: Underway, task: str = "a", **facts: Any) -> CallRecord:
    """A call that a task is about to make."""
    return held.call(task, **({"host": "localhost:1", "reserved": 1.0} | facts))


def settled(
    held: Underway, call: CallRecord, cost: float | None, tokens: int = 10
) -> CallRecord:
    """Settle a call as a runner does: the row, the payment and the event in one change."""
    after = replace(
        call,
        state=CallState.SETTLED,
        ended_at=held.clock(),
        cost=cost,
        input_tokens=tokens,
        output_tokens=1,
    )
    usage = Usage(cost or 0.0, call.model, tokens, 1)
    held.commit(
        held.change("llm.responded", call.task, attempt=1, call=after, usage=usage),
    )
    return after


def at_work(bench: Bench, *names: str) -> Underway:
    held: Underway = bench.running(*names or ("a",))
    for name in names or ("a",):
        held.commit(held.ready(name), held.start(name))
    return held


def test_models_of_one_name_are_told_apart_by_their_hosts(bench: Bench) -> None:
    held = at_work(bench)
    for host, cost in (("here:1", 0.25), ("there:2", 0.5)):
        settled(held, call_of(held, host=host, model="small"), cost)
    settled(held, call_of(held, host="here:1", model="big"), 0.125)
    sums = held.store.usage_sums(["model"])
    assert [(each.keys, each.calls, each.cost) for each in sums] == [
        (("small at there:2",), 1, 0.5),
        (("small at here:1",), 1, 0.25),
        (("big",), 1, 0.125),
    ]


def test_a_call_is_in_the_store_before_it_is_made_and_as_it_ended(bench: Bench) -> None:
    held = at_work(bench)
    call = call_of(held)
    held.commit(held.change("llm.requested", "a", attempt=1, call=call))
    assert held.store.calls(held.mission.id) == [call]
    after = settled(held, call, 0.25)
    assert held.store.calls(held.mission.id) == held.store.calls() == [after]


def test_one_commit_can_tell_of_a_call_twice(bench: Bench) -> None:
    held = at_work(bench)
    call = call_of(held)
    lost = replace(call, state=CallState.LOST, cost=1.0)
    held.commit(
        held.change("llm.requested", "a", attempt=1, call=call),
        held.change("budget.settled", "a", attempt=1, call=lost, usage=Usage(1.0)),
    )
    assert held.store.calls(held.mission.id) == [lost]


def test_many_calls_in_one_commit_are_all_kept(bench: Bench) -> None:
    held = at_work(bench)
    calls = [call_of(held) for _ in range(40)]
    held.commit(*(held.change("llm.requested", "a", attempt=1, call=each) for each in calls))
    assert held.store.calls(held.mission.id) == calls


def test_a_call_stays_that_of_the_mission_that_made_it(bench: Bench) -> None:
    one, other = at_work(bench), at_work(bench)
    call = call_of(one)
    one.commit(one.change("llm.requested", "a", attempt=1, call=call))
    taken = replace(call, state=CallState.SETTLED, cost=9.0, task_id=other.ids["a"])
    other.commit(other.change("llm.responded", "a", attempt=1, call=taken))
    assert one.store.calls() == [call]


def test_no_call_is_written_without_the_newest_lease(bench: Bench) -> None:
    held = at_work(bench)
    held.lease = replace(held.lease, token=held.lease.token - 1)
    with pytest.raises(LeaseLostError):
        held.commit(held.change("llm.requested", "a", attempt=1, call=call_of(held)))
    assert held.store.calls() == []


def test_hostile_text_and_absurd_numbers_of_a_call_are_kept_readable(bench: Bench) -> None:
    held = at_work(bench)
    odd = call_of(held, model="a\x00b\udcff", error="\x00" * 3)
    held.commit(held.change("llm.requested", "a", attempt=1, call=odd))
    after = settled(held, replace(odd, cached_tokens=2**53), 1e9, tokens=2**53)
    (found,) = held.store.calls()
    assert (found.model, found.input_tokens, found.cached_tokens) == (
        "a\N{SYMBOL FOR NULL}b\\udcff",
        after.input_tokens,
        2**53,
    )
    assert held.store.usage_sums(["model"])[0].input_tokens == 2**53


def test_absurd_numbers_of_tokens_can_be_added_up(bench: Bench) -> None:
    held = at_work(bench)
    usage = Usage(0.001, "small-1", 2**53, 2**53)
    held.commit(
        *(held.change("budget.settled", "a", attempt=1, usage=usage) for _ in range(1_500))
    )
    (found,) = held.store.usage_sums(["model"])
    assert found.input_tokens == 1_500 * 2**53
    cost, tokens = held.store.since(held.mission.id, 0).spent[held.ids["a"]]
    assert round(cost, 6) == 1.5
    assert tokens == pytest.approx(3_000 * 2**53)


def test_what_is_no_number_is_not_known(bench: Bench) -> None:
    held = at_work(bench)
    odd = replace(
        call_of(held), cost=float("nan"), reserved=float("inf"), input_tokens=-(2**90)
    )
    held.commit(held.change("llm.responded", "a", attempt=1, call=odd))
    (found,) = held.store.calls()
    assert (found.cost, found.reserved, found.input_tokens) == (None, None, 0)


def test_planning_is_paid_by_the_mission_that_it_made(store: Store, clock: Clock) -> None:
    call = CallRecord(
        id=new_id(),
        mission_id=MissionId(""),
        state=CallState.SETTLED,
        at=clock(),
        ended_at=clock(),
        agent="strategist",
        model="large-1",
        purpose="plan",
        cost=0.5,
        input_tokens=900,
        output_tokens=100,
    )
    cached = replace(call, id=new_id(), at=clock(), source="cache")
    mission = store.create_mission(plan_of("a"), by="ada", planning=[call, cached])
    assert mission.cost == 0.5
    assert [each.mission_id for each in store.calls()] == [mission.id, mission.id]
    (paid,) = store.usage(mission.id)
    assert (paid.task_id, paid.attempt) == (None, None)
    assert paid.usage == Usage(0.5, "large-1", 900, 100)
    told = store.events(mission.id, kinds=("llm.responded",))[0].payload
    assert told == {
        "call": call.id,
        "state": "settled",
        "agent": "strategist",
        "model": "large-1",
        "host": "",
        "tries": 1,
        "purpose": "plan",
        "source": "live",
        "input_tokens": 900,
        "output_tokens": 100,
        "cost": 0.5,
    }
    news = store.since(mission.id, 0)
    assert (news.spent, news.mission.cost) == ({}, 0.5)
    assert store.since(mission.id, 0, paid=news.paid).paid == news.paid > 0


def test_sums_count_calls_that_were_paid_with_what_was_kept(bench: Bench) -> None:
    held = at_work(bench, "a", "b")
    settled(held, call_of(held), 0.25)
    lost = replace(call_of(held, "b"), state=CallState.LOST, cost=1.0)
    usage = Usage(1.0, lost.model)
    held.commit(held.change("llm.responded", "b", attempt=1, call=lost, usage=usage))
    assert [(each.keys, each.at_most) for each in held.store.usage_sums(["task"])] == [
        (("b",), 1),
        (("a",), 0),
    ]


def test_sums_are_of_payments_and_count_calls_apart(bench: Bench) -> None:
    held = at_work(bench, "a", "b")
    settled(held, call_of(held), 0.25)
    settled(held, call_of(held, "b", model="large-1"), 2.0)
    settled(held, call_of(held, "b", model="large-1"), None)
    cached = call_of(held, "b", source="cache")
    held.commit(
        held.change("llm.responded", "b", call=replace(cached, state=CallState.SETTLED)),
        held.change("budget.settled", "a", attempt=1, usage=Usage(1.0, "by-hand")),
    )
    assert held.store.usage_sums(["model"]) == [
        UsageSum(("large-1",), 2, 0, 20, 2, 2.0, 1),
        UsageSum(("by-hand",), 0, 0, 0, 0, 1.0, 0),
        UsageSum(("small-1",), 1, 1, 10, 1, 0.25, 0),
    ]
    (summary,), _ = held.store.summaries()
    assert summary.unknown == 1
    assert [each.keys for each in held.store.usage_sums(["mission", "task"])] == [
        ("m-1", "b"),
        ("m-1", "a"),
    ]


def test_sums_can_be_of_one_mission_and_of_the_last_days(bench: Bench, clock: Clock) -> None:
    early = at_work(bench)
    settled(early, call_of(early), 1.0)
    clock.advance(days=3)
    late = at_work(bench)
    settled(late, call_of(late), 2.0)
    store = late.store
    assert [each.keys for each in store.usage_sums(["day"])] == [
        ("2026-11-23",),
        ("2026-11-20",),
    ]
    assert store.usage_sums(["mission"], days=1)[0].keys == ("m-2",)
    assert len(store.usage_sums(["mission"], days=1e300)) == 2
    assert store.usage_sums(["agent"], mission_id=early.mission.id) == [
        UsageSum(("qa-engineer",), 1, 0, 10, 1, 1.0)
    ]


@pytest.mark.parametrize(
    ("by", "kind"),
    [
        pytest.param([], UsageError, id="nothing"),
        pytest.param("model", UsageError, id="a text"),
        pytest.param(["mode"], UnknownNameError, id="near miss"),
    ],
)
def test_sums_by_what_there_is_not_are_refused(
    store: Store, by: Any, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match="model"):
        store.usage_sums(by)


def test_history_tells_of_tasks_that_succeeded_with_live_calls_only(
    bench: Bench, store: Store
) -> None:
    held = at_work(bench, "a", "b", "c", "d")
    request = store.put_artifact(Payload("text/plain", b"what?"))
    settled(held, call_of(held, request=request), 0.25)
    settled(held, call_of(held), 0.5)
    settled(held, call_of(held, "b", source="cassette"), 0.0)
    settled(held, call_of(held, "c"), None)
    settled(held, call_of(held, "d"), 1.0)
    held.commit(held.finish("a"), held.finish("b"))
    held.commit(held.finish("c"))
    found = store.task_history("qa-engineer", "small-1")
    assert [replace(each, seconds=0.0) for each in found] == [
        TaskHistory("qa-engineer", "small-1", 1, 10, 1, 0.0),
        TaskHistory("qa-engineer", "small-1", 2, 20, 2, 0.0, size=5),
    ]
    assert len(store.task_history("qa-engineer", "small-1", limit=1)) == 1
    assert store.task_history("qa-engineer", "large-1") == []


def test_texts_of_calls_are_kept_as_long_as_their_mission(
    bench: Bench, store: Store, clock: Clock
) -> None:
    held = at_work(bench)
    asked, said = (store.put_artifact(Payload("text/plain", each)) for each in (b"?", b"!"))
    settled(held, call_of(held, request=asked, reply=said), 0.25)
    held.commit(
        held.finish("a"),
        held.change("mission.finished", mission_state=MissionState.SUCCEEDED),
    )
    store.release_lease(held.lease)
    clock.advance(days=1)
    assert store.sweep(Retention(forgets=False)).artifacts == 0
    assert store.sweep(NOTHING).artifacts == 2
    assert (store.calls(), store.usage_sums(["model"]), store.check()) == ([], [], [])


def test_a_fork_does_not_pay_again_for_what_it_shares(bench: Bench, store: Store) -> None:
    held = at_work(bench)
    settled(held, call_of(held), 0.25)
    held.commit(held.finish("a"))
    spec = store.plan(held.mission.id)
    fork = store.create_mission(spec, by="ada", forked_from=held.mission.id)
    assert (store.calls(fork.id), fork.cost) == ([], 0.0)


def test_people_can_query_calls(bench: Bench, store: Store) -> None:
    held = at_work(bench)
    settled(held, call_of(held), 0.25)
    sql = "SELECT model, sum(cost) AS cost FROM calls GROUP BY model"
    assert store.query(sql) == (["model", "cost"], [("small-1", 0.25)])


def test_a_fingerprint_tells_secrets_apart_and_nothing_of_them(store: Store) -> None:
    first = store.fingerprint("sk-1")
    assert first == store.fingerprint("sk-1") != store.fingerprint("sk-2")
    assert len(first) == 16
    assert int(first, 16) >= 0


def test_all_that_models_left_goes_with_its_mission(
    bench: Bench, store: Store, clock: Clock
) -> None:
    held = at_work(bench)
    task, mission = held.ids["a"], held.mission.id
    settled(held, call_of(held), 0.25)
    sent = store.send_message(mission, task, AgentMessage(recipient="a"))
    store.acknowledge(task, [sent.id])
    store.save_state(task, {"x": 1}, version=0)
    waits, at = ToolCallState.WAITING, clock()
    store.ask_kernel(KernelCall(new_id(), mission, task, 1, "kernel:1", "look", waits, at))
    store.move_lane(mission, "kernel:1", "kernel:2")
    store.amend(mission, budget=5, by="ada@here")
    held.commit(held.change("mission.finished", mission_state=MissionState.CANCELLED))
    store.release_lease(held.lease)
    clock.advance(days=1)
    assert len(store.sweep(NOTHING).missions) == 1
    for table in (
        *("calls", "usage", "messages", "acknowledgements", "agent_states", "kernel_calls"),
        *("lanes", "amendments"),
    ):
        assert store.query(f"SELECT count(*) FROM {table}")[1] == [(0,)]  # noqa: S608 - ours
    assert store.check() == []
