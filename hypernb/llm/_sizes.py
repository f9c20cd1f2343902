"""How many tokens a request may have: estimates by its bytes."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from hypernb.errors import ContextTooLargeError
from hypernb.model import BYTES_A_TOKEN, TokenUse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hypernb.model import ChatMessage, ChatRequest, ModelSpec

_PER_REQUEST: Final = 64
_PER_MESSAGE: Final = 16
_PER_TOOL: Final = 32
_DENSE_BYTES: Final = 2
_LEAST_OUTPUT: Final = 256
_PARTS: Final = {
    "system": "the instructions",
    "user": "the goal",
    "assistant": "what the model said before",
    "tool": "what tools returned",
}
_FENCED: Final = re.compile(r"<data (\w{16}): ([^<>]{1,200})>\n.*?\n</data \1>", re.DOTALL)
"""How agents set material apart in what they tell a model: by its name."""


def worst_case(spec: ModelSpec, request: ChatRequest) -> TokenUse:
    """Return the most tokens that a call may use, for reserving its price.

    A token for every two bytes of text, schemas and calls, and some for what servers wrap
    around each message and tool. Tokenizers of today take three to four bytes of prose or
    code for a token, and seldom less than two of anything; within a budget a server that
    counts more is believed up to this. Of the output, all that the request allows. No figure
    is more than the model can read at all.

    Example:
        >>> from hypernb.model import ChatMessage, ChatRequest, ModelSpec
        >>> spec = ModelSpec(name="m", base_url="http://localhost/v1", max_output_tokens=500)
        >>> said = ChatMessage(role="user", content="a" * 200)
        >>> worst_case(spec, ChatRequest(model="m", messages=(said,)))
        TokenUse(input_tokens=180, output_tokens=500, cached_tokens=0)
    """
    most = spec.context_tokens or 2**53
    read = _input_tokens(request, _DENSE_BYTES)
    return TokenUse(
        input_tokens=min(read, most), output_tokens=min(_asked_output(spec, request), most)
    )


def broken_off(spec: ModelSpec, request: ChatRequest, characters: int) -> TokenUse:
    """Return about how many tokens an answer has used that nobody will count any more.

    No more than what was reserved for it.
    """
    most = worst_case(spec, request)
    read, wrote = _input_tokens(request, BYTES_A_TOKEN), -(-characters // BYTES_A_TOKEN)
    return TokenUse(
        input_tokens=min(read, most.input_tokens), output_tokens=min(wrote, most.output_tokens)
    )


def output_limit(spec: ModelSpec, request: ChatRequest) -> int:
    """Return how many tokens an answer may have: what is asked for, as far as there is room."""
    asked = _asked_output(spec, request)
    if spec.context_tokens is None:
        return asked
    room = spec.context_tokens - _input_tokens(request, BYTES_A_TOKEN)
    return min(asked, max(room, _LEAST_OUTPUT))


def check_size(spec: ModelSpec, request: ChatRequest) -> None:
    """Refuse a request that is larger than the model's context by any count.

    Four bytes a token is less than most texts have, so what is refused here is too large;
    what is nearly too large is left to the server, which counts.

    Raises:
        ContextTooLargeError: It is.
    """
    if spec.context_tokens is None:
        return
    read = _input_tokens(request, BYTES_A_TOKEN)
    least = min(_LEAST_OUTPUT, _asked_output(spec, request))
    if read + least > spec.context_tokens:
        raise too_large(spec, request, tokens=read, limit=spec.context_tokens)


def too_large(
    spec: ModelSpec, request: ChatRequest, *, tokens: int, limit: int
) -> ContextTooLargeError:
    """Return the error that says which parts are the largest."""
    parts = Counter[str]()
    for message in request.messages:
        parts.update(_parts(message))
    parts["the tools"] = _size(_tool_texts(request))
    parts["the form of the answer"] = _size([_schema_text(request)])
    named = {name: -(-size // BYTES_A_TOKEN) for name, size in parts.items() if size}
    return ContextTooLargeError(spec.name, spec.host, tokens=tokens, limit=limit, parts=named)


def _parts(message: ChatMessage) -> Counter[str]:
    """Return how many bytes the parts of a message have, by their names."""
    parts = Counter[str]()
    rest = message.content
    if message.role in ("user", "tool"):
        for found in _FENCED.finditer(message.content):
            parts[found[2]] += _size([found[0]])
        rest = _FENCED.sub("", message.content)
    parts[_PARTS[message.role]] += _size([rest])
    parts[_PARTS["assistant"]] += _size([call.arguments for call in message.tool_calls])
    return parts


def _asked_output(spec: ModelSpec, request: ChatRequest) -> int:
    if request.max_output_tokens is None:
        return spec.max_output_tokens
    return min(request.max_output_tokens, spec.max_output_tokens)


def _input_tokens(request: ChatRequest, bytes_each: int) -> int:
    texts = [message.content for message in request.messages]
    texts += [c.name + c.arguments for m in request.messages for c in m.tool_calls]
    size = _size(texts) + _size(_tool_texts(request)) + _size([_schema_text(request)])
    around = (
        _PER_REQUEST + _PER_MESSAGE * len(request.messages) + _PER_TOOL * len(request.tools)
    )
    return -(-size // bytes_each) + around


def _size(texts: Iterable[str]) -> int:
    return sum(len(text.encode(errors="replace")) for text in texts)


def _tool_texts(request: ChatRequest) -> list[str]:
    return [t.name + t.description + json.dumps(t.parameters) for t in request.tools]


def _schema_text(request: ChatRequest) -> str:
    return json.dumps(request.answer_schema) if request.answer_schema else ""
