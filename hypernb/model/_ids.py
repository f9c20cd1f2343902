"""Ids: ULIDs inside, short ids for people."""

from __future__ import annotations

import re
from typing import NewType

from ulid import ULID

MissionId = NewType("MissionId", str)
TaskId = NewType("TaskId", str)
RunnerId = NewType("RunnerId", str)
Digest = NewType("Digest", str)
"""SHA-256 of an artifact's bytes, in lower-case hexadecimal."""

_SHORT = re.compile(r"m-(\d{1,18})(?:/(.+))?", re.DOTALL)


def new_id() -> str:
    """Make a ULID: 26 characters that sort by the time they were made."""
    return str(ULID())


def short_id(number: int) -> str:
    """Write a mission's number as people see it.

    Example:
        >>> short_id(7)
        'm-7'
    """
    return f"m-{number}"


def parse_ref(text: str) -> tuple[int, str | None] | None:
    """Read ``m-7`` or ``m-7/task``; None if the text is neither.

    Example:
        >>> parse_ref("m-7"), parse_ref("m-7/t3"), parse_ref("7")
        ((7, None), (7, 't3'), None)
    """
    match = _SHORT.fullmatch(text.strip())
    return (int(match[1]), match[2]) if match else None
