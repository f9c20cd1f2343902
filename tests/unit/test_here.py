"""What the magics of a kernel lend to functions that name no session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import IPython
import pytest

from hypernb import here
from hypernb.session import session_here
from hypernb.session._here import settings_here

if TYPE_CHECKING:
    from hypernb.session import Session


class Shell:
    """One of IPython's, as far as it is looked at."""


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    made = Shell()
    monkeypatch.setattr(IPython, "get_ipython", lambda: made)
    monkeypatch.setattr(here, "_lent", {})
    return made


def test_session_and_settings_of_the_magics_are_those_of_all(
    session: Session, shell: Shell
) -> None:
    here.lend(shell, here.Lent(lambda: session, lambda: {"model": "small"}))
    assert session_here() is session
    assert settings_here() == {"model": "small"}


def test_what_another_shell_lends_is_not_used(session: Session, shell: Shell) -> None:
    here.lend(Shell(), here.Lent(lambda: session, lambda: {"model": "small"}))
    assert settings_here() == {}
    assert here.current_shell() is shell
