"""Cells of IPython in a terminal, with a real one around it."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

pexpect = pytest.importorskip("pexpect", reason="IPython brings it where terminals are POSIX")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WITHIN_S = 30


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Any]:
    own = {
        "HYPERNB_HOME": str(tmp_path),
        "HYPERNB_DB": str(tmp_path / "store.db"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "TERM": "xterm",
        "PROMPT_TOOLKIT_NO_CPR": "1",
    }
    options = ["--no-banner", "--no-confirm-exit", "--colors=NoColor"]
    started = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", *options],
        cwd=str(tmp_path),
        env={**os.environ, **own},
        dimensions=(50, 120),
        timeout=WITHIN_S,
        encoding="utf-8",
    )
    yield started
    started.close(force=True)


def told(terminal: Any) -> str:
    """Return what has appeared since the last look, without colours and moves."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", str(terminal.before))


def test_cell_waits_for_its_goal(terminal: Any) -> None:
    terminal.expect_exact("[1]")
    terminal.send("%load_ext hypernb\r")
    terminal.expect_exact("[2]")
    terminal.send("%%hyper --offline\r")
    terminal.expect(r"\.\.\.:")
    assert "GoalError" not in told(terminal)
    terminal.send("Which tests are missing?")
    terminal.expect(r"missing\?")
    for _ in range(3):  # as for any cell magic: an empty line ends it
        terminal.send("\r")
    terminal.expect_exact("Your decision")
    assert "Which tests are missing?" in told(terminal)
