"""Time travel: forks run what is open, and nothing that is shared."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.plan import Plan

if TYPE_CHECKING:
    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

    from hypernb.model import MissionRecord

pytestmark = pytest.mark.timeout(120)


def note(ledger: str, name: str, **needs: Any) -> str:
    with Path(ledger).open("a") as file:
        file.write(f"{name}\n")
    return "+".join([*sorted(map(str, needs.values())), name])


def end_its_runner(ledger: str, name: str, **needs: Any) -> str:
    said = note(ledger, name, **needs)
    if Path(ledger).read_text().split().count(name) == 2:
        os.kill(os.getppid(), signal.SIGKILL)
    return said


def chain(bench: Bench, third: Any = note) -> tuple[Path, Plan]:
    ledger = bench.root / "ledger"
    plan = Plan("a chain", root=bench.root).add("a", note, str(ledger), "a")
    plan.add("b", note, str(ledger), "b", needs=["a"])
    plan.add("c", third, str(ledger), "c", needs=["b"])
    return ledger, plan.add("d", note, str(ledger), "d", needs=["c"])


def fork(bench: Bench, origin: MissionRecord, at: str, *, approve: bool = True) -> Any:
    spec = bench.store.plan(origin.id)
    made = bench.store.create_mission(spec, by="ana@here", forked_from=origin.id, forked_at=at)
    if approve:
        bench.store.approve(made.id, revision=1, plan_hash=made.plan_hash, by="ana@here")
    return made


def test_shared_tasks_do_not_run_and_the_rest_does(bench: Bench) -> None:
    ledger, plan = chain(bench)
    origin = bench.run(plan)
    made = fork(bench, origin, "c")
    assert bench.finished(made).state == "succeeded"
    assert ledger.read_text().split() == ["a", "b", "c", "d", "c", "d"]
    assert bench.output(made, "d") == bench.output(origin, "d") == "a+b+c+d"
    assert bench.attempts(made, "a") == []


def test_fork_runs_only_once_it_is_approved(bench: Bench) -> None:
    ledger, plan = chain(bench)
    origin = bench.run(plan)
    made = fork(bench, origin, "a", approve=False)
    bench.quietly(0.3)
    assert bench.mission(made).state == "awaiting_approval"
    assert len(ledger.read_text().split()) == 4


def test_fork_of_which_all_is_done_ends_at_once(bench: Bench) -> None:
    _, plan = chain(bench)
    made = fork(bench, bench.run(plan), "")
    assert bench.finished(made).state == "succeeded"
    assert bench.output(made, "d") == "a+b+c+d"
    assert bench.events(made, "task.started") == []


def test_shared_tasks_stay_shared_after_the_runner_was_killed(bench: Bench) -> None:
    ledger, plan = chain(bench, end_its_runner)
    origin = bench.approve(plan)
    first = bench.process()
    bench.finished(origin)
    made = fork(bench, origin, "c")
    assert first.wait(timeout=30) == -signal.SIGKILL
    bench.process()
    assert bench.finished(made).state == "succeeded"
    assert ledger.read_text().split() == ["a", "b", "c", "d", "c", "c", "d"]
    assert [each.state for each in bench.attempts(made, "c")] == ["abandoned", "succeeded"]
