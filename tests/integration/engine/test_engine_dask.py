"""Missions whose Python tasks run on a Dask cluster of real worker processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from hypernb.engine import RunnerSettings
from hypernb.engine.executors import DaskExecutor
from hypernb.errors import ConfigError
from hypernb.plan import Plan

if TYPE_CHECKING:
    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

pytestmark = pytest.mark.timeout(120)


def whose(**_needs: Any) -> int:
    """Return the process that this ran in."""
    return os.getpid()


def large(**_needs: Any) -> bytes:
    return b"x" * 3_000_000


def length(large: bytes) -> int:
    return len(large)


def greet() -> None:
    import sys

    sys.stdout.write("hello from afar\n")


def fail() -> None:
    raise ValueError("no rows")


def wait_for(ledger: str, file: str) -> int:
    """Note that it runs, and wait for a file."""
    import threading

    with Path(ledger).open("a") as lines:
        lines.write(f"{os.getpid()}\n")
    waiter = threading.Event()
    while not Path(file).exists():
        waiter.wait(0.02)
    return os.getpid()


def begun(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_tasks_run_unchanged_in_worker_processes(bench: Bench) -> None:
    plan = Plan("on a cluster", root=bench.root).add("whose", whose).add("large", large)
    plan.add("length", length, needs=["large"]).add("greet", greet)
    plan.add("bad", fail, on_failure="continue")
    mission = bench.approve(plan)
    runner = bench.process(executor="dask", workers=2)
    assert bench.finished(mission).state == "succeeded"
    assert bench.output(mission, "whose") not in (os.getpid(), runner.pid)
    assert bench.output(mission, "length") == 3_000_000
    [printed] = bench.events(mission, "task.output")
    assert (printed.task, printed.payload["text"]) == ("greet", "hello from afar\n")
    ends = {event.task: event.payload for event in bench.events(mission, "task.finished")}
    assert (ends["bad"]["kind"], ends["bad"]["detail"]) == ("ValueError", "no rows")
    assert "in fail" in ends["bad"]["traceback"]


def test_large_results_do_not_pass_through_the_event_log(bench: Bench) -> None:
    mission = bench.approve(Plan("large", root=bench.root).add("large", large))
    bench.process(executor="dask", workers=1)
    bench.finished(mission)
    assert sum(len(str(event.payload)) for event in bench.events(mission)) < 10_000
    assert len(bench.output(mission, "large")) == 3_000_000


def pay(*costs: float) -> None:
    from hypernb import spend

    for cost in costs:
        spend(cost, model="m-1")


def test_what_is_paid_on_a_worker_counts_against_the_cap(bench: Bench) -> None:
    plan = Plan("pay", root=bench.root).add("a", pay, 0.25, cap_cost=0.5)
    plan.add("b", pay, 0.5, 0.25, 0.125, needs=["a"], cap_cost=0.5)
    mission = bench.approve(plan)
    bench.process(executor="dask", workers=1)
    ended = bench.finished(mission)
    assert ended.state == "failed"
    assert "has spent $0.75 of the $0.50 that it may" in ended.error
    assert [each.usage.cost for each in bench.store.usage(mission.id)] == [0.25, 0.5, 0.25]


def test_job_of_a_worker_that_was_killed_is_done_again(bench: Bench) -> None:
    ledger, go = bench.root / "ledger", bench.root / "go"
    plan = Plan("lost", root=bench.root).add("a", wait_for, str(ledger), str(go))
    mission = bench.approve(plan)
    bench.process(executor="dask", workers=2)
    bench.until(lambda: len(begun(ledger)) == 1, "the start")
    os.kill(begun(ledger)[0], signal.SIGKILL)
    bench.until(lambda: len(begun(ledger)) == 2, "the second start")
    go.touch()
    assert bench.finished(mission).state == "succeeded"
    assert bench.output(mission, "a") == begun(ledger)[1] != begun(ledger)[0]


def test_job_that_is_not_safe_to_repeat_ends_as_lost_with_its_worker(bench: Bench) -> None:
    ledger, go = bench.root / "ledger", bench.root / "go"
    plan = Plan("once", root=bench.root)
    plan.add("a", wait_for, str(ledger), str(go), repeatable=False)
    mission = bench.approve(plan)
    bench.process(executor="dask", workers=2)
    bench.until(lambda: len(begun(ledger)) == 1, "the start")
    os.kill(begun(ledger)[0], signal.SIGKILL)
    assert bench.finished(mission).state == "failed"
    assert len(begun(ledger)) == 1
    [finished] = bench.events(mission, "task.finished")
    assert finished.payload["kind"] == "WorkerLost"


def test_cancel_ends_what_runs_on_a_worker(bench: Bench) -> None:
    ledger = bench.root / "ledger"
    plan = Plan("cancel", root=bench.root).add("a", wait_for, str(ledger), "never")
    mission = bench.approve(plan.add("b", whose, needs=["a"]))
    bench.process(executor="dask", workers=2)
    bench.until(lambda: begun(ledger), "the start")
    bench.store.send("cancel", mission.id, by="ana@here")
    assert bench.finished(mission).state == "cancelled"
    bench.until(lambda: not is_alive(begun(ledger)[0]), "the end of the worker")
    after = bench.approve(Plan("after", root=bench.root).add("a", whose))
    assert bench.finished(after).state == "succeeded"


def test_runner_that_ends_takes_its_cluster_with_it(bench: Bench) -> None:
    mission = bench.approve(Plan("end", root=bench.root).add("a", whose))
    runner = bench.process(executor="dask", workers=1)
    bench.finished(mission)
    family = psutil.Process(runner.pid).children(recursive=True)
    assert family
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(timeout=30) == 0
    bench.until(lambda: not any(is_alive(each.pid) for each in family), "the workers' end")


def test_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hypernb.engine.executors._dask._CONNECT_S", 0.5)
    settings = RunnerSettings(executor="dask", dask_scheduler="tcp://127.0.0.1:9")
    with pytest.raises(
        ConfigError, match=r"No Dask scheduler answers at 'tcp://127\.0\.0\.1:9'"
    ):
        asyncio.run(DaskExecutor(settings).start())


CLUSTER = """
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        input()
"""


def test_cluster_that_is_there_already_is_used_and_left(bench: Bench, tmp_path: Path) -> None:
    program = tmp_path / "cluster.py"
    program.write_text(CLUSTER)
    with subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as cluster:
        assert cluster.stdout is not None
        address = cluster.stdout.readline().strip()
        mission = bench.approve(Plan("there", root=bench.root).add("whose", whose))
        runner = bench.process(executor="dask", dask_scheduler=address)
        assert bench.finished(mission).state == "succeeded"
        family = [each.pid for each in psutil.Process(cluster.pid).children(recursive=True)]
        assert bench.output(mission, "whose") in family
        runner.send_signal(signal.SIGTERM)
        assert runner.wait(timeout=30) == 0
        assert is_alive(bench.output(mission, "whose"))
        cluster.communicate("\n", timeout=30)
