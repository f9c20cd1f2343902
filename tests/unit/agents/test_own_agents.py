# ruff: noqa: ARG002 - an agent need not look at its task
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.agents import AgentTask, BaseAgent, work_with_model
from hypernb.errors import (
    AgentAnswerError,
    ContractError,
    StateConflictError,
    ToolError,
    UsageError,
)
from hypernb.model import AgentMessage, AgentWork, Report
from tests.scripted_services import ScriptedServices, calls, context_of, said, says

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hypernb.model import ChatReply

    Plant = Callable[[Mapping[str, str]], Path]

FILES = {"src/app.py": "import os\n"}
SECRET = "sk-" + "abcd1234" * 5


def done(services: ScriptedServices, root: Path, agent: object, **fields: Any) -> Any:
    work = AgentWork(**{"function": "0" * 64, "label": "MyAgent", "model": "default", **fields})
    return work_with_model(
        agent="my-agent",
        task="own",
        goal="Count words",
        check="",
        work=work,
        context=context_of(services, root, inputs={"rows": [1, 2]}),
        load=lambda: agent,
    )


class Typed(BaseAgent):
    def process_task(self, task: AgentTask) -> Any:
        return self.chat(task.goal, schema={"type": "object"})


class TestProcessing:
    def test_output_is_what_it_returns(self, plant: Plant) -> None:
        class Counter(BaseAgent):
            def process_task(self, task: AgentTask) -> Any:
                return len(task.goal.split()), task.inputs["rows"], task.files

        output = done(ScriptedServices(said("")), plant(FILES), Counter())
        assert output == (2, [1, 2], ("src/app.py",))

    def test_it_may_be_a_coroutine_function(self, plant: Plant) -> None:
        class Asker(BaseAgent):
            async def process_task(self, task: AgentTask) -> Any:
                return self.chat(task.goal, system="You count.")

        services = ScriptedServices(said("Two."))
        assert done(services, plant(FILES), Asker()) == "Two."
        assert [each.role for each in services.asked[0].messages] == ["system", "user"]

    def test_what_analysers_found_is_its_report_if_it_returns_nothing(
        self, plant: Plant
    ) -> None:
        class Linter(BaseAgent):
            def process_task(self, task: AgentTask) -> None:
                self.call_tool("ruff")

        output = done(ScriptedServices(said("")), plant(FILES), Linter(), tools=("ruff",))
        assert isinstance(output, Report)
        assert {each.agent for each in output.findings} == {"my-agent"}

    def test_what_is_no_agent_is_refused(self, plant: Plant) -> None:
        with pytest.raises(ContractError, match=r"MyAgent is no hypernb\.BaseAgent"):
            done(ScriptedServices(said("")), plant(FILES), object())

    def test_it_can_do_nothing_outside_of_its_task(self) -> None:
        class Idle(BaseAgent):
            def process_task(self, task: AgentTask) -> None:
                del task

        with pytest.raises(ContractError, match="Idle is not at work"):
            Idle().chat("Hello")


class TestAsking:
    def test_answer_of_a_schema_is_asked_for_again(self, plant: Plant) -> None:
        class Asker(BaseAgent):
            def process_task(self, task: AgentTask) -> Any:
                schema = {"type": "object", "required": ["n"]}
                return self.chat(task.goal, schema=schema)

        services = ScriptedServices(said("two"), says({"n": 2}))
        assert done(services, plant(FILES), Asker()) == {"n": 2}
        assert [each.purpose for each in services.asked] == ["task", "repair"]

    def test_answers_that_never_fit_fail(self, plant: Plant) -> None:
        services = ScriptedServices(said("two"))
        with pytest.raises(AgentAnswerError, match="It said last: 'two'"):
            done(services, plant(FILES), Typed())
        assert len(services.asked) == 3

    def test_evidence_of_answers_that_never_fit_tells_no_secret(self, plant: Plant) -> None:
        services = ScriptedServices(said(f"The key is {SECRET}, I think."))
        with pytest.raises(AgentAnswerError, match="It said last: 'The key is ") as caught:
            done(services, plant(FILES), Typed())
        assert SECRET not in str(caught.value)

    @pytest.mark.parametrize(
        ("reply", "problem"),
        [
            pytest.param(
                said('{"n": ', finish="filtered"), "filter has cut it off", id="filter"
            ),
            pytest.param(
                said("", refusal="I will not."), "a refusal: I will not", id="refusal"
            ),
            pytest.param(said("{", finish="length"), "was cut off after 1 ch", id="length"),
        ],
    )
    def test_answer_that_is_none_is_met_with_why(
        self, plant: Plant, reply: ChatReply, problem: str
    ) -> None:
        services = ScriptedServices(reply, says({"n": 2}))
        assert done(services, plant(FILES), Typed()) == {"n": 2}
        assert problem in services.last_seen()

    def test_answers_are_bounded_by_the_plan(self, plant: Plant) -> None:
        class Endless(BaseAgent):
            def process_task(self, task: AgentTask) -> Any:
                while True:
                    self.chat(task.goal)

        services = ScriptedServices(said("two"))
        with pytest.raises(ContractError, match="the plan allows 3 answers"):
            done(services, plant(FILES), Endless(), steps=3)

    def test_without_a_model_it_is_told_so(self, plant: Plant) -> None:
        class Asker(BaseAgent):
            def process_task(self, task: AgentTask) -> Any:
                return self.chat(task.goal)

        with pytest.raises(ContractError, match="its plan names none"):
            done(ScriptedServices(said("")), plant(FILES), Asker(), model="")

    def test_tools_answer_as_they_are(self, plant: Plant) -> None:
        class Reader(BaseAgent):
            def process_task(self, task: AgentTask) -> Any:
                return self.call_tool("fit", n=2), self.call_tool("list-files")

        services = ScriptedServices(said(""), tools={"fit": lambda n: {"n": n}})
        fitted, listed = done(
            services,
            plant(FILES),
            Reader(),
            tools=("fit", "list-files"),
            lanes={"fit": "kernel:1"},
        )
        assert fitted == {"n": 2}
        assert "src/app.py" in str(listed)
        assert services.tools_called == ["fit", "list-files"]

    def test_tools_outside_of_the_plan_are_refused(self, plant: Plant) -> None:
        class Reader(BaseAgent):
            def process_task(self, task: AgentTask) -> Any:
                return self.call_tool("read-file", path="src/app.py")

        with pytest.raises(ToolError, match="the plan does not let this task call it"):
            done(ScriptedServices(calls()), plant(FILES), Reader())


