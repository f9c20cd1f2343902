"""Record the logs of real missions, to be replayed by every later version.

Writes one file for each kind of course into ``tests/fixtures/logs/<version>/``: the events as
lines of JSON and, last, the state that the tables told when they were written. Logs of earlier
versions stay as they are.

Usage: python tools/record_logs.py
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

os.environ["HYPERNB_HOME"] = tempfile.mkdtemp(prefix="hypernb-logs-")

from hypernb.engine import InProcessHost, RunnerSettings
from hypernb.errors import TooManyRequestsError
from hypernb.plan import Plan
from hypernb.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import MissionRecord

TARGET = Path(__file__).parent.parent / "tests" / "fixtures" / "logs" / version("hypernb")
LONG_S = 30.0


def fetch() -> int:
    """Work that is done at once."""
    return 1


def fail() -> None:
    """Work that cannot be done."""
    raise ValueError("there are no rows")


def hang() -> None:
    """Work that takes longer than anybody waits."""
    threading.Event().wait(LONG_S)


def ask(book: str) -> None:
    """Work that is refused the first time."""
    path = Path(book)
    if not path.exists():
        path.touch()
        raise TooManyRequestsError("the-service", retry_after_s=0.05)


def diamond(**terms: Any) -> Plan:
    """Four tasks, all of which can be done."""
    plan = Plan("a diamond", **terms).add("a", fetch)
    plan.add("b", fetch, needs=["a"]).add("c", fetch, needs=["a"])
    return plan.add("d", fetch, needs=["b", "c"])


def broken(on_failure: str, attempts: int = 1) -> Plan:
    """A task that fails, one that needs it, and one beside."""
    plan = Plan(f"a failure, then {on_failure}")
    plan.add("bad", fail, on_failure=on_failure, attempts=attempts, backoff=0.01)
    return plan.add("after", fetch, needs=["bad"]).add("beside", fetch)


class Recorder:
    """A store with a runner, and missions sent through it."""

    def __init__(self, folder: Path) -> None:
        self.store = SqlStore(folder / "hypernb.db")
        self.settings = RunnerSettings(heartbeat_s=0.1, stalled_s=0.5, grace_s=0.2, backups=0)
        self.host = InProcessHost(self.store.url, self.settings)
        self.host.start()

    def propose(self, plan: Plan) -> MissionRecord:
        """Store a plan."""
        spec, payloads = plan.build()
        return self.store.create_mission(spec, by="ana@here", payloads=payloads)

    def approve(self, plan: Plan) -> MissionRecord:
        """Store a plan and let it run."""
        mission = self.propose(plan)
        self.store.approve(
            mission.id, revision=mission.revision, plan_hash=mission.plan_hash, by="ana@here"
        )
        return mission

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so."""
        waiter = threading.Event()
        while not condition():
            waiter.wait(0.02)

    def said(self, mission: MissionRecord, kind: str) -> bool:
        """Tell whether an event of the kind has been written."""
        return bool(self.store.events(mission.id, kinds=[kind], limit=1))

    def write(self, name: str, mission: MissionRecord) -> None:
        """Wait for a mission's end, and write its log with what came of it."""
        self.until(lambda: self.store.mission(mission.id).state.is_final)
        tasks = self.store.tasks(mission.id)
        names = {task.id: task.name for task in tasks}
        end = {
            "mission": self.store.mission(mission.id).state,
            "tasks": {task.name: task.state for task in tasks},
            "attempts": [
                [names[each.task_id], each.number, each.state]
                for each in self.store.attempts(mission.id)
            ],
        }
        lines = [*self.store.events(mission.id, limit=10_000), {"end": end}]
        TARGET.mkdir(parents=True, exist_ok=True)
        text = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        # Tracebacks name the files of whoever recorded them.
        text = text.replace(str(Path(__file__).parent.parent).encode(), b"hypernb")
        (TARGET / f"{name}.jsonl").write_bytes(text)

    def record(self) -> None:
        """Record one mission of each course."""
        self.write("succeeded", self.approve(diamond()))
        for on_failure in ("stop", "skip", "continue"):
            self.write(f"failed-{on_failure}", self.approve(broken(on_failure)))
        self.write("retried", self.approve(broken("skip", attempts=3)))
        rejected = self.propose(diamond())
        self.store.reject(rejected.id, reason="not today", by="ana@here")
        self.write("rejected", rejected)
        unstarted = self.propose(diamond())
        self.store.cancel_unstarted(unstarted.id, by="ana@here")
        self.write("cancelled-before-its-start", unstarted)
        self._record_refused()
        self._record_steered()
        self._record_left_behind()
        self._record_abandoned()

    def _record_refused(self) -> None:
        self.store.limit_resource("the-service", at_once=1)
        plan = Plan("refused, then served")
        for name in "ab":
            book = tempfile.mktemp(prefix="hypernb-book-")  # noqa: S306 - must not be there
            plan.add(name, ask, book, resources=["the-service"])
        self.write("waiting-refused-served", self.approve(plan))

    def _record_steered(self) -> None:
        plan = Plan("steered").add("long", hang).add("next", fetch, needs=["long"])
        mission = self.approve(plan)
        for kind, event in (("pause", "mission.paused"), ("resume", "mission.resumed")):
            self.until(lambda: self.said(mission, "task.started"))
            self.store.send(kind, mission.id, by="ana@here")
            self.until(partial(self.said, mission, event))
        self.store.send("cancel", mission.id, by="ana@here")
        self.write("paused-resumed-cancelled", mission)

    def _record_left_behind(self) -> None:
        mission = self.approve(Plan("left behind").add("long", hang, repeatable=False))
        self.until(lambda: self.said(mission, "task.started"))
        self.host.stop()
        self.host = InProcessHost(self.store.url, self.settings)
        self.host.start()
        self.store.send("cancel", mission.id, by="ana@here")
        self.write("left-to-the-next-runner", mission)

    def _record_abandoned(self) -> None:
        self.host.stop()
        command = [sys.executable, "-m", "hypernb.engine", "--store", self.store.url]
        runner = subprocess.Popen(command, start_new_session=True)
        mission = self.approve(Plan("abandoned").add("long", hang, timeout=1.0))
        self.until(lambda: self.said(mission, "task.started"))
        runner.send_signal(signal.SIGKILL)
        runner.wait()
        self.host = InProcessHost(self.store.url, self.settings)
        self.host.start()
        self.write("abandoned-then-timed-out", mission)


def main() -> None:
    """Record all logs of this version."""
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder))
        try:
            recorder.record()
        finally:
            recorder.host.stop()
            recorder.store.close()
    print(f"{len(list(TARGET.iterdir()))} logs in {TARGET}")


if __name__ == "__main__":
    main()
