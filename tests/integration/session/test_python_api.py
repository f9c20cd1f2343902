"""The same in Python: plans, missions and results, in both hosts of the runner."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import hypernb
from hypernb.errors import (
    AmbiguousTaskError,
    ApprovalError,
    MissionError,
    NotFinishedError,
    TransitionError,
    UnknownTaskError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)


def fetch_rows(year: int) -> pd.DataFrame:
    """Return rows of a year."""
    return pd.DataFrame({"year": [year, year, None]})


def clean_rows(fetch: pd.DataFrame) -> pd.DataFrame:
    """Return rows without gaps."""
    return fetch.dropna()


async def count_rows(clean: pd.DataFrame) -> int:
    """Return how many there are."""
    return len(clean)


def fail() -> None:
    """Fail."""
    raise ValueError("no such year")


def wait_for(path: str) -> str:
    """Return when the file is there."""
    import os
    import threading

    while not os.path.exists(path):  # noqa: PTH110 (shipped to a worker as it is)
        threading.Event().wait(0.02)
    return "seen"


@pytest.fixture(params=["process", "inprocess"])
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[hypernb.Session]:
    """A session on a store of its own; its runner is ended afterwards."""
    made = hypernb.Session(tmp_path / "h.db", runner=request.param, root=tmp_path)
    yield made
    assert made.stop()
    made.close()


def numbers() -> hypernb.Plan:
    """Return the plan of the design's example."""
    plan = hypernb.Plan("Nightly numbers", concurrency=8, priority=50, deadline=600)
    plan.add("fetch", fetch_rows, 2026)
    plan.add("clean", clean_rows, needs=["fetch"])
    plan.add("count", count_rows, needs=["clean"])
    return plan


def test_outputs_come_back_as_python_objects(session: hypernb.Session) -> None:
    mission = session.start(numbers(), approve=True).wait(timeout=60)
    assert mission.result() == 2
    assert list(mission.tasks["clean"].output["year"]) == [2026.0, 2026.0]
    assert list(mission.to_frame()["state"]) == ["succeeded"] * 3


def test_mission_is_awaitable(session: hypernb.Session) -> None:
    async def run() -> Any:
        mission = await session.start(numbers(), approve=True)
        return mission.result()

    assert asyncio.run(run()) == 2


def test_nothing_runs_before_approval(session: hypernb.Session) -> None:
    mission = session.start(numbers())
    with pytest.raises(NotFinishedError, match="%hyper approve m-1"):
        mission.result()
    with pytest.raises(WaitTimeoutError):
        mission.wait(timeout=0.3)
    assert {task.state.value for task in mission.tasks.values()} == {"pending"}


def test_failure_names_the_task_and_its_error(session: hypernb.Session) -> None:
    plan = hypernb.Plan("Fail").add("broken", fail)
    mission = session.start(plan, approve=True).wait(timeout=60)
    with pytest.raises(MissionError, match="no such year"):
        mission.result()
    assert "ValueError" in mission.tasks["broken"].record.error


def test_part_of_a_plan_is_approved(session: hypernb.Session) -> None:
    mission = session.start(numbers()).approve(["clean"]).wait(timeout=60)
    assert list(mission.tasks) == ["fetch", "clean"]
    assert mission.record.revision == 2


def test_approval_is_bound_to_the_plan_that_was_read(session: hypernb.Session) -> None:
    mission = session.start(numbers())
    read = mission.record.plan_hash
    mission.edit({"fetch": {"timeout_s": 5}})
    with pytest.raises(ApprovalError):
        mission.approve(plan_hash=read)
    assert mission.state.value == "awaiting_approval"


def test_retry_runs_what_failed_and_nothing_else(
    session: hypernb.Session, tmp_path: Path
) -> None:
    marker, ledger = tmp_path / "ready", tmp_path / "ledger"

    def once() -> None:
        with ledger.open("a") as file:
            file.write("once\n")

    def flaky(once: None) -> str:  # noqa: ARG001 (a need is handed over by its name)
        if not marker.exists():
            raise RuntimeError("not ready")
        return "done"

    plan = hypernb.Plan("Try again").add("once", once)
    plan.add("flaky", flaky, needs=["once"])
    mission = session.start(plan, approve=True).wait(timeout=60)
    marker.touch()
    mission.retry("flaky").wait(timeout=60)
    assert mission.result() == "done"
    assert ledger.read_text() == "once\n"


