"""Replies as the chat completions interface words them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.model_server._reply import counted, pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.model_server._reply import Reply


def _finish(reply: Reply) -> str | None:
    return ("tool_calls" if reply.calls else "stop") if reply.finish == "" else reply.finish


def _head(reply: Reply, asked: Mapping[str, Any], kind: str) -> dict[str, Any]:
    model = reply.model or asked.get("model", "")
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": model}


def _usage(reply: Reply, asked: Mapping[str, Any]) -> Any:
    return counted(reply, asked, ("prompt_tokens", "completion_tokens"))


def chat_body(reply: Reply, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Word a reply as one body."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    message["refusal"] = reply.refusal or None
    if reply.calls:
        message["tool_calls"] = [
            {
                "id": c.id,
                "type": "function",
                "function": {"name": c.name, "arguments": c.arguments},
            }
            for c in reply.calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": _finish(reply)}
    body = _head(reply, asked, "chat.completion") | {"choices": [choice | {"logprobs": None}]}
    usage = _usage(reply, asked)
    return body if usage is None else body | {"usage": usage}


def chat_chunks(reply: Reply, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Word a reply as the chunks of a stream."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in pieces(reply.text, reply.piece)]
    deltas += [{"refusal": piece} for piece in pieces(reply.refusal, reply.piece)]
    for index, call in enumerate(reply.calls):
        first = {"id": call.id, "type": "function", "index": index}
        deltas.append(
            {"tool_calls": [first | {"function": {"name": call.name, "arguments": ""}}]}
        )
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
            for piece in pieces(call.arguments, reply.piece)
        ]
    head = _head(reply, asked, "chat.completion.chunk")
    chunks = [_chunk(head, delta, None) for delta in deltas]
    if (finish := _finish(reply)) is not None:
        chunks.append(_chunk(head, {}, finish))
    usage = _usage(reply, asked)
    if usage is not None and (asked.get("stream_options") or {}).get("include_usage"):
        chunks.append(head | {"choices": [], "usage": usage})
    return chunks


def _chunk(head: dict[str, Any], delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
