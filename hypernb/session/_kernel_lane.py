"""The host of this process's lane: takes calls of its tools from a store, and answers them."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import (
    ApprovalError,
    ContractError,
    HypernbError,
    LeaseLostError,
    ToolArgumentsError,
)
from hypernb.model import AgentWork, RunnerId, new_id
from hypernb.session._free_time import FREE_TIME
from hypernb.session._kernel_answers import INTERRUPTED, Outcome, outcome_of
from hypernb.tools import kernel_lane, kernel_tools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.abc import Store
    from hypernb.model import (
        ApprovalRecord,
        KernelCall,
        LeaseRecord,
        MissionId,
        PlanSpec,
        TaskId,
    )
    from hypernb.tools import KernelTool

    _Allowed = tuple[AgentWork, bool]

LEASE_S: Final = 10.0
POLL_S: Final = 0.02
AT_ONCE: Final = 8
"""So many calls run at once in threads of their own; more wait for their turn."""

_AFTER_FAILURE_S: Final = 1.0
_UNWRITTEN: Final = "its answer could not be written; the kernel's log says why."

_log = logging.getLogger(__name__)
_hosts: dict[str, KernelHost] = {}
_lock = threading.Lock()


def serve_lane(url: str) -> None:
    """Answer for this process's lane in a store from now on, until the process ends."""
    with _lock:
        host = _hosts.get(url)
        if host is None or not host.is_alive:
            host = _hosts[url] = KernelHost(url)
            host.start()


def stop_serving(url: str) -> None:
    """Answer no longer for this process's lane in a store; calls then wait."""
    with _lock:
        host = _hosts.pop(url, None)
    if host is not None:
        host.stop()


