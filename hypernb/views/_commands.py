"""Hints name magics, for most readers sit before a notebook; here they name commands."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hypernb.model import Event, MissionSnapshot

# What only a notebook can do is said as "in a cell, and there: %hyper …", and stays so.
_WORDS: Final = (
    (r"Open a kernel that has it, or set it where this one starts; then", "Set it here; then"),
    (r" before the kernel starts", ""),
    (r"%hyper config model=NAME, ", ""),
    (r"%%hyper and a goal", "hypernb run --goal GOAL"),
    (r"%%hyper", "hypernb run"),
    (r"(?<!there: )%hyper attach\b", "hypernb wait"),
    (r"(?<!there: )%hyper\b", "hypernb"),
)
_SAID: Final = ("detail", "error", "note", "reason")
_RULES: Final = tuple((re.compile(pattern), words) for pattern, words in _WORDS)


def as_commands(text: str) -> str:
    """Return a hint as a reader in a terminal can follow it.

    Example:
        >>> as_commands("%hyper attach m-7 watches it again, %hyper cancel m-7 ends it.")
        'hypernb wait m-7 watches it again, hypernb cancel m-7 ends it.'
    """
    for pattern, words in _RULES:
        text = pattern.sub(words, text)
    return text


def with_commands(snapshot: MissionSnapshot) -> MissionSnapshot:
    """Return a mission whose reasons and notes are hints for a reader in a terminal."""
    return replace(
        snapshot,
        mission=replace(snapshot.mission, error=as_commands(snapshot.mission.error)),
        tasks=tuple(
            replace(task, note=as_commands(task.note), error=as_commands(task.error))
            for task in snapshot.tasks
        ),
        events=tuple(map(event_with_commands, snapshot.events)),
    )


def event_with_commands(event: Event) -> Event:
    """Return an event whose reason, note and error are hints for a reader in a terminal."""
    said = {
        name: as_commands(text)
        for name in _SAID
        if isinstance(text := event.payload.get(name), str) and "%hyper" in text
    }
    return replace(event, payload={**event.payload, **said}) if said else event
