"""Analysers that a model calls: without arguments, told in counts and findings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hypernb.abc import ToolContext
from hypernb.errors import ToolArgumentsError
from hypernb.tools import function_tool, list_files

if TYPE_CHECKING:
    from tests.unit.tools.conftest import Tree


def test_model_is_told_counts_and_the_worst_first(tree: Tree) -> None:
    listing = list_files(tree({"a.py": "# TODO tidy\n# FIXME now\n"}))
    answer = function_tool("scan").call(ToolContext(listing.root, listing.files), {})
    assert answer.content["status"] == "ran"
    assert answer.content["findings"] == {"medium": 1, "low": 3}
    assert answer.content["worst_first"][0].startswith("medium a.py:2 FIXME")


def test_report_gets_the_run_itself(tree: Tree) -> None:
    listing = list_files(tree({"a.py": "# TODO tidy\n"}))
    answer = function_tool("scan").call(ToolContext(listing.root, listing.files), {})
    assert answer.run is not None
    assert [found.rule for found in answer.run.findings][:1] == ["TODO"]


def test_settings_are_those_of_the_plan(tree: Tree) -> None:
    listing = list_files(tree({"a.py": "x = 1\n" * 30}))
    context = ToolContext(listing.root, listing.files, params={"module_lines": 20})
    answer = function_tool("modules").call(context, {})
    assert answer.content["findings"] == {"low": 1}


def test_model_has_no_say_in_them() -> None:
    with pytest.raises(ToolArgumentsError, match="There is no 'module_lines'"):
        function_tool("modules").check('{"module_lines": 1}')


def test_many_findings_are_counted(tree: Tree) -> None:
    listing = list_files(tree({"a.py": "# TODO tidy this up\n" * 3_000}))
    answer = function_tool("scan").call(ToolContext(listing.root, listing.files), {})
    assert answer.content["findings"] == {"low": 3_002}
    assert answer.content["not_shown"] == 2_902
    assert len(str(answer.content)) < 20_000


def test_nothing_to_check_is_said_so() -> None:
    answer = function_tool("modules").call(ToolContext(Path("/"), ()), {})
    assert answer.content["status"] == "nothing_to_check"
    assert answer.content["reason"] == "There are no Python files."


def test_what_is_found_in_a_file_is_covered_up_as_the_file_is(tree: Tree) -> None:
    listing = list_files(tree({"a.py": "# TODO: drop password=hunter2\n"}))
    answer = function_tool("scan").call(ToolContext(listing.root, listing.files), {})
    assert "password=[secret]" in str(answer.content)
    assert "hunter2" not in str(answer.content)
