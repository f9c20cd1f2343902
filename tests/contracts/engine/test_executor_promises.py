"""The promises of `hypernb.engine.executors.Executor`, on each executor."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from hypernb import codec
from hypernb.clock import SystemClock
from hypernb.engine._job import EndKind, Job, Signal, SignalKind, Value
from hypernb.engine.executors import Executor, ProcessExecutor
from hypernb.model import MissionId, PythonWork
from tests.contracts.engine.executors import ALL, MISSION, inline, processes, use, value_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.engine._job import Ending

pytestmark = pytest.mark.timeout(90)


def job(function: Callable[..., Any], *args: Any) -> Job:
    work = PythonWork(function="", arguments="", label="f", takes=())
    value, arguments = codec.encode(function), codec.encode((args, {}))
    return Job(
        key=f"T#{os.urandom(4).hex()}",
        task="t",
        work=work,
        function=Value(value.media_type, value.data),
        arguments=Value(arguments.media_type, arguments.data),
    )


PROCESSES = pytest.mark.parametrize("make", [processes])


async def do(executor: Executor, the_job: Job, signals: list[Signal] | None = None) -> Ending:
    seat = executor.seat(MISSION)
    try:
        return await seat.run(the_job, (signals if signals is not None else []).append)
    finally:
        seat.leave()


async def until(condition: Callable[[], Any]) -> None:
    clock = SystemClock()
    deadline = clock.monotonic() + 30
    while not condition():
        assert clock.monotonic() < deadline
        await clock.sleep(0.01)


def explode() -> None:
    raise ValueError("no rows")


def leave() -> None:
    sys.exit(3)


def unsendable() -> Any:
    return threading.Lock()


@ALL
@pytest.mark.parametrize(
    ("function", "kind"),
    [
        pytest.param(explode, "ValueError", id="raises"),
        pytest.param(leave, "SystemExit", id="exits"),
        pytest.param(unsendable, "CannotShipError", id="cannot-be-sent"),
    ],
)
def test_what_code_does_comes_back_as_an_ending(
    make: Callable[[], Executor], function: Callable[..., Any], kind: str
) -> None:
    async def work(executor: Executor) -> None:
        ending = await do(executor, job(function))
        assert (ending.kind, ending.error_kind) == (EndKind.FAILED, kind)
        assert value_of(await do(executor, job(abs, -1))) == 1

    use(make, work)


@PROCESSES
@pytest.mark.parametrize("code", [0, 1, -9])
def test_executor_stays_usable_after_a_crash(make: Callable[[], Executor], code: int) -> None:
    def crash() -> None:
        if code < 0:
            os.kill(os.getpid(), -code)
        os._exit(code)

    async def work(executor: Executor) -> None:
        ending = await do(executor, job(crash))
        assert (ending.kind, ending.exit_code) == (EndKind.LOST, code)
        assert value_of(await do(executor, job(abs, -1))) == 1

    use(make, work)


def test_coroutine_that_was_begun_and_never_waited_for_is_closed() -> None:
    async def work(executor: Executor) -> None:
        seat = executor.seat(MISSION)
        assert seat.do(job(wait_long)) is None
        seat.leave()  # a coroutine that nobody awaits would be a warning, and so an error here

    use(inline, work)


@ALL
def test_agents_have_a_seat_that_does_nothing_at_once(make: Callable[[], Executor]) -> None:
    async def work(executor: Executor) -> None:
        seat = executor.seat(MISSION, is_agent=True)
        assert not seat.is_prompt
        seat.leave()

    use(make, work)


@ALL
def test_killed_job_ends_as_killed(make: Callable[[], Executor]) -> None:
    async def work(executor: Executor) -> None:
        signals: list[Signal] = []
        seat = executor.seat(MISSION)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(seat.run(job(wait_long), signals.append))
            await until(lambda: any(each.kind is SignalKind.ALIVE for each in signals))
            await seat.kill()
        assert running.result().kind is EndKind.KILLED
        if executor.can_stop:
            assert not psutil.pid_exists(seat.pid)
        seat.leave()
        assert value_of(await do(executor, job(abs, -1))) == 1

    use(make, work)


@PROCESSES
def test_job_that_answers_its_end_with_an_error_ends_as_killed(
    make: Callable[[], Executor],
) -> None:
    async def work(executor: Executor) -> None:
        signals: list[Signal] = []
        seat = executor.seat(MISSION)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(seat.run(job(object_to_the_end), signals.append))
            await until(lambda: any(each.text == "ready\n" for each in signals))
            await seat.kill()
        assert running.result().kind is EndKind.KILLED
        seat.leave()

    use(make, work)


def object_to_the_end() -> None:
    import signal
    import sys
    import threading as waiting

    def refuse(number: int, _frame: Any) -> None:
        raise ValueError(f"signal {number} comes at a bad time")

    signal.signal(signal.SIGTERM, refuse)
    sys.stdout.write("ready\n")
    waiting.Event().wait(30)


async def wait_long() -> None:
    import asyncio as waiting

    await waiting.wait_for(waiting.Event().wait(), 5)


@PROCESSES
def test_cancelling_the_caller_ends_the_job(make: Callable[[], Executor]) -> None:
    async def work(executor: Executor) -> None:
        signals: list[Signal] = []
        seat = executor.seat(MISSION)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(seat.run(job(wait_long), signals.append))
            await until(lambda: signals)
            running.cancel()
        assert running.cancelled()
        assert not psutil.pid_exists(seat.pid)
        seat.leave()

    use(make, work)


@PROCESSES
def test_paused_job_does_nothing_until_resumed(
    make: Callable[[], Executor], tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"

    def tick(path: str) -> str:
        for _ in range(40):
            with Path(path).open("a") as file:
                file.write("x")
            threading.Event().wait(0.02)
        return "done"

    async def work(executor: Executor) -> None:
        seat = executor.seat(MISSION)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(seat.run(job(tick, str(ledger)), lambda _: None))
            await until(ledger.exists)
            seat.pause()
            stopped = psutil.Process(seat.pid)
            await until(lambda: stopped.status() == psutil.STATUS_STOPPED)
            size = ledger.stat().st_size
            await SystemClock().sleep(0.3)
            assert ledger.stat().st_size == size
            seat.resume()
        assert value_of(running.result()) == "done"
        seat.leave()

    use(make, work)


@PROCESSES
def test_ended_job_has_left_no_process_behind(make: Callable[[], Executor]) -> None:
    def start() -> int:
        import subprocess

        return subprocess.Popen(["sleep", "60"], start_new_session=True).pid

    async def work(executor: Executor) -> None:
        pid = value_of(await do(executor, job(start)))
        await until(lambda: not psutil.pid_exists(pid) or is_zombie(pid))

    use(make, work)


@PROCESSES
def test_ended_job_has_left_no_process_that_detached_itself(
    make: Callable[[], Executor], tmp_path: Path
) -> None:
    ledger = tmp_path / "pid"

    def detach(path: str) -> None:
        if (child := os.fork()) == 0:
            os.setsid()
            if os.fork() == 0:
                Path(path).write_text(str(os.getpid()))
                os.execvp("sleep", ["sleep", "60"])  # noqa: S606 - that is what they do
            os._exit(0)
        os.waitpid(child, 0)
        while not Path(path).exists():
            threading.Event().wait(0.01)

    async def work(executor: Executor) -> None:
        await do(executor, job(detach, str(ledger)))
        pid = int(ledger.read_text())
        await until(lambda: not psutil.pid_exists(pid) or is_zombie(pid))

    use(make, work)


@PROCESSES
def test_fork_that_comes_back_does_not_answer(make: Callable[[], Executor]) -> None:
    def fork() -> str:
        if os.fork() == 0:
            return "child"
        threading.Event().wait(0.3)
        return "parent"

    async def work(executor: Executor) -> None:
        assert value_of(await do(executor, job(fork))) == "parent"
        assert value_of(await do(executor, job(abs, -1))) == 1

    use(make, work)


@PROCESSES
@pytest.mark.parametrize("what", ["modules", "builtins", "limits", "alarm"])
def test_job_cannot_undermine_the_next(make: Callable[[], Executor], what: str) -> None:
    def undermine() -> None:
        import builtins

        if what == "modules":
            sys.modules.clear()
        elif what == "builtins":
            builtins.print = builtins.repr = None  # type: ignore[assignment]
        elif what == "limits":
            import resource

            resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        else:
            import signal

            signal.alarm(1)

    async def work(executor: Executor) -> None:
        assert (await do(executor, job(undermine))).kind is EndKind.SUCCEEDED
        if what == "alarm":
            await SystemClock().sleep(1.1)
        assert value_of(await do(executor, job(repr, "abc"))) == "'abc'"
        assert (await do(executor, job(unsendable))).error_kind == "CannotShipError"

    use(make, work)


def is_zombie(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@PROCESSES
def test_job_sees_no_secret(
    make: Callable[[], Executor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "x")

    async def work(executor: Executor) -> None:
        assert value_of(await do(executor, job(os.getenv, "SOME_API_KEY"))) is None

    use(make, work)


@PROCESSES
def test_job_leaves_no_trace_for_the_next(make: Callable[[], Executor]) -> None:
    def leave_trace() -> int:
        os.environ["TRACE"] = "here"
        sys.stdout = sys.__stdout__
        return os.getpid()

    async def work(executor: Executor) -> None:
        first = value_of(await do(executor, job(leave_trace)))
        assert value_of(await do(executor, job(os.getenv, "TRACE"))) is None
        assert value_of(await do(executor, job(os.getpid))) == first

    use(make, work)


@PROCESSES
def test_seats_are_not_shared_between_missions(make: Callable[[], Executor]) -> None:
    async def work(executor: Executor) -> None:
        first = value_of(await do(executor, job(os.getpid)))
        seat = executor.seat(MissionId("other"))
        assert seat.pid != first
        seat.leave()
        executor.forget(MISSION)

    use(make, work)


@PROCESSES
def test_closing_leaves_no_process(make: Callable[[], Executor]) -> None:
    pids: list[int] = []

    async def work(executor: Executor) -> None:
        assert isinstance(executor, ProcessExecutor)
        await do(executor, job(abs, -1))
        pids.extend(each.pid for each in executor._workers)

    use(make, work)
    assert pids
    assert not any(psutil.pid_exists(pid) for pid in pids)


def pay(*costs: float) -> None:
    from hypernb import spend

    for cost in costs:
        spend(cost)


async def pay_later(*costs: float) -> None:
    pay(*costs)


def pay_and_explode(*costs: float) -> None:
    pay(*costs)
    explode()


@ALL
@pytest.mark.parametrize("function", [pay, pay_later, pay_and_explode])
def test_what_a_job_has_paid_is_told_once_and_in_order(
    make: Callable[[], Executor], function: Callable[..., Any]
) -> None:
    async def work(executor: Executor) -> None:
        signals: list[Signal] = []
        ending = await do(executor, job(function, 0.5, 0.25, 0.5), signals)
        told = [each.usage for each in signals if each.kind is SignalKind.SPENT]
        assert [each.cost for each in (*told, *ending.usage) if each] == [0.5, 0.25, 0.5]

    use(make, work)


@ALL
def test_job_is_told_when_it_has_paid_more_than_it_may(make: Callable[[], Executor]) -> None:
    async def work(executor: Executor) -> None:
        signals: list[Signal] = []
        poor = replace(job(pay, 0.5, 0.25, 0.5), allowance=0.6)
        ending = await do(executor, poor, signals)
        assert (ending.kind, ending.error_kind) == (EndKind.FAILED, "BudgetExhaustedError")
        told = [each.usage for each in signals if each.kind is SignalKind.SPENT]
        assert [each.cost for each in (*told, *ending.usage) if each] == [0.5, 0.25]

    use(make, work)
