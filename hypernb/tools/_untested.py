"""Names Python modules that nothing leads to from the tests."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.abc import Tool
from hypernb.model import Finding, Report, Severity
from hypernb.tools._reading import (
    Rules,
    Sources,
    dotted_name,
    is_in_folder_of,
    is_side_path,
    is_test_path,
)
from hypernb.tools._suite import suite_files
from hypernb.tools._tests import COVERAGE_FILE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from hypernb.abc import ToolContext
    from hypernb.model import ToolRun

_MODULES_WITHOUT_TESTS: Final = 3
_LARGE_STATEMENTS: Final = 50
_SMALLEST_STATEMENTS: Final = 5
_NAMED_ONE_BY_ONE: Final = 20
_LARGEST_NAMED: Final = 5
_LONGEST_NAME: Final = 200
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_NOT_MODULES: Final = frozenset(
    {"setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py", "manage.py", "wsgi.py"}
    | {"asgi.py", "gunicorn.conf.py", "_version.py", "version.py", "__main__.py", "settings.py"}
)
_NOT_FOLDERS: Final = frozenset(
    {"alembic", "versions", "scripts", "tools", "bin", "ci", ".ci", ".github", "notebooks"}
    | {"benchmarks", "templates", "stubs", "typings", "hooks"}
)

_rules = Rules("untested", "coverage")


class UntestedTool(Tool):
    """Own rules: which modules no test imports, neither itself nor by way of others."""

    name: ClassVar[str] = "untested"
    title: ClassVar[str] = "name modules that no test reaches"

    def run(self, context: ToolContext) -> ToolRun:
        """Compare what the tests import with the modules that there are."""
        sources = Sources(context)
        trees = dict(sources.trees(sources.matching(".py")))
        tests = [path for path in trees if _is_test(path)]
        modules = [path for path in trees if _is_module(path, trees)]
        facts = {"modules": len(modules), "test_files": len(suite_files(context.files))}
        if not modules:
            return sources.nothing(self.name, "There are no Python modules.", facts=facts)
        if not facts["test_files"]:
            return sources.ran(self.name, _no_tests(modules), facts=facts)
        index = _Index({path: trees[path] for path in modules})
        reached = index.reached_from({path: trees[path] for path in tests})
        measured = _coverage(context)
        sizes = {
            path: _size(trees[path])
            for path in modules
            if path not in reached and not _is_measured(path, measured)
        }
        sizes = {path: size for path, size in sizes.items() if size >= _SMALLEST_STATEMENTS}
        facts["untested"] = len(sizes)
        settings = "what the tests lead to" + (", and coverage" if measured else "")
        findings = _findings(sizes, len(modules))
        return sources.ran(self.name, findings, facts=facts, settings=settings)


def _findings(sizes: Mapping[str, int], modules: int) -> list[Finding]:
    if len(sizes) > _NAMED_ONE_BY_ONE and 2 * len(sizes) > modules:
        # A list of most of the project says less than the number does.
        largest = sorted(sizes, key=lambda path: (-sizes[path], path))[:_LARGEST_NAMED]
        message = (
            f"No test reaches {len(sizes):,} of {modules:,} modules; the largest of them: "
            f"{', '.join(largest)}."
        )
        return [_rules.found("mostly-untested", Severity.MEDIUM, message)]
    return [_untested(path, size) for path, size in sizes.items()]


def _is_test(path: str) -> bool:
    return is_test_path(path) or path.endswith("conftest.py")


def _is_module(path: str, known: Collection[str]) -> bool:
    *folders, name = path.split("/")
    return (
        name not in _NOT_MODULES
        and not is_test_path(path)
        and not is_side_path(path)
        and "migrations" not in folders
        and not any(folder.startswith(".") for folder in folders)
        and not is_in_folder_of(path, _NOT_FOLDERS, known)
        and all(part.isidentifier() for part in (*folders[1:], name.removesuffix(".py")))
    )


def _no_tests(modules: list[str]) -> list[Finding]:
    written = [path for path in modules if not path.endswith("__init__.py")]
    if len(written) <= _MODULES_WITHOUT_TESTS:
        return []
    message = f"There are {len(written):,} Python modules and no tests."
    return [_rules.found("no-tests", Severity.MEDIUM, message)]


def _untested(path: str, size: int) -> Finding:
    severity = Severity.MEDIUM if size >= _LARGE_STATEMENTS else Severity.LOW
    message = f"Nothing that the tests import leads to this module ({size} statements)."
    return _rules.found("untested-module", severity, message, path)


def _size(tree: ast.Module) -> int:
    return sum(isinstance(node, ast.stmt) for node in ast.walk(tree))


# --- imports ----------------------------------------------------------------------------


class _Index:
    """Modules by the names that they can be imported by, and what hands on what."""

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        self._trees = trees
        self._by_name: dict[str, set[str]] = {}
        for path in trees:
            parts = _parts(path)
            for start in range(_package_start(path, trees) + 1):
                self._by_name.setdefault(".".join(parts[start:]), set()).add(path)

    def reached_from(self, tests: Mapping[str, ast.Module]) -> set[str]:
        """Return the modules that tests import or name, and all that these lead to."""
        reached: set[str] = set()
        found = [
            module
            for path, tree in tests.items()
            for name in (*_imports(path, tree), *_named(tree))
            for module in self._by_name.get(name, ())
        ]
        while found:
            path = found.pop()
            if path not in reached:
                reached.add(path)
                found += self._led_to(path)
        return reached

    def _led_to(self, path: str) -> Iterator[str]:
        names = [*_imports(path, self._trees[path])]
        if path.endswith("__init__.py"):
            names += _siblings_named(path, self._trees[path])
        for name in names:
            yield from self._by_name.get(name, ())


def _package_start(path: str, known: Collection[str]) -> int:
    """Return how many folders are above the outermost package that a module is in.

    The folders above it may be on the import path (src, lib) or be namespace packages.
    """
    folders = path.split("/")[:-1]
    while folders and "/".join([*folders, "__init__.py"]) in known:
        folders.pop()
    return len(folders)


def _parts(path: str) -> list[str]:
    parts = path.removesuffix(".py").split("/")
    return parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts


def _imports(path: str, tree: ast.Module) -> Iterator[str]:
    """Yield every dotted name that may be a module which the file imports."""
    here = path.removesuffix(".py").split("/")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _and_above(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            if node.level == 0:
                yield from _and_above(module)
            elif module:
                yield module
            for alias in node.names:
                yield f"{module}.{alias.name}".lstrip(".")


def _named(tree: ast.Module) -> Iterator[str]:
    """Yield dotted names in texts: mock.patch("a.b.c"), import_module("a.b"), "-m", "a.b"."""
    inner: set[int] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and len(node.value) < _LONGEST_NAME
            and _DOTTED.fullmatch(node.value)
        ):
            yield from _and_above(node.value)
        elif isinstance(node, ast.Attribute):
            # A chain is met from its end; what it begins with needs no look of its own.
            inner.add(id(node.value))
            if id(node) not in inner:
                yield from _and_above(dotted_name(node))


def _siblings_named(path: str, tree: ast.Module) -> Iterator[str]:
    """Yield what a package may import on demand: names in texts such as "_module:Class"."""
    package = ".".join(_parts(path))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if len(text) < _LONGEST_NAME and not re.search(r"\s", text):
                yield from (
                    f"{package}.{word}" for word in re.split(r"[^\w.]+|\.", text) if word
                )


def _and_above(name: str) -> Iterator[str]:
    # All beginnings of a name of any length would fill the memory.
    if len(name) >= _LONGEST_NAME:
        name = name[:_LONGEST_NAME].rpartition(".")[0]
    while name:
        yield name
        name = name.rpartition(".")[0]


# --- coverage ---------------------------------------------------------------------------


def _coverage(context: ToolContext) -> dict[str, Any]:
    """Return executed and all lines by file, from this task's suite or from one before it."""
    if context.outbox is not None:
        try:
            text = (context.outbox / COVERAGE_FILE).read_text(encoding="utf-8")
            return dict(json.loads(text)["files"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
    for report in context.inputs.values():
        for run in report.runs if isinstance(report, Report) else ():
            if "coverage_files" in run.facts:
                return dict(run.facts["coverage_files"])
    return {}


def _is_measured(path: str, measured: Mapping[str, Any]) -> bool:
    covered, _ = measured.get(path, (0, 0))
    return bool(covered)
