from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from hypernb.abc import ToolContext
from hypernb.model import Report, RunStatus, Severity, ToolRun
from hypernb.tools import list_files
from hypernb.tools._untested import UntestedTool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Ran = Callable[..., ToolRun]
    Tree = Callable[..., Path]

CODE = "import sys\n\n\ndef work(a):\n    b = a\n    print(b)\n    return sys.path\n"
PROJECT = {"app/__init__.py": "", "app/a.py": CODE, "app/b.py": CODE}


def found(run: ToolRun) -> list[tuple[str, str]]:
    return [(finding.file, finding.rule) for finding in run.findings]


@pytest.mark.parametrize(
    "test",
    [
        pytest.param("import app.b\n", id="import"),
        pytest.param("from app import b\n", id="from-package"),
        pytest.param("from app.b import work\n", id="from-module"),
        pytest.param("import app\n\ndef test():\n    app.b.work(1)\n", id="attribute"),
        pytest.param("PATCHED = 'app.b.work'\n", id="name-in-a-text"),
        pytest.param("def test():\n    from app.b import work\n", id="inside-a-function"),
    ],
)
def test_module_that_tests_import_is_tested(ran: Ran, test: str) -> None:
    files = {**PROJECT, "tests/test_a.py": "import app.a\n", "tests/test_b.py": test}

    assert ran("untested", files).findings == ()


def test_module_without_tests_is_named(ran: Ran) -> None:
    run = ran("untested", {**PROJECT, "tests/test_a.py": "from app.a import work\n"})

    assert found(run) == [("app/b.py", "untested-module")]
    assert run.findings[0].severity is Severity.LOW


def test_large_module_without_tests_weighs_more(ran: Ran) -> None:
    files = {**PROJECT, "app/b.py": CODE * 10, "tests/test_a.py": "import app.a\n"}

    assert [each.severity for each in ran("untested", files).findings] == [Severity.MEDIUM]


@pytest.mark.parametrize(
    "init",
    [
        pytest.param("from app.b import work\n", id="absolute"),
        pytest.param("from .b import work\n", id="relative"),
        pytest.param("_LAZY = {'work': 'b:work'}\n", id="on-demand"),
    ],
)
def test_package_hands_its_modules_on(ran: Ran, init: str) -> None:
    files = {**PROJECT, "app/__init__.py": init, "tests/test_a.py": "import app.a\n"}

    assert ran("untested", files).findings == ()


def test_module_that_tested_code_imports_is_tested(ran: Ran) -> None:
    files = {
        "app/__init__.py": "",
        "app/a.py": "def work():\n    from app import middle\n" + CODE,
        "app/middle.py": "from .far import work\n" + CODE,
        "app/far.py": CODE,
        "tests/test_a.py": "import app.a\n",
    }

    assert ran("untested", files).findings == ()


def test_tests_inside_the_package_count(ran: Ran) -> None:
    files = {f"src/{name}": text for name, text in PROJECT.items()}
    files["src/app/tests/test_all.py"] = "from ..a import work\nfrom ..b import work\n"

    assert ran("untested", files).findings == ()


def test_project_without_tests_is_one_finding(ran: Ran) -> None:
    run = ran("untested", {f"app/m{number}.py": CODE for number in range(4)})

    assert found(run) == [("", "no-tests")]


def test_few_modules_without_tests_are_left_alone(ran: Ran) -> None:
    run = ran("untested", {"a.py": CODE, "b.py": CODE, "c.py": CODE})

    assert run.status is RunStatus.RAN
    assert run.findings == ()


def test_mostly_untested_project_is_one_finding(ran: Ran) -> None:
    files = {f"app/m{number}.py": CODE for number in range(30)}

    run = ran(
        "untested", {**files, "app/__init__.py": "", "tests/test_a.py": "import app.m1\n"}
    )

    assert found(run) == [("", "mostly-untested")]
    assert run.facts["untested"] == 29


def test_stdlib_import_is_no_import_of_a_module(ran: Ran) -> None:
    files = {**PROJECT, "app/json.py": CODE, "tests/test_a.py": "import json, app.a, app.b\n"}

    assert found(ran("untested", files)) == [("app/json.py", "untested-module")]


def test_scripts_and_migrations_are_left_out(ran: Ran) -> None:
    files = {
        "setup.py": CODE,
        "tools/release.py": CODE,
        "app/migrations/m1.py": CODE,
        "docs/conf.py": CODE,
        "tests/test_a.py": "import os\n",
    }

    assert ran("untested", files).status is RunStatus.NOTHING_TO_CHECK


@pytest.mark.parametrize("by", ["outbox", "inputs"])
def test_coverage_has_the_last_word(tree: Tree, tmp_path: Path, by: str) -> None:
    root = tree({**PROJECT, "tests/test_a.py": "import app.a\n"})
    measured = {"app/b.py": [3, 5]}
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    inputs = {}
    if by == "outbox":
        (outbox / "coverage.json").write_text(json.dumps({"files": measured}))
    else:
        suite = ToolRun(tool="tests", status=RunStatus.RAN, facts={"coverage_files": measured})
        inputs["tests"] = Report(agent="qa-engineer", task="tests", summary="", runs=(suite,))
    files = list_files(root).files

    run = UntestedTool().run(ToolContext(root=root, files=files, outbox=outbox, inputs=inputs))

    assert run.findings == ()
    assert run.settings == "what the tests lead to, and coverage"


def test_hostile_modules_are_counted(ran: Ran) -> None:
    files = {
        **PROJECT,
        "app/nested.py": "(" * 5_000,
        "app/binary.py": b"\0\1\2",
        "app/long.py": "x = '" + "y" * 5_000_000 + "'",
        "tests/test_a.py": "import app.a, app.b\n",
    }

    run = ran("untested", files)

    assert run.facts["skipped_files"] == 3
    assert run.findings == ()


@pytest.mark.parametrize(
    "test",
    [
        pytest.param("import app.b" + ".c" * 1_000 + "\n", id="import"),
        pytest.param("import app\napp.b" + ".c" * 1_000 + "\n", id="attributes"),
    ],
)
def test_names_without_end_take_no_room_and_lead_to_their_beginning(
    ran: Ran, test: str
) -> None:
    tracemalloc.start()
    try:
        run = ran("untested", {**PROJECT, "tests/test_a.py": "import app.a\n" + test})
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert run.findings == ()
    assert most < 50_000_000
