"""Modules and functions that have grown beyond what one can keep in mind."""

from __future__ import annotations

import ast
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.abc import Tool
from hypernb.model import Finding, RunStatus, Severity, ToolRun
from hypernb.tools._programs import looked, name_some
from hypernb.tools._python import parse, python_files
from hypernb.tools._reading import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hypernb.abc import ToolContext

MODULE_LINES: Final = 500
FUNCTION_LINES: Final = 80
# Twice the limit is no longer a matter of taste.
_FAR: Final = 2
_TOP: Final = 10
_PULSE_FILES: Final = 100
_RULES: Final = Rules("modules", "architecture")


class ModulesTool(Tool):
    """Report modules over ``module_lines`` (500) lines of code, functions over 80 lines.

    Lines of code are neither blank nor comments nor docstrings. A function counts from its
    ``def`` to its last line, as an editor shows it, without its docstring. Over the limit is
    low, over twice the limit medium.
    """

    name: ClassVar[str] = "modules"
    title: ClassVar[str] = "Measure modules and functions"

    def run(self, context: ToolContext) -> ToolRun:
        """Measure all listed Python files."""
        began = time.monotonic()
        module_lines = int(context.params.get("module_lines", MODULE_LINES))
        function_lines = int(context.params.get("function_lines", FUNCTION_LINES))
        settings = (
            f"modules over {module_lines} lines of code, functions over {function_lines} lines "
            "without docstring; medium over twice that"
        )
        files = python_files(context.files)
        if not files:
            return ToolRun(
                tool=self.name,
                status=RunStatus.NOTHING_TO_CHECK,
                reason="There are no Python files.",
                settings=settings,
            )
        findings: list[Finding] = []
        sizes: dict[str, int] = {}
        unparsable: dict[str, str] = {}
        for number, file in enumerate(files):
            if number % _PULSE_FILES == 0:
                context.report(f"measured {number:,} of {len(files):,} files", None)
            tree, problem = parse(context.root / file)
            if tree is None:
                unparsable[file] = problem
                continue
            text = (context.root / file).read_text(encoding="utf-8", errors="replace")
            sizes[file] = code_lines(text, tree)
            findings += _module(file, sizes[file], module_lines)
            findings += _functions(file, tree, function_lines)
        return ToolRun(
            tool=self.name,
            status=looked(len(sizes)),
            reason=f"Could not be parsed: {name_some(sorted(unparsable))}."
            if unparsable
            else "",
            settings=settings,
            checked=len(sizes),
            duration_s=time.monotonic() - began,
            findings=tuple(findings),
            facts=_facts(sizes, unparsable),
        )


def code_lines(text: str, tree: ast.Module) -> int:
    """Count the lines of Python that hold code: not blank, no comment, no docstring.

    Example:
        >>> source = "'Says hello.'" + chr(10) + "# loudly" + chr(10) + "print('HELLO')"
        >>> code_lines(source, ast.parse(source))
        1
    """
    docstrings = {
        number for first, last in _docstrings(tree) for number in range(first, last + 1)
    }
    return sum(
        1
        for number, line in enumerate(text.split("\n"), start=1)
        if number not in docstrings and (bare := line.strip()) and not bare.startswith("#")
    )


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, int]]:
    for node in ast.walk(tree):
        if isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) and (place := _docstring(node)):
            yield place


def _docstring(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
) -> tuple[int, int] | None:
    first = node.body[0] if node.body else None
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        return first.lineno, first.end_lineno or first.lineno
    return None


def _module(file: str, lines: int, limit: int) -> Iterator[Finding]:
    if lines > limit:
        yield _RULES.found(
            "oversized-module",
            _severity(lines, limit),
            f"{lines:,} lines of code; over {limit}, a module is usually two.",
            file,
        )


def _functions(file: str, tree: ast.Module, limit: int) -> Iterator[Finding]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if place := _docstring(node):
                lines -= place[1] - place[0] + 1
            if lines > limit:
                found.append((node.lineno, node.name, lines))
    for line, name, lines in sorted(found):
        yield _RULES.found(
            "long-function",
            _severity(lines, limit),
            f"{name}() is {lines:,} lines long; over {limit}, there is a decision to extract.",
            file,
            line,
        )


def _severity(lines: int, limit: int) -> Severity:
    return Severity.MEDIUM if lines > _FAR * limit else Severity.LOW


def _facts(sizes: Mapping[str, int], unparsable: Mapping[str, str]) -> dict[str, Any]:
    ordered = sorted(sizes.values())
    biggest = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:_TOP]
    return {
        "modules": len(sizes),
        "lines_of_code": sum(ordered),
        "median_lines": ordered[len(ordered) // 2] if ordered else 0,
        "biggest": [{"file": file, "lines_of_code": lines} for file, lines in biggest],
        "unparsable": dict(unparsable),
    }
