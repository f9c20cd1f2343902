"""Outlines: what a file is made of, without its text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hypernb.errors import ToolError

if TYPE_CHECKING:
    from tests.unit.tools.conftest import Asked

PYTHON = '''"""A module.

With more."""

class Shelf(list[int], metaclass=type):
    """Holds books."""

    async def take(self, name: str = "a", *, most: int = 3) -> None:
        """Take one."""
        def inner(): ...


def alone(): ...
'''


def test_python_is_classes_functions_and_first_lines(asked: Asked) -> None:
    said = asked("outline-file", {"a.py": PYTHON}, path="a.py")
    assert said.split("\n") == [
        "    1 A module.",
        "    5 class Shelf(list[int], metaclass=type)  # Holds books.",
        "    8     async def take(self, name: str='a', *, most: int=3) -> None  # Take one.",
        "   13 def alone()",
    ]


def test_markdown_is_headings_outside_of_code(asked: Asked) -> None:
    text = "# One\ntext\n```\n# no heading\n```\n## Two ##\n####### seven\n"
    assert asked("outline-file", {"a.md": text}, path="a.md") == "    1 # One\n    6 ## Two"


def test_notebook_is_its_cells(asked: Asked) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "text"]},
        {"cell_type": "code", "source": "x = 1", "outputs": [{}]},
        {"cell_type": "code", "source": ""},
        "odd",
    ]
    text = json.dumps({"nbformat": 4, "cells": cells})
    said = asked("outline-file", {"a.ipynb": text}, path="a.ipynb")
    assert said.split("\n") == [
        "    1 markdown: # Title (+1 lines)",
        "    2 code: x = 1 [1 outputs]",
        "    3 code: (empty)",
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", '{"a": {"b": [1, 2]}, "c": "x"}', "a: 1 keys\n    b: list of 2\nc: str"),
        ("a.json", "[1, 2]", "list of 2"),
        ("a.toml", "[tool]\nx = 1\n", "tool: 1 keys\n    x: int"),
        ("a.md", "", "a.md has nothing to outline."),
    ],
    ids=["object", "list", "toml", "empty"],
)
def test_data_is_its_keys(asked: Asked, name: str, text: str, said: str) -> None:
    assert asked("outline-file", {name: text}, path=name) == said


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.py", "def (", "not Python that can be parsed"),
        ("a.json", "{", "it is not JSON"),
        ("a.json", "[" * 100_000, "it is not JSON"),
        ("a.toml", "=", "it is not TOML"),
        ("a.ipynb", "[]", "no notebook of format 4"),
        ("a.css", "a {}", "of a kind that has no outline"),
    ],
    ids=["python", "json", "deep", "toml", "notebook", "kind"],
)
def test_what_has_no_outline_says_why(asked: Asked, name: str, text: str, said: str) -> None:
    with pytest.raises(ToolError) as caught:
        asked("outline-file", {name: text}, path=name)
    assert said in str(caught.value)


def test_large_outline_is_cut(asked: Asked) -> None:
    text = "".join(f"def f{number}(): ...\n" for number in range(1_000))
    said = asked("outline-file", {"a.py": text}, path="a.py")
    assert said.endswith("… 600 more entries.")


def test_secret_in_a_signature_is_covered_up(asked: Asked) -> None:
    text = 'def connect(password="hunter2-and-more"): ...\n'
    assert "hunter2" not in asked("outline-file", {"a.py": text}, path="a.py")
