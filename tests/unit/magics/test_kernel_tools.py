"""When the main thread is free, where there is no kernel: after the next command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from IPython.core.interactiveshell import InteractiveShell

from hypernb.magics import watch_cells
from hypernb.session import FREE_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """A shell of a terminal, which has no loop that others may use."""
    before = FREE_TIME.wake
    made = InteractiveShell()
    watch_cells(made)
    yield made
    FREE_TIME.wake = before


def test_calls_are_done_after_the_next_command(shell: InteractiveShell) -> None:
    done: list[str] = []
    FREE_TIME.add(lambda: done.append("call"))
    assert not done
    shell.run_cell("1 + 1")
    assert done == ["call"]


def test_calls_that_come_while_a_command_runs_wait_for_its_end(
    shell: InteractiveShell,
) -> None:
    done: list[str] = []
    shell.user_ns["add"] = lambda: FREE_TIME.add(lambda: done.append("call"))
    shell.user_ns["done"] = done
    shell.run_cell("add(); done.append('cell')")
    assert done == ["cell", "call"]


def test_watching_twice_is_harmless(shell: InteractiveShell) -> None:
    watch_cells(shell)
    done: list[str] = []
    FREE_TIME.add(lambda: done.append("call"))
    shell.run_cell("pass")
    assert done == ["call"]
