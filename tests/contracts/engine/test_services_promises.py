"""What a job may ask and how it is answered, in each executor; see `hypernb.abc.Services`."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.engine._job import EndKind, Job, Signal, Value
from hypernb.engine._requests import (
    OPEN_AT_MOST,
    REQUEST_BYTES,
    Reply,
    Request,
    RequestKind,
    facts_of,
    raised_from,
)
from hypernb.errors import ContractError, ModelRefusedError, StateConflictError
from hypernb.model import AgentWork
from tests.asking import pickled
from tests.contracts.engine.executors import ALL, MISSION, use, value_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.engine._job import Ending
    from hypernb.engine._requests import OnRequest
    from hypernb.engine.executors import Executor

pytestmark = pytest.mark.timeout(90)


def job(does: Callable[[Any, Any], Any]) -> Job:
    payload = pickled(does)
    return Job(
        key=f"T#{os.urandom(4).hex()}",
        task="t",
        work=AgentWork(function="0" * 64, label="Doing"),
        agent="writer",
        function=Value(payload.media_type, payload.data),
    )


async def do(executor: Executor, the_job: Job, answer: OnRequest | None) -> Ending:
    def deaf(_signal: Signal) -> None:
        pass

    async def besides(request: Request) -> Reply:
        assert answer is not None
        if request.kind is RequestKind.RECEIVE:
            return Reply([])  # before each agent begins, its post is looked at
        return await answer(request)

    seat = executor.seat(MISSION, is_agent=True)
    try:
        return await seat.run(the_job, deaf, None if answer is None else besides)
    finally:
        seat.leave()


@ALL
def test_each_thread_gets_its_own_answer(make: Callable[[], Executor]) -> None:
    def does(services: Any, _task: Any) -> list[int]:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(16) as pool:
            return [
                rows[0][0]
                for _, rows in pool.map(lambda n: services.query("", limit=n), range(200))
            ]

    async def answer(request: Request) -> Reply:
        number = request.payload["limit"]
        for _ in range(number % 7):
            await asyncio.to_thread(int)  # in another order than they were asked
        return Reply([["n"], [[number]]])

    async def work(executor: Executor) -> None:
        assert value_of(await do(executor, job(does), answer)) == list(range(200))

    use(make, work)


@ALL
def test_error_is_raised_again_as_what_it_was(make: Callable[[], Executor]) -> None:
    def does(services: Any, _task: Any) -> list[Any]:
        from hypernb.errors import ModelRefusedError

        try:
            services.load_state()
        except ModelRefusedError as error:
            return [error.model, error.host, error.status, error.hint, str(error)]
        return []

    told = ModelRefusedError("m", "h", "says no", status=401, hint="Ask nicely.")

    async def answer(_request: Request) -> Reply:
        return Reply(error=facts_of(told))

    async def work(executor: Executor) -> None:
        ending = await do(executor, job(does), answer)
        assert value_of(ending) == ["m", "h", 401, "Ask nicely.", str(told)]

    use(make, work)


@ALL
def test_when_the_attempt_is_over_every_method_raises(make: Callable[[], Executor]) -> None:
    def does(services: Any, _task: Any) -> str:
        def later() -> None:
            try:
                services.load_state()
            except Exception as error:  # noqa: BLE001 - what it is, is what is looked at
                kept.append(type(error).__name__)

        kept: list[str] = []
        threading.Thread(target=later, daemon=True).start()
        return "done"

    never = asyncio.Event

    async def answer(_request: Request) -> Reply:
        await never().wait()
        raise AssertionError

    async def work(executor: Executor) -> None:
        assert value_of(await do(executor, job(does), answer)) == "done"

        async def at_once(_request: Request) -> Reply:
            return Reply([{}, 0])

        # What an earlier job has left waiting takes no answer of the next one's.
        again = job(lambda services, _task: services.load_state()[1])
        assert value_of(await do(executor, again, at_once)) == 0

    use(make, work)


@ALL
def test_job_that_is_killed_while_it_asks_ends_as_killed(
    make: Callable[[], Executor],
) -> None:
    async def work(executor: Executor) -> None:
        asked, cancelled = asyncio.Event(), asyncio.Event()

        async def answer(request: Request) -> Reply:
            if request.kind is RequestKind.RECEIVE:
                return Reply([])
            asked.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise
            raise AssertionError

        seat = executor.seat(MISSION, is_agent=True)
        asks = job(lambda services, _task: services.load_state())
        async with asyncio.TaskGroup() as group:
            running = group.create_task(seat.run(asks, lambda _signal: None, answer))
            await asked.wait()
            await seat.kill()
        assert running.result().kind is EndKind.KILLED
        await asyncio.wait_for(cancelled.wait(), 10)
        seat.leave()

    use(make, work)


@ALL
def test_what_is_asked_too_much_is_an_error_and_no_end(make: Callable[[], Executor]) -> None:
    def does(services: Any, _task: Any) -> list[Any]:
        from concurrent.futures import ThreadPoolExecutor

        from hypernb.errors import UsageError

        def one(number: int) -> int:
            try:
                services.query("", limit=number)
            except UsageError:
                return 0
            return 1

        with ThreadPoolExecutor(60) as pool:
            answered = sum(pool.map(one, range(60)))
        try:
            services.query("x" * (services_limit + 1))
        except UsageError as error:
            return [answered, "bytes" in str(error)]
        return [answered, False]

    services_limit = REQUEST_BYTES

    async def answer(request: Request) -> Reply:
        del request
        held.append(1)
        if len(held) >= OPEN_AT_MOST:
            enough.set()
        await enough.wait()
        return Reply([[], []])

    held: list[int] = []
    enough = asyncio.Event()

    async def work(executor: Executor) -> None:
        answered, is_told = value_of(await do(executor, job(does), answer))
        assert OPEN_AT_MOST <= answered <= 60
        assert is_told

    use(make, work)


@ALL
def test_request_that_is_no_json_is_an_error_and_no_end(make: Callable[[], Executor]) -> None:
    def does(services: Any, _task: Any) -> list[str]:
        from hypernb.errors import UsageError

        deep: Any = 1
        for _ in range(900):
            deep = [deep]
        said = []
        for value in (10**400, "\ud800", deep):
            try:
                services.call("t", {"value": value})
            except UsageError as error:
                said.append(str(error))
        return said

    async def answer(_request: Request) -> Reply:
        raise AssertionError("Nothing of it reaches the runner.")

    async def work(executor: Executor) -> None:
        said = value_of(await do(executor, job(does), answer))
        assert len(said) == 3
        assert all("cannot be asked to call" in each for each in said)

    use(make, work)


@ALL
def test_without_a_runner_every_method_raises(make: Callable[[], Executor]) -> None:
    async def work(executor: Executor) -> None:
        asks = job(lambda services, _task: services.load_state())
        ending = await do(executor, asks, None)
        assert ending.kind is EndKind.FAILED
        assert "nobody answers here" in ending.detail

    use(make, work)


@pytest.mark.parametrize(
    "error",
    [
        ContractError("It may not.", hint="Ask."),
        StateConflictError("a", 1, 2),
        ModelRefusedError("m", "h", "says no", status=403),
    ],
)
def test_errors_travel_as_facts(error: Any) -> None:
    raised = raised_from(facts_of(error))
    assert (type(raised), str(raised), vars(raised)) == (type(error), str(error), vars(error))


def test_error_of_no_known_name_is_a_plain_one() -> None:
    raised = raised_from({"name": "Exception", "args": ["Something."], "facts": {}})
    assert type(raised).__name__ == "HypernbError"
    assert str(raised) == "Something."


@ALL
def test_answer_that_is_no_json_is_an_error_and_no_silence(
    make: Callable[[], Executor],
) -> None:
    def does(services: Any, _task: Any) -> str:
        try:
            services.query("")
        except Exception as error:  # noqa: BLE001 - which one depends on where it runs
            return type(error).__name__
        return "an answer"

    async def answer(_request: Request) -> Reply:
        return Reply([["\ud800"], [[2**80]]])

    async def work(executor: Executor) -> None:
        assert value_of(await do(executor, job(does), answer)) in ("UsageError", "an answer")

    use(make, work)
