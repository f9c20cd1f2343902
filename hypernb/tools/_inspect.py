"""Looking at a variable that the plan hands in, as far as the plan allows it."""

from typing import Literal

from hypernb.abc import ToolContext
from hypernb.errors import ToolError, nearest
from hypernb.tools._variables import describe_variable


def inspect_variable(
    context: ToolContext,
    name: str,
    part: Literal["all", "schema", "statistics", "sample", "column"] = "all",
    column: str = "",
) -> str:
    """Look at a variable of the notebook that this task was given.

    Args:
        name: Its name.
        part: Which part of what may be seen of it.
        column: For the part column: name of the column.
    """
    grant = context.grants.get(name)
    if grant is None or name not in context.inputs:
        raise ToolError(
            "inspect-variable",
            f"no variable that this task may see is called {name[:80]!r}.",
            hint=nearest(name, [each for each in context.grants if each in context.inputs]),
        )
    described = describe_variable(name, context.inputs[name], grant)
    if part == "all":
        return described.text
    if part == "column":
        return described.column(column)
    return described.part(part)
