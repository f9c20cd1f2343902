"""What the scripted server answers, and everything that can be wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from tests.model_server._server import Asked

COUNTED: Final = "counted"
"""Usage as a server would count it: a token for every four characters."""

Edit = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
"""Of the chunks of a stream, or of the only body in a list: leave out, double, mix up."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model wants to have called."""

    name: str
    arguments: str = "{}"
    id: str = "call_1"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    Attributes:
        finish: ``stop``, ``tool_calls`` ...; empty for what fits, None for none at all.
        usage: Any value, in place of a count; None for none at all.
        model: What the server says answered; empty for what was asked for.
        piece: Characters in a chunk of a stream.
        body: Sent in place of all that, whatever was asked for.
        edit: Changes chunks before they are sent.
        ends: Whether a stream ends with ``[DONE]``.
        cut: Where the connection is closed by the server.
        hold: Where it waits for `ModelServer.release`, or for the client to go.
        drip_s: Seconds between two chunks, or two bytes where it is no stream.
    """

    text: str = ""
    calls: tuple[Call, ...] = ()
    refusal: str = ""
    finish: str | None = ""
    usage: Any = COUNTED
    model: str = ""
    piece: int = 16
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"
    edit: Edit | None = None
    ends: bool = True
    cut: Literal["", "before", "headers", "middle"] = ""
    hold: Literal["", "start", "middle"] = ""
    drip_s: float = 0.0


Script = Reply | Sequence[Reply] | Callable[["Asked"], Reply]


def says(text: object, **more: Any) -> Reply:
    """Answer with a text; of anything but text, its JSON is said."""
    return Reply(text=text if isinstance(text, str) else json.dumps(text), **more)


def calls(tool: str, /, **arguments: Any) -> Reply:
    """Call one tool; several, or broken arguments, are ``Reply(calls=(Call(...), ...))``."""
    return Reply(calls=(Call(tool, json.dumps(arguments)),))


def refuses(words: str = "I cannot help with that.", **more: Any) -> Reply:
    """Refuse, as models do: in an answer with status 200."""
    return Reply(refusal=words, **more)


def fails(
    status: int,
    message: str = "",
    *,
    code: str | None = None,
    retry_after: str | None = None,
    **more: Any,
) -> Reply:
    """Answer with a status that is no success, and an error as OpenAI words it."""
    error = {"message": message or f"status {status}", "type": "error", "code": code}
    headers = dict(more.pop("headers", {}))
    if retry_after is not None:
        headers["Retry-After"] = retry_after
    body = json.dumps({"error": error | {"param": None}}).encode()
    return Reply(status=status, body=body, headers=headers, **more)


def page(html: str = "<html><body>Sign in to the Wi-Fi</body></html>", **more: Any) -> Reply:
    """Answer with a web page, as portals and proxies do; with status 200 unless told else."""
    return Reply(body=html.encode(), content_type="text/html", **more)


def counted(reply: Reply, asked: Mapping[str, Any], names: tuple[str, str]) -> Any:
    """Return what a reply says of its usage, under the names of one of the interfaces."""
    if reply.usage != COUNTED:
        return reply.usage
    read = len(json.dumps(asked.get("messages", asked.get("input", "")))) // 4 + 1
    wrote = sum(len(call.arguments) for call in reply.calls) + len(reply.text)
    wrote = (wrote + len(reply.refusal)) // 4 + 1
    return {names[0]: read, names[1]: wrote, "total_tokens": read + wrote}


def pieces(text: str, size: int) -> list[str]:
    """Cut a text into pieces."""
    return [text[at : at + size] for at in range(0, len(text), size)]
