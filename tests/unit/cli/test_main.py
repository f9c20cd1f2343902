"""What the command line makes of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.cli import _commands
from hypernb.cli._main import run
from hypernb.errors import WaitInterruptedError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (WaitInterruptedError("m-7"), "m-7 goes on. hypernb wait m-7 watches it again"),
        (KeyboardInterrupt(), "Interrupted."),
    ],
)
def test_interrupted_says_what_goes_on(
    error: BaseException,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(_: Any) -> None:
        raise error

    monkeypatch.setattr(_commands, "_mission", interrupted)
    assert run(["--db", str(tmp_path / "h.db"), "wait"]) == 130
    assert said in capsys.readouterr().err
