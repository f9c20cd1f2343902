"""A store that is slow, full or gone for a while: nothing is lost and nothing runs twice."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.engine import Runner, RunnerEnd, read_log
from hypernb.errors import StoreUnavailableError
from hypernb.plan import Plan
from hypernb.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

    from hypernb.model import Change, LeaseRecord, MissionId, MissionRecord

pytestmark = pytest.mark.timeout(120)


class SlowStore(SqlStore):
    """Takes its time for each commit, as a disk that has to spin up."""

    def commit(
        self,
        mission_id: MissionId,
        lease: LeaseRecord,
        changes: Sequence[Change],
        *,
        patient: bool = True,
    ) -> int:
        threading.Event().wait(0.15)
        return super().commit(mission_id, lease, changes, patient=patient)


class FullStore(SqlStore):
    """Has no room for its third commit and so many after it."""

    commits = 0
    failures = 1

    def commit(
        self,
        mission_id: MissionId,
        lease: LeaseRecord,
        changes: Sequence[Change],
        *,
        patient: bool = True,
    ) -> int:
        self.commits += 1
        if 3 <= self.commits < 3 + self.failures:
            raise StoreUnavailableError("The disk is full.")
        return super().commit(mission_id, lease, changes, patient=patient)


class SlowToRelease(SqlStore):
    """Takes its time to give a lease back."""

    def release_lease(self, lease: LeaseRecord) -> None:
        threading.Event().wait(0.3)
        super().release_lease(lease)


def drive(bench: Bench, store: SqlStore, mission: MissionRecord) -> RunnerEnd:
    """Run a runner on this very store until the mission has ended or the runner has."""

    async def main() -> RunnerEnd:
        runner = Runner(store, bench.settings)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(runner.run())
            while not running.done() and not bench.mission(mission).state.is_final:
                await runner.clock.sleep(0.05)
            # What comes after the end must not change it.
            await runner.clock.sleep(0.3)
            runner.request_stop()
        return running.result()

    try:
        return asyncio.run(asyncio.wait_for(main(), 90))
    finally:
        store.close()


def chain(bench: Bench, **facts: Any) -> Plan:
    plan = Plan("chain", root=bench.root).add("a", abs, -1, **facts)
    return plan.add("b", abs, -2, needs=["a"]).add("c", abs, -3, needs=["b"])


def test_slow_commits_come_back_in_order(bench: Bench) -> None:
    marker = str(bench.root / "tried")

    def flaky() -> None:
        from pathlib import Path

        if not Path(marker).exists():
            Path(marker).touch()
            raise OSError("not yet")

    plan = Plan("slow", root=bench.root).add("flaky", flaky, attempts=3, backoff=0.001)
    mission = bench.approve(plan)
    drive(bench, SlowStore(bench.folder / "hypernb.db"), mission)
    assert bench.mission(mission).state == "succeeded"
    assert [each.state for each in bench.attempts(mission, "flaky")] == ["failed", "succeeded"]


def test_full_disk_loses_nothing(bench: Bench) -> None:
    mission = bench.approve(chain(bench))
    drive(bench, FullStore(bench.folder / "hypernb.db"), mission)
    assert bench.mission(mission).state == "succeeded"
    assert len(bench.events(mission, "mission.finished")) == 1
    assert any("The disk is full" in entry["message"] for entry in read_log(bench.store.url))


def test_runner_gives_up_on_a_store_that_stays_full(bench: Bench) -> None:
    mission = bench.approve(chain(bench))
    store = FullStore(bench.folder / "hypernb.db")
    store.failures = 1_000
    assert drive(bench, store, mission) is RunnerEnd.FAILED
    assert bench.mission(mission).state == "running"
    bench.host()
    assert bench.finished(mission).state == "succeeded"


def nap() -> None:
    import threading as waiting

    waiting.Event().wait(1.5)


@pytest.mark.parametrize("faults", [pytest.param(5, id="tried"), pytest.param(1, id="left")])
def test_mission_that_cannot_be_opened_ends_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, faults: int
) -> None:
    monkeypatch.setattr("hypernb.engine._runner._FAULTS_AT_MOST", faults)
    broken = bench.approve(chain(bench))
    with closing(sqlite3.connect(bench.store.path)) as connection, connection:
        connection.execute("DELETE FROM tasks WHERE mission_id = ? AND number = 3", [broken.id])
    mission = bench.approve(Plan("whole", root=bench.root).add("one", nap))
    end = drive(bench, SlowToRelease(bench.folder / "hypernb.db"), mission)
    assert (end, bench.mission(mission).state) == (RunnerEnd.STOPPED, "succeeded")
