"""The client below: the only module that imports openai, and it is imported late."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final, cast

import httpx2
import openai

from hypernb.errors import ModelRefusedError
from hypernb.llm._faults import TransportFault
from hypernb.llm._mask import mask_logs
from hypernb.llm._prices import is_near

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hypernb.errors import ModelError
    from hypernb.llm._mask import Mask
    from hypernb.model import ModelSpec

__all__ = ["APIStatusError", "connect", "fault_of"]

APIStatusError = openai.APIStatusError

_CONNECT_S: Final = 15.0
_KEPT: Final = 100
_KEPT_FOR_S: Final = 30.0
_MOST_ERROR_BYTES: Final = 200_000
_SENT: Final = ("host", "content-type", "content-length", "transfer-encoding", "accept")
_TAKEN: Final = (
    "content-type",
    "content-length",
    "transfer-encoding",
    "retry-after",
    "retry-after-ms",
    "date",
    "location",
)
_AGENT: Final = "hypernb"
_NO_KEY: Final = "none"


def connect(spec: ModelSpec, key: str | None, mask: Mask) -> openai.AsyncOpenAI:
    """Return a client that knows what the model's spec says, and nothing else.

    The key is put on the wire below the client, which never has it; and nothing but what is
    asked for is sent, whatever the environment says of organisations, headers or proxies.
    """
    mask_logs(mask)
    is_tls = spec.base_url.startswith("https:")
    transport = httpx2.AsyncHTTPTransport(
        verify=is_tls,  # loading certificates takes longer than a call to one's own machine
        limits=httpx2.Limits(
            max_connections=None,  # how many there are is for the gate to say
            max_keepalive_connections=_KEPT,
            keepalive_expiry=_KEPT_FOR_S,
        ),
    )
    timeout = httpx2.Timeout(spec.timeout_s, connect=min(_CONNECT_S, spec.timeout_s), pool=None)
    return openai.AsyncOpenAI(
        api_key=_NO_KEY,
        admin_api_key="",
        organization="",
        project="",
        webhook_secret="",
        base_url=spec.base_url,
        max_retries=0,
        timeout=timeout,
        http_client=httpx2.AsyncClient(
            transport=_Wire(transport, key, mask),
            timeout=timeout,
            trust_env=False,
            follow_redirects=False,
        ),
    )


class _Wire(httpx2.AsyncBaseTransport):
    """Sends what is named, with the key; takes what is named, without it."""

    def __init__(self, below: httpx2.AsyncHTTPTransport, key: str | None, mask: Mask) -> None:
        self._below = below
        self._mask = mask
        self._own = [("user-agent", _AGENT), ("accept-encoding", "identity")]
        if key:
            self._own.append(("authorization", f"Bearer {key}"))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        sent = [(name, request.headers[name]) for name in _SENT if name in request.headers]
        # The client keeps its own request for its errors; that one never has the key.
        answer = await self._below.handle_async_request(
            httpx2.Request(
                request.method,
                request.url,
                headers=[*sent, *self._own],
                stream=request.stream,
                extensions=request.extensions,
            )
        )
        stream = cast("httpx2.AsyncByteStream", answer.stream)
        if answer.status_code >= 300:  # noqa: PLR2004 - no success: openai reads all of it
            stream = _Beginning(stream)
        return httpx2.Response(answer.status_code, headers=self._taken(answer), stream=stream)

    async def aclose(self) -> None:
        await self._below.aclose()

    def _taken(self, answer: httpx2.Response) -> dict[str, str]:
        # Neither encodings (a small body may unpack to gigabytes) nor charsets, of which some
        # are no texts; what is said of them is not needed for JSON.
        taken = {n: self._mask(answer.headers[n]) for n in _TAKEN if n in answer.headers}
        if "content-type" in taken:
            taken["content-type"] = taken["content-type"].partition(";")[0]
        return taken


class _Beginning(httpx2.AsyncByteStream):
    """The beginning of an answer; the rest is not read."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            yield chunk
            size += len(chunk)
            if size > _MOST_ERROR_BYTES:
                return

    async def aclose(self) -> None:
        await self._stream.aclose()


def fault_of(spec: ModelSpec, problem: Exception) -> TransportFault | ModelError:
    """Return what follows from an exception that is no status."""
    chain = list(_chain(problem))
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in chain):
        words = next(e for e in chain if isinstance(e, ssl.SSLCertVerificationError))
        return ModelRefusedError(
            spec.name,
            spec.host,
            f"cannot be trusted: {words.verify_message}",
            status=0,
            hint="If its certificate is your own, name your authority in SSL_CERT_FILE.",
        )
    if any(isinstance(each, httpx2.ConnectError | httpx2.ConnectTimeout) for each in chain):
        said = [e.strerror for e in chain if isinstance(e, OSError) and e.strerror]
        why = f" ({said[-1]})" if said else ""
        return TransportFault(
            f"cannot reach {spec.host}{why}", hint=unreached_hint(spec.base_url)
        )
    return TransportFault(f"lost the connection to {spec.host} ({type(chain[-1]).__name__})")


def unreached_hint(base_url: str) -> str:
    """Say what to do where a server cannot be reached."""
    if is_near(base_url):
        return f"Start the server, or check the address: {base_url}."
    return f"Check the network, and the address: {base_url}."


def _chain(problem: BaseException) -> list[BaseException]:
    chain: list[BaseException] = [problem]
    while (below := chain[-1].__cause__ or chain[-1].__context__) and below not in chain:
        chain.append(below)
    return chain
