"""Models behind an OpenAI-compatible address."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from hypernb.abc import ChatModel
from hypernb.clock import SystemClock
from hypernb.errors import ModelError, ModelRefusedError
from hypernb.llm._asking import Dialect
from hypernb.llm._call import Call, check_request
from hypernb.llm._gate import HostGate
from hypernb.llm._mask import Mask
from hypernb.llm._retry import limit
from hypernb.llm._sizes import check_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai import AsyncOpenAI

    from hypernb.abc import Clock, ModelWait
    from hypernb.model import ChatReply, ChatRequest, ModelSpec

_NAMES_S: Final = 5.0


def open_model(
    spec: ModelSpec,
    *,
    key: str | None = None,
    clock: Clock | None = None,
    gate: HostGate | None = None,
    begun_at_most: int = 5,
) -> ChatModel:
    """Return a model that can be asked; nothing is sent yet, and nothing heavy imported.

    Args:
        spec: Where it is and what it can.
        key: Its key itself; None if it needs none. It is kept in memory only.
        clock: The machine's if None.
        gate: What all models share that may have the same host; one of its own if None.
        begun_at_most: So many answers of one call that begin and cannot be used: each is paid.
            Whoever keeps money for one of them takes 1, and asks anew by itself.

    Example:
        >>> from hypernb.model import ModelSpec
        >>> model = open_model(ModelSpec(name="llama3", base_url="http://localhost:11434/v1"))
        >>> model.spec.host
        'localhost:11434'
    """
    clock = clock or SystemClock()
    return OpenAIModel(spec, key, clock, gate or HostGate(clock), begun_at_most)


class OpenAIModel(ChatModel):
    """A model asked through openai's client, with one layer of retries: its own.

    Can be used from one event loop after another; connections belong to one.
    """

    def __init__(
        self,
        spec: ModelSpec,
        key: str | None,
        clock: Clock,
        gate: HostGate,
        begun_at_most: int = 5,
    ) -> None:
        self.spec = spec
        self.clock = clock
        self.gate = gate
        self.begun_at_most = begun_at_most
        self._key = key.strip() if key is not None else None
        self.mask = Mask(self._key)
        self.dialect = Dialect(spec)
        self._client: AsyncOpenAI | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def has_key(self) -> bool:
        """Whether it was given one."""
        return bool(self._key)

    async def complete(
        self,
        request: ChatRequest,
        *,
        deadline_s: float = 600.0,
        on_text: Callable[[str], None] | None = None,
        on_wait: Callable[[ModelWait], None] | None = None,
    ) -> ChatReply:
        """Ask the model. Cancelling the caller ends the call."""
        self._check_key()
        check_request(self, request)
        check_size(self.spec, request)
        self.client()  # importing it the first time is not the server's time
        try:
            return await Call(self, request, deadline_s, on_text, on_wait).run()
        except ModelError as error:
            # What it came from quotes the server as it is, and that may quote the key.
            error.__cause__ = error.__context__ = None
            # It may quote an address of ours with the key in it.
            error.hint = self.mask(error.hint)
            raise

    async def aclose(self) -> None:
        """Close the connections that are kept for later calls; a later call opens new ones."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.close()

    def client(self) -> AsyncOpenAI:
        """Return the client of this loop."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            from hypernb.llm._wire import connect

            self._client, self._loop = connect(self.spec, self._key, self.mask), loop
        return self._client

    async def names(self) -> list[str]:
        """Return the names of the models that the server has; none if it does not say soon."""
        from hypernb.llm._listing import names_of

        until = self.clock.monotonic() + _NAMES_S
        with suppress(Exception):
            async with limit(self.clock, lambda: until - self.clock.monotonic()):
                return await names_of(self)
        return []

    def _check_key(self) -> None:
        if self._key and not (self._key.isascii() and self._key.isprintable()):
            name = self.spec.key or "its key"
            raise ModelRefusedError(
                self.spec.name,
                self.spec.host,
                f"cannot be sent {name}: it holds characters that no key has",
                status=0,
                hint=f"Set {name} anew: letters, digits and signs, on one line.",
            )
