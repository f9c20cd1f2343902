"""Searching: text and regular expressions, bounded in time, blind to secrets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from hypernb.abc import ToolContext
from hypernb.errors import ToolError
from hypernb.tools import _search
from hypernb.tools._search import _told
from tests.unit.tools.conftest import call

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.tools.conftest import Asked, Tree

FILES = {"a.py": "one\ntwo(\nthree\n", "src/b.md": "Two (\n", "c.bin": b"two\0("}
KEY = "sk-proj-" + "a1B2c3D4e5F6g7H8i9J0"


def test_text_is_taken_as_it_is(asked: Asked) -> None:
    said = asked("search-files", FILES, text="two(")
    assert said.startswith("1 matching lines in 1 of 2 files. 1 files are binary")
    assert "\na.py\n    1- one\n    2: two(\n    3- three" in said


def test_regular_expression_and_case(asked: Asked) -> None:
    said = asked(
        "search-files", FILES, text=r"^two ?\(", regex=True, ignore_case=True, around=0
    )
    assert "2 matching lines in 2 of 2 files" in said
    assert "src/b.md\n    1: Two (" in said


def test_only_in_files_that_fit(asked: Asked) -> None:
    said = asked("search-files", FILES, text="two", ignore_case=True, glob="src/**/*.md")
    assert "1 matching lines in 1 of 1 files" in said
    with pytest.raises(ToolError, match=r"no file fits '\*\.rs'"):
        asked("search-files", FILES, text="two", glob="*.rs")


def test_broken_expression_says_where(asked: Asked) -> None:
    with pytest.raises(ToolError, match="no regular expression of Python: missing \\)"):
        asked("search-files", FILES, text="two(", regex=True)


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|aa)+$", r"(.*a){20}b"])
def test_expression_that_never_ends_is_ended(asked: Asked, pattern: str) -> None:
    began = time.monotonic()
    files = {"a.txt": "found\n", "b.txt": f"{'a' * 5_000}!\n", "c.txt": "found\n"}
    said = asked("search-files", files, text=f"found|{pattern}", regex=True)
    assert "Not looked through, for it took too long: 'b.txt'." in said
    assert "a.txt\n    1: found" in said
    assert "c.txt\n    1: found" in said
    assert time.monotonic() - began < 12


def test_matches_beyond_the_limit_are_counted(asked: Asked) -> None:
    said = asked("search-files", {"a.txt": "x\n" * 500}, text="x", most=3, around=0)
    assert "500 matching lines in 1 of 1 files. 497 are not shown" in said


def test_long_line_is_cut_around_its_match(asked: Asked) -> None:
    files = {"a.js": f"{'x' * 5_000}needle{'y' * 5_000}\n"}
    said = asked("search-files", files, text="needle", around=0)
    assert "needle" in said
    assert len(said) < 600


def test_secrets_are_neither_shown_nor_found(asked: Asked) -> None:
    """A search that found them could guess them letter by letter."""
    files = {"a.py": f"key = '{KEY}'\n", ".env": f"KEY={KEY}\n"}
    assert "0 matching lines" in asked("search-files", files, text=KEY[:10])
    assert "key = [secret]" in asked("search-files", files, text="key =").replace("'", "")
    assert KEY not in asked("search-files", files, text=".*", regex=True)


def test_hostile_names_and_links_are_harmless(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("needle")
    root = tree({"-rf *.txt": "needle\n", "$(id).txt": "needle\n"})
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    context = ToolContext(root, ("$(id).txt", "-rf *.txt", "link.txt"))
    said = call("search-files", context, text="needle", around=0)
    assert "2 matching lines in 2 of 2 files. 1 files are binary or cannot be read" in said


def test_large_log_is_looked_through_to_its_end(asked: Asked) -> None:
    line = "2026-11-28 07:25:00 INFO nothing of note has happened to any of them here\n"
    files = {"huge.log": f"{line * 200_000}password of the door\n"}
    said = asked("search-files", files, text="password", around=0)
    assert "1 matching lines in 1 of 1 files.\n" in said
    assert "200001: password of the door" in said


def test_end_of_a_large_file_is_said_to_be_left_out(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_search, "_FILE_AT_MOST_BYTES", 100)
    files = {"a.txt": f"needle{' ' * 200}needle", "b.txt": "needle"}
    said = asked("search-files", files, text="needle", around=0)
    assert "2 matching lines in 2 of 2 files. Of 'a.txt' only the first 100 bytes" in said


def test_what_a_link_leads_to_is_in_the_scope_too(tree: Tree) -> None:
    root = tree({"docs/a.md": "needle\n", "private/plan.md": "needle\n"})
    for name, target in (("out.md", "../private/plan.md"), ("in.md", "a.md")):
        (root / "docs" / name).symlink_to(target)
    context = ToolContext(root, ("docs/a.md", "docs/in.md", "docs/out.md"))
    said = call("search-files", context, text="needle", around=0)
    assert "2 matching lines in 2 of 2 files. 1 files are binary or cannot be read" in said


def test_nothing_found_is_told_as_such() -> None:
    found = {"matches": [], "total": 0, "files": 0, "searched": 7, "skipped": 0}
    found |= {"left": [], "cut": []}
    assert _told(found) == "0 matching lines in 0 of 7 files."
