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
        turns: How many starts the mission has had, counted from where those of equal
            priority were when it came.
        alone: It may be what ended earlier runners, so nothing else is to run beside it.
        is_granted: It holds the resources that it shares, and a place is kept for it.
    """

    mission: MissionId
    number: int
    priority: int
    task: str
    remaining_s: float
    running: int
    limit: int
    turns: int = 0
    alone: bool = False
    is_granted: bool = False


def choose(
    candidates: Iterable[Candidate], *, free: int, is_idle: bool = True
) -> Candidate | None:
    """Return what starts next, or None if nothing may.

    The mission of the highest priority goes first. Missions of equal priority share: the one
    with the fewest running tasks goes first, then the one with the fewest turns, then the one
    whose task begins the longest remaining path. What has to run alone waits until nothing
    runs, and meanwhile nothing else starts, or it might wait for ever. What holds its
    resources goes before all others: they are kept from somebody.

    Args:
        free: How many more tasks may run in the whole runner.
        is_idle: Nothing runs.

    Example:
        >>> best = Candidate("a", 1, 50, "fetch", 2.0, running=0, limit=1)
        >>> choose([best], free=1).task
        'fetch'
        >>> choose([best], free=0)
    """
    known = list(candidates)
    open_ones = [each for each in known if each.is_granted]
    if not open_ones and free > 0:
        open_ones = [each for each in known if each.running < each.limit]
    best = min(open_ones, key=_rank, default=None)
    return None if best is not None and best.alone and not is_idle else best


def _rank(candidate: Candidate) -> tuple[int, int, int, float, int]:
    return (
        -candidate.priority,
        candidate.running,
        candidate.turns,
        -candidate.remaining_s,
        candidate.number,
    )


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
