"""A store that is slow, full or gone for a while: nothing is lost and nothing runs twice."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from hypernb.clock import SystemClock
from hypernb.engine import Runner, RunnerEnd, read_log
from hypernb.engine import _changes as changes
from hypernb.engine._opening import read_opening
from hypernb.engine._recovery import Leftover
from hypernb.errors import StoreUnavailableError
from hypernb.model import RunnerId
from hypernb.plan import Plan
from hypernb.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

    from hypernb.model import (
        ArtifactRecord,
        Change,
        Digest,
        LeaseRecord,
        MissionId,
        MissionRecord,
    )

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
        self.commits += patient  # if not, it is asked once more
        if 3 - (not patient) <= self.commits < 3 + self.failures:
            raise StoreUnavailableError("The disk is full.")
        return super().commit(mission_id, lease, changes, patient=patient)


class LostStore(SqlStore):
    """Is out of reach, so many times, just when a task has something to tell."""

    outages = 3
    news = "task.finished"

    def commit(
        self,
        mission_id: MissionId,
        lease: LeaseRecord,
        changes: Sequence[Change],
        *,
        patient: bool = True,
    ) -> int:
        if self.outages and any(change.kind == self.news for change in changes):
            self.outages -= patient  # if not, it is asked once more
            raise StoreUnavailableError("The server was restarted.")
        return super().commit(mission_id, lease, changes, patient=patient)


class GoneStore(SqlStore):
    """Is out of reach for whoever asks what has changed, once it was asked a few times."""

    asked = 0

    def changed(self) -> bool:
        self.asked += 1
        if self.asked > 3:
            raise StoreUnavailableError("The server is gone.")
        return super().changed()


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


def test_runner_ends_when_its_store_stays_away(bench: Bench) -> None:
    bench.settings = replace(bench.settings, outage_s=0.5)
    store = GoneStore(bench.folder / "hypernb.db")
    mission = bench.approve(Plan("asked", root=bench.root).add("a", forever))
    assert drive(bench, store, mission) is RunnerEnd.FAILED
    # It has left the mission to the next one, which finds a store.
    assert bench.mission(mission).state == "running"
    store.close()


def forever() -> None:
    threading.Event().wait(60)


class TwiceLost(LostStore):
    """Is out of reach for two commits in a row, each time: also for the next run's first."""

    ends = 3
    left = 0

    def commit(
        self,
        mission_id: MissionId,
        lease: LeaseRecord,
        changes: Sequence[Change],
        *,
        patient: bool = True,
    ) -> int:
        if not self.left and self.ends and any(each.kind == self.news for each in changes):
            self.ends, self.left = self.ends - 1, 2
        if self.left:
            self.left -= patient
            raise StoreUnavailableError("The server was restarted.")
        return SqlStore.commit(self, mission_id, lease, changes, patient=patient)


def test_outage_that_lasts_into_the_next_run_is_no_evidence_either(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hypernb.engine._runner._FAULTS_AT_MOST", 20)
    mission = bench.approve(Plan("one", root=bench.root).add("a", abs, -1))
    drive(bench, TwiceLost(bench.folder / "hypernb.db"), mission)
    assert bench.mission(mission).state == "succeeded"
    assert {each.state.value for each in bench.attempts(mission, "a")} == {
        "cancelled",
        "succeeded",
    }


class Unreadable(SqlStore):
    """Is out of reach, once, when an artifact is read."""

    times = 1

    def artifact(self, digest: Digest) -> tuple[ArtifactRecord, bytes]:
        if self.times and threading.current_thread().name.startswith("hypernb artifacts"):
            self.times -= 1
            raise StoreUnavailableError("The server closed the connection.")
        return super().artifact(digest)


def test_outage_while_an_input_is_read_fails_no_task(bench: Bench) -> None:
    plan = Plan("large", root=bench.root).add("a", large).add("b", len_of, needs=["a"])
    mission = bench.approve(plan)
    drive(bench, Unreadable(bench.folder / "hypernb.db"), mission)
    assert bench.mission(mission).state == "succeeded"
    assert bench.output(mission, "b") == 2_000_000


def large() -> str:
    return "x" * 2_000_000


def len_of(a: str) -> int:
    return len(a)


def pay_some() -> None:
    from hypernb import spend

    spend(0.3)


def test_what_was_paid_during_an_outage_is_written_after_it(bench: Bench) -> None:
    plan = Plan("pay", root=bench.root, budget=0.8).add("a", pay_some, cap_cost=0.7)
    mission = bench.approve(plan)
    store = LostStore(bench.folder / "hypernb.db")
    store.outages, store.news = 1, "budget.settled"
    drive(bench, store, mission)
    ended = bench.mission(mission)
    # It was begun anew, and so has paid twice.
    assert ended.state == "succeeded"
    assert [each.usage.cost for each in bench.store.usage(mission.id)] == [0.3, 0.3]
    assert ended.cost == pytest.approx(0.6)


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


def persist(ledger: str, waits: int) -> int:
    """Say something, and at the first tries be at work until ended."""
    import threading as waiting
    from pathlib import Path

    with Path(ledger).open("a") as book:
        book.write("tried\n")
    tries = len(Path(ledger).read_text().splitlines())
    print("at work", flush=True)  # noqa: T201 - what a task prints is committed
    if tries <= waits:
        waiting.Event().wait(60)
    return tries


@pytest.mark.parametrize(
    ("news", "waits"),
    [
        pytest.param("task.finished", 0, id="at-its-end"),
        pytest.param("task.output", LostStore.outages, id="while-it-runs"),
    ],
)
def test_outages_of_the_store_are_no_evidence_against_a_task(
    bench: Bench, news: str, waits: int
) -> None:
    ledger = str(bench.root / "ledger")
    plan = Plan("persist", root=bench.root).add("one", persist, ledger, waits)
    mission = bench.approve(plan)
    store = LostStore(bench.folder / "hypernb.db")
    store.news = news
    drive(bench, store, mission)
    states = [each.state.value for each in bench.attempts(mission, "one")]
    assert states == [*["cancelled"] * LostStore.outages, "succeeded"]
    assert bench.output(mission, "one") == LostStore.outages + 1
    alone = [each.payload.get("alone") for each in bench.events(mission, "task.started")]
    assert not any(alone)


def test_number_that_another_runner_gave_is_not_ones_own(bench: Bench) -> None:
    # The start of one's own attempt may never have been committed; the next has its number.
    mission = bench.approve(Plan("one", root=bench.root).add("one", abs, -1))
    task = bench.tasks(mission)["one"].id
    lease, at = take(bench, mission, "r-2"), SystemClock().now()
    begun = changes.started(at, task, 1, pid=1, agent="")
    bench.store.commit(
        mission.id, lease, [changes.mission_started(at), changes.readied(at, task), begun]
    )
    for holder, lost in [("r-1", 1), ("r-2", 0)]:
        bench.store.release_lease(lease)
        lease = take(bench, mission, holder)
        left = Leftover(frozenset({(task, 1)}))
        opening = read_opening(
            bench.store, mission, lease, leftover=left, at=at, abandoned_at_most=3
        )
        assert opening.recovery.lost.get("one", 0) == lost


def take(bench: Bench, mission: MissionRecord, holder: str) -> LeaseRecord:
    found = bench.store.take_lease(
        f"mission:{mission.id}", RunnerId(holder), timedelta(seconds=30), {}
    )
    assert found is not None
    return cast("LeaseRecord", found)


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
