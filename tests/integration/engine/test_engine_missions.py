"""Missions from approval to end, with real workers and a real store."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.plan import Plan

if TYPE_CHECKING:
    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

pytestmark = pytest.mark.timeout(120)


def one() -> int:
    return 1


def double(one: int) -> int:
    return one * 2


def ten(one: int) -> int:
    return one * 10


def both(double: int, ten: int) -> list[int]:
    return [double, ten]


def fail() -> None:
    raise ValueError("no rows")


def note(path: str, line: str) -> None:
    with Path(path).open("a") as ledger:
        ledger.write(f"{line}\n")


def test_diamond_hands_outputs_on(bench: Bench) -> None:
    plan = Plan("diamond", root=bench.root).add("one", one)
    plan.add("double", double, needs=["one"]).add("ten", ten, needs=["one"])
    mission = bench.run(plan.add("both", both, needs=["double", "ten"]))
    assert mission.state == "succeeded"
    assert bench.output(mission, "both") == [2, 10]


def test_every_transition_is_an_event(bench: Bench) -> None:
    mission = bench.run(Plan("one", root=bench.root).add("one", one))
    assert [event.kind for event in bench.events(mission)][-5:] == [
        "mission.started",
        "task.readied",
        "task.started",
        "task.finished",
        "mission.finished",
    ]


def test_stop_fails_the_mission_and_starts_nothing(bench: Bench) -> None:
    plan = Plan("stop", root=bench.root).add("fail", fail).add("after", one, needs=["fail"])
    mission = bench.run(plan)
    assert (mission.state, bench.states(mission)["after"]) == ("failed", "cancelled")
    assert mission.error == "Task 'fail' raised ValueError: no rows"


def test_skip_lets_the_rest_finish(bench: Bench) -> None:
    plan = Plan("skip", root=bench.root).add("fail", fail, on_failure="skip")
    plan.add("after", one, needs=["fail"]).add("other", one)
    mission = bench.run(plan)
    assert bench.states(mission) == {"fail": "failed", "after": "skipped", "other": "succeeded"}
    assert mission.state == "failed"


def test_continue_hands_none_on(bench: Bench) -> None:
    def after(fail: Any) -> str:
        return f"got {fail}"

    plan = Plan("continue", root=bench.root).add("fail", fail, on_failure="continue")
    mission = bench.run(plan.add("after", after, needs=["fail"]))
    assert (mission.state, bench.output(mission, "after")) == ("succeeded", "got None")


def test_failed_try_is_tried_again(bench: Bench) -> None:
    marker = str(bench.root / "tried")

    def flaky() -> str:
        if not Path(marker).exists():
            Path(marker).touch()
            raise OSError("not yet")
        return "done"

    plan = Plan("retry", root=bench.root).add("flaky", flaky, attempts=3, backoff=0.01)
    mission = bench.run(plan)
    retried = bench.events(mission, "task.retried")[0].payload
    assert [each.state.value for each in bench.attempts(mission, "flaky")] == [
        "failed",
        "succeeded",
    ]
    assert (retried["try"], retried["of"], retried["next_attempt"]) == (1, 3, 2)


def test_tries_are_bounded(bench: Bench) -> None:
    plan = Plan("bounded", root=bench.root).add("fail", fail, attempts=3, backoff=0.01)
    mission = bench.run(plan)
    assert (mission.state, len(bench.attempts(mission, "fail"))) == ("failed", 3)


@pytest.mark.parametrize(
    ("body", "kind", "detail"),
    [
        pytest.param(lambda: sys.exit(3), "SystemExit", "3", id="sys-exit"),
        pytest.param(lambda: os._exit(7), "WorkerLost", "", id="os-exit"),
        pytest.param(lambda: os.kill(os.getpid(), 9), "WorkerLost", "", id="killed"),
        pytest.param(lambda: iter(_ for _ in [1]), "CannotShipError", "", id="cannot-ship"),
    ],
)
def test_what_a_task_does_to_its_process_fails_it(
    bench: Bench, body: Any, kind: str, detail: str
) -> None:
    plan = Plan("bad", root=bench.root).add("bad", body, on_failure="skip")
    for number in range(5):
        plan.add(f"good-{number}", one)
    mission = bench.run(plan)
    facts = bench.events(mission, "task.finished")
    bad = next(event.payload for event in facts if event.payload["state"] == "failed")
    assert bad["kind"] == kind
    assert detail in bad.get("detail", "")
    assert list(bench.states(mission).values()).count("succeeded") == 5


def exhaust() -> None:
    """Take more memory than there is, bit by bit."""
    held = []
    while True:
        held.append(b"x" * 1_000_000)


def fork_and_stay() -> int:
    """Leave a child behind that does not end by itself."""
    import threading

    child = os.fork()
    if child == 0:
        threading.Event().wait(300)
        os._exit(0)
    return child


def never_yield() -> None:
    """Compute, and look at nothing."""
    number = 0
    while True:
        number += 1


def test_task_that_exhausts_memory_fails_and_the_others_live_on(bench: Bench) -> None:
    plan = Plan("bad", root=bench.root).add("bad", exhaust, on_failure="skip")
    for number in range(5):
        plan.add(f"good-{number}", one)
    mission = bench.run(plan, memory_mb=300)
    assert mission.error == (
        "Task 'bad' raised MemoryError: it needed more than the 300 MB that a task may take "
        "(HYPERNB_MEMORY_MB)"
    )
    assert list(bench.states(mission).values()).count("succeeded") == 5


def test_task_that_never_yields_is_ended_at_its_limit(bench: Bench) -> None:
    plan = Plan("bad", root=bench.root, concurrency=2).add(
        "bad", never_yield, timeout=0.5, on_failure="skip"
    )
    mission = bench.run(plan.add("good", one))
    assert mission.error == "Task 'bad' raised TimeoutError: not done after 0.5 s"
    assert bench.states(mission)["good"] == "succeeded"


def test_child_that_a_task_leaves_behind_is_ended(bench: Bench) -> None:
    mission = bench.run(Plan("forks", root=bench.root).add("fork", fork_and_stay).add("b", one))
    assert mission.state == "succeeded"
    child = bench.output(mission, "fork")
    bench.until(lambda: not _is_alive(child), "the end of the child")


def _is_alive(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_segfault_says_where(bench: Bench) -> None:
    def crash() -> None:
        import ctypes

        ctypes.string_at(0)

    mission = bench.run(Plan("crash", root=bench.root).add("crash", crash))
    finished = bench.events(mission, "task.finished")[0].payload
    assert "exit code -11" in mission.error
    assert "Segmentation fault" in finished["detail"]


def test_unpicklable_exception_still_tells(bench: Bench) -> None:
    def odd() -> None:
        class OddError(Exception):
            def __init__(self) -> None:
                self.lock = __import__("threading").Lock()

            def __str__(self) -> str:
                raise RuntimeError("no words")

        raise OddError

    mission = bench.run(Plan("odd", root=bench.root).add("odd", odd))
    assert "OddError" in mission.error


def test_printing_is_kept_up_to_a_limit(bench: Bench) -> None:
    def chatter() -> None:
        for number in range(1_000_000):
            print(f"line {number}")  # noqa: T201 - the point

    mission = bench.run(Plan("chatter", root=bench.root).add("chatter", chatter))
    texts = [event.payload["text"] for event in bench.events(mission, "task.output")]
    assert texts[0].startswith("line 0\n")
    assert sum(len(text) for text in texts) < 80_000
    assert "more bytes of output were not kept" in texts[-1]


def test_output_of_programs_is_kept(bench: Bench) -> None:
    def shell() -> None:
        import subprocess

        subprocess.run(["echo", "from a program"], check=True)

    mission = bench.run(Plan("shell", root=bench.root).add("shell", shell))
    texts = [event.payload["text"] for event in bench.events(mission, "task.output")]
    assert texts == ["from a program\n"]


def test_coroutine_functions_are_awaited(bench: Bench) -> None:
    async def later() -> str:
        import asyncio

        await asyncio.get_running_loop().run_in_executor(None, time.monotonic)
        return "awaited"

    mission = bench.run(Plan("async", root=bench.root).add("later", later))
    assert bench.output(mission, "later") == "awaited"


def test_secrets_are_not_handed_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("HARMLESS", "yes")

    def look() -> list[str]:
        return sorted(name for name in os.environ if name in ("OPENAI_API_KEY", "HARMLESS"))

    mission = bench.run(Plan("env", root=bench.root).add("look", look))
    assert bench.output(mission, "look") == ["HARMLESS"]


def test_tasks_work_in_the_root(bench: Bench) -> None:
    (bench.root / "neighbour.py").write_text("VALUE = 41\n")

    def look() -> list[Any]:
        import neighbour  # type: ignore[import-not-found]  # made above

        return [os.getcwd(), neighbour.VALUE]  # noqa: PTH109 - as a task would

    mission = bench.run(Plan("root", root=bench.root).add("look", look))
    assert bench.output(mission, "look") == [str(bench.root), 41]


def test_large_values_travel(bench: Bench) -> None:
    def large() -> bytes:
        return b"x" * 3_000_000

    def size(large: bytes) -> int:
        return len(large)

    plan = Plan("large", root=bench.root).add("large", large).add("size", size, needs=["large"])
    assert bench.output(bench.run(plan), "size") == 3_000_000


def test_same_bytes_of_two_kinds_stay_apart(bench: Bench) -> None:
    def raw() -> bytes:
        return b"1"

    def kinds(one: int, raw: bytes) -> list[str]:
        return [type(one).__name__, type(raw).__name__]

    plan = Plan("kinds", root=bench.root).add("one", one).add("raw", raw, needs=["one"])
    mission = bench.run(plan.add("kinds", kinds, needs=["one", "raw"]))
    assert bench.output(mission, "kinds") == ["int", "bytes"]
    assert bench.output(mission, "raw") == b"1"


def test_higher_priority_goes_first(bench: Bench) -> None:
    ledger = str(bench.root / "ledger")
    missions = []
    for name, priority in (("low", 10), ("high", 90)):
        plan = Plan(name, root=bench.root, priority=priority)
        for number in range(4):
            plan.add(f"{name}-{number}", note, ledger, name)
        missions.append(bench.approve(plan))
    bench.host(concurrency=1)
    for mission in missions:
        bench.finished(mission)
    lines = Path(ledger).read_text().split()
    # The first mission that is opened may already have one task running.
    assert lines[1:5].count("high") >= 3


def test_missions_of_equal_priority_take_turns(bench: Bench) -> None:
    long = Plan("long", priority=50)
    for number in range(6):
        long.add(f"link{number}", one, needs=[f"link{number - 1}"] if number else [])
    short = Plan("short", priority=50)
    for number in range(3):
        short.add(f"single{number}", one)
    missions = [bench.approve(long), bench.approve(short)]
    bench.host(concurrency=1)
    for mission in missions:
        bench.finished(mission)
    order = [
        event.mission_id for event in bench.store.events(kinds=["task.started"], limit=1000)
    ]
    last_short = max(place for place, each in enumerate(order) if each == missions[1].id)
    assert last_short < len(order) - 2, "the short mission had to wait for the long one"


def test_one_agent_is_not_given_too_much(bench: Bench) -> None:
    plan = Plan("limits", root=bench.root, concurrency=1)
    ledger = str(bench.root / "ledger")

    def alone() -> None:
        note(ledger, "begin")
        note(ledger, "end")

    for number in range(4):
        plan.add(f"t{number}-x", alone)
    bench.run(plan)
    assert Path(ledger).read_text().split() == ["begin", "end"] * 4


def test_deadline_is_a_hard_limit(bench: Bench) -> None:
    def long() -> None:
        import threading

        threading.Event().wait(60)

    plan = Plan("late", root=bench.root, deadline=0.5).add("long", long)
    mission = bench.run(plan)
    assert (mission.state, bench.states(mission)["long"]) == ("failed", "cancelled")
    assert "deadline of 0.5 s" in mission.error


def test_mission_of_nobody_is_not_run(bench: Bench) -> None:
    mission = bench.approve(Plan("forged", root=bench.root).add("one", one))
    import sqlite3

    with sqlite3.connect(bench.folder / "hypernb.db") as connection:
        connection.execute("UPDATE missions SET state = 'running'")
        connection.execute("UPDATE approvals SET signature = 'forged'")
    connection.close()
    bench.host()
    ended = bench.finished(mission)
    assert ended.state == "failed"
    assert bench.attempts(mission, "one") == []


@pytest.mark.slow
def test_ten_thousand_trivial_tasks(bench: Bench) -> None:
    import psutil

    plan = Plan("many", root=bench.root)
    for number in range(10_000):
        plan.add(f"t-{number}", abs, -number)
    before = psutil.Process().memory_info().rss
    mission = bench.run(plan)
    grown = psutil.Process().memory_info().rss - before
    assert set(bench.states(mission).values()) == {"succeeded"}
    assert grown < 200_000_000
