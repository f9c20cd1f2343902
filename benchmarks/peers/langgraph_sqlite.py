"""LangGraph with its SqliteSaver: WAL, synchronous=FULL, a checkpoint before each next step."""

from __future__ import annotations

import operator
import sqlite3
import time
from typing import Annotated, TypedDict

from job import Job, answer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    """How many tasks are done."""

    done: Annotated[int, operator.add]


def _nothing(_state: State) -> dict[str, int]:
    return {"done": 1}


def _run(job: Job) -> float:
    graph = StateGraph(State)
    last = set(range(len(job.needs)))
    for number in range(len(job.needs)):
        graph.add_node(f"t{number}", _nothing)
    for number, needs in enumerate(job.needs):
        last.difference_update(needs)
        before = [f"t{need}" for need in needs]
        if len(before) > 1:
            graph.add_edge(before, f"t{number}")
        else:
            graph.add_edge(before[0] if before else START, f"t{number}")
    for number in last:
        graph.add_edge(f"t{number}", END)
    connection = sqlite3.connect(job.folder / "langgraph.db", check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {job.synchronous}")
    app = graph.compile(checkpointer=SqliteSaver(connection))
    config = {
        "configurable": {"thread_id": "1"},
        "recursion_limit": len(job.needs) + 10,
        "max_concurrency": job.slots,
    }
    began = time.perf_counter()
    result = app.invoke({"done": 0}, config, durability="sync")
    seconds = time.perf_counter() - began
    assert result["done"] == len(job.needs)  # noqa: S101 - or nothing is measured
    connection.close()
    return seconds


def run(job: Job) -> dict[str, float]:
    """Run it."""
    _run(job.warm_up())
    return {"seconds": _run(job)}


if __name__ == "__main__":
    answer(run)
