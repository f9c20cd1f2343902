"""Views of missions on a PostgreSQL server: the same line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.session import Session
from hypernb.store import SqlStore
from hypernb.widgets import MissionView
from tests.integration.widgets.conftest import Runner
from tests.unit.widgets.conftest import FrontEnd

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgresql import Server


def test_a_view_follows_a_mission_on_a_server(
    postgresql: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path))
    monkeypatch.setattr("hypernb.widgets._widget.built", lambda _name: "")
    url = postgresql.database()
    store = SqlStore(url)
    runner = Runner(store)
    with Session(url) as session, MissionView(session.mission(1)) as view:
        page = FrontEnd(view)
        page.hello()
        runner.approve()
        runner.begin()
        last = runner.progress("on")
        assert page.of("batch", seq=last)["tasks"][0]["note"] == "on"
        assert page.ask("pause")["ok"]
    store.close()
    postgresql.drop(url)