def test_cancel_ends_running_work(session: hypernb.Session, tmp_path: Path) -> None:
    plan = hypernb.Plan("Wait").add("wait", wait_for, str(tmp_path / "never"))
    mission = session.start(plan, approve=True)
    for event in mission.follow(timeout=60):
        if event.kind == "task.started":
            break
    mission.cancel().wait(timeout=60)
    assert mission.state.value == "cancelled"
    with pytest.raises(TransitionError):
        mission.pause()


def test_second_session_sees_everything(session: hypernb.Session, tmp_path: Path) -> None:
    session.start(numbers(), approve=True).wait(timeout=60)
    with hypernb.Session(tmp_path / "h.db") as other:
        mission = other.mission("m-1")
        assert mission.result() == 2
        assert [hit.mission for hit in other.find("Nightly")] == ["m-1"]
        assert other.sql("select name from tasks order by number")["name"][0] == "fetch"


def test_unknown_task_is_named_with_near_misses(session: hypernb.Session) -> None:
    mission = session.start(numbers())
    with pytest.raises(UnknownTaskError, match="Did you mean 'fetch'"):
        mission.tasks["fech"]


def test_name_that_is_the_number_of_another_task_is_refused(
    session: hypernb.Session,
) -> None:
    spec, payloads = numbers().build()
    first, second, *_ = spec.tasks
    tasks = (first, second.model_copy(update={"name": "t1"}))
    stored = spec.model_copy(update={"tasks": tasks})  # as nobody could store it today
    record = session.store.create_mission(stored, by="ada@here", payloads=payloads)
    mission = session.mission(record.short_id)
    for ask in (mission.tasks.__getitem__, mission.retry, lambda t: mission.comment("Hm", t)):
        with pytest.raises(AmbiguousTaskError, match="Write 'fetch' if that is meant"):
            ask("t1")
    assert mission.tasks["t2"].name == "t1"
    mission.approve().wait(timeout=60)
    assert [task.name for task in mission.tasks.values()] == ["fetch", "t1"]
    assert list(mission.result()["year"]) == [2026.0, 2026.0]


def test_key_that_is_not_utf8_is_refused_and_not_told(
    session: hypernb.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    (session.root / "app.py").write_text("import os\n")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789-\udcff")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HYPERNB_MODEL", "scripted")
    assert session.propose("Is it safe?", offline=True).plan.tasks
    plan = hypernb.Plan("Look", root=session.root)
    plan.add("look", agent="security-engineer", tools=["read-file"], model="scripted")
    mission = session.start(plan, approve=True)
    mission.wait(timeout=60)
    said = "cannot be sent OPENAI_API_KEY: it holds characters that no key has"
    assert said in mission.record.error


def test_agent_without_tools_gets_those_of_its_card(session: hypernb.Session) -> None:
    (session.root / "app.py").write_text("import os\n")
    plan = hypernb.Plan("Look", root=session.root)
    plan.add("review", agent="backend-specialist", goal="Is anything odd in these files?")
    mission = session.start(plan)
    assert "ruff check" in mission.plan.tasks[0].goal
    assert "No model is used" in mission.plan.notes[-1]
    report = mission.approve().wait(timeout=60).result()
    assert {"F401"} <= {finding.rule for finding in report.findings}


def test_plan_changed_in_the_store_is_not_approved_unseen(session: hypernb.Session) -> None:
    mission = session.start(numbers())
    with hypernb.Session(session.store.url) as other:
        other.mission(mission.id).edit({"fetch": {"timeout_s": 5}})
    with pytest.raises(ApprovalError):
        mission.approve(plan_hash=mission.proposed_hash)


def note(ledger: str, name: str, **_needs: object) -> str:
    """Note that it runs."""
    from pathlib import Path

    with Path(ledger).open("a") as file:
        file.write(f"{name}\n")
    return name


def noted(ledger: Path) -> hypernb.Plan:
    """Return a plan of three tasks in a row that leave a trace."""
    plan = hypernb.Plan("Traces").add("a", note, str(ledger), "a")
    plan.add("b", note, str(ledger), "b", needs=["a"])
    return plan.add("c", note, str(ledger), "c", needs=["b"])


