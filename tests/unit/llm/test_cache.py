from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from hypernb.errors import StoreUnavailableError
from hypernb.llm import cached
from hypernb.model import ChatReply, Finish, ReplySource, ToolCall, ToolSchema
from hypernb.testing import FakeClock
from tests.unit.llm.scripted import SPEC, Scripted, reply, request

if TYPE_CHECKING:
    from datetime import datetime

    from hypernb.abc import ChatModel
    from hypernb.model import ChatRequest


@dataclass
class Entries:
    """What the store keeps, in a dictionary."""

    clock: FakeClock
    kept: dict[str, tuple[datetime, bytes, str, float | None]] = field(default_factory=dict)
    hits: list[str] = field(default_factory=list)

    def cached_reply(self, request_hash: str, *, since: datetime) -> bytes | None:
        found = self.kept.get(request_hash)
        return found[1] if found and found[0] >= since else None

    def cache_reply(
        self, request_hash: str, reply: bytes, *, model: str, cost: float | None
    ) -> None:
        self.kept[request_hash] = (self.clock.now(), reply, model, cost)

    def count_cache_hit(self, request_hash: str) -> None:
        self.hits.append(request_hash)


@dataclass
class Bench:
    """A model behind a cache."""

    answers: list[ChatReply] = field(default_factory=lambda: [reply("3"), reply("4")])
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.entries = Entries(self.clock)
        self.asked = Scripted(self.answers)
        self.model: ChatModel = cached(self.asked, self.entries, 60.0, SPEC, self.clock)

    def ask(self, asked: ChatRequest) -> ChatReply:
        return asyncio.run(self.model.complete(asked))


def test_same_question_is_asked_once() -> None:
    bench = Bench()
    assert [bench.ask(request()).text for _ in range(3)] == ["3", "3", "3"]
    assert len(bench.asked.asked) == 1
    assert len(bench.entries.hits) == 2


def test_hit_costs_nothing_and_what_is_spared_is_known() -> None:
    bench = Bench()
    bench.ask(request())
    hit = bench.ask(request())
    assert (hit.source, hit.cost, hit.duration_s) == (ReplySource.CACHE, 0.0, 0.0)
    assert [(model, cost) for _, _, model, cost in bench.entries.kept.values()] == [
        ("m1", 0.25)
    ]


def test_answers_that_are_too_old_are_asked_for_again() -> None:
    bench = Bench()
    bench.ask(request())
    bench.clock.advance(61)
    assert bench.ask(request()).text == "4"


def test_other_questions_and_other_servers_are_asked() -> None:
    bench = Bench()
    bench.ask(request("a"))
    assert bench.ask(request("b")).text == "4"
    there = SPEC.model_copy(update={"base_url": "https://models.example.org/v1"})
    other = cached(Scripted([reply("far")]), bench.entries, 60.0, there, bench.clock)
    assert asyncio.run(other.complete(request("a"))).text == "far"


def test_age_of_zero_is_no_cache() -> None:
    model = Scripted()
    assert cached(model, Entries(FakeClock()), 0.0, SPEC) is model


def test_hit_streams_its_text() -> None:
    bench = Bench()
    bench.ask(request())
    told: list[str] = []
    asyncio.run(bench.model.complete(request(), on_text=told.append))
    assert told == ["3"]


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(request(temperature=0.7), id="temperature"),
        pytest.param(request(purpose="probe"), id="probe"),
    ],
)
def test_what_wants_another_answer_is_always_asked(asked: ChatRequest) -> None:
    bench = Bench()
    assert [bench.ask(asked).text for _ in range(2)] == ["3", "4"]


def test_temperature_of_zero_is_kept() -> None:
    bench = Bench()
    assert [bench.ask(request(temperature=0.0)).text for _ in range(2)] == ["3", "3"]


CALL = ToolCall(id="c", name="read_file", arguments='{"path": ')


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param(request(), reply("par", finish=Finish.LENGTH), id="cut-off"),
        pytest.param(request(), reply(refusal="no"), id="refused"),
        pytest.param(request(), reply(""), id="empty"),
        pytest.param(request(), reply(source=ReplySource.CASSETTE), id="replayed"),
        pytest.param(request(answer_schema={"a": 1}), reply("not json"), id="form"),
        pytest.param(
            request(tools=(ToolSchema(name="read_file"),)),
            reply("", tool_calls=(CALL,), finish=Finish.TOOL_CALLS),
            id="arguments",
        ),
        pytest.param(
            request(),
            reply("", tool_calls=(CALL,), finish=Finish.TOOL_CALLS),
            id="unknown-tool",
        ),
    ],
)
def test_only_whole_answers_of_the_right_form_are_kept(
    asked: ChatRequest, said: ChatReply
) -> None:
    bench = Bench([said])
    bench.ask(asked)
    assert bench.entries.kept == {}


def test_entry_of_another_version_is_asked_anew() -> None:
    bench = Bench()
    bench.ask(request())
    for key, (at, _, model, cost) in bench.entries.kept.items():
        bench.entries.kept[key] = (at, b'{"words": 3}', model, cost)
    assert bench.ask(request()).text == "4"
    assert bench.ask(request()).text == "4"


@dataclass
class Refusing(Entries):
    """What one thing cannot be done with."""

    refused: str = ""

    def cached_reply(self, request_hash: str, *, since: datetime) -> bytes | None:
        self._refuse("cached_reply")
        return super().cached_reply(request_hash, since=since)

    def cache_reply(
        self, request_hash: str, reply: bytes, *, model: str, cost: float | None
    ) -> None:
        self._refuse("cache_reply")
        super().cache_reply(request_hash, reply, model=model, cost=cost)

    def count_cache_hit(self, request_hash: str) -> None:
        self._refuse("count_cache_hit")
        super().count_cache_hit(request_hash)

    def _refuse(self, what: str) -> None:
        if what == self.refused:
            raise StoreUnavailableError("The store is locked.")


@pytest.mark.parametrize(
    ("refused", "said", "answers"),
    [
        pytest.param("cached_reply", "cannot be used for m1", ["3", "4"], id="reading"),
        pytest.param("cache_reply", "lacks an answer of m1", ["3", "4"], id="keeping"),
        pytest.param("count_cache_hit", "cannot be used for m1", ["3", "3"], id="counting"),
    ],
)
def test_store_that_refuses_costs_no_answer(
    refused: str, said: str, answers: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench()
    entries = Refusing(bench.clock, refused=refused)
    bench.model = cached(bench.asked, entries, 60.0, SPEC, bench.clock)
    assert [bench.ask(request()).text for _ in range(2)] == answers
    assert said in caplog.text


def test_closing_reaches_the_model_behind() -> None:
    bench = Bench()
    asyncio.run(bench.model.aclose())
    assert bench.asked.is_closed
