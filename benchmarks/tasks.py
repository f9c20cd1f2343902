"""Ten thousand trivial Python tasks in one mission: time for each, and the runner's memory.

The mission runs in a runner of its own, through worker processes, on a fresh store, durable as
by default. Run: ``python benchmarks/tasks.py [tasks]``.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

import hypernb

SAMPLE_S = 0.25


def nothing() -> int:
    """Be a task."""
    return 1


def fan(tasks: int) -> hypernb.Plan:
    """Return a plan of so many tasks that need nothing."""
    plan = hypernb.Plan(f"{tasks:,} trivial tasks", concurrency=64)
    for number in range(tasks):
        plan.add(f"n{number}", nothing)
    return plan


def watch_memory(pid: int, samples: list[float], stop: threading.Event) -> None:
    """Note the runner's resident memory, in MB, until told to stop."""
    process = psutil.Process(pid)
    while not stop.wait(SAMPLE_S):
        try:
            samples.append(process.memory_info().rss / 1e6)
        except psutil.NoSuchProcess:
            return


def main() -> None:
    """Print time for each task and how the memory of the runner grew."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        session = hypernb.Session(Path(folder) / "bench.db")
        plan = fan(tasks)
        begun = time.perf_counter()
        mission = session.start(plan)
        proposed = time.perf_counter()
        mission.approve()
        started = time.perf_counter()
        pid = int(session.store.leases("runner:")[0].facts["pid"])
        samples: list[float] = []
        stop = threading.Event()
        watcher = threading.Thread(target=watch_memory, args=(pid, samples, stop))
        watcher.start()
        mission.wait()
        ended = time.perf_counter()
        stop.set()
        watcher.join()
        done = sum(task.state == "succeeded" for task in mission.tasks.values())
        session.stop()
        session.close()
    print(f"{done:,} of {tasks:,} tasks succeeded")
    print(f"propose {proposed - begun:.1f} s, start a runner {started - proposed:.1f} s")
    each = (ended - started) / tasks * 1e6
    print(f"run {ended - started:.1f} s, {each:.0f} microseconds a task")
    quarter = max(len(samples) // 4, 1)
    early, late = max(samples[:quarter]), max(samples[-quarter:])
    print(f"runner memory: {early:.0f} MB in the first quarter, {late:.0f} MB in the last")


if __name__ == "__main__":
    main()
