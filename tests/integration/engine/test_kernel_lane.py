"""Tools that run in a kernel, as a runner sees them: rows that somebody answers."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest

from hypernb import codec
from hypernb.model import ToolCallState
from tests.asking import EXECUTORS, model, own, plan, run, task
from tests.kernel_lane import LANE, Kernel
from tests.model_server import Call, ModelServer, Reply, says

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode


pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(says("unused")) as server:
        yield server


def calls_area(services: Any, _task: Any) -> Any:
    from hypernb.model import StoredValue

    call = services.call("area", {"width": 6, "height": 7})
    return call.answer if call.value is None else StoredValue(call.value)


LANES = {"area": LANE}


@pytest.mark.parametrize("executor", EXECUTORS)
def test_tool_of_a_kernel_is_called_and_answers(
    bench: Bench, server: ModelServer, executor: str
) -> None:
    spec = plan(model(server), own(bench, "a", calls_area, lanes=LANES))
    product: Any = lambda call: {"answer": call.arguments["width"] * call.arguments["height"]}  # noqa: E731
    with Kernel(bench.store, product):
        mission = run(bench, spec, executor=executor)
    assert mission.state == "succeeded", mission.error
    assert bench.output(mission, "a") == 42


def test_object_that_it_returned_is_the_output(bench: Bench, server: ModelServer) -> None:
    value = bench.store.put_artifact(codec.encode({1, 2, 3}))
    spec = plan(model(server), own(bench, "a", calls_area, lanes=LANES))
    with Kernel(bench.store, lambda _call: {"answer": "a set", "value": value}):
        mission = run(bench, spec)
    assert mission.state == "succeeded", mission.error
    assert bench.output(mission, "a") == {1, 2, 3}


def test_value_that_no_call_has_returned_is_no_output(
    bench: Bench, server: ModelServer
) -> None:
    foreign = bench.store.put_artifact(codec.encode("somebody else's"))

    def takes(_services: Any, _task: Any) -> Any:
        from hypernb.model import Digest, StoredValue

        return StoredValue(Digest(foreign))

    mission = run(bench, plan(model(server), own(bench, "a", takes)))
    assert mission.state == "failed"
    assert "none of its calls has returned" in mission.error


def test_failure_of_a_tool_is_an_error_of_the_agents(bench: Bench, server: ModelServer) -> None:
    def does(services: Any, _task: Any) -> str:
        from hypernb.errors import ToolError

        try:
            services.call("area", {})
        except ToolError as error:
            return f"{error.tool}: {error.reason}"
        return ""

    spec = plan(model(server), own(bench, "a", does, lanes=LANES))
    with Kernel(bench.store, lambda _call: {"error": "width is missing"}):
        mission = run(bench, spec)
    assert bench.output(mission, "a") == "area: width is missing"


def test_arguments_that_are_too_large_are_told_with_their_size(
    bench: Bench, server: ModelServer
) -> None:
    def does(services: Any, _task: Any) -> str:
        from hypernb.errors import UsageError

        try:
            services.call("area", {"width": "x" * 1_000_000})
        except UsageError as error:
            return str(error)
        return ""

    mission = run(bench, plan(model(server), own(bench, "a", does, lanes=LANES)))
    said = bench.output(mission, "a")
    assert said.startswith(
        "'area' is not called with 1,000,012 bytes of arguments: 1,000,000 are the most. Hand"
    )


def test_task_waits_for_a_kernel_and_says_how_to_have_it_back(
    bench: Bench, server: ModelServer
) -> None:
    spec = plan(model(server), own(bench, "a", calls_area, lanes=LANES, timeout_s=5.0))
    mission = bench.approve_spec(spec)
    bench.host(stalled_s=4.0)
    note = bench.until(
        lambda: (
            "is gone" in (bench.tasks(mission)["a"].note or "")
            and bench.tasks(mission)["a"].note
        )
    )
    again = f"define it again in a cell, and there: %hyper attach {mission.short_id}"
    assert note == f"the kernel that has area is gone: {again}"
    bench.quietly(6.0)  # longer than the task may take
    with Kernel(bench.store, lambda _call: {"answer": 42}):
        mission = bench.finished(mission)
    assert mission.state == "succeeded", mission.error
    assert bench.events(mission, "task.stalled") == []


def test_call_of_a_kernels_tool_is_told_once_and_what_it_waits_for_besides(
    bench: Bench, server: ModelServer
) -> None:
    server.script = [Reply(calls=(Call("area"),)), Reply(calls=(Call("area"),)), says("done")]
    mission = bench.approve_spec(plan(model(server), task("a", lanes=LANES)))
    bench.host()
    bench.until(lambda: "is gone" in (bench.tasks(mission)["a"].note or ""), "its words")
    with Kernel(bench.store, lambda _call: {"answer": 42}):
        assert bench.finished(mission).state == "succeeded"
    told = bench.events(mission)
    lines = [each for each in told if each.kind.startswith(("tool.", "task.progressed"))]
    # Told anew where the state changes: a look may find the kernel before it has answered.
    assert [kind for kind, _ in groupby(each.kind for each in lines)] == [
        *("tool.called", "task.progressed", "tool.returned"),
        *("tool.called", "tool.returned"),
    ]
    assert "is gone" in lines[1].payload["words"]


def test_task_waits_no_longer_for_a_kernel_that_has_answered(
    bench: Bench, server: ModelServer
) -> None:
    server.script = [Reply(calls=(Call("area"),)), Reply(text="slowly said", hold="start")]
    mission = bench.approve_spec(plan(model(server), task("a", lanes=LANES)))
    bench.host()
    bench.until(lambda: "is gone" in (bench.tasks(mission)["a"].note or ""), "its words")
    with Kernel(bench.store, lambda _call: {"answer": 42}):
        bench.until(lambda: bench.events(mission, "tool.returned"), "the answer")
        notes = {bench.tasks(mission)["a"].note}
        server.release()
        bench.finished(mission)
    assert notes <= {"calls area", "asks scripted"}


def test_another_kernel_can_answer_for_one_that_is_gone(
    bench: Bench, server: ModelServer
) -> None:
    gone = own(bench, "a", calls_area, lanes={"area": "kernel:gone"})
    mission = bench.approve_spec(plan(model(server), gone))
    bench.host()
    bench.until(lambda: bench.store.kernel_calls("kernel:gone"), "the call")
    assert bench.store.move_lane(mission.id, "kernel:gone", LANE) == 1
    with Kernel(bench.store, lambda _call: {"answer": 42}):
        assert bench.finished(mission).state == "succeeded"


def test_what_an_ended_attempt_has_asked_is_taken_back(
    bench: Bench, server: ModelServer
) -> None:
    spec = plan(model(server), own(bench, "a", calls_area, lanes=LANES))
    mission = bench.approve_spec(spec)
    bench.host()
    [call] = bench.until(lambda: bench.store.kernel_calls(LANE), "the call")
    bench.answered(bench.store.send("cancel", mission.id, by="ana@here"))
    assert bench.finished(mission).state == "cancelled"
    bench.until(
        lambda: bench.store.kernel_call(call.id).state is ToolCallState.CANCELLED, "the end"
    )


def test_tool_that_the_plan_does_not_name_is_refused(bench: Bench, server: ModelServer) -> None:
    mission = run(bench, plan(model(server), own(bench, "a", calls_area)))
    assert "its plan names no such tool of a kernel" in mission.error
    assert bench.store.kernel_calls(LANE) == []
