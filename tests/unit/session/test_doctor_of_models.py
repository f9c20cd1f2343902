"""What the doctor says of models, and work with one that can be interrupted."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from hypernb.errors import UsageError
from hypernb.session import Check, Session
from hypernb.session._apart import telling
from tests.model_server import ModelServer, says

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(says("ready"), models=("scripted", "other")) as started:
        yield started


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path))
    for name in ("HYPERNB_MODEL", "HYPERNB_MODE", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with Session(tmp_path / "store.db", root=tmp_path) as opened:
        yield opened


def of_models(checks: list[Check]) -> dict[str, Check]:
    return {check.what: check for check in checks if check.what.startswith("model")}


def configured(session: Session, server: ModelServer) -> Session:
    session.settings = {"model": "vllm:scripted"}
    (session.root / "config.toml").write_text(
        f'[profiles.vllm]\nbase_url = "{server.url}"\nkey = ""\n'
    )
    return session


def test_doctor_asks_the_configured_model_and_says_what_it_cost(
    session: Session, server: ModelServer
) -> None:
    told: list[tuple[str, int]] = []

    def tell(words: str) -> None:
        told.append((words, len(server.asked)))

    found = of_models(configured(session, server).doctor(on_progress=tell))
    assert found["model, answers"].ok
    assert {"model, streaming", "model, tools"} <= set(found)
    assert found["model, cost"].found == f"the {len(server.asked)} calls cost $0.00"
    assert told[0] == (f"asks scripted at {server.host} for a word", 0)


def test_doctor_names_file_section_and_lines_that_would_fit_better(
    session: Session, server: ModelServer
) -> None:
    better = of_models(configured(session, server).doctor())["model, settings"]
    file = session.root / "config.toml"
    assert better.word == "could be better"
    assert better.next_step.startswith(f"In {file}, below [profiles.vllm], write ")
    assert "tools = false" in better.next_step


def test_doctor_leaves_the_profile_of_another_server_as_it_is(
    session: Session, server: ModelServer
) -> None:
    session.settings = {"model": "scripted", "base_url": server.url}
    better = of_models(session.doctor())["model, settings"].next_step
    file = session.root / "config.toml"
    assert better.startswith(f"In {file}, below [profiles.here], write base_url = ")
    assert f'"{server.url}" and ' in better
    assert "tools = false" in better
    assert better.endswith(", and name the model here:scripted.")


def test_doctor_says_that_nobody_knows_what_it_cost(
    session: Session, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", server.key or "sk-for-the-tests")
    session.settings = {"model": "scripted"}
    assert of_models(session.doctor())["model, cost"].found.endswith("cost is not known")


def test_doctor_that_is_to_ask_nobody_says_so(session: Session, server: ModelServer) -> None:
    found = of_models(configured(session, server).doctor(offline=True))
    assert list(found) == ["model", "model, probe"]
    assert found["model, probe"].found == "nothing was probed: --offline says so"
    assert server.asked == []


def test_doctor_asks_the_model_that_is_named_in_place_of_the_configured_one(
    session: Session, server: ModelServer
) -> None:
    found = of_models(configured(session, server).doctor(model="vllm:other"))
    assert found["model"].found == f"vllm:other: other at {server.host}"
    assert {asked.body["model"] for asked in server.asked} == {"other"}
    with pytest.raises(UsageError, match="exclude each other"):
        session.doctor(model="vllm:other", offline=True)


def test_doctor_in_a_replay_asks_nobody_and_says_so(
    session: Session, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_MODE", "replay")
    for name in ("", "vllm:other"):
        found = of_models(configured(session, server).doctor(model=name))
        assert "a cassette answers" in found["model, probe"].found
    assert server.requests == []


def test_doctor_without_a_model_says_in_one_line_that_the_rest_works(session: Session) -> None:
    found = of_models(session.doctor())
    assert list(found) == ["model"]
    assert found["model"].ok
    assert found["model"].found == "no model is configured; everything that works offline works"


def test_doctor_without_the_key_of_the_model_asks_nobody(
    session: Session, server: ModelServer
) -> None:
    (session.root / "config.toml").write_text(
        f'model = "work:m"\n[profiles.work]\nbase_url = "{server.url}"\nkey = "WORK_KEY"\n'
    )
    found = of_models(session.doctor())
    assert "WORK_KEY is not set here" in found["model"].found
    assert found["model, probe"].word == "not fine"
    assert server.requests == []


def test_host_that_is_not_there_is_one_line_of_the_doctor(session: Session) -> None:
    session.settings = {"model": "vllm:m"}
    (session.root / "config.toml").write_text(
        '[profiles.vllm]\nbase_url = "http://127.0.0.1:9/v1"\nkey = ""\n'
    )
    found = of_models(session.doctor())
    assert [each.what for each in found.values() if not each.ok] == ["model, answers"]
    assert "cannot reach 127.0.0.1:9" in found["model, answers"].found
    assert "Start the server" in found["model, answers"].next_step


def test_what_to_do_about_a_refusal_stands_apart_from_it(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_TEST_KEY", "sk-another-one-of-them")
    with ModelServer(says("x"), key="sk-for-the-tests") as server:
        (session.root / "config.toml").write_text(
            f'model = "work:scripted"\n[profiles.work]\nbase_url = "{server.url}"\n'
            'key = "HYPERNB_TEST_KEY"\n'
        )
        found = of_models(session.doctor())["model, answers"]
    assert "is closed to this key" in found.found
    assert "HYPERNB_TEST_KEY" in found.next_step
    assert "HYPERNB_TEST_KEY" not in found.found


def test_words_are_told_in_this_thread_and_in_order() -> None:
    told: list[tuple[str, threading.Thread]] = []

    async def work(say: Callable[[str], None]) -> int:
        say("one")
        say("two")
        return 42

    found = telling(work, lambda words: told.append((words, threading.current_thread())))
    assert found == 42
    here = threading.current_thread()
    assert told == [("one", here), ("two", here)]


def test_interrupting_ends_the_work() -> None:
    ended: list[str] = []

    async def work(say: Callable[[str], None]) -> None:
        try:
            say("asks")
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    def interrupt(_words: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        telling(work, interrupt)
    assert ended == ["cancelled"]


def test_error_of_the_work_comes_through() -> None:
    async def work(_say: Callable[[str], None]) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        telling(work, print)
