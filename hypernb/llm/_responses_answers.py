"""Answers of the responses interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypernb.llm._draft import Draft, tokens
from hypernb.llm._faults import AnswerFault, ServerSaid
from hypernb.llm._forms import arguments_of, dicts, string
from hypernb.llm._stream import parse

if TYPE_CHECKING:
    from hypernb.llm._draft import DraftCall

_ENDS = ("response.completed", "response.incomplete")
_FAILS = ("response.failed", "error")


class ResponsesDraft(Draft):
    """Takes events, or one body. The last event holds the whole, and is what counts."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = -1
        self._items: dict[Any, DraftCall] = {}

    def _event(self, event: dict[str, Any]) -> str:
        kind = string(event.get("type"))
        if kind in _FAILS or ("error" in event and not kind):
            raise ServerSaid(_error(event))
        if self._is_double(event):
            return ""
        if kind in _ENDS and isinstance(whole := event.get("response"), dict):
            self._whole(whole)
            self.is_done = True
            return ""
        return self._piece(kind, event)

    def end(self, evidence: str) -> None:
        """Take note that the stream has ended.

        Raises:
            AnswerFault: It was cut: the last event is not there.
        """
        if self.finish is None:
            words = "has broken off its answer" if self.has_begun else "has answered nothing"
            raise AnswerFault(words, evidence)

    def body(self, data: bytes) -> None:
        """Take an answer that came at once.

        Raises:
            AnswerFault: It is none.
        """
        body = parse(data)
        if body.get("error") or body.get("status") == "failed":
            raise ServerSaid(_error(body))
        if not isinstance(body.get("output"), list):
            raise AnswerFault("has answered without an output", data.decode(errors="replace"))
        self._whole(body)
        if body.get("status") not in ("completed", "incomplete") and not self.has_begun:
            raise AnswerFault("has answered nothing", data.decode(errors="replace"))

    def _is_double(self, event: dict[str, Any]) -> bool:
        number = event.get("sequence_number")
        if not isinstance(number, int) or isinstance(number, bool):
            return False
        if number <= self._seen:
            return True
        self._seen = number
        return False

    def _piece(self, kind: str, event: dict[str, Any]) -> str:
        delta = string(event.get("delta"))
        if kind == "response.output_text.delta":
            self.add_text(delta)
            return delta
        if kind == "response.refusal.delta":
            self.add_refusal(delta)
        elif kind == "response.function_call_arguments.delta":
            call = self._items.get(string(event.get("item_id")))
            if call is not None:
                self.add_arguments(call, delta)
        elif kind == "response.output_item.added":
            item = event.get("item")
            if isinstance(item, dict) and item.get("type") == "function_call":
                call = self.add_call(string(item.get("call_id")), string(item.get("name")))
                item_id = string(item.get("id"))
                self._grow(item_id)
                self._items[item_id] = call
        return ""

    def _whole(self, body: dict[str, Any]) -> None:
        self.say_model(body.get("model"))
        usage = body.get("usage")
        self.usage = tokens(usage, read="input_tokens", wrote="output_tokens")
        output = dicts(body.get("output"))
        if output:
            self.start_over()
        for item in output:
            if item.get("type") == "function_call":
                arguments = arguments_of(item.get("arguments"))
                self.add_call(string(item.get("call_id")), string(item.get("name")), arguments)
            elif item.get("type") == "message":
                self._message(item)
        details = body.get("incomplete_details")
        reason = string(details.get("reason")) if isinstance(details, dict) else ""
        self.finish = reason or "stop"

    def _message(self, item: dict[str, Any]) -> None:
        for part in dicts(item.get("content")):
            if part.get("type") == "refusal":
                self.add_refusal(string(part.get("refusal")))
            elif part.get("type") in ("output_text", "text"):
                self.add_text(string(part.get("text")))


def _error(event: dict[str, Any]) -> dict[str, Any]:
    """Return the error that an event or a body holds, wherever it does."""
    whole = event.get("response")
    holder = whole if isinstance(whole, dict) else event
    return {"error": holder["error"]} if holder.get("error") else {"error": event}
