"""Architecture as the imports show it: cycles, broken layers, crossroads."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.abc import Tool
from hypernb.model import Finding, RunStatus, Severity, ToolRun
from hypernb.tools._import_graph import (
    ImportGraph,
    When,
    components,
    import_graph,
    shortest_cycle,
)
from hypernb.tools._layers import Contracts, breaches, read_contracts
from hypernb.tools._programs import count, looked, name_some
from hypernb.tools._python import python_files
from hypernb.tools._reading import Rules, is_test_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.abc import ToolContext

FAN_OUT: Final = 25
FAN_IN: Final = 40
_TOP: Final = 10
_SHOWN: Final = 12
_PULSE_FILES: Final = 100
_RULES: Final = Rules("imports", "architecture")


class ImportsTool(Tool):
    """Report import cycles, breaches of declared layers, and very high fan-in and fan-out.

    Imports are read from the source; nothing is imported. A cycle is one among imports that
    are executed while the modules load: those under ``TYPE_CHECKING`` and those in functions
    close none.
    """

    name: ClassVar[str] = "imports"
    title: ClassVar[str] = "Read the import graph: cycles, layers, fan-in and fan-out"

    def run(self, context: ToolContext) -> ToolRun:
        """Read the imports of all listed Python files."""
        began = time.monotonic()
        fan_out = int(context.params.get("fan_out", FAN_OUT))
        fan_in = int(context.params.get("fan_in", FAN_IN))
        contracts = read_contracts(context.root)
        settings = _settings(fan_out, fan_in, contracts)
        files = python_files(context.files)
        if not files:
            return ToolRun(
                tool=self.name,
                status=RunStatus.NOTHING_TO_CHECK,
                reason="There are no Python files.",
                settings=settings,
            )
        graph = import_graph(context.root, files, lambda number: _pulse(context, number))
        loading = graph.successors(When.LOADING)
        groups = components(loading)
        checked = len(files) - len(graph.unparsable)
        return ToolRun(
            tool=self.name,
            status=looked(checked),
            reason=_reason(graph.unparsable),
            settings=settings,
            checked=checked,
            duration_s=time.monotonic() - began,
            findings=(
                *(_cycle(graph, loading, group) for group in groups),
                *_layering(graph, contracts),
                *_fans(graph, fan_out, fan_in),
            ),
            facts=_facts(graph, groups, contracts),
        )


def _pulse(context: ToolContext, number: int) -> None:
    if number % _PULSE_FILES == 0:
        context.report(f"read the imports of {count(number, 'file', 'files')}", None)


def _settings(fan_out: int, fan_in: int, contracts: Contracts) -> str:
    layers = (
        f"layers as {contracts.source} declares them for import-linter"
        if contracts.layers
        else "no layers declared"
    )
    return f"fan-out over {fan_out}, fan-in over {fan_in}, tests left out of both; {layers}"


def _cycle(graph: ImportGraph, loading: dict[str, list[str]], group: list[str]) -> Finding:
    way = shortest_cycle(loading, group)
    names = [graph.names[file] for file in (*way, way[0])]
    route = " → ".join(names if len(names) <= _SHOWN else [*names[:_SHOWN], "…"])
    rest = f" {len(group)} modules reach each other." if len(group) > len(way) else ""
    return _RULES.found(
        "import-cycle",
        Severity.MEDIUM,
        f"These modules import each other while they load: {route}.{rest}",
        way[-1],
        graph.line(way[-1], way[0], When.LOADING),
    )


def _layering(graph: ImportGraph, contracts: Contracts) -> list[Finding]:
    found = []
    for contract in contracts.layers:
        for breach in breaches(contract, graph):
            route = " → ".join(graph.names[file] for file in breach.route)
            found.append(
                _RULES.found(
                    "layering",
                    Severity.HIGH,
                    f"{breach.low} may not import {breach.high} "
                    f"({contract.name!r} in {contracts.source}): {route}",
                    breach.route[0],
                    graph.line(breach.route[0], breach.route[1]),
                )
            )
    return found


def _fans(graph: ImportGraph, fan_out: int, fan_in: int) -> list[Finding]:
    outgoing, incoming = _degrees(graph)
    found = [
        _RULES.found(
            "fan-out",
            Severity.LOW,
            f"{graph.names[file]} imports {number} modules of this tree, more than {fan_out}.",
            file,
        )
        for file, number in sorted(outgoing.items())
        if number > fan_out
    ]
    return found + [
        _RULES.found(
            "fan-in",
            Severity.LOW,
            f"{number} modules import {graph.names[file]}, more than {fan_in}.",
            file,
        )
        for file, number in sorted(incoming.items())
        if number > fan_in
    ]


def _degrees(graph: ImportGraph) -> tuple[Counter[str], Counter[str]]:
    # Tests import what they test, and a package's __init__ what it offers; neither says
    # that something is too entangled.
    outgoing: Counter[str] = Counter()
    incoming: Counter[str] = Counter()
    for file, imported in graph.successors(When.LOADING, When.LATER).items():
        if is_test_path(file):
            continue
        incoming.update(imported)
        if not file.endswith("__init__.py"):
            outgoing[file] = len(imported)
    return outgoing, incoming


def _facts(graph: ImportGraph, groups: list[list[str]], contracts: Contracts) -> dict[str, Any]:
    outgoing, incoming = _degrees(graph)
    times = Counter(edge.when.value for edge in graph.edges)
    packages = Counter(
        graph.names[file].partition(".")[0] for file in graph.names if "." in graph.names[file]
    )
    return {
        "modules": len(graph.names),
        "packages": dict(sorted(packages.items(), key=lambda item: (-item[1], item[0]))[:_TOP]),
        "edges": len(graph.edges),
        "edges_by_time": {when.value: times[when.value] for when in When},
        "cycles": len(groups),
        "top_fan_out": _top(graph, outgoing),
        "top_fan_in": _top(graph, incoming),
        "layer_contracts": [contract.name for contract in contracts.layers],
        "contracts_not_checked": list(contracts.others),
        "unparsable": graph.unparsable,
    }


def _top(graph: ImportGraph, degrees: Counter[str]) -> list[dict[str, Any]]:
    best = sorted(degrees.items(), key=lambda item: (-item[1], item[0]))[:_TOP]
    return [
        {"module": graph.names[file], "file": file, "modules": number}
        for file, number in best
        if number
    ]


def _reason(unparsable: Mapping[str, str]) -> str:
    if not unparsable:
        return ""
    return f"Could not be parsed: {name_some(sorted(unparsable))}."
