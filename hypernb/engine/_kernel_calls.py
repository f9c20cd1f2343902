"""Tools that run in a kernel: asked for by a row of the store, and answered in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from hypernb.engine import _changes as changes
from hypernb.errors import ContractError, HypernbError, ToolError, UsageError
from hypernb.model import THE_KERNEL, AgentWork, KernelCall, ToolCallState, new_id

if TYPE_CHECKING:
    from hypernb.engine._attempt import Attempt
    from hypernb.engine._crew import Crew
    from hypernb.engine._mission import MissionRun

_ARGUMENT_BYTES: Final = 1_000_000
_LOOK_AT_LEASE_S: Final = 1.0
_TOLD_WAIT_S: Final = 1.0
"""Most answers come sooner, and that the tool is called is told already."""


class KernelCalls:
    """Has kernels called on behalf of the attempts of a mission.

    Args:
        forgets: What they are asked and answer is not kept when an attempt is over.
    """

    def __init__(self, crew: Crew, run: MissionRun, *, forgets: bool = False) -> None:
        self._crew = crew
        self._run = run
        self._forgets = forgets
        self._asked: set[str] = set()  # attempts that have asked for something
        self._waiting: set[str] = set()  # attempts whose note says what they wait for

    async def call(self, attempt: Attempt, tool: str, arguments: dict[str, Any]) -> KernelCall:
        """Have a tool called, and wait for what comes of it; the attempt's clock stands still.

        Raises:
            ContractError: The plan does not allow it.
            ToolError: It failed, or its kernel took it back.
        """
        lane = self._lane(attempt, tool)
        if (size := len(orjson.dumps(arguments))) > _ARGUMENT_BYTES:
            raise UsageError(
                f"{tool!r} is not called with {size:,} bytes of arguments: "
                f"{_ARGUMENT_BYTES:,} are the most.",
                hint="Hand over where it is, and not what it says.",
            )
        call = KernelCall(
            id=new_id(),
            mission_id=self._run.record.id,
            task_id=attempt.task_id,
            attempt=attempt.number,
            lane=lane,
            tool=tool,
            state=ToolCallState.WAITING,
            at=self._crew.clock.now(),
            arguments=arguments,
        )
        self._asked.add(attempt.key)
        await self._run.go.wait()
        attempt.hold(self._crew.clock.monotonic(), call.id)
        try:
            await self._crew.desk.call(self._crew.store.ask_kernel, call)
            answered = await self._answer(attempt, call)
        finally:
            attempt.let_go(self._crew.clock.monotonic(), call.id)
        await self._run.go.wait()
        if answered.state is not ToolCallState.RETURNED:
            raise ToolError(tool, answered.error or "its kernel does not answer any more")
        if answered.value is not None:
            attempt.values.add(answered.value)
        return answered

    def _lane(self, attempt: Attempt, tool: str) -> str:
        work = attempt.task.work
        lane = work.lanes.get(tool) if isinstance(work, AgentWork) else None
        if lane is None:
            raise ContractError(
                f"Task {attempt.task.name!r} cannot call {tool[:80]!r}: its plan names no such "
                "tool of a kernel.",
                hint="Plan the task with that tool, and have it approved.",
            )
        return lane

    async def _answer(self, attempt: Attempt, call: KernelCall) -> KernelCall:
        """Wait until somebody has answered, and say who is waited for."""
        began, looked_at = self._crew.clock.monotonic(), float("-inf")
        said = ""
        while True:
            now = await self._crew.desk.call(self._crew.store.kernel_call, call.id)
            if now is None:
                raise ToolError(call.tool, "its call is gone from the store")
            if now.state not in (ToolCallState.WAITING, ToolCallState.TAKEN):
                return now
            at = self._crew.clock.monotonic()
            if at - looked_at >= _LOOK_AT_LEASE_S:
                looked_at = at
                words, is_there = await self._crew.desk.call(self._who, call)
                if words != said and (at - began >= _TOLD_WAIT_S or not is_there):
                    said = words
                    self._note(attempt, words)
            await self._crew.clock.sleep(self._crew.settings.idle_poll_s)

    def _who(self, call: KernelCall) -> tuple[str, bool]:
        """Say who is waited for, and whether it is there. Blocking."""
        store = self._crew.store
        lane = store.lane_of(call.mission_id, call.lane)
        resource = f"lane:{lane}"
        if any(lease.resource == resource for lease in store.leases(resource)):
            return f"waits for {THE_KERNEL}{call.tool}", True
        said = (
            f"{THE_KERNEL}{call.tool} is gone: define it again in a cell, and "
            f"there: %hyper attach {self._run.record.short_id}"
        )
        return said, False

    def note_after(self, attempt: Attempt) -> str | None:
        """Return what its task is noted to do once a tool has answered; None if it says so."""
        if attempt.key not in self._waiting:
            return None
        self._waiting.discard(attempt.key)
        return attempt.words

    def _note(self, attempt: Attempt, words: str) -> None:
        if self._run.is_ending or self._run.broken or not self._run.has(attempt):
            return
        self._waiting.add(attempt.key)
        at = self._crew.clock.now()
        self._run.submit(
            [changes.progressed(at, attempt.task_id, attempt.number, words=words, share=None)]
        )

    def close(self, attempt: Attempt) -> None:
        """Take back what an attempt that is over has asked for."""
        self._waiting.discard(attempt.key)
        if attempt.key in self._asked:
            self._asked.discard(attempt.key)
            self._crew.spawn(self._cancel(attempt), f"take back what {attempt.key} asked")

    async def _cancel(self, attempt: Attempt) -> None:
        store, desk = self._crew.store, self._crew.desk
        which = (attempt.task_id, attempt.number)
        try:
            await desk.call(store.cancel_kernel_calls, *which)
            if self._forgets:
                await desk.call(store.forget_kernel_calls, *which)
        except HypernbError as error:
            # A kernel that answers all the same answers nobody.
            self._crew.log.warning("Calls of kernels were not taken back: %s", error)
