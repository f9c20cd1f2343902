"""What cannot be understood is one line, is raised, and starts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.magics.conftest import Desk, Kernel

pytestmark = pytest.mark.timeout(90)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param("%hyper rum", "Did you mean 'run'", id="verb"),
        pytest.param("%hyper ls --limt 3", "Did you mean '--limit'?", id="flag"),
        pytest.param("%%hyper --playbok repo-audit\n", "'--playbook'", id="cell-flag"),
        pytest.param("%%hyper --playbook repo-adit\n", "mean 'repo-audit'?", id="playbook"),
        pytest.param("%hyper run repo-adit", "mean 'repo-audit'?", id="run-playbook"),
        pytest.param(
            "%%hyper --playbook repo-audit --no-test", "--no-tests", id="playbook-flag"
        ),
        pytest.param("%%hyper --playbook repo-audit nowhere", "nowhere", id="path"),
        pytest.param("%%hyper --agents qa-enginer\nlook", "mean 'qa-engineer'", id="agent"),
        pytest.param(
            "frame = 1\n%hyper run data-profile --in frme",
            "mean 'frame'?",
            id="variable",
        ),
        pytest.param("%hyper run data-profile --in frame", "frame", id="not-a-frame"),
        pytest.param("%%hyper --out 1x\nlook at the tests", "not a name", id="out"),
        pytest.param("%%hyper --out None\nlook at the tests", "not a name", id="out-keyword"),
        pytest.param("%%hyper look\nat this", "does not take 'look'", id="argument"),
        pytest.param("%%hyper\n", "goal is empty", id="empty"),
        pytest.param("%%hyper --yes\n  \t\n\n", "goal is empty", id="blank"),
        pytest.param("%%hyper", "goal is empty", id="bare"),
        pytest.param("%%hyper --wait --no-wait\nlook", "exclude each other", id="both-waits"),
        pytest.param("%%hyper --budget lots\nlook", "not 'lots'", id="number"),
        pytest.param("%%hyper --model gpt\nlook", "needs OPENAI_API_KEY", id="key"),
        pytest.param("%%hyper --approve nowhere.json\nlook", "nowhere.json", id="plan-file"),
        pytest.param("%hyper show m-7", "No mission is called 'm-7'", id="mission"),
        pytest.param("%hyper show", "no mission yet", id="no-mission"),
        pytest.param("%hyper cancel m-7/t3", "whole missions", id="task-cancelled"),
        pytest.param("%hyper show m-7/t99", "whole missions", id="task-shown"),
        pytest.param("%hyper ls --limit 0", "at least 1", id="limit"),
        pytest.param("%hyper agents qa-enginer", "mean 'qa-engineer'", id="agents"),
        pytest.param("%hyper playbooks repo-adit", "mean 'repo-audit'?", id="playbooks"),
        pytest.param("%hyper help aprove", "Did you mean 'approve'?", id="help"),
        pytest.param("%hyper ls --state pausedd", "Did you mean 'paused'?", id="state"),
        pytest.param("%hyper show 'm-1", "closing quotation", id="quote"),
        pytest.param("%hyper config rot=/", "Did you mean 'root'?", id="setting"),
        pytest.param("%hyper config root=/nowhere", "no directory", id="root"),
        pytest.param("%hyper config runner=inproces", "'inprocess'", id="runner"),
        pytest.param("%hyper config db=/proc/nowhere/x.db", "/proc/nowhere", id="database"),
        pytest.param("%hyper sql delete from missions", "only reads", id="delete"),
        pytest.param("%hyper sql attach 'x.db' as x", "only reads", id="attach"),
        pytest.param("%hyper sql pragma writable_schema = 1", "only reads", id="pragma"),
        pytest.param("%hyper sql select 1; drop table missions", "one statement", id="two"),
        pytest.param("%hyper sql select nosuch from missions", "'nosuch'", id="column"),
        pytest.param("%hyper restore nowhere.db", "nowhere.db", id="restore"),
    ],
)
def test_misuse_is_one_line_and_starts_nothing(
    shared: Desk, kernel: Kernel, code: str, said: str
) -> None:
    cell = kernel.run(code)
    assert said in cell.error
    assert cell.traceback == [cell.error]
    assert shared.missions() == 0


def test_settings_stay_when_new_ones_are_refused(kernel: Kernel) -> None:
    before = kernel.ok("%hyper config").text
    assert kernel.run("%hyper config runner=nothing").error
    assert kernel.ok("%hyper config").text == before


def test_goal_of_a_megabyte_is_refused(shared: Desk, kernel: Kernel) -> None:
    cell = kernel.run("%%hyper --yes\n" + "{x" * 500_000)
    assert "1,000,000 characters" in cell.error
    assert shared.missions() == 0


def test_help_is_generated_from_the_verbs(kernel: Kernel) -> None:
    page = kernel.ok("%hyper?").reply["payload"][0]["data"]["text/plain"]
    assert "%hyper approve M [task …]" in page
    assert "--playbook NAME" in page


def test_help_explains_one_verb(kernel: Kernel) -> None:
    assert "--timeout seconds" in kernel.ok("%hyper help wait").text


def test_help_explains_a_playbook(kernel: Kernel) -> None:
    assert "--no-tests" in kernel.ok("%hyper playbooks repo-audit").text


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param("%hyper app", ["approve"], id="verb"),
        pytest.param("%hyper help app", ["approve"], id="help"),
        pytest.param("rows = %hyper sq", ["sql"], id="assigned"),
        pytest.param("%hyper ls --st", ["--state"], id="flag"),
        pytest.param("%hyper ls --state=running,pau", ["paused"], id="list"),
        pytest.param("%%hyper --play", ["--playbook"], id="cell-flag"),
        pytest.param("%%hyper --playbook data", ["data-profile"], id="playbook"),
        pytest.param("%hyper run repo", ["repo-audit"], id="run"),
        pytest.param("%hyper agents sec", ["security-engineer"], id="agent"),
        pytest.param("%hyper run x --agents y,front", ["frontend-specialist"], id="agents"),
        pytest.param("%%hyper --in rows_of", ["rows_of_mine"], id="variable"),
    ],
)
def test_completion_offers_only_what_fits(kernel: Kernel, line: str, found: list[str]) -> None:
    kernel.ok("rows_of_mine = 1")
    assert kernel.complete(line) == found
