"""hypernb as a user has it: a runner of its own, watched from another process."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
from job import Job, answer

from hypernb.plan import Plan
from hypernb.store import SqlStore


def nothing(**_needs: object) -> None:
    """Be a task."""


async def wait(seconds: float, **_needs: object) -> None:
    """Be a task that takes its time."""
    await asyncio.sleep(seconds)  # noqa: TID251 - the work itself


def _plan(job: Job) -> Plan:
    # Another goal than that of the warm-up, whose times would count as its history.
    plan = Plan(f"bench {len(job.needs)}", concurrency=job.slots)
    for number, needs in enumerate(job.needs):
        names = [f"task{need}" for need in needs]
        if job.seconds:
            seconds = job.seconds[number]
            plan.add(f"task{number}", wait, seconds, needs=names, estimate=seconds)
        else:
            plan.add(f"task{number}", nothing, needs=names)
    return plan


def _mission(store: SqlStore, job: Job, runner: subprocess.Popen[bytes]) -> float:
    spec, payloads = _plan(job).build()
    mission = store.create_mission(spec, by="bench", payloads=payloads)
    pause = threading.Event()
    store.changed()
    began = time.perf_counter()
    store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="bench")
    while not store.mission(mission.id).state.is_final:
        while not store.changed():
            if runner.poll() is not None:
                raise SystemExit(f"the runner ended with exit code {runner.returncode}")
            pause.wait(0.001)
    seconds = time.perf_counter() - began
    assert store.mission(mission.id).state == "succeeded"  # noqa: S101 - or nothing is measured
    return seconds


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return psutil.Process(pid).memory_info().rss / 1e6  # as it is now; no peak is known
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024 / 1e6


def run(job: Job) -> dict[str, float]:
    """Run it."""
    store = SqlStore(job.folder / "hypernb.db", synchronous=job.synchronous)
    environ = {
        **os.environ,
        "HYPERNB_HOME": str(job.folder / "home"),
        "HYPERNB_EXECUTOR": os.environ.get("HYPERNB_EXECUTOR", "inline"),
        "HYPERNB_CONCURRENCY": str(job.slots),
        "HYPERNB_SYNCHRONOUS": job.synchronous,
        "HYPERNB_BACKUPS": "0",
    }
    os.environ["HYPERNB_HOME"] = environ["HYPERNB_HOME"]
    command = [sys.executable, "-m", "hypernb.engine", "--store", store.url]
    with subprocess.Popen(command, env=environ) as runner:
        try:
            _mission(store, job.warm_up(), runner)
            seconds = _mission(store, job, runner)
            memory = _peak_mb(runner.pid)
        finally:
            runner.terminate()
    store.close()
    return {"seconds": seconds, "memory_mb": memory}


if __name__ == "__main__":
    answer(run)
