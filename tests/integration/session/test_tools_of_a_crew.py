"""What leaves for a real server is what the lens has shown, and a kernel's tools answer it."""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING, Any

import cloudpickle
import pandas as pd
import pytest

import hypernb
from hypernb.model import Grant, MissionState
from hypernb.session._kernel_lane import stop_serving
from hypernb.tools import forget_tool, kernel_tools
from hypernb.views import plan_text
from tests.model_server import Call, ModelServer, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypernb.agents import AgentTask
    from tests.model_server import Asked

DEADLINE_S = 15.0
PEOPLE = pd.DataFrame(
    {
        "mail": [f"p{number}@example.org" for number in range(500)],
        "account": [1_234_567_890_123 + number for number in range(500)],
        "secret word": ["hunter2"] * 500,
        "größe": [150 + number / 7 for number in range(500)],
    }
)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hypernb.Session]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HYPERNB_MODEL", "scripted")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    made = hypernb.Session(tmp_path / "store.db", runner="inprocess", root=tmp_path)
    yield made
    made.stop()
    stop_serving(made.store.url)
    made.close()
    for name in kernel_tools():
        forget_tool(name)


def contents(server: ModelServer) -> list[str]:
    """All that was told to the server, message by message, as it arrived there."""
    return [
        str(message.get("content") or "")
        for asked in server.asked
        for message in asked.body["messages"]
    ]


def look(session: hypernb.Session, **fields: Any) -> hypernb.Plan:
    """A plan with one task for a model."""
    inputs = fields.pop("inputs", None)
    plan = hypernb.Plan("look", root=session.root, inputs=inputs)
    plan.add("look", agent="qa-engineer", goal="Look.", model="scripted", **fields)
    return plan


