"""What an agent asks the store keeps nobody else waiting, whatever it asks."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from hypernb.engine import _inquiry
from tests.asking import EXECUTORS, ask, model, own, plan, run, task
from tests.model_server import ModelServer, says

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

ONE_FUNCTION = "SELECT instr(hex(zeroblob(490000)), hex(zeroblob(240000)) || '1')"
"""SQLite looks at no clock while it compares, for half a minute."""
FOR_EVER = (
    "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a) SELECT count(*) FROM a"
)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(says("The answer is 42.")) as server:
        yield server


def asking(sql: str) -> Callable[[Any, Any], Any]:
    def does(services: Any, _task: Any) -> Any:
        from hypernb.errors import QueryError

        try:
            return services.query(sql)[1]
        except QueryError as error:
            return str(error)

    return does


def answering(runner: int) -> list[psutil.Process]:
    """Return the processes that answer SQL for a runner."""
    return [
        each
        for each in psutil.Process(runner).children(recursive=True)
        if any("_answer_sql" in word for word in each.cmdline())
    ]


@pytest.mark.timeout(90)
def test_missions_go_on_and_can_be_cancelled_while_a_query_runs(
    bench: Bench, server: ModelServer
) -> None:
    hostile = bench.approve_spec(plan(model(server), own(bench, "a", asking(ONE_FUNCTION))))
    runner = bench.process()
    [process] = bench.until(lambda: answering(runner.pid), "the query")
    other = bench.approve_spec(plan(model(server), own(bench, "b", lambda s, _: ask(s))))
    assert bench.finished(other).state == "succeeded"
    assert process.is_running()
    bench.store.send("cancel", hostile.id, by="ana@here")
    assert bench.finished(hostile).state == "cancelled"
    bench.until(lambda: not answering(runner.pid), "the end of the query")


@pytest.mark.timeout(90)
def test_runner_can_be_stopped_while_a_query_runs(bench: Bench, server: ModelServer) -> None:
    bench.approve_spec(plan(model(server), own(bench, "a", asking(ONE_FUNCTION))))
    runner = bench.process()
    [process] = bench.until(lambda: answering(runner.pid), "the query")
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(timeout=8) == 0
    assert not process.is_running()


@pytest.mark.timeout(90)
@pytest.mark.parametrize("executor", EXECUTORS)
def test_query_that_takes_too_long_is_ended(
    bench: Bench, server: ModelServer, monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    monkeypatch.setattr(_inquiry, "_TIMEOUT_S", 0.5)
    for sql in (ONE_FUNCTION, FOR_EVER):
        spec = plan(model(server), own(bench, "a", asking(sql)))
        mission = run(bench, spec, executor=executor)
        assert "took longer than 0.5 s" in bench.output(mission, "a")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT hex(zeroblob(30000000))", "too big"),
        ("DELETE FROM tasks", "not authorized"),
        ("ATTACH 'x' AS y", "cannot be answered"),
        ("PRAGMA table_list", "not authorized"),
        ("SELECT load_extension('x')", "not authorized"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("", "no statement that reads"),
        ("SELECT * FROM artifacts", "no such table: artifacts"),
    ],
)
def test_what_is_no_question_is_refused(
    bench: Bench, server: ModelServer, sql: str, said: str
) -> None:
    mission = run(bench, plan(model(server), own(bench, "a", asking(sql))))
    assert said in bench.output(mission, "a")


def test_query_that_needs_much_memory_is_refused(bench: Bench, server: ModelServer) -> None:
    sql = (
        "WITH RECURSIVE a(x, y) AS (SELECT 1, hex(zeroblob(490000)) UNION ALL"
        " SELECT x + 1, y FROM a LIMIT 2000) SELECT max(x) FROM (SELECT * FROM a ORDER BY y)"
    )
    mission = run(bench, plan(model(server), own(bench, "a", asking(sql))))
    assert "memory" in bench.output(mission, "a") or "took longer" in bench.output(mission, "a")


def test_newest_rows_are_those_that_are_asked_about(bench: Bench, server: ModelServer) -> None:
    sql = "SELECT count(*) > 2, min(seq) < max(seq), count(DISTINCT mission_id) FROM events"
    mission = run(bench, plan(model(server), own(bench, "a", asking(sql))))
    assert bench.output(mission, "a") == [[1, 1, 1]]


def test_missions_of_a_server_are_asked_about_in_the_same_way(
    server_bench: Bench, server: ModelServer
) -> None:
    def does(services: Any, _task: Any) -> Any:
        names = ("missions", "tasks", "attempts", "findings", "usage", "calls", "messages")
        asked = "SELECT count(*) FROM {}"
        return [services.query(asked.format(name))[1] for name in (*names, "events")]

    run(server_bench, plan(model(server), task("b")))
    mission = run(server_bench, plan(model(server), own(server_bench, "a", does)))
    assert mission.state == "succeeded", mission.error
    counts = [count for [[count]] in server_bench.output(mission, "a")]
    assert counts[:3] == [1, 1, 1]
    assert counts[-1] > 2
