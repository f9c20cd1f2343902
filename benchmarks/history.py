"""How long looking back takes in a store of a million events: `find`, `ls`, `show`, `sql`.

Usage: python benchmarks/history.py [--events 1000000] [--rounds 200]
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("HYPERNB_HOME", tempfile.mkdtemp(prefix="hypernb-bench-"))

from hypernb import Session
from hypernb.model import (
    AgentWork,
    AttemptState,
    Change,
    Finding,
    MissionState,
    PlanSpec,
    RunnerId,
    Severity,
    TaskSpec,
    TaskState,
)
from hypernb.store import SqlStore
from hypernb.testing import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORDS = ("alpha", "beta", "gamma", "password", "token", "query", "index", "layer", "cache")
TASKS = 500
TAIL = timedelta(seconds=30)


def changes_of(task: Any, rng: random.Random, clock: FakeClock) -> Iterator[Change]:
    """Yield the life of one task, as a runner would write it."""

    def change(kind: str, attempt: int | None = None, **facts: Any) -> Change:
        clock.advance(0.001)
        return Change(kind, clock.now(), task.id, attempt, **facts)

    yield change("task.readied", task_state=TaskState.READY)
    running = {"task_state": TaskState.RUNNING, "attempt_state": AttemptState.RUNNING}
    yield change("task.started", 1, payload={"pid": 7}, **running)
    for share in (0.25, 0.5, 0.75):
        words = f"looking at {rng.choice(WORDS)}"
        yield change("task.progressed", 1, payload={"words": words, "share": share}, note=words)
    said = " ".join(rng.choices(WORDS, k=6))
    finding = Finding(
        file=f"src/{rng.choice(WORDS)}.py",
        line=rng.randrange(1, 500),
        category="security",
        rule=f"B{rng.randrange(100, 999)}",
        severity=Severity.LOW,
        message=f"Possible {said}",
        tool="bandit",
        agent="security-engineer",
    )
    done = {"task_state": TaskState.SUCCEEDED, "attempt_state": AttemptState.SUCCEEDED}
    summary = f"{rng.randrange(9)} findings about {said}"
    yield change("task.finished", 1, note=summary, text=said, findings=(finding,), **done)


def fill(store: SqlStore, events: int) -> None:
    """Write missions of ordinary size until the store has so many events."""
    rng = random.Random(7)  # noqa: S311 - the same words each time, no secret
    clock = FakeClock()
    spec_tasks = tuple(TaskSpec(name=f"task-{n}", work=AgentWork()) for n in range(TASKS))
    while store.last_seq() < events:
        goal = f"look for {' '.join(rng.choices(WORDS, k=4))}"
        mission = store.create_mission(PlanSpec(goal=goal, tasks=spec_tasks), by="bench")
        store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="bench")
        lease = store.take_lease(f"mission:{mission.id}", RunnerId("bench"), TAIL, {})
        if lease is None:
            raise RuntimeError("The lease of a new mission is not free.")
        written = [Change("mission.started", clock.now(), mission_state=MissionState.RUNNING)]
        for task in store.tasks(mission.id):
            written += changes_of(task, rng, clock)
        written.append(
            Change("mission.finished", clock.now(), mission_state=MissionState.SUCCEEDED)
        )
        store.commit(mission.id, lease, written)
        store.release_lease(lease)


def measure(what: str, look: Callable[[], object], rounds: int) -> None:
    """Print the median and the 95th percentile of so many looks, in milliseconds."""
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        look()
        took.append((time.perf_counter() - start) * 1000)
    p95 = statistics.quantiles(took, n=20)[-1]
    print(f"| {what} | {statistics.median(took):.1f} | {p95:.1f} |")


def main() -> None:
    """Fill a store and look back in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        session = Session(store=Path(folder) / "hypernb.db")
        store = session.store
        if not isinstance(store, SqlStore):
            raise TypeError("This benchmark writes to SQLite.")
        start = time.perf_counter()
        fill(store, asked.events)
        seconds = time.perf_counter() - start
        size = sum(each.stat().st_size for each in Path(folder).rglob("*") if each.is_file())
        print(
            f"{store.last_seq():,} events, {len(session.missions(limit=10_000)):,} missions, "
            f"{size / 1e6:,.0f} MB, written in {seconds:.0f} s\n"
        )
        rng = random.Random(1)  # noqa: S311 - as above
        missions = session.missions(limit=10_000)
        middle = missions[len(missions) // 2].id
        print("| look | median ms | p95 ms |\n|---|---|---|")
        looks: dict[str, Callable[[], object]] = {
            "find: a common word": lambda: store.find(rng.choice(WORDS)),
            "find: two words": lambda: store.find(" ".join(rng.sample(WORDS, 2))),
            "find: a rare word": lambda: store.find(f"B{rng.randrange(100, 999)}"),
            "find: a word that is nowhere": lambda: store.find("zebra"),
            "ls": lambda: repr(session.missions()),
            "status": lambda: repr(session.status()),
            "the newest 100 events": lambda: store.events(limit=100, newest=True),
            "events of a mission": lambda: session.mission(middle).events(),
        }
        for what, look in looks.items():
            measure(what, look, asked.rounds)
        session.close()


if __name__ == "__main__":
    main()
