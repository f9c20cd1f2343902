"""Trees, contexts and cards for the tests of agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Plant = Callable[[Mapping[str, str]], Path]


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the tests away from the user's own role cards."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HYPERNB_HOME", str(folder))
    return folder


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Return a function that writes files and returns the folder they are in."""

    def write(files: Mapping[str, str]) -> Path:
        root = tmp_path / "project"
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return root

    return write
