"""Functions of a kernel that the crew may call: how they are registered, and refused."""

import multiprocessing
from collections.abc import Iterator
from typing import Any

import pytest

import hypernb
from hypernb.abc import ToolContext
from hypernb.errors import UsageError
from hypernb.tools import forget_tool, kernel_lane, kernel_tools


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    for name in kernel_tools():
        forget_tool(name)


def test_function_stays_what_it_was_and_is_known_to_the_crew() -> None:
    @hypernb.tool
    def double(number: int) -> int:
        """Return twice the number."""
        return 2 * number

    known = kernel_tools()["double"]
    assert double(2) == 4
    assert (known.when, known.tool.lane) == ("free", kernel_lane())
    assert known.tool.schema.description == "Return twice the number."


def test_name_time_and_thread_can_be_chosen() -> None:
    @hypernb.tool(name="rows-of", when="thread", timeout_s=5)
    def rows(city: str) -> int:
        """Count."""
        return len(city)

    known = kernel_tools()["rows-of"]
    assert (known.when, known.tool.timeout_s, rows("abc")) == ("thread", 5, 3)


def test_defining_it_again_replaces_it() -> None:
    hypernb.tool(lambda: 1, name="again")
    hypernb.tool(lambda: 2, name="again")
    assert kernel_tools()["again"].tool.invoke(None, {}) == 2


def _with_context(context: ToolContext) -> None:
    """Want files."""


async def _waits() -> None:
    """Wait."""


@pytest.mark.parametrize(
    ("function", "options", "said"),
    [
        pytest.param(lambda: 1, {"name": "ruff"}, "that the crew has already", id="taken"),
        pytest.param(lambda: 1, {"name": "a b"}, "cannot be called 'a b'", id="name"),
        pytest.param(lambda: 1, {"name": "a", "when": "now"}, "when='now'", id="when"),
        pytest.param(lambda: 1, {"name": "a", "timeout_s": 0}, "within 0 s", id="time"),
        pytest.param(lambda x: x, {"name": "a"}, "its parameter 'x' has no type", id="type"),
        pytest.param(_with_context, {}, "it takes a ToolContext", id="context"),
        pytest.param(_waits, {}, "is async", id="async"),
    ],
)
def test_what_cannot_be_called_is_refused(
    function: Any, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        hypernb.tool(function, **options)
    assert said in str(caught.value)
    assert not kernel_tools()


def test_async_function_runs_on_a_thread() -> None:
    hypernb.tool(when="thread")(_waits)
    assert kernel_tools()["_waits"].when == "thread"


def test_lane_is_that_of_the_process() -> None:
    assert kernel_lane() == kernel_lane()
    assert kernel_lane().startswith("kernel:")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(kernel_lane) != kernel_lane()
