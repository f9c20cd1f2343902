"""Builders of the trees that tools look at."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.abc import ToolContext
from hypernb.tools import function_tool, list_files, tool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hypernb.model import ToolRun

    Tree = Callable[..., Path]
    Ran = Callable[..., ToolRun]
    Asked = Callable[..., Any]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Write files below a new root; tracked by git unless ``git=False``."""

    def build(files: Mapping[str, str | bytes], *, git: bool = True) -> Path:
        root = tmp_path / "tree"
        root.mkdir(exist_ok=True)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if git:
            subprocess.run(["git", "init", "-q", "."], cwd=root, check=True)
            subprocess.run(["git", "add", "-A", "-f"], cwd=root, check=True)
        return root

    return build


@pytest.fixture
def ran(tree: Tree) -> Ran:
    """Run a tool over a tree of these files."""

    def run(
        name: str, files: Mapping[str, str | bytes], *, git: bool = True, **params: Any
    ) -> ToolRun:
        listing = list_files(tree(files, git=git))
        context = ToolContext(root=listing.root, files=listing.files, params=params)
        return tool(name).run(context)

    return run


@pytest.fixture
def asked(tree: Tree) -> Asked:
    """Call a tool as a model does, over a tree of these files."""

    def ask(
        name: str, files: Mapping[str, str | bytes], /, *, git: bool = True, **arguments: Any
    ) -> Any:
        listing = list_files(tree(files, git=git))
        context = ToolContext(root=listing.root, files=listing.files)
        return call(name, context, **arguments)

    return ask


def call(name: str, context: ToolContext, /, **arguments: Any) -> Any:
    """Call a tool as a model does; return what the model is told."""
    made = function_tool(name)
    return made.call(context, made.check(json.dumps(arguments))).content
