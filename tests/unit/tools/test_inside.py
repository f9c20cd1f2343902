"""Files below a root: whatever is exchanged meanwhile, nothing outside is read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hypernb.tools._inside import NO_FILE, bytes_inside

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    for folder in (made / "src", tmp_path / "outside"):
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text("inside" if folder.parent == made else "OUTSIDE")
    (made / "link.txt").symlink_to("src/a.txt")
    (made / "folder").symlink_to("src")
    return made


def read(root: Path, path: str, refused: Callable[[str], str] = lambda _: "") -> bytes | str:
    return bytes_inside(root, path, 100, refused)


@pytest.mark.parametrize("path", ["src/a.txt", "link.txt", "folder/a.txt", "src/../src/a.txt"])
def test_file_below_the_root_is_read_also_by_links_inside(root: Path, path: str) -> None:
    assert read(root, path) == b"inside"
    (root.parent / "same").symlink_to(root)
    assert read(root.parent / "same", path) == b"inside"


def test_links_are_judged_by_what_they_lead_to(root: Path) -> None:
    for path in ("folder/a.txt", "link.txt"):
        assert read(root, path, lambda inside: "no" * (inside == "src/a.txt")) == "no"
    (root / "out").symlink_to(root.parent / "outside")
    for path in ("out/a.txt", "../outside/a.txt", str(root.parent / "outside" / "a.txt")):
        assert read(root, path) == "is a link that leads out of the root"


def test_what_is_no_plain_file_is_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe")
    assert [read(root, path) for path in ("pipe", "src", ".")] == [NO_FILE] * 3


@pytest.mark.parametrize("path", ["src/a.txt", "link.txt", "folder/a.txt"])
@pytest.mark.parametrize("exchanged", ["src/a.txt", "src"])
def test_what_is_exchanged_after_the_look_is_not_followed(
    root: Path, path: str, exchanged: str
) -> None:
    """Somebody puts a link out of the root in the place of what was just found harmless."""
    elsewhere = root.parent / "outside" / exchanged.removeprefix("src").lstrip("/")

    def exchange(_inside: str) -> str:
        if not (root / exchanged).is_symlink():
            (root / exchanged).rename(root / "gone")
            (root / exchanged).symlink_to(elsewhere)
        return ""

    try:
        said = read(root, path, exchange)
    except OSError:
        return
    assert said == "is a link that leads out of the root"
