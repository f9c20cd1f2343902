"""Missions whose tasks run in the runner's own loop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.plan import Plan

if TYPE_CHECKING:
    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

pytestmark = pytest.mark.timeout(120)


async def wait(seconds: float) -> float:
    waiter = asyncio.Event()
    try:
        await asyncio.wait_for(waiter.wait(), seconds)
    except TimeoutError:
        return seconds
    return 0.0


def add(**values: int) -> int:
    return sum(values.values())


def note(ledger: str, line: str, **_needs: Any) -> str:
    with Path(ledger).open("a") as file:
        file.write(f"{line}\n")
    return line


async def fail_later() -> None:
    await wait(0.01)
    raise ValueError("no rows")


def leave() -> None:
    sys.exit(3)


async def cancel_itself() -> None:
    raise asyncio.CancelledError


def large(**_needs: Any) -> str:
    return "x" * 2_000_000


def end_the_runner(ledger: str, **_needs: Any) -> None:
    if len(Path(ledger).read_text().splitlines()) == 2:
        note(ledger, "killed")
        os.kill(os.getpid(), signal.SIGKILL)


def test_functions_run_in_order_and_hand_on_what_they_give(bench: Bench) -> None:
    plan = Plan("sum").add("a", abs, -1).add("b", abs, -2)
    plan.add("c", add, needs=["a", "b"]).add("d", large, needs=["c"])
    mission = bench.run(plan, executor="inline")
    assert mission.state == "succeeded"
    assert (bench.output(mission, "c"), len(bench.output(mission, "d"))) == (3, 2_000_000)


def test_a_thousand_tasks_are_each_told_from_start_to_end(bench: Bench) -> None:
    plan = Plan("wide", concurrency=64)
    for number in range(1_000):
        plan.add(f"task{number}", abs, -number)
    mission = bench.run(plan, executor="inline")
    assert mission.state == "succeeded"
    for kind in ("task.readied", "task.started", "task.finished"):
        assert len(bench.events(mission, kind)) == 1_000


def test_coroutines_wait_side_by_side(bench: Bench) -> None:
    plan = Plan("waiting", concurrency=20)
    for number in range(20):
        plan.add(f"task{number}", wait, 0.5)
    mission = bench.run(plan, executor="inline", concurrency=20)
    starts = [event.at for event in bench.events(mission, "task.started")]
    ends = [event.at for event in bench.events(mission, "task.finished")]
    assert max(starts) < min(ends)


@pytest.mark.parametrize(
    ("function", "kind"),
    [(fail_later, "ValueError"), (leave, "SystemExit"), (cancel_itself, "CancelledError")],
)
def test_what_code_does_is_a_failure_of_its_task(
    bench: Bench, function: Any, kind: str
) -> None:
    plan = Plan("failure").add("bad", function, on_failure="continue").add("good", abs, -1)
    mission = bench.run(plan, executor="inline")
    assert bench.states(mission) == {"bad": "failed", "good": "succeeded"}
    [finished] = [
        event for event in bench.events(mission, "task.finished") if event.task == "bad"
    ]
    assert finished.payload["kind"] == kind


def test_time_limit_ends_a_coroutine(bench: Bench) -> None:
    mission = bench.run(Plan("slow").add("long", wait, 60.0, timeout=0.3), executor="inline")
    assert mission.error == "Task 'long' raised TimeoutError: not done after 0.3 s"


def test_cancel_ends_coroutines_and_starts_nothing_more(bench: Bench) -> None:
    plan = Plan("cancel").add("long", wait, 60.0).add("after", add, needs=["long"])
    mission = bench.approve(plan)
    bench.host(executor="inline")
    bench.until(lambda: bench.events(mission, "task.started"), "the start")
    bench.store.send("cancel", mission.id, by="ana@here")
    assert bench.finished(mission).state == "cancelled"
    assert bench.states(mission) == {"long": "cancelled", "after": "cancelled"}


def test_paused_mission_starts_nothing_until_resumed(bench: Bench) -> None:
    plan = Plan("pause", concurrency=1)
    for number in range(50):
        plan.add(f"task{number}", wait, 0.05)
    mission = bench.approve(plan)
    bench.host(executor="inline")
    bench.until(lambda: bench.events(mission, "task.finished"), "an end")
    bench.store.send("pause", mission.id, by="ana@here")
    bench.until(lambda: bench.mission(mission).state == "paused", "the pause")
    bench.quietly(0.2)
    seen = len(bench.events(mission, "task.started"))
    bench.quietly(0.3)
    assert len(bench.events(mission, "task.started")) == seen < 50
    bench.store.send("resume", mission.id, by="ana@here")
    assert bench.finished(mission).state == "succeeded"


def test_finished_tasks_never_run_again_after_the_runner_was_killed(bench: Bench) -> None:
    ledger = bench.root / "ledger"
    plan = Plan("killed").add("a", note, str(ledger), "a")
    plan.add("b", note, str(ledger), "b", needs=["a"])
    plan.add("c", end_the_runner, str(ledger), needs=["b"])
    plan.add("d", note, str(ledger), "d", needs=["c"])
    mission = bench.approve(plan)
    bench.process(executor="inline").wait(timeout=60)
    bench.process(executor="inline")
    assert bench.finished(mission).state == "succeeded"
    assert ledger.read_text().split() == ["a", "b", "killed", "d"]
