from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.agents._fences import fence
from hypernb.errors import ConfigError, ReplayMissError
from hypernb.llm import Cassette, recording, replaying
from hypernb.llm._scrubbing import Scrubbing
from hypernb.model import ChatMessage, ChatReply, ReplySource, ToolCall
from tests.unit.llm.scripted import SPEC, Scripted, reply, request

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hypernb.abc import ChatModel
    from hypernb.model import ChatRequest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cassettes" / "a.jsonl"


def ask(model: ChatModel, *asked: ChatRequest) -> list[ChatReply]:
    async def all_of_them() -> list[ChatReply]:
        return [await model.complete(each) for each in asked]

    return asyncio.run(all_of_them())


def record(path: Path, said: Sequence[ChatReply], *asked: ChatRequest, **more: Any) -> None:
    ask(recording(Scripted(list(said)), path, SPEC, **more), *asked)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_was_recorded_is_replayed(path: Path) -> None:
    record(path, [reply("3"), reply("4")], request("a"), request("b"))
    model = replaying(path, SPEC)
    assert [each.text for each in ask(model, request("b"), request("a"))] == ["4", "3"]


def test_replayed_answers_say_where_they_are_from_and_cost_nothing(path: Path) -> None:
    record(path, [reply("3", tries=2)], request())
    (said,) = ask(replaying(path, SPEC), request())
    assert (said.source, said.cost, said.duration_s) == (ReplySource.CASSETTE, 0.0, 0.0)
    assert said.use == reply().use


def test_same_request_gets_its_answers_in_order_then_the_last_again(path: Path) -> None:
    record(path, [reply("1"), reply("2")], request(), request())
    said = ask(replaying(path, SPEC), request(), request(), request())
    assert [each.text for each in said] == ["1", "2", "2"]


def test_file_has_a_first_line_and_one_entry_for_each_request(path: Path) -> None:
    record(path, [reply("1"), reply("2")], request(), request())
    first, *rest = lines(path)
    assert (first["hypernb"], first["version"]) == ("cassette", 1)
    assert first["made_by"].startswith("hypernb ")
    assert [("request" in each, len(each["replies"])) for each in rest] == [
        (True, 1),
        (False, 1),
    ]


def test_replay_streams_the_text(path: Path) -> None:
    record(path, [reply("3")], request())
    told: list[str] = []
    asyncio.run(replaying(path, SPEC).complete(request(), on_text=told.append))
    assert "".join(told) == "3"


