"""README and guide: what they say to type is understood by what reads it."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from hypernb.agents import load_cards, load_playbooks
from hypernb.agents._playbook import GROUP
from hypernb.cli._commands import hypernb as commands
from hypernb.engine import RunnerSettings
from hypernb.llm import ModelSettings
from hypernb.magics._line import read_line, read_words, split_words
from hypernb.magics._shell import HyperMagics
from hypernb.magics._verbs import CELL_OPTIONS, VERBS
from tests.pages import BLOCKS, IN_A_KERNEL, IN_A_TERMINAL, NOT_RUN, PAGES, Block, typed_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OF_THE_GUIDE = ("nightly", "repo-adit")
"""Playbooks that only the guide has: one that it writes, and one that it mistypes."""
CARD = re.compile(r"# \.hypernb/agents/(?P<name>[\w-]+)\.toml\n")


def read_playbook(words: Sequence[str]) -> None:
    name, *arguments = words
    if name not in OF_THE_GUIDE:
        load_playbooks()[name].bind(arguments)


def read_cell(line: str) -> None:
    words = split_words(line)
    arguments, options = read_words(words, CELL_OPTIONS, passes_on="--playbook" in words)
    if arguments or "playbook" in options:
        read_playbook([options["playbook"], *arguments])


def read_magic(line: str) -> None:
    if line in VERBS or not line:  # a verb that is only named
        return
    request = read_line(line, VERBS)
    if request.verb == "run":
        read_playbook(request.arguments)


def read_setting(line: str) -> None:
    trait, _, value = line.partition(" = ")
    assert trait.removeprefix("HyperMagics.") in HyperMagics.class_trait_names(config=True)
    assert value


def read_command(line: str) -> None:
    name, *words = split_words(line)
    context = commands.commands[name].make_context(name, words)
    if name == "run" and context.params["words"]:
        read_playbook(context.params["words"])


READERS = {
    "%%hyper": read_cell,
    "%hyper": read_magic,
    "%config": read_setting,
    "hypernb": read_command,
}


@pytest.mark.parametrize(
    "line", [pytest.param(line, id=f"{page}: {line}") for page, line in typed_lines()]
)
def test_line_to_type_is_understood(line: str) -> None:
    program, _, rest = re.sub(r"[][]", "", line).partition(" ")
    READERS[program](rest.strip())


def test_each_block_is_run_or_says_why_not() -> None:
    names = [each.name for each in BLOCKS if each.language not in ("python", "toml")]
    assert sorted(names) == sorted([*IN_A_KERNEL, IN_A_TERMINAL, *NOT_RUN])


def test_readme_says_how_long_missions_are_kept() -> None:
    kept = RunnerSettings().retention
    said = " ".join(PAGES[0].read_text("utf-8").split())
    assert f"ended more than {kept.days:g} days ago are forgotten" in said
    assert f"never the newest {kept.missions:,}." in said


TOML = [pytest.param(each, id=each.name) for each in BLOCKS if each.language == "toml"]


@pytest.mark.parametrize("block", TOML)
def test_toml_is_read_by_what_reads_it(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path))
    if card := CARD.match(block.body):
        folder = tmp_path / ".hypernb" / "agents"
        folder.mkdir(parents=True)
        (folder / f"{card['name']}.toml").write_text(block.body)
        assert str(folder) in load_cards(tmp_path)[card["name"]].source
    elif "[project" in block.body:
        assert GROUP in tomllib.loads(block.body)["project"]["entry-points"]
    else:
        (tmp_path / "config.toml").write_text(block.body)
        said = tomllib.loads(block.body)
        settings = ModelSettings.load(tmp_path, {"HYPERNB_HOME": str(tmp_path)}, {})
        assert set(said.get("profiles", {})) <= set(settings.profiles)
        assert settings.model == said.get("model", "")
