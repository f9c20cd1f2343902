"""What a call of a model costs beside the same call with openai's bare client.

The scripted server of the tests answers at once, in a process of its own. Calls go out 32 at
a time, by hypernb and by `openai.AsyncOpenAI` in turn, round after round, in a stream and at
once; the fastest call of a round is compared with the fastest of the other's, and so on to the
slowest. Both ask for the same, and the bare client's pieces of a stream are put together, as
anybody has to.

Then the whole way of a call of an agent, beside the bare client's: asked in a worker, allowed
and reserved by the runner, committed, made, settled, committed, answered in the worker. Eight
workers ask four at a time, as soon as they have an answer; the bare client does the same in one
process. Only calls made while all were asking are counted.

Aimed at: 3 ms more for 95 of 100. The whole way has no aim; it is to be known.
Run: ``python benchmarks/llm.py [rounds]``.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai

from hypernb import codec
from hypernb.agents import AgentTask, BaseAgent
from hypernb.llm import HostGate, open_model
from hypernb.model import (
    AgentWork,
    ChatMessage,
    ChatRequest,
    ModelSpec,
    PlanSpec,
    Price,
    TaskSpec,
    ToolSchema,
)
from hypernb.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

ROUNDS = 60
WARM_UP = 5
AT_ONCE = 32
WORKERS = 8
AIM_MS = 3.0
WITHIN_S = 600.0
ANSWER = "A model says some hundred words, and a server sends them piece by piece. " * 8
QUESTION = "What does this repository do, and what would you look at first? " * 20
TOOLS = tuple(
    ToolSchema(
        name=f"tool_{number}",
        description="Does something with a path.",
        parameters={"type": "object", "properties": {"path": {"type": "string"}}},
    )
    for number in range(5)
)


@contextmanager
def _server() -> Iterator[str]:
    root = Path(__file__).resolve().parent.parent
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.model_server", ANSWER],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process.stdout.readline().strip() if process.stdout else ""
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait(10)


def _request() -> ChatRequest:
    said = (
        ChatMessage(role="system", content="You look at repositories."),
        ChatMessage(role="user", content=QUESTION),
    )
    return ChatRequest(model="scripted", messages=said, tools=TOOLS)


async def _bare(client: openai.AsyncOpenAI, request: ChatRequest, *, streams: bool) -> str:
    asked: dict[str, Any] = {
        "model": "scripted",
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "tools": [{"type": "function", "function": t.model_dump()} for t in request.tools],
        "max_tokens": 4096,
    }
    if not streams:
        answer = await client.chat.completions.create(**asked)
        return answer.choices[0].message.content or ""
    asked |= {"stream": True, "stream_options": {"include_usage": True}}
    stream = await client.chat.completions.create(**asked)
    pieces = [c.choices[0].delta.content or "" async for c in stream if c.choices]
    return "".join(pieces)


async def _round(ask: Callable[[], Awaitable[str]]) -> list[float]:
    """Ask as often as goes at once; return what each took, in milliseconds, in order."""

    async def timed() -> float:
        began = time.perf_counter()
        if await ask() != ANSWER:
            raise SystemExit("The answer is not what the server said.")
        return (time.perf_counter() - began) * 1000.0

    gc.collect()
    return list(await asyncio.gather(*(timed() for _ in range(AT_ONCE))))


async def _measure(url: str, rounds: int, *, streams: bool) -> None:
    spec = ModelSpec(name="scripted", base_url=url, streams=streams)
    model = open_model(spec, key="sk-benchmark", gate=HostGate())
    client = openai.AsyncOpenAI(api_key="sk-benchmark", base_url=url, max_retries=0)
    request = _request()

    async def ours() -> str:
        return (await model.complete(request)).text

    async def bare() -> str:
        return await _bare(client, request, streams=streams)

    took: dict[str, list[float]] = {"hypernb": [], "bare openai": []}
    for number in range(WARM_UP + rounds):
        turns = [("hypernb", ours), ("bare openai", bare)]
        for name, ask in turns if number % 2 else reversed(turns):
            times = sorted(await _round(ask))
            if number >= WARM_UP:
                took[name] += times
    await model.aclose()
    await client.close()
    _show("in a stream" if streams else "at once", took)


def _show(how: str, took: dict[str, list[float]]) -> None:
    for name, times in took.items():
        print(f"{how}, {name}: {_figures(times)}")
    pairs = zip(took["hypernb"], took["bare openai"], strict=True)
    more = [ours - bare for ours, bare in pairs]
    met = "met" if _share(more, 95) <= AIM_MS else "missed"
    print(f"{how}, what hypernb adds: {_figures(more)} (aimed at {AIM_MS:g} ms: {met})")


class Asker(BaseAgent):
    """An agent that asks its model again and again, in several threads."""

    def __init__(self, folder: str, calls: int) -> None:
        self._folder = Path(folder)
        self._calls = calls

    def process_task(self, task: AgentTask) -> None:
        """Begin when all are there; leave when each call began and ended."""
        # As hypernb's own loop asks: `chat` would look for messages before each question.
        services = self._at_work._services  # type: ignore[attr-defined]  # noqa: SLF001
        request = ChatRequest(model="default", messages=_request().messages)

        def ask(_thread: int) -> list[tuple[float, float]]:
            took = []
            for _ in range(self._calls):
                began = time.time()
                if services.chat(request).text != ANSWER:
                    raise ValueError("The answer is not what the server said.")
                took.append((began, time.time()))
            return took

        threads = AT_ONCE // WORKERS
        (self._folder / f"{task.name}.ready").touch()
        while len([*self._folder.glob("*.ready")]) < WORKERS:
            threading.Event().wait(0.02)
        with ThreadPoolExecutor(threads) as pool:
            took = [*pool.map(ask, range(threads))]
        (self._folder / f"{task.name}.json").write_text(json.dumps(took))


def _asked_by_agents(url: str, calls: int) -> list[list[tuple[float, float]]]:
    """Return when each call of each of the threads of all workers began and ended."""
    with tempfile.TemporaryDirectory(prefix="hypernb-bench-") as folder:
        os.environ["HYPERNB_HOME"] = str(Path(folder) / "home")
        store = SqlStore(Path(folder) / "bench.db")
        plan = _plan(store, url, folder, calls)
        mission = store.create_mission(plan, by="bench")
        store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="bench")
        environ = {**os.environ, "HYPERNB_CONCURRENCY": str(WORKERS), "HYPERNB_BACKUPS": "0"}
        command = [sys.executable, "-m", "hypernb.engine", "--store", store.url]
        waiter, until = threading.Event(), time.monotonic() + WITHIN_S
        with subprocess.Popen(command, env=environ) as runner:
            try:
                while not (ended := store.mission(mission.id)).state.is_final:
                    if runner.poll() is not None or time.monotonic() > until:
                        raise SystemExit("The runner has not brought the mission to its end.")
                    waiter.wait(0.1)
            finally:
                runner.terminate()
        store.close()
        if ended.error:
            raise SystemExit(ended.error)
        return [
            thread
            for file in Path(folder).glob("*.json")
            for thread in json.loads(file.read_text())
        ]


def _plan(store: SqlStore, url: str, folder: str, calls: int) -> PlanSpec:
    # What it may cost is reserved for each call, as for people's missions.
    spec = ModelSpec(name="scripted", base_url=url, price=Price(input=1.0, output=10.0))
    work = AgentWork(
        model="default",
        returns="json",
        steps=calls * AT_ONCE // WORKERS,
        tokens=2**40,
        function=store.put_artifact(codec.encode(Asker(folder, calls))),
        label="Asker",
    )
    tasks = [TaskSpec(name=f"asker-{n}", agent="asker", work=work) for n in range(WORKERS)]
    return PlanSpec(
        goal="Ask",
        root=folder,
        tasks=tuple(tasks),
        models={"default": spec},
        budget=1e6,
        concurrency=WORKERS,
        agent_concurrency=WORKERS,
    )


async def _asked_barely(url: str, calls: int) -> list[list[tuple[float, float]]]:
    client = openai.AsyncOpenAI(api_key="sk-benchmark", base_url=url, max_retries=0)
    request = ChatRequest(model="scripted", messages=_request().messages)

    async def ask() -> list[tuple[float, float]]:
        took = []
        for _ in range(calls):
            began = time.time()
            await _bare(client, request, streams=True)
            took.append((began, time.time()))
        return took

    took = await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    await client.close()
    return [*took]


def _whole_way(url: str, calls: int) -> None:
    # No agent may have more answers of its model than a thousand.
    calls = min(WARM_UP + calls, 1_000 * WORKERS // AT_ONCE)
    bare = _at_once(asyncio.run(_asked_barely(url, calls)))
    agents = _at_once(_asked_by_agents(url, calls))
    for name, (times, per_s) in {"an agent": agents, "bare openai": bare}.items():
        print(f"the whole way, {name}: {_figures(times)}; {per_s:.0f} calls a second")
    middles = [statistics.median(times) for times, _ in (agents, bare)]
    mosts = [_share(times, 95) for times, _ in (agents, bare)]
    more = f"{middles[0] - middles[1]:.2f} ms in the median, {mosts[0] - mosts[1]:.2f} for 95"
    ratio = f"{middles[0] / middles[1]:.1f} times and {mosts[0] / mosts[1]:.1f} times as long"
    print(f"the whole way, what an agent's takes more: {more} of 100; {ratio}")


def _at_once(threads: Sequence[Sequence[Sequence[float]]]) -> tuple[list[float], float]:
    """Return what calls took that were made while all were asking, and how many a second."""
    first = max(thread[min(WARM_UP, len(thread) - 1)][0] for thread in threads)
    last = min(thread[-1][1] for thread in threads)
    calls = [call for thread in threads for call in thread]
    took = [(end - began) * 1_000 for began, end in calls if began >= first and end <= last]
    if len(took) < AT_ONCE:
        raise SystemExit("Too few calls were made at once; give more rounds.")
    return took, len(took) / (last - first)


def _figures(times: list[float]) -> str:
    middle, most = statistics.median(times), _share(times, 95)
    return f"{middle:.2f} ms in the median, {most:.2f} for 95 of 100"


def _share(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1]


def main() -> None:
    """Measure, and print what each way takes."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with _server() as url:
        print(f"{AT_ONCE} calls at once, {rounds} rounds; milliseconds a call")
        for streams in (False, True):
            asyncio.run(_measure(url, rounds, streams=streams))
        _whole_way(url, rounds)


if __name__ == "__main__":
    main()
