"""Files of stores, and a home of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder, for this test only."""
    folder = tmp_path / "home"
    monkeypatch.setenv("HYPERNB_HOME", str(folder))
    monkeypatch.delenv("HYPERNB_DB", raising=False)
    monkeypatch.delenv("HYPERNB_SYNCHRONOUS", raising=False)
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    opened = SqlStore(path, busy_timeout_s=5.0)
    yield opened
    opened.close()
