"""Missions whose agents ask a model: a real server, a real client, real processes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from hypernb.model import CallState
from tests.asking import (
    EXECUTORS,
    ask,
    model,
    own,
    payloads,
    plan,
    run,
    task,
    text_of,
)
from tests.model_server import Asked, Call, ModelServer, Reply, fails, page, refuses, says

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

pytestmark = pytest.mark.timeout(120)
FAULTY = Path(__file__).parents[2] / "crash" / "faulty_runner.py"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(says("The answer is 42.")) as server:
        yield server


@pytest.mark.parametrize("executor", EXECUTORS)
def test_agent_asks_its_model_and_all_of_it_is_kept(
    bench: Bench, server: ModelServer, executor: str
) -> None:
    mission = run(bench, plan(model(server), task("write"), budget=1.0), executor=executor)
    assert mission.state == "succeeded", mission.error
    assert bench.output(mission, "write") == "The answer is 42."
    [call] = bench.store.calls(mission.id)
    assert (call.state, call.task, call.agent) == (CallState.SETTLED, "write", "writer")
    assert call.reserved is not None
    assert call.cost is not None
    assert 0 < call.cost < call.reserved
    [paid] = bench.store.usage(mission.id)
    assert paid.usage.cost == pytest.approx(call.cost) == pytest.approx(mission.cost)
    assert paid.usage.input_tokens == call.input_tokens > 0
    told = [
        event.kind
        for event in bench.events(mission)
        if event.kind.startswith(("llm.", "budget.")) and event.kind != "llm.streamed"
    ]
    assert told == ["llm.requested", "budget.reserved", "llm.responded", "budget.settled"]


def test_call_is_in_the_store_before_it_is_sent(bench: Bench, server: ModelServer) -> None:
    found: list[tuple[CallState, float | None]] = []

    def script(_asked: Asked) -> Reply:
        found.extend((call.state, call.cost) for call in bench.store.calls())
        return says("seen")

    server.script = script
    mission = run(bench, plan(model(server), task("write")))
    assert mission.state == "succeeded", mission.error
    assert found == [(CallState.RESERVED, None)]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_call_is_settled_before_it_is_answered(
    bench: Bench, server: ModelServer, executor: str
) -> None:
    def does(services: Any, _task: Any) -> Any:
        ask(services)
        return services.query("SELECT state, cost > 0 FROM calls")[1]

    mission = run(bench, plan(model(server), own(bench, "a", does)), executor=executor)
    assert mission.state == "succeeded", mission.error
    assert bench.output(mission, "a") == [["settled", 1]]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_error_of_an_agent_of_ones_own_has_its_class(
    bench: Bench, server: ModelServer, executor: str
) -> None:
    def does(_services: Any, _task: Any) -> Any:
        found: dict[str, int] = {}
        return found["x"]

    mission = run(bench, plan(model(server), own(bench, "a", does)), executor=executor)
    assert mission.error == "Task 'a' raised KeyError: 'x'"


class TestContract:
    @pytest.mark.parametrize("executor", EXECUTORS)
    def test_model_that_the_plan_does_not_name_is_refused(
        self, bench: Bench, server: ModelServer, executor: str
    ) -> None:
        spec = plan(model(server), own(bench, "a", lambda s, _: ask(s, name="other")))
        mission = run(bench, spec, executor=executor)
        assert mission.state == "failed"
        assert "cannot ask the model 'other': its plan does not name it" in mission.error
        assert server.requests == []
        assert bench.store.calls() == []

    def test_model_of_another_task_is_refused(self, bench: Bench, server: ModelServer) -> None:
        spec = plan(model(server), own(bench, "a", lambda s, _: ask(s), model=""))
        assert "its plan does not name it" in run(bench, spec).error

    def test_host_that_the_plan_does_not_name_is_refused(
        self, bench: Bench, server: ModelServer
    ) -> None:
        spec = plan(model(server), task("a"), hosts=("api.example.org",))
        mission = run(bench, spec)
        assert "its plan allows only api.example.org" in mission.error
        assert server.requests == []

    def test_no_more_answers_than_the_plan_has_steps(
        self, bench: Bench, server: ModelServer
    ) -> None:
        def does(services: Any, _task: Any) -> None:
            for _ in range(3):
                ask(services)

        mission = run(bench, plan(model(server), own(bench, "a", does, steps=2)))
        assert "has had all the answers that its plan allows (2 steps)" in mission.error
        assert len(server.requests) == 2

    def test_no_more_tokens_than_the_plan_allows(
        self, bench: Bench, server: ModelServer
    ) -> None:
        def does(services: Any, _task: Any) -> None:
            for _ in range(5):
                ask(services)

        mission = run(bench, plan(model(server), own(bench, "a", does, tokens=1)))
        assert "has used all the tokens that its plan allows" in mission.error
        assert len(server.requests) == 1

    def test_unknown_price_is_refused_where_there_is_a_budget(
        self, bench: Bench, server: ModelServer
    ) -> None:
        spec = plan(model(server, price=None), task("a"), budget=1.0)
        mission = run(bench, spec)
        assert "nobody knows what scripted" in mission.error
        assert "price" in mission.error
        assert server.requests == []

    def test_unknown_price_is_no_price_where_there_is_none(
        self, bench: Bench, server: ModelServer
    ) -> None:
        mission = run(bench, plan(model(server, price=None), task("a")))
        assert mission.state == "succeeded", mission.error
        [call] = bench.store.calls(mission.id)
        assert (call.cost, call.reserved) == (None, None)
        assert call.input_tokens > 0
        [told] = payloads(bench, mission, "llm.responded")
        assert told["cost"] is None
        assert payloads(bench, mission, "budget.reserved") == []

    @pytest.mark.parametrize("executor", EXECUTORS)
    def test_requests_that_make_no_sense_are_answered_with_errors(
        self, bench: Bench, server: ModelServer, executor: str
    ) -> None:
        def does(services: Any, _task: Any) -> list[str]:
            from hypernb.engine._requests import Request, RequestKind

            strange: list[tuple[RequestKind, dict[str, Any]]] = [
                (RequestKind.CHAT, {"request": {"model": 3}}),
                (RequestKind.CHAT, {}),
                (RequestKind.QUERY, {"sql": "SELECT 1", "limit": 10**9}),
                (RequestKind.QUERY, {"sql": "DELETE FROM tasks"}),
                (RequestKind.TELL, {"kind": "mission.finished", "payload": {}}),
                (RequestKind.SAVE_STATE, {"state": {"a": "x" * 2_000_000}, "version": 0}),
                (RequestKind.SEND, {"message": {"content": "x" * 200_000}}),
                (RequestKind.CALL, {"tool": "launch", "arguments": {}}),
                (RequestKind.QUERY, {"sql": "x" * 5_000_000}),
            ]
            answers = [services._ask(Request(kind, payload)) for kind, payload in strange]
            return [answer.error["name"] for answer in answers]

        mission = run(bench, plan(model(server), own(bench, "a", does)), executor=executor)
        assert mission.state == "succeeded", mission.error
        assert bench.output(mission, "a") == [
            *("UsageError", "UsageError", "UsageError", "QueryError", "UsageError"),
            *("UsageError", "UsageError", "ContractError", "UsageError"),
        ]

    def test_agent_reads_its_own_mission_and_no_other(
        self, bench: Bench, server: ModelServer
    ) -> None:
        other = run(bench, plan(model(server), task("secret plans")))

        def does(services: Any, _task: Any) -> Any:
            _, tasks = services.query("SELECT name FROM tasks")
            _, seen = services.query("SELECT count(DISTINCT mission_id) FROM events")
            return [tasks, seen]

        mission = bench.approve_spec(plan(model(server), own(bench, "a", does)))
        bench.finished(mission)
        assert bench.output(mission, "a") == [[["a"]], [[1]]]
        assert other.state == "succeeded"


class TestTelling:
    @pytest.mark.parametrize("executor", EXECUTORS)
    def test_attempt_tells_of_no_more_calls_than_it_may_make(
        self, bench: Bench, server: ModelServer, executor: str
    ) -> None:
        def does(services: Any, _task: Any) -> str:
            for number in range(60):
                services.tell("tool.called", {"tool": "read", "number": number})
            return "told"

        spec = plan(model(server), own(bench, "a", does, calls=5))
        mission = run(bench, spec, executor=executor)
        assert mission.state == "succeeded", mission.error
        assert len(payloads(bench, mission, "tool.called")) == 30
        [last] = payloads(bench, mission, "tool.returned")
        assert (last["status"], "at most" in last["error"]) == ("left out", True)


class TestContent:
    def test_full_content_is_kept_and_found_by_the_call(
        self, bench: Bench, server: ModelServer
    ) -> None:
        mission = run(bench, plan(model(server), task("write")))
        [call] = bench.store.calls(mission.id)
        request = orjson.loads(text_of(bench, call.request))
        assert "Do write" in request["messages"][-1]["content"]
        assert orjson.loads(text_of(bench, call.reply))["text"] == "The answer is 42."
        [told] = payloads(bench, mission, "llm.responded")
        assert told["text"] == "The answer is 42."

    def test_hashes_are_all_that_is_kept(self, bench: Bench, server: ModelServer) -> None:
        mission = run(bench, plan(model(server), task("write"), content="hashes"))
        [call] = bench.store.calls(mission.id)
        assert (call.request, call.reply) == (None, None)
        assert len(call.request_hash) == 64
        told = orjson.dumps(
            [event.payload for event in bench.events(mission) if "llm" in event.kind]
        )
        assert b"Do write" not in told
        assert b"answer is" not in told
        assert call.request_hash.encode() in told

    def test_nothing_is_kept(self, bench: Bench, server: ModelServer) -> None:
        mission = run(bench, plan(model(server), task("write"), content="none"))
        [call] = bench.store.calls(mission.id)
        assert (call.request, call.reply, call.request_hash) == (None, None, "")
        assert payloads(bench, mission, "llm.streamed") == []

    def test_long_texts_are_cut_in_events_and_whole_in_the_store(
        self, bench: Bench, server: ModelServer
    ) -> None:
        server.script = says("word " * 20_000)
        mission = run(bench, plan(model(server, max_output_tokens=100_000), task("write")))
        assert mission.state == "succeeded", mission.error
        [call] = bench.store.calls(mission.id)
        assert len(text_of(bench, call.reply)) > 100_000
        for event in bench.events(mission):
            assert len(orjson.dumps(event.payload)) < 6_000, event.kind

    def test_text_is_told_while_it_comes(self, bench: Bench, server: ModelServer) -> None:
        server.script = Reply(text="first words, and then the rest", hold="middle")
        mission = bench.approve_spec(plan(model(server), task("write")))
        bench.host()
        bench.until(lambda: bench.events(mission, "llm.streamed"), "the first piece")
        server.release()
        assert bench.finished(mission).state == "succeeded"
        first = payloads(bench, mission, "llm.streamed")[0]
        assert "first words, and then the rest".startswith(first["text"])

    def test_call_is_told_once_and_the_note_says_what_the_task_is_doing(
        self, bench: Bench, server: ModelServer
    ) -> None:
        server.script = [
            Reply(calls=(Call("read-file", '{"path": "x"}'),)),
            Reply(text="first words, and then the rest", hold="middle"),
        ]
        mission = bench.approve_spec(plan(model(server), task("write", tools=("read-file",))))
        bench.host()
        bench.until(lambda: bench.events(mission, "llm.streamed"), "the first piece")
        assert bench.tasks(mission)["write"].note == "asks scripted"
        server.release()
        assert bench.finished(mission).state == "succeeded"
        assert bench.tasks(mission)["write"].note == "first words, and then the rest"
        assert bench.events(mission, "task.progressed") == []
        assert len(bench.events(mission, "llm.requested")) == 2
        streamed = payloads(bench, mission, "llm.streamed")
        assert "".join(each["text"] for each in streamed) == "first words, and then the rest"

    def test_content_of_tools_is_kept_like_that_of_calls(
        self, bench: Bench, server: ModelServer
    ) -> None:
        def does(services: Any, _task: Any) -> None:
            services.tell(
                "tool.called", {"tool": "read", "arguments": {"path": "a.py"}, "n": 1}
            )
            services.tell("tool.returned", {"tool": "read", "content": "x" * 50_000})

        full = run(bench, plan(model(server), own(bench, "a", does)))
        assert payloads(bench, full, "tool.called")[0]["arguments"] == {"path": "a.py"}
        assert len(payloads(bench, full, "tool.returned")[0]["content"]) < 1_000
        spec = plan(model(server), own(bench, "a", does), content="none")
        mission = bench.approve_spec(spec)
        bench.finished(mission)
        assert payloads(bench, mission, "tool.called") == [{"tool": "read", "n": 1}]


class TestWaiting:
    def test_waiting_for_a_server_is_told_and_takes_no_time_of_the_task(
        self, bench: Bench, server: ModelServer
    ) -> None:
        server.script = [fails(429, "slow down", retry_after="5"), says("now")]
        spec = plan(model(server), task("write", timeout_s=4.5))
        mission = run(bench, spec)
        assert mission.state == "succeeded", mission.error
        waits = payloads(bench, mission, "llm.waited")
        assert waits[0]["is_asked"]
        assert waits[0]["until"]
        assert waits[-1]["until"] is None
        notes = [event.payload["reason"] for event in bench.events(mission, "llm.waited")]
        assert "too many requests" in notes[0]
        [call] = bench.store.calls(mission.id)
        assert (call.state, call.tries) == (CallState.SETTLED, 2)

    def test_task_says_what_it_waits_for(self, bench: Bench, server: ModelServer) -> None:
        server.script = [fails(429, "slow down", retry_after="2"), says("now")]
        mission = bench.approve_spec(plan(model(server), task("write")))
        bench.host()
        note = bench.until(
            lambda: (
                (bench.tasks(mission)["write"].note or "").startswith("waits for the model")
                and bench.tasks(mission)["write"].note
            )
        )
        assert note.startswith("waits for the model: too many requests")
        assert "again at " in note
        assert bench.finished(mission).state == "succeeded"
        assert "waits" not in (bench.tasks(mission)["write"].note or "")

    def test_server_that_is_not_there_is_told_with_its_end_and_given_up_for_another(
        self, bench: Bench, server: ModelServer
    ) -> None:
        with ModelServer() as other:
            gone = model(other)
        mission = bench.approve_spec(plan(gone, task("write", timeout_s=500.0), budget=1.0))
        bench.host()
        bench.until(lambda: bench.events(mission, "llm.waited"), "a call that waits")
        [first, *_] = payloads(bench, mission, "llm.waited")
        assert first["reason"].startswith(f"cannot reach {gone.host}")
        assert first["since"] < first["until"] < first["given_up"]
        bench.store.amend(mission.id, models={"default": model(server)}, by="ana@here")
        ended = bench.finished(mission)
        assert ended.state == "succeeded", ended.error
        left, asked = bench.store.calls(mission.id)
        assert (left.host, left.state, left.cost) == (gone.host, CallState.FAILED, None)
        assert "another model is asked instead" in left.error
        assert (asked.host, asked.state) == (server.host, CallState.SETTLED)
        assert ended.cost == asked.cost
        told = [each["until"] is None for each in payloads(bench, mission, "llm.waited")]
        assert not any(told)  # short tries between are not told


def test_error_of_a_model_is_the_agents_to_deal_with(bench: Bench, server: ModelServer) -> None:
    server.script = [fails(401, "no such key"), says("fine")]

    def does(services: Any, _task: Any) -> list[Any]:
        from hypernb.errors import ModelRefusedError

        try:
            ask(services)
        except ModelRefusedError as error:
            return [error.status, error.model, ask(services)]
        return []

    mission = run(bench, plan(model(server), own(bench, "a", does), budget=1.0))
    assert mission.state == "succeeded", mission.error
    assert bench.output(mission, "a") == [401, "scripted", "fine"]
    failed, settled = bench.store.calls(mission.id)
    assert (failed.state, failed.cost) == (CallState.FAILED, None)
    assert "401" in failed.error or "no such key" in failed.error
    assert settled.state is CallState.SETTLED
    assert mission.cost == pytest.approx(settled.cost)


class TestEndings:
    @pytest.mark.parametrize("executor", ["process", "thread"])
    def test_call_whose_attempt_is_ended_counts_with_its_worst_case(
        self, bench: Bench, server: ModelServer, executor: str
    ) -> None:
        server.script = Reply(text="never", hold="start")
        mission = bench.approve_spec(plan(model(server), task("write"), budget=1.0))
        bench.host(executor=executor)
        bench.until(lambda: server.asked, "the call")
        bench.answered(bench.store.send("cancel", mission.id, by="ana@here"))
        mission = bench.finished(mission)
        assert mission.state == "cancelled"
        [call] = bench.store.calls(mission.id)
        assert call.state is CallState.LOST
        assert call.cost == call.reserved == pytest.approx(mission.cost)
        bench.until(lambda: server.asked[0].is_left, "the end of the connection")

    def test_call_of_a_runner_that_was_killed_is_lost_and_its_task_done_anew(
        self, bench: Bench, server: ModelServer
    ) -> None:
        server.script = lambda asked: Reply(text="done", hold="" if asked.number else "start")
        mission = bench.approve_spec(plan(model(server), task("write"), budget=1.0))
        runner = bench.process()
        bench.until(lambda: server.asked, "the call")
        runner.kill()
        runner.wait()
        [call] = bench.store.calls(mission.id)
        assert call.state is CallState.RESERVED
        bench.process()
        mission = bench.finished(mission)
        assert mission.state == "succeeded", mission.error
        lost, settled = bench.store.calls(mission.id)
        assert (lost.state, settled.state) == (CallState.LOST, CallState.SETTLED)
        assert lost.cost == lost.reserved
        assert mission.cost == pytest.approx(lost.cost + settled.cost)
        told = payloads(bench, mission, "llm.responded")
        assert [each["state"] for each in told] == ["lost", "settled"]
        assert len(bench.attempts(mission, "write")) == 2

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_runner_killed_at_any_commit_around_calls_pays_for_each_once(
        self, bench: Bench, server: ModelServer, when: str
    ) -> None:
        def does(services: Any, _task: Any) -> list[str]:
            from hypernb.model import ChatMessage, ChatRequest

            said = (ChatMessage(role="user", content="Hello"),)
            request = ChatRequest(model="default", messages=said)
            return [services.chat(request).text for _ in range(3)]

        spec = plan(model(server), own(bench, "a", does), budget=5.0)
        for moment in range(6, 14, 2):
            asked = len(server.asked)
            mission = bench.approve_spec(spec)
            runner = bench.process(str(FAULTY), crash_at=f"commit:{moment}:{when}")
            bench.until(
                lambda: runner.poll() is not None or bench.mission(mission).state.is_final,  # noqa: B023 - called at once
                "the crash",
            )
            host = bench.host()
            mission = bench.finished(mission)
            host.stop()
            assert mission.state == "succeeded", mission.error
            calls = bench.store.calls(mission.id)
            # Nothing is sent that is not in the store; nothing stays open; all is paid once.
            assert len(server.asked) - asked <= len(calls)
            assert {call.state for call in calls} <= {CallState.SETTLED, CallState.LOST}
            assert sum(call.state is CallState.LOST for call in calls) <= 1
            assert mission.cost == pytest.approx(sum(call.cost or 0.0 for call in calls))
            usage = bench.store.usage(mission.id)
            assert len(usage) == len(calls)

    def test_worker_that_dies_in_a_call_loses_it(
        self, bench: Bench, server: ModelServer
    ) -> None:
        server.script = lambda asked: Reply(text="done", hold="" if asked.number else "start")

        def does(services: Any, _task: Any) -> str:
            import os
            import threading

            from hypernb.model import ChatMessage, ChatRequest

            if not services.load_state()[1]:
                services.save_state({"tried": True}, version=0)
                threading.Timer(1.0, os._exit, (7,)).start()
            said = (ChatMessage(role="user", content="Hello"),)
            return str(services.chat(ChatRequest(model="default", messages=said)).text)

        spec = plan(model(server), own(bench, "a", does, attempts=2, backoff_s=0.0))
        mission = run(bench, spec)
        assert mission.state == "succeeded", mission.error
        states = [call.state for call in bench.store.calls(mission.id)]
        assert states == [CallState.LOST, CallState.SETTLED]

    def test_stopped_runner_leaves_the_task_to_the_next(
        self, bench: Bench, server: ModelServer
    ) -> None:
        server.script = lambda asked: Reply(text="done", hold="" if asked.number else "start")
        mission = bench.approve_spec(plan(model(server), task("write")))
        host = bench.host()
        bench.until(lambda: server.asked, "the call")
        host.stop()
        [call] = bench.store.calls(mission.id)
        assert call.state is CallState.LOST
        bench.host()
        assert bench.finished(mission).state == "succeeded"

    def test_paused_mission_settles_its_calls_and_answers_after_it(
        self, bench: Bench, server: ModelServer
    ) -> None:
        server.script = Reply(text="done", hold="start")
        mission = bench.approve_spec(plan(model(server), task("write"), budget=1.0))
        bench.host()
        bench.until(lambda: server.asked, "the call")
        bench.answered(bench.store.send("pause", mission.id, by="ana@here"))
        server.release()
        bench.until(lambda: bench.store.calls(mission.id)[0].state == "settled", "the settling")
        assert bench.mission(mission).state == "paused"
        assert bench.states(mission) == {"write": "running"}
        bench.answered(bench.store.send("resume", mission.id, by="ana@here"))
        assert bench.finished(mission).state == "succeeded"


class TestMessagesAndStates:
    @pytest.mark.parametrize("executor", EXECUTORS)
    def test_agents_talk_and_acknowledge(
        self, bench: Bench, server: ModelServer, executor: str
    ) -> None:
        def asks(services: Any, _task: Any) -> Any:
            from hypernb.model import AgentMessage

            sent = services.send(AgentMessage(recipient="b", content="ready?", type="question"))
            [answer] = services.receive(wait_s=30)
            services.acknowledge([answer.id])
            return [answer.content, answer.reply_to == sent.id, services.receive()]

        def answers(services: Any, _task: Any) -> Any:
            from hypernb.model import AgentMessage

            [asked] = services.early or services.receive(wait_s=30)
            services.acknowledge([asked.id])
            services.send(
                AgentMessage(recipient=asked.sender, content="yes", reply_to=asked.id)
            )
            return asked.sender

        spec = plan(model(server), own(bench, "a", asks), own(bench, "b", answers))
        mission = run(bench, spec, executor=executor)
        assert mission.state == "succeeded", mission.error
        assert bench.output(mission, "a") == ["yes", True, []]
        assert bench.output(mission, "b") == "a"
        kinds = [event.kind for event in bench.events(mission)]
        assert kinds.count("message.sent") == kinds.count("message.received") == 2

    def test_state_survives_the_attempt(self, bench: Bench, server: ModelServer) -> None:
        def does(services: Any, _task: Any) -> Any:
            state, version = services.load_state()
            services.save_state({"tries": state.get("tries", 0) + 1}, version=version)
            if version == 0:
                raise RuntimeError("once more")
            return services.load_state()[0]

        spec = plan(model(server), own(bench, "a", does, attempts=2, backoff_s=0.0))
        mission = run(bench, spec)
        assert mission.state == "succeeded", mission.error
        assert bench.output(mission, "a") == {"tries": 2}

    def test_state_that_somebody_else_saved_is_not_overwritten(
        self, bench: Bench, server: ModelServer
    ) -> None:
        def does(services: Any, _task: Any) -> Any:
            from hypernb.errors import StateConflictError

            services.save_state({"n": 1}, version=0)
            try:
                services.save_state({"n": 2}, version=0)
            except StateConflictError as error:
                return [error.based_on, error.newest]

        mission = run(bench, plan(model(server), own(bench, "a", does)))
        assert bench.output(mission, "a") == [0, 1]


def test_twenty_threads_of_an_agent_ask_at_once(bench: Bench, server: ModelServer) -> None:
    server.script = lambda asked: says(asked.body["messages"][-1]["content"])

    def does(services: Any, _task: Any) -> list[str]:
        from concurrent.futures import ThreadPoolExecutor

        from hypernb.model import ChatMessage, ChatRequest

        def one(number: int) -> str:
            said = (ChatMessage(role="user", content=str(number)),)
            return str(services.chat(ChatRequest(model="default", messages=said)).text)

        with ThreadPoolExecutor(20) as pool:
            return list(pool.map(one, range(40)))

    mission = run(bench, plan(model(server), own(bench, "a", does, steps=40)))
    assert mission.state == "succeeded", mission.error
    assert bench.output(mission, "a") == [str(number) for number in range(40)]


def test_twenty_tasks_are_done_once_each_though_three_in_ten_answers_are_bad(
    bench: Bench, server: ModelServer
) -> None:
    bad: list[Callable[[], Reply]] = [
        lambda: Reply(text="", finish="stop"),
        lambda: says("{ this is no JSON"),
        lambda: says({"wrong": "form"}),
        lambda: fails(500, "oops"),
        page,
        lambda: Reply(text="cut", cut="middle"),
        lambda: Reply(calls=(Call("no-such-tool", "{]"),)),
        refuses,
        lambda: says({"answer": {"n": 1}}, usage={"prompt_tokens": -1}),
    ]
    rng = random.Random(5)  # noqa: S311 - the same answers each time

    def script(_asked: Asked) -> Reply:
        return rng.choice(bad)() if rng.random() < 0.3 else says({"answer": {"n": 1}})

    server.script = script
    form = {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }
    tasks = [
        task(f"t{n}", returns="json", answer=form, attempts=5, backoff_s=0.0) for n in range(20)
    ]
    mission = run(bench, plan(model(server), *tasks, budget=50.0, concurrency=8))
    assert mission.state == "succeeded", mission.error
    assert all(bench.output(mission, each.name) == {"n": 1} for each in tasks)
    ends = [event.task for event in bench.events(mission, "task.finished")]
    assert sorted(ends) == sorted(each.name for each in tasks)
    calls = bench.store.calls(mission.id)
    assert len(calls) > 20
    assert {call.state for call in calls} <= {CallState.SETTLED, CallState.FAILED}
    sums = bench.store.usage_sums(["task"], mission_id=mission.id)
    assert sum(each.cost for each in sums) == pytest.approx(mission.cost)
