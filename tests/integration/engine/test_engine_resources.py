"""Resources that tasks of all missions and runners share: nobody gets more than there is."""

from __future__ import annotations

import threading
import urllib.request
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import TooManyRequestsError
from hypernb.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypernb.model import MissionRecord
    from tests.integration.engine.conftest import Bench

PAUSE_S = 0.05
OTHER_MACHINE = """
import platform, sys
platform.node = lambda: "other-machine"
from hypernb.engine.__main__ import main
sys.exit(main())
"""


def work(ledger: str) -> None:
    with Path(ledger).open("a") as book:
        book.write("+")
    threading.Event().wait(PAUSE_S)
    with Path(ledger).open("a") as book:
        book.write("-")


def most_at_once(ledger: Path) -> int:
    most = now = 0
    for sign in ledger.read_text():
        now += 1 if sign == "+" else -1
        most = max(most, now)
    return most


def wide(ledger: Path, many: int, *resources: str, **terms: Any) -> Plan:
    plan = Plan("Work side by side", root=ledger.parent, **({"concurrency": 8} | terms))
    for number in range(many):
        plan.add(f"task{number}", work, str(ledger), resources=resources)
    return plan


def held(bench: Bench) -> dict[str, int]:
    return {use.resource.name: use.held for use in bench.store.resources() if use.held}


def all_succeeded(bench: Bench, *missions: MissionRecord) -> bool:
    return all(bench.finished(each).state.value == "succeeded" for each in missions)


@pytest.mark.parametrize("executor", ["process", "thread"])
def test_tasks_of_all_missions_keep_within_a_limit(bench: Bench, executor: str) -> None:
    bench.store.limit_resource("suite", at_once=2)
    ledger = bench.root / "ledger"
    missions = [bench.approve(wide(ledger, 8, "suite")) for _ in range(2)]
    bench.host(executor=executor)
    assert all_succeeded(bench, *missions)
    assert ledger.read_text().count("+") == 16
    assert most_at_once(ledger) == 2
    assert held(bench) == {}


def test_runners_of_two_machines_keep_within_a_limit(bench: Bench) -> None:
    bench.store.limit_resource("suite", at_once=1)
    ledger = bench.root / "ledger"
    bench.process(concurrency=2)
    bench.process("-c", OTHER_MACHINE, concurrency=2)
    bench.until(lambda: len(bench.store.leases("runner:")) == 2, "the second runner")
    missions = [bench.approve(wide(ledger, 4, "suite")) for _ in range(8)]
    assert all_succeeded(bench, *missions)
    assert most_at_once(ledger) == 1
    assert ledger.read_text().count("+") == 32
    attempts = [bench.store.attempts(each.id) for each in missions]
    assert len({attempt.runner_id for each in attempts for attempt in each}) == 2


def test_waiting_is_a_state_and_no_failure(bench: Bench) -> None:
    bench.store.limit_resource("suite", at_once=1)
    gate = bench.root / "gate"

    def hold(path: str) -> None:
        while not Path(path).exists():
            threading.Event().wait(0.01)

    plan = Plan("Hold, then work", root=bench.root)
    plan.add("holds", hold, str(gate), resources=["suite"], estimate=100)
    plan.add("waits", work, str(bench.root / "ledger"), resources=["suite"])
    plan.add("free", work, str(bench.root / "ledger"))
    mission = bench.approve(plan)
    bench.host()
    bench.until(lambda: bench.states(mission)["free"] == "succeeded")
    bench.until(lambda: bench.states(mission)["waits"] == "waiting")
    assert bench.tasks(mission)["waits"].note == "waits for suite: 1 of 1 in use"
    (event,) = bench.events(mission, "task.deferred")
    assert event.payload == {"hurdle": "full", "resources": ["suite"], "held": 1, "limit": 1}
    gate.touch()
    assert all_succeeded(bench, mission)
    assert len(bench.attempts(mission, "waits")) == 1


def test_wait_is_told_once_for_a_task(bench: Bench) -> None:
    bench.store.limit_resource("suite", at_once=1)
    plan = Plan("Wide", root=bench.root, concurrency=8)
    for number in range(300):
        plan.add(f"task{number}", abs, -1, resources=["suite"])
    mission = bench.run(plan, executor="inline")
    assert mission.state.value == "succeeded"
    told = [event.task for event in bench.events(mission, "task.deferred")]
    assert len(told) == len(set(told)) <= 300


