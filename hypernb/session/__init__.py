"""The composition root: what magics, views, CLI and programs share, sync and async."""

from hypernb.session._doctor import Check
from hypernb.session._export import as_json
from hypernb.session._front_end import (
    ANSWER_WITHIN_S,
    Footing,
    Rung,
    choose,
    current_shell,
    greetings,
    is_headless,
    look_around,
)
from hypernb.session._hosting import host_here
from hypernb.session._limits import limits
from hypernb.session._mission import Mission, Task
from hypernb.session._session import Session, Status

__all__ = [
    "ANSWER_WITHIN_S",
    "Check",
    "Footing",
    "Mission",
    "Rung",
    "Session",
    "Status",
    "Task",
    "as_json",
    "choose",
    "current_shell",
    "greetings",
    "host_here",
    "is_headless",
    "limits",
    "look_around",
]
