"""What all tests can have: a PostgreSQL server, started when the first one asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.postgresql import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgresql import Server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    yield from serve()
