"""Which task of which mission starts next: one pure decision for the whole runner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hypernb.model import MissionId


@dataclass(frozen=True, slots=True)
class Candidate:
    """The best task that a mission could start.

    Attributes:
        number: The mission's number: of equals, the older mission goes first.
        task: Name of the task.
        remaining_s: Length of the longest path that begins with it.
        running: How many tasks of the mission run.
        limit: How many of them may.
    """

    mission: MissionId
    number: int
    priority: int
    task: str
    remaining_s: float
    running: int
    limit: int


def choose(candidates: Iterable[Candidate], *, free: int) -> Candidate | None:
    """Return what starts next, or None if nothing may.

    The mission of the highest priority goes first; between missions of equal priority, the
    task at the beginning of the longest remaining path.

    Args:
        free: How many more tasks may run in the whole runner.

    Example:
        >>> best = Candidate("a", 1, 50, "fetch", 2.0, running=0, limit=1)
        >>> choose([best], free=1).task
        'fetch'
        >>> choose([best], free=0)
    """
    if free <= 0:
        return None
    open_ones = (each for each in candidates if each.running < each.limit)
    return min(open_ones, key=_rank, default=None)


def _rank(candidate: Candidate) -> tuple[int, float, int]:
    return (-candidate.priority, -candidate.remaining_s, candidate.number)


def busy_agents(running: Mapping[str, int], limit: int | None) -> frozenset[str]:
    """Return the agents that may not take another task; plain functions have no agent.

    Args:
        running: How many tasks run, by agent; ``""`` stands for plain functions.
        limit: How many one agent may run; None for any number.

    Example:
        >>> sorted(busy_agents({"qa-engineer": 2, "": 9}, limit=2))
        ['qa-engineer']
    """
    if limit is None:
        return frozenset()
    return frozenset(agent for agent, count in running.items() if agent and count >= limit)
