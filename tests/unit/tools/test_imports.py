"""The import graph, its cycles, and the layers that a project declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernb.model import RunStatus
from hypernb.tools import list_files
from hypernb.tools._import_graph import When, components, import_graph, shortest_cycle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]
    Tree = Callable[..., Path]

PACKAGE = {"pkg/__init__.py": "", "pkg/a.py": "", "pkg/b.py": "", "pkg/sub/__init__.py": ""}


@pytest.fixture
def imports_of(tree: Tree) -> Callable[..., list[str]]:
    """Say what the modules of a tree import: ``pkg.a > pkg.b``."""

    def read(files: dict[str, str], *times: When) -> list[str]:
        listing = list_files(tree(files))
        python = [file for file in listing.files if file.endswith(".py")]
        graph = import_graph(listing.root, python)
        return [
            f"{graph.names[edge.importer]} > {graph.names[edge.imported]}"
            for edge in graph.edges
            if edge.when in (times or tuple(When))
        ]

    return read


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        pytest.param("import pkg.b", ["pkg.a > pkg.b"], id="import"),
        pytest.param("import pkg.b as b, os", ["pkg.a > pkg.b"], id="as"),
        pytest.param("from pkg import b", ["pkg.a > pkg.b"], id="from"),
        pytest.param("from pkg import b, VERSION", ["pkg.a > pkg", "pkg.a > pkg.b"], id="name"),
        pytest.param("from pkg.b import *", ["pkg.a > pkg.b"], id="star"),
        pytest.param("from . import b", ["pkg.a > pkg.b"], id="relative"),
        pytest.param("from .b import x", ["pkg.a > pkg.b"], id="relative-module"),
        pytest.param("from .sub import x", ["pkg.a > pkg.sub"], id="relative-package"),
        pytest.param("from .. import x", [], id="above-the-top"),
        pytest.param("from ... import x", [], id="far-above"),
        pytest.param("import b", [], id="not-beside-in-a-package"),
        pytest.param("import elsewhere.b", [], id="elsewhere"),
    ],
)
def test_statements_name_modules(
    imports_of: Callable[..., list[str]], statement: str, found: list[str]
) -> None:
    assert sorted(imports_of({**PACKAGE, "pkg/a.py": statement})) == found


@pytest.mark.parametrize(
    ("code", "when"),
    [
        pytest.param("import pkg.b", When.LOADING, id="module"),
        pytest.param("class A:\n    import pkg.b", When.LOADING, id="class-body"),
        pytest.param("try:\n    import pkg.b\nexcept E: pass", When.LOADING, id="try"),
        pytest.param("match 1:\n    case 1:\n        import pkg.b", When.LOADING, id="match"),
        pytest.param("def f():\n    import pkg.b", When.LATER, id="function"),
        pytest.param("if TYPE_CHECKING:\n    import pkg.b", When.TYPING, id="typing"),
        pytest.param(
            "if t.TYPE_CHECKING:\n    import pkg.b", When.TYPING, id="typing-attribute"
        ),
        pytest.param(
            "if TYPE_CHECKING:\n    x = 1\nelse:\n    import pkg.b", When.LOADING, id="else"
        ),
        pytest.param(
            "def f():\n    if TYPE_CHECKING:\n        import pkg.b", When.TYPING, id="both"
        ),
    ],
)
def test_time_of_an_import_is_known(
    imports_of: Callable[..., list[str]], code: str, when: When
) -> None:
    assert imports_of({**PACKAGE, "pkg/a.py": code}, when) == ["pkg.a > pkg.b"]


@pytest.mark.parametrize(
    ("files", "found"),
    [
        pytest.param(
            {"src/p/__init__.py": "", "src/p/a.py": "import p.b", "src/p/b.py": ""},
            ["p.a > p.b"],
            id="src-layout",
        ),
        pytest.param(
            {"src/ns/p/__init__.py": "", "src/ns/p/a.py": "import ns.p.b", "src/ns/p/b.py": ""},
            ["p.a > p.b"],
            id="namespace",
        ),
        pytest.param(
            {"p/__init__.py": "import q.b", "q/__init__.py": "", "q/b.py": "import p"},
            ["p > q.b", "q.b > p"],
            id="two-packages",
        ),
        pytest.param(
            {"scripts/a.py": "import b, types", "scripts/b.py": "", "other/types.py": ""},
            ["a > b"],
            id="scripts-side-by-side",
        ),
        pytest.param(
            {"one/app/__init__.py": "", "one/app/a.py": "import app.b", "one/app/b.py": ""}
            | {"two/app/__init__.py": "", "two/app/b.py": ""},
            ["app.a > app.b"],
            id="same-name-twice",
        ),
        pytest.param(
            {"__init__.py": "from .a import x", "a.py": "import tree.b", "b.py": ""},
            ["tree > tree.a", "tree.a > tree.b"],
            id="root-is-a-package",
        ),
    ],
)
def test_layouts_are_understood(
    imports_of: Callable[..., list[str]], files: dict[str, str], found: list[str]
) -> None:
    assert sorted(imports_of(files)) == found


def test_same_name_twice_stays_in_its_tree(tree: Tree) -> None:
    files = {"one/app/__init__.py": "", "one/app/a.py": "import app.b", "one/app/b.py": ""}
    more = {"two/app/__init__.py": "", "two/app/b.py": ""}
    root = tree(files | more)
    graph = import_graph(root, sorted(files | more))
    assert [edge.imported for edge in graph.edges] == ["one/app/b.py"]


def test_cycle_is_told_with_its_route(ran: Ran) -> None:
    run = ran(
        "imports",
        {
            "pkg/__init__.py": "",
            "pkg/a.py": "from pkg import b\n",
            "pkg/b.py": "x = 1\nfrom pkg import c\n",
            "pkg/c.py": "\n\nfrom pkg.a import y\n",
        },
    )
    (found,) = run.findings
    assert (found.rule, found.where, found.category) == (
        "import-cycle",
        "pkg/c.py:3",
        "architecture",
    )
    assert "pkg.a → pkg.b → pkg.c → pkg.a" in found.message


@pytest.mark.parametrize(
    "back",
    [
        pytest.param("def f():\n    import pkg.a\n", id="in-a-function"),
        pytest.param("if TYPE_CHECKING:\n    import pkg.a\n", id="for-type-checkers"),
    ],
)
def test_imports_that_do_not_load_close_no_cycle(ran: Ran, back: str) -> None:
    files = {"pkg/__init__.py": "", "pkg/a.py": "import pkg.b\n", "pkg/b.py": back}
    assert ran("imports", files).findings == ()


def test_knot_of_cycles_is_one_finding(ran: Ran) -> None:
    names = "abcd"
    files = {f"p/{n}.py": "".join(f"import p.{m}\n" for m in names if m != n) for n in names}
    run = ran("imports", {"p/__init__.py": "", **files})
    assert [f.rule for f in run.findings] == ["import-cycle"]
    assert "4 modules reach each other" in run.findings[0].message


def test_long_chain_needs_no_recursion(ran: Ran) -> None:
    files = {f"p/m{n}.py": f"import p.m{(n + 1) % 1500}\n" for n in range(1500)}
    run = ran("imports", {"p/__init__.py": "", **files})
    assert (len(run.findings), run.facts["cycles"]) == (1, 1)


def test_crossroads_are_found(ran: Ran) -> None:
    leaves = {f"p/m{n}.py": "import p.hub\n" for n in range(4)}
    hub = "".join(f"def f{n}():\n    import p.m{n}\n" for n in range(4))
    run = ran("imports", {"p/__init__.py": "", "p/hub.py": hub, **leaves}, fan_in=3, fan_out=3)
    assert [(f.rule, f.file, f.severity.value) for f in run.findings] == [
        ("fan-out", "p/hub.py", "low"),
        ("fan-in", "p/hub.py", "low"),
    ]


LAYERED = {
    "p/__init__.py": "",
    "p/high.py": "import p.low\n",
    "p/low.py": "",
    "p/aside.py": "",
}
TOML = """
[tool.importlinter]
root_package = "p"
[[tool.importlinter.contracts]]
name = "No way up"
type = "layers"
layers = ["p.high", "p.low"]
"""
INI = """
[importlinter]
root_package = p
[importlinter:contract:1]
name = No way up
type = layers
containers =
    p
