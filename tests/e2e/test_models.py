"""A crew on a model in JupyterLab, from goal to result; only the model is scripted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.axe import OF_COLOURS, finish, start, violations
from tests.model_server import Call, ModelServer, Reply
from tests.planned import plan, task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import ViewportSize

    from tests.e2e.conftest import Desk
    from tests.e2e.notebook import Notebook
    from tests.model_server import Asked

OURS = ".jp-Notebook :is(.hypernb, .hynb)"
TALL: ViewportSize = {"width": 1300, "height": 2200}
SHOTS = Path("build", "screenshots")
# Lab tells that a theme comes before it is there.
THEME = """async theme => {
  await window.jupyterapp.commands.execute("apputils:change-theme", { theme });
  const isLight = String(theme.endsWith("Light"));
  while (document.body.dataset.jpThemeLight !== isLight)
    await new Promise(requestAnimationFrame);
}"""
KEY = "sk-test-of-the-browser-0123456789"  # pragma: allowlist secret
CONFIG = """
model = "scripted"
[profiles.openai.prices."scripted"]
input = 2.0
output = 8.0
[profiles.openai.prices."scripted-mini"]
input = 0.2
output = 0.8
[agents]
qa-engineer = "scripted-mini"
[profiles.local]
base_url = "http://localhost:9/v1"
model = "unpriced"
key = "LOCAL_KEY"
"""
BRIEF: dict[str, Any] = {"seconds": 5, "tokens": 1_000}
TASKS = (
    task("read", goal="Read app.py.", **BRIEF),
    task(
        "sum-up",
        goal="Sum up what was read.",
        agent="project-strategist",
        needs=["read"],
        tools=[],
        returns="text",
        **BRIEF,
    ),
)
ANSWER = "One import too many, in the first line of app.py: nobody uses it, so take it out."


def crew(asked: Asked) -> Reply:
    said = json.dumps(asked.body["messages"])
    if "The person's goal" in said:
        tasks: list[dict[str, Any]] = [*TASKS]
        if "variable orders" in said:
            sees: tuple[list[str], ...] = (["orders"], [])
            tasks = [{**each, "variables": v} for each, v in zip(TASKS, sees, strict=True)]
        return Reply(text=json.dumps(plan(*tasks)))
    if "Your task, sum-up" in said:
        return Reply(text=ANSWER, piece=12, hold="middle")
    if "answer of read-file" in said:
        claim = {"file": "app.py", "line": 1, "severity": "high", "message": "Nobody uses os."}
        return Reply(text=json.dumps({"summary": "I read app.py.", "claims": [claim]}))
    return Reply(calls=(Call("read-file", '{"path": "app.py"}'),))


@pytest.fixture
def server(desk: Desk) -> Iterator[ModelServer]:
    (desk.jupyter.folder / "home").mkdir(exist_ok=True)
    (desk.jupyter.folder / "home" / "config.toml").write_text(CONFIG)
    (desk.folder / "app.py").write_text("import os\n")
    with ModelServer(crew) as serving:
        yield serving
    (desk.jupyter.folder / "home" / "config.toml").unlink()


def notebook_with_a_model(desk: Desk, server: ModelServer, *cells: str) -> Notebook:
    where = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
    desk.page.set_viewport_size(TALL)
    opened: Notebook = desk.notebook(f"os.environ.update({where!r})", *cells)
    opened.run(1)
    return opened


def shoot(desk: Desk, name: str) -> None:
    """Take a picture in the light and in the dark theme, in which axe finds nothing."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    desk.page.screenshot(path=SHOTS / f"model-{name}.png")
    desk.page.evaluate(THEME, "JupyterLab Dark")
    # Another theme has other colours, and nothing else.
    start(desk.page, OURS, only=OF_COLOURS)
    desk.page.screenshot(path=SHOTS / f"model-{name}-dark.png")
    assert finish(desk.page) == []
    desk.page.evaluate(THEME, "JupyterLab Light")


