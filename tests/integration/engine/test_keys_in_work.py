"""Keys that a task has read in a file: they come into no store, and leave for nobody."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import Finding, Report, RunStatus, Severity, ToolRun
from hypernb.plan import Plan
from tests.asking import EXECUTORS, model, own, plan, task
from tests.kept import kept_in
from tests.model_server import Call, ModelServer, Reply, says

if TYPE_CHECKING:
    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

    from hypernb.model import MissionRecord

pytestmark = pytest.mark.timeout(120)
NAME = "TEST_MODEL_KEY"
KEY = "one-of-these.keys-9f31"  # which looks like no secret


def in_file(bench: Bench) -> str:
    """Write the key into a file of the project: pickles of tasks do not have it."""
    path = bench.root / "settings.txt"
    path.write_text(KEY)
    return str(path)


def run(bench: Bench, made: Plan, executor: str = "process") -> MissionRecord:
    mission = bench.approve(made)
    bench.host(keys={NAME: KEY}, executor=executor)
    ended: MissionRecord = bench.finished(mission)
    return ended


def everywhere(bench: Bench) -> list[str]:
    """Return where a key or a large piece of one is, but in the file that it was read from."""
    bench.store.checkpoint()
    parts = [KEY[:8], KEY[-8:], KEY.encode().hex()]
    kept = [each for part in parts for each in kept_in(bench.folder / "hypernb.db", part)]
    logs = [path for path in bench.folder.rglob("*.jsonl") if KEY in path.read_text()]
    return [*kept, *map(str, logs)]


def as_json(path: str) -> Any:
    return {Path(path).read_text(): [f"a {Path(path).read_text()} b", 1]}


def as_text(path: str) -> Any:
    return "Basic " + Path(path).read_text().encode().hex()


def as_print(path: str) -> Any:
    sys.stdout.write(Path(path).read_text())
    sys.stdout.write(Path(path).read_text()[:-3])
    return 1


def as_report(path: str) -> Any:
    key = Path(path).read_text()
    finding = Finding(
        file=f"{key}.py",
        category="test",
        rule="failure",
        severity=Severity.HIGH,
        message=f"assert '{key}' == 'x' and '{key[:12]}...{key[-9:]}'",
        tool="tests",
    )
    tests = ToolRun(tool="tests", status=RunStatus.RAN, findings=(finding,))
    return Report(agent="qa", task="leaves", summary=f"{key}!", runs=(tests,), facts={key: key})


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("leaves", [as_json, as_text, as_print, as_report])
def test_key_in_what_a_task_leaves_is_covered(bench: Bench, leaves: Any, executor: str) -> None:
    mission = run(bench, Plan("Look").add("leaves", leaves, in_file(bench)), executor)
    assert mission.state == "succeeded", mission.error
    assert everywhere(bench) == []
    if leaves is as_json:
        assert bench.output(mission, "leaves") == {"[secret]": ["a [secret] b", 1]}
    if leaves is as_report:
        [found] = bench.store.findings(mission.id)
        assert found.message == "assert '[secret]' == 'x' and '[secret]...[secret]'"
        assert bench.store.find("secret")


def as_pickle(path: str) -> Any:
    return (Path(path).read_text(),)


def as_bytes(path: str) -> Any:
    return Path(path).read_bytes()


def as_table(path: str) -> Any:
    import pandas as pd

    return pd.DataFrame({"name": ["KEY"], "value": [Path(path).read_text()]})


@pytest.mark.parametrize("leaves", [as_pickle, as_bytes, as_table])
def test_output_in_which_a_key_cannot_be_covered_is_refused(bench: Bench, leaves: Any) -> None:
    mission = run(bench, Plan("Look").add("leaves", leaves, in_file(bench)))
    assert mission.state == "failed"
    assert f"{NAME} stands in its output, and keys are not stored." in mission.error
    assert everywhere(bench) == []


def raises(path: str) -> Any:
    key = Path(path).read_text()
    raise ValueError(f"cannot be asked with {key}" + "x" * 10_000 + key)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_key_in_an_exception_is_covered(bench: Bench, executor: str) -> None:
    mission = run(bench, Plan("Look").add("fails", raises, in_file(bench)), executor)
    assert "cannot be asked with [secret]xxx" in mission.error
    assert everywhere(bench) == []


def says_it_everywhere(services: Any, _task: Any) -> str:
    from pathlib import Path

    from hypernb.model import AgentMessage

    key = Path("settings.txt").read_text()
    services.tell("tool.returned", {"tool": key, "status": f"{key[:10]}…"})
    services.send(AgentMessage(content={key: [key]}, reply_to=key, metadata={"of": key}))
    services.save_state({"key": key}, version=0)
    return f"{services.load_state()} {services.receive()}"


@pytest.mark.parametrize("content", ["full", "hashes"])
def test_key_in_what_an_agent_says_and_saves_is_covered(bench: Bench, content: Any) -> None:
    in_file(bench)
    with ModelServer(says("done")) as server:
        asks = own(bench, "a", says_it_everywhere)
        spec = plan(model(server), asks, content=content, root=str(bench.root))
        mission = bench.approve_spec(spec)
        bench.host(keys={NAME: KEY})
        ended = bench.finished(mission)
    assert ended.state == "succeeded", ended.error
    assert "{'key': '[secret]'}" in bench.output(mission, "a")
    assert everywhere(bench) == []


def long_text(before: int, path: str) -> str:
    return "x" * before + " " + (Path(path).read_text() + " ") * 2_000


def pieces_in(body: Any) -> list[str]:
    """Return the parts of a request in which a piece of the key stands."""
    parts = [KEY[:8], KEY[-8:], KEY.encode().hex()[:8]]
    return [part for part in parts if part in json.dumps(body)]


def test_no_cut_of_hypernb_leaves_a_piece_of_a_key_in_what_a_model_is_told(
    bench: Bench,
) -> None:
    path, offsets = in_file(bench), range(0, 24, 3)
    for before in offsets:
        (bench.root / f"f{before}.txt").write_text(f"{'x' * before} {KEY * 400}\n{KEY} " * 30)
    calls = tuple(
        Call("read-file", json.dumps({"path": f"f{before}.txt"}), f"c{before}")
        for before in offsets
    )

    def script(asked: Any) -> Reply:
        has_read = any(each["role"] == "tool" for each in asked.body["messages"])
        is_reader = "Do reads" in json.dumps(asked.body)
        return Reply(calls=calls) if is_reader and not has_read else says("done")

    made = Plan("Look", root=bench.root)
    for before in offsets:
        made.add(f"text{before}", long_text, before, path)
    texts, payloads = made.build()
    with ModelServer(script) as server:
        looks = [task(f"look{n}", f"text{n}") for n in offsets]
        reads = task("reads", tools=("read-file",), calls=20)
        spec = texts.model_copy(
            update={
                "tasks": (*texts.tasks, *looks, reads),
                "models": {"default": model(server)},
            }
        )
        mission = bench.approve_spec(spec, payloads)
        bench.host(keys={NAME: KEY})
        ended = bench.finished(mission)
        assert ended.state == "succeeded", ended.error
        assert len(server.asked) == len(offsets) + 2
        assert "characters left out" in str(server.asked[0].body) + str(server.asked[1].body)
        assert [found for asked in server.asked if (found := pieces_in(asked.body))] == []
    assert everywhere(bench) == []
