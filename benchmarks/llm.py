"""What a call of a model costs beside the same call with openai's bare client.

The scripted server of the tests answers at once, in a process of its own. Calls go out 32 at
a time, by hypernb and by `openai.AsyncOpenAI` in turn, round after round, in a stream and at
once; the fastest call of a round is compared with the fastest of the other's, and so on to the
slowest. Both ask for the same, and the bare client's pieces of a stream are put together, as
anybody has to.

Aimed at: 3 ms more for 95 of 100.
Run: ``python benchmarks/llm.py [rounds]``.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai

from hypernb.llm import HostGate, open_model
from hypernb.model import ChatMessage, ChatRequest, ModelSpec, ToolSchema

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

ROUNDS = 60
WARM_UP = 5
AT_ONCE = 32
AIM_MS = 3.0
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


def _figures(times: list[float]) -> str:
    middle, most = statistics.median(times), _share(times, 95)
    return f"{middle:.2f} ms in the median, {most:.2f} for 95 of 100"


def _share(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1]


def main() -> None:
    """Measure both ways and print what each takes."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with _server() as url:
        print(f"{AT_ONCE} calls at once, {rounds} rounds; milliseconds a call")
        for streams in (False, True):
            asyncio.run(_measure(url, rounds, streams=streams))


if __name__ == "__main__":
    main()
