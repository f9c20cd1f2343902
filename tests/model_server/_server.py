"""The server: a loop in a thread, plain HTTP/1.1 with connections that are kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, cast

from tests.model_server._chat import chat_body, chat_chunks
from tests.model_server._reply import Reply, fails
from tests.model_server._responses import response_body, response_events

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Callable, Mapping, Sequence

    from tests.model_server._reply import Script


@dataclass(slots=True)
class Asked:
    """A request as it came.

    Attributes:
        number: Of those that a script answers, from 0; -1 of others.
        headers: Names in lower case.
        body: Its JSON; None if it has none.
        is_left: The client has closed the connection before it had the whole answer.
        is_answered: The whole answer was sent, or as much of it as the script wants.
        sent_at: When each part of the answer was about to be sent, by `time.time`.
    """

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    number: int = -1
    is_left: bool = False
    is_answered: bool = False
    sent_at: list[float] = field(default_factory=list)


class ModelServer:
    """Answers as scripted at ``url`` while its ``with`` lasts.

    Args:
        script: One reply for all requests, replies in their order, or a function.
        models: Those it has; others are answered with 404. None: any.
        key: The one it wants; others are answered with 401, told back as OpenAI does.
        context_tokens: Longer requests (four bytes a token) are answered with 400.
        tools: Whether its models can be offered any.
        schema: Whether it takes JSON schemas.
        responses: Whether it has the responses interface.
        port: Where it listens; any free one if 0.
    """

    def __init__(  # noqa: PLR0913 - each is something that servers differ in
        self,
        script: Script = Reply(text="This is what the scripted model says."),  # noqa: B008
        *,
        models: Sequence[str] | None = ("scripted", "scripted-mini"),
        key: str = "",
        context_tokens: int | None = None,
        tools: bool = True,
        schema: bool = True,
        responses: bool = True,
        port: int = 0,
    ) -> None:
        self.script = script
        self.models = models
        self.key = key
        self.context_tokens = context_tokens
        self.tools = tools
        self.schema = schema
        self.responses = responses
        self.port = port
        self.requests: list[Asked] = []
        """All that came, in order."""
        self.connections = 0
        """How many were ever opened."""
        self.at_once = 0
        """How many requests are being answered."""
        self.most_at_once = 0
        self._numbered = 0
        self._changed = threading.Condition()
        self._open: set[_Connection] = set()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """What a `hypernb.model.ModelSpec` has as its ``base_url``."""
        return f"http://{self.host}/v1"

    @property
    def asked(self) -> list[Asked]:
        """The requests that the script has answered, in order."""
        return [request for request in self.requests if request.number >= 0]

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="model server", daemon=True
        )
        self._thread.start()
        assert ready.wait(10), "the server did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def release(self) -> None:
        """Let go on what is held, now and later."""
        self._loop.call_soon_threadsafe(self._released.set)

    def wait_for(self, is_so: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Block until something is so; in a loop: ``await asyncio.to_thread(...)``."""
        with self._changed:
            assert self._changed.wait_for(is_so, timeout_s), f"not so after {timeout_s} s"

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop, self._released = asyncio.Event(), asyncio.Event()
        server = await self._loop.create_server(
            lambda: _Connection(asyncio.StreamReader(2**26), self._talk, self._open),
            "127.0.0.1",
            self.port,
            backlog=1024,
        )
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        server.close()
        # Those too that nobody has begun to talk to yet.
        left = list(self._open)
        for each in left:
            each.abort()
        for each in left:
            await asyncio.wait_for(each.gone_for_good.wait(), 5)

    async def _talk(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while (asked := await _read(reader)) is not None:
                if not await self._answer(asked, writer):
                    break
        writer.close()

    async def _answer(self, asked: Asked, writer: StreamWriter) -> bool:
        gone = cast("_Connection", writer.transport.get_protocol()).gone
        refused = self._refusal(asked)
        self._begin(asked, is_scripted=refused is None and asked.method == "POST")
        stays = False
        try:
            sending = _Sending(asked, writer, gone, self._stop, self._released)
            stays = await sending.send(refused or self._choose(asked))
        finally:
            self._end(asked, is_left=gone.is_set() and not stays)
        return stays and not asked.is_left

    def _begin(self, asked: Asked, *, is_scripted: bool) -> None:
        with self._changed:
            if is_scripted:
                asked.number = self._numbered
                self._numbered += 1
            self.requests.append(asked)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self._changed.notify_all()

    def _end(self, asked: Asked, *, is_left: bool) -> None:
        with self._changed:
            self.at_once -= 1
            asked.is_left = is_left
            asked.is_answered = not is_left
            self._changed.notify_all()

    def _choose(self, asked: Asked) -> Reply:
        if asked.number < 0:
            listed = [{"id": m, "object": "model", "owned_by": "me"} for m in self.models or ()]
            return Reply(body=json.dumps({"object": "list", "data": listed}).encode())
        if isinstance(self.script, Reply):
            return self.script
        if callable(self.script):
            return self.script(asked)
        if asked.number < len(self.script):
            return self.script[asked.number]
        return fails(400, f"the script has {len(self.script)} replies, and no more")

    def _refusal(self, asked: Asked) -> Reply | None:
        given = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if self.key and given != self.key:
            return fails(401, f"Incorrect API key provided: {given}.", code="invalid_api_key")
        if asked.method == "GET" and asked.path.startswith("/v1/models"):
            return None
        paths = ["/v1/chat/completions", *(["/v1/responses"] if self.responses else [])]
        if asked.path not in paths:
            return fails(404, f"Unknown request URL: {asked.method} {asked.path}.")
        return self._inability(asked.body if isinstance(asked.body, dict) else {})

    def _inability(self, body: Mapping[str, Any]) -> Reply | None:
        name = body.get("model")
        if self.models is not None and name not in self.models:
            said = f"The model `{name}` does not exist or you do not have access to it."
            return fails(404, said, code="model_not_found")
        if body.get("tools") and not self.tools:
            return fails(400, f"{name} does not support tools")
        form = body.get("response_format") or (body.get("text") or {}).get("format") or {}
        if form.get("type") == "json_schema" and not self.schema:
            return fails(400, "response_format of type json_schema is not supported")
        size = len(json.dumps(body)) // 4
        if self.context_tokens is not None and size > self.context_tokens:
            said = (
                f"This model's maximum context length is {self.context_tokens} tokens. "
                f"However, your messages resulted in {size} tokens."
            )
            return fails(400, said, code="context_length_exceeded")
        return None


class _Connection(asyncio.StreamReaderProtocol):
    """Knows at once when the client has closed it, also while nobody reads."""

    def __init__(
        self, reader: StreamReader, talk: Callable[..., Any], among: set[_Connection]
    ) -> None:
        super().__init__(reader, talk)
        self.gone = asyncio.Event()
        self.gone_for_good = asyncio.Event()
        self._among = among
        self._transport_here: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._among.add(self)
        self._transport_here = transport
        super().connection_made(transport)

    def abort(self) -> None:
        if isinstance(self._transport_here, asyncio.WriteTransport):
            self._transport_here.abort()

    def eof_received(self) -> bool | None:
        self.gone.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        super().connection_lost(exc)
        self._among.discard(self)
        self.gone_for_good.set()


@dataclass(slots=True)
class _Sending:
    """One answer on its way."""

    asked: Asked
    writer: StreamWriter
    gone: asyncio.Event
    stop: asyncio.Event
    released: asyncio.Event

    async def send(self, reply: Reply) -> bool:
        """Send a reply; False if the connection is not to be kept."""
        if reply.hold == "start":
            await self._wait(self.released)
        if reply.cut == "before":
            return False
        is_stream, parts = _parts(reply, self.asked)
        size = sum(map(len, parts))
        self._head(reply, is_stream=is_stream, size=size)
        if reply.cut == "headers":
            await self.writer.drain()
            return False
        half = len(parts) // 2
        for at, part in enumerate(parts):
            if reply.hold == "middle" and at == half:
                await self.writer.drain()
                await self._wait(self.released)
            if (reply.cut == "middle" and at == half) or self.gone.is_set():
                await self.writer.drain()
                return False
            self.asked.sent_at.append(time.time())
            self.writer.write(b"%x\r\n%b\r\n" % (len(part), part) if is_stream else part)
            if reply.drip_s:
                await self.writer.drain()
                await self._wait(self.stop, reply.drip_s)
        if is_stream:
            self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()
        return reply.headers.get("Connection", "") != "close"

    def _head(self, reply: Reply, *, is_stream: bool, size: int) -> None:
        kind = "text/event-stream" if is_stream else reply.content_type
        headers = {"Content-Type": kind, "x-request-id": f"req_{self.asked.number}"}
        headers |= (
            {"Transfer-Encoding": "chunked"} if is_stream else {"Content-Length": str(size)}
        )
        lines = [f"HTTP/1.1 {reply.status} Scripted"]
        lines += [f"{name}: {value}" for name, value in (headers | dict(reply.headers)).items()]
        self.writer.write("\r\n".join((*lines, "", "")).encode("latin-1"))

    async def _wait(self, event: asyncio.Event, timeout_s: float | None = None) -> None:
        loop = asyncio.get_running_loop()
        waiting = [
            loop.create_task(e.wait(), name="held") for e in (event, self.gone, self.stop)
        ]
        await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        for each in waiting:
            each.cancel()


def _parts(reply: Reply, asked: Asked) -> tuple[bool, list[bytes]]:
    """Return whether a reply is sent in chunks, and what is sent one after the other."""
    body = asked.body if isinstance(asked.body, dict) else {}
    is_stream = reply.body is None and bool(body.get("stream"))
    if is_stream:
        return True, _events(reply, asked, body)
    whole = reply.body
    if whole is None:
        word = chat_body if asked.path.endswith("/chat/completions") else response_body
        said = [word(reply, body)]
        whole = json.dumps((reply.edit(said) if reply.edit else said)[0]).encode()
    if reply.drip_s:
        return False, [whole[at : at + 1] for at in range(len(whole))]
    half = len(whole) // 2
    return False, [whole[:half], whole[half:]]


def _events(reply: Reply, asked: Asked, body: Mapping[str, Any]) -> list[bytes]:
    is_chat = asked.path.endswith("/chat/completions")
    chunks = (chat_chunks if is_chat else response_events)(reply, body)
    if reply.edit:
        chunks = reply.edit(chunks)
    events = [
        (b"" if is_chat else f"event: {chunk.get('type')}\n".encode())
        + b"data: "
        + json.dumps(chunk).encode()
        + b"\n\n"
        for chunk in chunks
    ]
    return [*events, b"data: [DONE]\n\n"] if is_chat and reply.ends else events


async def _read(reader: StreamReader) -> Asked | None:
    """Read a request; None if the client has gone."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    named = (line.split(":", 1) for line in head[1:] if ":" in line)
    headers = {name.strip().lower(): value.strip() for name, value in named}
    data = await reader.readexactly(int(headers.get("content-length", "0")))
    body = None
    with contextlib.suppress(ValueError):
        body = json.loads(data) if data else None
    return replace(Asked(method, path), headers=headers, body=body)
