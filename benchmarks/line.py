"""How soon a commit is told to a notebook: from the commit to the message on the wire.

A kernel of its own shows a mission; this process commits events of it, as a runner would, and
takes the kernel's messages, as a server would. First the kernel is idle, then it runs a cell of
pure Python. Both ends read the same clock. The view acknowledges what it gets on a subshell.

Aimed at: 35 ms for 95 of 100, idle and busy; the browser adds a few.
Run: ``python benchmarks/line.py [commits]``.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

from hypernb.model import (
    AgentWork,
    AttemptState,
    Change,
    MissionState,
    PlanSpec,
    RunnerId,
    TaskSpec,
    TaskState,
)
from hypernb.store import SqlStore

COMMITS = 300
AIM_MS = 35.0
ACK_AFTER = 16
"""As views do."""
BUSY = """
import time
until = time.monotonic() + {seconds}
while time.monotonic() < until:
    sum(i * i for i in range(1000))
"""
SHOW = """
import hypernb
from hypernb.widgets import MissionView
view = MissionView(hypernb.Session({store!r}, runner="inprocess").mission(1))
view
"""


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - no clock but the machine's is measured here


class Runner:
    """Holds a mission under way and commits progress of its task."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        tasks = tuple(TaskSpec(name=f"task-{n}", work=AgentWork()) for n in range(20))
        mission = store.create_mission(PlanSpec(goal="measure", tasks=tasks), by="bench")
        store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="bench")
        ttl = timedelta(hours=1)
        runner = store.take_lease("runner:bench", RunnerId("bench"), ttl, {"pid": os.getpid()})
        lease = store.take_lease(f"mission:{mission.id}", RunnerId("bench"), ttl, {})
        assert runner is not None  # noqa: S101 - narrows the type
        assert lease is not None  # noqa: S101 - narrows the type
        self._lease, self._mission = lease, mission
        self._task = store.tasks(mission.id)[0].id
        self._commit(Change("mission.started", _now(), mission_state=MissionState.RUNNING))
        self._commit(
            Change("task.readied", _now(), self._task, task_state=TaskState.READY),
            Change(
                "task.started",
                _now(),
                self._task,
                1,
                task_state=TaskState.RUNNING,
                attempt_state=AttemptState.RUNNING,
            ),
        )

    def _commit(self, *changes: Change) -> int:
        return self.store.commit(self._mission.id, self._lease, changes)

    def progress(self, note: str) -> tuple[int, float]:
        """Commit an event; return its number and when that was done."""
        change = Change("task.progressed", _now(), self._task, 1, {"note": note}, note=note)
        return self._commit(change), time.monotonic()


class Notebook:
    """A kernel that shows the mission, and a front end that takes its messages."""

    def __init__(self, store: str, folder: str) -> None:
        self._manager = KernelManager(kernel_name="python3")
        env = {**os.environ, "HYPERNB_HOME": folder}
        self._manager.start_kernel(env=env)
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        self._subshell = self._create_subshell()
        self.arrived: dict[int, float] = {}
        self.started = threading.Event()
        self._comm = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()
        self.execute(SHOW.format(store=store))
        if not self.started.wait(30):
            raise SystemExit("The view was not told anything.")

    def execute(self, code: str) -> None:
        """Run a cell; does not wait for it."""
        self._client.execute(code)

    def close(self) -> None:
        """End the kernel."""
        self._stop.set()
        self._thread.join()
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def _create_subshell(self) -> str:
        message = self._client.session.msg("create_subshell_request")
        self._client.control_channel.send(message)
        reply = self._client.control_channel.get_msg(timeout=10)
        return str(reply["content"].get("subshell_id", ""))

    def _say(self, content: dict[str, Any]) -> None:
        data = {"method": "custom", "content": content}
        message = self._client.session.msg("comm_msg", {"comm_id": self._comm, "data": data})
        message["header"]["subshell_id"] = self._subshell
        self._client.shell_channel.send(message)

    def _take(self) -> None:
        while not self._stop.is_set():
            if not self._client.iopub_channel.socket.poll(100):
                continue
            message = self._client.get_iopub_msg(timeout=1)
            at, content = time.monotonic(), message["content"]
            if message["msg_type"] == "comm_open" and "component" in str(content["data"]):
                self._comm = content["comm_id"]
                self._say({"type": "hello", "front_end": "a benchmark"})
            elif message["msg_type"] == "comm_msg" and content["comm_id"] == self._comm:
                self._note(content["data"].get("content") or {}, at)

    def _note(self, said: dict[str, Any], at: float) -> None:
        for event in said.get("events", ()):
            self.arrived.setdefault(event["seq"], at)
        if said.get("n", 1) % ACK_AFTER == 0:
            self._say({"type": "ack", "n": said["n"]})
        if said.get("type") == "picture":
            self.started.set()


def measured(runner: Runner, notebook: Notebook, commits: int) -> list[float]:
    """Commit events at irregular times; return how late each arrived, in milliseconds."""
    rng = random.Random(7)  # noqa: S311 - the same pauses each time
    waiter = threading.Event()
    committed = {}
    for number in range(commits):
        waiter.wait(rng.uniform(0.005, 0.06))
        seq, at = runner.progress(f"step {number}")
        committed[seq] = at
    deadline = time.monotonic() + 30
    while not committed.keys() <= notebook.arrived.keys() and time.monotonic() < deadline:
        waiter.wait(0.01)
    return sorted((notebook.arrived[seq] - at) * 1e3 for seq, at in committed.items())


def main() -> None:
    """Print how late events arrive, idle and busy, as JSON and in words."""
    commits = int(sys.argv[1]) if len(sys.argv) > 1 else COMMITS
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HYPERNB_HOME"] = folder  # one signing key for both processes
        path = str(Path(folder) / "bench.db")
        store = SqlStore(path)
        runner = Runner(store)
        notebook = Notebook(path, folder)
        figures = {}
        try:
            for name, busy_s in (("idle", 0.0), ("busy", commits * 0.04 + 2)):
                if busy_s:
                    notebook.execute(BUSY.format(seconds=busy_s))
                    threading.Event().wait(0.5)
                late = measured(runner, notebook, commits)
                figures[name] = {
                    "p50_ms": round(statistics.median(late), 1),
                    "p95_ms": round(late[int(len(late) * 0.95)], 1),
                    "max_ms": round(late[-1], 1),
                }
        finally:
            notebook.close()
            store.close()
    print(json.dumps({"commits": commits, **figures}))
    for name, found in figures.items():
        print(
            f"{name}: median {found['p50_ms']} ms, 95 of 100 within {found['p95_ms']} ms "
            f"(aimed at: {AIM_MS:g})"
        )


if __name__ == "__main__":
    main()
