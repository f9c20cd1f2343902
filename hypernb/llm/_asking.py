"""Requests as the two interfaces word them, and what a server turned out not to take."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from hypernb.llm._sizes import output_limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.model import ChatMessage, ChatRequest, ModelSpec, ToolCall

_CAN_GO: Final = ("temperature", "stream_options")
_NAMES: Final = ("max_tokens", "max_completion_tokens")
_NOT_TAKEN: Final = re.compile(
    r"unsupported|not support|does not|unknown|unrecogni[sz]ed|unexpected|not permitted|extra",
    re.IGNORECASE,
)
_LEAST_OUTPUT: Final = 16
"""OpenAI refuses less, by this interface only."""
_IN_WORDS: Final = (
    "Answer with JSON alone, without any other text or fence. This JSON schema describes it:"
)


class Dialect:
    """Words requests for one server, and learns from it which parameters it does not take.

    Reasoning models at OpenAI want ``max_completion_tokens`` and no temperature; others know
    only ``max_tokens``. What a server refuses by name is worded otherwise from then on.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        is_openai = spec.host.endswith(("openai.com", "azure.com"))
        self._limit_name = _NAMES[is_openai]
        self._left_out: set[str] = set()
        self._swapped = False

    def learn(self, words: str, param: str, sent: Mapping[str, Any]) -> bool:
        """Take note of a refusal; False if it gives no reason to word the request otherwise.

        Args:
            words: What the server said.
            param: The parameter that it named apart from that; empty if none.
            sent: The request.
        """
        for name in (*_CAN_GO, self._limit_name):
            named = param == name or (name in words and _NOT_TAKEN.search(words) is not None)
            if not named or name not in sent:
                continue
            if name in _CAN_GO:
                self._left_out.add(name)
                return True
            if not self._swapped:
                self._swapped = True
                self._limit_name = _NAMES[name == _NAMES[0]]
                return True
        return False

    def words(self, request: ChatRequest) -> dict[str, Any]:
        """Return the parameters of a request."""
        make = self._chat if self._spec.api == "chat" else self._responses
        params = make(request)
        if request.temperature is not None:
            params["temperature"] = request.temperature
        return {name: value for name, value in params.items() if name not in self._left_out}

    def _chat(self, request: ChatRequest) -> dict[str, Any]:
        params: dict[str, Any] = {
            "model": self._spec.name,
            "messages": [_chat_message(message) for message in self._messages(request)],
            self._limit_name: output_limit(self._spec, request),
        }
        if self._spec.streams:
            params |= {"stream": True, "stream_options": {"include_usage": True}}
        if request.tools:
            params["tools"] = [
                {"type": "function", "function": tool} for tool in _tools(request)
            ]
        form = self._form(request)
        if form is not None and form["type"] == "json_schema":
            schema = {name: form[name] for name in ("name", "schema", "strict")}
            form = {"type": "json_schema", "json_schema": schema}
        return params if form is None else params | {"response_format": form}

    def _responses(self, request: ChatRequest) -> dict[str, Any]:
        params: dict[str, Any] = {
            "model": self._spec.name,
            "input": [i for message in self._messages(request) for i in _items(message)],
            "max_output_tokens": max(_LEAST_OUTPUT, output_limit(self._spec, request)),
            "store": False,
        }
        if self._spec.streams:
            params["stream"] = True
        if request.tools:
            params["tools"] = [
                {"type": "function", "strict": False} | tool for tool in _tools(request)
            ]
        form = self._form(request)
        return params if form is None else params | {"text": {"format": form}}

    def _messages(self, request: ChatRequest) -> list[dict[str, Any]]:
        said = [_message(message) for message in request.messages]
        if request.answer_schema and self._spec.schema_mode != "schema":
            told = f"{_IN_WORDS}\n{json.dumps(request.answer_schema)}"
            # Many servers take instructions at the beginning only, and only once.
            if said and said[0]["role"] == "system":
                said[0]["content"] += f"\n\n{told}"
            else:
                said.insert(0, {"role": "system", "content": told, "tool_calls": []})
        return said

    def _form(self, request: ChatRequest) -> dict[str, Any] | None:
        if not request.answer_schema or self._spec.schema_mode == "words":
            return None
        if self._spec.schema_mode == "json":
            return {"type": "json_object"}
        return {
            "type": "json_schema",
            "name": re.sub(r"[^A-Za-z0-9_-]", "_", request.answer_name)[:64] or "answer",
            "schema": request.answer_schema,
            "strict": is_strict(request.answer_schema),
        }


def is_strict(schema: Any) -> bool:
    """Tell whether OpenAI would hold an answer to a schema: every object names all it has.

    Example:
        >>> is_strict({"type": "object", "properties": {"a": {}}, "required": ["a"]})
        False
    """
    if isinstance(schema, list):
        return all(map(is_strict, schema))
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False:
            return False
        if not isinstance(properties, dict) or set(properties) != set(
            schema.get("required", ())
        ):
            return False
        return all(map(is_strict, [*properties.values(), schema.get("$defs", {})]))
    return all(map(is_strict, schema.values()))


def sendable(text: str) -> str:
    """Return a text as UTF-8 can hold it."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _message(message: ChatMessage) -> dict[str, Any]:
    return {
        "role": message.role,
        "content": sendable(message.content),
        "tool_call_id": message.tool_call_id,
        "tool_calls": [_call(call) for call in message.tool_calls],
    }


def _call(call: ToolCall) -> dict[str, str]:
    """Return a call as it was made; servers fail on arguments of it that are no object."""
    arguments = sendable(call.arguments)
    try:
        is_object = isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        arguments = json.dumps({"unreadable": arguments})
    return {"id": call.id, "name": sendable(call.name), "arguments": arguments}


def _chat_message(message: dict[str, Any]) -> dict[str, Any]:
    role, content, calls = message["role"], message["content"], message["tool_calls"]
    if role == "tool":
        return {"role": role, "content": content, "tool_call_id": message["tool_call_id"]}
    if not calls:
        return {"role": role, "content": content}
    worded = [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": call["name"], "arguments": call["arguments"]},
        }
        for call in calls
    ]
    return {"role": role, "content": content or None, "tool_calls": worded}


def _items(message: dict[str, Any]) -> list[dict[str, Any]]:
    role, content = message["role"], message["content"]
    if role == "tool":
        call_id = message["tool_call_id"]
        return [{"type": "function_call_output", "call_id": call_id, "output": content}]
    items = [{"role": role, "content": content}] if content or not message["tool_calls"] else []
    for call in message["tool_calls"]:
        said = {"name": call["name"], "arguments": call["arguments"]}
        items.append({"type": "function_call", "call_id": call["id"]} | said)
    return items


def _tools(request: ChatRequest) -> list[dict[str, Any]]:
    return [
        {
            "name": tool.name,
            "description": sendable(tool.description),
            "parameters": tool.parameters or {"type": "object", "properties": {}},
        }
        for tool in request.tools
    ]
