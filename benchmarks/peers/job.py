"""What all peers are given, and how they answer."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Job:
    """One run.

    Attributes:
        needs: For each task, the tasks before it.
        seconds: For each task, how long it waits; empty for not at all.
        slots: How many may run at once.
        synchronous: ``FULL`` or ``NORMAL``, for engines on SQLite.
        folder: An empty folder.
    """

    needs: Sequence[Sequence[int]]
    seconds: Sequence[float]
    slots: int
    synchronous: str
    folder: Path

    def warm_up(self) -> Job:
        """Return a small job of the same kind."""
        few = [[] if n % 5 == 0 else [n - 1] for n in range(20)]
        folder = self.folder / "warm"
        folder.mkdir(exist_ok=True)
        return Job(few, (), self.slots, self.synchronous, folder)


def answer(run: Callable[[Job], dict[str, float]]) -> None:
    """Read the job, run it, print what came of it."""
    told = json.load(sys.stdin)
    job = Job(**{**told, "folder": Path(told["folder"])})
    print(json.dumps(run(job)))
