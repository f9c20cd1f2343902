"""Answers that are used once more for the very same question, and questions asked anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.asking import ask, model, own, plan, run, task
from tests.model_server import Asked, ModelServer, Reply, fails, says

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

HOUR = 3_600.0


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(says("The answer is 42.")) as server:
        yield server


def test_same_question_is_answered_from_the_cache_and_costs_nothing(
    bench: Bench, server: ModelServer
) -> None:
    spec = plan(model(server), task("write"), cache_s=HOUR)
    first, second = run(bench, spec), run(bench, spec)
    assert len(server.asked) == 1
    assert bench.output(second, "write") == bench.output(first, "write")
    [call] = bench.store.calls(second.id)
    assert (call.source, call.cost, second.cost) == ("cache", 0.0, 0.0)
    assert bench.store.cache_stats().hits == 1


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"repeatable": False}, id="not-safe-to-repeat"),
        pytest.param({"lanes": {"look": "kernel:abc"}}, id="tool-of-a-kernel"),
    ],
)
def test_task_that_may_have_effects_is_asked_anew(
    bench: Bench, server: ModelServer, fields: dict[str, Any]
) -> None:
    spec = plan(model(server), task("write", **fields), cache_s=HOUR)
    for _ in range(2):
        mission = run(bench, spec)
        assert mission.state == "succeeded", mission.error
    assert len(server.asked) == 2


def test_agent_of_ones_own_is_asked_anew(bench: Bench, server: ModelServer) -> None:
    spec = plan(model(server), own(bench, "a", lambda services, _: ask(services)), cache_s=HOUR)
    run(bench, spec)
    run(bench, spec)
    assert len(server.asked) == 2


def test_second_try_gets_no_answer_of_the_first(bench: Bench, server: ModelServer) -> None:
    answers = iter([says(""), says(""), says(""), says("It is 42.")])

    def script(_asked: Asked) -> Reply:
        return next(answers, fails(500))

    server.script = script
    spec = plan(model(server), task("write", attempts=2, backoff_s=0.0), cache_s=HOUR)
    mission = run(bench, spec)
    assert mission.state == "succeeded", mission.error
    assert bench.output(mission, "write") == "It is 42."