def test_killed_runner_leaves_no_permit_behind(bench: Bench) -> None:
    bench.store.limit_resource("suite", at_once=2)
    ledger = bench.root / "ledger"
    mission = bench.approve(wide(ledger, 6, "suite"))
    process = bench.process()
    bench.until(lambda: held(bench).get("suite") == 2, "both permits")
    process.kill()
    process.wait()
    bench.process()
    assert all_succeeded(bench, mission)
    assert held(bench) == {}


def test_stopped_runner_leaves_no_permit_behind(bench: Bench) -> None:
    bench.store.limit_resource("suite", at_once=1)
    mission = bench.approve(wide(bench.root / "ledger", 6, "suite"))
    host = bench.host()
    bench.until(lambda: held(bench), "a permit")
    host.stop()
    assert held(bench) == {}
    bench.host()
    assert all_succeeded(bench, mission)


def refused_twice(book: str, after_s: float | None) -> str:
    path = Path(book)
    times = len(path.read_text()) if path.exists() else 0
    with path.open("a") as ledger:
        ledger.write("x")
    if times < 2:
        raise TooManyRequestsError("model", retry_after_s=after_s)
    return "served"


@pytest.mark.parametrize("executor", ["process", "thread", "inline"])
@pytest.mark.parametrize("resources", [(), ("model",)])
def test_too_many_requests_is_waited_out(
    bench: Bench, executor: str, resources: tuple[str, ...]
) -> None:
    plan = Plan("Ask a busy service", root=bench.root)
    plan.add("ask", refused_twice, str(bench.root / "book"), 0.05, resources=resources)
    mission = bench.run(plan, executor=executor)
    assert mission.state.value == "succeeded"
    assert bench.output(mission, "ask") == "served"
    states = [attempt.state.value for attempt in bench.attempts(mission, "ask")]
    assert states == ["refused", "refused", "succeeded"]
    assert bench.events(mission, "task.retried") == []
    first = bench.events(mission, "task.deferred")[0]
    assert (first.payload["hurdle"], first.payload["after_s"]) == ("refused", 0.05)


def test_resource_that_refused_is_left_alone_by_all(bench: Bench) -> None:
    plan = Plan("Ask a busy service", root=bench.root)
    plan.add("ask", refused_twice, str(bench.root / "book"), 1.0, resources=["model"])
    first = bench.approve(plan)
    bench.host()
    bench.until(lambda: bench.states(first)["ask"] == "waiting")
    second = bench.approve(wide(bench.root / "ledger", 1, "model"))
    assert all_succeeded(bench, first, second)
    refusals = [each for each in bench.attempts(first, "ask") if each.state.value == "refused"]
    (other,) = bench.attempts(second, "task0")
    assert refusals[0].finished_at is not None
    assert (other.started_at - refusals[0].finished_at).total_seconds() >= 1.0


