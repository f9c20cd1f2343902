"""What agents can do without a model: each tool stands for one program or one set of rules."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import UnknownNameError

if TYPE_CHECKING:
    from hypernb.abc import Tool
    from hypernb.tools._egress import Egress as Egress
    from hypernb.tools._egress import egress as egress
    from hypernb.tools._files import Listing as Listing
    from hypernb.tools._files import list_files as list_files
    from hypernb.tools._functions import FunctionTool as FunctionTool
    from hypernb.tools._functions import ToolAnswer as ToolAnswer
    from hypernb.tools._functions import bounded as bounded
    from hypernb.tools._functions import read_arguments as read_arguments
    from hypernb.tools._new_files import new_files as new_files
    from hypernb.tools._places import is_secret_name as is_secret_name
    from hypernb.tools._process import Completed as Completed
    from hypernb.tools._process import python_module as python_module
    from hypernb.tools._process import run_process as run_process
    from hypernb.tools._registry import KernelTool as KernelTool
    from hypernb.tools._registry import forget_tool as forget_tool
    from hypernb.tools._registry import kernel_lane as kernel_lane
    from hypernb.tools._registry import kernel_tool as kernel_tool
    from hypernb.tools._registry import kernel_tools as kernel_tools
    from hypernb.tools._suite import suite_command as suite_command
    from hypernb.tools._variables import Described as Described
    from hypernb.tools._variables import describe_variable as describe_variable
    from hypernb.tools._variables import outline_variable as outline_variable

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

# What models call besides: module and function, by the name that they know it by.
_FUNCTIONS: Final = {
    "git-blame": "_git:git_blame",
    "git-diff": "_git:git_diff",
    "git-log": "_git:git_log",
    "inspect-variable": "_inspect:inspect_variable",
    "list-files": "_read:list_folder",
    "outline-file": "_outline:outline_file",
    "query-store": "_read:query_store",
    "read-file": "_read:read_file",
    "search-files": "_search:search_files",
}

_HOMES: Final = {
    "Completed": "_process",
    "Described": "_variables",
    "Egress": "_egress",
    "FunctionTool": "_functions",
    "KernelTool": "_registry",
    "Listing": "_files",
    "ToolAnswer": "_functions",
    "bounded": "_functions",
    "read_arguments": "_functions",
    "describe_variable": "_variables",
    "egress": "_egress",
    "forget_tool": "_registry",
    "is_secret_name": "_places",
    "kernel_lane": "_registry",
    "kernel_tool": "_registry",
    "kernel_tools": "_registry",
    "list_files": "_files",
    "new_files": "_new_files",
    "outline_variable": "_variables",
    "python_module": "_process",
    "run_process": "_process",
    "suite_command": "_suite",
}

__all__ = [
    "Completed",
    "Described",
    "Egress",
    "FunctionTool",
    "KernelTool",
    "Listing",
    "ToolAnswer",
    "all_tool_names",
    "bounded",
    "describe_variable",
    "egress",
    "forget_tool",
    "function_tool",
    "function_tool_names",
    "is_secret_name",
    "kernel_lane",
    "kernel_tool",
    "kernel_tools",
    "list_files",
    "new_files",
    "outline_variable",
    "python_module",
    "run_process",
    "suite_command",
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
    """Return the names of the tools that need no model, sorted."""
    return tuple(sorted(_TOOLS))


def function_tool(name: str) -> FunctionTool:
    """Return a tool that a model can call; a tool that needs none can be called as well.

    Raises:
        UnknownNameError: No tool has that name.
    """
    from hypernb.tools._functions import FunctionTool

    if name in _TOOLS:
        from hypernb.tools._analyse import analyser_tool

        return analyser_tool(tool(name))
    if name not in _FUNCTIONS:
        raise UnknownNameError("tool", name, all_tool_names())
    module, _, function = _FUNCTIONS[name].partition(":")
    home = importlib.import_module(f"hypernb.tools.{module}")
    return FunctionTool(getattr(home, function), name=name)


def function_tool_names() -> tuple[str, ...]:
    """Return the names of the tools that only a model calls, sorted."""
    return tuple(sorted(_FUNCTIONS))


def all_tool_names() -> tuple[str, ...]:
    """Return the names of all tools that come with hypernb, sorted."""
    return tuple(sorted((*_TOOLS, *_FUNCTIONS)))


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hypernb.tools' has no attribute {name!r}")
    return getattr(importlib.import_module(f"hypernb.tools.{_HOMES[name]}"), name)
