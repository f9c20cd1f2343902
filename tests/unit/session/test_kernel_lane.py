"""Calls of a kernel's tools: which are carried out, where, and what is answered."""

from __future__ import annotations

import sys
import threading
from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd
import pytest

import hypernb
from hypernb.errors import ContractError, UnknownNameError
from hypernb.model import (
    AgentWork,
    KernelCall,
    ModelSpec,
    PlanSpec,
    TaskSpec,
    ToolCallState,
    new_id,
)
from hypernb.session import FREE_TIME, Session
from hypernb.session._following import Follower
from hypernb.session._kernel_lane import serve_lane, stop_serving
from hypernb.session._lanes import lanes_of, with_lanes
from hypernb.tools import forget_tool, kernel_lane, kernel_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypernb.session import Mission

DEADLINE_S = 15
KEY = "sk-proj-" + "a1B2c3D4e5F6g7H8i9J0"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A session whose store this process serves, and no tools afterwards."""
    with Session(tmp_path / "missions.db") as made:
        serve_lane(made.store.url)
        yield made
        stop_serving(made.store.url)
    for name in kernel_tools():
        forget_tool(name)


def approved(session: Session, *tools: str, lane: str = "", **terms: Any) -> Mission:
    """A mission with one task that may call these tools, which this user has approved."""
    mission = proposed(session, *tools, lane=lane, **terms)
    record = mission.record
    session.store.approve(
        record.id, revision=record.revision, plan_hash=record.plan_hash, by=session.by
    )
    return mission


def proposed(
    session: Session, *tools: str, lane: str = "", returns: Any = "report", **terms: Any
) -> Mission:
    work = AgentWork(model="m", tools=tools, returns=returns)
    task = TaskSpec(name="look", agent="qa-engineer", work=work)
    model = ModelSpec(name="x", base_url="https://api.example/v1")
    spec = with_lanes(PlanSpec(goal="look", tasks=(task,), models={"m": model}, **terms))
    if lane:
        own = spec.tasks[0].work
        moved = own.model_copy(update={"lanes": dict.fromkeys(tools, lane)})
        spec = spec.model_copy(
            update={"tasks": (spec.tasks[0].model_copy(update={"work": moved}),)}
        )
    session.store.create_mission(spec, by=session.by)
    return session.mission()


def ask(mission: Mission, tool: str, /, **arguments: Any) -> KernelCall:
    """Write a call as a runner does."""
    store = mission.session.store
    call = KernelCall(
        id=new_id(),
        mission_id=mission.record.id,
        task_id=store.tasks(mission.record.id)[0].id,
        attempt=1,
        lane=kernel_lane(),
        tool=tool,
        state=ToolCallState.WAITING,
        at=datetime.now(UTC),  # noqa: TID251 - when it was written says nothing here
        arguments=arguments,
    )
    store.ask_kernel(call)
    return call


def answered(mission: Mission, call: KernelCall) -> KernelCall:
    """Wait for the answer, in the main thread, as a cell that waits for a mission does."""
    store = mission.session.store
    for _ in Follower(store, between=FREE_TIME.use).looks(DEADLINE_S, tick_s=0.02):
        now = store.kernel_call(call.id)
        if now is not None and now.ended_at is not None:
            return now
    raise AssertionError(f"{call.tool} was not answered")


def called(mission: Mission, tool: str, /, **arguments: Any) -> KernelCall:
    return answered(mission, ask(mission, tool, **arguments))


def rows(city: str, most: int = 3) -> pd.DataFrame:
    """Return rows of a city."""
    sys.stdout.write(f"looking at {city}\n")
    return pd.DataFrame({"city": [city] * most})


@pytest.mark.parametrize("when", ["free", "thread"])
def test_object_is_kept_and_described_to_the_model(session: Session, when: Any) -> None:
    hypernb.tool(rows, when=when)
    mission = approved(session, "rows")
    call = called(mission, "rows", city="Rome", most=7)
    assert call.state is ToolCallState.RETURNED
    assert call.answer["returned"].startswith("rows: DataFrame of 7 rows and 1 columns")
    assert call.answer["printed"] == "looking at Rome\n"
    assert call.value is not None
    assert session.load(call.value).equals(pd.DataFrame({"city": ["Rome"] * 7}))


@pytest.mark.parametrize("returns", ["report", "value"])
@pytest.mark.parametrize("content", ["hashes", "none"])
def test_object_is_kept_only_for_an_output_where_content_is_not(
    session: Session, content: str, returns: str
) -> None:
    hypernb.tool(rows, when="thread")
    mission = approved(session, "rows", content=content, returns=returns)
    call = called(mission, "rows", city="Rome")
    assert call.answer["returned"].startswith("rows: DataFrame")
    assert (call.value is not None) == (returns == "value")


def test_json_is_told_as_it_is(session: Session) -> None:
    hypernb.tool(lambda: {"a": [1, 2.5, None], "b": "text"}, name="facts", when="thread")
    call = called(approved(session, "facts"), "facts")
    assert call.answer == {"a": [1, 2.5, None], "b": "text"}


def test_secrets_and_addresses_in_answers_are_covered_up(session: Session) -> None:
    hypernb.tool(lambda: f"{KEY} of ada@example.org", name="facts", when="thread")
    call = called(approved(session, "facts"), "facts")
    assert call.answer == "[secret] of [e-mail]"


@pytest.mark.parametrize("as_a", ["text", "object", "error", "print"])
def test_keys_of_this_kernel_are_in_nothing_that_a_tool_answers(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_a: str
) -> None:
    key = "plain words of a key"  # which looks like no secret
    monkeypatch.setenv("OPENAI_API_KEY", key)

    @hypernb.tool(when="thread")
    def tells() -> Any:
        """Tell what it should not."""
        if as_a == "error":
            raise ValueError(f"cannot ask with {key}")
        if as_a == "print":
            sys.stdout.write(key)
            return None
        return {"asks with": key} if as_a == "text" else ({key},)

    call = called(approved(session, "tells"), "tells")
    assert key not in f"{call.answer} {call.error}"
    assert call.value is None
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or key.encode() not in file.read_bytes()


def test_keys_of_trusted_projects_are_covered_in_what_tools_answer(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, project = "plain words of a key", tmp_path / "project"
    (project / ".hypernb").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WORK_LLM", key)
    (tmp_path / "home" / "config.toml").write_text(f"trust = [{str(project)!r}]\n")
    (project / ".hypernb" / "config.toml").write_text(
        '[profiles.work]\nbase_url = "http://127.0.0.1:9/v1"\nkey = "WORK_LLM"\n'
    )
    with Session(tmp_path / "other.db", root=project) as other:
        other.build(hypernb.Plan("look", root=project).add("look", len, "text"))

    hypernb.tool(lambda: f"by {key}", name="facts", when="thread")
    hypernb.tool(lambda: ({key},), name="value", when="thread")
    mission = approved(session, "facts", "value")
    assert called(mission, "facts").answer["returned"] == "by [secret]"
    assert called(mission, "value").value is None


def test_frame_with_a_key_of_this_kernel_is_not_kept(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "plain words of a key"
    monkeypatch.setenv("OPENAI_API_KEY", key)

    @hypernb.tool(when="thread")
    def environment() -> Any:
        """Return the environment as a frame."""
        return pd.DataFrame({"k": ["HOME", "OPENAI_API_KEY"], "v": ["/home", key]})

    call = called(approved(session, "environment"), "environment")
    assert key not in str(call.answer)
    assert call.answer["not_kept"].startswith("OPENAI_API_KEY stands in it")
    assert call.value is None


def test_key_is_covered_in_a_tools_answer_in_every_form(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "plain words/of a key"
    monkeypatch.setenv("OPENAI_API_KEY", key)
    forms = [quote(key, safe=""), key.encode().hex(), b64encode(key.encode()).decode()]

    @hypernb.tool(when="thread")
    def tells() -> Any:
        """Tell what it should not."""
        sys.stdout.write(" ".join(forms))
        return forms

    call = called(approved(session, "tells"), "tells")
    assert not [form for form in forms if form in str(call.answer)]


def test_long_answers_are_bounded(session: Session) -> None:
    hypernb.tool(lambda: "x" * 1_000_000, name="facts", when="thread")
    call = called(approved(session, "facts"), "facts")
    assert len(call.answer) < 20_100


class Contrary:
    """What cannot be looked at: its class fails whatever is asked of it."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise SystemExit(protocol)


