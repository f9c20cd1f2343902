"""Every fault that a server can have, by both interfaces, in a stream and at once."""

from __future__ import annotations

import json
import ssl
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from hypernb.errors import (
    ContextTooLargeError,
    KeyMissingError,
    ModelAnswerError,
    ModelRefusedError,
    ModelUnavailableError,
)
from hypernb.model import Finish, ModelSpec, Price
from hypernb.testing import FakeClock
from tests.model_server import Call, ModelServer, Reply, fails, page, refuses, says
from tests.unit.llm.asking import KEY, READ_FILE, Told, ask, request, spec

if TYPE_CHECKING:
    from collections.abc import Callable

WAYS = pytest.mark.parametrize(
    "way",
    [
        pytest.param(
            {"api": api, "streams": streams}, id=f"{api}-{'stream' if streams else 'whole'}"
        )
        for api in ("chat", "responses")
        for streams in (True, False)
    ],
)
GOOD = says("All is well.")
LOST_END = says("word " * 100, finish=None, ends=False)


def first_then_good(first: Reply) -> list[Reply]:
    return [first, GOOD]


def json_body(value: Any) -> Reply:
    return Reply(body=json.dumps(value).encode())


def doubled(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [chunk for chunk in chunks for _ in range(2)]


# -- what passes by itself ----------------------------------------------------------------


@WAYS
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fails(408), id="408"),
        pytest.param(fails(409), id="409"),
        pytest.param(fails(429), id="429"),
        pytest.param(fails(500), id="500"),
        pytest.param(page("<html>bad gateway</html>", status=502), id="502-html"),
        pytest.param(fails(503, retry_after="2"), id="503-retry-after"),
        pytest.param(fails(529), id="529"),
        pytest.param(Reply(cut="before"), id="closed-before-headers"),
        pytest.param(
            Reply("Some words of an answer.", cut="headers"), id="closed-after-headers"
        ),
        pytest.param(
            Reply("Some words of an answer.", cut="middle"), id="closed-in-the-middle"
        ),
        pytest.param(page(), id="html-with-200"),
        pytest.param(Reply(body=b""), id="nothing-with-200"),
        pytest.param(Reply(body=b'{"id": "chatcmpl-1", "cho'), id="malformed-json"),
        pytest.param(json_body({"choices": [], "output": None}), id="empty-choices"),
        pytest.param(json_body({"choices": "none", "output": "none"}), id="wrong-types"),
        pytest.param(
            json_body({"error": {"message": "busy", "code": 503}}), id="error-with-200"
        ),
        pytest.param(json_body([]), id="a-list"),
    ],
)
def test_passing_fault_is_outlived(way: dict[str, Any], fault: Reply) -> None:
    told = Told()
    with ModelServer(first_then_good(fault)) as server:
        reply = ask(spec(server, **way), told=told)
    assert (reply.text, reply.tries, reply.finish) == ("All is well.", 2, Finish.STOP)
    assert told.reasons
    assert told.waits[-1].wait_s == 0


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        pytest.param({"Retry-After": "7"}, 7, id="seconds"),
        pytest.param({"Retry-After": "1.5"}, 1.5, id="a-float"),
        pytest.param({"retry-after-ms": "250"}, 0.25, id="milliseconds"),
        pytest.param({"retry-after-ms": "250", "Retry-After": "9"}, 0.25, id="both"),
        pytest.param({"Retry-After": "7200"}, 7200, id="hours"),
        pytest.param({"Retry-After": "1e300"}, 86_400, id="without-reason"),
        pytest.param(
            {
                "Retry-After": "Sat, 28 Nov 2026 10:01:30 GMT",
                "Date": "Sat, 28 Nov 2026 10:00:00 GMT",
            },
            90,
            id="a-date-by-the-servers-own",
        ),
        pytest.param(
            {"Retry-After": format_datetime(FakeClock().now() + timedelta(seconds=42))},
            42,
            id="a-date-by-ours",
        ),
    ],
)
def test_a_server_is_left_alone_as_long_as_it_asks(
    said: dict[str, str], seconds: float
) -> None:
    told = Told()
    with ModelServer([fails(429, headers=said), GOOD]) as server:
        reply = ask(spec(server), told=told, deadline_s=10)
    assert reply.text == "All is well."
    assert told.waits[0].wait_s == pytest.approx(seconds)
    assert told.waits[0].is_asked