layers =
    high
    low
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("pyproject.toml", TOML, id="pyproject"),
        pytest.param(".importlinter", INI, id="importlinter"),
        pytest.param("setup.cfg", INI, id="setup.cfg"),
    ],
)
def test_broken_layers_are_found(ran: Ran, name: str, text: str) -> None:
    up = "def f():\n    from p import high\n"
    run = ran("imports", {**LAYERED, "p/low.py": up, name: text})
    (found,) = run.findings
    assert (found.rule, found.where, found.severity.value) == ("layering", "p/low.py:2", "high")
    assert f"'No way up' in {name}" in found.message


def test_way_around_the_layers_counts(ran: Ran) -> None:
    around = {"p/low.py": "import p.aside\n", "p/aside.py": "def f():\n    import p.high\n"}
    run = ran("imports", {**LAYERED, **around, "pyproject.toml": TOML})
    assert "p.low → p.aside → p.high" in run.findings[0].message


def test_ignored_imports_are_ignored(ran: Ran) -> None:
    config = TOML + 'ignore_imports = ["p.low -> p.*"]\n'
    up = {"p/low.py": "def f():\n    import p.high\n"}
    assert ran("imports", {**LAYERED, **up, "pyproject.toml": config}).findings == ()


@pytest.mark.parametrize(
    ("layers", "number"),
    [
        pytest.param('["p.high | p.low"]', 1, id="independent"),
        pytest.param('["p.high : p.low"]', 0, id="not-independent"),
        pytest.param('["(p.none)", "p.low", "p.high"]', 1, id="optional"),
        pytest.param('["p.high", "p.low"]', 0, id="kept"),
    ],
)
def test_layers_are_read_as_import_linter_does(ran: Ran, layers: str, number: int) -> None:
    config = TOML.replace('["p.high", "p.low"]', layers)
    assert len(ran("imports", {**LAYERED, "pyproject.toml": config}).findings) == number


