"""The composition root: what magics, views, CLI and programs share, sync and async."""

from hypernb.session._doctor import Check
from hypernb.session._mission import Mission, Task
from hypernb.session._session import Session, Status

__all__ = ["Check", "Mission", "Session", "Status", "Task"]
