"""A store of its own for each test, and runners that are gone when it is over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.engine import InProcessHost, RunnerSettings, read_log
from hypernb.model import replay
from hypernb.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from hypernb.abc import Payload
    from hypernb.model import (
        AttemptRecord,
        Digest,
        Event,
        MissionRecord,
        PlanSpec,
        TaskRecord,
    )
    from hypernb.plan import Plan
    from tests.postgresql import Server

WITHIN_S = 60.0


class Bench:
    """A store, ways to start missions on it, and ways to wait for what happens."""

    def __init__(self, folder: Path, location: str = "") -> None:
        self.folder = folder
        self.root = folder / "project"
        self.root.mkdir()
        self.store = SqlStore(location or folder / "hypernb.db")
        self.settings = RunnerSettings(
            workers=2, idle_s=60.0, heartbeat_s=0.2, lease_s=5.0, grace_s=0.5, backups=0
        )
        self.hosts: list[InProcessHost] = []
        self.processes: list[subprocess.Popen[bytes]] = []

    # -- missions -----------------------------------------------------------------------

    def approve(self, plan: Plan) -> MissionRecord:
        return self.approve_spec(*plan.build())

    def approve_spec(
        self, spec: PlanSpec, payloads: Mapping[Digest, Payload] | None = None
    ) -> MissionRecord:
        mission = self.store.create_mission(spec, by="ana@here", payloads=payloads)
        self.store.approve(
            mission.id, revision=mission.revision, plan_hash=mission.plan_hash, by="ana@here"
        )
        return mission

    def run(self, plan: Plan, **settings: Any) -> MissionRecord:
        mission = self.approve(plan)
        self.host(**settings)
        return self.finished(mission)

    def mission(self, mission: MissionRecord) -> MissionRecord:
        return self.store.mission(mission.id)

    def tasks(self, mission: MissionRecord) -> dict[str, TaskRecord]:
        return {task.name: task for task in self.store.tasks(mission.id)}

    def states(self, mission: MissionRecord) -> dict[str, str]:
        return {name: task.state.value for name, task in self.tasks(mission).items()}

    def attempts(self, mission: MissionRecord, name: str) -> list[AttemptRecord]:
        task = self.tasks(mission)[name].id
        return [each for each in self.store.attempts(mission.id) if each.task_id == task]

    def events(self, mission: MissionRecord, kind: str = "") -> list[Event]:
        kinds = (kind,) if kind else ()
        return self.store.events(mission.id, kinds=kinds, limit=100_000)

    def output(self, mission: MissionRecord, name: str) -> Any:
        from hypernb import codec

        digest = self.tasks(mission)[name].output
        assert digest is not None
        record, data = self.store.artifact(digest)
        return codec.decode(record.media_type, data)

    # -- runners ------------------------------------------------------------------------

    def host(self, keys: Mapping[str, str] | None = None, **settings: Any) -> InProcessHost:
        host = InProcessHost(self.store.url, replace(self.settings, **settings), keys=keys)
        self.hosts.append(host)
        host.start()
        return host

    def process(
        self, *program: str, keys: Mapping[str, str] | None = None, **settings: Any
    ) -> subprocess.Popen[bytes]:
        """Start a runner as a process of its own.

        Args:
            program: Arguments of Python instead of ``-m hypernb.engine``.
            keys: What it is told by its pipe.
        """
        values = {"idle_s": 60, "heartbeat_s": 0.2, "lease_s": 5, "backups": 0, **settings}
        environ = {f"HYPERNB_{name.upper()}": str(value) for name, value in values.items()}
        arguments = program or ("-m", "hypernb.engine")
        told = () if keys is None else ("--keys",)
        process = subprocess.Popen(
            [sys.executable, *arguments, "--store", self.store.url, *told],
            stdin=None if keys is None else subprocess.PIPE,
            env={**os.environ, **environ},
            start_new_session=True,
        )
        if process.stdin is not None:
            process.stdin.write(json.dumps(keys).encode())
            process.stdin.close()
        self.processes.append(process)
        return process

    def replays(self) -> None:
        """Hold the promise that a log leads to the state that the tables tell."""
        for mission in self.store.missions(limit=1000):
            replayed = replay(self.events(mission))
            tasks = self.store.tasks(mission.id)
            names = {task.id: task.name for task in tasks}
            attempts = {
                (names[each.task_id], each.number): each.state
                for each in self.store.attempts(mission.id)
            }
            assert replayed.mission == mission.state
            assert {task.name: replayed.task(task.name) for task in tasks} == {
                task.name: task.state for task in tasks
            }
            assert replayed.attempts == attempts

    def close(self) -> None:
        for host in self.hosts:
            host.stop()
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)  # a test may have stopped it and failed
                process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)
        try:
            self.replays()
        finally:
            self.store.close()

    # -- waiting ------------------------------------------------------------------------

    def until(self, condition: Callable[[], Any], what: str = "it") -> Any:
        waiter = threading.Event()
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            if found := condition():
                return found
            waiter.wait(0.02)
        raise AssertionError(f"{what} did not happen within {WITHIN_S} s")

    def finished(self, mission: MissionRecord) -> MissionRecord:
        self.until(lambda: self.mission(mission).state.is_final, "the end of the mission")
        return self.mission(mission)

    def answered(self, seq: int) -> None:
        self.until(
            lambda: all(command.seq != seq for command in self.store.commands()), "the answer"
        )

    def quietly(self, seconds: float) -> None:
        """Let real time pass, where the point is that nothing happens in it."""
        threading.Event().wait(seconds)


@pytest.fixture
def server_bench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql: Server
) -> Iterator[Bench]:
    """A bench whose store is on a PostgreSQL server."""
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HYPERNB_DB", raising=False)
    url = postgresql.database()
    bench = Bench(tmp_path, url)
    try:
        yield bench
    finally:
        bench.close()
        for entry in read_log(bench.store.url):
            sys.stdout.write(f"{entry}\n")
        postgresql.drop(url)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HYPERNB_DB", raising=False)
    bench = Bench(tmp_path)
    try:
        yield bench
    finally:
        bench.close()
        # Shown by pytest only for a test that failed.
        for entry in read_log(bench.store.url):
            sys.stdout.write(f"{entry}\n")
