"""Whatever a file of a stranger holds, it is read or refused in one line."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from hypernb.errors import ConfigError
from hypernb.llm import Cassette, ModelSettings

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = st.sampled_from(
    [
        *("model", "content", "cache_s", "agents", "profiles", "trust", "base_url", "key"),
        *("api", "prices", "rate", "at_once", "x", "'a b'", "openai", "ollama", "input"),
    ]
)
VALUES = st.sampled_from(
    [
        *(
            '"full"',
            '"none"',
            '"gpt-4o"',
            '"ollama:m"',
            '"OPENAI_API_KEY"',
            '"http://[::1]/v1"',
        ),
        *('"https://evil.example.org"', '"http://localhost:1"', '"http://[bad"', "0", "-1"),
        *("nan", "1e400", "true", "[]", "{}", '{ input = 1, output = "x" }', '"\\u0000"'),
        *("1979-05-27", '"""\na\n"""', "[[[]]]"),
    ]
)
LINES = st.one_of(
    st.tuples(NAMES, VALUES).map(" = ".join),
    st.tuples(NAMES, NAMES).map(lambda two: f"[{two[0]}.{two[1]}]"),
    st.tuples(NAMES, NAMES).map(lambda two: f"[profiles.{two[0]}.prices.{two[1]}]"),
    st.just('[profiles.near]\nbase_url = "http://localhost:5000/v1"'),
    st.text(max_size=12),
)


def refused(work: Callable[[], object]) -> str:
    """Return why something was refused; empty if it was not."""
    try:
        work()
    except ConfigError as error:
        return str(error)
    return ""


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=6))
def test_configuration_is_read_or_refused_in_one_line(lines: list[str]) -> None:
    def read() -> None:
        found = ModelSettings.load(root, {"HYPERNB_HOME": folder})
        found.describe()
        found.resolve()
        if not trust.exists():
            assert found.key_names() == ("OPENAI_API_KEY",)

    with tempfile.TemporaryDirectory() as folder:
        root, trust = Path(folder), Path(folder) / "config.toml"
        (root / ".hypernb").mkdir()
        (root / ".hypernb/config.toml").write_text("\n".join(lines), "utf-8", "replace")
        assert len(refused(read).splitlines()) <= 1
        trust.write_text(f'trust = ["{root}"]')
        assert len(refused(read).splitlines()) <= 1


FIRST = b'{"hypernb":"cassette","version":1}\n'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["hash", "request", "replies", "text"]), inner)
    ),
    max_leaves=8,
)


LINES_OF_A_CASSETTE = st.binary(max_size=40) | JSON.map(lambda it: json.dumps(it).encode())


@settings(max_examples=200, deadline=None)
@given(st.lists(LINES_OF_A_CASSETTE, max_size=4))
def test_cassette_is_read_or_refused_in_one_line(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(FIRST + b"\n".join(lines))
        assert len(refused(lambda: Cassette.load(path)).splitlines()) <= 1
