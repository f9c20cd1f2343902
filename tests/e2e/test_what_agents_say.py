"""What agents say is text, however hostile and however much."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from hypernb import Plan

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from hypernb.session import Mission
    from tests.e2e.conftest import Desk
    from tests.e2e.notebook import Notebook

EVENTS = 10_000
MISSED = 60
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
    notebook, mission = _feed(desk)
    first = desk.say(mission, ["0"])
    last = desk.say(mission, [str(number) for number in range(1, EVENTS)])
    _has_come_to(notebook, last)
    assert desk.page.evaluate("() => window.seqs") == [*range(first, last + 1)]


def test_tab_that_was_frozen_gets_all_that_it_missed(desk: Desk) -> None:
    notebook, mission = _feed(desk)
    first = desk.say(mission, ["before"])
    _has_come_to(notebook, first)
    browser = desk.page.context.new_cdp_session(desk.page)
    browser.send("Page.setWebLifecycleState", {"state": "frozen"})
    for number in range(MISSED):
        last = desk.say(mission, [f"{number}, line {line}" for line in range(20)])
    browser.send("Page.setWebLifecycleState", {"state": "active"})
    _has_come_to(notebook, last)
    # A picture may take the place of events; the newest of them are in it.
    expect(notebook.view(1)).to_contain_text(f"{MISSED - 1}, line 19")
    arrived = desk.page.evaluate("() => window.seqs")
    assert arrived == sorted(arrived)


def _feed(desk: Desk) -> tuple[Notebook, Mission]:
    """Propose a mission, show its feed, and gather what comes to the page of it."""
    mission = desk.propose(Plan("Say much").add("say", len, "x"))
    notebook = desk.notebook(
        'from hypernb.widgets import MissionView\nMissionView("m-1", tab="feed")'
    )
    notebook.run(1)
    expect(notebook.view(1)).to_be_visible()
    desk.page.evaluate(GATHER)
    return notebook, mission


def _has_come_to(notebook: Notebook, seq: int) -> None:
    included = re.compile(f"^{seq}$")
    expect(notebook.view(1)).to_have_attribute("data-seq", included, timeout=40_000)