@pytest.mark.parametrize("said", ["soon", "", "-5", "nan", "inf", "Sat, 99 Nov", "1 2", "0"])
def test_nonsense_in_retry_after_is_no_fault(said: str) -> None:
    told = Told()
    with ModelServer([fails(429, retry_after=said)] * 3 + [GOOD]) as server:
        reply = ask(spec(server), told=told)
    assert reply.tries == 4
    assert not any(wait.is_asked for wait in told.waits)


def test_waits_that_were_asked_for_leave_the_deadline_alone() -> None:
    with ModelServer([*[fails(503, retry_after="3600")] * 3, GOOD]) as server:
        reply = ask(spec(server), deadline_s=5)
    assert reply.duration_s >= 3 * 3600


@WAYS
def test_a_fault_that_does_not_pass_ends_with_the_deadline(way: dict[str, Any]) -> None:
    told = Told()
    with ModelServer(fails(500, "the disk is full")) as server:
        with pytest.raises(ModelUnavailableError) as caught:
            ask(spec(server, **way), told=told, deadline_s=60)
        tries = len(server.asked)
    assert "within 60 s" in str(caught.value)
    assert "the disk is full" in str(caught.value)
    assert 3 < tries < 60


def test_a_stream_that_was_cut_begins_anew() -> None:
    told = Told()
    cut = Reply("These words are never finished by any", cut="middle")
    with ModelServer([cut, GOOD]) as server:
        reply = ask(spec(server), told=told)
    assert "" in told.texts
    assert told.text == reply.text == "All is well."


def test_a_stream_without_its_end_is_cut() -> None:
    with ModelServer([says("Half a", finish=None, ends=False), GOOD]) as server:
        assert ask(spec(server)).text == "All is well."


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(says("The whole of it.", ends=False), id="a-finish-and-no-done"),
        pytest.param(says("The whole of it.", finish=None), id="a-done-and-no-finish"),
    ],
)
def test_one_of_the_two_ends_of_a_stream_is_enough(reply: Reply) -> None:
    with ModelServer(reply) as server:
        assert ask(spec(server)).text == "The whole of it."


def test_a_whole_answer_to_a_stream_is_taken() -> None:
    body = {"choices": [{"message": {"content": "At once."}, "finish_reason": "stop"}]}
    with ModelServer(json_body(body)) as server:
        assert ask(spec(server)).text == "At once."


def test_a_stream_that_was_not_asked_for_is_taken() -> None:
    events = b'data: {"choices": [{"delta": {"content": "In "}}]}\r\n\r\n' * 2
    end = b'data: {"choices": [{"finish_reason": "stop"}]}'
    with ModelServer(Reply(body=b": comment\n\n" + events + end)) as server:
        assert ask(spec(server, streams=False)).text == "In In "


# -- what does not ------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        pytest.param(page(), "a web page", id="html"),
        pytest.param(json_body({"choices": [], "output": 7}), "without", id="empty"),
        pytest.param(Reply(body=b"]["), "not JSON", id="malformed"),
        pytest.param(json_body({"error": "out of order"}), "an error", id="error"),
    ],
)
def test_what_is_no_answer_is_asked_for_twice_more(
    way: dict[str, Any], reply: Reply, problem: str
) -> None:
    with ModelServer(reply) as server:
        with pytest.raises(ModelAnswerError, match=problem) as caught:
            ask(spec(server, **way))
        assert len(server.asked) == 3
    assert caught.value.evidence


@WAYS
def test_too_much_text_ends_the_call_and_closes_the_connection(way: dict[str, Any]) -> None:
    endless = says("word " * 2_000_000, piece=50_000)
    with ModelServer(endless) as server:
        with pytest.raises(ModelAnswerError, match="more than") as caught:
            ask(spec(server, **way))
        assert len(server.asked) == 1
    assert len(caught.value.evidence) <= 500


@WAYS
@pytest.mark.parametrize("field", ["name", "id"])
def test_names_and_ids_of_calls_count_like_text(way: dict[str, Any], field: str) -> None:
    long = [
        Call(**({"name": "f", "id": str(n)} | {field: f"{n:06}" * 50_000})) for n in range(4)
    ]
    with ModelServer(Reply(calls=tuple(long))) as server:
        with pytest.raises(ModelAnswerError, match="more than 1,000,000 characters"):
            ask(spec(server, **way))
        assert len(server.asked) == 1


