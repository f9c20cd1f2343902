"""What missions may spend: caps, budgets, and what is kept of it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import TaskState
from hypernb.plan import Plan

if TYPE_CHECKING:
    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

pytestmark = pytest.mark.timeout(120)
EXECUTORS = ["process", "thread", "inline"]


def pay(*costs: float, **_needs: object) -> int:
    from hypernb import spend

    for cost in costs:
        spend(cost, model="m-1", input_tokens=100, output_tokens=7)
    return len(costs)


async def pay_and_wait(*costs: float) -> int:
    import asyncio

    from hypernb import spend

    for cost in costs:
        await asyncio.to_thread(spend, cost)
    return len(costs)


def pay_regardless(mark: str, **_needs: object) -> None:
    """Spend on and on, whatever is said."""
    import contextlib

    from hypernb import BudgetExhaustedError, spend

    for _ in range(1000):
        with contextlib.suppress(BudgetExhaustedError):
            spend(0.01)
        threading.Event().wait(0.01)
    Path(mark).touch()


def pay_and_linger(cost: float) -> None:
    from hypernb import spend

    spend(cost)
    threading.Event().wait(0.2)


def look_at_budget() -> float | None:
    from hypernb import budget_left

    return budget_left()


def paid(bench: Bench, mission: Any) -> list[float]:
    return [record.usage.cost for record in bench.store.usage(mission.id)]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_what_tasks_pay_is_kept_with_who_paid_it(bench: Bench, executor: str) -> None:
    plan = Plan("pay", root=bench.root).add("a", pay, 0.25, 0.5).add("b", pay, 0.125)
    plan.add("c", pay_and_wait, 0.0625)
    mission = bench.run(plan, executor=executor)
    assert mission.state == "succeeded"
    assert mission.cost == pytest.approx(0.9375)
    names = {task.id: name for name, task in bench.tasks(mission).items()}
    usage = bench.store.usage(mission.id)
    assert sorted((names[each.task_id], each.usage.cost) for each in usage) == [
        ("a", 0.25),
        ("a", 0.5),
        ("b", 0.125),
        ("c", 0.0625),
    ]
    assert all(each.attempt == 1 for each in usage)
    [first, *_] = [each.usage for each in usage if names[each.task_id] == "a"]
    assert (first.model, first.input_tokens, first.output_tokens) == ("m-1", 100, 7)
    settled = bench.events(mission, "budget.settled")
    assert sum(event.payload["cost"] for event in settled) == pytest.approx(mission.cost)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_budget_of_a_mission_is_a_hard_limit(bench: Bench, executor: str) -> None:
    plan = Plan("poor", root=bench.root, budget=0.5, concurrency=1)
    for number in range(10):
        plan.add(f"task{number}", pay, 0.1, 0.05, cap_cost=0.2)
    mission = bench.run(plan, executor=executor)
    assert mission.state == "failed"
    assert mission.error == (
        "its budget of $0.50 has $0.05 left, and task 'task3' may cost up to $0.20"
    )
    assert mission.cost == pytest.approx(0.45)
    states = bench.states(mission)
    assert [states[f"task{number}"] for number in range(4)] == [*["succeeded"] * 3, "cancelled"]
    [exhausted] = bench.events(mission, "budget.exhausted")
    assert exhausted.payload == {"spent": pytest.approx(0.45), "budget": 0.5, "needed": 0.2}


def test_tasks_side_by_side_reserve_what_they_may_cost(bench: Bench) -> None:
    plan = Plan("side by side", root=bench.root, budget=0.65, concurrency=8)
    for number in range(5):
        plan.add(f"task{number}", pay_and_linger, 0.1, cap_cost=0.2)
    mission = bench.run(plan, executor="thread")
    # Each leaves half of its cap, so all get their turn; never are four at it at once.
    assert mission.state == "succeeded"
    assert mission.cost == pytest.approx(0.5)
    running = most = 0
    for event in bench.events(mission):
        running += (event.kind == "task.started") - (event.kind == "task.finished")
        most = max(most, running)
    assert most == 3


@pytest.mark.parametrize("executor", EXECUTORS)
def test_task_that_spends_beyond_its_cap_fails_and_is_not_tried_again(
    bench: Bench, executor: str
) -> None:
    plan = Plan("cap", root=bench.root).add("a", pay, 0.1, 0.15, 0.2, cap_cost=0.2, attempts=3)
    mission = bench.run(plan, executor=executor)
    assert mission.state == "failed"
    assert "has spent $0.25 of the $0.20 that it may" in mission.error
    assert paid(bench, mission) == [0.1, 0.15]
    assert len(bench.attempts(mission, "a")) == 1


def test_task_that_goes_on_regardless_is_ended(bench: Bench) -> None:
    mark = bench.folder / "it went on to its end"
    plan = Plan("deaf", root=bench.root).add("a", pay_regardless, str(mark), cap_cost=0.05)
    mission = bench.run(plan)
    assert mission.state == "failed"
    assert "that it may" in mission.error
    assert mission.cost < 0.2  # what came while its process was being ended
    assert not mark.exists()


def test_mission_that_overspends_is_ended_with_all_that_runs(bench: Bench) -> None:
    mark = bench.folder / "it went on to its end"
    plan = Plan("deaf", root=bench.root, budget=0.05).add("a", pay_regardless, str(mark))
    plan.add("b", pay_regardless, str(mark)).add("c", pay, 0.0, needs=["a"])
    began = time.monotonic()
    mission = bench.run(plan)
    assert time.monotonic() - began < 8
    assert mission.state == "failed"
    assert "of its budget of $0.05" in mission.error
    assert mission.cost < 0.3
    assert bench.states(mission)["c"] == "cancelled"
    assert not mark.exists()


def test_last_call_of_the_last_task_ends_a_mission_as_it_is(bench: Bench) -> None:
    plan = Plan("last", root=bench.root, budget=0.1).add("a", pay, 0.05).add("b", pay, 0.0)
    mission = bench.run(plan, executor="inline")
    assert mission.state == "succeeded"


def test_what_costs_nothing_runs_without_money(bench: Bench) -> None:
    plan = Plan("free", root=bench.root, budget=0.0).add("a", pay).add("b", pay, needs=["a"])
    assert bench.run(plan).state == "succeeded"
    plan = Plan("not free", root=bench.root, budget=0.0).add("a", pay, 0.001)
    mission = bench.finished(bench.approve(plan))
    assert mission.state == "failed"
    assert "has spent $0.001 of" in mission.error


def test_task_can_ask_what_it_may_still_spend(bench: Bench) -> None:
    plan = Plan("ask", root=bench.root, budget=1.0).add("a", pay, 0.25)
    plan.add("capped", look_at_budget, needs=["a"], cap_cost=0.5)
    plan.add("pool", look_at_budget, needs=["capped"])
    mission = bench.run(plan)
    assert bench.output(mission, "capped") == pytest.approx(0.5)
    assert bench.output(mission, "pool") == pytest.approx(0.75)


def test_dearer_task_does_not_hold_up_what_the_budget_covers(bench: Bench) -> None:
    plan = Plan("dear", root=bench.root, budget=1.0, concurrency=1)
    plan.add("first", pay, 0.5, cap_cost=0.6, estimate=9)
    plan.add("dear", pay, 0.9, cap_cost=0.9, estimate=5).add("cheap", pay, 0.1, cap_cost=0.2)
    mission = bench.run(plan)
    states = bench.states(mission)
    assert (states["first"], states["dear"], states["cheap"]) == (
        "succeeded",
        "cancelled",
        "succeeded",
    )
    assert "task 'dear' may cost up to $0.90" in mission.error


def test_next_runner_knows_what_was_spent(bench: Bench) -> None:
    mark = bench.folder / "died"
    plan = Plan("crash", root=bench.root, budget=1.0).add(
        "a", pay_once, str(mark), cap_cost=0.4
    )
    mission = bench.approve(plan)
    first = bench.process()
    bench.until(lambda: paid(bench, mission) == [0.3], "the first call to be paid")
    first.kill()
    first.wait(20)
    mark.touch()
    bench.process()
    ended = bench.finished(mission)
    # The task had a cap of 0.4 and has 0.1 of it left, so its second try may not do it again.
    assert ended.state == "failed"
    assert "has spent $0.30 of the $0.10 that it may" in ended.error
    assert paid(bench, mission) == [0.3, 0.3]
    assert ended.cost == pytest.approx(0.6)
    assert bench.tasks(mission)["a"].state is TaskState.FAILED


def pay_once(mark: str) -> int:
    from hypernb import spend

    spend(0.3)
    while not Path(mark).exists():
        threading.Event().wait(0.02)
    return 1


def test_retry_without_money_is_refused_or_ends_at_once(bench: Bench) -> None:
    poor = Plan("poor", root=bench.root, budget=0.25, concurrency=1)
    for number in range(3):
        poor.add(f"task{number}", pay, 0.09, cap_cost=0.1)
    short = bench.run(poor)
    seq = bench.store.last_seq()
    bench.store.send("retry", short.id, by="ana@here")
    bench.until(lambda: retried(bench, short, seq), "the second end")
    assert bench.mission(short).state == "failed"
    assert bench.states(short)["task2"] == "cancelled"
    over = bench.finished(bench.approve(Plan("over", budget=0.05).add("a", pay, 0.2)))
    assert over.state == "failed"
    bench.store.send("retry", over.id, by="ana@here")
    [refused] = bench.until(lambda: bench.store.events(kinds=("command.refused",)), "an answer")
    assert "has spent $0.20 of its budget of $0.05" in refused.payload["reason"]
    assert bench.mission(over).state == "failed"


def retried(bench: Bench, mission: Any, seq: int) -> bool:
    ends = bench.store.events(mission.id, after=seq, kinds=("mission.finished",))
    return bool(ends)


def test_task_with_an_empty_purse_is_not_tried_again(bench: Bench) -> None:
    plan = Plan("cap", root=bench.root, budget=1.0).add("a", pay_and_fail, 0.05, cap_cost=0.05)
    mission = bench.run(plan)
    bench.store.send("retry", mission.id, by="ana@here")
    [refused] = bench.until(lambda: bench.store.events(kinds=("command.refused",)), "an answer")
    assert "it has spent its cap of $0.05" in refused.payload["reason"]
    assert bench.mission(mission).cost == pytest.approx(0.05)


@pytest.mark.parametrize("capped", [True, False])
def test_failure_of_a_task_with_an_empty_purse_is_its_last(bench: Bench, capped: bool) -> None:  # noqa: FBT001 - a case
    plan = Plan("last", root=bench.root, budget=0.8)
    cap = 0.8 if capped else None
    plan.add("a", pay_and_fail, *[0.1] * 8, attempts=3, backoff=0.001, cap_cost=cap)
    mission = bench.run(plan)
    assert mission.state == "failed"
    assert len(bench.attempts(mission, "a")) == 1
    assert mission.cost == pytest.approx(0.8)


def pay_and_fail(*costs: float) -> None:
    pay(*costs)
    raise ValueError("not yet")


def test_task_without_a_cap_waits_for_money_that_is_kept_for_others(bench: Bench) -> None:
    plan = Plan("kept", root=bench.root, budget=0.2, concurrency=4)
    plan.add("capped", pay_and_linger, 0.05, cap_cost=0.2, estimate=9).add("free", pay, 0.1)
    mission = bench.run(plan)
    assert mission.state == "succeeded"
    assert mission.cost == pytest.approx(0.15)


def test_task_without_a_cap_is_ended_when_it_takes_what_is_kept_for_others(
    bench: Bench,
) -> None:
    mark = bench.folder / "it went on to its end"
    plan = Plan("greedy", root=bench.root, budget=0.3, concurrency=2)
    plan.add("greedy", pay_regardless, str(mark), estimate=9, on_failure="continue")
    plan.add("capped", pay_slowly, *[0.01] * 10, cap_cost=0.2)
    mission = bench.run(plan)
    states = bench.states(mission)
    assert (states["greedy"], states["capped"]) == ("failed", "succeeded")
    assert "kept for other tasks" in bench.tasks(mission)["greedy"].error
    assert mission.cost <= 0.3 + 0.05  # but for calls that were under way
    assert not mark.exists()


def pay_slowly(*costs: float) -> None:
    for cost in costs:
        pay(cost)
        threading.Event().wait(0.05)


def overspend_and_wait(mark: str) -> None:
    import signal

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pay_regardless(mark)


def test_overspent_mission_ends_also_if_its_runner_was_killed(bench: Bench) -> None:
    mark = bench.folder / "it went on to its end"
    plan = Plan("killed", root=bench.root, budget=0.02).add("a", overspend_and_wait, str(mark))
    mission = bench.approve(plan.add("b", pay, needs=["a"]))
    first = bench.process(grace_s=5)
    bench.until(lambda: sum(paid(bench, mission)) > 0.02, "too much to be paid")
    first.kill()
    first.wait(20)
    bench.process()
    ended = bench.finished(mission)
    assert ended.state == "failed"
    assert "of its budget of $0.02" in ended.error
    assert set(bench.states(mission).values()) == {"cancelled"}


def pay_in_a_process() -> list[str]:
    import subprocess
    import sys

    code = "import hypernb; hypernb.spend(0.5)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    return done.stderr.splitlines()[-1:]


def test_process_of_a_task_is_told_that_it_cannot_spend(bench: Bench) -> None:
    mission = bench.run(Plan("child", root=bench.root).add("a", pay_in_a_process))
    [said] = bench.output(mission, "a")
    assert "A process that a task has started cannot spend the task's money." in said
    assert mission.cost == 0