class ContraryDict(dict[str, int]):
    def items(self) -> Any:
        raise RuntimeError("not to be read")


class ContraryInt(int):
    def __repr__(self) -> str:
        raise RuntimeError("not to be read")


@pytest.mark.parametrize("when", ["free", "thread"])
@pytest.mark.parametrize(
    "value",
    [Contrary(), ContraryDict(a=1), ContraryInt(1), "half a pair: \ud800"],
    ids=["exits when pickled", "dict", "int", "no unicode"],
)
def test_call_whose_answer_cannot_be_read_is_answered(
    session: Session, when: Any, value: Any
) -> None:
    hypernb.tool(lambda: value, name="contrary", when=when)
    call = called(approved(session, "contrary"), "contrary")
    assert call.ended_at is not None
    assert call.answer is not None or "cannot be read" in call.error


def test_call_whose_answer_cannot_be_written_is_answered(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    hypernb.tool(lambda: "fine", name="fine", when="thread")
    mission = approved(session, "fine")
    write = type(session.store).answer_kernel_call

    def fails(store: Any, call_id: str, *, error: str = "", **more: Any) -> None:
        if not error:
            raise OSError("no space left on device")
        write(store, call_id, error=error, **more)

    monkeypatch.setattr(type(session.store), "answer_kernel_call", fails)
    assert "could not be written" in called(mission, "fine").error


def test_of_an_endless_answer_only_the_beginning_is_looked_at(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hypernb import redact

    looked_at: list[int] = []
    known = redact.redact

    def counts(text: str) -> Any:
        looked_at.append(len(text))
        return known(text)

    monkeypatch.setattr("hypernb.session._kernel_answers.redact", counts)
    hypernb.tool(lambda: "many words " * 500_000, name="much", when="thread")
    call = called(approved(session, "much"), "much")
    assert call.answer.endswith("… 5,480,000 more characters.")
    assert max(looked_at) <= 200_000


def test_what_cannot_be_kept_is_told_all_the_same(session: Session) -> None:
    @hypernb.tool(when="thread")
    def lock() -> Any:
        """Return what lives only here."""
        return [threading.Lock()]

    call = called(approved(session, "lock"), "lock")
    assert call.value is None
    assert "cannot be sent to another process" in call.answer["not_kept"]


def test_nothing_returned_keeps_nothing(session: Session) -> None:
    hypernb.tool(lambda: None, name="nothing", when="thread")
    call = called(approved(session, "nothing"), "nothing")
    assert (call.state, call.answer, call.value) == (ToolCallState.RETURNED, None, None)


@pytest.mark.parametrize("when", ["free", "thread"])
def test_failure_is_its_trimmed_traceback(session: Session, when: Any) -> None:
    @hypernb.tool(when=when)
    def fails(word: str) -> None:
        """Fail."""
        raise KeyError(f"no {word}: {KEY}")

    call = called(approved(session, "fails"), "fails", word="tree")
    assert call.state is ToolCallState.FAILED
    assert call.error.startswith("KeyError: 'no tree: [secret]'\n  line ")
    assert "in fails: raise KeyError" in call.error
    assert "hypernb/session" not in call.error


def test_tool_that_ends_the_process_ends_nothing(session: Session) -> None:
    hypernb.tool(lambda: sys.exit(3), name="leave")
    call = called(approved(session, "leave"), "leave")
    assert call.error == "it failed: it called exit."


def test_free_tool_that_takes_too_long_is_interrupted(session: Session) -> None:
    never = threading.Event()

    @hypernb.tool(timeout_s=0.2)
    def wait() -> None:
        """Wait for ever."""
        never.wait(60)

    call = called(approved(session, "wait"), "wait")
    assert call.error == "it was still at work after 0.2 s, and was interrupted."


def test_tool_on_a_thread_that_takes_too_long_is_waited_for_no_longer(
    session: Session,
) -> None:
    release = threading.Event()

    @hypernb.tool(when="thread", timeout_s=0.2)
    def wait() -> None:
        """Wait until the test is over."""
        release.wait(60)

    call = called(approved(session, "wait"), "wait")
    release.set()
    assert call.error == "it was still at work after 0.2 s, and is waited for no longer."


def test_free_tools_run_in_the_main_thread_and_others_beside_it(session: Session) -> None:
    threads: list[threading.Thread] = []
    hypernb.tool(lambda: threads.append(threading.current_thread()), name="free")
    hypernb.tool(
        lambda: threads.append(threading.current_thread()), name="beside", when="thread"
    )
    mission = approved(session, "free", "beside")
    called(mission, "beside")
    called(mission, "free")
    assert threads[0] is not threading.main_thread()
    assert threads[1] is threading.main_thread()


def test_async_tool_has_a_loop_of_its_own(session: Session) -> None:
    @hypernb.tool(when="thread")
    async def answer() -> int:
        """Return a number."""
        return 42

    assert called(approved(session, "answer"), "answer").answer == 42


class TestWhatIsNotApproved:
    """Only what this user has approved is called, and only as it was approved."""

    def refused(self, mission: Mission, tool: str = "rows", **arguments: Any) -> str:
        calls: list[str] = []
        if "rows" in kernel_tools():
            hypernb.tool(_counting(calls), name="rows", when="thread")
        call = called(mission, tool, **(arguments or {"city": "Rome"}))
        assert not calls
        assert call.state is ToolCallState.FAILED
        return call.error

    def test_mission_without_approval(self, session: Session) -> None:
        hypernb.tool(_counting([]), name="rows", when="thread")
        assert "You have not approved" in self.refused(proposed(session, "rows"))

    def test_mission_that_is_over(self, session: Session) -> None:
        hypernb.tool(_counting([]), name="rows", when="thread")
        mission = approved(session, "rows")
        assert session.store.cancel_unstarted(mission.record.id, by="me")
        assert "is over" in self.refused(mission)

    def test_tool_that_the_plan_does_not_name(self, session: Session) -> None:
        hypernb.tool(_counting([]), name="rows", when="thread")
        hypernb.tool(lambda: 1, name="other", when="thread")
        said = self.refused(approved(session, "other"))
        assert "does not let this task call 'rows'" in said

    def test_lane_of_another_kernel(self, session: Session) -> None:
        hypernb.tool(_counting([]), name="rows", when="thread")
        said = self.refused(approved(session, "rows", lane="kernel:0000"))
        assert "does not let this task call 'rows'" in said

    def test_tool_with_other_arguments_than_were_approved(self, session: Session) -> None:
        hypernb.tool(rows)
        mission = approved(session, "rows")
        assert "takes other arguments now" in self.refused(mission)

    def test_tool_that_is_gone(self, session: Session) -> None:
        hypernb.tool(rows)
        mission = approved(session, "rows")
        forget_tool("rows")
        assert "is not defined in this kernel any more" in self.refused(mission)

    def test_arguments_that_do_not_fit(self, session: Session) -> None:
        hypernb.tool(_counting([]), name="rows", when="thread")
        mission = approved(session, "rows")
        assert "There is no 'town'" in self.refused(mission, town="Rome")


def _counting(calls: list[str]) -> Any:
    def count(city: str) -> None:
        """Count."""
        calls.append(city)

    return count


def test_interrupt_after_the_tool_has_ended_is_an_answer(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hypernb.session._kernel_lane.outcome_of", interrupted)
    hypernb.tool(rows)
    call = called(approved(session, "rows"), "rows", city="Rome")
    assert call.error == "the person interrupted it."


def test_each_call_is_carried_out_once(session: Session) -> None:
    calls: list[str] = []
    hypernb.tool(_counting(calls), name="rows", when="thread")
    mission = approved(session, "rows")
    asked = [ask(mission, "rows", city=str(number)) for number in range(30)]
    for call in asked:
        assert answered(mission, call).state is ToolCallState.RETURNED
    assert sorted(calls, key=int) == [str(number) for number in range(30)]


def test_call_that_was_cancelled_meanwhile_is_not_carried_out(session: Session) -> None:
    calls: list[str] = []
    hypernb.tool(_counting(calls), name="rows")
    mission = approved(session, "rows")
    call = ask(mission, "rows", city="Rome")
    for _ in Follower(session.store).looks(DEADLINE_S, tick_s=0.02):
        if FREE_TIME.is_wanted:
            break
    session.store.cancel_kernel_calls(call.task_id, 1)
    FREE_TIME.use()
    assert not calls


def test_lane_is_held_while_it_is_served(session: Session) -> None:
    for _ in Follower(session.store).looks(DEADLINE_S):
        if session.store.leases(f"lane:{kernel_lane()}"):
            break
    [lease] = session.store.leases(f"lane:{kernel_lane()}")
    assert lease.facts["lane"] == kernel_lane()
    stop_serving(session.store.url)
    assert not session.store.leases("lane:")


def test_what_tools_print_is_not_mixed_with_what_others_print(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    entered, leave = threading.Event(), threading.Event()

    @hypernb.tool(when="thread")
    def talk() -> None:
        """Talk."""
        sys.stdout.write("from the tool\n")
        entered.set()
        leave.wait(DEADLINE_S)

    mission = approved(session, "talk")
    call = ask(mission, "talk")
    assert entered.wait(DEADLINE_S)
    sys.stdout.write("from the cell\n")
    leave.set()
    assert answered(mission, call).answer == {"returned": None, "printed": "from the tool\n"}
    assert capsys.readouterr().out == "from the cell\n"


class TestLanesOfPlans:
    def test_tools_of_this_kernel_get_its_lane_and_schema(self, session: Session) -> None:
        hypernb.tool(rows)
        work = proposed(session, "rows", "read-file").plan.tasks[0].work
        assert isinstance(work, AgentWork)
        assert work.lanes == {"rows": kernel_lane()}
        assert work.schemas == {"rows": kernel_tools()["rows"].tool.schema}

    def test_tool_that_is_no_longer_named_loses_its_lane(self, session: Session) -> None:
        hypernb.tool(rows)
        spec = proposed(session, "rows").plan
        work = spec.tasks[0].work.model_copy(update={"tools": ("read-file",)})
        task = spec.tasks[0].model_copy(update={"work": work})
        assert not lanes_of(with_lanes(spec.model_copy(update={"tasks": (task,)})))

    def test_plan_without_models_stays_as_it_is(self) -> None:
        hypernb.tool(rows, name="scan-more")
        task = TaskSpec(name="t", agent="a", work=AgentWork(tools=("scan-more",)))
        spec = PlanSpec(goal="g", tasks=(task,))
        assert with_lanes(spec) is spec
        forget_tool("scan-more")


class TestAttach:
    """Another kernel takes the place of one that is gone, with the tools that it had."""

    def test_calls_that_waited_run_here(self, session: Session) -> None:
        hypernb.tool(rows, when="thread")
        mission = approved(session, "rows", lane="kernel:gone")
        call = ask(mission, "rows", city="Rome")
        session.store.cancel_kernel_calls(call.task_id, 1)
        waiting = KernelCall(
            new_id(),
            call.mission_id,
            call.task_id,
            1,
            "kernel:gone",
            "rows",
            ToolCallState.WAITING,
            call.at,
            {"city": "Rome"},
        )
        session.store.ask_kernel(waiting)
        assert mission.attach() == ["rows"]
        assert answered(mission, waiting).state is ToolCallState.RETURNED

    def test_tool_that_is_not_defined_here_is_named(self, session: Session) -> None:
        hypernb.tool(rows)
        mission = approved(session, "rows", lane="kernel:gone")
        forget_tool("rows")
        with pytest.raises(UnknownNameError, match="define it with @hypernb"):
            mission.attach()
        assert session.store.lane_of(mission.record.id, "kernel:gone") == "kernel:gone"

    def test_tool_that_takes_other_arguments_is_refused(self, session: Session) -> None:
        hypernb.tool(rows)
        mission = approved(session, "rows", lane="kernel:gone")
        hypernb.tool(_counting([]), name="rows")
        with pytest.raises(ContractError, match="its description, parameters differ"):
            mission.attach()

    def test_kernel_that_lives_keeps_its_lane(self, session: Session) -> None:
        hypernb.tool(rows)
        mission = approved(session, "rows")
        for _ in Follower(session.store).looks(DEADLINE_S):
            if session.store.leases(f"lane:{kernel_lane()}"):
                break
        assert mission.attach() == []
