"""A view and the notebook around it: files, shortcuts, and what a view leaves behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from playwright.sync_api import expect

from hypernb import Plan
from tests.e2e.looks import DEV, Look, show

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.e2e.browser import Chrome
    from tests.e2e.conftest import Desk

VIEW: Final = 'from hypernb.widgets import MissionView\nMissionView("m-1")'
FIND: Final = """
def find():
    return [
        hypernb.Finding(
            file="src/app.py", line=12, category="lint", rule="F821", severity="high",
            message="No such name.", tool="by hand",
        )
    ]

session = hypernb.Session(root={root!r})
session.start(hypernb.Plan("Find").add("find", find), approve=True).wait()
"""
RESULT: Final = 'from hypernb.widgets import ResultView\nResultView("m-1")'
_LINE: Final = """() => {
  const editor = window.jupyterapp.shell.currentWidget?.content?.editor;
  if (!editor) return null;
  return [editor.getCursorPosition().line, editor.model.sharedModel.getSource()];
}"""
# What a page keeps for longer than its elements: listeners of window and document, intervals,
# observers. Only those of a view's own code, which comes from a blob in JupyterLab.
COUNT: Final = """(ours) => {
  const kept = { listeners: 0, timers: 0, observers: 0 };
  const long = (target) => target === window || target === document || target === document.body
    || target instanceof MediaQueryList;
  const isOurs = () => (new Error().stack ?? "").includes(ours);
  const known = new Map();
  const key = (target, type, listener) => {
    const types = known.get(target) ?? known.set(target, new Map()).get(target);
    return types.get(type) ?? types.set(type, new Set()).get(type);
  };
  const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (type, listener, ...rest) {
    const target = this ?? window;
    if (listener && long(target) && isOurs()) {
      const of = key(target, type);
      if (!of.has(listener)) { of.add(listener); kept.listeners += 1; }
    }
    return add.call(target, type, listener, ...rest);
  };
  EventTarget.prototype.removeEventListener = function (type, listener, ...rest) {
    const target = this ?? window;
    if (long(target) && key(target, type).delete(listener)) kept.listeners -= 1;
    return remove.call(target, type, listener, ...rest);
  };
  const timers = new Set();
  const { setInterval: begin, clearInterval: end } = window;
  window.setInterval = (...args) => {
    const timer = begin(...args);
    if (isOurs()) timers.add(timer);
    kept.timers = timers.size;
    return timer;
  };
  window.clearInterval = (timer) => {
    timers.delete(timer);
    kept.timers = timers.size;
    end(timer);
  };
  for (const name of ["ResizeObserver", "IntersectionObserver", "MutationObserver"]) {
    window[name] = class extends window[name] {
      observe(...args) {
        if (!this.counted && isOurs()) { this.counted = true; kept.observers += 1; }
        return super.observe(...args);
      }
      disconnect() {
        if (this.counted) { this.counted = false; kept.observers -= 1; }
        return super.disconnect();
      }
    };
  }
  window.kept = kept;
}"""
NOTHING_IS_KEPT: Final = """() => document.querySelector(".hypernb") === null
  && Object.values(window.kept).every((many) => many === 0)"""
TIMES: Final = 100


def test_finding_opens_its_file_at_its_line(desk: Desk) -> None:
    source = [f"line_{number} = {number}" for number in range(1, 41)]
    (desk.folder / "src").mkdir()
    (desk.folder / "src" / "app.py").write_text("\n".join(source))
    notebook = desk.notebook(FIND.format(root=str(desk.folder)), RESULT)
    notebook.run(1)
    desk.comes_to("succeeded")
    view = notebook.run(2)
    view.get_by_role("button", name=re.compile("app.py:12")).first.click(timeout=15_000)
    desk.page.wait_for_function(f"() => ({_LINE})()?.[0] === 11", timeout=15_000)
    assert desk.page.evaluate(_LINE) == [11, "\n".join(source)]


def test_keys_pressed_in_a_view_are_no_commands_of_the_notebook(desk: Desk) -> None:
    desk.propose(Plan("Count").add("count", len, "fruit"))
    notebook = desk.notebook(VIEW)
    notebook.run(1)
    button = notebook.button(1, "Edit")
    expect(button).to_be_visible(timeout=15_000)
    cells = desk.page.locator(".jp-Notebook .jp-Cell").count()
    button.focus()
    for key in ("a", "b", "x", "m", "d", "d", "z", "c", "v", "ArrowDown", "j"):
        desk.page.keyboard.press(key)
    assert desk.page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert desk.page.locator(".jp-MarkdownCell").count() == 0
    expect(button).to_be_focused()
    # What goes with Ctrl is for the notebook as a whole.
    desk.page.keyboard.press("ControlOrMeta+s")
    desk.page.keyboard.press("a")
    assert desk.page.locator(".jp-Notebook .jp-Cell").count() == cells
    desk.page.keyboard.press("Enter")
    expect(notebook.view(1).get_by_role("button", name="Add a task")).to_be_visible()


def test_views_that_come_and_go_leave_nothing_on_a_page(chrome: Chrome) -> None:
    page = chrome.context().new_page()
    page.add_init_script(f"({COUNT})('/dev.js')")
    page.goto(DEV.as_uri())
    for view in ("mission", "plan", "graph", "feed", "timeline", "result", "history"):
        page.evaluate(
            """([query, times]) => {
              for (let turn = 0; turn < times; turn += 1) window.showView(query);
            }""",
            [f"view={view}&state=awaiting_approval", TIMES],
        )
        show(page, Look(f"view={view}&state=running"))
        assert page.locator(".hypernb").count() == 1
        page.evaluate("() => window.takeAway()")
        page.wait_for_function(NOTHING_IS_KEPT, timeout=10_000)


def test_views_that_come_and_go_leave_nothing_in_a_notebook(desk: Desk) -> None:
    desk.page.add_init_script(f"({COUNT})('blob:')")
    desk.propose(Plan("Count").add("count", len, "fruit"))
    show_again = (
        "from hypernb.widgets import MissionView\n"
        "if 'view' in globals(): view.close()\n"
        'view = MissionView("m-1")\nview'
    )
    count = (
        "import threading, comm\n"
        "print('kept', threading.active_count(), len(comm.get_comm_manager().comms))"
    )
    notebook = desk.notebook(show_again, count)
    found = []
    for times in (2, 20):
        for _ in range(times):
            notebook.run(1)
            expect(notebook.view(1)).to_have_count(1)
        expect(notebook.view(1)).to_be_visible()
        notebook.run(2)
        notebook.reads(2, re.compile(r"kept \d+ \d+"))
        found.append((_kept(desk.page), notebook.output(2).inner_text()))
    assert found[0] == found[1]


@pytest.mark.parametrize("made", ['MissionView("m-1")', "History()"])
def test_a_closed_view_leaves_a_page_in_its_place(desk: Desk, made: str) -> None:
    desk.propose(Plan("Count").add("count", len, "fruit"))
    what = f"from hypernb.widgets import History, MissionView\nview = {made}\nview"
    notebook = desk.notebook(what, "view.close()")
    expect(notebook.run(1)).to_be_visible(timeout=15_000)
    notebook.run(2)
    notebook.reads(1, "shows it live again.")
    expect(notebook.view(1)).to_have_count(0)


def _kept(page: Page) -> dict[str, Any]:
    kept: dict[str, Any] = page.evaluate("() => window.kept")
    return kept
