from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.agents import SPECIALISTS, load_cards
from hypernb.errors import RoleCardError
from hypernb.tools import tool_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Plant = Callable[[Mapping[str, str]], Path]

NEW = 'role = "Reads prose."\ncapabilities = ["prose"]\ntools = ["links"]\n'


def project(plant: Plant, name: str, text: str) -> Path:
    return plant({f".hypernb/agents/{name}.toml": text})


def test_eight_specialists_are_built_in() -> None:
    assert tuple(load_cards()) == SPECIALISTS


@pytest.mark.parametrize("name", SPECIALISTS)
def test_built_in_card_is_complete(name: str) -> None:
    card = load_cards()[name]
    assert card.role.endswith(".")
    assert card.prompt
    assert set(card.tools) <= set(tool_names())


def test_new_card_is_a_new_agent(plant: Plant) -> None:
    root = project(plant, "copy-editor", NEW)
    card = load_cards(root)["copy-editor"]
    assert (card.role, card.tools) == ("Reads prose.", ("links",))
    assert card.source == str(root / ".hypernb/agents/copy-editor.toml")


def test_card_extends_a_built_in_one(plant: Plant) -> None:
    root = project(
        plant,
        "backend-specialist",
        'extend_tools = ["links"]\nextend_capabilities = ["cobol"]\nmodel = "m"\n',
    )
    before, after = load_cards()["backend-specialist"], load_cards(root)["backend-specialist"]
    assert after.tools == (*before.tools, "links")
    assert after.capabilities[-1] == "cobol"
    assert (after.model, after.role) == ("m", before.role)


def test_other_keys_replace(plant: Plant) -> None:
    root = project(plant, "qa-engineer", 'tools = ["untested"]\n')
    assert load_cards(root)["qa-engineer"].tools == ("untested",)


def test_project_goes_over_user(plant: Plant, home: Path) -> None:
    (home / "agents").mkdir()
    (home / "agents/copy-editor.toml").write_text(NEW + 'model = "mine"\n')
    root = project(plant, "copy-editor", 'model = "theirs"\n')
    card = load_cards(root)["copy-editor"]
    assert card.model == "theirs"
    assert card.source.startswith(str(home))


def test_agents_of_others_stay_in_place(plant: Plant) -> None:
    root = project(plant, "copy-editor", NEW)
    assert [*load_cards(root)] == [*SPECIALISTS, "copy-editor"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("tolls = []", "key 'tolls' is not known. Did you mean 'tools'", id="key"),
        pytest.param('tools = ["banditt"]', "Did you mean 'bandit'?", id="near-tool"),
        pytest.param('tools = "ruff"', "'tools' has to be a list of texts", id="list"),
        pytest.param("role = 3", "'role' is 3; it has to be text", id="text"),
        pytest.param('role = "Reads."', "'capabilities' is missing", id="incomplete"),
        pytest.param("role = ", "is not TOML", id="toml"),
        pytest.param("a = [" * 5000, "is not TOML", id="deep"),
        pytest.param('name = ""', "'name' is ''", id="no-name"),
    ],
)
def test_broken_card_is_named(plant: Plant, text: str, said: str) -> None:
    root = project(plant, "x", text)
    with pytest.raises(RoleCardError, match=r"agents.x\.toml") as caught:
        load_cards(root)
    assert said in str(caught.value)


def test_bytes_that_are_no_text_are_refused(plant: Plant) -> None:
    root = project(plant, "x", "")
    (root / ".hypernb/agents/x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(RoleCardError, match="not UTF-8"):
        load_cards(root)


def test_folder_in_place_of_card_is_refused(plant: Plant) -> None:
    root = plant({".hypernb/agents/x.toml/y": ""})
    with pytest.raises(RoleCardError, match="not a regular file"):
        load_cards(root)


def test_huge_card_is_refused(plant: Plant) -> None:
    root = project(plant, "x", "#" * 1_000_001)
    with pytest.raises(RoleCardError, match="larger than"):
        load_cards(root)


def test_two_cards_of_one_name_are_refused(plant: Plant) -> None:
    root = plant(
        {
            ".hypernb/agents/a.toml": f'name = "z"\n{NEW}',
            ".hypernb/agents/b.toml": f'name = "z"\n{NEW}',
        }
    )
    with pytest.raises(RoleCardError, match=r"a\.toml has as well"):
        load_cards(root)