@WAYS
def test_a_wrong_key_is_refused_at_once(way: dict[str, Any]) -> None:
    with ModelServer(GOOD, key="another-key") as server:
        with pytest.raises(ModelRefusedError, match="Check MY_KEY") as caught:
            ask(spec(server, **way, key="MY_KEY"))
        assert len(server.requests) == 1
    assert caught.value.status == 401
    assert KEY not in str(caught.value)


@WAYS
def test_an_unknown_model_is_told_with_near_misses(way: dict[str, Any]) -> None:
    with (
        ModelServer(GOOD) as server,
        pytest.raises(ModelRefusedError, match="Did you mean 'scripted'") as caught,
    ):
        ask(spec(server, **way, name="scrypted"))
    assert "%hyper models PROFILE" in str(caught.value)


@WAYS
def test_a_name_that_cannot_be_seen_is_no_near_miss(way: dict[str, Any]) -> None:
    with (
        ModelServer(GOOD, models=("scripted", "scrypted\u202e")) as server,
        pytest.raises(ModelRefusedError, match="Did you mean 'scripted'\\?"),
    ):
        ask(spec(server, **way, name="scrypted"))


@WAYS
@pytest.mark.parametrize(
    ("called", "profile"), [("work:scrypted", "work"), ("scrypted", "openai")]
)
def test_an_unknown_model_names_the_profile_whose_models_can_be_listed(
    way: dict[str, Any], called: str, profile: str
) -> None:
    with ModelServer(GOOD) as server, pytest.raises(ModelRefusedError) as caught:
        ask(spec(server, **way, name="scrypted"), request(model=called))
    assert f"`%hyper models {profile}` lists all that the server offers" in str(caught.value)


@WAYS
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(None, id="openai"),
        pytest.param(
            fails(400, "prompt is too long: 210000 tokens > 200000 maximum"), id="anthropic"
        ),
        pytest.param(
            Reply(
                status=400,
                body=b'{"error": {"code": 400, "message": "the request exceeds the available '
                b'context size", "type": "exceed_context_size_error", "n_ctx": 4096}}',
            ),
            id="llama.cpp",
        ),
        pytest.param(fails(413, "the input is too long"), id="413"),
    ],
)
def test_too_large_a_request_says_what_is_large(
    way: dict[str, Any], reply: Reply | None
) -> None:
    with (
        ModelServer(reply or GOOD, context_tokens=None if reply else 500) as server,
        pytest.raises(ContextTooLargeError) as caught,
    ):
        ask(spec(server, **way), request("word " * 1000, tools=(READ_FILE,)))
    assert next(iter(caught.value.parts)) == "the goal"
    assert "the tools" in caught.value.parts


def test_a_request_larger_than_the_context_is_not_sent() -> None:
    with ModelServer(GOOD) as server:
        with pytest.raises(ContextTooLargeError, match="about 5,0"):
            ask(spec(server, context_tokens=4000), request("x" * 20_000))
        assert not server.requests


def test_an_account_without_money_is_not_asked_again() -> None:
    broke = fails(429, "You exceeded your current quota.", code="insufficient_quota")
    with ModelServer(broke) as server:
        with pytest.raises(ModelRefusedError, match="exceeded your current quota"):
            ask(spec(server))
        assert len(server.asked) == 1


def test_a_model_without_tools_is_told_before_it_is_asked() -> None:
    with ModelServer(GOOD) as server:
        with pytest.raises(ModelRefusedError, match="cannot be offered tools"):
            ask(spec(server, tools=False), request(tools=(READ_FILE,)))
        assert not server.requests


def test_a_server_without_tools_says_what_to_do() -> None:
    with (
        ModelServer(GOOD, tools=False) as server,
        pytest.raises(ModelRefusedError, match=r"does not support tools.*%hyper doctor"),
    ):
        ask(spec(server), request(tools=(READ_FILE,)))


def test_a_server_without_schemas_says_what_to_do() -> None:
    with (
        ModelServer(GOOD, schema=False) as server,
        pytest.raises(ModelRefusedError, match="schema_mode"),
    ):
        ask(spec(server), request(answer_schema={"type": "object"}))


def test_a_server_without_the_responses_interface_is_told() -> None:
    with (
        ModelServer(GOOD, responses=False) as server,
        pytest.raises(ModelRefusedError, match="cannot be asked by 'responses'"),
    ):
        ask(spec(server, api="responses"))


