"""Modules and functions that have grown too large."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypernb.model import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]


def test_oversized_modules_are_found(ran: Ran) -> None:
    files = {f"m{n}.py": "x = 1\n" * n for n in (500, 501, 1001)}
    run = ran("modules", files)
    assert [(f.file, f.rule, f.severity.value) for f in run.findings] == [
        ("m1001.py", "oversized-module", "medium"),
        ("m501.py", "oversized-module", "low"),
    ]


def test_comments_and_docstrings_are_no_code(ran: Ran) -> None:
    text = '"""A.\n\nB.\n"""\n' + "# c\n\n" * 600 + "x = 1\n"
    run = ran("modules", {"a.py": text})
    assert (run.findings, run.facts["lines_of_code"]) == ((), 1)


def test_long_functions_are_found(ran: Ran) -> None:
    body = '    """' + "words\n" * 100 + '    """\n' + "    x = 1\n" * 79
    text = (
        f"def fits():\n{body}\nclass A:\n    async def long(self):\n" + "        y = 1\n" * 80
    )
    run = ran("modules", {"a.py": text})
    (found,) = run.findings
    assert (found.rule, found.line, found.severity.value) == ("long-function", 184, "low")
    assert found.message.startswith("long() is 81 lines long")


def test_limits_are_parameters(ran: Ran) -> None:
    text = "def f():\n    x = 1\n    return x\n"
    run = ran("modules", {"a.py": text}, module_lines=2, function_lines=2)
    assert [f.rule for f in run.findings] == ["oversized-module", "long-function"]
    assert "over 2 lines of code" in run.settings


def test_files_that_do_not_parse_are_named(ran: Ran) -> None:
    run = ran("modules", {"a.py": "def f(:\n", "b.py": "x = 1\n"})
    assert (run.reason, run.checked) == ("Could not be parsed: a.py.", 1)


def test_tree_without_python_has_nothing_to_check(ran: Ran) -> None:
    assert ran("modules", {"a.txt": ""}).status is RunStatus.NOTHING_TO_CHECK
