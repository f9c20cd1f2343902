"""What the missions of a runner share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    import logging
    from collections.abc import Callable, Coroutine
    from random import Random
    from typing import Any

    from hypernb.abc import Clock, Store
    from hypernb.engine._attempt import Materials
    from hypernb.engine._governor import Governor
    from hypernb.engine._models import ModelDesk
    from hypernb.engine._settings import RunnerSettings
    from hypernb.engine._threads import Desk
    from hypernb.engine._writer import Writer
    from hypernb.engine.executors import Executor
    from hypernb.model import MissionId


@dataclass(frozen=True, slots=True)
class Crew:
    """The services that every mission of a runner uses.

    Attributes:
        governor: What need not be asked for now.
        desk: The thread for short calls to the store.
        questions: The thread that reads rows which agents ask about.
        spawn: Starts a named task in the runner's group.
        poke: Asks the runner to decide again what may start.
        models: Asks models, with the runner's keys.
        told_of_keys: Missions of which it was told that they wait for a key.
    """

    store: Store
    desk: Desk
    questions: Desk
    materials: Materials
    writer: Writer
    executor: Executor
    governor: Governor
    clock: Clock
    settings: RunnerSettings
    log: logging.Logger
    rng: Random
    spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]
    poke: Callable[[], None]
    models: ModelDesk
    told_of_keys: set[MissionId]
