"""What the doctor says of where things are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypernb.store import SigningKey

if TYPE_CHECKING:
    from pathlib import Path

    from hypernb.session import Session


def places(session: Session) -> dict[str, str]:
    checks = session.doctor(offline=True)
    found = {check.what: check.found for check in checks}
    return {what: said for what, said in found.items() if what.startswith("place, ")}


def test_doctor_says_where_things_are_and_which_are_there(
    session: Session, tmp_path: Path
) -> None:
    project = tmp_path / ".hypernb"
    (project / "agents").mkdir(parents=True)
    (project / "config.toml").write_text("")
    SigningKey.load()
    session.backup()
    home = tmp_path / "home"
    assert places(session) == {
        "place, outputs over 1 MB": f"{tmp_path / 'store.db.artifacts'}, not there",
        "place, backups": str(tmp_path / "backups"),
        "place, logs": f"{tmp_path / 'store.db.logs'}, not there",
        "place, signing key": str(home / "key"),
        "place, your settings": f"{home / 'config.toml'}, not there",
        "place, the project's settings": str(project / "config.toml"),
        "place, your agents": f"{home / 'agents'}, not there",
        "place, the project's agents": str(project / "agents"),
        "place, cassettes": f"{project / 'cassettes'}, not there",
    }