class KernelHost:
    """Answers calls of one lane in one store, from a thread.

    Only calls of missions that this user has approved, and whose plan names the tool with
    this lane and the schema that it has here, are carried out; arguments are checked again.

    Args:
        url: Of the store.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._store: Store | None = None
        self._lane = kernel_lane()
        self._holder = RunnerId(new_id())
        self._lease: LeaseRecord | None = None
        self._renew_at = 0.0
        self._begun: set[str] = set()
        self._known: tuple[Any, Mapping[TaskId, _Allowed]] = (None, {})
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"hypernb lane {self._lane}", daemon=True
        )

    @property
    def is_alive(self) -> bool:
        """Whether it answers."""
        return self._thread.is_alive() and not self._stop.is_set()

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more, and let the lane go."""
        self._stop.set()
        self._thread.join(LEASE_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._serve()
            except LeaseLostError:
                self._lease = None
            except HypernbError as error:
                _log.warning("Calls of this kernel's tools wait: %s", error)
                self._stop.wait(_AFTER_FAILURE_S)
            except Exception:  # noqa: BLE001 - a background loop: nobody else would say so
                _log.exception("Calls of this kernel's tools wait.")
                self._stop.wait(_AFTER_FAILURE_S)
        if self._store is not None:
            if self._lease is not None:
                with contextlib.suppress(HypernbError):
                    self._store.release_lease(self._lease)
            self._store.close()

    def _serve(self) -> None:
        store = self._opened()
        store.changed()
        self._hold(store)
        self._look(store)
        while not self._stop.wait(POLL_S):
            self._hold(store)
            if store.changed():
                self._look(store)

    def _opened(self) -> Store:
        if self._store is None:
            from hypernb.store import open_store

            self._store = open_store(self._url)
        return self._store

    def _hold(self, store: Store) -> None:
        """Hold the lease of the lane: by it runners know that somebody answers."""
        if time.monotonic() < self._renew_at:
            return
        ttl, facts = timedelta(seconds=LEASE_S), self._facts()
        if self._lease is None:
            resource = f"lane:{self._lane}"
            self._lease = store.take_lease(resource, self._holder, ttl, facts)
        else:
            self._lease = store.renew_lease(self._lease, ttl, facts)
        self._renew_at = time.monotonic() + LEASE_S / 2

    def _facts(self) -> dict[str, Any]:
        from hypernb.store import process_facts

        return {**process_facts(), "lane": self._lane, "tools": list(kernel_tools())}

    def _look(self, store: Store) -> None:
        calls = store.kernel_calls(self._lane)
        waiting = {call.id for call in calls}
        self._begun &= waiting
        for call in calls:
            if call.id not in self._begun:
                self._begun.add(call.id)
                self._begin(store, call)

    def _begin(self, store: Store, call: KernelCall) -> None:
        try:
            tool, keeps = self._allowed(store, call)
        except ContractError as refusal:
            if store.take_kernel_call(call.id, self._holder):
                store.answer_kernel_call(call.id, error=str(refusal))
            return
        answer = functools.partial(self._answer, store, call, tool, keeps=keeps)
        if tool.when == "free":
            FREE_TIME.add(answer)
        else:
            threading.Thread(target=answer, name=f"tool {call.tool}", daemon=True).start()

    def _allowed(self, store: Store, call: KernelCall) -> tuple[KernelTool, bool]:
        """Return the tool, and whether what it returns is kept; if this user has approved it.

        Raises:
            ContractError: It is not.
        """
        tool = kernel_tools().get(call.tool)
        if tool is None:
            raise ContractError(
                f"{call.tool!r} is not defined in this kernel any more.",
                hint="The person has to run its cell again.",
            )
        work, keeps = self._approved_work(store, call)
        lane = work.lanes.get(call.tool) if call.tool in work.tools else None
        if lane is None or store.lane_of(call.mission_id, lane) != self._lane:
            raise ContractError(f"The approved plan does not let this task call {call.tool!r}.")
        if work.schemas.get(call.tool) != tool.tool.schema:
            raise ContractError(
                f"{call.tool!r} takes other arguments now than in the plan that was approved.",
                hint="The person has to define it again as it was.",
            )
        return tool, keeps

    def _approved_work(self, store: Store, call: KernelCall) -> _Allowed:
        try:
            approval = store.approval(call.mission_id)
        except ApprovalError as error:
            raise ContractError(str(error.args[0]), hint=error.hint) from error
        if approval is None:
            raise ContractError("You have not approved the mission that this is for.")
        if store.mission(call.mission_id).state.is_final:
            raise ContractError("The mission that this is for is over.")
        works = self._works(store, call.mission_id, approval)
        if call.task_id not in works:
            raise ContractError("The approved plan has no such task for an agent.")
        return works[call.task_id]

    def _works(
        self, store: Store, mission_id: MissionId, approval: ApprovalRecord
    ) -> Mapping[TaskId, _Allowed]:
        """Return the work of agents by task, as it was approved; the last plan is kept."""
        key = (mission_id, approval.plan_hash)
        if self._known[0] != key:
            plan = store.plan(mission_id, approval.revision)
            if plan.hash != approval.plan_hash:
                raise ContractError("The plan is not the one that was approved.")
            ids = {task.name: task.id for task in store.tasks(mission_id)}
            works = {
                ids[task.name]: (task.work, _keeps(plan, task.work))
                for task in plan.tasks
                if isinstance(task.work, AgentWork) and task.name in ids
            }
            self._known = (key, works)
        return self._known[1]

    def _answer(self, store: Store, call: KernelCall, tool: KernelTool, *, keeps: bool) -> None:
        """Take the call, carry it out in this thread, and write what came of it."""
        try:
            with contextlib.nullcontext() if tool.when == "free" else self._places:
                if store.take_kernel_call(call.id, self._holder):
                    outcome = self._carried_out(store if keeps else None, call, tool)
                    store.answer_kernel_call(
                        call.id,
                        answer=outcome.answer,
                        value=outcome.value,
                        error=outcome.error,
                    )
        except KeyboardInterrupt:
            # It came after the tool had ended, and before that was written.
            store.answer_kernel_call(call.id, error=INTERRUPTED)
        except Exception:  # noqa: BLE001 - as above
            # In the main thread it would land in the person's cell.
            _log.exception("A call of %s was not answered.", call.tool)
            # Nobody else will, as long as this kernel lives.
            with contextlib.suppress(Exception):
                store.answer_kernel_call(call.id, error=_UNWRITTEN)

    def _carried_out(self, store: Store | None, call: KernelCall, tool: KernelTool) -> Outcome:
        try:
            arguments = tool.tool.check(json.dumps(dict(call.arguments)))
        except ToolArgumentsError as error:
            return Outcome(error=str(error))
        if tool.when == "free":
            return outcome_of(tool, arguments, store)
        outcomes: list[Outcome] = []
        thread = threading.Thread(
            target=lambda: outcomes.append(outcome_of(tool, arguments, store)),
            name=f"call of {call.tool}",
            daemon=True,
        )
        thread.start()
        thread.join(tool.tool.timeout_s)
        seconds = f"{tool.tool.timeout_s:g} s"
        late = f"it was still at work after {seconds}, and is waited for no longer."
        return outcomes[0] if outcomes else Outcome(error=late)


def _keeps(plan: PlanSpec, work: AgentWork) -> bool:
    """Tell whether objects are kept: by the plan, or because one may be the output."""
    return plan.content == "full" or work.returns == "value" or bool(work.function)


def _in_child() -> None:
    # A fork has no thread that answers, and a lane of its own.
    global _lock  # noqa: PLW0603 - the one that was inherited may be held for ever
    _lock = threading.Lock()
    _hosts.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
