"""A sweep that is killed, and sweeps beside writers, with real processes."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hypernb.abc import Payload
from hypernb.model import (
    AgentWork,
    AttemptState,
    Change,
    MissionState,
    PlanSpec,
    Retention,
    RunnerId,
    TaskSpec,
    TaskState,
)
from hypernb.store import SqlStore
from hypernb.store._sqlite import SqliteBackend
from hypernb.store._values import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypernb.model import MissionRecord

pytestmark = pytest.mark.timeout(120)

SPEC = PlanSpec(goal="look", tasks=(TaskSpec(name="a", work=AgentWork()),))
SWEEP = """
import sys
from datetime import UTC, datetime, timedelta
from hypernb.model import Retention
from hypernb.store import SqlStore
ahead = timedelta(days=int(sys.argv[2]))
store = SqlStore(sys.argv[1], clock=lambda: datetime.now(UTC) + ahead)
print("ready", flush=True)
sys.stdin.readline()
print(len(store.sweep(Retention(days=90, missions=0)).missions))
"""


def end(store: SqlStore, output: bytes) -> MissionRecord:
    """Store a mission of one task that has succeeded."""
    mission = store.create_mission(SPEC, by="ada")
    store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="ada")
    lease = store.take_lease(f"mission:{mission.id}", RunnerId("r"), timedelta(seconds=60), {})
    assert lease is not None
    [task] = store.tasks(mission.id)
    known = store.put_artifact(Payload("application/octet-stream", output))
    at = utc_now()
    steps = [
        Change("mission.started", at, mission_state=MissionState.RUNNING),
        Change("task.readied", at, task.id, task_state=TaskState.READY),
        Change(
            "task.started",
            at,
            task.id,
            1,
            task_state=TaskState.RUNNING,
            attempt_state=AttemptState.RUNNING,
        ),
        Change(
            "task.finished",
            at,
            task.id,
            1,
            task_state=TaskState.SUCCEEDED,
            attempt_state=AttemptState.SUCCEEDED,
            output=known,
            text="found a needle",
        ),
        Change("mission.finished", at, mission_state=MissionState.SUCCEEDED),
    ]
    store.commit(mission.id, lease, steps)
    store.release_lease(lease)
    return mission


@contextmanager
def sweeping(path: Path, days: int) -> Iterator[subprocess.Popen[str]]:
    """Sweep in a process of its own, so many days from now."""
    with subprocess.Popen(
        [sys.executable, "-c", SWEEP, str(path), str(days)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("\n")
        process.stdin.flush()
        yield process


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    made = SqlStore(tmp_path / "h.db")
    yield made
    made.close()


def test_killed_sweep_leaves_nothing_that_refers_to_what_is_gone(store: SqlStore) -> None:
    rng = random.Random(3)  # noqa: S311 - the same moments each time
    for number in range(40):
        end(store, number.to_bytes(2, "big") * 600_000)
    waiter = threading.Event()
    for _ in range(8):
        with sweeping(store.path, days=200) as process:
            waiter.wait(rng.uniform(0.0, 0.05))
            process.kill()
        assert store.check() == []
        for mission in store.missions():
            [task] = store.tasks(mission.id)
            assert task.output is not None
            assert len(store.artifact(task.output)[1]) == 1_200_000
    with sweeping(store.path, days=200) as last:
        assert last.wait(timeout=60) == 0
    assert store.missions() == []
    assert store.find("needle") == []
    assert store._database.artifacts is not None
    assert [each for each in store._database.artifacts.rglob("*") if each.is_file()] == []


def test_sweeps_beside_writers_take_nothing_that_is_needed(store: SqlStore) -> None:
    for number in range(20):
        end(store, b"old %d" % number)
    with sweeping(store.path, days=0) as one, sweeping(store.path, days=0) as other:
        fresh = [end(store, b"new %d" % number) for number in range(60)]
        assert [process.wait(timeout=60) for process in (one, other)] == [0, 0]
    assert len(store.missions(limit=100)) == 80
    for mission in fresh:
        [task] = store.tasks(mission.id)
        assert task.output is not None
        assert store.artifact(task.output)[1].startswith(b"new ")
    assert store.check() == []


def test_sweep_by_default_keeps_what_people_may_want(store: SqlStore) -> None:
    end(store, b"last year's")
    later = SqlStore(store.path, clock=lambda: utc_now() + timedelta(days=365))
    assert later.sweep(Retention()).missions == ()
    later.close()


def test_mission_that_is_tried_again_meanwhile_is_kept_whole(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, gone = end(store, b"one"), end(store, b"two")
    look = SqliteBackend.learned

    def look_and_retry(backend: SqliteBackend, names: list[str]) -> dict[str, list[int]]:
        found = look(backend, names)
        with store._database.writing() as connection:
            again = "UPDATE missions SET state = 'running' WHERE id = ?"
            connection.exec_driver_sql(again, (kept.id,))
        return found

    monkeypatch.setattr(SqliteBackend, "learned", look_and_retry)
    later = SqlStore(store.path, clock=lambda: utc_now() + timedelta(days=365))
    swept = later.sweep(Retention(days=90, missions=0))
    later.close()
    assert [short_id for short_id, _ in swept.missions] == [gone.short_id]
    assert [mission.id for mission in store.missions()] == [kept.id]
    assert {hit.mission for hit in store.find("needle")} == {kept.short_id}