def test_an_unreachable_host_is_named() -> None:
    with ModelServer(GOOD) as server:
        gone = spec(server)
    told = Told()
    with pytest.raises(ModelUnavailableError, match=f"cannot reach {gone.host}") as caught:
        ask(gone, told=told, deadline_s=30)
    assert "Start the server, or check the address" in str(caught.value)
    assert told.reasons[0].startswith(f"cannot reach {gone.host}")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:11434/v1", "Start the server, or check the address"),
        ("http://gpu-box:8000/v1", "Start the server, or check the address"),
        ("https://api.openai.com/v1", "Check the network, and the address"),
    ],
)
def test_only_a_server_of_ones_own_can_be_started(address: str, said: str) -> None:
    from hypernb.llm._wire import fault_of

    spec = ModelSpec(name="scripted", base_url=address)
    fault = fault_of(spec, httpx2.ConnectError("refused"))
    assert getattr(fault, "hint", "").startswith(said)


def test_a_wait_says_how_long_it_was_tried_and_still_is() -> None:
    with ModelServer(GOOD) as server:
        gone = spec(server)
    told = Told()
    with pytest.raises(ModelUnavailableError):
        ask(gone, told=told, deadline_s=30)
    first, last = told.waits[0], told.waits[4]
    assert first.passed_s < last.passed_s
    ends = [each.passed_s + (each.left_s or 0.0) for each in (first, last)]
    assert ends == pytest.approx([30.0, 30.0])


def test_a_key_that_is_not_there_is_named() -> None:
    with ModelServer(GOOD, key="some-key") as server, pytest.raises(KeyMissingError) as caught:
        ask(spec(server, key="MY_KEY"), key=None)
    assert caught.value.key == "MY_KEY"


def test_a_certificate_that_is_not_trusted_is_no_passing_fault() -> None:
    from hypernb.llm._wire import fault_of

    problem = ssl.SSLCertVerificationError("certificate verify failed")
    problem.verify_message = "self-signed certificate"
    with ModelServer(GOOD) as server:
        fault = fault_of(spec(server), problem)
    assert isinstance(fault, ModelRefusedError)
    assert "self-signed certificate" in str(fault)
    assert "SSL_CERT_FILE" in str(fault)


def test_of_a_long_error_only_the_beginning_is_read() -> None:
    endless = Reply(status=400, body=b"words " * 10_000_000)
    with ModelServer(endless) as server, pytest.raises(ModelRefusedError) as caught:
        ask(spec(server))
    assert len(str(caught.value)) < 1000


def test_a_key_that_cannot_be_sent_is_not_told() -> None:
    with ModelServer(GOOD) as server:
        with pytest.raises(ModelRefusedError, match="MY_KEY") as caught:
            ask(spec(server, key="MY_KEY"), key="sk-one\nsk-two")
        assert not server.requests
    assert "sk-one" not in str(caught.value)


# -- answers that are odd and can be used -------------------------------------------------


@WAYS
def test_a_refusal_is_a_reply(way: dict[str, Any]) -> None:
    with ModelServer(refuses("I would rather not.")) as server:
        reply = ask(spec(server, **way))
    assert (reply.finish, reply.refusal) == (Finish.REFUSED, "I would rather not.")


@WAYS
@pytest.mark.parametrize(
    ("said", "finish"),
    [
        pytest.param("length", Finish.LENGTH, id="length"),
        pytest.param("content_filter", Finish.FILTERED, id="filtered"),
        pytest.param("because", Finish.STOP, id="unknown"),
    ],
)
def test_why_an_answer_ends_is_told(way: dict[str, Any], said: str, finish: Finish) -> None:
    with ModelServer(says("So far.", finish=said)) as server:
        assert ask(spec(server, **way)).finish == finish


@WAYS
def test_calls_of_tools_come_back_as_they_were_written(way: dict[str, Any]) -> None:
    made = (Call("read_file", '{"path": "a.py"}', "one"), Call("no_such", '{"path": ', "two"))
    with ModelServer(Reply("Let me see.", calls=made)) as server:
        reply = ask(spec(server, **way), request(tools=(READ_FILE,)))
    assert [(c.id, c.name, c.arguments) for c in reply.tool_calls] == [
        (call.id, call.name, call.arguments) for call in made
    ]
    assert (reply.text, reply.finish) == ("Let me see.", Finish.TOOL_CALLS)