def test_replay_opens_no_socket(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(path, [reply("3")], request("a"))

    async def with_sockets_forbidden() -> ChatReply:
        def refuse(*_: Any, **__: Any) -> None:
            raise AssertionError("a socket was opened")

        monkeypatch.setattr(socket, "socket", refuse)
        model = replaying(path, SPEC)
        with pytest.raises(ReplayMissError):
            await model.complete(request("b"))
        return await model.complete(request("a"))

    assert asyncio.run(with_sockets_forbidden()).text == "3"


def test_miss_names_the_nearest_request_and_where_it_differs(path: Path) -> None:
    record(path, [reply()], request("Name all columns"), request("Count the rows of df"))
    with pytest.raises(ReplayMissError) as caught:
        ask(replaying(path, SPEC), request("Count the runs of df"))
    assert "messages[0].content is 'Count the runs of df'" in caught.value.nearest
    assert "was 'Count the rows of df'" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_miss_names_what_differs_in_a_fence_and_not_its_mark(path: Path) -> None:
    record(path, [reply()], request(fence("variable df", "a frame\n40 rows, 3 columns")))
    with pytest.raises(ReplayMissError) as caught:
        ask(replaying(path, SPEC), request(fence("variable df", "a frame\n41 rows, 3 columns")))
    told = caught.value.nearest
    assert "41 rows, 3 columns\\n</data M>', and was" in told
    assert "40 rows, 3 columns\\n</data M>' when" in told


def test_miss_in_an_empty_cassette_has_nothing_near(path: Path) -> None:
    recording(Scripted(), path, SPEC)
    with pytest.raises(ReplayMissError) as caught:
        ask(replaying(path, SPEC), request())
    assert caught.value.nearest == ""


def test_secrets_and_homes_are_not_in_the_file(path: Path) -> None:
    said = reply("Your key is very-own-key, and ghp_" + "a1" * 18)
    asked = request("very-own-key in /home/ada/notes, password=hunter2")
    record(path, [said], asked, secrets=["very-own-key"])
    text = path.read_text()
    for secret in ("very-own-key", "ghp_a1", "/home/ada", "hunter2"):
        assert secret not in text


def test_another_key_and_home_find_the_same_answer(path: Path) -> None:
    record(path, [reply("yes")], request("key-of-ada in /home/ada/x"), secrets=["key-of-ada"])
    model = replaying(path, SPEC, secrets=["key-of-bob"])
    assert ask(model, request("key-of-bob in /home/bob/x"))[0].text == "yes"


def test_another_checkout_finds_the_same_answer(path: Path) -> None:
    call = ToolCall(id="c1", name="read_file", arguments='{"path": "/srv/one/a.py"}')
    said = reply("", tool_calls=(call,))
    record(path, [said], request("Look at /srv/one/a.py"), root="/srv/one")
    model = replaying(path, SPEC, root="/data/two")
    (found,) = ask(model, request("Look at /data/two/a.py"))
    assert json.loads(found.tool_calls[0].arguments) == {"path": "/data/two/a.py"}


def test_arguments_stay_json_when_they_are_scrubbed() -> None:
    call = ToolCall(id="c", name="t", arguments='{"token": "abc", "n": 1}')
    kept = Scrubbing().reply(reply(tool_calls=(call,))).tool_calls[0].arguments
    assert json.loads(kept) == {"token": "[secret]", "n": 1}


def test_name_of_the_user_goes_out_of_paths_only() -> None:
    scrubbing = Scrubbing(home="/data/people/mara", user="mara")
    said = "mara in /data/people/mara/x and /var/mail/mara/y and ~mara"
    assert scrubbing.text(said) == "mara in ~/x and /var/mail/user/y and ~mara"


def test_line_that_was_cut_off_is_ignored_and_told(path: Path) -> None:
    record(path, [reply()], request("a"), request("b"))
    os.truncate(path, path.stat().st_size - 20)
    cassette = Cassette.load(path)
    assert len(cassette) == 1
    assert "line 3, was cut off" in cassette.errors[0]


@pytest.mark.parametrize("kept", [20, 5_000], ids=["one-of-two", "none"])
def test_miss_tells_of_a_line_that_was_cut_off(path: Path, kept: int) -> None:
    record(path, [reply()], request("a"), request("b" * 4_000))
    first = path.read_bytes().index(b"\n") + 1
    os.truncate(path, max(first + 20, path.stat().st_size - kept))
    with pytest.raises(ReplayMissError) as caught:
        ask(replaying(path, SPEC), request("b" * 4_000))
    told = str(caught.value)
    assert "was cut off and is ignored." in told
    assert ("The nearest request differs: messages[0]" in told) == (kept == 20)


def test_recording_goes_on_after_a_line_that_was_cut_off(path: Path) -> None:
    record(path, [reply()], request("a"), request("b"))
    os.truncate(path, path.stat().st_size - 20)
    record(path, [reply("again")], request("b"))
    assert Cassette.load(path).errors == []
    assert ask(replaying(path, SPEC), request("b"))[0].text == "again"


def test_last_line_without_an_end_counts_if_it_is_whole(path: Path) -> None:
    record(path, [reply()], request("a"))
    os.truncate(path, path.stat().st_size - 1)
    assert len(Cassette.load(path)) == 1
    record(path, [reply()], request("b"))
    assert len(Cassette.load(path)) == 2


def _record_many(path: Path, name: str) -> None:
    async def at_once() -> None:
        model = recording(Scripted([reply("x" * 5_000)]), path, SPEC)
        await asyncio.gather(*(model.complete(request(f"{name} {n}")) for n in range(25)))

    asyncio.run(at_once())


def test_several_processes_and_loops_record_to_one_file(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_record_many, args=(path, f"p{n}")) for n in range(3)]
    for each in others:
        each.start()
    _record_many(path, "own")
    for each in others:
        each.join(50)
    assert len(Cassette.load(path)) == 100


def _record_until_killed(path: Path) -> None:
    model = recording(Scripted([reply("x" * 20_000)]), path, SPEC)
    for number in range(100_000):
        ask(model, request(str(number)))


def test_recorder_that_is_killed_leaves_whole_entries(path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=_record_until_killed, args=(path,)
    )
    process.start()
    while not path.exists() or path.stat().st_size < 200_000:
        process.join(0.01)
        assert process.exitcode is None
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(20)
    count = len(Cassette.load(path))
    record(path, [reply()], request("after"))
    assert len(Cassette.load(path)) == count + 1


