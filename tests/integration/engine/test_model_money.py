"""One budget for all calls of a mission: reserved, settled, and asked for when it ends."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import StoreUnavailableError
from hypernb.model import CallState, Price
from tests.asking import model, own, payloads, plan, run
from tests.model_server import Asked, ModelServer, Reply, says

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

    from hypernb.model import MissionRecord

pytestmark = pytest.mark.timeout(120)
A_CENT_A_WORD = Price(input=0.0, output=10_000.0)
"""A token written costs a cent: what is reserved and paid is easy to reckon."""
HOSTILE: dict[str, Reply] = {
    "counts more than allowed": says(
        "ok", usage={"prompt_tokens": 1, "completion_tokens": 80, "total_tokens": 81}
    ),
    "counts ten thousand": says(
        "ok", usage={"prompt_tokens": 1, "completion_tokens": 10_000, "total_tokens": 1}
    ),
    "counts what cannot be": says(
        "ok", usage={"prompt_tokens": 2**50, "completion_tokens": 2**50, "total_tokens": 1}
    ),
    "counts nothing": says(
        "ok", usage={"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    ),
    "does not count": says("ok", usage=None),
    "breaks off": Reply(text="w" * 4_000, cut="middle", piece=40),
}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(says("word " * 8)) as server:  # ten tokens, as the server counts them
        yield server


def dear(server: ModelServer, **fields: Any) -> Any:
    return model(server, price=A_CENT_A_WORD, max_output_tokens=50, **fields)


def asks(times: int) -> Any:
    def does(services: Any, _task: Any) -> int:
        from hypernb.model import ChatMessage, ChatRequest

        said = (ChatMessage(role="user", content="Hello"),)
        for _ in range(times):
            services.chat(ChatRequest(model="default", messages=said))
        return times

    return does


def paused(bench: Bench, mission: MissionRecord) -> dict[str, Any]:
    """The facts with which a mission that was paused asks for money."""
    bench.until(lambda: bench.mission(mission).state == "paused", "the pause")
    return payloads(bench, mission, "mission.paused")[-1]


def resume(bench: Bench, mission: MissionRecord, **payload: Any) -> None:
    bench.answered(bench.store.send("resume", mission.id, payload, by="ana@here"))


def in_all(bench: Bench, mission: MissionRecord) -> float:
    return sum(call.cost or 0.0 for call in bench.store.calls(mission.id))


class TestSideBySide:
    @pytest.mark.parametrize("executor", ["thread", "inline"])
    def test_64_calls_at_once_never_reserve_more_than_there_is(
        self, bench: Bench, server: ModelServer, executor: str
    ) -> None:
        most: list[float] = []
        at_once: list[int] = []

        def script(_asked: Asked) -> Reply:
            calls = bench.store.calls()
            most.append(sum((c.reserved if c.cost is None else c.cost) or 0.0 for c in calls))
            at_once.append(sum(call.state is CallState.RESERVED for call in calls))
            return says("word " * 8)

        server.script = script
        tasks = [own(bench, f"t{n}", asks(1)) for n in range(64)]
        # Each reserves 0.50 and costs 0.11; ten reserve more than there is.
        spec = plan(dear(server), *tasks, budget=8.0, concurrency=64)
        mission = run(bench, spec, executor=executor, concurrency=64)
        assert mission.state == "succeeded", mission.error
        assert len(server.asked) == 64
        assert max(most) <= 8.0 + 1e-9
        assert 1 < max(at_once) <= 16
        assert mission.cost == pytest.approx(in_all(bench, mission))

    def test_absurd_figures_are_not_believed(self, bench: Bench, server: ModelServer) -> None:
        figures: list[Any] = [
            {"prompt_tokens": 2**60, "completion_tokens": 2**60, "total_tokens": 2**61},
            {"prompt_tokens": -5, "completion_tokens": -7, "total_tokens": 3},
            "a lot",
            None,
            {"prompt_tokens": 3.5, "completion_tokens": "many"},
            {"prompt_tokens": 10**12, "completion_tokens": 10**12, "total_tokens": 1},
        ]
        server.script = [says("ok", usage=figure) for figure in figures]
        mission = run(bench, plan(dear(server), own(bench, "a", asks(6)), budget=10.0))
        assert mission.state == "succeeded", mission.error
        calls = bench.store.calls(mission.id)
        assert [call.cost for call in calls] == [None] * 6
        # What nobody counts is paid as it was reserved.
        assert mission.cost == pytest.approx(sum(call.reserved or 0.0 for call in calls))

    @pytest.mark.parametrize("hostile", HOSTILE, ids=list(HOSTILE))
    def test_no_budget_is_overdrawn_by_64_calls_at_once_whatever_a_server_counts(
        self, bench: Bench, server: ModelServer, hostile: str
    ) -> None:
        most: list[float] = []

        def script(_asked: Asked) -> Reply:
            calls = bench.store.calls()
            most.append(sum(each.reserved or 0.0 for each in calls if each.cost is None))
            most[-1] += sum(each.cost or 0.0 for each in calls)
            return HOSTILE[hostile]

        server.script = script
        tasks = [own(bench, f"t{n}", asks(2)) for n in range(64)]
        spec = plan(dear(server), *tasks, budget=8.0, concurrency=64)
        mission = bench.approve_spec(spec)
        bench.host(executor="thread", concurrency=64)
        paused(bench, mission)
        # How many depends on how soon the first claim comes: later reservations are larger.
        assert len(server.asked) > 1
        assert max(most) <= 8.0 + 1e-9
        assert bench.mission(mission).cost <= 8.0 + 1e-9

    def test_what_a_server_claims_beyond_is_kept_and_told_once(
        self, bench: Bench, server: ModelServer
    ) -> None:
        usage = {"prompt_tokens": 1, "completion_tokens": 80, "total_tokens": 81}
        server.script = says("ok", usage=usage)
        mission = run(bench, plan(dear(server), own(bench, "a", asks(3)), budget=9.0))
        assert mission.state == "succeeded", mission.error
        answered = payloads(bench, mission, "llm.responded")
        assert answered[0]["claimed"]["output_tokens"] == 80
        assert answered[0]["output_tokens"] == 50
        # After that, so much is kept that it is believed.
        assert [call.cost for call in bench.store.calls(mission.id)] == [0.5, 0.8, 0.8]
        assert "claimed" not in answered[1]
        [warned] = payloads(bench, mission, "budget.warned")
        assert (warned["model"], warned["output_tokens"]) == ("scripted", [80, 50])

    def test_another_runner_remembers_what_a_server_claims(
        self, bench: Bench, server: ModelServer
    ) -> None:
        usage = {"prompt_tokens": 1, "completion_tokens": 80, "total_tokens": 81}
        server.script = says("ok", usage=usage)
        mission = bench.approve_spec(plan(dear(server), own(bench, "a", asks(3)), budget=0.6))
        host = bench.host(executor="thread")
        paused(bench, mission)
        host.stop()
        bench.store.amend(mission.id, budget=9.0, by="ana@here")
        bench.host(executor="thread")
        resume(bench, mission)
        bench.finished(mission)
        costs = [call.cost for call in bench.store.calls(mission.id) if call.cost]
        assert max(costs[1:]) == pytest.approx(0.8)
        assert len(bench.events(mission, "budget.warned")) == 1 + 1  # that, and the 80 %

    def test_without_a_budget_a_server_is_believed(
        self, bench: Bench, server: ModelServer
    ) -> None:
        usage = {"prompt_tokens": 1, "completion_tokens": 80, "total_tokens": 81}
        server.script = says("ok", usage=usage)
        mission = run(bench, plan(dear(server), own(bench, "a", asks(1))))
        assert mission.cost == pytest.approx(0.8)

    def test_figures_too_low_to_be_true_count_as_not_said(
        self, bench: Bench, server: ModelServer
    ) -> None:
        figures = [(0, 0), (0, 5), (5, 0)]
        server.script = [
            says("ok", usage={"prompt_tokens": read, "completion_tokens": wrote})
            for read, wrote in figures
        ]
        mission = run(bench, plan(dear(server), own(bench, "a", asks(3)), budget=10.0))
        assert mission.state == "succeeded", mission.error
        assert [call.cost for call in bench.store.calls(mission.id)] == [None] * 3
        assert mission.cost == pytest.approx(1.5)

    def test_each_try_after_a_broken_answer_is_paid_from_money_of_its_own(
        self, bench: Bench, server: ModelServer
    ) -> None:
        server.script = Reply(text="w" * 4_000, cut="middle", piece=40)
        mission = bench.approve_spec(plan(dear(server), own(bench, "a", asks(1)), budget=1.2))
        bench.host(executor="thread")
        paused(bench, mission)
        calls = bench.store.calls(mission.id)
        assert len(server.asked) == len(calls) == 2
        assert [each.state for each in calls] == [CallState.FAILED] * 2
        assert bench.mission(mission).cost <= 1.2
        assert len(payloads(bench, mission, "budget.reserved")) == 2
        server.script = says("ok")
        bench.store.amend(mission.id, budget=9.0, by="ana@here")
        resume(bench, mission)
        assert bench.finished(mission).state == "succeeded"

    def test_answers_that_break_off_are_asked_for_five_times_at_most(
        self, bench: Bench, server: ModelServer
    ) -> None:
        server.script = Reply(text="w" * 4_000, cut="middle", piece=40)
        mission = run(bench, plan(dear(server), own(bench, "a", asks(1)), budget=99.0))
        assert "has broken off its answer" in mission.error
        assert len(server.asked) == 5


class TestWhileItRuns:
    """Terms that a person gives to a mission that runs count from its next call on."""

    def amended(self, bench: Bench, server: ModelServer, **terms: Any) -> MissionRecord:
        """Give other terms while the first of three calls is under way, then let it end."""
        server.script = [says("word " * 8, hold="start"), *[says("word " * 8)] * 2]
        spec = plan(dear(server), own(bench, "a", asks(3)), budget=5.0)
        mission: MissionRecord = bench.approve_spec(spec)
        bench.host()
        server.wait_for(lambda: server.at_once == 1)
        bench.store.amend(mission.id, by="ana@here", **terms)
        bench.until(lambda: not bench.store.commands(), "the answer of the runner")
        server.release()
        return mission

    def test_smaller_budget_is_in_force(self, bench: Bench, server: ModelServer) -> None:
        mission = self.amended(bench, server, budget=0.4)
        told = paused(bench, mission)
        assert (told["because"], told["budget"]) == ("budget", 0.4)
        assert len(server.asked) == 1
        assert bench.mission(mission).cost <= 0.4

    def test_other_model_is_asked(self, bench: Bench, server: ModelServer) -> None:
        other = dear(server).model_copy(update={"name": "scripted-mini"})
        mission = bench.finished(self.amended(bench, server, models={"default": other}))
        assert mission.state == "succeeded", mission.error
        names = [call.model for call in bench.store.calls(mission.id)]
        assert names == ["scripted", "scripted-mini", "scripted-mini"]

    def test_larger_budget_lets_calls_go_on_that_wait_for_others(
        self, bench: Bench, server: ModelServer
    ) -> None:
        server.script = says("word " * 8, hold="start")
        tasks = [own(bench, name, asks(1)) for name in ("a", "b")]
        # Each reserves 0.50, so that the second waits for what the first leaves.
        spec = plan(dear(server), *tasks, budget=0.7, concurrency=2)
        mission = bench.approve_spec(spec)
        bench.host(executor="thread", concurrency=2)
        server.wait_for(lambda: server.at_once == 1)
        bench.store.amend(mission.id, budget=2.0, by="ana@here")
        server.wait_for(lambda: server.at_once == 2)
        server.release()
        assert bench.finished(mission).state == "succeeded"


class TestAsking:
    def test_mission_without_money_is_paused_and_asks(
        self, bench: Bench, server: ModelServer
    ) -> None:
        spec = plan(dear(server), own(bench, "a", asks(8)), budget=1.0)
        mission = bench.approve_spec(spec)
        bench.host()
        told = paused(bench, mission)
        assert told["because"] == "budget"
        assert told["needed"] == pytest.approx(0.5)
        assert told["left"] == pytest.approx(1.0 - bench.mission(mission).cost)
        assert told["ways"] == ["raise", "model", "finish", "stop"]
        assert told["left"] < told["needed"]
        assert bench.states(mission) == {"a": "running"}
        assert bench.mission(mission).cost <= 1.0
        with pytest.raises(Exception, match="paid"):
            bench.store.amend(mission.id, budget=0.1, by="ana@here")

    def test_more_money_lets_it_go_on(self, bench: Bench, server: ModelServer) -> None:
        mission = bench.approve_spec(plan(dear(server), own(bench, "a", asks(8)), budget=1.0))
        bench.host()
        paused(bench, mission)
        bench.store.amend(mission.id, budget=2.0, by="ana@here")
        resume(bench, mission)
        mission = bench.finished(mission)
        assert mission.state == "succeeded", mission.error
        assert len(server.asked) == 8
        assert len(bench.attempts(mission, "a")) == 1

    def test_resuming_without_more_money_asks_again(
        self, bench: Bench, server: ModelServer
    ) -> None:
        mission = bench.approve_spec(plan(dear(server), own(bench, "a", asks(8)), budget=1.0))
        bench.host()
        paused(bench, mission)
        resume(bench, mission)
        bench.until(
            lambda: len(payloads(bench, mission, "mission.paused")) == 2, "the second pause"
        )

    def test_cheaper_model_lets_it_go_on(self, bench: Bench, server: ModelServer) -> None:
        mission = bench.approve_spec(plan(dear(server), own(bench, "a", asks(8)), budget=1.0))
        bench.host()
        paused(bench, mission)
        cheaper = dear(server).model_copy(
            update={"name": "scripted-mini", "price": Price(input=0.0, output=1.0)}
        )
        bench.store.amend(mission.id, models={"default": cheaper}, by="ana@here")
        resume(bench, mission)
        mission = bench.finished(mission)
        assert mission.state == "succeeded", mission.error
        names = [call.model for call in bench.store.calls(mission.id)]
        assert set(names) == {"scripted", "scripted-mini"}
        assert names[-1] == "scripted-mini"

    def test_other_model_without_a_price_is_refused(
        self, bench: Bench, server: ModelServer
    ) -> None:
        mission = bench.approve_spec(plan(dear(server), own(bench, "a", asks(8)), budget=1.0))
        bench.host()
        paused(bench, mission)
        other = dear(server).model_copy(update={"name": "scripted-mini", "price": None})
        bench.store.amend(mission.id, models={"default": other}, by="ana@here")
        resume(bench, mission)
        mission = bench.finished(mission)
        assert "nobody knows what it costs" in mission.error
        assert {call.model for call in bench.store.calls(mission.id)} == {"scripted"}

    def test_finishing_ends_what_runs_and_begins_nothing_more(
        self, bench: Bench, server: ModelServer
    ) -> None:
        def does(services: Any, _task: Any) -> str:
            from hypernb.errors import BudgetExhaustedError
            from hypernb.model import ChatMessage, ChatRequest

            said = (ChatMessage(role="user", content="Hello"),)
            try:
                while True:
                    services.chat(ChatRequest(model="default", messages=said))
            except BudgetExhaustedError:
                return "as far as the money went"

        spec = plan(dear(server), own(bench, "a", does), own(bench, "b", does, "a"), budget=1.0)
        mission = bench.approve_spec(spec)
        bench.host()
        paused(bench, mission)
        resume(bench, mission, finish=True)
        mission = bench.finished(mission)
        assert bench.output(mission, "a") == "as far as the money went"
        assert bench.states(mission) == {"a": "succeeded", "b": "cancelled"}
        assert mission.state == "failed"
        assert "to finish only what ran" in mission.error

    def test_finishing_ends_a_task_whose_next_answer_what_is_left_does_not_cover(
        self, bench: Bench, server: ModelServer
    ) -> None:
        mission = bench.approve_spec(plan(dear(server), own(bench, "a", asks(8)), budget=1.0))
        bench.host(executor="thread")
        paused(bench, mission)
        asked = len(server.asked)
        resume(bench, mission, finish=True)
        mission = bench.finished(mission)
        assert bench.states(mission) == {"a": "failed"}
        assert "that may be spent" in (bench.tasks(mission)["a"].error or "")
        assert len(server.asked) == asked

    @pytest.mark.parametrize("end", ["stopped", "killed"])
    def test_another_runner_begins_nothing_more_either(
        self, bench: Bench, server: ModelServer, end: str
    ) -> None:
        mission, runner = self.finishing(bench, server)
        if end == "stopped":
            runner.terminate()
        else:
            runner.kill()
        runner.wait(20)
        server.release()
        bench.host(executor="thread")
        mission = bench.finished(mission)
        # What ran goes on; what had not begun does not begin.
        assert bench.states(mission) == {"a": "succeeded", "b": "cancelled"}
        assert len(bench.attempts(mission, "a")) == 2
        assert "to finish only what ran" in mission.error

    def test_resuming_without_it_ends_the_finishing(
        self, bench: Bench, server: ModelServer
    ) -> None:
        mission, runner = self.finishing(bench, server)
        bench.answered(bench.store.send("pause", mission.id, by="ana@here"))
        resume(bench, mission)
        runner.kill()
        runner.wait(20)
        server.release()
        bench.store.amend(mission.id, budget=9.0, by="ana@here")
        bench.host(executor="thread")
        mission = bench.finished(mission)
        assert bench.states(mission) == {"a": "succeeded", "b": "succeeded"}

    def test_trying_again_what_was_left_begins_it(
        self, bench: Bench, server: ModelServer
    ) -> None:
        spec = plan(
            dear(server), own(bench, "a", asks(2)), own(bench, "b", asks(1), "a"), budget=3.0
        )
        server.script = says("word " * 8, hold="start")
        mission = bench.approve_spec(spec)
        bench.host()
        server.wait_for(lambda: server.at_once == 1)
        bench.answered(bench.store.send("pause", mission.id, by="ana@here"))
        resume(bench, mission, finish=True)
        server.release()
        assert bench.finished(mission).state == "failed"
        bench.answered(bench.store.send("retry", mission.id, by="ana@here"))
        assert bench.finished(mission).state == "succeeded"

    def finishing(
        self, bench: Bench, server: ModelServer
    ) -> tuple[MissionRecord, subprocess.Popen[bytes]]:
        """Have a mission finish only what runs, and a call of it under way."""
        server.script = says("word " * 8, hold="start")
        spec = plan(
            dear(server), own(bench, "a", asks(1)), own(bench, "b", asks(1), "a"), budget=3.0
        )
        mission: MissionRecord = bench.approve_spec(spec)
        runner: subprocess.Popen[bytes] = bench.process()
        server.wait_for(lambda: server.at_once == 1)
        bench.answered(bench.store.send("pause", mission.id, by="ana@here"))
        resume(bench, mission, finish=True)
        return mission, runner

    def test_stopping_loses_nothing_that_is_done(
        self, bench: Bench, server: ModelServer
    ) -> None:
        spec = plan(
            dear(server), own(bench, "a", asks(1)), own(bench, "b", asks(8), "a"), budget=1.0
        )
        mission = bench.approve_spec(spec)
        bench.host()
        paused(bench, mission)
        bench.answered(bench.store.send("cancel", mission.id, by="ana@here"))
        mission = bench.finished(mission)
        assert bench.states(mission) == {"a": "succeeded", "b": "cancelled"}
        assert mission.cost == pytest.approx(in_all(bench, mission))

    def test_amendment_survives_the_runner(self, bench: Bench, server: ModelServer) -> None:
        mission = bench.approve_spec(plan(dear(server), own(bench, "a", asks(8)), budget=1.0))
        host = bench.host()
        paused(bench, mission)
        host.stop()
        bench.store.amend(mission.id, budget=3.0, by="ana@here")
        bench.host()
        resume(bench, mission)
        mission = bench.finished(mission)
        assert mission.state == "succeeded", mission.error
        assert mission.cost <= 3.0

    def test_cap_of_a_task_is_its_own_and_pauses_nothing(
        self, bench: Bench, server: ModelServer
    ) -> None:
        spec = plan(
            dear(server),
            own(bench, "a", asks(8), cap=0.7, on_failure="continue"),
            own(bench, "b", asks(2)),
            budget=5.0,
        )
        mission = run(bench, spec)
        assert payloads(bench, mission, "mission.paused") == []
        assert bench.states(mission) == {"a": "failed", "b": "succeeded"}
        assert "may" in (bench.tasks(mission)["a"].error or "")
        spent = sum(c.cost or 0 for c in bench.store.calls(mission.id) if c.task == "a")
        assert spent <= 0.7

    def test_next_task_whose_cap_does_not_fit_makes_the_mission_ask(
        self, bench: Bench, server: ModelServer
    ) -> None:
        spec = plan(
            dear(server),
            own(bench, "a", asks(4)),
            own(bench, "b", asks(1), "a", cap=0.8),
            budget=1.0,
        )
        mission = bench.approve_spec(spec)
        bench.host()
        told = paused(bench, mission)
        assert told["needed"] == pytest.approx(0.8)
        bench.store.amend(mission.id, budget=3.0, by="ana@here")
        resume(bench, mission)
        assert bench.finished(mission).state == "succeeded"

    def test_attempts_clock_stands_still_while_a_person_decides(
        self, bench: Bench, server: ModelServer
    ) -> None:
        spec = plan(dear(server), own(bench, "a", asks(8), timeout_s=5.0), budget=1.0)
        mission = bench.approve_spec(spec)
        bench.host()
        paused(bench, mission)
        bench.quietly(5.5)
        bench.store.amend(mission.id, budget=3.0, by="ana@here")
        resume(bench, mission)
        assert bench.finished(mission).state == "succeeded"

    def test_time_in_which_a_person_decides_is_no_work_of_the_task(
        self, bench: Bench, server: ModelServer
    ) -> None:
        mission = bench.approve_spec(plan(dear(server), own(bench, "a", asks(8)), budget=1.0))
        bench.host(executor="thread")
        paused(bench, mission)
        bench.quietly(2.0)
        bench.store.amend(mission.id, budget=3.0, by="ana@here")
        resume(bench, mission)
        mission = bench.finished(mission)
        took_s = mission.took_s()
        assert took_s is not None
        assert bench.tasks(mission)["a"].worked_s <= took_s - 2.0


def test_warning_comes_once_when_most_of_the_budget_is_spent(
    bench: Bench, server: ModelServer
) -> None:
    spec = model(server, price=A_CENT_A_WORD, max_output_tokens=15)
    mission = run(bench, plan(spec, own(bench, "a", asks(5)), budget=0.65))
    assert mission.state == "succeeded", mission.error
    [warned] = payloads(bench, mission, "budget.warned")
    assert warned["budget"] == 0.65
    assert 0.8 * 0.65 <= warned["spent"] <= 0.65


def test_retries_and_repairs_draw_on_the_same_budget(bench: Bench, server: ModelServer) -> None:
    def does(services: Any, _task: Any) -> None:
        from hypernb.model import ChatMessage, ChatRequest

        said = (ChatMessage(role="user", content="Hello"),)
        services.chat(ChatRequest(model="default", messages=said, purpose="repair"))
        raise RuntimeError("no")

    spec = plan(dear(server), own(bench, "a", does, attempts=3, backoff_s=0.0), budget=5.0)
    mission = run(bench, spec)
    assert mission.state == "failed"
    assert mission.cost == pytest.approx(3 * (bench.store.calls(mission.id)[0].cost or 0.0))
    sums = bench.store.usage_sums(["model"], mission_id=mission.id)
    assert (sums[0].calls, sums[0].cost) == (3, pytest.approx(mission.cost))


@pytest.mark.parametrize(
    "reply",
    [
        says("word " * 500, finish=None, ends=False),
        says("x" * 1_100_000, piece=50_000),
    ],
    ids=["broken off", "without end"],
)
def test_answers_that_cannot_be_used_draw_on_the_same_budget(
    bench: Bench, server: ModelServer, reply: Reply
) -> None:
    def does(services: Any, _task: Any) -> None:
        from hypernb.errors import ModelAnswerError
        from hypernb.model import ChatMessage, ChatRequest

        said = (ChatMessage(role="user", content="Hello"),)
        for _ in range(20):
            try:
                services.chat(ChatRequest(model="default", messages=said))
            except ModelAnswerError:
                continue

    server.script = reply
    mission = bench.approve_spec(plan(dear(server), own(bench, "a", does), budget=3.0))
    bench.host()
    paused(bench, mission)
    assert 1.0 < bench.mission(mission).cost <= 3.0 + 1.5
    assert bench.mission(mission).cost == pytest.approx(in_all(bench, mission))
    sums = bench.store.usage_sums(["model"], mission_id=mission.id)
    assert sums[0].cost == pytest.approx(in_all(bench, mission))
    bench.answered(bench.store.send("cancel", mission.id, by="ana@here"))
    bench.finished(mission)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(RuntimeError("nobody foresaw it"), id="unforeseen"),
        pytest.param(StoreUnavailableError("The store is locked."), id="store"),
    ],
)
@pytest.mark.parametrize(
    "fails",
    [
        pytest.param("hypernb.engine.ModelDesk.complete", id="asking"),
        pytest.param("hypernb.engine._content.Content.of_reply", id="keeping"),
        pytest.param("hypernb.engine._calls.Usage", id="paying"),
    ],
)
def test_call_that_fails_inside_hypernb_is_paid_and_nobody_waits_for_its_money(
    bench: Bench,
    server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
    fails: str,
    error: Exception,
) -> None:
    known, failures = resolve_name(fails), [error]

    def once(*given: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop()
        return known(*given, **more)

    def does(services: Any, _task: Any) -> str:
        from hypernb.errors import HypernbError
        from hypernb.model import ChatMessage, ChatRequest

        asked = ChatRequest(model="default", messages=(ChatMessage(role="user", content="?"),))
        try:
            services.chat(asked)
        except HypernbError:
            return str(services.chat(asked).text)
        return "it did not fail"

    monkeypatch.setattr(fails, once)
    mission = bench.approve_spec(plan(dear(server), own(bench, "a", does), budget=0.9))
    bench.host(executor="thread")
    assert paused(bench, mission)["left"] == pytest.approx(0.4)
    bench.store.amend(mission.id, budget=2.0, by="ana@here")
    resume(bench, mission)
    mission = bench.finished(mission)
    assert mission.state == "succeeded", mission.error
    lost, settled = bench.store.calls(mission.id)
    assert (lost.state, settled.state) == (CallState.LOST, CallState.SETTLED)
    assert mission.cost == pytest.approx(in_all(bench, mission))


def test_without_a_budget_nothing_is_said_of_what_is_left(
    bench: Bench, server: ModelServer
) -> None:
    mission = run(bench, plan(dear(server), own(bench, "a", asks(1))))
    (told,) = payloads(bench, mission, "budget.reserved")
    assert told["cost"] > 0
    assert "left" not in told
