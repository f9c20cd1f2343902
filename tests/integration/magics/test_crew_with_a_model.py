"""A crew on a model from a cell: a real kernel, a real runner, a server on loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.magics.conftest import Desk
from tests.model_server import Call, ModelServer, Reply
from tests.planned import plan, task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.magics.conftest import Kernel
    from tests.model_server import Asked

pytestmark = pytest.mark.timeout(120)
KEY = "one-of-these-tests"  # pragma: allowlist secret
GOAL = "Is anything unused?"
PRICED = """
[profiles.priced]
base_url = "URL"
key = "OPENAI_API_KEY"
model = "scripted"

[profiles.priced.prices."scripted"]
input = 1.0
output = 1.0
"""
ABSURD = {"prompt_tokens": 10**9, "completion_tokens": 1, "total_tokens": 10**9}
READS = 6


def said(asked: Asked) -> str:
    return json.dumps(asked.body["messages"])


def planned(sees: tuple[str, ...] = ()) -> Reply:
    more = {"variables": sees} if sees else {}
    read = task("read", goal="Read app.py.", returns="text", seconds=5, tokens=1_000, **more)
    return Reply(text=json.dumps(plan(read, result="read")))


def crew(asked: Asked) -> Reply:
    """Plan one task; read a file in it, and answer."""
    text = said(asked)
    if "The person's goal" in text:
        return planned(("df",) if "variable df" in text else ())
    if "answer of read-file" in text:
        return Reply(text="One import too many.")
    return Reply(calls=(Call("read-file", '{"path": "app.py"}'),))


def spender(asked: Asked) -> Reply:
    """Plan the same, and read often, each time with a count of tokens that nobody believes.

    Such calls are paid as if they were as dear as they could be.
    """
    text = said(asked)
    reads = text.count("answer of read-file")
    if "The person's goal" in text or reads >= READS:
        return crew(asked)
    arguments = json.dumps({"path": "app.py", "last_line": reads + 1})
    return Reply(calls=(Call("read-file", arguments),), usage=ABSURD)


@pytest.fixture
def serve() -> Iterator[Callable[[Any], ModelServer]]:
    servers: list[ModelServer] = []

    def start(script: Any) -> ModelServer:
        servers.append(ModelServer(script).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HYPERNB_MODE", "HYPERNB_MODEL"):
        monkeypatch.delenv(name, raising=False)
    made = Desk(tmp_path)
    yield made
    made.clear()


def kernel(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, url: str = "", key: str = KEY
) -> Kernel:
    if key:
        monkeypatch.setenv("OPENAI_API_KEY", key)
    made = desk.kernel()
    if url:
        made.ok(f"%config HyperMagics.base_url = {url!r}")
    return made


def test_goal_becomes_a_result_and_anyone_can_replay_it(
    desk: Desk, serve: Callable[[Any], ModelServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(crew)
    mine = kernel(desk, monkeypatch, server.url)
    mine.ok("import pandas as pd; df = pd.DataFrame({'mail': ['ana@shop.example'] * 9})")
    proposed = mine.ok(f"%%hyper --model scripted --in df --see df=sample:2 --record\n{GOAL}")
    host = server.url.split("/")[2]
    assert f"scripted at {host}" in proposed.text
    assert "cost not known" in proposed.text
    lens = mine.ok("%hyper egress").text
    assert host in lens
    assert "ana@shop.example" not in lens
    mine.ok(f"%hyper approve {desk.newest} --wait")
    mine.ok(f"%hyper result {desk.newest} --out answer")
    assert mine.ok("answer").value == "'One import too many.'"
    why = mine.ok("%hyper why answer").text
    assert f"scripted at {host}" in why
    assert "unknown for" in why
    assert "scripted" in mine.ok("%hyper usage --by model").text
    assert KEY not in json.dumps([m["content"] for m in proposed.messages], default=str)

    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("HYPERNB_MODE", "replay")
    asked_before = len(server.asked)
    anyone = kernel(desk, monkeypatch, key="")
    anyone.ok("import pandas as pd; df = pd.DataFrame({'mail': ['ana@shop.example'] * 9})")
    cell = f"%%hyper --model scripted --in df --see df=sample:2 --record --yes --wait\n{GOAL}"
    anyone.ok(cell)
    assert anyone.ok("%hyper result").value == "'One import too many.'"
    assert len(server.asked) == asked_before


def test_cell_that_waits_ends_when_the_money_is_spent(
    desk: Desk, serve: Callable[[Any], ModelServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(spender)
    (desk.folder / "config.toml").write_text(PRICED.replace("URL", server.url))
    mine = kernel(desk, monkeypatch)
    line = "--model priced --budget 0.02 --yes --wait"
    cell = mine.run(f"%%hyper {line}\n{GOAL}")
    ref = desk.newest
    assert cell.error.startswith(f"MissionWaitsError: Mission {ref} waits for you")
    assert f"%hyper resume {ref} --budget" in cell.error
    assert len(cell.error.splitlines()) == 1
    shown = " ".join(mine.ok(f"%hyper show {ref}").text.split())
    assert f"%hyper resume {ref} --finish" in shown
    mine.ok(f"%hyper resume {ref} --budget 1")
    mine.ok(f"%hyper wait {ref}")
    assert mine.ok("%hyper result").value == "'One import too many.'"
    assert "quoted:" in " ".join(mine.ok(f"%hyper show {ref}").text.split())


def test_cell_that_waits_ends_when_nobody_has_the_key(
    desk: Desk, serve: Callable[[Any], ModelServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(crew)
    mine = kernel(desk, monkeypatch, server.url)
    mine.ok(f"%%hyper --model scripted\n{GOAL}")
    # Its view would start a runner that has the key.
    mine.shut_down()
    desk.kernels.remove(mine)
    monkeypatch.delenv("OPENAI_API_KEY")
    other = kernel(desk, monkeypatch, key="")
    other.ok(f"%hyper show {desk.newest}")
    cell = other.run(f"%hyper approve {desk.newest} --wait")
    assert cell.error.startswith("MissionWaitsError")
    assert "it needs OPENAI_API_KEY" in cell.error
    assert "%hyper attach" in cell.error
    assert len(cell.error.splitlines()) == 1
    again = kernel(desk, monkeypatch)
    again.ok(f"%hyper wait {desk.newest}")
    assert again.ok("%hyper result").value == "'One import too many.'"


def test_doctor_says_what_works_with_the_model(
    desk: Desk, serve: Callable[[Any], ModelServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(Reply(text='{"ready": true}'))
    mine = kernel(desk, monkeypatch, server.url)
    mine.ok("%config HyperMagics.model = 'scripted'")
    said_so = mine.ok("%hyper doctor").html
    assert "scripted at 127.0.0.1" in said_so
    assert "It was offered a tool and did not call it." in said_so
    offered = mine.ok("%hyper models openai").text
    assert "scripted" in offered or "gpt" in offered
