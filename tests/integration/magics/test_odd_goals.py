"""A goal is taken literally, whatever it looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.magics.conftest import Desk, Kernel

pytestmark = pytest.mark.timeout(90)


@pytest.mark.parametrize(
    "goal",
    [
        pytest.param("%hyper stop", id="magic"),
        pytest.param("!touch pwned", id="shell"),
        pytest.param("--yes --playbook repo-audit tests", id="options"),
        pytest.param('{"a": {"b": []}} {} {0} {x!r} look at tests', id="braces"),
        pytest.param(r"\frac{a}{b} \text{tests} $\alpha$", id="latex"),
        pytest.param("🦆 ünïcödé tests \u202e", id="emoji"),
        pytest.param("{__import__('os').system('touch pwned')} tests", id="expression"),
        pytest.param("</div><script>document.title='pwned'</script>", id="markup"),
        pytest.param("tests\n\n  and\n\tmore", id="lines"),
    ],
)
def test_goal_is_taken_literally(shared: Desk, kernel: Kernel, goal: str) -> None:
    cell = kernel.ok(f"%%hyper\n{goal}\n")
    with shared.session as session:
        assert session.mission().goal == goal.strip("\n")
    assert "<script" not in cell.html
    assert not (shared.project / "pwned").exists()


@pytest.mark.parametrize(
    "goal",
    [
        pytest.param("look at \\x00 tests", id="nul"),
        pytest.param("look at \\x1b[31m tests", id="escape"),
        pytest.param("look at \\ud800 tests", id="surrogate"),
    ],
)
def test_control_characters_do_no_harm(kernel: Kernel, goal: str) -> None:
    cell = kernel.run(f"get_ipython().run_cell_magic('hyper', '', \"{goal}\")")
    assert cell.error.startswith("GoalError") or not cell.error
    assert not set(cell.text) & {"\x00", "\x1b"}


def test_variables_are_filled_in(shared: Desk, kernel: Kernel) -> None:
    kernel.ok("area = ['tests', 'docs']\n")
    kernel.ok("%%hyper\nLook at {area[1]}, not at {{area}}")
    with shared.session as session:
        assert session.mission().goal == "Look at docs, not at {area}"


def test_filling_in_can_be_left_out(shared: Desk, kernel: Kernel) -> None:
    kernel.ok("area = 'tests'")
    kernel.ok("%%hyper --no-interpolate\nLook at {area}")
    with shared.session as session:
        assert session.mission().goal == "Look at {area}"
