"""Quick turns of threads: while somebody watches, and no longer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from hypernb.widgets._turns import QuickTurns

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _turns_of_five_milliseconds() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.005)
    yield
    sys.setswitchinterval(before)


def _turn_ms() -> float:
    return round(sys.getswitchinterval() * 1e3, 3)


def test_turns_are_quick_inside_and_as_before_after() -> None:
    with QuickTurns():
        assert _turn_ms() == 0.5
    assert _turn_ms() == 5


def test_the_last_to_leave_restores() -> None:
    turns = QuickTurns()
    with turns:
        with turns:
            assert _turn_ms() == 0.5
        assert _turn_ms() == 0.5
    assert _turn_ms() == 5


def test_what_somebody_else_has_set_meanwhile_stays() -> None:
    with QuickTurns():
        sys.setswitchinterval(0.002)
    assert _turn_ms() == 2


def test_turns_that_are_quicker_already_stay() -> None:
    sys.setswitchinterval(0.00025)
    with QuickTurns():
        assert _turn_ms() == 0.25
    assert _turn_ms() == 0.25


def test_a_forked_child_has_its_own_turns() -> None:
    turns = QuickTurns()
    turns.begin()
    turns.in_child()
    assert _turn_ms() == 5
