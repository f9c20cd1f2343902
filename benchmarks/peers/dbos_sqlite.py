"""DBOS on SQLite: one workflow, a step for each task, its own settings for the database."""

from __future__ import annotations

import asyncio
import os
import time

from dbos import DBOS
from job import Job, answer


@DBOS.step()
async def nothing() -> int:
    """Be a task."""
    return 1


@DBOS.workflow()
async def carry_out(needs: list[list[int]], slots: int) -> int:
    """Run the graph, as much at once as may be."""
    done = [asyncio.Event() for _ in needs]
    free = asyncio.Semaphore(slots)

    async def work(number: int) -> int:
        for need in needs[number]:
            await done[need].wait()
        async with free:
            value = await nothing()
        done[number].set()
        return value

    return sum(await asyncio.gather(*(work(number) for number in range(len(needs)))))


def run(job: Job) -> dict[str, float]:
    """Run it."""
    os.environ.pop("DBOS_DATABASE_URL", None)
    DBOS(
        config={
            "name": "bench",
            "system_database_url": f"sqlite:///{job.folder / 'dbos.db'}",
            "log_level": "ERROR",
            "run_admin_server": False,
        }
    )
    DBOS.launch()

    async def measured() -> float:
        await carry_out([list(each) for each in job.warm_up().needs], job.slots)
        began = time.perf_counter()
        done = await carry_out([list(each) for each in job.needs], job.slots)
        seconds = time.perf_counter() - began
        assert done == len(job.needs)  # noqa: S101 - or nothing is measured
        return seconds

    seconds = asyncio.run(measured())
    DBOS.destroy()
    return {"seconds": seconds}


if __name__ == "__main__":
    answer(run)
