"""The graphs that engines are measured on, and what the best schedule of them would take."""

from __future__ import annotations

import heapq
import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Graph:
    """Tasks by number.

    Attributes:
        needs: For each task, the tasks before it; all have lower numbers.
        seconds: For each task, how long it takes; empty if no time at all.
    """

    name: str
    needs: Sequence[Sequence[int]]
    seconds: Sequence[float] = ()

    def scaled(self, factor: float) -> Graph:
        """Return the same graph with other times."""
        return Graph(self.name, self.needs, [each * factor for each in self.seconds])


def chain(tasks: int) -> Graph:
    """Return tasks that wait for each other in a row."""
    return Graph(f"chain-{tasks:,}", [[n - 1] if n else [] for n in range(tasks)])


def fan(tasks: int) -> Graph:
    """Return tasks that need nothing."""
    return Graph(f"fan-{tasks:,}", [[] for _ in range(tasks)])


def layered(tasks: int, *, width: int = 50, seed: int = 7) -> Graph:
    """Return layers; each task needs one to three of the layer before."""
    rng = random.Random(seed)  # noqa: S311 - the same graph each time
    needs: list[list[int]] = []
    for number in range(tasks):
        start = (number // width - 1) * width
        before = range(start, start + width) if start >= 0 else range(0)
        needs.append(sorted(rng.sample(before, min(rng.randint(1, 3), len(before)))))
    return Graph(f"layered-{tasks:,}", needs)


def read_workflows(folder: Path) -> list[Graph]:
    """Read workflows as ``{tasks: [{id, runtime_s, parents}]}`` from the ``.json`` files."""
    found = []
    for file in sorted(folder.glob("*.json")):
        tasks = json.loads(file.read_text())["tasks"]
        by_id = {str(task["id"]): task for task in tasks}
        order = _sorted(by_id)
        number = {name: place for place, name in enumerate(order)}
        needs = [[number[str(p)] for p in by_id[name]["parents"]] for name in order]
        seconds = [float(by_id[name]["runtime_s"]) for name in order]
        found.append(Graph(file.stem, needs, seconds))
    return found


def _sorted(tasks: dict[str, dict[str, object]]) -> list[str]:
    import graphlib

    parents = {name: [str(p) for p in task["parents"]] for name, task in tasks.items()}  # type: ignore[attr-defined]
    return list(graphlib.TopologicalSorter(parents).static_order())


def remaining(needs: Sequence[Sequence[int]], seconds: Sequence[float]) -> list[float]:
    """Return the length of the longest path that begins with each task."""
    longest = list(seconds)
    for number in reversed(range(len(needs))):
        for need in needs[number]:
            longest[need] = max(longest[need], seconds[need] + longest[number])
    return longest


def list_schedule_s(graph: Graph, slots: int) -> float:
    """Return the makespan of a list schedule without any overhead, longest path first."""
    rank = remaining(graph.needs, graph.seconds)
    missing = [len(needs) for needs in graph.needs]
    children: list[list[int]] = [[] for _ in graph.needs]
    for number, needs in enumerate(graph.needs):
        for need in needs:
            children[need].append(number)
    ready = [(-rank[n], n) for n, many in enumerate(missing) if not many]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < slots:
            _, number = heapq.heappop(ready)
            heapq.heappush(running, (now + graph.seconds[number], number))
        now, ended = heapq.heappop(running)
        for child in children[ended]:
            missing[child] -= 1
            if not missing[child]:
                heapq.heappush(ready, (-rank[child], child))
    return now
