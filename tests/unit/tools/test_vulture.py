"""Dead code, by vulture itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.errors import ToolError
from hypernb.model import RunStatus
from hypernb.tools import _vulture
from hypernb.tools._process import Completed

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]

DEAD = "import os\n\ndef f(used, *, unused):\n    return used\n    print(used)\n\nf(1)\n"


def places(run: ToolRun) -> list[tuple[str, str]]:
    return [(finding.where, finding.rule) for finding in run.findings]


def test_dead_code_is_found_with_its_kind(ran: Ran) -> None:
    run = ran("vulture", {"a.py": DEAD})
    assert places(run) == [
        ("a.py:1", "unused-import"),
        ("a.py:3", "unused-variable"),
        ("a.py:5", "unreachable-code"),
    ]
    assert run.command == "vulture --min-confidence 80 <1 file>"


def test_use_in_another_file_counts(ran: Ran) -> None:
    files = {
        "a.py": "def helper():\n    return 1\n",
        "b.py": "from a import helper\nhelper()\n",
    }
    assert ran("vulture", files, min_confidence=60).findings == ()


def test_lower_confidence_finds_more(ran: Ran) -> None:
    run = ran("vulture", {"a.py": "def lonely():\n    return 1\n"}, min_confidence=60)
    assert places(run) == [("a.py:1", "unused-function")]


def test_own_names_are_ignored_as_configured(ran: Ran) -> None:
    config = '[tool.vulture]\nignore_names = ["unus*"]\npaths = ["/etc"]\nmin_confidence = 0\n'
    run = ran("vulture", {"a.py": DEAD, "pyproject.toml": config})
    assert [rule for _, rule in places(run)] == ["unused-import", "unreachable-code"]
    assert "ignore_names from pyproject.toml" in run.settings


def test_excluded_files_are_not_counted(ran: Ran) -> None:
    config = '[tool.vulture]\nexclude = ["old/"]\n'
    run = ran("vulture", {"old/a.py": DEAD, "b.py": "x = 1\n", "pyproject.toml": config})
    assert (run.findings, run.checked, run.facts["left_out"]) == ((), 1, ["old/a.py"])


def test_wrong_configuration_is_told_in_vultures_words(ran: Ran) -> None:
    config = '[tool.vulture]\nignore_names = "x"\n'
    with pytest.raises(ToolError, match="Data type for ignore_names must be 'list'"):
        ran("vulture", {"a.py": DEAD, "pyproject.toml": config})


def test_files_that_do_not_parse_are_named(ran: Ran) -> None:
    files = {"a.py": "def f(:\n", "b.py": b"x = '\xff'\n", "c.py": "import os\n", "d.py": "\0"}
    run = ran("vulture", files)
    assert (set(run.facts["unparsable"]), run.checked) == ({"a.py", "b.py", "d.py"}, 1)
    assert places(run) == [("c.py:1", "unused-import")]
    assert run.reason.startswith("Vulture could not read 3 files: a.py (line 1: invalid syntax")


def test_warnings_make_no_file_unparsable(ran: Ran) -> None:
    run = ran("vulture", {"a.py": "import os\nx = '\\d'\ny = 1 is 1\n"})
    assert (run.reason, places(run)) == ("", [("a.py:1", "unused-import")])


def test_deeply_nested_file_is_named(ran: Ran) -> None:
    run = ran("vulture", {"deep.py": "x = " + "+".join("1" * 900), "a.py": "import os\n"})
    assert places(run) == [("a.py:1", "unused-import")]
    assert "deep.py (nested too deeply)" in run.reason


def test_vulture_that_gives_up_did_not_run(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Completed("", "Error: /x/a.py could not be found.\n", 1, 0.1)
    monkeypatch.setattr(_vulture, "run_process", lambda *_args, **_more: gone)
    with pytest.raises(ToolError, match="could not be found"):
        ran("vulture", {"a.py": DEAD})


def test_clean_tree_ran_without_findings(ran: Ran) -> None:
    run = ran("vulture", {"a b.py": "print(1)\n", "-x.py": "print(2)\n"})
    assert (run.status, run.findings, run.checked) == (RunStatus.RAN, (), 2)


def test_tree_without_python_has_nothing_to_check(ran: Ran) -> None:
    assert ran("vulture", {"a.txt": ""}).status is RunStatus.NOTHING_TO_CHECK
