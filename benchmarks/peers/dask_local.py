"""Dask distributed, scheduler and worker in this process: nothing is kept."""

from __future__ import annotations

import time

from distributed import Client, wait
from job import Job, answer


def nothing(*_needs: object) -> None:
    """Be a task."""


def _run(client: Client, job: Job) -> float:
    began = time.perf_counter()
    futures: list[object] = []
    for needs in job.needs:
        futures.append(client.submit(nothing, *(futures[need] for need in needs), pure=False))
    wait(futures)
    return time.perf_counter() - began


def run(job: Job) -> dict[str, float]:
    """Run it."""
    with Client(
        processes=False, n_workers=1, threads_per_worker=job.slots, dashboard_address=None
    ) as client:
        _run(client, job.warm_up())
        return {"seconds": _run(client, job)}


if __name__ == "__main__":
    answer(run)
