from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.model import RunStatus, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]

PROJECT = """[project]
name = "shop"
requires-python = ">=3.11"
license = "MIT"
dependencies = ["PyYAML>=6", "scikit_learn", "google-cloud-storage; python_version > '3'"]
[project.optional-dependencies]
web = ["httpx[http2]>=0.28"]
[dependency-groups]
dev = ["pytest>=8", {include-group = "web"}]
"""
CODE = """import os
import shop.other
import yaml
import sklearn.linear_model
import httpx
from google.cloud import storage
from . import sibling
try:
    import orjson
except ImportError:
    orjson = None
if TYPE_CHECKING:
    import pandas
def plot():
    import matplotlib
"""
CLEAN = {
    "pyproject.toml": PROJECT,
    "shop/__init__.py": CODE,
    "tests/test_a.py": "import hypothesis\n",
    "docs/conf.py": "import sphinx\n",
    "tools/release.py": "import requests\n",
}


def found(run: ToolRun) -> list[tuple[str, str]]:
    return [(finding.where, finding.rule) for finding in run.findings]


def test_clean_project_has_no_findings(ran: Ran) -> None:
    run = ran("packaging", {**CLEAN, "uv.lock": ""})

    assert run.findings == ()
    assert run.facts["lock_files"] == ["uv.lock"]


def test_undeclared_import_is_found(ran: Ran) -> None:
    files = {
        **CLEAN,
        "shop/a.py": "import os\nimport requests\n",
        "shop/b.py": "import requests",
    }

    run = ran("packaging", files)

    assert found(run) == [("shop/a.py:2", "missing-dependency")]


def test_dependency_of_a_dependency_weighs_less(ran: Ran) -> None:
    manifest = PROJECT.replace('"PyYAML>=6"', '"PyYAML>=6", "nbformat"')

    run = ran(
        "packaging", {**CLEAN, "pyproject.toml": manifest, "shop/a.py": "import traitlets"}
    )

    assert [(each.rule, each.severity) for each in run.findings] == [
        ("missing-dependency", Severity.LOW)
    ]


@pytest.mark.parametrize(
    ("files", "where", "rule"),
    [
        pytest.param(
            {"pyproject.toml": "[project\nname = 1"},
            "pyproject.toml:1",
            "manifest-error",
            id="toml",
        ),
        pytest.param({"setup.cfg": "x\n[a]\n"}, "setup.cfg:1", "manifest-error", id="cfg"),
        pytest.param(
            {"pyproject.toml": '[project]\nname = "a"\nlicense = "MIT"\n'},
            "pyproject.toml",
            "no-requires-python",
            id="python",
        ),
        pytest.param(
            {"pyproject.toml": '[project]\nname = "a"\nrequires-python = ">=3.11"\n'},
            "pyproject.toml",
            "no-licence",
            id="licence",
        ),
        pytest.param(
            {"requirements.txt": "# a\na==1\nb\nc @ https://x.example/c.whl\nd[e]>=2  # w\n"},
            "requirements.txt:3",
            "unpinned-dependency",
            id="unpinned",
        ),
        pytest.param(
            {"requirements.txt": "a==1\nA==2\n"},
            "requirements.txt:2",
            "duplicate-dependency",
            id="twice",
        ),
        pytest.param(
            {"requirements.txt": "numpy==2\n", "app.py": "import flask\n"},
            "app.py:1",
            "missing-dependency",
            id="not-listed",
        ),
    ],
)
def test_each_problem_is_found(ran: Ran, files: dict[str, str], where: str, rule: str) -> None:
    assert found(ran("packaging", files)) == [(where, rule)]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"setup.py": "setup(install_requires=read('a.txt'))"}, id="computed"),
        pytest.param({"Pipfile": "", "requirements.txt": "a==1\n"}, id="another-manifest"),
        pytest.param(
            {"pyproject.toml": PROJECT, "part/pyproject.toml": PROJECT}, id="several-parts"
        ),
        pytest.param({"requirements.txt": "# nothing yet\n"}, id="empty-list"),
        pytest.param({"setup.py": "setup(install_requires=['requests'])"}, id="setup-py"),
        pytest.param({"setup.cfg": "[options]\ninstall_requires = requests>=2\n"}, id="cfg"),
        pytest.param({"environment.yml": "dependencies:\n  - requests=2\n"}, id="conda"),
        pytest.param(
            {"pyproject.toml": '[tool.poetry.dependencies]\nrequests = "^2"\n'}, id="poetry"
        ),
    ],
)
def test_import_in_doubt_is_left_alone(ran: Ran, files: dict[str, str]) -> None:
    assert ran("packaging", {**files, "app.py": "import requests\n"}).findings == ()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("pyproject.toml", b"\0\1", id="binary"),
        pytest.param("pyproject.toml", b"a = " + b"[" * 50_000, id="deep-nesting"),
        pytest.param("pyproject.toml", b"[project]\ndependencies = 3\n", id="other-shape"),
        pytest.param("pyproject.toml", b'[project]\nname = "\xe9"\n', id="no-encoding"),
        pytest.param("requirements.txt", b"a" * 5_000_000, id="five-megabyte-line"),
        pytest.param("requirements.txt", b"a-" * 100_000, id="long-name"),
        pytest.param("requirements.txt", b"\\\n" * 5_000, id="continued-for-ever"),
        pytest.param("setup.py", b"(" * 5_000, id="no-python"),
        pytest.param("setup.cfg", b"[a]\nx = %(y)s\n[a]\n", id="interpolation"),
    ],
)
def test_hostile_manifest_never_ends_it(ran: Ran, name: str, content: bytes) -> None:
    run = ran("packaging", {name: content, "environment.yml": "dependencies: [a]\n"})

    assert run.status is RunStatus.RAN


def test_tree_without_packaging_has_nothing_to_check(ran: Ran) -> None:
    assert ran("packaging", {"a.py": "import flask\n"}).status is RunStatus.NOTHING_TO_CHECK
