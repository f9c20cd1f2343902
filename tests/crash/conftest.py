"""Missions that leave a trace, runners that die, and a witness of what was acknowledged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from hypernb.model import MissionState, TaskState, replay
from hypernb.plan import Plan
from hypernb.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hypernb.model import Event, MissionRecord

FAULTY = Path(__file__).with_name("faulty_runner.py")
WITHIN_S = 60.0
MANY = 20


def trace(ledger: str, name: str, **needs: Any) -> str:
    """Leave a line outside the store when it begins and when it has ended."""
    import os
    import threading

    handle = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, f"begins {name} {os.getpid()}\n".encode())
        threading.Event().wait(0.01)  # the time in which it can be hit
        value = "+".join([*sorted(map(str, needs.values())), name])
        os.write(handle, f"ends {name} {os.getpid()}\n".encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    return value


class Ledger:
    """What tasks wrote outside the store."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _lines(self) -> list[list[str]]:
        return [line.split() for line in self.path.read_text().splitlines()]

    @property
    def begun(self) -> Counter[str]:
        """How often each task began."""
        return Counter(name for what, name, _ in self._lines() if what == "begins")

    @property
    def pids(self) -> set[int]:
        """The processes that tasks ran in."""
        return {int(pid) for _, _, pid in self._lines()}


class Witness:
    """Keeps what was acknowledged, and holds later states against it."""

    def __init__(self, store: SqlStore, ledger: Ledger) -> None:
        self.store = store
        self.ledger = ledger
        self.events: list[Event] = []
        self._finished: dict[str, tuple[Any, int]] = {}

    def look(self) -> None:
        """Read on from the last event, and check the promises so far."""
        self._read_on()
        assert self.store.check() == []
        assert all(use.held <= 1 for use in self.store.resources()), (
            "more permits than there are"
        )
        begun = self.ledger.begun if self.ledger.path.exists() else Counter()
        for mission in self.store.missions(limit=1000):
            tasks = {task.id: task for task in self.store.tasks(mission.id)}
            self._replays(mission)
            for task in tasks.values():
                key = f"{mission.short_id}/{task.name}"
                if task.state is TaskState.SUCCEEDED:
                    known = self._finished.setdefault(key, (task, begun[key]))
                    assert (task, begun[key]) == known, "a finished task ran again"
                else:
                    assert key not in self._finished, "what was acknowledged is gone"
            states = Counter(each.task_id for each in self.store.attempts(mission.id))
            assert all(tasks[key].attempt >= many for key, many in states.items())

    def _read_on(self) -> None:
        after = self.events[-1].seq if self.events else 0
        while batch := self.store.events(after=after):
            self.events += batch
            after = batch[-1].seq
        seqs = [event.seq for event in self.events]
        assert seqs == list(range(1, len(seqs) + 1)), "events are missing or out of order"
        # What was read before is still what the store holds.
        assert self.store.events(limit=100_000) == self.events

    def _replays(self, mission: MissionRecord) -> None:
        replayed = replay(event for event in self.events if event.mission_id == mission.id)
        tasks = self.store.tasks(mission.id)
        assert replayed.mission == self.store.mission(mission.id).state
        assert {task.name: replayed.task(task.name) for task in tasks} == {
            task.name: task.state for task in tasks
        }


class Scene:
    """A store, missions in it, and runners that die."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = SqlStore(folder / "h.db")
        self.ledger = Ledger(folder / "ledger")
        self.witness = Witness(self.store, self.ledger)
        self.missions: list[MissionRecord] = []
        self.store.limit_resource("scarce", at_once=1)

    def start_mission(self, *, once: bool = False) -> MissionRecord:
        """Approve a mission of thirty tasks in layers; names say which mission they are of.

        Args:
            once: One of its tasks, ``l0n2``, is not safe to repeat.
        """
        number = len(self.missions) + 1
        plan = Plan(f"layers {number}", concurrency=4)
        before: list[str] = []
        for layer in range(6):
            names = [f"l{layer}n{place}" for place in range(5)]
            for place, name in enumerate(names):
                plan.add(
                    name,
                    trace,
                    str(self.ledger.path),
                    f"m-{number}/{name}",
                    needs=before[place : place + 2],
                    repeatable=not (once and (layer, place) == (0, 2)),
                    resources=["scarce"] if place == 0 else (),
                )
            before = names
        spec, payloads = plan.build()
        mission = self.store.create_mission(spec, by="ana@here", payloads=payloads)
        self.store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="ana@here")
        self.missions.append(mission)
        return mission

    def runner(self, crash_at: str = "", **settings: Any) -> subprocess.Popen[bytes]:
        """Start a runner, which kills itself if ``crash_at`` says when."""
        values = {
            "idle_s": 0.2,
            "heartbeat_s": 0.2,
            "lease_s": 5,
            "backups": 0,
            "workers": 2,
            "executor": "inline",
            "abandoned_at_most": 1_000,  # they are not poisoned, only unlucky
            **settings,
        }
        environ = {f"HYPERNB_{name.upper()}": str(value) for name, value in values.items()}
        program = [str(FAULTY)] if crash_at else ["-m", "hypernb.engine"]
        return subprocess.Popen(
            [sys.executable, *program, "--store", self.store.url],
            env={**os.environ, **environ, "HYPERNB_CRASH_AT": crash_at},
            start_new_session=True,
        )

    def crash(self, crash_at: str, **settings: Any) -> bool:
        """Run until the runner is dead; tell whether it was killed, or had nothing to do."""
        if self._tasks_left() < MANY:
            self.start_mission()
        with self.runner(crash_at, **settings) as process:
            code = process.wait(timeout=WITHIN_S)
        assert code in (0, -signal.SIGKILL)
        self.leaves_no_process()
        self.witness.look()
        return code != 0

    @property
    def abandoned(self) -> int:
        """How many attempts lost their runner, or just did."""
        lost = ("abandoned", "running")
        return sum(
            attempt.state in lost
            for mission in self.missions
            for attempt in self.store.attempts(mission.id)
        )

    def _tasks_left(self) -> int:
        return sum(
            not task.state.is_final
            for mission in self.missions
            for task in self.store.tasks(mission.id)
        )

    def finish(self) -> None:
        """Let a runner do the rest, and check everything."""
        with self.runner() as process:
            assert process.wait(timeout=WITHIN_S) == 0
        self.leaves_no_process()
        self.witness.look()
        for mission in self.missions:
            assert self.store.mission(mission.id).state is MissionState.SUCCEEDED
            for attempts in self._attempts(mission).values():
                assert attempts[-1] == "succeeded"
                assert set(attempts[:-1]) <= {"abandoned", "cancelled"}
        assert self.store.leases(live=False) == [] or not self.store.leases()
        assert [use.held for use in self.store.resources()] == [0]

    def _attempts(self, mission: MissionRecord) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for attempt in self.store.attempts(mission.id):
            found.setdefault(attempt.task_id, []).append(attempt.state.value)
        return found

    def leaves_no_process(self) -> None:
        """Make sure that no process is left that a task ran in."""
        if self.ledger.path.exists():
            pids = self.ledger.pids
            self.until(lambda: not any(_is_alive(pid) for pid in pids), "the workers' end")

    def until(self, condition: Callable[[], Any], what: str) -> None:
        waiter = threading.Event()
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come within {WITHIN_S} s"
            waiter.wait(0.02)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HYPERNB_DB", raising=False)
    made = Scene(tmp_path)
    yield made
    made.store.close()