@WAYS
@pytest.mark.parametrize(
    "usage",
    [
        pytest.param(None, id="missing"),
        pytest.param("many", id="words"),
        pytest.param(
            {
                "prompt_tokens": -1,
                "completion_tokens": 5,
                "input_tokens": -1,
                "output_tokens": 5,
            },
            id="negative",
        ),
        pytest.param(
            {"prompt_tokens": 10**18, "completion_tokens": 5, "input_tokens": 10**18},
            id="beyond-2**53",
        ),
        pytest.param(
            {
                "prompt_tokens": 10**9,
                "completion_tokens": 5,
                "input_tokens": 10**9,
                "output_tokens": 5,
            },
            id="absurd",
        ),
        pytest.param({"prompt_tokens": True, "completion_tokens": 1.5}, id="no-numbers"),
    ],
)
def test_nonsense_of_usage_is_no_usage(way: dict[str, Any], usage: Any) -> None:
    with ModelServer(says("Fine.", usage=usage)) as server:
        reply = ask(spec(server, **way))
    assert (reply.text, reply.use, reply.cost) == ("Fine.", None, None)


def test_usage_is_taken_wherever_it_stands() -> None:
    def first(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [chunks[-1], *chunks[:-1]]

    with ModelServer(says("Fine.", edit=first)) as server:
        use = ask(spec(server)).use
    assert use is not None
    assert use.output_tokens == 2


def test_a_doubled_event_of_the_responses_interface_counts_once() -> None:
    told = Told()
    reply = Reply("The words of an answer.", calls=(Call("f", '{"a": "b"}'),), edit=doubled)
    with ModelServer(reply) as server:
        answer = ask(spec(server, api="responses"), told=told)
    assert told.text == answer.text == "The words of an answer."
    assert answer.tool_calls[0].arguments == '{"a": "b"}'


def test_a_missing_event_of_the_responses_interface_is_in_the_last() -> None:
    reply = says(
        "The words of an answer.", piece=4, edit=lambda events: events[:3] + events[5:]
    )
    with ModelServer(reply) as server:
        assert ask(spec(server, api="responses")).text == "The words of an answer."


def test_a_doubled_chunk_that_is_marked_counts_once() -> None:
    def marked(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return doubled([c | {"obfuscation": f"some noise {at}"} for at, c in enumerate(chunks)])

    with ModelServer(says("no no no", piece=3, edit=marked)) as server:
        assert ask(spec(server)).text == "no no no"


def test_equal_pieces_of_a_text_are_kept() -> None:
    with ModelServer(says("no no no ", piece=3)) as server:
        assert ask(spec(server)).text == "no no no "


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(doubled, id="doubled"),
        pytest.param(lambda chunks: chunks[:2] + chunks[3:], id="one-missing"),
        pytest.param(lambda chunks: chunks[::-1], id="backwards"),
        pytest.param(lambda chunks: [chunks[0] | {"choices": None}, *chunks], id="no-choices"),
    ],
)
def test_chunks_that_are_mixed_up_make_some_reply(
    edit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
) -> None:
    reply = Reply("Some words.", calls=(Call("f", '{"a": "bcd"}'),), piece=4, edit=edit)
    with ModelServer(reply) as server:
        assert ask(spec(server)).finish == Finish.TOOL_CALLS


