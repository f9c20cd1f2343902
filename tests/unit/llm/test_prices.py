from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import pytest

from hypernb.llm import price_of
from hypernb.model import Price, TokenUse

OPENAI = "https://api.openai.com/v1"


def test_price_is_from_the_list_and_says_so() -> None:
    price = price_of("gpt-4o", OPENAI)
    assert price is not None
    assert price.source.startswith("genai-prices ")
    assert price.cost(TokenUse(input_tokens=1000, output_tokens=1000)) > 0


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        pytest.param("no-such-model", OPENAI, id="model"),
        pytest.param("gpt-4o", "https://models.example.org/v1", id="host"),
        pytest.param("gpt-4o", "https://api.openai.com.example.org/v1", id="near-host"),
        pytest.param("gpt-4o", "http://localhost:11434/v1", id="local"),
        pytest.param("text-embedding-3-small", OPENAI, id="writes-nothing"),
    ],
)
def test_unknown_price_is_none_and_never_zero(model: str, base_url: str) -> None:
    assert price_of(model, base_url) is None


@pytest.mark.parametrize("host", ["localhost:11434", "127.0.0.1:8000", "[::1]:1234"])
def test_what_runs_on_this_machine_without_a_key_costs_nothing(host: str) -> None:
    price = price_of("qwen3", f"http://{host}/v1", key="")
    assert price is not None
    assert (price.input, price.output, price.source) == (0, 0, "runs on your machine")


@pytest.mark.parametrize(
    ("base_url", "key"),
    [
        pytest.param("http://localhost:4000/v1", "PROXY_KEY", id="needs-a-key"),
        pytest.param("http://192.168.0.7:11434/v1", "", id="next-machine"),
        pytest.param("http://localhost.example.org/v1", "", id="near-name"),
        pytest.param("https://models.example.org/v1", "", id="elsewhere"),
    ],
)
def test_any_other_server_that_is_not_listed_has_no_known_price(
    base_url: str, key: str
) -> None:
    assert price_of("qwen3", base_url, key=key) is None


def test_own_price_goes_before_the_list() -> None:
    own = Price(input=1, output=2, source="your config.toml")
    assert price_of("gpt-4o", OPENAI, {"gpt-4o": own}) is own
    assert price_of("qwen3", "http://localhost:11434/v1", {"qwen3": own}, key="") is own


def test_price_that_rises_with_the_request_says_up_to_where() -> None:
    price = price_of("claude-sonnet-4-5", "https://api.anthropic.com/v1")
    assert price is not None
    assert price.source.endswith("for requests of up to 200,000 tokens")


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    assert price_of("gpt-4o-mini", OPENAI) is not None


def test_list_is_imported_when_a_price_is_asked_for() -> None:
    code = (
        "import sys; from hypernb.llm import price_of, ModelSettings, recording, cached; "
        "assert not {'genai_prices', 'openai', 'httpx2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