class Busy(BaseHTTPRequestHandler):
    """Answers 429 twice, then 200."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(429 if self.asked <= 2 else 200)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def busy_service() -> Iterator[str]:
    handler = type("Handler", (Busy,), {"asked": 0})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def by_urllib(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - of this test
        return str(answer.read().decode())


def by_httpx(url: str) -> str:
    import httpx

    with httpx.Client(trust_env=False) as client:
        return client.get(url, timeout=10).raise_for_status().text


@pytest.mark.parametrize("ask", [by_urllib, by_httpx])
def test_http_status_429_is_waited_out(bench: Bench, ask: Any) -> None:
    with busy_service() as url:
        plan = Plan("Ask a busy service", root=bench.root)
        plan.add("ask", ask, url, resources=["the-service"])
        mission = bench.run(plan)
    assert mission.state.value == "succeeded"
    states = [attempt.state.value for attempt in bench.attempts(mission, "ask")]
    assert states == ["refused", "refused", "succeeded"]


def test_http_status_429_fails_a_task_that_shares_nothing(bench: Bench) -> None:
    with busy_service() as url:
        plan = Plan("Ask a busy service", root=bench.root)
        plan.add("ask", by_urllib, url)
        mission = bench.run(plan)
    assert mission.state.value == "failed"
    assert "HTTP Error 429" in mission.error


def test_rate_spreads_the_starts(bench: Bench) -> None:
    bench.store.limit_resource("model", rate_per_s=20.0)
    plan = Plan("Ask politely", root=bench.root, concurrency=8)
    for number in range(6):
        plan.add(f"task{number}", abs, -1, resources=["model"])
    mission = bench.run(plan)
    assert mission.state.value == "succeeded"
    starts = sorted(each.started_at for each in bench.store.attempts(mission.id))
    # The first is free; a permit is written before the start that it is for.
    assert (starts[-1] - starts[0]).total_seconds() >= 5 / 20.0 - PAUSE_S


@pytest.mark.parametrize("command", ["cancel", "deadline"])
def test_waiting_task_ends_with_its_mission(bench: Bench, command: str) -> None:
    plan = Plan(
        "Wait for ever", root=bench.root, deadline=2.0 if command == "deadline" else None
    )
    plan.add("ask", refused_twice, str(bench.root / "book"), 3600.0, resources=["model"])
    mission = bench.approve(plan)
    bench.host()
    bench.until(lambda: bench.states(mission)["ask"] == "waiting")
    if command == "cancel":
        bench.store.send("cancel", mission.id, by="ana@here")
    ended = bench.finished(mission)
    assert ended.state.value == ("cancelled" if command == "cancel" else "failed")
    assert bench.states(mission) == {"ask": "cancelled"}
    assert held(bench) == {}


def test_waiting_mission_can_be_paused_and_resumed(bench: Bench) -> None:
    plan = Plan("Wait a while", root=bench.root)
    plan.add("ask", refused_twice, str(bench.root / "book"), 0.2, resources=["model"])
    mission = bench.approve(plan)
    bench.host()
    bench.until(lambda: bench.states(mission)["ask"] == "waiting")
    bench.answered(bench.store.send("pause", mission.id, by="ana@here"))
    bench.answered(bench.store.send("resume", mission.id, by="ana@here"))
    assert all_succeeded(bench, mission)


def test_waiting_mission_goes_on_with_the_next_runner(bench: Bench) -> None:
    plan = Plan("Wait a while", root=bench.root)
    plan.add("ask", refused_twice, str(bench.root / "book"), 0.5, resources=["model"])
    mission = bench.approve(plan)
    host = bench.host()
    bench.until(lambda: bench.states(mission)["ask"] == "waiting")
    host.stop()
    assert bench.states(mission) == {"ask": "waiting"}
    bench.host()
    assert all_succeeded(bench, mission)


def test_new_limit_takes_effect_at_once(bench: Bench) -> None:
    bench.store.limit_resource("model", rate_per_s=0.0001)
    plan = Plan("Wait for a day", root=bench.root)
    plan.add("first", abs, -1, resources=["model"])
    plan.add("second", abs, -1, resources=["model"])
    mission = bench.approve(plan)
    bench.host()
    bench.until(lambda: "waiting" in bench.states(mission).values())
    bench.store.limit_resource("model")
    assert all_succeeded(bench, mission)


def test_waits_for_resources_hold_no_place_of_others(bench: Bench) -> None:
    bench.settings = replace(bench.settings, concurrency=2)
    bench.store.limit_resource("suite", at_once=1)
    plan = Plan("Mixed", root=bench.root, concurrency=2)
    gate = bench.root / "gate"

    def hold(path: str) -> None:
        while not Path(path).exists():
            threading.Event().wait(0.01)

    plan.add("holds", hold, str(gate), resources=["suite"], estimate=100)
    for number in range(3):
        plan.add(f"w{number}", abs, -1, resources=["suite"], estimate=50)
        plan.add(f"f{number}", abs, -1)
    mission = bench.approve(plan)
    bench.host()
    bench.until(lambda: [bench.states(mission)[f"f{n}"] for n in range(3)] == ["succeeded"] * 3)
    gate.touch()
    assert all_succeeded(bench, mission)


def refused_by(name: str, book: str) -> None:
    path = Path(book)
    if not path.exists():
        path.touch()
        raise TooManyRequestsError(name, retry_after_s=0.2)


def test_refusal_of_what_is_not_shared_closes_nothing(bench: Bench) -> None:
    bench.store.limit_resource("suite", at_once=4)
    plan = Plan("Ask another", root=bench.root)
    plan.add("ask", refused_by, "gpu", str(bench.root / "book"), resources=["suite"])
    mission = bench.run(plan)
    assert mission.state.value == "succeeded"
    (use,) = bench.store.resources()
    assert (use.resource.limit, use.resource.closed_at) == (4, None)


def test_guessed_refusal_repeats_nothing_that_is_not_safe_to_repeat(bench: Bench) -> None:
    with busy_service() as url:
        plan = Plan("Ask a busy service", root=bench.root)
        plan.add("ask", by_urllib, url, resources=["the-service"], repeatable=False)
        mission = bench.run(plan)
    assert mission.state.value == "failed"
    assert len(bench.attempts(mission, "ask")) == 1


def asked(bench: Bench, mission: MissionRecord, times: int) -> bool:
    return len(bench.attempts(mission, "ask")) == times


@pytest.mark.parametrize("resources", [(), ("model",)])
def test_waiting_task_can_be_tried_at_once(bench: Bench, resources: tuple[str, ...]) -> None:
    plan = Plan("Wait for an hour", root=bench.root)
    plan.add("ask", refused_twice, str(bench.root / "book"), 3600.0, resources=resources)
    mission = bench.approve(plan)
    bench.host()
    for times in (1, 2):
        bench.until(partial(asked, bench, mission, times))
        bench.until(lambda: bench.states(mission)["ask"] == "waiting")
        if resources:
            bench.store.limit_resource("model")
        else:
            bench.answered(bench.store.send("retry", mission.id, {"task": "ask"}, by="ana"))
    assert all_succeeded(bench, mission)


def test_mission_that_shares_gets_as_many_turns(bench: Bench) -> None:
    def plan(goal: str, *resources: str) -> Plan:
        made = Plan(goal, root=bench.root, concurrency=1)
        for number in range(30):
            made.add(f"task{number}", abs, -1, resources=resources)
        return made

    missions = [bench.approve(plan("shares", "model")), bench.approve(plan("plain"))]
    bench.host(executor="inline", concurrency=1)
    assert all_succeeded(bench, *missions)
    starts = [
        event.mission_id
        for event in bench.store.events(kinds=["task.started"], limit=1000)
        if event.mission_id in {each.id for each in missions}
    ]
    first = starts[: starts.index(missions[1].id) + 2 * 20]
    assert first.count(missions[0].id) >= 0.7 * first.count(missions[1].id)


def test_paused_mission_leaves_its_hands_to_others(bench: Bench) -> None:
    gate = bench.root / "gate"
    plan = Plan("Hold", root=bench.root, concurrency=2)
    for number in range(2):
        plan.add(f"task{number}", wait_for, str(gate))
    held_up = bench.approve(plan)
    bench.host(concurrency=2)
    bench.until(lambda: list(bench.states(held_up).values()) == ["running"] * 2)
    bench.answered(bench.store.send("pause", held_up.id, by="ana@here"))
    assert all_succeeded(bench, bench.approve(wide(bench.root / "ledger", 4)))
    gate.touch()
    bench.answered(bench.store.send("resume", held_up.id, by="ana@here"))
    assert all_succeeded(bench, held_up)


def wait_for(gate: str) -> None:
    while not Path(gate).exists():
        threading.Event().wait(0.01)


def test_task_whose_need_is_tried_again_waits_for_it(bench: Bench) -> None:
    bench.store.limit_resource("suite", at_once=1)
    gate = bench.root / "gate"
    plan = Plan("Go on without", root=bench.root, concurrency=4)
    plan.add("holds", wait_for, str(gate), resources=["suite"], estimate=100)
    plan.add("bad", refused_by_a_file, str(bench.root / "missing"), on_failure="continue")
    plan.add("after", abs, -1, needs=["bad"], resources=["suite"])
    mission = bench.approve(plan)
    bench.host()
    bench.until(lambda: bench.states(mission)["after"] == "waiting")
    (bench.root / "missing").write_text("here now")
    bench.answered(bench.store.send("retry", mission.id, {"task": "bad"}, by="ana@here"))
    gate.touch()
    assert all_succeeded(bench, mission)


def refused_by_a_file(path: str) -> str:
    return Path(path).read_text()
