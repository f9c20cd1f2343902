"""A task that crashes its runner is found out, and takes no other task down."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import MissionRecord

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

TRIES = 3


def _enter(ledger: Path, name: str) -> int:
    """Write down that a task runs; return how often it has by now."""
    path = ledger / name
    with path.open("a", encoding="utf-8") as lines:
        lines.write(f"{os.getpid()}\n")
    return _entries(ledger, name)


def _entries(ledger: Path, name: str) -> int:
    path = ledger / name
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0


def poison(ledger: str, beside: list[str]) -> None:
    """Kill the runner, while it has company as long as the others are still at work."""
    mine = _enter(Path(ledger), "poison")
    if mine < TRIES:
        _wait_for(lambda: all(_entries(Path(ledger), name) >= mine for name in beside))
    os.kill(os.getppid(), signal.SIGKILL)
    _wait_for(lambda: False)


def neighbour(ledger: str, name: str) -> str:
    """Be at work whenever the poison strikes in company; otherwise do the work."""
    if _enter(Path(ledger), name) < TRIES:
        _wait_for(lambda: False)
    return name


def _wait_for(condition: Callable[[], bool]) -> None:
    import threading

    waiter = threading.Event()
    while not condition():
        waiter.wait(0.02)


def _run_out(bench: Any, mission: MissionRecord) -> int:
    """Start one runner after the other until the mission has ended; return how many."""
    runners = 0
    while not bench.mission(mission).state.is_final:
        runners += 1
        assert runners <= TRIES + 1
        process = bench.process()
        bench.until(
            lambda process=process: (
                process.poll() is not None or bench.mission(mission).state.is_final
            ),
            "the end of a runner or of the mission",
        )
    return runners


def test_a_poisoned_task_is_given_up_after_three_tries_with_the_evidence_and_does_not_take_the_others_down(  # noqa: E501
    bench: Any,
) -> None:
    others = ["one", "two"]
    ledger = bench.folder / "ledger"
    ledger.mkdir()
    plan = Plan("find the poison", concurrency=4)
    plan.add("poison", poison, str(ledger), others, on_failure="continue")
    for name in others:
        plan.add(name, neighbour, str(ledger), name)
    mission = bench.approve(plan)
    runners = _run_out(bench, mission)
    assert bench.states(mission) == {"poison": "failed", "one": "succeeded", "two": "succeeded"}
    assert runners == TRIES + 1
    assert [each.state.value for each in bench.attempts(mission, "poison")] == (
        ["abandoned"] * TRIES
    )
    assert f"{TRIES} times its runner ended" in bench.tasks(mission)["poison"].error
    started = bench.events(mission, "task.started")
    in_company = {each.task for each in started if not each.payload.get("alone")}
    alone = {each.task for each in started if each.payload.get("alone")}
    assert in_company == alone == {"poison", *others}
