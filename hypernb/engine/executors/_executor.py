"""The contract between the engine and whatever runs jobs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.engine._job import Ending, Job, Signal
    from hypernb.engine._requests import OnRequest
    from hypernb.model import MissionId


class Seat(ABC):
    """A place for one job.

    Attributes:
        pid: The process that will run the job.
    """

    pid: int
    is_prompt: ClassVar[bool] = False
    """Whether `do` does anything."""

    def do(self, job: Job) -> Ending | None:
        """Do the job at once, if it takes no waiting; None if it does, and then `run` it."""
        del job
        return None

    @abstractmethod
    async def run(
        self,
        job: Job,
        on_signal: Callable[[Signal], None],
        on_request: OnRequest | None = None,
    ) -> Ending:
        """Do the job. Cancelling the caller ends the job.

        Args:
            on_signal: Told what it says.
            on_request: Answers what it asks; not called any more when the job has ended, and
                cancelled where it is still at it.
        """

    @abstractmethod
    async def kill(self) -> None:
        """End the job; its `run` then returns an ending of kind ``killed``."""

    @abstractmethod
    def pause(self) -> None:
        """Make the job stand still, with all its processes."""

    @abstractmethod
    def resume(self) -> None:
        """Let a paused job go on."""

    @abstractmethod
    def leave(self) -> None:
        """Give the seat back; it must be called once, whatever happened."""


class Executor(ABC):
    """Runs jobs.

    Promises:

    1. What a job's code does comes back as an ending, never as an exception: it may raise,
       exit, crash its process, print without end, or return what cannot be sent.
    2. A job that has ended has left no process behind.
    3. When `Seat.kill` returns, nothing of the job runs any more.
    4. Cancelling the caller of `Seat.run` ends the job.
    5. A paused job does nothing until it is resumed.
    6. The executor stays usable whatever a job did.
    7. A job sees no variable of the environment that looks like a secret.
    8. Closing leaves no process behind.
    9. What a job says it has paid is told once, in order: before its ending, or with it.
    10. What an agent asks is answered, or raises: also when its job is over, and when it asks
        too much at once.

    Attributes:
        can_stop: Whether promises 2, 3, 4, 5 and 7 hold. Threads cannot be stopped: a killed
            job then counts as over, and what its thread still does is ignored.
    """

    can_stop: ClassVar[bool]

    @abstractmethod
    async def start(self) -> None:
        """Make ready, so that the first job need not wait."""

    @abstractmethod
    def seat(self, mission: MissionId, *, is_agent: bool = False) -> Seat:
        """Take a seat for a job of the mission; seats are not shared between missions.

        Args:
            is_agent: For the work of an agent, which looks at files of this machine and takes
                minutes; executors that do not suit that have another place for it.
        """

    @abstractmethod
    def forget(self, mission: MissionId) -> None:
        """Give up what was kept for a mission that is over."""

    @abstractmethod
    async def close(self) -> None:
        """End everything."""