@pytest.mark.parametrize(
    "index",
    [
        pytest.param(lambda _at: 0, id="all-0"),
        pytest.param(lambda _at: None, id="none"),
        pytest.param(lambda at: -7 * at, id="negative"),
        pytest.param(str, id="words"),
        pytest.param(lambda at: 10**6 + at, id="huge"),
    ],
)
def test_calls_are_told_apart_by_their_ids(index: Callable[[int], Any]) -> None:
    def renumber(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for chunk in chunks:
            for choice in chunk["choices"]:
                for call in choice["delta"].get("tool_calls", ()):
                    call["index"] = index(call["index"])
        return chunks

    made = (
        Call("f", '{"a": "of the first"}', "one"),
        Call("g", '{"b": "of the other"}', "two"),
    )
    with ModelServer(Reply(calls=made, edit=renumber)) as server:
        reply = ask(spec(server))
    assert [(call.name, call.arguments) for call in reply.tool_calls] == [
        (call.name, call.arguments) for call in made
    ]


def test_calls_without_ids_get_some() -> None:
    with ModelServer(Reply(calls=(Call("f", "{}", ""), Call("g", "{}", "")))) as server:
        reply = ask(spec(server, streams=False))
    assert [call.id for call in reply.tool_calls] == ["call_1", "call_2"]


def test_arguments_that_are_an_object_are_taken() -> None:
    def as_object(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
        function = bodies[0]["choices"][0]["message"]["tool_calls"][0]["function"]
        function["arguments"] = {"path": "a.py"}
        return bodies

    with ModelServer(Reply(calls=(Call("f"),), edit=as_object)) as server:
        assert ask(spec(server, streams=False)).tool_calls[0].arguments == '{"path":"a.py"}'


@pytest.mark.parametrize(
    "broken", [says("word " * 100, cut="middle"), LOST_END], ids=["cut", "end"]
)
def test_answers_that_were_broken_off_count_as_used(broken: Reply) -> None:
    with ModelServer([broken, says("fine")]) as server:
        twice = ask(spec(server, price=Price(input=1, output=1)))
    with ModelServer(says("fine")) as server:
        once = ask(spec(server, price=Price(input=1, output=1)))
    assert (twice.text, twice.tries) == ("fine", 2)
    assert twice.use is not None
    assert once.use is not None
    assert twice.use.input_tokens > once.use.input_tokens
    assert twice.use.output_tokens > once.use.output_tokens
    assert (twice.cost or 0) > (once.cost or 0) > 0


def test_call_that_fails_says_what_its_answers_have_used() -> None:
    with ModelServer(LOST_END) as server, pytest.raises(ModelAnswerError) as failed:
        ask(spec(server, max_output_tokens=50))
    read, wrote = failed.value.used
    assert read > 0
    assert wrote == 3 * 50  # no more than each may have


@WAYS
def test_answers_that_break_off_are_paid_five_times_at_most(way: dict[str, Any]) -> None:
    cut = says("word " * 200, cut="middle")
    with ModelServer(cut) as server, pytest.raises(ModelAnswerError) as failed:
        ask(spec(server, **way))
    assert len(server.asked) == 5
    assert "has broken off 5 answers of one call" in str(failed.value)
    assert "the last one: lost the connection" in str(failed.value)
    assert "word word" in failed.value.evidence
    assert "timeout_s" in failed.value.hint
    read, wrote = failed.value.used
    assert read >= 5 * 16
    assert wrote > 5 * 40


def test_answers_that_never_begin_are_waited_for_until_the_deadline() -> None:
    script = [*[Reply(cut="before")] * 4, *[Reply(cut="headers")] * 4, GOOD]
    with ModelServer(script) as server:
        assert ask(spec(server)).tries == 9


def test_call_without_an_answer_has_used_nothing() -> None:
    with ModelServer(page()) as server, pytest.raises(ModelAnswerError) as failed:
        ask(spec(server))
    assert failed.value.used == (0, 0)


DEEP = "[" * 400 + "]" * 400
DEEP_CALL = f'{{"id": "a", "function": {{"name": "read_file", "arguments": {DEEP}}}}}'


@WAYS
@pytest.mark.parametrize(
    "choice",
    [
        f'{{"finish_reason": "tool_calls", "WHERE": {{"tool_calls": [{DEEP_CALL}]}}}}',
        f'{{"finish_reason": "stop", "x": {DEEP}, "WHERE": {{"content": "fine"}}}}',
    ],
    ids=["arguments", "elsewhere"],
)
def test_json_that_is_nested_without_end_is_no_answer(choice: str, way: dict[str, Any]) -> None:
    where = "delta" if way["streams"] else "message"
    body = f'{{"choices": [{choice.replace("WHERE", where)}]}}'
    sent = f"data: {body}\n\ndata: [DONE]\n\n" if way["streams"] else body
    with (
        ModelServer(Reply(body=sent.encode())) as server,
        pytest.raises(ModelAnswerError) as no,
    ):
        ask(spec(server, **way), request(tools=(READ_FILE,)))
    assert "nested" in str(no.value)


@WAYS
def test_half_of_a_character_spoils_no_answer(way: dict[str, Any]) -> None:
    with ModelServer(says("Good \ud83d news.")) as server:
        assert ask(spec(server, **way)).text == "Good ? news."
        assert len(server.asked) == 1
