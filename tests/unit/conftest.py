"""A session without a runner, for what is decided without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HYPERNB_DB", raising=False)
    # No test here is about a runner, and none may be left behind.
    monkeypatch.setattr(Session, "ensure_runner", lambda _self, *_: None)
    with Session(tmp_path / "store.db", root=tmp_path) as made:
        yield made
