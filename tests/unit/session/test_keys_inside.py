"""Keys that lie in what is to be stored, however the value holds and writes them."""

from __future__ import annotations

import os
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import hypernb
from hypernb.errors import UsageError
from hypernb.plan import Plan
from hypernb.session._keys_inside import refuse_keys
from hypernb.tools import forget_tool
from tests.kept import kept_in
from tests.model_server import ModelServer, says

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hypernb.session import Mission, Session

KEY = "gateway-key-of-team-alpha"  # no pattern knows it


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def environment() -> pd.DataFrame:
    return pd.DataFrame({"k": list(os.environ), "v": list(os.environ.values())})


def refused(value: Any) -> None:
    plan = Plan("look", inputs={"env": value})
    plan.add("look", agent="qa-engineer", tools=("ruff",))
    spec, payloads = plan.build()
    refuse_keys(spec, payloads, None)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(environment, id="frame"),
        pytest.param(lambda: environment().set_index("v"), id="index"),
        pytest.param(lambda: environment().set_index(["k", "v"]), id="index-of-two"),
        pytest.param(lambda: environment().astype("category"), id="categories"),
        pytest.param(lambda: environment().astype("string"), id="text-of-pandas"),
        pytest.param(lambda: environment()["v"], id="series"),
        pytest.param(lambda: pd.DataFrame({KEY: [1]}), id="name-of-a-column"),
        pytest.param(
            lambda: pd.DataFrame({"a": [1]}, index=pd.Index([2], name=KEY)),
            id="name-of-an-index",
        ),
        pytest.param(lambda: pd.DataFrame({"a": [{"b": [KEY]}]}), id="cell-that-holds-it"),
        pytest.param(lambda: np.array(["a", KEY]), id="array-of-text"),
        pytest.param(lambda: np.array(["a", KEY], dtype=object), id="array-of-objects"),
        pytest.param(lambda: {"a": [("b", {KEY})]}, id="nested"),
        pytest.param(lambda: {KEY: 1}, id="name-in-a-dictionary"),
        pytest.param(lambda: KEY.encode("utf-16"), id="utf-16"),
        pytest.param(lambda: "Basic " + b64encode(f"u:{KEY}".encode()).decode(), id="basic"),
        pytest.param(lambda: KEY.encode().hex(), id="hex"),
        pytest.param(lambda: KEY.replace("-", "%2D"), id="address"),
    ],
)
def test_what_holds_a_key_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="OPENAI_API_KEY stands in the input 'env'"):
        refused(value())


def test_what_holds_none_is_taken() -> None:
    refused(pd.DataFrame({"k": ["OPENAI_API_KEY", "gateway-key-of-team-beta"]}))


def test_a_long_frame_is_looked_through_to_its_end() -> None:
    frame = pd.DataFrame({"line": [f"line {number}" for number in range(300_000)]})
    frame.loc[len(frame)] = KEY
    with pytest.raises(UsageError):
        refused(frame)


def proposed(session: Session, **fields: Any) -> Mission:
    plan = Plan("look", root=session.root)
    plan.add("look", agent="qa-engineer", **{"goal": "Look.", "tools": ("ruff",), **fields})
    return session.start(plan)


@pytest.mark.parametrize(
    ("write", "where"),
    [
        pytest.param(
            lambda mission: mission.edit({"look": {"check": f"use {KEY}"}}),
            "the task 'look'",
            id="check",
        ),
        pytest.param(
            lambda mission: mission.edit({"look": {"prompt": f"use {KEY}"}}),
            "the task 'look'",
            id="prompt",
        ),
        pytest.param(
            lambda mission: mission.edit(
                add=[{"name": "more", "agent": "qa-engineer", "goal": KEY}]
            ),
            "the task 'more'",
            id="added",
        ),
        pytest.param(
            lambda mission: mission.edit(
                add=[{"name": KEY, "agent": "qa-engineer", "goal": "Look."}]
            ),
            r"the task '\[secret\]'",
            id="name",
        ),
        pytest.param(lambda mission: mission.edit(hosts=[KEY]), "the plan", id="hosts"),
        pytest.param(
            lambda mission: mission.fork("look", {"look": {"check": KEY.encode().hex()}}),
            "the task 'look'",
            id="fork",
        ),
        pytest.param(lambda mission: mission.comment(f"a {KEY}"), "the comment", id="comment"),
        pytest.param(lambda mission: mission.reject(f"for {KEY}"), "the reason", id="reason"),
        pytest.param(
            lambda mission: mission.session.limit(KEY, at_once=1),
            "the name of the resource",
            id="resource",
        ),
    ],
)
def test_what_holds_a_key_is_refused_before_it_is_stored(
    session: Session, tmp_path: Path, write: Callable[[Mission], Any], where: str
) -> None:
    mission = proposed(session)
    before = mission.record
    with pytest.raises(UsageError, match=f"^OPENAI_API_KEY stands in {where}, ") as refusal:
        write(mission)
    assert KEY not in str(refusal.value)
    assert mission.record == before
    assert len(session.missions()) == 1
    assert kept_in(tmp_path / "store.db", KEY) == []


def test_key_in_the_signature_of_a_tool_is_refused_and_leaves_for_nobody(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @hypernb.tool(when="thread")
    def lookup(name: str, api_key: str = os.environ["OPENAI_API_KEY"]) -> str:
        """Look something up."""
        return f"{name} {len(api_key)}"

    with ModelServer(says("done")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with pytest.raises(UsageError, match="OPENAI_API_KEY stands in the tool 'lookup'"):
            proposed(session, model="scripted", tools=("lookup",), returns="text")
        assert server.asked == []
    forget_tool("lookup")
    assert kept_in(tmp_path / "store.db", KEY) == []


def test_key_in_the_prompt_of_a_role_card_is_refused(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = tmp_path / "home" / "agents"
    cards.mkdir(parents=True)
    (cards / "mine.toml").write_text(
        f'role = "Mine."\ncapabilities = ["mine"]\ntools = ["ruff"]\nprompt = "Use {KEY}."\n'
    )
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    plan = Plan("look", root=session.root)
    plan.add("look", agent="mine", goal="Look.", model="scripted", returns="text")
    with pytest.raises(UsageError, match="OPENAI_API_KEY stands in the task 'look'"):
        session.start(plan)
    assert kept_in(tmp_path / "store.db", KEY) == []


def test_key_in_the_address_of_a_model_is_refused(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:9/{KEY}/v1")
    with pytest.raises(UsageError, match="OPENAI_API_KEY stands in the address of the model"):
        proposed(session, model="scripted", tools=(), returns="text")
    assert kept_in(tmp_path / "store.db", KEY) == []
