"""Which module of a tree imports which, read from the source without importing anything."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from hypernb.tools._python import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path


class When(StrEnum):
    """When an import statement is executed."""

    LOADING = "loading"
    LATER = "later"
    TYPING = "typing"


@dataclass(frozen=True, slots=True)
class Edge:
    """One module imports another one of the tree.

    Attributes:
        importer: File that holds the statement.
        imported: File that it names.
        when: While the importer is loaded, later in a function, or for type checkers only.
    """

    importer: str
    imported: str
    line: int
    when: When


@dataclass(slots=True)
class ImportGraph:
    """The modules of a tree and their imports of each other.

    Attributes:
        names: Dotted name of each module, by its file.
        edges: At most one per pair and time; the first statement counts.
        unparsable: Why a file could not be read, by file.
    """

    names: dict[str, str]
    edges: list[Edge] = field(default_factory=list)
    unparsable: dict[str, str] = field(default_factory=dict)

    def successors(self, *times: When) -> dict[str, list[str]]:
        """Return the files that each file imports, sorted, each once."""
        found: dict[str, set[str]] = {file: set() for file in self.names}
        for edge in self.edges:
            if edge.when in times and edge.importer != edge.imported:
                found[edge.importer].add(edge.imported)
        return {file: sorted(imported) for file, imported in found.items()}

    def line(self, importer: str, imported: str, *times: When) -> int:
        """Return the line of the first such statement, or 0."""
        lines = [
            edge.line
            for edge in self.edges
            if edge.importer == importer
            and edge.imported == imported
            and (not times or edge.when in times)
        ]
        return min(lines, default=0)


def import_graph(
    root: Path,
    files: Sequence[str],
    pulse: Callable[[int], None] = lambda _number: None,
) -> ImportGraph:
    """Read the imports of Python files.

    A package begins where the folders with an ``__init__.py`` begin, so ``src`` layouts,
    several packages side by side and scripts beside them all get the names under which they
    import each other; namespace packages are found by the folders above.

    Args:
        files: Python files relative to the root.
        pulse: Called with the number of files read so far.
    """
    places = _Places(files, root.resolve().name)
    graph = ImportGraph(names={file: places.name(file) for file in files})
    for number, file in enumerate(files):
        pulse(number)
        tree, problem = parse(root / file)
        if tree is None:
            graph.unparsable[file] = problem
            continue
        graph.edges += _edges(file, tree, places)
    return graph


def _edges(file: str, tree: ast.Module, places: _Places) -> list[Edge]:
    first: dict[tuple[str, When], int] = {}
    for node, when in _import_statements(tree):
        for imported in _targets(file, node, places):
            key = (imported, when)
            first[key] = min(node.lineno, first.get(key, node.lineno))
    return [
        Edge(file, imported, line, when)
        for (imported, when), line in sorted(first.items(), key=lambda item: item[1])
    ]


def _import_statements(
    tree: ast.Module,
) -> Iterator[tuple[ast.Import | ast.ImportFrom, When]]:
    stack: list[tuple[ast.AST, When]] = [(tree, When.LOADING)]
    while stack:
        node, when = stack.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, when
        elif isinstance(node, ast.If) and _is_type_checking(node.test):
            stack += [(child, When.TYPING) for child in node.body]
            stack += [(child, when) for child in node.orelse]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            later = When.LATER if when is When.LOADING else when
            stack += [(child, later) for child in node.body]
        elif not isinstance(node, ast.expr):
            stack += [(child, when) for child in ast.iter_child_nodes(node)]


def _is_type_checking(test: ast.expr) -> bool:
    if isinstance(test, ast.Name):
        return test.id == "TYPE_CHECKING"
    return isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"


def _targets(file: str, node: ast.Import | ast.ImportFrom, places: _Places) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if (found := places.find(alias.name, file)) is not None:
                yield found
        return
    base = places.base(file, node)
    if base is None:
        return
    whole = places.find(base, file) if base else None
    for alias in node.names:
        # The name may be a module of the package, or something that the package holds.
        module = places.find(f"{base}.{alias.name}" if base else alias.name, file)
        if module is not None:
            yield module
        elif whole is not None:
            yield whole


class _Places:
    """Knows under which names the files of a tree import each other."""

    def __init__(self, files: Iterable[str], root_name: str) -> None:
        self._files = frozenset(files)
        self._packages = frozenset(
            str(path.parent)
            for path in map(PurePosixPath, self._files)
            if path.name == "__init__.py"
        )
        # The root may be a package itself; then its modules carry its name.
        self._prefix = root_name if "." in self._packages else ""
        self._roots: dict[str, str] = {}
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for file in sorted(self._files):
            for name in self._all_names(file):
                self._by_name[name].append(file)

    def name(self, file: str) -> str:
        """Return the dotted name of a file within its package."""
        root = self._root(file)
        name = _dotted(file, root)
        if not self._prefix or root != ".":
            return name
        return self._prefix if name == "__init__" else f"{self._prefix}.{name}"

    def find(self, name: str, importer: str) -> str | None:
        """Return the file that a name means in a file, or None if it is not of this tree."""
        found = self._by_name.get(name)
        if found is None:
            return self._beside(name, importer)
        root = self._root(importer)
        near = [file for file in found if self._root(file) == root]
        return max(near or found, key=lambda file: (_shared(file, importer), file))

    def base(self, file: str, node: ast.ImportFrom) -> str | None:
        """Return the absolute name of the package that ``from ... import`` starts at."""
        if not node.level:
            return node.module
        parts = self.name(file).split(".")
        if PurePosixPath(file).name != "__init__.py":
            parts = parts[:-1]
        up = node.level - 1
        if up > len(parts):
            return None
        kept = parts[: len(parts) - up] if up else parts
        return ".".join([*kept, node.module] if node.module else kept)

    def _root(self, file: str) -> str:
        folder = str(PurePosixPath(file).parent)
        if folder not in self._roots:
            top = PurePosixPath(folder)
            while str(top) in self._packages and str(top) != ".":
                top = top.parent
            self._roots[folder] = str(top)
        return self._roots[folder]

    def _all_names(self, file: str) -> Iterator[str]:
        root = self._root(file)
        short = self.name(file)
        # A lone script has a name of one word, which may just as well be another package's;
        # it counts at the root and in src, where Python would find it, else only beside it.
        if "." in short or root in {".", "src"} or _is_package(file):
            yield short
        folder = PurePosixPath(root)
        while str(folder) != ".":
            folder = folder.parent
            yield _dotted(file, str(folder))

    def _beside(self, name: str, importer: str) -> str | None:
        folder = PurePosixPath(importer).parent
        if str(folder) in self._packages:
            return None
        path = str(folder / PurePosixPath(*name.split("."))) + ".py"
        return path if path in self._files else None


def _is_package(file: str) -> bool:
    return PurePosixPath(file).name == "__init__.py"


def _dotted(file: str, root: str) -> str:
    path = PurePosixPath(file)
    inside = path if root == "." else path.relative_to(root)
    parts = list(inside.with_suffix("").parts)
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts)


def _shared(one: str, other: str) -> int:
    number = 0
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if left != right:
            break
        number += 1
    return number


def components(successors: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the groups of nodes that reach each other, two and more, each sorted.

    Tarjan's algorithm, written with a stack, because a chain of imports may be longer than
    Python's own.

    Example:
        >>> components({"a": ["b"], "b": ["a"], "c": ["a"]})
        [['a', 'b']]
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_nodes: list[str] = []
    is_open: set[str] = set()
    groups: list[list[str]] = []
    for start in successors:
        if start in index:
            continue
        work = [(start, iter(successors[start]))]
        index[start] = low[start] = len(index)
        open_nodes.append(start)
        is_open.add(start)
        while work:
            node, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group = _closed(node, open_nodes, is_open)
                    if len(group) > 1:
                        groups.append(sorted(group))
            elif following not in index:
                index[following] = low[following] = len(index)
                open_nodes.append(following)
                is_open.add(following)
                work.append((following, iter(successors[following])))
            elif following in is_open:
                low[node] = min(low[node], index[following])
    return sorted(groups)


def _closed(node: str, open_nodes: list[str], is_open: set[str]) -> list[str]:
    group: list[str] = []
    while not group or group[-1] != node:
        group.append(open_nodes.pop())
        is_open.discard(group[-1])
    return group


def shortest_cycle(successors: Mapping[str, Sequence[str]], group: Sequence[str]) -> list[str]:
    """Return a shortest way from the first node of a group back to itself.

    Example:
        >>> shortest_cycle({"a": ["b"], "b": ["c", "a"], "c": ["a"]}, ["a", "b", "c"])
        ['a', 'b']
    """
    start = group[0]
    inside = set(group)
    return shortest_route(
        start, lambda node: [n for n in successors[node] if n in inside], lambda n: n == start
    )[:-1]


def shortest_route(
    start: str, after: Callable[[str], Iterable[str]], is_goal: Callable[[str], bool]
) -> list[str]:
    """Return a shortest route of at least one step to a goal, or an empty list."""
    came: dict[str, str] = {}
    level = [start]
    while level:
        following: list[str] = []
        for node in level:
            for reached in after(node):
                if is_goal(reached):
                    return [*_way_back(came, node, start), reached]
                if reached not in came and reached != start:
                    came[reached] = node
                    following.append(reached)
        level = following
    return []


def _way_back(came: Mapping[str, str], node: str, start: str) -> list[str]:
    way = [node]
    while way[-1] != start:
        way.append(came[way[-1]])
    return way[::-1]
