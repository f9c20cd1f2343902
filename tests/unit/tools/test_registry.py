"""Tools are found by name, and loaded no earlier than they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hypernb.abc import Tool
from hypernb.errors import UnknownNameError
from hypernb.tools import tool, tool_names


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in tool_names()])
def test_every_tool_answers_to_its_name(name: str) -> None:
    made = tool(name)
    assert isinstance(made, Tool)
    assert (made.name, bool(made.title), bool(made.describe({}))) == (name, True, True)


def test_unknown_tool_names_its_neighbour() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'bandit'"):
        tool("bandti")


def test_importing_the_registry_is_cheap() -> None:
    code = (
        "import sys, hypernb.tools\n"
        "heavy = {'pandas', 'networkx', 'sqlalchemy', 'sqlglot', 'nbformat', 'psutil', 'bs4'}\n"
        "loaded = [m for m in sys.modules if m.startswith('hypernb.tools.')]\n"
        "print(sorted(heavy & set(sys.modules)), loaded)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[] []"
