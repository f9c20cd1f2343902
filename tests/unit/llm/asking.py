"""Asks the scripted server, with time that passes as soon as somebody waits for it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from hypernb.llm import HostGate, open_model
from hypernb.model import ChatMessage, ChatRequest, ModelSpec, ToolSchema
from hypernb.testing import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from hypernb.abc import ChatModel, Clock, ModelWait
    from hypernb.model import ChatReply
    from tests.model_server import ModelServer

T = TypeVar("T")
KEY = "sk-this-is-the-key-of-the-tests"
READ_FILE = ToolSchema(
    name="read_file",
    description="Read a file.",
    parameters={"type": "object", "properties": {"path": {"type": "string"}}},
)


def spec(server: ModelServer, **more: Any) -> ModelSpec:
    return ModelSpec(**({"name": "scripted", "base_url": server.url} | more))


def request(text: str = "hello", **more: Any) -> ChatRequest:
    said = (ChatMessage(role="user", content=text),)
    return ChatRequest(**({"model": "scripted", "messages": said} | more))


@dataclass
class Told:
    """What a call tells while it is under way; time passes as far as it waits."""

    clock: FakeClock | None = None
    texts: list[str] = field(default_factory=list)
    waits: list[ModelWait] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What a reader has before the eyes."""
        last = max((at for at, text in enumerate(self.texts) if not text), default=-1)
        return "".join(self.texts[last + 1 :])

    @property
    def reasons(self) -> list[str]:
        return [wait.reason for wait in self.waits if wait.wait_s > 0]

    def wait(self, wait: ModelWait) -> None:
        self.waits.append(wait)
        if self.clock is not None and wait.wait_s > 0:
            # Later: who tells it goes to sleep only afterwards.
            asyncio.get_running_loop().call_later(0.005, self.clock.advance, wait.wait_s)

    async def complete(
        self, model: ChatModel, asked: ChatRequest | None = None, *, deadline_s: float = 600.0
    ) -> ChatReply:
        return await model.complete(
            asked or request(),
            deadline_s=deadline_s,
            on_text=self.texts.append,
            on_wait=self.wait,
        )


@asynccontextmanager
async def opened(
    model: ModelSpec,
    *,
    key: str | None = KEY,
    clock: Clock | None = None,
    gate: HostGate | None = None,
) -> AsyncIterator[ChatModel]:
    chat = open_model(model, key=key, clock=clock, gate=gate)
    try:
        yield chat
    finally:
        await chat.aclose()


def run(work: Callable[[], Awaitable[T]], *, timeout_s: float = 30) -> T:
    async def bounded() -> T:
        return await asyncio.wait_for(work(), timeout_s)

    return asyncio.run(bounded())


def ask(
    model: ModelSpec,
    asked: ChatRequest | None = None,
    *,
    told: Told | None = None,
    key: str | None = KEY,
    deadline_s: float = 600.0,
) -> ChatReply:
    """Ask once, with a clock that jumps over waits."""
    told = told or Told()
    told.clock = FakeClock()

    async def work() -> ChatReply:
        async with opened(model, key=key, clock=told.clock) as chat:
            return await told.complete(chat, asked, deadline_s=deadline_s)

    return run(work)
