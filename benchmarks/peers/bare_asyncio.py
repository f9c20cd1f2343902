"""asyncio alone: nothing is kept."""

from __future__ import annotations

import asyncio
import time

from job import Job, answer


async def _run(job: Job) -> float:
    done = [asyncio.Event() for _ in job.needs]
    slots = asyncio.Semaphore(job.slots)

    async def work(number: int) -> None:
        for need in job.needs[number]:
            await done[need].wait()
        async with slots:
            if job.seconds:
                await asyncio.sleep(job.seconds[number])  # noqa: TID251 - the work itself
        done[number].set()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(len(job.needs)):
            group.create_task(work(number), name=f"t{number}")
    return time.perf_counter() - began


def run(job: Job) -> dict[str, float]:
    """Run it."""
    asyncio.run(_run(job.warm_up()))
    return {"seconds": asyncio.run(_run(job))}


if __name__ == "__main__":
    answer(run)