@pytest.mark.parametrize(
    "grant",
    [Grant(), Grant(see="schema"), Grant(see="all"), Grant(rows=17, redact=False)],
    ids=["sample", "schema", "all", "uncovered"],
)
def test_what_leaves_is_what_the_lens_has_shown_to_the_last_byte(
    session: hypernb.Session, monkeypatch: pytest.MonkeyPatch, grant: Grant
) -> None:
    with ModelServer(Reply(text="Seen.")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        plan = look(session, returns="text", inputs={"df": PEOPLE}, variables={"df": grant})
        mission = session.start(plan)
        [shown] = mission.egress()
        mission.approve().wait(DEADLINE_S)
        told = contents(server)
    assert mission.state is MissionState.SUCCEEDED
    holding = [each for each in told if shown.text in each]
    assert len(holding) == 1
    rest = holding[0].replace(shown.text, "")
    # Nothing else of the values, anywhere in what arrived.
    for each in (*told[: told.index(holding[0])], rest):
        assert "@example.org" not in each
        assert "1234567890" not in each
        assert "hunter2" not in each
    assert shown.host in f"{server.url}/"
    [left] = mission.egress()
    assert (left.text, left.host, left.left) == (shown.text, shown.host, "yes")
    assert any(f"{shown.size_bytes:,} bytes leave" in note for note in mission.plan.notes)


@pytest.mark.parametrize("grant", [Grant(see="schema"), Grant()], ids=["schema", "sample"])
def test_profiling_tells_no_more_than_was_granted(
    session: hypernb.Session, monkeypatch: pytest.MonkeyPatch, grant: Grant
) -> None:
    frame = pd.DataFrame(
        {
            "diagnosis": ["rare disease"] * 40,
            "mail": ["ada@example.org"] * 40,
            "password": ["hunter2"] * 40,
            "income": [*range(39), 98_765],
        }
    )
    tools = ("profile-constants", "profile-outliers")

    def profile(asked: Asked) -> Reply:
        made = sum(message["role"] == "tool" for message in asked.body["messages"])
        if made == len(tools):
            return Reply(text="Seen.")
        return Reply(calls=(Call(tools[made], "{}", f"c{made}"),))

    with ModelServer(profile) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        seen = {"df": grant}
        plan = look(session, returns="text", inputs={"df": frame}, tools=tools, variables=seen)
        mission = session.start(plan)
        later = mission.egress().later
        mission.approve().wait(DEADLINE_S)
        answers = [
            str(each["content"])
            for each in server.asked[-1].body["messages"]
            if each["role"] == "tool"
        ]
    assert mission.state is MissionState.SUCCEEDED
    assert len(answers) == len(tools)
    told = " ".join(answers)
    assert "ada@example.org" not in told
    assert "hunter2" not in told
    if grant.see == "schema":
        assert "of df only the schema may be seen" in told
        assert "rare disease" not in told
        assert "98765" not in told
        assert later == ()
    else:
        assert "rare disease" in told
        assert "what profile-constants and profile-outliers find in df" in later[0]


def test_inspecting_tells_no_byte_more(
    session: hypernb.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = ("schema", "statistics", "sample", "all")

    def inspect(asked: Asked) -> Reply:
        made = sum(message["role"] == "tool" for message in asked.body["messages"])
        if made == len(parts):
            return Reply(text="Seen.")
        arguments = json.dumps({"name": "df", "part": parts[made]})
        return Reply(calls=(Call("inspect-variable", arguments, f"c{made}"),))

    with ModelServer(inspect) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        plan = look(session, returns="text", inputs={"df": PEOPLE}, tools=["inspect-variable"])
        mission = session.start(plan)
        [shown] = mission.egress()
        mission.approve().wait(DEADLINE_S)
        last = server.asked[-1].body["messages"]
    answers = [str(each["content"]) for each in last if each["role"] == "tool"]
    assert mission.state is MissionState.SUCCEEDED
    assert len(answers) == len(parts)
    for answer in answers:
        _fence, _, rest = answer.partition("\n")
        assert rest.rpartition("\n")[0] in shown.text


def test_tool_of_this_kernel_answers_a_model_while_a_cell_waits(
    session: hypernb.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    @hypernb.tool
    def orders_of(customer: int) -> pd.DataFrame:
        """Return the orders of a customer."""
        threads.append(threading.current_thread())
        return pd.DataFrame({"customer": [customer] * 3})

    def call_it(asked: Asked) -> Reply:
        if asked.body["messages"][-1]["role"] == "tool":
            return Reply(text=json.dumps({"result": 1}))
        return Reply(calls=(Call("orders_of", '{"customer": 7}'),))

    with ModelServer(call_it) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        plan = look(session, returns="value", tools=["orders_of"])
        mission = session.start(plan)
        mission.approve().wait(DEADLINE_S)
        offered = server.asked[0].body["tools"][0]["function"]
    assert mission.state is MissionState.SUCCEEDED, mission.record.error
    assert mission.result().equals(pd.DataFrame({"customer": [7] * 3}))
    assert threads == [threading.main_thread()]
    assert offered["name"] == "orders_of"
    assert offered["parameters"]["required"] == ["customer"]


class Adder(hypernb.BaseAgent):
    """An agent of one's own that calls a function of the notebook, and asks no model."""

    def process_task(self, task: AgentTask) -> Any:
        return [self.call_tool("total", numbers=[1, 2]), task.tools]


def test_own_agent_without_a_model_calls_a_function_of_the_notebook(
    session: hypernb.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYPERNB_MODEL")
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    known = [40]

    @hypernb.tool(when="thread")
    def total(numbers: list[int]) -> int:
        """Add up."""
        return sum(numbers) + known[0] - 1

    plan = hypernb.Plan("add", root=session.root)
    plan.add("add", agent=Adder(), goal="Add up.", tools=["total"])
    mission = session.start(plan)
    assert "In your kernel" in plan_text(mission.snapshot())
    mission.approve().wait(DEADLINE_S)
    assert mission.state is MissionState.SUCCEEDED, mission.record.error
    assert mission.result() == [42, ("total",)]


KEY = "sk-proj-abcdEFGH1234567890ijklMNOP"
MAIL = "ada.lovelace@example.org"
ACCOUNT = "1234567890123"
HIDDEN = (KEY, MAIL, ACCOUNT, "hunter2")
SAID = f"api_key={KEY} of {MAIL}, account {ACCOUNT}; password = 'hunter2'"


class Teller(hypernb.BaseAgent):
    """An agent of one's own that tells the others what it knows."""

    def process_task(self, task: AgentTask) -> Any:
        self.send_message({"text": SAID, "from": task.name}, to="look")
        return {"note": SAID, "rows": [1, 2]}


def calls_all(*named: str) -> Any:
    """Call the tools one after the other, and then be done."""

    def script(asked: Asked) -> Reply:
        made = sum(message["role"] == "tool" for message in asked.body["messages"])
        if made < len(named):
            return Reply(calls=(Call(named[made], "{}", f"c{made}"),))
        return Reply(text="Seen.")

    return script


def test_no_secret_of_a_needs_output_or_a_kernels_answer_reaches_the_host(
    session: hypernb.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloudpickle.register_pickle_by_value(sys.modules[__name__])

    @hypernb.tool(when="thread")
    def answers() -> dict[str, Any]:
        """Return facts."""
        sys.stdout.write(f"printed: {SAID}\n")
        return {"facts": [SAID], "table": 7}

    @hypernb.tool(when="thread")
    def frames() -> pd.DataFrame:
        """Return rows."""
        return pd.DataFrame({"said": [SAID] * 3})

    @hypernb.tool(when="thread")
    def fails() -> int:
        """Fail."""
        raise ValueError(SAID)

    def broken() -> None:
        raise ValueError(SAID)

    plan = hypernb.Plan("look", root=session.root)
    plan.add("text", lambda: SAID)
    plan.add("frame", lambda: pd.DataFrame({"said": [SAID] * 3, "n": [1, 2, 3]}))
    plan.add("broken", broken, on_failure="continue")
    plan.add("own", agent=Teller(), goal="Tell.", needs=["look-out"])
    plan.add("look-out", lambda: None)
    tools = ("answers", "frames", "fails", "read-messages")
    plan.add(
        "look",
        agent="qa-engineer",
        goal="Look.",
        model="scripted",
        returns="text",
        needs=["text", "frame", "broken", "own"],
        tools=tools,
    )
    with ModelServer(calls_all(*tools)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        mission = session.start(plan)
        shown = repr(mission.egress())
        mission.approve().wait(DEADLINE_S)
        told = [json.dumps(asked.body, ensure_ascii=False) for asked in server.asked]
    assert mission.state is MissionState.SUCCEEDED, mission.record.error
    assert len(told) == len(tools) + 1
    for name in (
        "output of text",
        "output of frame",
        "answer of frames",
        "printed",
        "Message 1",
    ):
        assert name in told[-1]
    assert [each for each in HIDDEN if any(each in body for body in told)] == []
    assert "[e-mail]" in told[-1]
    assert (
        f"look, later also for {server.host}: what answers(), frames() and fails() answer, "
        "outputs of text, frame, broken and own (not known yet; covered up like the rest)."
    ) in shown
