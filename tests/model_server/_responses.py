"""Replies as the responses interface words them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.model_server._reply import counted, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.model_server._reply import Call, Reply

_STATES = {"length": "max_output_tokens", "content_filter": "content_filter"}


def response_body(reply: Reply, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Word a reply as one body."""
    reason = _STATES.get(reply.finish or "")
    body = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": reply.model or asked.get("model", ""),
        "status": "incomplete" if reason else "completed",
        "incomplete_details": {"reason": reason} if reason else None,
        "error": None,
        "output": [*_messages(reply), *map(_call, reply.calls)],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
    usage = counted(reply, asked, ("input_tokens", "output_tokens"))
    return body if usage is None else body | {"usage": usage}


def response_events(reply: Reply, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Word a reply as the events of a stream; without a finish, the last one is missing."""
    whole = response_body(reply, asked)
    began = whole | {"status": "in_progress", "output": [], "usage": None}
    events: list[dict[str, Any]] = [{"type": "response.created", "response": began}]
    for index, item in enumerate(whole["output"]):
        events += _item_events(index, item, reply.piece)
    if reply.finish is not None:
        events.append({"type": f"response.{whole['status']}", "response": whole})
    return [event | {"sequence_number": number} for number, event in enumerate(events)]


def _messages(reply: Reply) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    if reply.text:
        content.append({"type": "output_text", "text": reply.text, "annotations": []})
    if reply.refusal:
        content.append({"type": "refusal", "refusal": reply.refusal})
    if not content:
        return []
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    return [message | {"content": content}]


def _call(call: Call) -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": f"fc_{call.id}",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments,
        "status": "completed",
    }


def _item_events(index: int, item: dict[str, Any], size: int) -> Iterator[dict[str, Any]]:
    where = {"output_index": index, "item_id": item["id"]}
    empty: dict[str, Any] = (
        {"arguments": ""} if item["type"] == "function_call" else {"content": []}
    )
    added = item | empty | {"status": "in_progress"}
    yield {"type": "response.output_item.added", "output_index": index, "item": added}
    if item["type"] == "function_call":
        kind = "response.function_call_arguments"
        for piece in pieces(item["arguments"], size):
            yield where | {"type": f"{kind}.delta", "delta": piece}
        yield where | {"type": f"{kind}.done", "arguments": item["arguments"]}
    else:
        for at, part in enumerate(item["content"]):
            kind = "response.refusal" if part["type"] == "refusal" else "response.output_text"
            word = "refusal" if part["type"] == "refusal" else "text"
            for piece in pieces(part[word], size):
                yield where | {"type": f"{kind}.delta", "content_index": at, "delta": piece}
            yield where | {"type": f"{kind}.done", "content_index": at, word: part[word]}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}
