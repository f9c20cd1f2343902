"""What is kept of the words of models, by the plan's ``content``: all of the store is read."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from hypernb import codec
from tests.asking import EXECUTORS, ask, model, own, plan, run, task
from tests.kept import kept_in
from tests.kernel_lane import LANE, Kernel
from tests.model_server import Call, ModelServer, Reply, fails, page, refuses, says

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

    from hypernb.model import MissionRecord, TaskSpec

pytestmark = pytest.mark.timeout(120)
MARK = "quagga by the river"
READ = ("read-file",)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(says("unused")) as server:
        yield server


def _raises(services: Any, _task: Any) -> None:
    raise ValueError(ask(services))


def _raises_in_turn(services: Any, _task: Any) -> None:
    from hypernb.errors import AgentAnswerError

    try:
        int(ask(services))
    except ValueError as error:
        raise AgentAnswerError("a", str(error), evidence=str(error)) from error


def _asks_of_it(services: Any, _task: Any) -> None:
    ask(services, ask(services))


def _calls_tool(services: Any, _task: Any) -> None:
    services.call("area", {"said": ask(services)})


Case = tuple["Callable[[Bench], TaskSpec]", list[Reply] | Reply, dict[str, Any]]
CASES: dict[str, Case] = {
    "an answer": (lambda _: task("a", returns="value"), says(MARK), {}),
    "an answer that is not JSON": (lambda _: task("a", returns="report"), says(MARK), {}),
    "an answer of another form": (
        lambda _: task("a", returns="report"),
        says({"summary": [MARK]}),
        {},
    ),
    "a web page": (lambda _: task("a"), page(f"<html>{MARK}</html>"), {}),
    "a refusal": (lambda _: task("a"), refuses(MARK), {}),
    "an error of the server": (lambda _: task("a"), fails(400, MARK), {}),
    "a wait": (
        lambda _: task("a"),
        [fails(429, MARK, retry_after="1"), fails(503, MARK), says("done")],
        {},
    ),
    "a text that is broken off": (
        lambda _: task("a"),
        [Reply(text=f"{MARK} {MARK} {MARK}", piece=40, cut="middle"), says("done")],
        {},
    ),
    "a file that is read": (
        lambda _: task("a", tools=READ),
        [Reply(calls=(Call("read-file", '{"path": "notes.md"}'),)), says("done")],
        {},
    ),
    "arguments of a tool": (
        lambda _: task("a", tools=READ),
        [Reply(calls=(Call("read-file", f'{{"path": "{MARK}"}}'),)), says("done")],
        {},
    ),
    "tools that are not there": (
        lambda _: task("a", tools=READ),
        Reply(calls=(Call(MARK, f'{{"{MARK}": 1}}'),)),
        {},
    ),
    "a request": (lambda b: own(b, "a", _asks_of_it), [says(MARK), fails(400, "no")], {}),
    "an exception of one's own": (lambda b: own(b, "a", _raises), says(MARK), {}),
    "an exception after another": (lambda b: own(b, "a", _raises_in_turn), says(MARK), {}),
    "what a kernel answers": (
        lambda _: task("a", lanes={"area": LANE}),
        [Reply(calls=(Call("area"),)), says("done")],
        {"answer": MARK},
    ),
    "what a kernel is asked": (
        lambda b: own(b, "a", _calls_tool, lanes={"area": LANE}),
        says(MARK),
        {"answer": 1},
    ),
    "why a kernel's tool failed": (
        lambda b: own(b, "a", _calls_tool, lanes={"area": LANE}),
        says("?"),
        {"error": MARK},
    ),
}


def _ran(
    bench: Bench, server: ModelServer, case: Case, content: str, executor: str
) -> MissionRecord:
    make, server.script, answer = case
    (bench.root / "notes.md").write_text(f"# {MARK}\n")
    spec = plan(model(server), make(bench), content=content, root=str(bench.root))
    with Kernel(bench.store, lambda _call: answer) if answer else nullcontext():
        return run(bench, spec, executor=executor)


@pytest.mark.parametrize("content", ["hashes", "none"])
@pytest.mark.parametrize("case", CASES)
def test_no_word_of_it_is_kept(
    bench: Bench, server: ModelServer, case: str, content: str
) -> None:
    mission = _ran(bench, server, CASES[case], content, "inline")
    file = bench.folder / "hypernb.db"
    bench.until(
        lambda: not any("kernel_calls" in each for each in kept_in(file, MARK)), "its removal"
    )
    assert kept_in(file, MARK) == []
    if mission.state == "failed":
        assert mission.error


@pytest.mark.parametrize("case", CASES)
def test_all_of_it_is_kept_where_content_is_full(
    bench: Bench, server: ModelServer, case: str
) -> None:
    _ran(bench, server, CASES[case], "full", "inline")
    assert kept_in(bench.folder / "hypernb.db", MARK)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_errors_say_what_it_was_instead(
    bench: Bench, server: ModelServer, executor: str
) -> None:
    case = CASES["an answer that is not JSON"]
    mission = _ran(bench, server, case, "none", executor)
    assert "The model gave no output for a" in mission.error
    assert "the answer is not JSON" in mission.error
    assert f"{len(MARK)} characters" in mission.error
    assert "content = 'full'" in mission.error
    assert kept_in(bench.folder / "hypernb.db", MARK) == []


@pytest.mark.parametrize("executor", EXECUTORS)
def test_exceptions_of_ones_own_keep_their_places(
    bench: Bench, server: ModelServer, executor: str
) -> None:
    mission = _ran(bench, server, CASES["an exception of one's own"], "hashes", executor)
    assert "ValueError" in mission.error
    assert f"{len(MARK)} characters" in mission.error
    assert any("in _raises" in str(event.payload) for event in bench.events(mission))
    assert kept_in(bench.folder / "hypernb.db", MARK) == []


@pytest.mark.parametrize("content", ["hashes", "none"])
def test_answers_are_not_in_the_cache_either(
    bench: Bench, server: ModelServer, content: str
) -> None:
    server.script = says(MARK)
    spec = plan(model(server), task("a", returns="report"), content=content, cache_s=60.0)
    run(bench, spec, executor="inline")
    assert kept_in(bench.folder / "hypernb.db", MARK) == []


def test_object_of_a_kernel_is_kept_where_it_is_the_output(
    bench: Bench, server: ModelServer
) -> None:
    value = bench.store.put_artifact(codec.encode({1, 2}))
    server.script = [Reply(calls=(Call("area"),)), says({"result": 1})]
    spec = plan(model(server), task("a", lanes={"area": LANE}, returns="value"), content="none")
    with Kernel(bench.store, lambda _call: {"answer": MARK, "value": value}):
        mission = run(bench, spec, executor="inline")
    assert mission.state == "succeeded", mission.error
    assert bench.output(mission, "a") == {1, 2}
    assert kept_in(bench.folder / "hypernb.db", MARK) == []
