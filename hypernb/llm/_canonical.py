"""A request as the one text that it always has, and the hash of it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ChatMessage, ChatRequest, ModelSpec


def canonical(
    request: ChatRequest, spec: ModelSpec, change: Callable[[str], str] | None = None
) -> bytes:
    """Return a request as JSON with sorted keys and without white space.

    It holds what the model is asked, and the model's own name. It does not hold where the
    model is, by which interface and with which key it is asked, what the plan calls it, and
    what the request is for: the answer does not depend on them.

    Args:
        change: Applied to every text that a person, a file or a model wrote.
    """
    return dumped(_body(request, spec.name, change or _unchanged))


def request_hash(request: ChatRequest, spec: ModelSpec) -> str:
    """Return the SHA-256 of the canonical request, in hexadecimal.

    Example:
        >>> from hypernb.model import ChatMessage, ChatRequest, ModelSpec
        >>> asked = ChatRequest(model="m", messages=(ChatMessage(role="user", content="Hi"),))
        >>> near = ModelSpec(name="qwen3", base_url="http://localhost:11434/v1")
        >>> far = ModelSpec(name="qwen3", base_url="https://models.example.org/v1", key="KEY")
        >>> request_hash(asked, near) == request_hash(asked, far)
        True
    """
    return hashlib.sha256(canonical(request, spec)).hexdigest()


def dumped(value: Any) -> bytes:
    """Return a value as JSON with sorted keys and without white space."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # Half a surrogate, a number of more than 64 bits, a schema with tuples as keys.
        text = json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
        )
        return text.encode("utf-8", "backslashreplace")


def _body(request: ChatRequest, model: str, change: Callable[[str], str]) -> dict[str, Any]:
    ids: dict[str, str] = {}
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(each, change, ids) for each in request.messages],
    }
    if request.tools:
        body["tools"] = [
            _changed(each.model_dump(), change)
            for each in request.tools  # in their order: models favour what comes first
        ]
    if request.answer_schema:
        body["answer"] = _changed(request.answer_schema, change)
        body["answer_name"] = request.answer_name
    if request.max_output_tokens is not None:
        body["max_output_tokens"] = request.max_output_tokens
    if request.temperature is not None:
        body["temperature"] = float(request.temperature)
    return body


def _message(
    message: ChatMessage, change: Callable[[str], str], ids: dict[str, str]
) -> dict[str, Any]:
    """Return a message; ids of calls, which servers make up, are numbered in it."""

    def number(call_id: str) -> str:
        return ids.setdefault(call_id, f"call-{len(ids) + 1}")

    body: dict[str, Any] = {"role": message.role, "content": change(message.content)}
    if message.tool_calls:
        body["tool_calls"] = [
            {
                "id": number(each.id),
                "name": each.name,
                "arguments": change(_compact(each.arguments)),
            }
            for each in message.tool_calls
        ]
    if message.tool_call_id:
        body["tool_call_id"] = number(message.tool_call_id)
    return body


def _compact(arguments: str) -> str:
    """Return JSON in its one form; what is none stays as the model wrote it."""
    try:
        return orjson.dumps(orjson.loads(arguments), option=orjson.OPT_SORT_KEYS).decode()
    except (ValueError, TypeError):
        return arguments


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _changed(each, change) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_changed(each, change) for each in value]
    return value


def _unchanged(text: str) -> str:
    return text
