"""Hostile files are counted or named, and end no tool."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING

import pytest

from hypernb.abc import ToolContext
from hypernb.errors import ConfigError, ToolError
from hypernb.model import RunStatus
from hypernb.tools import list_files, tool
from hypernb.tools._suite import suite_command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]
    Tree = Callable[..., Path]

HOSTILE: dict[str, str | bytes] = {
    "attributes.py": "x = a" + ".b" * 20_000,
    "big.py": b"\0" * (6 * 1024 * 1024),
    "binary.py": bytes(range(256)) * 20,
    "brackets.py": "x = " + "(" * 5000,
    "encoding.py": "# -*- coding: nope -*-\nx = 1\n",
    "rot13.py": "# -*- coding: rot13 -*- TODO\nk = 1\n",
    "empty.ipynb": "",
    "list.ipynb": "[1, 2]",
    "minus.py": "x = " + "-" * 20_000 + "1",
    "nul.py": "x = 1\0\n",
    "quotes.js": '"' * 50_000 + " // TODO",
    "stars.c": "/*" * 50_000,
    "wide.py": "import os".encode("utf-16"),
    "good.py": "import os\npassword = 'correct" + "horsebatterystaple'  # TODO\n",
}
PYTHON = ("imports", "modules", "vulture", "bandit")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, id=name)
        for name in (*PYTHON, "scan", "ruff", "complexity", "detect-secrets")
    ],
)
def test_good_file_is_seen_among_hostile_ones(ran: Ran, name: str) -> None:
    # Detect-secrets reads a large file of nothing to its end, which only takes time.
    left_out = {"big.py"} if name == "detect-secrets" else set()
    run = ran(name, {file: text for file, text in HOSTILE.items() if file not in left_out})
    assert run.status is RunStatus.RAN
    assert len(run.reason) < 2000
    if name not in {"imports", "modules", "complexity"}:
        assert "good.py" in {finding.file for finding in run.findings}


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in PYTHON])
def test_hostile_files_are_named(ran: Ran, name: str) -> None:
    run = ran(name, HOSTILE)
    named = run.facts.get("unparsable") or run.facts["skipped"]
    good = {"good.py"}
    # From 3.14 on, Python nests as deep as the stack has room for, and these two tools walk a
    # tree in a loop: what is hostile to older versions and to other tools is a file like any.
    if name in {"imports", "modules"} and parses("attributes.py"):
        good.add("attributes.py")
    assert set(named) == {file for file in HOSTILE if file.endswith(".py")} - good
    assert run.checked == len(good)


def parses(file: str) -> bool:
    try:
        ast.parse(HOSTILE[file])
    except (RecursionError, MemoryError):
        return False
    return True


def test_file_that_crashes_ruff_is_named(ran: Ran) -> None:
    run = ran("ruff", {"minus.py": HOSTILE["minus.py"], "a.py": "import os\n"})
    assert (run.facts["crashed"], run.checked) == (["minus.py"], 1)
    assert [finding.file for finding in run.findings] == ["a.py"]


@pytest.mark.parametrize(
    "name", [pytest.param(name, id=name) for name in (*PYTHON, "complexity")]
)
def test_nothing_but_broken_files_is_no_clean_bill(ran: Ran, name: str) -> None:
    run = ran(name, {"a.py": "def f(:\n"})
    assert (run.status, run.checked) == (RunStatus.NOTHING_TO_CHECK, 0)
    assert "a.py" in run.reason


SETTINGS = ("pyproject.toml", "package.json", "setup.cfg", ".importlinter", "ruff.toml")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "name", [pytest.param(name, id=name) for name in (*PYTHON, "scan", "ruff")]
)
@pytest.mark.parametrize("kind", ["pipe", "device", "deep"])
def test_settings_of_strangers_are_not_waited_for(tree: Tree, name: str, kind: str) -> None:
    root = tree({"good.py": "import os\n"})
    for file in SETTINGS:
        if kind == "pipe":
            os.mkfifo(root / file)
        elif kind == "device":
            (root / file).symlink_to("/dev/zero")
        else:
            (root / "pyproject.toml").write_text("a = " + "[" * 20_000)
    listing = list_files(root)
    context = ToolContext(root=listing.root, files=listing.files, params={})
    if (name, kind) == ("ruff", "deep"):
        with pytest.raises(ToolError):
            tool(name).run(context)
    else:
        assert tool(name).run(context).status is RunStatus.RAN


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["pipe", "device", "large"])
def test_own_configuration_of_another_kind_is_refused(tree: Tree, kind: str) -> None:
    root = tree({".hypernb/x": ""})
    path = root / ".hypernb" / "config.toml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.write_text("# \n" * 500_000)
    with pytest.raises(ConfigError, match="cannot be read"):
        suite_command(root)
