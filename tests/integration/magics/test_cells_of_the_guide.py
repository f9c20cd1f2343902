"""Cells of README and guide that need no model, in a real kernel and one after another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.integration.magics.conftest import Desk
from tests.pages import IN_A_KERNEL, block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.magics.conftest import Kernel

pytestmark = pytest.mark.timeout(120)

AUDIT, GOAL, PLAYBOOK, RESULT, MISTAKE, VIEWS, LIMITS, ATTACH = IN_A_KERNEL


def cells(name: str) -> Iterator[str]:
    """Yield what a reader would run: a magic with its cell, or one line."""
    for part in block(name).body.strip().split("\n\n"):
        yield from [part] if part.startswith("%%") else part.splitlines()


def of_here(cell: str) -> str:
    """Name the mission that is here in place of the pages' example."""
    return re.sub(r"\bm-7\b", "m-1", cell).replace("MissionView(7", "MissionView(1")


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel that has run the cells of the README, which start and approve ``m-1``."""
    folder = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYPERNB_HOME", str(folder))
        desk = Desk(folder)
        kernel = desk.kernel()
        for cell in cells(AUDIT):
            kernel.ok(cell)
            if "approve" in cell:
                kernel.ok("%hyper wait m-1")
        kernel.ok("import hypernb; mission = hypernb.Session().mission('m-1')")
        yield kernel
        desk.clear()


def test_cells_of_the_readme_end_with_a_report(audited: Kernel) -> None:
    assert "F401" in audited.ok("%hyper result m-1").text


@pytest.mark.parametrize("name", [GOAL, PLAYBOOK])
def test_cells_propose_and_start_nothing(audited: Kernel, name: str) -> None:
    shown = [audited.ok(cell) for cell in cells(name)][-1]
    assert "Awaiting approval" in shown.text


def test_lines_that_use_a_result_have_one(audited: Kernel) -> None:
    audited.ok("mission")
    told = {cell: audited.ok(cell).of("execute_result") for cell in cells(RESULT)}
    # Nothing has failed, the first line shows nothing, and the last one may.
    shown = [each for each in list(told)[1:-1] if ".error " not in each]
    assert len(shown) == 4
    assert all(told[each] for each in shown)


def test_mistake_is_told_as_the_guide_has_it(audited: Kernel) -> None:
    typed, error = block(MISTAKE).body.strip().split("\n\n")
    assert audited.run(typed).error == error


@pytest.mark.parametrize("name", [VIEWS, LIMITS, ATTACH])
def test_cells_show_something(audited: Kernel, name: str) -> None:
    ran = {cell: audited.ok(of_here(cell)) for cell in cells(name)}
    shown = [each for cell, each in ran.items() if not cell.startswith("from ")]
    assert all(cell.of("execute_result") or cell.of("display_data") for cell in shown)
