"""Layers that a project declares for import-linter, and the imports that break them."""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from hypernb.tools._config import settings_text, settings_toml
from hypernb.tools._import_graph import When, shortest_route

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hypernb.tools._import_graph import ImportGraph

_SECTION: Final = "importlinter"
# The order in which import-linter looks.
_INI_FILES: Final = ("setup.cfg", ".importlinter")


@dataclass(frozen=True, slots=True)
class Layer:
    """Modules of one height; independent ones may not import each other either."""

    modules: tuple[str, ...]
    is_independent: bool


@dataclass(frozen=True, slots=True)
class LayersContract:
    """One ``layers`` contract of import-linter, highest layer first."""

    name: str
    layers: tuple[Layer, ...]
    containers: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    with_typing: bool = True


@dataclass(frozen=True, slots=True)
class Contracts:
    """What a project declares.

    Attributes:
        source: File that holds them; empty if there is none.
        others: Names of contracts of other types, which are not checked here.
    """

    source: str = ""
    layers: tuple[LayersContract, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Breach:
    """A way from a layer up to one that it may not import.

    Attributes:
        route: Files along the way; the first import of it leaves the lower layer.
    """

    contract: str
    low: str
    high: str
    route: tuple[str, ...]


def read_contracts(root: Path) -> Contracts:
    """Read the project's import-linter configuration; nothing is imported or run.

    Contracts that cannot be understood count as ``others``.
    """
    for name in _INI_FILES:
        if (found := _from_ini(root, name)) is not None:
            return _contracts(name, *found)
    try:
        options = settings_toml(root)["tool"][_SECTION]
        contracts = options.get("contracts", [])
        return _contracts("pyproject.toml", options, contracts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Contracts()


def _from_ini(root: Path, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(settings_text(root, name))
    except (OSError, ValueError, configparser.Error):
        return None
    if _SECTION not in parser.sections():
        return None
    contracts = [
        dict(parser[section])
        for section in parser.sections()
        if section.startswith(f"{_SECTION}:")
    ]
    return dict(parser[_SECTION]), contracts


def _contracts(
    source: str, options: Mapping[str, Any], contracts: Iterable[Mapping[str, Any]]
) -> Contracts:
    skip_typing = str(options.get("exclude_type_checking_imports", "")).lower() == "true"
    layers: list[LayersContract] = []
    others: list[str] = []
    for contract in contracts:
        name = str(contract.get("name", "unnamed"))
        if contract.get("type") != "layers" or not contract.get("layers"):
            others.append(name)
            continue
        layers.append(
            LayersContract(
                name=name,
                layers=tuple(_layer(line) for line in _lines(contract["layers"])),
                containers=tuple(_lines(contract.get("containers", []))),
                ignored=tuple(_lines(contract.get("ignore_imports", []))),
                with_typing=not skip_typing,
            )
        )
    return Contracts(source=source, layers=tuple(layers), others=tuple(others))


def _lines(value: Any) -> list[str]:
    given = value.split("\n") if isinstance(value, str) else value
    return [str(line).strip() for line in given if str(line).strip()]


def _layer(line: str) -> Layer:
    names = [part.strip().strip("()").strip() for part in re.split(r"[|:]", line)]
    return Layer(modules=tuple(filter(None, names)), is_independent=":" not in line)


def breaches(contract: LayersContract, graph: ImportGraph) -> list[Breach]:
    """Return the imports by which a layer reaches one above it, or an independent neighbour.

    A way that leads through modules of no layer counts too, as it does for import-linter.
    There is one breach for each pair of modules by which a way leaves the lower layer.
    """
    successors = _considered(contract, graph)
    found: list[Breach] = []
    for container in _containers(contract, graph) or [""]:
        prefix = f"{container}." if container else ""
        members = _members(contract, prefix, graph)
        for low, high in _forbidden(contract, prefix):
            found += _between(contract.name, low, high, members, successors)
    return sorted(set(found), key=lambda breach: (breach.route, breach.low, breach.high))


def _considered(contract: LayersContract, graph: ImportGraph) -> dict[str, list[str]]:
    times = [When.LOADING, When.LATER, *([When.TYPING] if contract.with_typing else [])]
    ignored = [_import_pattern(line) for line in contract.ignored]
    return {
        file: [
            imported
            for imported in imports
            if not any(
                pattern.fullmatch(f"{graph.names[file]} -> {graph.names[imported]}")
                for pattern in ignored
            )
        ]
        for file, imports in graph.successors(*times).items()
    }


def _import_pattern(line: str) -> re.Pattern[str]:
    importer, _, imported = (part.strip() for part in line.partition("->"))
    return re.compile(f"{_module_pattern(importer)} -> {_module_pattern(imported)}")


def _module_pattern(expression: str) -> str:
    return r"\.".join(
        {"*": r"[^.]+", "**": r"[^.]+(?:\.[^.]+)*"}.get(part, re.escape(part))
        for part in expression.split(".")
    )


def _containers(contract: LayersContract, graph: ImportGraph) -> list[str]:
    names = set(graph.names.values())
    return sorted(
        {
            name
            for pattern in contract.containers
            for name in names
            if re.fullmatch(_module_pattern(pattern), name)
        }
    )


def _members(
    contract: LayersContract, prefix: str, graph: ImportGraph
) -> dict[str, frozenset[str]]:
    return {
        prefix + module: frozenset(
            file
            for file, name in graph.names.items()
            if name == prefix + module or name.startswith(f"{prefix}{module}.")
        )
        for layer in contract.layers
        for module in layer.modules
    }


def _forbidden(contract: LayersContract, prefix: str) -> Iterator[tuple[str, str]]:
    for above, below in combinations(contract.layers, 2):
        for high in above.modules:
            for low in below.modules:
                yield prefix + low, prefix + high
    for layer in contract.layers:
        if layer.is_independent:
            for one, other in combinations(layer.modules, 2):
                yield prefix + one, prefix + other
                yield prefix + other, prefix + one


def _between(
    contract: str,
    low: str,
    high: str,
    members: Mapping[str, frozenset[str]],
    successors: Mapping[str, Sequence[str]],
) -> Iterator[Breach]:
    in_layers = frozenset().union(*members.values())
    goal = members[high]

    def on(file: str) -> list[str]:
        return [n for n in successors[file] if n in goal or n not in in_layers]

    for file in sorted(members[low]):
        for first in on(file):
            way = [first] if first in goal else shortest_route(first, on, goal.__contains__)
            if way:
                yield Breach(contract, low, high, (file, *way))