FIRST = b'{"hypernb":"cassette","version":1}\n'
HASH = b'{"hash":"' + b"0" * 64 + b'","replies":'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "is no cassette", id="empty"),
        pytest.param(b"\x80\x04\x95pickle", "is no cassette", id="pickle"),
        pytest.param(b"SQLite format 3\0", "is no cassette", id="binary"),
        pytest.param(b'{"hypernb":"cassette","version":9}\n', "has version 9", id="version"),
        pytest.param(FIRST + b"x\n", "line 2, is not JSON", id="no-json"),
        pytest.param(FIRST + b"[" * 100_000 + b"\n", "line 2, is not JSON", id="deep"),
        pytest.param(FIRST + b"[]\n", "line 2, is no entry", id="list"),
        pytest.param(FIRST + b'{"hash":"x","replies":[{}]}\n', "has no hash", id="hash"),
        pytest.param(FIRST + HASH + b"{}}\n", "no list of replies", id="replies"),
        pytest.param(FIRST + HASH + b"[]}\n", "no list of replies", id="no-reply"),
        pytest.param(FIRST + HASH + b'["x"]}\n', "has a reply that is none", id="text"),
        pytest.param(FIRST + HASH + b'[{"text":3}]}\n', "reply that is none: text", id="type"),
        pytest.param(FIRST + HASH + b'[{"evil":3}]}\n', "reply that is none: evil", id="key"),
    ],
)
def test_hostile_cassette_is_refused_with_its_line(
    tmp_path: Path, data: bytes, said: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=said) as caught:
        replaying(path, SPEC)
    assert len(str(caught.value)) < 600


def test_line_without_end_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(FIRST)
    os.truncate(path, 90_000_000)  # a hole: nothing is written
    with pytest.raises(ConfigError, match="line 2, is longer than"):
        replaying(path, SPEC)


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.jsonl"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(ConfigError):
        replaying(path, SPEC)
    if kind != "missing":
        with pytest.raises(ConfigError):
            recording(Scripted(), path, SPEC)


def test_nothing_is_appended_to_other_files(tmp_path: Path) -> None:
    other = tmp_path / "profile"
    other.write_text("export A=1\n")
    link = tmp_path / "a.jsonl"
    link.symlink_to(other)
    for path in (other, link):
        with pytest.raises(ConfigError):
            recording(Scripted(), path, SPEC)
    assert other.read_text() == "export A=1\n"


def test_answer_that_cannot_be_kept_is_returned(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = recording(Scripted(), path, SPEC)
    path.unlink()
    path.mkdir()
    assert ask(model, request())[0].text == "3"
    assert "lacks an answer" in caplog.text


def test_closing_reaches_the_model_that_is_recorded(path: Path) -> None:
    model = Scripted()
    asyncio.run(recording(model, path).aclose())
    assert model.is_closed


@pytest.mark.parametrize(
    "said",
    [
        pytest.param('{ "path": "/srv/one/a.py",\n  "token": "abc" }', id="json"),
        pytest.param("see /srv/one/a.py and /home/ada, password: hunter2", id="text"),
        pytest.param("{not json: /srv/one, ghp_" + "a1" * 18, id="nearly-json"),
    ],
)
def test_what_was_said_is_found_again_in_the_next_request(path: Path, said: str) -> None:
    async def converse(model: ChatModel) -> str:
        first = await model.complete(request("a"))
        messages = (
            *request("a").messages,
            ChatMessage(role="assistant", content=first.text),
            ChatMessage(role="user", content="and then?"),
        )
        asked = request().model_copy(update={"messages": messages})
        return (await model.complete(asked)).text

    scripted = Scripted([reply(said), reply("the end")])
    asyncio.run(converse(recording(scripted, path, root="/srv/one")))
    assert asyncio.run(converse(replaying(path, SPEC, root="/data/two"))) == "the end"


def test_conversation_is_found_by_all_of_it(path: Path) -> None:
    more = request("a").model_copy(
        update={
            "messages": (
                ChatMessage(role="user", content="a"),
                ChatMessage(role="assistant", content="3"),
                ChatMessage(role="user", content="why?"),
            )
        }
    )
    record(path, [reply("3"), reply("because")], request("a"), more)
    shorter = more.model_copy(update={"messages": more.messages[:2]})
    with pytest.raises(ReplayMissError, match=r"messages\[2\] is not there, and was an object"):
        ask(replaying(path, SPEC), shorter)
    assert ask(replaying(path, SPEC), more)[0].text == "because"


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(ChatReply(text="x" * 1_000_001), id="text"),
        pytest.param(
            ChatReply(
                tool_calls=tuple(
                    ToolCall(id=f"{n}", name="a", arguments="") for n in range(129)
                )
            ),
            id="calls",
        ),
    ],
)
def test_answer_that_no_server_may_give_is_not_replayed(path: Path, said: ChatReply) -> None:
    record(path, [said], request())
    with pytest.raises(ReplayMissError, match="more than 1,000,000 characters or 128 calls"):
        ask(replaying(path, SPEC), request())