def test_other_contracts_are_named(ran: Ran) -> None:
    config = TOML.replace('"layers"', '"forbidden"')
    run = ran("imports", {**LAYERED, "pyproject.toml": config})
    assert run.facts["contracts_not_checked"] == ["No way up"]


def test_files_that_do_not_parse_are_named(ran: Ran) -> None:
    run = ran("imports", {"a.py": "def f(:\n", "b.py": "import a\n"})
    assert (run.reason, run.checked) == ("Could not be parsed: a.py.", 1)


def test_tree_without_python_has_nothing_to_check(ran: Ran) -> None:
    assert ran("imports", {"a.txt": ""}).status is RunStatus.NOTHING_TO_CHECK


@given(
    st.dictionaries(
        st.integers(0, 8).map(str), st.lists(st.integers(0, 8).map(str), max_size=4), max_size=9
    )
)
def test_components_reach_each_other(drawn: dict[str, list[str]]) -> None:
    graph = {node: drawn.get(node, []) for node in map(str, range(9))}
    reach = {node: _reachable(graph, node) for node in graph}
    knots = {
        tuple(sorted(other for other in graph if other in reach[node] and node in reach[other]))
        for node in graph
    }
    assert components(graph) == sorted(list(knot) for knot in knots if len(knot) > 1)
    for knot in components(graph):
        way = shortest_cycle(graph, knot)
        assert all(b in graph[a] for a, b in zip(way, [*way[1:], way[0]], strict=True))


def _reachable(graph: dict[str, list[str]], start: str) -> set[str]:
    seen: set[str] = set()
    rest = list(graph[start])
    while rest:
        node = rest.pop()
        if node not in seen:
            seen.add(node)
            rest += graph[node]
    return seen
