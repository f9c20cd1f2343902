"""Whatever bytes come, a call ends with a reply or with one of its errors."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hypernb.errors import ModelError
from hypernb.llm._chat_answers import ChatDraft
from hypernb.llm._faults import AnswerFault, ServerSaid
from hypernb.llm._mask import Mask
from hypernb.llm._responses_answers import ResponsesDraft
from hypernb.llm._retry import LONGEST_ASKED_S, retry_after_s
from hypernb.llm._stream import AnswerReader
from hypernb.model import ChatReply
from hypernb.testing import FakeClock
from tests.model_server import Call, ModelServer, Reply
from tests.model_server._chat import chat_body, chat_chunks
from tests.model_server._responses import response_body, response_events
from tests.unit.llm.asking import KEY, Told, ask, spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST = 1000
REPLY = Reply("Some words.", calls=(Call("f", '{"a": 1}', "one"), Call("g", "{}", "two")))
ASKED = {"model": "m", "stream_options": {"include_usage": True}}
DRAFTS: dict[str, type[ChatDraft | ResponsesDraft]] = {
    "chat": ChatDraft,
    "responses": ResponsesDraft,
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["function_call", "message", "response.completed", "refusal", KEY]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "id", "index", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every holder and key in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in list(inner):
        yield value, key
        if isinstance(each, dict | list):
            yield from places(each)


@st.composite
def mutated(draw: st.DrawFn, api: str) -> bytes:
    """An answer of which a few things were replaced, left out, doubled or swapped."""
    is_stream = draw(st.booleans())
    worded: dict[tuple[str, bool], Callable[[Reply, Any], list[Any]]] = {
        ("chat", True): chat_chunks,
        ("responses", True): response_events,
        ("chat", False): lambda r, a: [chat_body(r, a)],
        ("responses", False): lambda r, a: [response_body(r, a)],
    }
    parts: list[Any] = copy.deepcopy(worded[api, is_stream](REPLY, ASKED))
    for _ in range(draw(st.integers(0, 4))):
        holder, key = draw(st.sampled_from(list(places(parts))))
        if draw(st.booleans()):
            holder[key] = draw(JSON)
        elif isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        else:
            del holder[key]
    if not is_stream:
        return json.dumps(parts[0] if parts else None).encode()
    end = draw(st.sampled_from([b"data: [DONE]\n\n", b"", b"data: [DO"]))
    return b"".join(b"data: %b\n\n" % json.dumps(part).encode() for part in parts) + end


def take(api: str, data: bytes, sizes: list[int]) -> ChatReply | None:
    """Take an answer apart as a call does, in chunks of any size."""
    draft, reader = DRAFTS[api](), AnswerReader(MOST * 100)
    try:
        for size in (*sizes, len(data)):
            for event in reader.feed(data[:size]):
                draft.event(event)
            data = data[size:]
        for event in reader.end():
            draft.event(event)
        if reader.is_stream:
            draft.end(reader.evidence)
        else:
            draft.body(reader.body())
        return draft.reply(Mask(KEY), lambda _: True)
    except (AnswerFault, ServerSaid):
        return None


# The first draw of text makes tables of all characters, once.
SLOW_START = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


@pytest.mark.parametrize("api", ["chat", "responses"])
@SLOW_START
@given(data=st.data())
def test_any_answer_is_taken_apart(api: str, data: st.DataObject) -> None:
    sent = data.draw(mutated(api) | st.binary(max_size=MOST))
    reply = take(api, sent, data.draw(st.lists(st.integers(0, 60), max_size=20)))
    assert reply is None or KEY not in repr(reply)


@pytest.mark.parametrize("api", ["chat", "responses"])
@SLOW_START
@given(data=st.data())
def test_pieces_of_any_size_make_the_same_answer(api: str, data: st.DataObject) -> None:
    sent = data.draw(mutated(api))
    sizes = data.draw(st.lists(st.integers(1, 60), max_size=30))
    assert take(api, sent, sizes) == take(api, sent, [])


@pytest.mark.parametrize("api", ["chat", "responses"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_answer_over_http_is_a_reply_or_a_model_error(
    api: str, data: st.DataObject
) -> None:
    body = data.draw(mutated(api) | st.binary(max_size=MOST))
    status = data.draw(st.sampled_from([200, 200, 200, 201, 204, 400, 404, 429, 500]))
    with ModelServer(Reply(body=body, status=status)) as server:
        try:
            answer: object = ask(spec(server, api=api), told=Told(), deadline_s=20)
        except ModelError as error:
            answer = error
    assert isinstance(answer, ChatReply | ModelError)


@SLOW_START
@given(
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "date"]),
        st.text(max_size=30)
        | st.floats().map(str)
        | st.datetimes().map(lambda at: at.strftime("%a, %d %b %Y %H:%M:%S GMT")),
    )
)
def test_any_retry_after_is_a_time_within_reason_or_none(headers: dict[str, str]) -> None:
    seconds = retry_after_s(headers, FakeClock().now())
    assert seconds is None or 0 <= seconds <= LONGEST_ASKED_S
