"""Stopping, pausing, crashing and going on, with real processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from hypernb.engine import RunnerEnd, spawn_runner
from hypernb.errors import RunnerError
from hypernb.plan import Plan

if TYPE_CHECKING:
    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

pytestmark = pytest.mark.timeout(120)


def wait_long(pids: str) -> None:
    """Start a program that starts another, tell their pids, and wait."""
    import subprocess
    import threading

    shell = subprocess.Popen(["sh", "-c", "sleep 300 & echo $!; wait"], stdout=subprocess.PIPE)
    assert shell.stdout is not None
    grandchild = int(shell.stdout.readline())
    Path(pids).write_text(f"{os.getpid()} {shell.pid} {grandchild}\n")
    threading.Event().wait(300)


def tick(ledger: str, times: int = 2_000) -> None:
    import threading

    for number in range(times):
        with Path(ledger).open("a") as file:
            file.write(f"{number}\n")
        threading.Event().wait(0.01)


def read_pids(path: Path) -> list[int]:
    text = path.read_text() if path.exists() else ""
    return [int(word) for word in text.split()] if text.endswith("\n") else []


def none_alive(pids: list[int]) -> bool:
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                return False
        except psutil.NoSuchProcess:
            continue
    return True


def test_cancel_ends_the_whole_tree(bench: Bench) -> None:
    pids = bench.root / "pids"
    plan = Plan("cancel", root=bench.root).add("long", wait_long, str(pids))
    mission = bench.approve(plan.add("after", abs, 1, needs=["long"]))
    bench.host()
    started = bench.until(lambda: read_pids(pids))
    bench.store.send("cancel", mission.id, by="ana@here")
    began = time.monotonic()
    ended = bench.finished(mission)
    assert (ended.state, ended.error) == ("cancelled", "by ana@here")
    assert none_alive(started)
    assert time.monotonic() - began < 6  # 2 s and what a loaded machine adds
    assert bench.states(mission) == {"long": "cancelled", "after": "cancelled"}
    assert [each.state for each in bench.attempts(mission, "long")] == ["cancelled"]


def test_timeout_ends_grandchildren(bench: Bench) -> None:
    pids = bench.root / "pids"
    plan = Plan("timeout", root=bench.root).add("long", wait_long, str(pids), timeout=2.0)
    mission = bench.run(plan)
    assert mission.error == "Task 'long' raised TimeoutError: not done after 2 s"
    assert none_alive(read_pids(pids))
    assert len(read_pids(pids)) == 3


def test_processes_left_behind_are_ended(bench: Bench) -> None:
    pids = bench.root / "pids"

    def leave() -> str:
        import subprocess

        child = subprocess.Popen(["sleep", "300"], start_new_session=True)
        Path(str(pids)).write_text(f"{child.pid}\n")
        return "left"

    mission = bench.run(Plan("leave", root=bench.root).add("leave", leave))
    assert mission.state == "succeeded"
    assert none_alive(read_pids(pids))


def test_pause_really_stops(bench: Bench) -> None:
    ledger = bench.root / "ledger"
    plan = Plan("pause", root=bench.root).add("tick", tick, str(ledger), 150, timeout=30)
    mission = bench.approve(plan)
    bench.host(stalled_s=1.5)
    bench.until(ledger.exists)
    bench.store.send("pause", mission.id, by="ana@here")
    bench.until(lambda: bench.mission(mission).state == "paused")
    bench.quietly(0.2)
    size = ledger.stat().st_size
    bench.quietly(2.0)
    assert ledger.stat().st_size == size
    assert bench.states(mission) == {"tick": "running"}  # silent, but not called stalled
    bench.store.send("resume", mission.id, by="ana@here")
    assert bench.finished(mission).state == "succeeded"
    assert len(ledger.read_text().split()) == 150


def test_paused_time_is_not_counted(bench: Bench) -> None:
    ledger = bench.root / "ledger"
    plan = Plan("pause", root=bench.root).add("tick", tick, str(ledger), 100, timeout=6.0)
    mission = bench.approve(plan)
    bench.host()
    bench.until(ledger.exists)
    bench.store.send("pause", mission.id, by="ana@here")
    bench.until(lambda: bench.mission(mission).state == "paused")
    bench.quietly(6.0)
    bench.store.send("resume", mission.id, by="ana@here")
    assert bench.finished(mission).state == "succeeded"


def test_cancel_of_a_paused_mission_ends_it(bench: Bench) -> None:
    pids = bench.root / "pids"
    mission = bench.approve(Plan("c", root=bench.root).add("long", wait_long, str(pids)))
    bench.host()
    started = bench.until(lambda: read_pids(pids))
    bench.store.send("pause", mission.id, by="ana@here")
    bench.store.send("cancel", mission.id, by="ana@here")
    assert bench.finished(mission).state == "cancelled"
    assert none_alive(started)


def test_silent_task_is_called_stalled_and_revived(bench: Bench) -> None:
    pids = bench.root / "pids"
    mission = bench.approve(Plan("s", root=bench.root).add("long", wait_long, str(pids)))
    bench.host(stalled_s=1.0, heartbeat_s=0.1)
    worker = bench.until(lambda: read_pids(pids))[0]
    os.kill(worker, signal.SIGSTOP)
    bench.until(lambda: bench.states(mission)["long"] == "stalled", "the stall")
    stalled = bench.events(mission, "task.stalled")[0].payload
    os.kill(worker, signal.SIGCONT)
    bench.until(lambda: bench.states(mission)["long"] == "running", "the revival")
    assert stalled["silent_s"] >= 1.0
    assert "600 s" in stalled["next"]


def test_killed_runner_is_succeeded_by_the_next(bench: Bench) -> None:
    ledger = bench.root / "ledger"
    pids = bench.root / "pids"

    def once(name: str) -> None:
        with Path(str(ledger)).open("a") as file:
            file.write(f"{name}\n")

    def long_at_first() -> str:
        if Path(str(pids)).exists():
            return "second"
        wait_long(str(pids))
        return "first"

    plan = Plan("crash", root=bench.root, concurrency=4)
    for number in range(50):
        plan.add(f"t-{number}", once, f"t-{number}")
    needs = [f"t-{number}" for number in range(50)]
    plan.add("long", long_at_first, needs=needs).add("after", once, "after", needs=["long"])
    mission = bench.approve(plan)
    runner = bench.process()
    started = bench.until(lambda: read_pids(pids), "the long task")
    done = {name for name, state in bench.states(mission).items() if state == "succeeded"}
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait()
    bench.until(lambda: none_alive(started), "the end of its workers")
    bench.host()
    assert bench.finished(mission).state == "succeeded"
    lines = ledger.read_text().split()
    assert len(done) == 50
    assert sorted(lines) == sorted({*lines})  # nothing that was finished ran twice
    assert [each.state for each in bench.attempts(mission, "long")] == [
        "abandoned",
        "succeeded",
    ]
    assert len(bench.events(mission, "attempt.abandoned")) == 1


def test_workers_of_a_paused_mission_die_with_the_runner(bench: Bench) -> None:
    pids = bench.root / "pids"
    mission = bench.approve(Plan("p", root=bench.root).add("long", wait_long, str(pids)))
    runner = bench.process()
    started = bench.until(lambda: read_pids(pids))
    bench.store.send("pause", mission.id, by="ana@here")
    bench.until(lambda: bench.mission(mission).state == "paused")
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait()
    bench.until(lambda: none_alive(started), "the end of its workers")


def test_killed_runner_leaves_no_files_on_their_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = bench.folder / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    ledger = bench.root / "ledger"
    bench.approve(Plan("p", root=bench.root).add("long", tick, str(ledger)))
    runner = bench.process()
    bench.until(ledger.exists)
    assert list(scratch.iterdir())
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait()
    bench.until(lambda: not list(scratch.iterdir()), "the end of its files")


def test_unrepeatable_task_is_put_to_the_user(bench: Bench) -> None:
    pids = bench.root / "pids"

    def send_mail() -> str:
        if Path(str(pids)).exists():
            return "sent"
        wait_long(str(pids))
        return ""

    plan = Plan("once", root=bench.root).add("mail", send_mail, repeatable=False)
    mission = bench.approve(plan)
    runner = bench.process()
    bench.until(lambda: read_pids(pids))
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait()
    bench.host()
    bench.until(lambda: bench.states(mission)["mail"] == "awaiting_approval")
    assert "%hyper retry m-1/t1" in bench.tasks(mission)["mail"].note
    bench.store.send("retry", mission.id, {"task": "mail"}, by="ana@here")
    assert bench.finished(mission).state == "succeeded"


def test_retry_reopens_a_failed_mission(bench: Bench) -> None:
    marker = str(bench.root / "mended")

    def broken() -> str:
        if not Path(marker).exists():
            raise ValueError("broken")
        return "mended"

    plan = Plan("again", root=bench.root).add("first", abs, -1)
    plan.add("broken", broken, needs=["first"]).add("after", abs, -2, needs=["broken"])
    mission = bench.run(plan)
    assert mission.state == "failed"
    Path(marker).touch()
    bench.answered(bench.store.send("retry", mission.id, {"task": "t2"}, by="ana@here"))
    assert bench.finished(mission).state == "succeeded"
    numbers = {name: task.attempt for name, task in bench.tasks(mission).items()}
    assert numbers == {"first": 1, "broken": 2, "after": 1}
    _, ended = bench.store.events(kinds=("mission.finished",))
    took_s = bench.mission(mission).took_s()
    # Of all of it, not of what came after the retry, and without the rest between.
    assert ended.payload["duration_s"] == pytest.approx(took_s, abs=0.002)


def test_retry_of_what_succeeded_is_refused(bench: Bench) -> None:
    mission = bench.run(Plan("done", root=bench.root).add("one", abs, -1))
    bench.answered(bench.store.send("retry", mission.id, {"task": "one"}, by="ana@here"))
    refused = bench.store.events(kinds=("command.refused",))[0].payload
    assert "succeeded" in refused["reason"]
    assert bench.mission(mission).state == "succeeded"


@pytest.mark.parametrize("kind", ["pause", "resume", "cancel", "frobnicate"])
def test_command_to_an_ended_mission_is_refused(bench: Bench, kind: str) -> None:
    mission = bench.run(Plan("done", root=bench.root).add("one", abs, -1))
    bench.answered(bench.store.send(kind, mission.id, by="ana@here"))
    assert bench.store.events(kinds=("command.refused",))


def test_stop_leaves_the_mission_to_the_next_runner(bench: Bench) -> None:
    pids = bench.root / "pids"

    def long_at_first() -> str:
        if Path(str(pids)).exists():
            return "second"
        wait_long(str(pids))
        return ""

    mission = bench.approve(Plan("stop", root=bench.root).add("long", long_at_first))
    host = bench.host(backups=2)
    started = bench.until(lambda: read_pids(pids))
    bench.store.send("stop", None, by="ana@here")
    bench.until(lambda: not host.is_alive)
    assert (host.end, bench.mission(mission).state) == (RunnerEnd.STOPPED, "running")
    assert none_alive(started)
    assert len(list((bench.folder / "backups").iterdir())) == 1
    bench.host()
    assert bench.finished(mission).state == "succeeded"
    assert [each.state for each in bench.attempts(mission, "long")] == [
        "cancelled",
        "succeeded",
    ]


def test_sigterm_ends_a_runner_in_order(bench: Bench) -> None:
    pids = bench.root / "pids"
    mission = bench.approve(Plan("t", root=bench.root).add("long", wait_long, str(pids)))
    runner = bench.process()
    bench.until(lambda: read_pids(pids))
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(timeout=30) == 0
    assert bench.states(mission) == {"long": "ready"}
    assert bench.store.leases() == []


def wait_for(ledger: str, file: str, **_needs: Any) -> int:
    """Note that it runs, and wait for a file; return whose runner this is."""
    import threading

    with Path(ledger).open("a") as lines:
        lines.write(f"{os.getpid()}\n")
    waiter = threading.Event()
    while not Path(file).exists():
        waiter.wait(0.02)
    return os.getppid()


def test_paused_runner_that_wakes_up_late_cannot_write(bench: Bench) -> None:
    ledger, go = bench.root / "ledger", bench.root / "go"
    plan = Plan("one runner per mission", root=bench.root).add("a", abs, -1)
    plan.add("b", wait_for, str(ledger), str(go), needs=["a"])
    mission = bench.approve(plan)
    first = bench.process(lease_s=1)
    [worker] = bench.until(lambda: read_pids(ledger))
    with bench.store._database.writing():
        # Not in the middle of a commit: what is stopped there keeps everybody from writing.
        first.send_signal(signal.SIGSTOP)
    second = bench.process(lease_s=1)
    bench.until(lambda: len(read_pids(ledger)) == 2, "the second runner's try")
    go.touch()
    assert bench.finished(mission).state == "succeeded"
    written = bench.events(mission)
    first.send_signal(signal.SIGCONT)
    bench.until(lambda: first.poll() is not None, "the end of the first runner")
    bench.until(lambda: none_alive([worker]))
    assert bench.output(mission, "b") == second.pid
    assert [each.state for each in bench.attempts(mission, "a")] == ["succeeded"]
    assert [each.state for each in bench.attempts(mission, "b")] == ["abandoned", "succeeded"]
    assert bench.events(mission) == written
    assert [each.holder for each in bench.store.leases("runner:")] != []


def test_runner_that_renews_its_lease_is_left_alone(bench: Bench) -> None:
    go = bench.root / "go"
    plan = Plan("held", root=bench.root).add("a", wait_for, str(bench.root / "ledger"), str(go))
    mission = bench.approve(plan)
    first = bench.process(lease_s=1)
    bench.until(lambda: bench.events(mission, "task.started"))
    others = [bench.process(lease_s=1) for _ in range(3)]
    assert [other.wait(timeout=30) for other in others] == [0, 0, 0]
    go.touch()
    assert bench.finished(mission).state == "succeeded"
    assert bench.output(mission, "a") == first.pid
    assert [each.state for each in bench.attempts(mission, "a")] == ["succeeded"]


def test_second_runner_leaves_when_the_first_gives_a_sign_of_life(bench: Bench) -> None:
    first = bench.host()
    bench.until(lambda: bench.store.leases("runner:"))
    second = bench.process()
    assert second.wait(timeout=30) == 0
    assert first.is_alive
    assert len(bench.store.leases("runner:")) == 1


def test_idle_runner_ends_itself(bench: Bench) -> None:
    host = bench.host(idle_s=0.2)
    bench.until(lambda: not host.is_alive)
    assert host.end is RunnerEnd.IDLE
    assert bench.store.leases() == []


def test_lost_lease_ends_the_run_unwritten(bench: Bench) -> None:
    pids = bench.root / "pids"
    mission = bench.approve(Plan("l", root=bench.root).add("long", wait_long, str(pids)))
    bench.host(lease_s=1.0)
    started = bench.until(lambda: read_pids(pids))
    take_over(bench, f"mission:{mission.id}")
    bench.until(lambda: none_alive(started), "the end of its worker")
    bench.until(lambda: bench.store.events(kinds=("lease.lost",)))
    assert bench.states(mission) == {"long": "running"}


def test_lost_runner_lease_ends_the_runner(bench: Bench) -> None:
    host = bench.host(lease_s=1.0)
    lease = bench.until(lambda: bench.store.leases("runner:"))[0]
    take_over(bench, lease.resource)
    bench.until(lambda: not host.is_alive)
    assert host.end is RunnerEnd.LOST


def take_over(bench: Bench, resource: str) -> None:
    import sqlite3

    with sqlite3.connect(bench.folder / "hypernb.db") as connection:
        connection.execute(
            "UPDATE leases SET holder = 'another', token = token + 1 WHERE resource = ?",
            (resource,),
        )
    connection.close()


def test_spawned_runner_outlives_the_call(bench: Bench, monkeypatch: Any) -> None:
    monkeypatch.setenv("HYPERNB_IDLE_S", "60")
    spawn_runner(bench.store.url)
    lease = bench.store.leases("runner:")[0]
    mission = bench.approve(Plan("spawned", root=bench.root).add("one", abs, -1))
    assert bench.finished(mission).state == "succeeded"
    bench.store.send("stop", None, by="ana@here")
    bench.until(lambda: not bench.store.leases("runner:"))
    assert lease.facts["pid"] != os.getpid()
    bench.until(lambda: none_alive([lease.facts["pid"]]))


def test_runner_that_cannot_start_says_why(bench: Bench, monkeypatch: Any) -> None:
    monkeypatch.setenv("HYPERNB_CONCURRENCY", "many")
    with pytest.raises(RunnerError, match="HYPERNB_CONCURRENCY is 'many'"):
        spawn_runner(bench.store.url)


def test_threads_run_missions_too(bench: Bench) -> None:
    plan = Plan("threads", root=bench.root).add("one", abs, -1)
    mission = bench.approve(plan.add("two", abs, -2, needs=["one"]))
    bench.host(executor="thread")
    assert bench.finished(mission).state == "succeeded"
    assert bench.output(mission, "two") == 2


def test_runner_that_ends_forgets_what_is_old(bench: Bench) -> None:
    old = bench.run(Plan("old").add("a", abs, -1), idle_s=0.1, keep_days=0, keep_missions=1)
    bench.until(lambda: not bench.hosts[-1].is_alive)
    assert bench.mission(old).state == "succeeded"
    new = bench.run(Plan("new").add("a", abs, -2), idle_s=0.1, keep_days=0, keep_missions=1)
    bench.until(lambda: not bench.hosts[-1].is_alive)
    assert [mission.id for mission in bench.store.missions()] == [new.id]
    assert bench.store.events(kinds=("missions.forgotten",))[-1].payload["missions"] == {
        "m-1": "old"
    }
    assert bench.output(new, "a") == 2
    assert bench.store.check() == []
