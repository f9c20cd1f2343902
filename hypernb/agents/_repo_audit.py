"""The playbook ``repo-audit``: all specialists look at a tree, and the strategist ranks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hypernb.agents._cards import SPECIALISTS, load_cards
from hypernb.agents._plan_notes import NO_SUITE
from hypernb.agents._specialists import (
    STRATEGIST,
    add_tasks,
    checked_agents,
    checked_tree,
    tree_notes,
)
from hypernb.agents._words import listed

if TYPE_CHECKING:
    from hypernb.plan import Plan


def repo_audit(
    path: Path = Path(),
    *,
    tests: bool = True,
    agents: tuple[str, ...] = (),
) -> Plan:
    """Audit a directory with all eight specialists, and propose a sprint of three tasks.

    Args:
        path: The directory; in a git repository its tracked files are looked at.
        tests: Run the project's own test suite.
        agents: Only these agents; the strategist always takes part.

    Raises:
        PathError: The directory is missing, unreadable or empty.
        UnknownNameError: There is no such agent.
        RoleCardError: A role card of the user or the project is broken.
    """
    from hypernb.plan import Plan

    listing = checked_tree(path)
    cards = load_cards(listing.root)
    asked = checked_agents(agents or SPECIALISTS, cards)
    picked = [name for name in asked if name != STRATEGIST]
    plan = Plan(f"Audit {listing.root.name or listing.root}", root=listing.root)
    add_tasks(plan, picked, cards, listing, suite=tests)
    left_out = [name for name in SPECIALISTS if name not in picked and name != STRATEGIST]
    plan.notes = (
        *tree_notes(listing, cards, picked, suite=tests),
        *([f"Left out, as you asked: {listed(left_out)}."] if left_out else []),
        *([f"{NO_SUITE}as you asked."] if not tests else []),
    )
    return plan
