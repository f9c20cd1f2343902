"""The least that a durable engine on SQLite does: four rows a task, commits in groups.

Task, attempt and two events, through SQLAlchemy Core's own executemany; what a task sets off
starts after its commit. No leases, no states to check, no outputs, no search, one thread.
"""

from __future__ import annotations

import time

from job import Job, answer
from sqlalchemy import create_engine, event, text

SCHEMA = """
CREATE TABLE tasks (id INTEGER PRIMARY KEY, state TEXT, at TEXT);
CREATE TABLE attempts (
    task INTEGER, number INTEGER, state TEXT, at TEXT, PRIMARY KEY (task, number)
);
CREATE TABLE events (seq INTEGER PRIMARY KEY, task INTEGER, kind TEXT, payload TEXT)
"""


def _run(job: Job) -> float:
    engine = create_engine(f"sqlite:///{job.folder / 'bare.db'}")

    @event.listens_for(engine, "connect")
    def _settings(connection: object, _record: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")  # type: ignore[attr-defined]
        connection.execute(f"PRAGMA synchronous = {job.synchronous}")  # type: ignore[attr-defined]

    with engine.begin() as connection:
        for statement in SCHEMA.split(";"):
            connection.execute(text(statement))
        connection.execute(
            text("INSERT INTO tasks VALUES (:id, 'pending', '')"),
            [{"id": number} for number in range(len(job.needs))],
        )
    children: list[list[int]] = [[] for _ in job.needs]
    missing = [len(needs) for needs in job.needs]
    for number, needs in enumerate(job.needs):
        for need in needs:
            children[need].append(number)
    started = text("INSERT INTO events (task, kind, payload) VALUES (:id, 'started', '{}')")
    finished = text("INSERT INTO events (task, kind, payload) VALUES (:id, 'finished', '{}')")
    attempt = text("INSERT INTO attempts VALUES (:id, 1, 'succeeded', '')")
    update = text("UPDATE tasks SET state = 'succeeded' WHERE id = :id")
    began = time.perf_counter()
    ready = [number for number, many in enumerate(missing) if not many]
    while ready:
        rows = [{"id": number} for number in ready]
        with engine.begin() as connection:
            for statement in (started, attempt, update, finished):
                connection.execute(statement, rows)
        following = []
        for number in ready:
            for child in children[number]:
                missing[child] -= 1
                if not missing[child]:
                    following.append(child)
        ready = following
    return time.perf_counter() - began


def run(job: Job) -> dict[str, float]:
    """Run it."""
    _run(job.warm_up())
    return {"seconds": _run(job)}


if __name__ == "__main__":
    answer(run)
