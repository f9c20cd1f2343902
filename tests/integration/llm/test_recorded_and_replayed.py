"""From a config.toml to a real server, and then from the cassette without one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hypernb.errors import ReplayMissError
from hypernb.llm import ModelSettings, open_model, recording, replaying
from hypernb.model import ChatMessage, ChatReply, ChatRequest, ReplySource, ToolCall, ToolSchema
from tests.model_server import ModelServer, Reply, calls, says

if TYPE_CHECKING:
    from pathlib import Path

    from hypernb.abc import ChatModel
    from tests.model_server import Asked

KEY = "sk-recorded-by-somebody-0123456789"
TOOLS = (ToolSchema(name="count", parameters={"type": "object", "properties": {}}),)


def model(asked: Asked) -> Reply:
    """Call a tool first, and then tell what came of it, with the key that it was shown."""
    messages = asked.body["messages"]
    last = messages[-1]
    if last["role"] == "user":
        return calls("count", path="a.csv")
    return says(f"It has {last['content']} rows. Your key is {KEY}.")


async def converse(chat: ChatModel) -> list[ChatReply]:
    said: tuple[ChatMessage, ...] = (ChatMessage(role="user", content="Rows of a.csv?"),)
    first = await chat.complete(ChatRequest(model="m", messages=said, tools=TOOLS))
    (call,) = first.tool_calls
    # Somebody else's server would have made up another id.
    mine = ToolCall(id=call.id, name=call.name, arguments=call.arguments)
    said += (
        ChatMessage(role="assistant", tool_calls=(mine,)),
        ChatMessage(role="tool", content="7", tool_call_id=mine.id),
    )
    second = await chat.complete(ChatRequest(model="m", messages=said, tools=TOOLS))
    await chat.aclose()
    return [first, second]


async def once(chat: ChatModel, asked: ChatRequest) -> ChatReply:
    try:
        return await chat.complete(asked)
    finally:
        await chat.aclose()


def test_what_one_has_recorded_another_replays_without_key_and_server(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    cassette = tmp_path / "cassettes" / "rows.jsonl"
    with ModelServer(model, key=KEY, models=("scripted",)) as server:
        config = f'model = "mine:scripted"\n[profiles.mine]\nbase_url = "{server.url}"\n'
        (home / "config.toml").write_text(config + 'key = "MY_KEY"\n')
        environ = {"HYPERNB_HOME": str(home), "MY_KEY": KEY}
        found = ModelSettings.load(None, environ).resolve(fingerprint=lambda _: "f" * 16)
        assert found is not None
        spec = found[1]
        chat = open_model(spec, key=ModelSettings.key_of(spec, environ))
        live = asyncio.run(converse(recording(chat, cassette, spec, secrets=[KEY])))
    assert KEY not in cassette.read_text()

    elsewhere = spec.model_copy(update={"base_url": "https://models.example.org/v1", "key": ""})
    again = asyncio.run(converse(replaying(cassette, elsewhere)))
    assert [each.source for each in again] == [ReplySource.CASSETTE] * 2
    assert again[0].tool_calls == live[0].tool_calls
    assert again[1].text.startswith("It has 7 rows.")
    assert [each.use for each in again] == [each.use for each in live]


def test_request_that_was_not_recorded_fails_with_the_difference(tmp_path: Path) -> None:
    cassette = tmp_path / "rows.jsonl"
    with ModelServer(says("7")) as server:
        found = ModelSettings.load(
            None, {"HYPERNB_HOME": str(tmp_path), "OPENAI_BASE_URL": server.url}
        ).resolve("scripted")
        assert found is not None
        asked = ChatRequest(model="m", messages=(ChatMessage(role="user", content="Rows?"),))
        asyncio.run(once(recording(open_model(found[1]), cassette), asked))
    other = ChatRequest(model="m", messages=(ChatMessage(role="user", content="Columns?"),))
    with pytest.raises(ReplayMissError, match="'Columns\\?', and was 'Rows\\?'"):
        asyncio.run(replaying(cassette, found[1]).complete(other))
