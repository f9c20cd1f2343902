"""Keys: each mission's calls carry its own, and nobody else ever learns of one."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from hypernb.engine import key_ids, spawn_runner
from hypernb.model import CallState
from tests.asking import model, own, payloads, plan, task
from tests.model_server import Asked, ModelServer, Reply, says

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

    from hypernb.model import ModelSpec

pytestmark = pytest.mark.timeout(120)
NAME = "TEST_MODEL_KEY"
ONE, OTHER = "sk-one-4f9a1c77d2e8b0", "sk-other-83bd55e1a6c94f"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(says("The answer is 42.")) as server:
        yield server


def keyed(bench: Bench, server: ModelServer, key: str, **fields: Any) -> ModelSpec:
    return model(server, key=NAME, key_id=bench.store.fingerprint(key), **fields)


def given(asked: Asked) -> str:
    return asked.headers.get("authorization", "").removeprefix("Bearer ")


def test_runners_with_other_keys_leave_each_others_missions(
    bench: Bench, server: ModelServer
) -> None:
    server.script = lambda asked: says(asked.body["messages"][-1]["content"][-200:])
    first = bench.approve_spec(plan(keyed(bench, server, ONE), task("first")))
    second = bench.approve_spec(plan(keyed(bench, server, OTHER), task("second")))
    bench.process(keys={NAME: ONE})
    bench.process(keys={NAME: OTHER})
    assert bench.finished(first).state == bench.finished(second).state == "succeeded"
    used = {given(asked): str(asked.body["messages"]) for asked in server.asked}
    assert set(used) == {ONE, OTHER}
    assert "Do first" in used[ONE]
    assert "Do second" in used[OTHER]
    leases = {lease.resource: lease.facts["keys"] for lease in bench.store.leases("runner:")}
    assert sorted(leases.values()) == sorted(
        [list(key_ids(bench.store, {NAME: key})) for key in (ONE, OTHER)]
    )


def test_no_key_of_a_runner_is_in_what_a_model_is_told(
    bench: Bench, server: ModelServer
) -> None:
    asks = task("a", goal=f"Look at {ONE}, {OTHER.encode().hex()}.")
    mission = bench.approve_spec(plan(keyed(bench, server, ONE), asks))
    bench.host(keys={NAME: ONE, "OTHER_KEY": OTHER})
    assert bench.finished(mission).state == "succeeded"
    [asked] = server.asked
    assert "Look at [secret], [secret]." in str(asked.body)


def asks_with_keys(services: Any, _task: Any) -> str:
    from hypernb.model import ChatMessage, ChatRequest, ToolCall, ToolSchema

    key, other = "sk-one-4f9a1c77d2e8b0", "sk-other-83bd55e1a6c94f"
    called = ToolCall(id=f"call-{key}", name=f"use_{key}", arguments=f'{{"{key}": 1}}')
    schema = {
        "type": "object",
        "properties": {f"a {key}": {"type": "string", "default": other, "enum": [[key]]}},
    }
    request = ChatRequest(
        model="default",
        messages=(
            ChatMessage(role="user", content=f"Hello {other}"),
            ChatMessage(role="assistant", tool_calls=(called,)),
            ChatMessage(role="tool", content="x", tool_call_id=f"call-{key}"),
        ),
        tools=(ToolSchema(name="look", description=f"With {key}.", parameters=schema),),
        answer_schema=schema,
        answer_name=f"answer_{key}",
    )
    return str(services.chat(request).text)


def test_no_key_of_a_desk_leaves_in_a_request_wherever_in_it_one_may_stand(
    bench: Bench, server: ModelServer
) -> None:
    spec = keyed(bench, server, ONE)
    mission = bench.approve_spec(plan(spec, own(bench, "a", asks_with_keys)))
    bench.host(keys={NAME: ONE, "OTHER_KEY": OTHER})
    assert bench.finished(mission).state == "succeeded"
    [asked] = server.asked
    said = str(asked.body)
    assert "Hello [secret]" in said
    assert "response_format" in said
    assert said.count("[secret]") >= 10
    assert not [key for key in (ONE, OTHER) if key in said]


def test_mission_whose_key_is_missing_waits_and_says_so_once(
    bench: Bench, server: ModelServer
) -> None:
    mission = bench.approve_spec(plan(keyed(bench, server, ONE), task("a")))
    without = bench.approve_spec(plan(model(server), task("b")))
    bench.host()
    assert bench.finished(without).state == "succeeded"
    [told] = bench.until(lambda: payloads(bench, mission, "key.missing"))
    assert (told["key"], told["model"], told["host"]) == (NAME, "scripted", server.host)
    bench.quietly(2.5)
    assert len(payloads(bench, mission, "key.missing")) == 1
    assert bench.mission(mission).state == "awaiting_approval"
    bench.host(keys={NAME: ONE})
    assert bench.finished(mission).state == "succeeded"


def test_key_that_was_not_set_where_it_was_planned_is_one_meant_for_its_host(
    bench: Bench, server: ModelServer
) -> None:
    mission = bench.approve_spec(plan(model(server, key=NAME), task("a")))
    bench.host(keys={NAME: ONE, f"{NAME}@models.example:443": ONE})
    bench.until(lambda: payloads(bench, mission, "key.missing"))
    assert bench.mission(mission).state == "awaiting_approval"
    assert server.asked == []
    bench.host(keys={NAME: OTHER, f"{NAME}@{server.host}": OTHER})
    assert bench.finished(mission).state == "succeeded"
    assert [given(asked) for asked in server.asked] == [OTHER]


def test_mission_that_waits_for_a_key_can_be_cancelled_by_any_runner(
    bench: Bench, server: ModelServer
) -> None:
    mission = bench.approve_spec(plan(keyed(bench, server, ONE), task("a")))
    bench.host()
    bench.until(lambda: payloads(bench, mission, "key.missing"))
    bench.answered(bench.store.send("cancel", mission.id, by="ana@here"))
    assert bench.finished(mission).state == "cancelled"


def test_key_of_a_model_that_no_task_asks_is_not_waited_for(
    bench: Bench, server: ModelServer
) -> None:
    spec = plan(model(server), task("a"))
    models = {**spec.models, "unasked": keyed(bench, server, ONE)}
    mission = bench.approve_spec(spec.model_copy(update={"models": models}))
    bench.host()
    assert bench.finished(mission).state == "succeeded"


def test_key_of_tasks_that_are_done_is_not_waited_for(
    bench: Bench, server: ModelServer
) -> None:
    server.script = lambda asked: Reply(text="done", hold="start" if asked.number == 1 else "")
    spec = plan(model(server), task("a", model="keyed"), task("b", "a"))
    models = {**spec.models, "keyed": keyed(bench, server, ONE)}
    mission = bench.approve_spec(spec.model_copy(update={"models": models}))
    runner = bench.process(keys={NAME: ONE})
    bench.until(lambda: len(server.asked) == 2, "the call of the second task")
    runner.kill()
    runner.wait()
    server.release()
    bench.host()
    assert bench.finished(mission).state == "succeeded"
    assert [given(asked) for asked in server.asked] == [ONE, "", ""]


def test_approved_mission_that_waits_for_a_key_begins_with_another_model(
    bench: Bench, server: ModelServer
) -> None:
    mission = bench.approve_spec(plan(keyed(bench, server, ONE), task("a")))
    bench.host()
    bench.until(lambda: payloads(bench, mission, "key.missing"))
    bench.store.amend(mission.id, models={"default": model(server)}, by="ana@here")
    assert bench.finished(mission).state == "succeeded"
    assert [given(asked) for asked in server.asked] == [""]


def test_runner_that_waits_for_nothing_but_keys_ends(bench: Bench, server: ModelServer) -> None:
    mission = bench.approve_spec(plan(keyed(bench, server, ONE), task("a")))
    host = bench.host(idle_s=0.3)
    bench.until(lambda: not host.is_alive, "the runner's end")
    assert host.error is None
    assert payloads(bench, mission, "key.missing")


def test_mission_that_was_begun_goes_on_with_its_key(bench: Bench, server: ModelServer) -> None:
    server.script = lambda asked: Reply(text="done", hold="" if asked.number else "start")
    mission = bench.approve_spec(plan(keyed(bench, server, ONE), task("a")))
    runner = bench.process(keys={NAME: ONE})
    bench.until(lambda: server.asked, "the call")
    runner.kill()
    runner.wait()
    bench.host(keys={NAME: OTHER})
    bench.until(lambda: payloads(bench, mission, "key.missing"))
    assert bench.store.calls(mission.id)[0].state is CallState.RESERVED
    bench.host(keys={NAME: ONE})
    assert bench.finished(mission).state == "succeeded"
    assert [given(asked) for asked in server.asked] == [ONE, ONE]


def test_model_of_another_key_takes_the_mission_to_another_runner(
    bench: Bench, server: ModelServer
) -> None:
    server.script = lambda asked: Reply(text="done", hold="" if asked.number else "start")
    mission = bench.approve_spec(plan(keyed(bench, server, ONE), task("a")))
    bench.host(keys={NAME: ONE})
    bench.host(keys={NAME: OTHER})
    bench.until(lambda: server.asked, "the call")
    bench.answered(bench.store.send("pause", mission.id, by="ana@here"))
    bench.store.amend(
        mission.id, models={"default": keyed(bench, server, OTHER)}, by="ana@here"
    )
    bench.answered(bench.store.send("resume", mission.id, by="ana@here"))
    assert bench.finished(mission).state == "succeeded"
    assert [given(asked) for asked in server.asked] == [ONE, OTHER]


def test_replay_needs_no_key(bench: Bench, server: ModelServer) -> None:
    cassette = bench.folder / "tape.jsonl"
    recorded = bench.approve_spec(
        plan(keyed(bench, server, ONE), task("a"), cassette=f"record:{cassette}")
    )
    host = bench.host(keys={NAME: ONE})
    assert bench.finished(recorded).state == "succeeded"
    host.stop()
    asked = len(server.requests)
    assert ONE not in cassette.read_text()
    spec = plan(
        keyed(bench, server, ONE),
        task("a"),
        cassette=f"replay:{cassette}",
        budget=0.01,
    )
    for _ in range(2):
        mission = bench.approve_spec(spec)
        bench.host()
        mission = bench.finished(mission)
        assert mission.state == "succeeded", mission.error
        assert bench.output(mission, "a") == "The answer is 42."
        [call] = bench.store.calls(mission.id)
        assert (call.source, call.cost) == ("cassette", 0.0)
    assert len(server.requests) == asked


def everything_in(folder: Path) -> bytes:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in files)


def environ_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def looks_for_keys(services: Any, _task: Any) -> list[Any]:
    import os
    import sys
    from pathlib import Path

    from hypernb.model import ChatMessage, ChatRequest

    said = (ChatMessage(role="user", content="Hello"),)
    heard = services.chat(ChatRequest(model="default", messages=said)).text
    parents = [Path(f"/proc/{pid}/environ") for pid in (os.getpid(), os.getppid())]
    seen = [str(os.environ), heard]
    for path in parents:
        try:
            seen.append(path.read_bytes().decode("utf-8", "replace"))
        except PermissionError:
            seen.append("")
    sys.stdout.write(str(seen))
    services.tell("tool.returned", {"tool": "read", "content": heard})
    services.save_state({"heard": heard}, version=0)
    again = (*said, ChatMessage(role="assistant", content=heard))
    return [*seen, services.chat(ChatRequest(model="default", messages=again)).text]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here")
def test_no_key_is_anywhere_but_in_the_memory_of_its_runner(
    bench: Bench, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server tells the key back, as some do in errors; the agent looks for it.
    monkeypatch.setenv(NAME, ONE)
    monkeypatch.setenv("HARMLESS_NAME", f"--token={ONE}")
    server.script = lambda asked: Reply(
        text=f"your key is {given(asked)}", hold="start" if asked.number == 1 else ""
    )

    mission = bench.approve_spec(
        plan(keyed(bench, server, ONE), own(bench, "a", looks_for_keys))
    )
    spawn_runner(bench.store.url, {NAME: ONE})
    [lease] = bench.store.leases("runner:")
    pid = int(lease.facts["pid"])
    try:
        bench.until(lambda: len(server.asked) == 2, "the second call")
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for process in family:
            assert ONE not in " ".join(process.cmdline())
            if os.access(f"/proc/{process.pid}/environ", os.R_OK):
                assert ONE.encode() not in environ_of(process.pid)
        server.release()
        assert bench.finished(mission).state == "succeeded"
        assert [given(asked) for asked in server.asked] == [ONE, ONE]
    finally:
        bench.store.send("stop", None, {"runner": lease.holder}, by="ana@here")
        bench.until(lambda: not bench.store.leases("runner:"), "the end of the runner")
    assert ONE.encode() not in everything_in(bench.folder)
    assert ONE not in str(bench.output(mission, "a"))
    bench.store.checkpoint()
    assert ONE.encode() not in everything_in(bench.folder)


def test_two_kernels_with_other_keys_start_a_runner_each(
    bench: Bench, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hypernb import Session

    missions = {}
    with Session(bench.store.url, runner="process", root=bench.root) as session:
        for key in (ONE, OTHER):
            monkeypatch.setenv(NAME, key)  # as in the environment of another kernel
            spec = plan(keyed(bench, server, key), task("a"))
            record = bench.store.create_mission(spec, by="ana@here")
            missions[key] = session.mission(record.short_id).approve()
        for mission in missions.values():
            assert bench.finished(mission.record).state == "succeeded"
        assert len(session.status().runners) == 2
        assert {given(asked) for asked in server.asked} == {ONE, OTHER}
        # A third mission of the first key finds its runner there.
        monkeypatch.delenv(NAME)
        record = bench.store.create_mission(
            plan(keyed(bench, server, ONE), task("a")), by="ana@here"
        )
        assert bench.finished(session.mission(record.short_id).approve().record)
        assert given(server.asked[-1]) == ONE
        assert len(session.status().runners) == 2
        assert session.stop(timeout=30)
        assert session.status().runners == ()


def test_key_of_a_kernel_goes_to_no_host_that_it_is_not_meant_for(
    bench: Bench, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hypernb import Session
    from hypernb.errors import MissionWaitsError

    with ModelServer(says("Mine.")) as other:
        name = "OPENAI_API_KEY"
        own, meant = ({"model": "scripted", "base_url": each.url} for each in (other, server))
        with Session(
            bench.store.url, runner="process", root=bench.root, settings=own
        ) as session:
            monkeypatch.setenv(name, ONE)  # one kernel, whose key is of its own server
            first = bench.store.create_mission(
                plan(model(other, key=name, key_id=bench.store.fingerprint(ONE)), task("a")),
                by="ana@here",
            )
            assert session.mission(first.short_id).approve().wait(60).state == "succeeded"
            monkeypatch.delenv(name)  # another one, that has none
            record = bench.store.create_mission(
                plan(model(server, key=name), task("a")), by="ana@here"
            )
            mission = session.mission(record.short_id).approve()
            bench.until(lambda: payloads(bench, record, "key.missing"))
            monkeypatch.setenv(name, ONE)  # the first again
            with pytest.raises(MissionWaitsError, match=f"{name} for {server.host}"):
                mission.wait(60, until_asked=True)
            assert server.asked == []
            session.settings = meant  # one whose key is meant for that server
            monkeypatch.setenv(name, OTHER)
            assert mission.wait(60, until_asked=True).state == "succeeded"
            assert [given(asked) for asked in server.asked] == [OTHER]
            assert [given(asked) for asked in other.asked] == [ONE]
            assert session.stop(timeout=30)


def test_runner_of_this_process_is_another_one_for_other_keys(
    bench: Bench, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hypernb import Session

    with Session(bench.store.url, runner="inprocess", root=bench.root) as session:
        for key in (ONE, OTHER):
            monkeypatch.setenv(NAME, key)
            spec = plan(keyed(bench, server, key), task("a"))
            record = bench.store.create_mission(spec, by="ana@here")
            mission = session.mission(record.short_id).approve()
            assert bench.finished(mission.record).state == "succeeded"
        assert [given(asked) for asked in server.asked] == [ONE, OTHER]
        assert session.stop(timeout=30)
        names = [each.name for each in threading.enumerate()]
        assert not [name for name in names if name in ("hypernb runner", "hypernb models")]
