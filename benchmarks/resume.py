"""How soon a mission goes on after its runner was killed.

Ten thousand tasks, half of them done, then SIGKILL; the next runner is started, and the time
until its first task is told. Asked for: within a second of the runner's start.

Usage: python benchmarks/resume.py [tasks]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from hypernb.plan import Plan
from hypernb.store import SqlStore

TASKS = 10_000


def nothing() -> None:
    """Be a task."""


def _require_alive(runner: subprocess.Popen[bytes]) -> None:
    if runner.poll() is not None:
        raise SystemExit(f"the runner ended with exit code {runner.returncode}")


def main() -> None:
    """Kill a runner halfway, and print how long the next one takes."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else TASKS
    waiter = threading.Event()
    with tempfile.TemporaryDirectory(prefix="hypernb-bench-") as folder:
        os.environ["HYPERNB_HOME"] = str(Path(folder) / "home")
        store = SqlStore(Path(folder) / "bench.db")
        plan = Plan("to be resumed", concurrency=64)
        for number in range(tasks):
            plan.add(f"task{number}", nothing)
        spec, payloads = plan.build()
        mission = store.create_mission(spec, by="bench", payloads=payloads)
        store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="bench")
        environ = {**os.environ, "HYPERNB_EXECUTOR": "inline", "HYPERNB_BACKUPS": "0"}
        command = [sys.executable, "-m", "hypernb.engine", "--store", store.url]
        done = "SELECT count(*) FROM tasks WHERE state = 'succeeded'"
        with subprocess.Popen(command, env=environ) as first:
            while store.query(done)[1][0][0] < tasks // 2:
                _require_alive(first)
                waiter.wait(0.005)
            first.kill()
        half = store.query(done)[1][0][0]
        last = store.last_seq()
        began = time.monotonic()
        with subprocess.Popen(command, env=environ) as second:
            came = 0.0
            while not store.events(mission.id, after=last, kinds=("task.started",), limit=1):
                if not came and store.events(after=last, kinds=("runner.started",), limit=1):
                    came = time.monotonic()
                _require_alive(second)
                waiter.wait(0.002)
            resumed = time.monotonic()
            second.terminate()
        store.close()
    print(f"{tasks:,} tasks, {half:,} done when the runner was killed")
    print(f"runner up after {came - began:.2f} s, first new task {resumed - came:.2f} s later")
    print(f"  {resumed - began:.2f} s from the start of the process (asked: 1 s)")


if __name__ == "__main__":
    main()
