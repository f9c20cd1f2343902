"""What each task costs: hypernb beside bare loops and other engines, in one run.

Rounds are interleaved: each round runs every engine once on each graph, in a process of its
own, so that a slow minute of the machine hits all of them. The medians go into a table with
ratios, and everything into JSON.

Usage: python benchmarks/engine.py [--rounds 5] [--quick] [--dags FOLDER] [--out FILE]

* ``--quick``: one round without the large graphs.
* ``--dags``: a folder of real workflows as ``{tasks: [{id, runtime_s, parents}]}``; their
  makespan is then compared with a list schedule that has no overhead. For each number of
  slots, run times are scaled so that this schedule takes `WORKFLOW_S` seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import graphs

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = Path(__file__).with_name("peers")
SLOTS = 64
WORKFLOW_S = 20.0
WORKFLOW_SLOTS = (2, 8, 64)
TIMEOUT_S = 600.0
LARGE = 5_000


@dataclass(frozen=True, slots=True)
class Engine:
    """Something that runs graphs.

    Attributes:
        package: Whose version the table names; empty for this machine's Python.
        most_tasks: Larger graphs would take it too long.
    """

    name: str
    module: str
    synchronous: str = "FULL"
    package: str = ""
    most_tasks: int = 1_000


HYPERNB = Engine("hypernb, FULL", "hypernb_runner", "FULL", "hypernb", 100_000)
ENGINES = (
    HYPERNB,
    Engine("hypernb, NORMAL", "hypernb_runner", "NORMAL", "hypernb", LARGE),
    Engine("bare asyncio, not durable", "bare_asyncio", most_tasks=100_000),
    Engine("bare SQLite, four rows a task, FULL", "bare_sqlite", most_tasks=100_000),
    Engine("bare SQLite, four rows a task, NORMAL", "bare_sqlite", "NORMAL", most_tasks=LARGE),
    Engine("LangGraph + SqliteSaver, FULL", "langgraph_sqlite", package="langgraph"),
    Engine("DBOS on SQLite", "dbos_sqlite", package="dbos"),
    Engine("Dask, in process, not durable", "dask_local", package="distributed"),
)


def measure(engine: Engine, graph: graphs.Graph, slots: int = SLOTS) -> dict[str, Any]:
    """Run a graph once in a process of its own; ``seconds``, or why there are none."""
    with tempfile.TemporaryDirectory(prefix="hypernb-bench-") as folder:
        job = {
            "needs": graph.needs,
            "seconds": graph.seconds,
            "slots": slots,
            "synchronous": engine.synchronous,
            "folder": folder,
        }
        program = [sys.executable, str(PEERS / f"{engine.module}.py")]
        try:
            done = subprocess.run(
                program,
                input=json.dumps(job),
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
                env={**os.environ, "HYPERNB_HOME": folder},
            )
        except subprocess.TimeoutExpired:
            return {"failed": f"took longer than {TIMEOUT_S:.0f} s"}
    try:
        return dict(json.loads(done.stdout.splitlines()[-1]))
    except (ValueError, IndexError):
        said = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        return {"failed": said[:200]}


def run_all(all_graphs: list[graphs.Graph], rounds: int) -> dict[str, dict[str, list[Any]]]:
    """Return what every engine did on every graph, by names."""
    found: dict[str, dict[str, list[Any]]] = {graph.name: {} for graph in all_graphs}
    for number in range(rounds):
        for graph in all_graphs:
            for engine in ENGINES:
                runs = found[graph.name].setdefault(engine.name, [])
                if len(graph.needs) > engine.most_tasks:
                    continue
                if runs and "failed" in runs[-1]:
                    continue  # it would fail again
                runs.append(measure(engine, graph))
                _say(f"round {number + 1}: {graph.name}, {engine.name}: {_shown(runs[-1])}")
    return found


def workflows(folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Compare makespans of real workflows with the best that their order allows."""
    rows = []
    for graph in graphs.read_workflows(folder):
        for slots in WORKFLOW_SLOTS:
            scaled = graph.scaled(WORKFLOW_S / graphs.list_schedule_s(graph, slots))
            ideal = graphs.list_schedule_s(scaled, slots)
            runs = [measure(HYPERNB, scaled, slots) for _ in range(rounds)]
            times = [each["seconds"] for each in runs if "seconds" in each]
            row = {"workflow": graph.name, "tasks": len(graph.needs), "slots": slots}
            row |= {"ideal_s": ideal, "runs": runs}
            if times:
                row["over"] = statistics.median(times) / ideal - 1
            rows.append(row)
            _say(f"{graph.name}, {slots} slots: {row.get('over', runs[-1])}")
    return rows


def tables(found: dict[str, dict[str, list[Any]]], rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the result as Markdown, line by line."""
    for graph, engines in found.items():
        ours = _median(engines[HYPERNB.name])
        yield f"\n### {graph}\n"
        yield "| engine | µs a task | hypernb takes | runs |"
        yield "|---|---:|---:|---:|"
        tasks = int(graph.rsplit("-", 1)[1].replace(",", ""))
        for name, runs in engines.items():
            median = _median(runs)
            if median is None:
                why = runs[-1]["failed"] if runs else "not run on so large a graph"
                yield f"| {name} | – | – | {why} |"
                continue
            ratio = f"{ours / median:.2f} of it" if ours else "–"
            failed = [each["failed"] for each in runs if "failed" in each]
            then = f", then it failed: {failed[0]}" if failed else ""
            done = len(runs) - len(failed)
            yield f"| {name} | {median / tasks * 1e6:,.0f} | {ratio} | {done}{then} |"
    if rows:
        yield "\n### Real workflows, makespan over a list schedule without overhead\n"
        yield "| workflow | tasks | slots | ideal, s | over |"
        yield "|---|---:|---:|---:|---:|"
        for row in rows:
            over = f"{row['over']:.1%}" if "over" in row else row["runs"][-1].get("failed", "–")
            yield (
                f"| {row['workflow']} | {row['tasks']:,} | {row['slots']} "
                f"| {row['ideal_s']:.1f} | {over} |"
            )


def _median(runs: list[Any]) -> float | None:
    times = [each["seconds"] for each in runs if "seconds" in each]
    return statistics.median(times) if times else None


def _shown(run: dict[str, Any]) -> str:
    return f"{run['seconds']:.3f} s" if "seconds" in run else f"did not run: {run['failed']}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "cpus": str(os.cpu_count())}
    for engine in ENGINES:
        if engine.package:
            try:
                found[engine.package] = metadata.version(engine.package)
            except metadata.PackageNotFoundError:
                found[engine.package] = "not installed"
    return found


def main() -> None:
    """Measure, print the tables, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--dags", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/bench/engine.json"))
    asked = parser.parse_args()
    rounds = 1 if asked.quick else asked.rounds
    chosen = [graphs.chain(200), graphs.fan(1_000), graphs.layered(1_000)]
    if not asked.quick:
        chosen += [graphs.layered(10_000), graphs.layered(100_000)]
    found = run_all(chosen, rounds)
    rows = workflows(asked.dags, min(rounds, 3)) if asked.dags else []
    print(", ".join(f"{name} {version}" for name, version in _versions().items()))
    if not asked.dags:
        print("Real workflows were not measured: --dags names a folder of them.")
    print("\n".join(tables(found, rows)))
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    result = {"versions": _versions(), "graphs": found, "workflows": rows}
    asked.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nAll runs: {asked.out}")


if __name__ == "__main__":
    main()
