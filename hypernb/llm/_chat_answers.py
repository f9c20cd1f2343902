"""Answers of the chat completions interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypernb.llm._draft import Draft, tokens
from hypernb.llm._faults import AnswerFault, ServerSaid
from hypernb.llm._forms import arguments_of, dicts, string, text_of
from hypernb.llm._stream import parse

if TYPE_CHECKING:
    from hypernb.llm._draft import DraftCall


_NOISE_CHARACTERS: Final = 8
"""Shorter ones are equal by chance now and then."""


_MOST_INDEXES: Final = 1000


class ChatDraft(Draft):
    """Takes chunks, or one body, however they are mixed up."""

    def __init__(self) -> None:
        super().__init__()
        self._open: dict[Any, DraftCall] = {}
        self._last = ""

    def _event(self, event: dict[str, Any]) -> str:
        if event.get("error"):
            raise ServerSaid(event)
        self._note(event)
        if self._is_double(event):
            return ""
        return "".join(map(self._choice, _choices(event)))

    def end(self, evidence: str) -> None:
        """Take note that the stream has ended.

        Raises:
            AnswerFault: It was cut: nothing has said that this is all.
        """
        if self.finish is None and not self.is_done:
            words = "has broken off its answer" if self.has_begun else "has answered nothing"
            raise AnswerFault(words, evidence)

    def body(self, data: bytes) -> None:
        """Take an answer that came at once.

        Raises:
            AnswerFault: It is none.
        """
        body = parse(data)
        if body.get("error"):
            raise ServerSaid(body)
        self._note(body)
        choice = next(iter(_choices(body)), None)
        message = choice.get("message") if choice is not None else None
        if choice is None or not isinstance(message, dict):
            raise AnswerFault("has answered without a message", data.decode(errors="replace"))
        self._finished(choice)
        self._message(message)

    def _note(self, body: dict[str, Any]) -> None:
        self.say_model(body.get("model"))
        if (usage := body.get("usage")) is not None:
            self.usage = tokens(usage, read="prompt_tokens", wrote="completion_tokens")

    def _is_double(self, chunk: dict[str, Any]) -> bool:
        # Two equal pieces of text in a row are good prose; only the noise that a server adds to
        # each chunk, to hide its length, tells the same chunk from the same words.
        noise = chunk.get("obfuscation")
        if not isinstance(noise, str) or len(noise) < _NOISE_CHARACTERS:
            return False
        mark = f"{noise} {chunk.get('choices')}"
        is_double, self._last = mark == self._last, mark
        return is_double

    def _choice(self, choice: dict[str, Any]) -> str:
        self._finished(choice)
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return ""
        if isinstance(refusal := delta.get("refusal"), str):
            self.add_refusal(refusal)
        for call in dicts(delta.get("tool_calls")):
            self._call(call)
        text = text_of(delta.get("content"))
        if text:
            self.add_text(text)
        return text

    def _finished(self, choice: dict[str, Any]) -> None:
        if isinstance(finish := choice.get("finish_reason"), str) and finish:
            self.finish = finish

    def _call(self, delta: dict[str, Any]) -> None:
        function = delta.get("function")
        function = function if isinstance(function, dict) else {}
        name, arguments = string(function.get("name")), arguments_of(function.get("arguments"))
        call = self._find(delta, name)
        self.name_call(call, name=name)
        self.add_arguments(call, arguments)

    def _find(self, delta: dict[str, Any], name: str) -> DraftCall:
        """Return the call that a piece belongs to; a new one if it names another id."""
        call_id, index = string(delta.get("id")), delta.get("index")
        index = index if isinstance(index, int) else None
        if call_id:
            known = next((call for call in self.calls if call.id == call_id), None)
            at_index = self._open.get(index)
            if known is None and at_index is not None and not at_index.id:
                self.name_call(at_index, call_id)
                known = at_index
        else:
            last = self.calls[-1] if self.calls else None
            known = self._open.get(index, last if index is None else None)
            if known is None and last is not None and not name:
                known = last
        call = known or self.add_call(call_id, name)
        if len(self._open) < _MOST_INDEXES:
            self._open[index] = call
        return call

    def _message(self, message: dict[str, Any]) -> None:
        content = message.get("content")
        if content is not None and not isinstance(content, str | list):
            raise AnswerFault("has answered with a message that is no text", str(content))
        self.add_text(text_of(content))
        self.add_refusal(string(message.get("refusal")))
        for call in dicts(message.get("tool_calls")):
            function = call.get("function")
            function = function if isinstance(function, dict) else {}
            arguments = arguments_of(function.get("arguments"))
            self.add_call(string(call.get("id")), string(function.get("name")), arguments)


def _choices(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in dicts(body.get("choices")) if each.get("index", 0) in (0, None)]
