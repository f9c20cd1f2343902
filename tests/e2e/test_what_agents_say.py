"""What agents say is text, however hostile and however much."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from hypernb import Plan

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.e2e.conftest import Desk

EVENTS = 10_000
HOSTILE = (
    "<script>window.caught=1</script>",
    "<img src=x onerror=window.caught=2>",
    "[click](javascript:window.caught=3)",
    "\x1b[31mred\x1b[0m",
    "a\u202egpj.exe",
    "zero\u200bwidth",
    '"><svg onload=window.caught=4>',
    "W" * 99_000,
)
# Every event of a mission that reaches the page, in the order in which it does.
GATHER = """() => {
  window.seqs = [];
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  kernel.iopubMessage.connect((_, message) => {
    const content = message.content?.data?.content;
    if (message.header.msg_type !== "comm_msg" || content?.type !== "batch") return;
    window.seqs.push(...content.events.map((event) => event.seq));
  });
}"""


def test_hostile_strings_are_shown_as_text(desk: Desk) -> None:
    plan = Plan(" ".join(HOSTILE))
    for number, text in enumerate(HOSTILE):
        plan.add(f"task-{number}", len, "x", goal=text)
    desk.say(desk.propose(plan), HOSTILE)
    notebook = desk.notebook('from hypernb.widgets import MissionView\nMissionView("m-1")')
    notebook.run(1)
    view = notebook.view(1)
    expect(view).to_contain_text("<script>window.caught=1</script>")
    for tab in view.get_by_role("tab").all():
        tab.click()
        _is_harmless(view)
    assert desk.page.evaluate("() => window.caught") is None


def _is_harmless(view: Locator) -> None:
    assert view.locator("script, img[onerror], svg[onload], a[href^=javascript]").count() == 0
    assert view.evaluate("each => each.scrollWidth - each.clientWidth") <= 1


def test_burst_arrives_whole_and_in_order(desk: Desk) -> None:
    mission = desk.propose(Plan("Say much").add("say", len, "x"))
    notebook = desk.notebook(
        'from hypernb.widgets import MissionView\nMissionView("m-1", tab="feed")'
    )
    notebook.run(1)
    expect(notebook.view(1)).to_be_visible()
    desk.page.evaluate(GATHER)
    first = desk.say(mission, ["0"])
    last = desk.say(mission, [str(number) for number in range(1, EVENTS)])
    view = notebook.view(1)
    expect(view).to_have_attribute("data-seq", re.compile(f"^{last}$"), timeout=40_000)
    # What was told twice, because a view had asked again, changes nothing in it.
    arrived = dict.fromkeys(desk.page.evaluate("() => window.seqs"))
    assert [*arrived] == [*range(first, last + 1)]
