"""Tools of a real kernel: called between cells, beside them, and by another kernel's leave."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import AgentWork, KernelCall, ToolCallState, new_id
from hypernb.session._following import Follower

if TYPE_CHECKING:
    from tests.integration.magics.conftest import Desk, Kernel

pytestmark = pytest.mark.timeout(120)

DEADLINE_S = 60

FIRST = """
import threading
import hypernb
from hypernb.model import AgentWork, ModelSpec, PlanSpec, TaskSpec
from hypernb.session._lanes import serve_own_lane, with_lanes

seen = []

@hypernb.tool
def note(word: str) -> int:
    '''Note a word.'''
    print("noting", word)
    seen.append((word, threading.current_thread() is threading.main_thread()))
    return len(seen)

@hypernb.tool(when="thread")
def count() -> int:
    '''Count the notes.'''
    return len(seen)
"""

# As a plan by a model would be made and approved; nothing here needs a model.
APPROVE = """
session = hypernb.Session()
work = AgentWork(model="m", tools=("note", "count"))
task = TaskSpec(name="look", agent="qa-engineer", work=work)
model = ModelSpec(name="x", base_url="http://127.0.0.1:9/v1")
spec = with_lanes(PlanSpec(goal="look", tasks=(task,), models={"m": model}))
record = session.store.create_mission(spec, by="me")
serve_own_lane(session.store.url, spec)
session.store.approve(record.id, revision=1, plan_hash=record.plan_hash, by="me")
"""


class Runner:
    """Asks a kernel as a runner does, from this process."""

    def __init__(self, desk: Desk) -> None:
        self.session = desk.session
        self.store = self.session.store
        self.mission = self.session.mission()
        [task] = self.mission.plan.tasks
        assert isinstance(task.work, AgentWork)
        self.lane = task.work.lanes["note"]

    def ask(self, tool: str, /, **arguments: Any) -> str:
        record = self.mission.record
        call = KernelCall(
            id=new_id(),
            mission_id=record.id,
            task_id=self.store.tasks(record.id)[0].id,
            attempt=1,
            lane=self.store.lane_of(record.id, self.lane),
            tool=tool,
            state=ToolCallState.WAITING,
            at=datetime.now(UTC),  # noqa: TID251 - when it was written says nothing here
            arguments=arguments,
        )
        self.store.ask_kernel(call)
        return call.id

    def until(self, call: str, *states: ToolCallState) -> KernelCall:
        for _ in Follower(self.store).looks(DEADLINE_S, tick_s=0.05):
            now = self.store.kernel_call(call)
            assert now is not None
            if now.state in states:
                return now
        raise AssertionError(f"the call is not {states}")

    def answer(self, call: str) -> KernelCall:
        return self.until(call, ToolCallState.RETURNED, ToolCallState.FAILED)


@pytest.fixture
def teller(desk: Desk) -> Kernel:
    """A kernel with two tools, and a mission approved that may call them."""
    kernel = desk.kernel()
    kernel.ok(FIRST)
    kernel.ok(APPROVE)
    return kernel


def test_free_tool_runs_between_cells_in_the_main_thread(desk: Desk, teller: Kernel) -> None:
    runner = Runner(desk)
    call = runner.answer(runner.ask("note", word="one"))
    assert (call.error, call.answer) == ("", {"returned": 1, "printed": "noting one\n"})
    after = teller.ok("seen")
    assert after.value == "[('one', True)]"
    assert "noting" not in str(after.messages)


def test_free_tool_waits_while_a_cell_runs(desk: Desk, teller: Kernel) -> None:
    teller.ok("go, begun = threading.Event(), threading.Event()")
    runner = Runner(desk)
    waiting = teller.client.execute("begun.set(); go.wait(60); seen.append('cell')")
    # A thread of the same kernel lets the cell go once the call waits.
    beside = runner.answer(runner.ask("count"))
    free = runner.ask("note", word="after")
    again = runner.answer(runner.ask("count"))
    assert (beside.answer, again.answer) == (0, 0)
    assert runner.store.kernel_call(free).state is ToolCallState.WAITING  # type: ignore[union-attr]
    teller.manager.interrupt_kernel()
    call = runner.answer(free)
    assert call.answer == {"returned": 1, "printed": "noting after\n"}
    assert waiting


def test_cell_that_waits_for_a_mission_lets_calls_through(desk: Desk, teller: Kernel) -> None:
    runner = Runner(desk)
    teller.client.execute("session.mission().wait(60)")
    assert runner.answer(runner.ask("note", word="one")).answer["returned"] == 1
    teller.manager.interrupt_kernel()


def test_cell_that_awaits_a_mission_lets_calls_through(desk: Desk, teller: Kernel) -> None:
    runner = Runner(desk)
    teller.client.execute("await session.mission()")
    assert runner.answer(runner.ask("note", word="one")).answer["returned"] == 1
    teller.manager.interrupt_kernel()


def test_interrupt_of_the_kernel_ends_the_call_and_no_more(desk: Desk, teller: Kernel) -> None:
    teller.ok(
        "@hypernb.tool\n"
        "def note(word: str) -> int:\n"
        "    '''Note a word.'''\n"
        "    entered.set(); never.wait(60)\n"
        "entered, never = threading.Event(), threading.Event()"
    )
    runner = Runner(desk)
    call = runner.ask("note", word="one")
    runner.until(call, ToolCallState.TAKEN)
    teller.manager.interrupt_kernel()
    assert runner.answer(call).error == "the person interrupted it."
    assert teller.ok("1 + 1").value == "2"


def test_another_kernel_takes_the_place_of_one_that_is_gone(desk: Desk, teller: Kernel) -> None:
    runner = Runner(desk)
    runner.answer(runner.ask("count"))
    teller.manager.shutdown_kernel(now=True)
    waiting = runner.ask("count")
    second = desk.kernel()
    without = second.ok(f"%hyper attach {desk.newest}")
    assert "No tool of this kernel is called 'count'" in without.text
    second.ok(FIRST)
    second.ok("seen += [1, 2, 3]")
    attached = second.ok(f"%hyper attach {desk.newest}")
    assert "This kernel does calls of count, note" in attached.text
    assert runner.answer(waiting).answer == 3
