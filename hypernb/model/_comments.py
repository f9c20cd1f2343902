"""Comments: what people write about a plan or one of its tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from hypernb.model._events import Event


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote.

    Attributes:
        task: Name of the task it is about; empty if it is about the whole plan.
        by: Who wrote it: ``user@host``.
    """

    text: str
    at: datetime
    task: str = ""
    by: str = ""

    @classmethod
    def of(cls, event: Event) -> Comment:
        """Read it from its event, ``plan.commented``."""
        facts = event.payload
        text, by = (str(facts.get(name) or "") for name in ("text", "by"))
        return cls(text, event.at, event.task or "", by)
