"""An audit reads a tree and never runs it, whatever its files are called."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(180)

# Modules that hypernb, its tools and their programs import by name.
NAMES = [
    "ast",
    "bandit",
    "bs4",
    "cloudpickle",
    "coverage",
    "detect_secrets",
    "grimp",
    "html5lib",
    "hypernb",
    "json",
    "nbformat",
    "networkx",
    "numpy",
    "orjson",
    "pandas",
    "pydantic",
    "pytest",
    "ruff",
    "sqlalchemy",
    "sqlglot",
    "subprocess",
    "tokenize",
    "tomllib",
    "ulid",
    "vulture",
    "yaml",
    "sitecustomize",
    "usercustomize",
]


def test_modules_of_an_audited_tree_are_never_imported(tmp_path: Path) -> None:
    tree, marker = tmp_path / "tree", tmp_path / "executed"
    tree.mkdir()
    trap = f"open({str(marker)!r}, 'a').write(__name__ + ' ')\n"
    for name in NAMES:
        (tree / f"{name}.py").write_text(trap)
    (tree / "conftest.py").write_text(trap)
    subprocess.run(["git", "init", "-q"], cwd=tree, check=True, timeout=30)
    subprocess.run(["git", "add", "."], cwd=tree, check=True, timeout=30)
    environment = {
        **os.environ,
        "HYPERNB_DB": str(tmp_path / "h.db"),
        "HYPERNB_HOME": str(tmp_path / "home"),
    }
    program = str(Path(sysconfig.get_path("scripts")) / "hypernb")
    for words in (["run", "repo-audit", ".", "--no-tests", "--yes"], ["stop"]):
        done = subprocess.run(
            [program, *words],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
    assert not marker.exists(), marker.read_text()