def test_fork_starts_a_new_mission_that_shares_the_finished_prefix(
    session: hypernb.Session, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    origin = session.start(noted(ledger), approve=True).wait(60)
    before = origin.snapshot(), origin.events()
    fork = origin.fork(at="t2")
    assert (fork.state, fork.record.forked_from) == ("awaiting_approval", origin.id)
    assert "shared from" in fork.tasks["a"].record.note
    fork.approve().wait(60)
    assert ledger.read_text().split() == ["a", "b", "c", "b", "c"]
    after = origin.snapshot(), origin.events()
    assert [after[0].tasks, after[0].attempts, after[1]] == [
        before[0].tasks,
        before[0].attempts,
        before[1],
    ]


def test_fork_does_anew_what_a_change_touches(session: hypernb.Session, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    origin = session.start(noted(ledger), approve=True).wait(60)
    fork = origin.fork(changes={"b": {"timeout_s": 60}}, concurrency=1)
    assert [name for name, task in fork.tasks.items() if task.state == "succeeded"] == ["a"]
    plan = noted(ledger).add("d", note, str(ledger), "d", needs=["c"])
    longer = origin.fork(changes=plan).approve().wait(60)
    assert ledger.read_text().split() == ["a", "b", "c", "d"]
    assert longer.result() == "d"


def test_fork_refuses_what_it_cannot_be(session: hypernb.Session, tmp_path: Path) -> None:
    origin = session.start(noted(tmp_path / "ledger"))
    with pytest.raises(UnknownTaskError, match=r"'bb'.*'b'"):
        origin.fork(at="bb")
    with pytest.raises(hypernb.errors.PlanError, match="can never finish: a -> b -> c -> a"):
        origin.fork(changes={"a": {"needs": ["c"]}})
    with pytest.raises(hypernb.errors.UsageError, match="whole plan"):
        origin.fork(changes=noted(tmp_path / "ledger"), concurrency=2)
    assert len(session.missions()) == 1


def ask(book: str) -> str:
    """Be refused once, then served."""
    import pathlib

    import hypernb as module

    path = pathlib.Path(book)
    if not path.exists():
        path.touch()
        raise module.TooManyRequestsError("the-service", retry_after_s=0.1)
    return "served"


def test_task_that_is_refused_waits_and_is_served(
    session: hypernb.Session, tmp_path: Path
) -> None:
    session.limit("the-service", at_once=4)
    plan = hypernb.Plan("Ask a service", root=tmp_path)
    plan.add("ask", ask, str(tmp_path / "book"), resources=["the-service"])
    mission = session.start(plan, approve=True)
    mission.wait(60)
    assert mission.result() == "served"
    (use,) = session.resources()
    assert (use.resource.name, use.held, use.resource.at_once) == ("the-service", 0, 4)
    words = [event.payload["hurdle"] for event in mission.events(kinds=["task.deferred"])]
    assert words[0] == "refused"


def test_runner_that_was_asked_to_end_is_not_started_again_by_who_only_watches(
    session: hypernb.Session, tmp_path: Path
) -> None:
    plan = hypernb.Plan("Wait for a file")
    plan.add("wait", wait_for, str(tmp_path / "there"))
    mission = session.start(plan, approve=True)
    next(event for event in mission.follow(timeout=60) if event.kind == "task.started")
    assert session.stop()
    ticks, stop = [0], threading.Event()

    def count_ticks() -> None:
        ticks[0] += 1
        if ticks[0] > 6:  # three seconds and more; who watches looks for a runner each second
            stop.set()

    mission.watch(on_change=count_ticks, stop=stop)
    assert session.store.leases("runner:") == []
    (tmp_path / "there").touch()
    assert mission.wait(timeout=60).result() == "seen"


def test_failed_task_tells_its_error_with_its_traceback(session: hypernb.Session) -> None:
    plan = hypernb.Plan("Fail")
    plan.add("fail", fail)
    plan.add("rows", fetch_rows, 2026)
    mission = session.start(plan, approve=True).wait(timeout=60)
    error = mission.tasks["fail"].error
    assert error is not None
    assert (error.type, error.message) == ("ValueError", "no such year")
    assert 'raise ValueError("no such year")' in str(error)
    assert mission.tasks["rows"].error is None
    page = mission._repr_mimebundle_()["text/html"]
    assert "<summary>The whole error</summary>" in page
    assert "raise ValueError(&quot;no such year&quot;)" in page
