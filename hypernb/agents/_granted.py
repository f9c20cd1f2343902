"""What tools that look at values handed in may see of them: no more than was granted."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypernb.agents._model_tasks import profiles
from hypernb.agents._words import listed
from hypernb.errors import ToolError
from hypernb.tools import is_secret_name

if TYPE_CHECKING:
    from hypernb.abc import ToolContext


def within_grants(tool: str, context: ToolContext) -> ToolContext:
    """Return what a tool works with, without what it could tell of and may not.

    Findings of a profile quote cells: of a frame of which only the schema may be seen, none,
    and none of columns that are called as secrets are.

    Raises:
        ToolError: There is nothing else that it could look at.
    """
    if not profiles(tool):
        return context
    hidden = [name for name, grant in context.grants.items() if grant.see == "schema"]
    seen = {
        name: _without_secrets(value) if _redacts(name, context) else value
        for name, value in context.inputs.items()
        if name not in hidden
    }
    if hidden and not seen:
        raise ToolError(
            tool,
            f"it would tell of cells, and of {listed(sorted(hidden))} only the schema may be "
            "seen.",
            hint="Work with what you are told of it.",
        )
    return replace(context, inputs=seen)


def is_to_cover(tool: str, context: ToolContext) -> bool:
    """Tell whether what a tool answers is to be looked through for secrets."""
    return profiles(tool) and any(_redacts(name, context) for name in context.inputs)


def _redacts(name: str, context: ToolContext) -> bool:
    return name not in context.grants or context.grants[name].redact


def _without_secrets(value: Any) -> Any:
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(value, pandas.DataFrame):
        return value
    kept = [not is_secret_name(str(label)) for label in value.columns]
    return value if all(kept) else value.loc[:, kept]
