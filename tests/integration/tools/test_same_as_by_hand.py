"""Findings are exactly what the programs say when they are run by hand.

The runs by hand start the programs directly, with plain arguments, and share no code with the
tools under test.
"""

from __future__ import annotations

import importlib.util
import io
import json
import re
import shutil
import subprocess
import sys
import tokenize
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.abc import ToolContext
from hypernb.model import RunStatus
from hypernb.tools import list_files, python_module, tool
from hypernb.tools._import_graph import import_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypernb.model import ToolRun

Places = Counter[tuple[Any, ...]]

# Put together here, so that this file holds no secret.
KEY = "AKIA" + "IOSFODNN7EXAMPLF"
WORD = "correct" + "horsebatterystaple"

NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Title\n", "TODO: no comment"]},
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": {},
            "outputs": [],
            "source": ["%matplotlib inline\n", "import os\n", "y = undefined_name"],
        },
        {
            "cell_type": "code",
            "execution_count": 2,
            "metadata": {},
            "outputs": [],
            "source": ["import sys, json"],
        },
    ],
    "metadata": {"language_info": {"name": "python"}},
    "nbformat": 4,
    "nbformat_minor": 4,
}
BRANCHES = "".join(f"    if x == {n}:\n        return {n}\n" for n in range(12))

FLAWED: Mapping[str, str | bytes] = {
    "README.md": f"# A tree with flaws\n\nTODO in prose. password = '{WORD}'\n",
    "src/shop/__init__.py": "",
    "src/shop/app.py": (
        "import os, subprocess\nimport json  # TODO: needed?\n\n"
        f"PASSWORD = '{WORD}'\nKEY = \"{KEY}\"\n\n\n"
        "def run(command, unused_argument):\n"
        "    # FIXME the shell\n"
        "    subprocess.call(command, shell=True)\n"
        "    return eval(command)\n"
        "    print('never')\n\n\n"
        f"def branchy(x):\n{BRANCHES}    return undefined\n"
    ),
    "src/shop/text.py": 'NOTE = """\n# TODO in a string\n"""\nx = "# XXX"  # HACK, XXX\n',
    "src/shop/broken.py": "# TODO before it breaks\ndef f(:\n",
    "src/shop/latin.py": b"# -*- coding: latin-1 -*-\nname = '\xe9'  # FIXME \xe9\nimport re\n",
    "src/shop/bytes.py": b"name = '\xff'  # TODO\n",
    "src/shop/nul.py": b"x = 1\n\0\n",
    "src/shop/stub.pyi": "import re\n",
    "src/a name, odd.py": "import os\nassert os\nexec('1')\n",
    "src/-dash.py": "import pickle\npickle.loads(b'')\n",
    "tests/test_app.py": f"import os\nimport pytest\n\ndef test_it():\n    token = '{KEY}'\n",
    "docs/conf.py": f"secret = '{WORD}'\n",
    "nb/explore.ipynb": json.dumps(NOTEBOOK, indent=1),
    "nb/torn.ipynb": "{",
    "web/app.js": f"// TODO: js\nconst apiKey = '{WORD}x1';\n",
    "data/blob.bin": b"\0\xff" * 100,
    ".github/tool.py": "import os\nassert eval('1')\n",
    ".env": f"API_KEY={KEY}\n",
}
CLEAN: Mapping[str, str | bytes] = {
    "README.md": "# A clean tree\n",
    "LICENSE": "Permission is hereby granted, free of charge",
    "src/pkg/__init__.py": '"""Adds numbers."""\n',
    "src/pkg/sums.py": '"""Adds."""\n\n\ndef add(a: int, b: int) -> int:\n    return a + b\n',
    "src/pkg/main.py": '"""Says."""\n\nfrom pkg.sums import add\n\nprint(add(1, 2))\n',
}
CONFIGURED: Mapping[str, str | bytes] = {
    **FLAWED,
    "pyproject.toml": (
        '[project]\nname = 1\n[tool.ruff]\nexclude = ["docs"]\n[tool.ruff.lint]\n'
        'select = ["E", "F", "S", "I", "INP", "C90", "RUF", "T20"]\nignore = ["E501"]\n'
        '[tool.ruff.lint.per-file-ignores]\n"tests/*" = ["S101"]\n'
        '[tool.vulture]\nignore_names = ["unused_*"]\n'
    ),
    "nb/ruff.toml": '[lint]\nselect = ["F401"]\n',
}


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def track(root: Path) -> Path:
    subprocess.run(["git", "init", "-q", "."], cwd=root, check=True)
    subprocess.run(["git", "add", "-A", "-f", "."], cwd=root, check=True)
    return root


