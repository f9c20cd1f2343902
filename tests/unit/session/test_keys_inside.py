"""Keys that lie in what is to be stored, however the value holds and writes them."""

from __future__ import annotations

import os
from base64 import b64encode
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hypernb.errors import UsageError
from hypernb.plan import Plan
from hypernb.session._keys_inside import refuse_keys

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