class TestTalking:
    def test_messages_are_dealt_with_and_acknowledged(self, plant: Plant) -> None:
        class Listener(BaseAgent):
            def __init__(self) -> None:
                self.heard: list[Any] = []

            async def receive_message(self, message: AgentMessage) -> None:
                self.heard.append(message.content)

            def process_task(self, task: AgentTask) -> Any:
                told = {"urgent": True, "files": ["src/app.py"]}
                self.send_message("Hello", to="scan", type="question", metadata=told)
                return self.heard

        services = ScriptedServices(said(""), recipients=["scan"])
        services.inbox.append(AgentMessage(id="01J", sender="scan", content="Mind src."))
        assert done(services, plant(FILES), Listener()) == ["Mind src."]
        assert services.acknowledged == ["01J"]
        (sent,) = services.sent
        assert (sent.content, sent.type) == ("Hello", "question")
        assert sent.metadata == {"urgent": True, "files": ["src/app.py"]}

    @pytest.mark.parametrize(
        ("message", "told"),
        [
            pytest.param({"content": {1, 2}}, r"{1, 2} in its content: ", id="content"),
            pytest.param(
                {"content": "", "metadata": {"at": object}}, "in its metadata: ", id="metadata"
            ),
            pytest.param({"content": "", "type": ""}, "'' in its type: ", id="type"),
        ],
    )
    def test_message_that_is_no_json_is_refused(
        self, plant: Plant, message: Mapping[str, Any], told: str
    ) -> None:
        class Talker(BaseAgent):
            def process_task(self, task: AgentTask) -> None:
                self.send_message(**message)

        services = ScriptedServices(said(""))
        with pytest.raises(UsageError, match=told):
            done(services, plant(FILES), Talker())
        assert services.sent == []

    def test_asking_the_model_about_a_message_gets_it_once(self, plant: Plant) -> None:
        class Asker(BaseAgent):
            heard = 0

            def receive_message(self, message: AgentMessage) -> None:
                self.heard += 1
                self.chat(str(message.content))

            async def process_task(self, task: AgentTask) -> Any:
                self.messages()
                return self.heard

        services = ScriptedServices(said("Yes."))
        services.inbox.append(AgentMessage(id="01J", sender="scan", content="Mind src."))
        assert done(services, plant(FILES), Asker()) == 1


class TestStates:
    class Rememberer(BaseAgent):
        def process_task(self, task: AgentTask) -> Any:
            state = self.load_state()
            self.save_state({"runs": state.get("runs", 0) + 1})
            return state

    def test_state_is_there_for_the_next_attempt(self, plant: Plant) -> None:
        services = ScriptedServices(said(""))
        root = plant(FILES)
        outputs = [done(services, root, self.Rememberer()) for _ in range(3)]
        assert outputs == [{}, {"runs": 1}, {"runs": 2}]

    def test_state_that_another_attempt_saved_is_not_overwritten(self, plant: Plant) -> None:
        services = ScriptedServices(said(""))

        class Slow(BaseAgent):
            def process_task(self, task: AgentTask) -> Any:
                self.load_state()
                services.save_state({"runs": 9}, version=0)
                self.save_state({"runs": 1})

        with pytest.raises(StateConflictError):
            done(services, plant(FILES), Slow())
        assert services.state[0] == {"runs": 9}