def installed(package: str, root: Path) -> Path:
    """Copy the sources of an installed package, as real code that nobody wrote for this."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    skip = shutil.ignore_patterns("__pycache__", "*.so", "*.pyc")
    shutil.copytree(Path(spec.origin).parent, root / "src" / package, ignore=skip)
    return root


TREES: dict[str, Callable[[Path], Path]] = {
    "flawed": lambda root: track(write(root, FLAWED)),
    "configured": lambda root: track(write(root, CONFIGURED)),
    "clean": lambda root: track(write(root, CLEAN)),
    "no-git": lambda root: write(root, FLAWED),
    "click": lambda root: track(installed("click", root)),
    "detect_secrets": lambda root: track(installed("detect_secrets", root)),
    "vulture": lambda root: installed("vulture", root),
}


@pytest.fixture(
    scope="module", params=[pytest.param(build, id=n) for n, build in TREES.items()]
)
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    build: Callable[[Path], Path] = request.param
    return build(tmp_path_factory.mktemp("tree")).resolve()


def look(name: str, root: Path) -> ToolRun:
    listing = list_files(root)
    return tool(name).run(ToolContext(root=root, files=listing.files))


def by_hand(root: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=root, capture_output=True, check=False, text=True)
    return done.stdout


def relative(path: str, root: Path) -> str:
    return Path(root / path).resolve().relative_to(root).as_posix()


def places(run: ToolRun) -> Places:
    return Counter((f.file, f.line, f.rule) for f in run.findings)


def ruff_by_hand(root: Path, *options: str) -> Places:
    said = by_hand(
        root,
        *python_module("ruff"),
        "check",
        ".",
        "--output-format=json",
        "--no-cache",
        *options,
    )
    return Counter(
        (
            relative(i["filename"], root),
            i["cell"],
            i["location"]["row"],
            i["code"],
            i["message"],
        )
        for i in json.loads(said)
    )


def test_ruff_finds_what_ruff_finds(root: Path) -> None:
    own = (root / "pyproject.toml").exists()
    plain = () if own else ("--isolated", "--select", "E4,E7,E9,F")
    run = look("ruff", root)
    found = Counter((f.file, f.cell, f.line, f.rule, f.message) for f in run.findings)
    assert found == ruff_by_hand(root, *plain)


def test_complexity_finds_what_ruff_finds(root: Path) -> None:
    limit = "lint.mccabe.max-complexity=10"
    own = (root / "pyproject.toml").exists()
    hand = ruff_by_hand(root, "--isolated", "--select", "C901", "--config", limit)
    expected = [] if own else [p for p in hand.elements() if p[3] == "C901"]
    run = look("complexity", root)
    assert sorted((f.file, f.cell, f.line, f.rule, f.message) for f in run.findings) == sorted(
        expected
    )


def test_bandit_finds_what_bandit_finds(root: Path) -> None:
    said = json.loads(by_hand(root, *python_module("bandit"), "-q", "-r", ".", "-f", "json"))
    run = look("bandit", root)
    lower = {"high": "medium", "medium": "low", "low": "low"}
    hand: Places = Counter()
    for item in said["results"]:
        file, severity = relative(item["filename"], root), item["issue_severity"].lower()
        if file.startswith(("tests/", "docs/")):
            severity = lower[severity]
        hand[file, item["line_number"], item["test_id"], severity] += 1
    assert hand == Counter((f.file, f.line, f.rule, f.severity.value) for f in run.findings)
    assert set(run.facts["skipped"]) == {relative(i["filename"], root) for i in said["errors"]}


def test_secrets_are_those_of_detect_secrets(root: Path) -> None:
    every = () if (root / ".git").exists() else ("--all-files",)
    said = by_hand(root, *python_module("detect_secrets"), "scan", "-n", *every, ".")
    results = json.loads(said)["results"]
    assert places(look("detect-secrets", root)) == Counter(
        (relative(file, root), i["line_number"], i["type"].lower().replace(" ", "-"))
        for file, items in results.items()
        for i in items
    )


def test_dead_code_is_that_of_vulture(root: Path) -> None:
    said = by_hand(root, *python_module("vulture"), "--min-confidence", "80", ".")
    hand = Counter(
        (relative(m[1], root), int(m[2]), m[3])
        for line in said.splitlines()
        if (m := re.fullmatch(r"(.*?):(\d+): (.*) \(\d+% confidence\)", line))
    )
    found = Counter(
        (f.file, f.line, f.message.rpartition(" (")[0]) for f in look("vulture", root).findings
    )
    assert found == hand


def test_reminders_are_those_of_the_tokenizer(root: Path) -> None:
    hand: Places = Counter()
    for path in sorted(root.rglob("*.py*")):
        if path.suffix not in {".py", ".pyi"}:
            continue
        try:
            for token in tokenize.tokenize(io.BytesIO(path.read_bytes()).readline):
                words = re.findall(r"\b(TODO|FIXME|XXX|HACK)\b", token.string)
                if token.type == tokenize.COMMENT and words:
                    hand[path.relative_to(root).as_posix(), token.start[0], words[0]] += 1
        except (tokenize.TokenError, SyntaxError):
            continue
    run = look("scan", root)
    assert hand == Counter(
        (f.file, f.line, f.rule)
        for f in run.findings
        if f.category == "todo" and f.file.endswith((".py", ".pyi"))
    )


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, id=name)
        for name in (
            "scan",
            "imports",
            "modules",
            "ruff",
            "complexity",
            "bandit",
            "detect-secrets",
            "vulture",
        )
    ],
)
def test_clean_tree_has_no_findings(name: str, tmp_path: Path) -> None:
    run = look(name, track(write(tmp_path, CLEAN)))
    assert (run.status, run.findings, run.reason) == (RunStatus.RAN, (), "")


def test_flawed_tree_shows_every_kind(tmp_path: Path) -> None:
    root = track(write(tmp_path, FLAWED))
    names = ("scan", "ruff", "complexity", "bandit", "detect-secrets", "vulture")
    assert {f.category for name in names for f in look(name, root).findings} == {
        "complexity",
        "dead-code",
        "docs",
        "lint",
        "secret",
        "security",
        "todo",
    }


def test_looking_changes_nothing(tmp_path: Path) -> None:
    root = track(write(tmp_path, CONFIGURED))
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    for name in ("scan", "imports", "modules", "ruff", "complexity", "bandit", "vulture"):
        look(name, root)
    look("detect-secrets", root)
    assert {p: p.read_bytes() for p in root.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize(
    "package",
    [
        pytest.param("bandit", id="bandit"),
        pytest.param("click", id="click"),
        pytest.param("detect_secrets", id="detect_secrets"),
        pytest.param("importlinter", id="importlinter"),
    ],
)
def test_imports_are_those_of_grimp(package: str, tmp_path: Path) -> None:
    import grimp

    root = installed(package, tmp_path)
    theirs = grimp.build_graph(package, cache_dir=None)
    files = [file for file in list_files(root).files if file.endswith(".py")]
    ours = import_graph(root, files)
    assert {(ours.names[e.importer], ours.names[e.imported]) for e in ours.edges} == {
        (module, imported)
        for module in theirs.modules
        for imported in theirs.find_modules_directly_imported_by(module)
    }


LAYERED = {
    "p/__init__.py": "",
    "p/high.py": "import p.middle\nimport p.low\n",
    "p/middle.py": "from p.low import x\ndef f():\n    import p.high\n",
    "p/low.py": "import p.aside\nif TYPE_CHECKING:\n    from p import middle\n",
    "p/aside.py": "import p.deep\n",
    "p/deep.py": "from p.high import y\n",
    ".importlinter": (
        "[importlinter]\nroot_package = p\n[importlinter:contract:1]\nname = Layers\n"
        "type = layers\nlayers =\n    p.high\n    p.middle\n    p.low\n"
    ),
}


def test_broken_layers_are_those_of_import_linter(tmp_path: Path) -> None:
    root = track(write(tmp_path, LAYERED))
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    said = by_hand(root, *command)
    assert "Layers BROKEN" in said
    starts = re.findall(r"^ *- +(?:p\.\w+ -> )(?:p\.\w+) \(l\.\d+\)", said, re.MULTILINE)
    hand = {tuple(re.findall(r"p\.\w+|\d+", start)) for start in starts}
    found = {
        (*re.findall(r"p\.\w+", f.message.rpartition(": ")[2])[:2], str(f.line))
        for f in look("imports", root).findings
        if f.rule == "layering"
    }
    assert found == hand
