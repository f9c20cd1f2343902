"""What tasks of a mission share with others: asked for, granted, refused."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from hypernb.model import Hurdle, Wait

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from hypernb.engine._attempt import Attempt
    from hypernb.engine._crew import Crew
    from hypernb.engine._job import Ending
    from hypernb.engine._mission import MissionRun
    from hypernb.model import Change, TaskId, TaskSpec


class Permits:
    """Asks the store for the resources of a mission's tasks, one question at a time.

    Attributes:
        asking: Tasks whose resources are being asked for, by name.
        granted: Tasks that hold theirs, and start next.
    """

    def __init__(self, crew: Crew, run: MissionRun) -> None:
        self._crew = crew
        self._run = run
        self.asking: dict[str, asyncio.Task[None]] = {}
        self.granted: dict[str, None] = {}

    def ask(self, spec: TaskSpec) -> None:
        """Ask for what a task shares; it is put aside meanwhile."""
        run = self._run
        task, number = run.course.ask(spec.name)
        run.busy[spec.agent] += 1
        # From now on, not from when the task begins: others are chosen in this very turn.
        asking = contextlib.ExitStack()
        asking.enter_context(self._crew.governor.asking(spec.resources))
        self.asking[spec.name] = run.spawn(
            partial(self._asked, spec, task, number, asking),
            f"{run.record.short_id}/{spec.name} asks",
        )

    async def _asked(
        self, spec: TaskSpec, task: TaskId, number: int, asking: contextlib.ExitStack
    ) -> None:
        run, name = self._run, spec.name
        try:
            with asking:
                wait = await self._crew.desk.call(
                    self._crew.store.take_permits, run.lease, task, number, spec.resources
                )
        finally:
            del self.asking[name]
            run.busy[spec.agent] -= 1
        if run.is_ending:
            return  # whoever ends the mission ends the task with it, and the lease its permits
        run.course.release(name)
        at = self._crew.clock.now()
        if wait is None:
            self.granted[name] = None
        else:
            self._crew.governor.note(wait)
            run.submit(run.course.defer(at, name, wait))
        run.submit(run.conclusion(at))
        self._crew.poke()

    def refused(self, at: datetime, attempt: Attempt, ending: Ending) -> list[Change]:
        """Note that an attempt asked a resource too much: it waits, and begins anew."""
        assert ending.refusal is not None  # noqa: S101 - narrows the type
        run, name = self._run, attempt.task.name
        change, refusal, after_s = run.course.refuse(at, attempt, ending, ending.refusal)
        run.log("Task %s/%s waits: too many requests", run.record.short_id, name, task=name)
        own = [each for each in refusal.resources if each in attempt.task.resources]
        if own:
            # The store knows better for how long, and says so when it is asked.
            run.course.release(name)
            for each in own:
                self._crew.governor.note(Wait(each, Hurdle.CLOSED, after_s))
        else:
            run.again_after(name, after_s)
        return [change]
