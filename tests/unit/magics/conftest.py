"""What surrounds a magic: a session, and a namespace with nothing in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.magics._start import Surroundings

if TYPE_CHECKING:
    from hypernb.session import Session


@pytest.fixture
def around(session: Session) -> Surroundings:
    return Surroundings(
        namespace={},
        hidden=(),
        headless=False,
        shell=None,
        open_session=lambda: session,
        configure=lambda _settings: None,
    )
