"""Models from a cell, in a real kernel: settings, what was used, where variables come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.errors import dollars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.magics.conftest import Desk, Kernel

KEY = "sk-" + "wxyz9876" * 5
pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def plain(kernel: Kernel) -> Kernel:
    """A kernel in which nothing about models is set."""
    kernel.ok("%config HyperMagics.model = ''")
    kernel.ok("%config HyperMagics.cache_s = None")
    return kernel


def test_settings_of_models_are_configured_like_any_other(plain: Kernel) -> None:
    told = plain.ok("%config HyperMagics").of("stream")
    assert "HyperMagics.model=<Unicode>" in told[0]["content"]["text"]
    plain.ok("%config HyperMagics.model = 'small-1'")
    shown = plain.ok("%hyper config").text
    assert "small-1" in shown


def test_hyper_config_sets_the_same(plain: Kernel) -> None:
    plain.ok("%hyper config model=small-1 cache_s=60")
    said = plain.ok(
        "m = get_ipython().magics_manager.registry['HyperMagics']; m.model, m.cache_s"
    )
    assert said.value == "('small-1', 60.0)"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("content=some", "Known: 'full', 'hashes', 'none'", id="content"),
        pytest.param("base_url=ftp://x", "begins with http:// or https://", id="scheme"),
        pytest.param("base_url=localhost:18000", "http://localhost:11434/v1", id="none"),
        pytest.param("cache_s=soon", "cache_s cannot be 'soon'", id="cache"),
        pytest.param("mdel=a", "Did you mean 'model'", id="name"),
    ],
)
def test_setting_without_a_meaning_is_refused(plain: Kernel, line: str, said: str) -> None:
    assert said in plain.run(f"%hyper config {line}").error


@pytest.mark.parametrize(
    ("trait", "good", "bad", "said"),
    [
        pytest.param(
            "base_url", "'http://localhost:9/v1'", "'nonsense'",
            "base_url cannot be that: the address of a model begins with http", id="base_url",
        ),
        pytest.param("model", "'small-1'", "'olama:qwen3'", "Did you mean 'ollama", id="model"),
        pytest.param("model", "'small-1'", "'a' * 300", "names no model", id="long"),
        pytest.param("model", "'small-1'", "7", "model cannot be '7'", id="no-text"),
        pytest.param("content", "'none'", "'some'", "Known: 'full', 'hashes'", id="content"),
        pytest.param("cache_s", "60.0", "'soon'", "cache_s cannot be 'soon'", id="cache"),
        pytest.param("cache_s", "60.0", "-1", "cache_s cannot be '-1'", id="below"),
        pytest.param("cache_s", "60.0", "float('nan')", "cache_s cannot be 'nan'", id="nan"),
        pytest.param("offline", "True", "'perhaps'", "offline cannot be 'perh", id="offline"),
    ],
)  # fmt: skip
def test_value_that_cannot_work_is_refused_and_the_one_before_stays(
    plain: Kernel, trait: str, good: str, bad: str, said: str
) -> None:
    plain.ok("_m = get_ipython().magics_manager.registry['HyperMagics']")
    before = plain.ok(f"print(repr(_m.{trait}))").of("stream")[0]["content"]["text"].strip()
    try:
        plain.ok(f"%config HyperMagics.{trait} = {good}")
        cell = plain.run(f"%config HyperMagics.{trait} = {bad}")
        [told] = cell.of("error")
        assert said in told["content"]["evalue"]
        assert told["content"]["ename"] == "ConfigError"
        assert not cell.of("stream")
        assert plain.ok(f"_m.{trait}").value == good
        assert plain.ok("%hyper config").text
    finally:
        plain.ok(f"%config HyperMagics.{trait} = {before}")


def test_settings_of_one_line_are_looked_at_together(plain: Kernel) -> None:
    said = "m = get_ipython().magics_manager.registry['HyperMagics']; m.model, m.base_url"
    try:
        plain.ok("%hyper config model=qwen3:8b base_url=http://localhost:9/v1")
        assert plain.ok(said).value == "('qwen3:8b', 'http://localhost:9/v1')"
        assert "begins with http" in plain.run("%hyper config model=x base_url=y").error
        assert plain.ok(said).value == "('qwen3:8b', 'http://localhost:9/v1')"
    finally:
        plain.ok("%hyper config model= base_url=")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("model=gpt-4o root=/nope", "is no directory", id="root"),
        pytest.param("model=gpt-4o runner=nope", "ConfigError", id="runner"),
        pytest.param("root=/ model=olama:qwen3", "Did you mean 'ollama", id="model"),
    ],
)
def test_no_setting_of_a_line_that_is_refused_is_kept(
    plain: Kernel, line: str, said: str
) -> None:
    plain.ok("_m = get_ipython().magics_manager.registry['HyperMagics']")
    state = "_m.model, str(_m.open_session().root), _m.open_session().mode"
    before = plain.ok(state).value
    assert said in plain.run(f"%hyper config {line}").error
    assert plain.ok(state).value == before


@pytest.fixture
def environ(plain: Kernel) -> Iterator[Kernel]:
    """A kernel whose environment has settings of models, and a key."""
    plain.ok("import os; _before = dict(os.environ)")
    plain.ok(f"os.environ |= {{'HYPERNB_CACHE_S': '3600', 'OPENAI_API_KEY': {KEY!r}}}")
    yield plain
    plain.ok("os.environ.clear(); os.environ |= _before")
    plain.ok("%hyper config model= base_url=")


def test_config_shows_what_counts_and_where_it_is_from(environ: Kernel) -> None:
    environ.ok("%hyper config model=small-1 base_url=https://models.example.org/v1")
    shown = environ.ok("%hyper config")
    rows = [" ".join(each.split()) for each in shown.text.splitlines()]
    assert "model small-1 this session" in rows
    assert "cache_s 3600 HYPERNB_CACHE_S" in rows
    assert "content full built in" in rows
    assert "https://models.example.org/v1, OPENAI_API_KEY is set" in shown.html
    assert "base_url of this session" in shown.html
    assert KEY not in shown.text + shown.html


def test_config_says_which_file_cannot_be_read(plain: Kernel) -> None:
    plain.ok(
        "import os, pathlib; _own = pathlib.Path(os.environ['HYPERNB_HOME'], 'config.toml')"
    )
    plain.ok("_own.parent.mkdir(exist_ok=True); _own.write_text('cache_s = \"soon\"')")
    try:
        assert "config.toml has cache_s = 'soon'" in plain.ok("%hyper config").text
    finally:
        plain.ok("_own.unlink()")


def test_cache_of_no_seconds_turns_off_that_of_the_environment(environ: Kernel) -> None:
    environ.ok("%config HyperMagics.cache_s = 0")
    rows = [" ".join(each.split()) for each in environ.ok("%hyper config").text.splitlines()]
    assert "cache_s 0 this session" in rows


def test_settings_of_the_kernel_hold_for_a_session_in_python_too(plain: Kernel) -> None:
    plain.ok("import hypernb")
    plain.ok("%config HyperMagics.base_url = 'http://localhost:9/v1'")
    plain.ok("%config HyperMagics.model = 'small-1'")
    hosts = "[(each.name, each.host) for each in hypernb.Session({}).models()]"
    try:
        assert "('small-1', 'localhost:9')" in plain.ok(hosts.format("")).value
        own = "settings={'model': 'large-2'}"
        assert "('large-2', 'localhost:9')" in plain.ok(hosts.format(own)).value
    finally:
        plain.ok("%config HyperMagics.base_url = ''")


def test_settings_are_completed(plain: Kernel) -> None:
    assert "HyperMagics.model" in plain.complete("%config HyperMagics.mo")
    assert plain.complete("%hyper resume m-1 --fi") == ["--finish"]


def test_nothing_used_is_said_so(plain: Kernel) -> None:
    assert "Nothing was called" in plain.ok("%hyper usage").text
    assert "empty" in plain.ok("%hyper cache").text


def test_variable_that_a_mission_bound_says_why(reading: Desk, reader: Kernel) -> None:
    reading.text.write_text("hello")
    reader.ok("%%hyper --playbook read-file text.txt --yes --wait --out shouted")
    why = reader.ok("%hyper why shouted")
    mission = reading.newest
    assert mission in why.text
    assert "none was asked" in why.text
    assert mission in why.html
    assert reader.ok("import hypernb; hypernb.why('shouted').mission").value == f"'{mission}'"


def test_variable_of_ones_own_is_not_known(reader: Kernel) -> None:
    reader.ok("own = object()")
    said = reader.run("%hyper why own").error
    assert said.startswith("UsageError: 'own' is not known to have come out of a mission.")
    assert len(said.splitlines()) == 1


def test_plan_without_a_model_lets_nothing_leave(reader: Kernel) -> None:
    reader.ok("%%hyper --playbook read-file text.txt")
    assert "No variable leaves this machine" in reader.ok("%hyper egress").text
    assert dollars(0.0) not in reader.ok("%hyper quote").text


def test_cassette_that_is_not_there_starts_nothing(reading: Desk, reader: Kernel) -> None:
    before = reading.missions()
    said = reader.run("%%hyper --replay none.jsonl\nWhich tests are missing?").error
    assert "none.jsonl' is not there" in said
    assert reading.missions() == before