def test_goal_becomes_a_plan_and_a_result_in_the_notebook(
    desk: Desk, server: ModelServer
) -> None:
    notebook = notebook_with_a_model(
        desk,
        server,
        "%%hyper --budget 0.5\nIs anything unused?",
        "%hyper usage",
        "%hyper quote m-1",
    )
    notebook.run(2)
    expect(notebook.view(2)).to_be_visible()
    notebook.reads(2, "Nothing runs until you approve it")
    notebook.reads(2, "project-strategist with scripted")
    notebook.reads(2, "as the model guessed it")
    notebook.reads(2, "security-engineer with scripted")
    assert violations(desk.page, OURS) == []
    shoot(desk, "plan")
    notebook.press(2, "Approve both tasks")
    desk.comes_to("running", task="sum-up")
    notebook.view(2).get_by_role("tab", name=re.compile("Feed")).click()
    notebook.reads(2, "Writes: One import")
    shoot(desk, "feed")
    server.release()
    desk.comes_to("succeeded")
    expect(notebook.view(2)).to_have_count(0)
    notebook.reads(2, re.compile(r"the tasks \$0\.\d+; quoted: \$0\.\d+ to \$0\.\d+"))
    notebook.reads(2, ANSWER)
    # Two prices in one sentence are no formula.
    expect(notebook.output(2).locator("mjx-container")).to_have_count(0)
    notebook.run(3)
    notebook.reads(3, "Usage by model")
    notebook.run(4)
    notebook.reads(4, "sum-up")
    shoot(desk, "done")
    assert KEY not in json.dumps(notebook.save()["cells"][2:])


def test_model_of_a_task_is_chosen_and_another_one_when_the_money_does_not_last(
    desk: Desk, server: ModelServer
) -> None:
    cell = "%%hyper --budget 0.041\nIs anything unused?"
    notebook = notebook_with_a_model(desk, server, cell)
    notebook.run(2)
    notebook.press(2, "Edit")
    model = notebook.view(2).get_by_label("Model", exact=True)
    begin = ["scripted-mini, cheaper, at", "scripted at", "unpriced at"]
    expect(model.locator("option")).to_contain_text(begin)
    model.select_option("scripted-mini")
    notebook.reads(2, "Save as revision 2")
    assert violations(desk.page, OURS) == []
    shoot(desk, "plan-edit")
    notebook.press(2, "Save as revision 2")
    notebook.reads(2, "security-engineer with scripted-mini")
    notebook.press(2, "Approve both tasks")
    desk.comes_to("paused")
    for way in ("Raise the budget to $0.09", "Finish with what is left"):
        expect(notebook.button(2, way)).to_be_visible()
    notebook.press(2, "Take another model…")
    models = notebook.view(2).get_by_role("combobox", name="Take this model")
    cheaper = re.compile(r"^scripted-mini, cheaper, at \S+: \$0.2 read, \$0.8 written")
    unpriced = "unpriced at localhost:9: cost not known; LOCAL_KEY is not set here"
    expect(models.locator("option")).to_contain_text([cheaper, "scripted at", unpriced])
    assert violations(desk.page, OURS) == []
    shoot(desk, "out-of-money")
    notebook.press(2, "Take this model")
    server.release()
    desk.comes_to("succeeded")
    assert server.asked[-1].body["model"] == "scripted-mini"


def test_what_leaves_and_which_key_is_missing_can_be_read_in_both_themes(
    desk: Desk, server: ModelServer
) -> None:
    cells = (
        "orders = {'price': [2.5, 3.0], 'mail': 'ada@example.org'}",
        "%%hyper --in orders --budget 0.5\nIs anything unused?",
        "%hyper egress m-1",
        "del os.environ['OPENAI_API_KEY']",
    )
    notebook = notebook_with_a_model(desk, server, *cells)
    for index in range(2, 6):
        notebook.run(index)
    notebook.reads(4, "127.0.0.1")
    assert violations(desk.page, OURS) == []
    shoot(desk, "egress")
    notebook.press(3, "Approve both tasks")
    notebook.reads(3, "Needs you: 1 decision")
    shoot(desk, "key-missing")
