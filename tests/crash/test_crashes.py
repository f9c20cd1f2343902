"""Runners killed by SIGKILL: at random, at every commit, and whenever a file is synced.

``HYPERNB_CRASH_KILLS`` says how often, over all tests here; 60 by default.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import MissionState, TaskState

if TYPE_CHECKING:
    from conftest import Scene  # type: ignore[import-not-found]  # importlib mode

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]

FIRST = 5
"""The first writes of a runner are about itself; from about here on they are about missions."""

KILLS = int(os.environ.get("HYPERNB_CRASH_KILLS", "60"))

TAIL = """
import sys
from hypernb.session._following import Follower
from hypernb.store import SqlStore
store = SqlStore(sys.argv[1])
print("ready", flush=True)
for event in Follower(store).events(None, after=0, timeout_s=100):
    print(event.seq, event.kind)
    if event.kind == "runner.stopped":
        break
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("what", ["commit", "sync"])
def test_killed_at_every_commit_and_every_sync_in_turn(
    scene: Scene, what: str, when: str
) -> None:
    kills = [scene.crash(f"{what}:{FIRST + number}:{when}") for number in range(KILLS // 6)]
    # Where little was left to do, a runner may have been done before its moment came.
    assert sum(kills) > 0.7 * len(kills)
    assert scene.abandoned > len(kills) / 2
    scene.finish()


@pytest.mark.parametrize(("executor", "within_s"), [("inline", 0.4), ("process", 1.5)])
def test_killed_at_random(scene: Scene, executor: str, within_s: float) -> None:
    rng = random.Random(11)  # noqa: S311 - the same moments each time
    waiter = threading.Event()
    for _ in range(KILLS // 6):
        scene.start_mission()
        with scene.runner(executor=executor) as process:
            scene.until(lambda: scene.store.leases("runner:"), "a runner")
            waiter.wait(rng.uniform(0.0, within_s))
            process.kill()
        scene.leaves_no_process()
        scene.witness.look()
    assert scene.abandoned
    scene.finish()


def test_task_that_is_not_safe_to_repeat_runs_once_and_is_put_to_a_person(
    scene: Scene,
) -> None:
    mission = scene.start_mission(once=True)
    name = f"{mission.short_id}/l0n2"
    asked = False
    for number in range(40):
        scene.crash(f"commit:{FIRST + number}:before")
        [task] = [each for each in scene.store.tasks(mission.id) if each.name == "l0n2"]
        begun = scene.ledger.begun[name] if scene.ledger.path.exists() else 0
        assert begun <= 1
        if task.state is TaskState.AWAITING_APPROVAL:
            asked = True
            break
        if task.state.is_final:
            break
    assert asked
    scene.store.send("retry", mission.id, {"task": "l0n2"}, by="ana@here")
    scene.finish()
    assert scene.ledger.begun[name] <= begun + 1


def test_runners_started_at_the_same_instant_do_each_task_once(scene: Scene) -> None:
    mission = scene.start_mission()
    runners = [scene.runner(executor="process", lease_s=2) for _ in range(3)]
    codes = [process.wait(timeout=60) for process in runners]
    assert codes == [0, 0, 0]
    scene.witness.look()
    assert scene.store.mission(mission.id).state is MissionState.SUCCEEDED
    assert set(scene.ledger.begun.values()) == {1}
    assert all(attempt.number == 1 for attempt in scene.store.attempts(mission.id))


def test_twenty_readers_see_each_event_once_and_in_order(scene: Scene) -> None:
    scene.start_mission()
    command = [sys.executable, "-c", TAIL, str(scene.store.path)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(20)]
    told: list[Any] = []
    try:
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "ready\n"
        with scene.runner() as process:
            assert process.wait(timeout=60) == 0
        told = [reader.stdout.read().splitlines() for reader in readers if reader.stdout]
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()
            if reader.stdout is not None:
                reader.stdout.close()
    expected = [f"{event.seq} {event.kind}" for event in scene.store.events(limit=10_000)]
    stop = next(n for n, line in enumerate(expected) if line.endswith("runner.stopped"))
    assert told == [expected[: stop + 1]] * 20
