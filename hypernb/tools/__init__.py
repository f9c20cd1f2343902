"""What agents can do without a model: each tool stands for one program or one set of rules."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import UnknownNameError

if TYPE_CHECKING:
    from hypernb.abc import Tool
    from hypernb.tools._files import Listing as Listing
    from hypernb.tools._files import list_files as list_files
    from hypernb.tools._process import Completed as Completed
    from hypernb.tools._process import python_module as python_module
    from hypernb.tools._process import run_process as run_process

_TOOLS: Final = {
    "bandit": "_bandit:BanditTool",
    "ci": "_ci:CiTool",
    "complexity": "_complexity:ComplexityTool",
    "containers": "_containers:ContainersTool",
    "detect-secrets": "_detect_secrets:DetectSecretsTool",  # pragma: allowlist secret
    "ignored-secrets": "_ignored_secrets:IgnoredSecretsTool",  # pragma: allowlist secret
    "imports": "_imports:ImportsTool",
    "links": "_links:LinksTool",
    "markup": "_markup:MarkupTool",
    "modules": "_modules:ModulesTool",
    "notebooks": "_notebooks:NotebooksTool",
    "orm": "_orm:OrmTool",
    "packaging": "_packaging:PackagingTool",
    "profile-constants": "_profile_columns:ConstantsTool",
    "profile-correlations": "_profile_pairs:CorrelationsTool",
    "profile-duplicates": "_profile_rows:DuplicatesTool",
    "profile-leakage": "_profile_pairs:LeakageTool",
    "profile-missing": "_profile_columns:MissingTool",
    "profile-outliers": "_profile_columns:OutliersTool",
    "profile-plots": "_profile_plots:PlotsTool",
    "profile-types": "_profile_columns:TypesTool",
    "rank": "_rank:RankTool",
    "ruff": "_ruff:RuffTool",
    "scan": "_scan:ScanTool",
    "sql": "_sql:SqlTool",
    "tests": "_tests:SuiteTool",
    "untested": "_untested:UntestedTool",
    "vulture": "_vulture:VultureTool",
}

_HOMES: Final = {
    "Completed": "_process",
    "Listing": "_files",
    "list_files": "_files",
    "python_module": "_process",
    "run_process": "_process",
}

__all__ = [
    "Completed",
    "Listing",
    "list_files",
    "python_module",
    "run_process",
    "tool",
    "tool_names",
]


def tool(name: str) -> Tool:
    """Return a tool; its module is imported now, and no earlier.

    Raises:
        UnknownNameError: No tool has that name.
    """
    if name not in _TOOLS:
        raise UnknownNameError("tool", name, _TOOLS)
    module, _, cls = _TOOLS[name].partition(":")
    made: Tool = getattr(importlib.import_module(f"hypernb.tools.{module}"), cls)()
    return made


def tool_names() -> tuple[str, ...]:
    """Return the names of all tools, sorted."""
    return tuple(sorted(_TOOLS))


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hypernb.tools' has no attribute {name!r}")
    return getattr(importlib.import_module(f"hypernb.tools.{_HOMES[name]}"), name)
