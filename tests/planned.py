"""Plans as a model answers them."""

from __future__ import annotations

from typing import Any


def task(name: str = "look", **fields: Any) -> dict[str, Any]:
    """Return a task as the strategist has to answer it: with all of its fields."""
    return {
        "name": name,
        "goal": "Look for unsafe calls.",
        "agent": "security-engineer",
        "needs": [],
        "tools": ["read-file"],
        "check": "",
        "returns": "report",
        "seconds": 60,
        "tokens": 8_000,
        "scope": [],
        **fields,
    }


def plan(*tasks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a plan of these tasks, or of one."""
    return {"tasks": list(tasks) or [task()], "result": "", "notes": [], **fields}
