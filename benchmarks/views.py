"""How soon a commit is seen in a notebook, and how smooth a large graph is, in a real browser.

JupyterLab runs on a free port, Chromium shows a mission's view, and this process commits as a
runner would while the mission is under way. Browser and process share a machine, so their
clocks are compared once and a commit's age is taken when the page's DOM says that it has it.

Prints JSON: each figure beside what is asked for (`ASKED`), and how busy the machine was. What
else it does takes a part of every figure: give all of this a higher priority, also the sessions
that Jupyter opens for its kernels.

Run: ``python benchmarks/views.py [commits]``.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from in_jupyter import ahead_ms, in_jupyter  # noqa: E402

from hypernb import Plan, Session  # noqa: E402
from tests.e2e.events import append_notes  # noqa: E402
from tests.e2e.notebook import Notebook, write_notebook  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Locator, Page, ViewportSize

    from hypernb.session import Mission
    from tests.e2e.jupyter import Jupyter

ASKED = {
    "commit_to_dom_idle_ms": "p95 50",
    "commit_to_dom_busy_ms": "p95 50",
    "burst": "10,000 events, whole and in order",
    "click_to_store_busy_ms": "p95 200",
    "first_paint_ms": "300",
    "graph_first_paint_ms": "p95 150, 10,000 tasks",
    "graph_frame_ms": "p95 17, while 100 tasks change in each",
    "bundle_kb": "hypernb.js 200",
    "reckoning_ms": "filter of 100,000 events 100",
}
COMMITS = 200
BURST = 10_000
CLICKS = 21
VIEWS = 5
GRAPH = 10_000
PAINTS = 10
GRAPH_SIZE: ViewportSize = {"width": 1300, "height": 900}
CHANGED = 100
FRAMES = 120
WITHIN_MS = 60_000

LOAD = 'import os\nos.environ["HYPERNB_DB"] = {database!r}\n%load_ext hypernb\nimport hypernb'
VIEW = 'from hypernb.widgets import MissionView\nMissionView("m-1", tab="feed")'
COMPUTE = """
import time
until = time.monotonic() + 10
while time.monotonic() < until:
    sum(range(2_000))
"""

# Notes when the page's DOM first includes an event, and which events its messages carried.
WATCH = """() => {
  const view = document.querySelector(".jp-Notebook .hypernb .mission");
  window.seen = [];
  window.seqs = [];
  const now = () => performance.timeOrigin + performance.now();
  const note = () => window.seen.push([Number(view.dataset.seq), now()]);
  new MutationObserver(note).observe(view, { attributes: true, attributeFilter: ["data-seq"] });
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  kernel.iopubMessage.connect((_, { header, content }) => {
    const told = content?.data?.content;
    if (header.msg_type !== "comm_msg" || told?.type !== "batch") return;
    window.seqs.push(...told.events.map((event) => event.seq));
  });
}"""
# From the message that opens a view's comm to the view in the DOM.
OPENING = """() => {
  window.opened = null;
  window.painted = null;
  window.turn = (window.turn ?? 0) + 1;
  const turn = window.turn;
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const views = () => document.querySelectorAll(".hypernb .mission").length;
  const before = views();
  kernel.iopubMessage.connect((_, { header, content }) => {
    const isView = content?.data?.state?._model_module === "anywidget";
    if (turn !== window.turn) return;
    if (header.msg_type === "comm_open" && isView) window.opened ??= performance.now();
  });
  const look = () => {
    if (turn === window.turn && window.painted === null && views() > before) {
      requestAnimationFrame(() => requestAnimationFrame(() => {
        window.painted ??= performance.now();
      }));
    }
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}"""
# From the arrival of the data to the frame that shows the graph; the view measures it itself.
PAINTED = "() => performance.getEntriesByName('hypernb:graph-painted').at(-1)?.duration ?? null"
GRAPH_FRAMES = """async ([size, frames, changed]) => {
  const states = ["running", "succeeded", "failed", "ready"];
  const at = new Date().toISOString();
  const took = [];
  let last = await new Promise(requestAnimationFrame);
  for (let frame = 0; frame < frames; frame += 1) {
    const tasks = Array.from({ length: changed }, (_, n) => {
      const number = (frame * changed + n) % size;
      return {
        id: `L${number}`, number: number + 1, name: `task-${number}`, agent: "qa-engineer",
        state: states[(frame + n) % states.length], attempt: 1, ready_at: at, started_at: at,
        finished_at: null, heartbeat_at: null, pid: 1, note: "", error: "", outcome: "",
        findings: 0, worked_s: 1, cost: 0, tokens: 0, has_output: false,
      };
    });
    window.model.say({
      type: "batch", n: frame + 2, from_seq: 0, seq: 1_000_000 + frame, now: at, tasks,
      attempts: [], events: [], total_events: 0,
    });
    const now = await new Promise(requestAnimationFrame);
    took.push(now - last);
    last = now;
  }
  return took;
}"""


def main() -> None:
    """Measure everything, and print it."""
    commits = int(sys.argv[1]) if len(sys.argv) > 1 else COMMITS
    load_before = os.getloadavg()
    with in_jupyter() as (browser, jupyter):
        graphs = [browser.new_page(viewport=GRAPH_SIZE) for _ in range(PAINTS)]
        figures = {"bundle_kb": _bundle(), **_graph(graphs)}
        figures["reckoning_ms"] = _reckoning(graphs[0])
        for graph in graphs:
            graph.close()
        page = browser.new_page(viewport={"width": 1300, "height": 1400})
        figures |= _in_a_notebook(page, jupyter, commits)
    found = {name: {"asked": ASKED[name], **figures[name]} for name in ASKED}
    load = {"before": load_before, "after": os.getloadavg(), "cores": os.cpu_count()}
    print(json.dumps({**found, "load": load}, indent=2))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _bundle() -> dict[str, float]:
    static = ROOT / "hypernb" / "widgets" / "static"
    return {
        name: round((static / name).stat().st_size / 1000, 1)
        for name in ("hypernb.js", "hypernb.css")
    }


def _in_a_notebook(page: Page, jupyter: Jupyter, commits: int) -> dict[str, Any]:
    database = jupyter.root / "bench.db"
    jupyter.root.mkdir(parents=True, exist_ok=True)
    with Session(database, root=jupyter.root) as session:
        mission = session.start(Plan("Measure").add("work", _wait, str(jupyter.root / "end")))
        views = ["MissionView('m-1')"] * VIEWS
        write_notebook(
            jupyter.root / "bench.ipynb",
            LOAD.format(database=str(database)),
            VIEW,
            COMPUTE,
            *views,
        )
        notebook = Notebook(page, jupyter, "bench.ipynb").open()
        notebook.run(0)
        first = _open_view(notebook, 1)
        found: dict[str, Any] = {}
        _say("measuring: clicks")
        found["click_to_store_busy_ms"] = _clicks(notebook, mission)
        _until_done(notebook)
        page.evaluate(WATCH)
        skew = ahead_ms(page)
        _say("measuring: commits, idle")
        found["commit_to_dom_idle_ms"] = _latency(page, mission, commits, skew)
        _say("measuring: commits, busy")
        notebook.run(2, wait=False)
        found["commit_to_dom_busy_ms"] = _latency(page, mission, commits, skew)
        found["commit_to_dom_busy_ms"]["was_busy"] = notebook.is_running(2)
        _until_done(notebook)
        _say("measuring: a burst")
        found["burst"] = _burst(page, mission)
        _say("measuring: opening views")
        later = [_open_view(notebook, index) for index in range(3, 3 + VIEWS)]
        found["first_paint_ms"] = {"first": first, "later": _spread(later)}
        (jupyter.root / "end").touch()
        session.stop()
        return found


def _wait(path: str) -> None:
    while not Path(path).exists():
        threading.Event().wait(0.05)


def _open_view(notebook: Notebook, index: int) -> float:
    notebook.page.evaluate(OPENING)
    notebook.run(index)
    notebook.page.wait_for_function("() => window.painted !== null", timeout=WITHIN_MS)
    took: float = notebook.page.evaluate("() => window.painted - window.opened")
    return round(took, 1)


def _latency(page: Page, mission: Mission, commits: int, skew: float) -> dict[str, Any]:
    rng = random.Random(7)  # noqa: S311 - the same pauses each time
    waiter = threading.Event()
    page.evaluate("() => { window.seen.length = 0 }")
    committed = {}
    for number in range(commits):
        waiter.wait(rng.uniform(0.01, 0.05))
        seq = append_notes(mission, [f"step {number}"])
        committed[seq] = time.time() * 1000
    _until_seen(page, max(committed))
    seen = page.evaluate("() => window.seen")
    late = [
        next(at for included, at in seen if included >= seq) - skew - at_commit
        for seq, at_commit in committed.items()
    ]
    return _spread(late)


def _burst(page: Page, mission: Mission) -> dict[str, Any]:
    page.evaluate("() => { window.seqs.length = 0 }")
    began = time.monotonic()
    first = append_notes(mission, ["0"])
    last = append_notes(mission, [str(number) for number in range(1, BURST)])
    _until_seen(page, last)
    took = time.monotonic() - began
    arrived = page.evaluate("() => window.seqs")
    return {
        "events": BURST,
        "in_dom_s": round(took, 2),
        "arrived": len(set(arrived)),
        "whole_and_in_order": arrived == [*range(first, last + 1)],
    }


def _clicks(notebook: Notebook, mission: Mission) -> dict[str, Any]:
    """Press Approve, then Pause and Resume in turn, while a cell computes."""
    late = []
    for number in range(CLICKS):
        if not notebook.is_running(2):
            notebook.run(2, wait=False)
        name = "Approve" if number == 0 else ("Pause", "Resume")[(number + 1) % 2]
        button = _button(notebook, name)
        expect(button).to_be_enabled(timeout=WITHIN_MS)
        handle = button.element_handle()
        began = time.monotonic()
        handle.evaluate("(element) => element.click()")
        _until_stored(mission, name, began)
        late.append((time.monotonic() - began) * 1000)
        after = "Resume" if name == "Pause" else "Pause"
        expect(_button(notebook, after)).to_be_enabled(timeout=WITHIN_MS)
    return _spread(late)


def _button(notebook: Notebook, name: str) -> Locator:
    if name == "Approve":
        return notebook.button(1, name)
    # The feed can be paused as well, and is what this view shows.
    return notebook.output(1).locator(".stateline").get_by_role("button", name=name)


def _until_stored(mission: Mission, name: str, began: float) -> None:
    """Wait until the store has a click: a command, or what came of it."""
    store, waiter = mission.session.store, threading.Event()
    state = mission.state
    while time.monotonic() < began + WITHIN_MS / 1000:
        approved = name == "Approve" and not mission.needs_approval
        if approved or store.commands() or mission.state is not state:
            return
        waiter.wait(0.001)
    raise RuntimeError(f"{name} did not reach the store.")


def _build_page() -> None:
    npm = ["npm", "run", "--silent", "dev"]
    subprocess.run(npm, cwd=ROOT / "widgets", check=True, stdout=subprocess.DEVNULL)


def _reckoning(page: Page) -> dict[str, float]:
    """Measure what views reckon before they draw; see ``widgets/dev/reckoning.ts``."""
    page.goto((ROOT / "widgets/dev/dev.html").as_uri())
    found: dict[str, float] = page.evaluate("() => window.reckoning()")
    return found


def _graph(pages: Sequence[Page]) -> dict[str, Any]:
    """Paint the graph in pages that have run nothing yet, and let it change in the last."""
    _build_page()
    address = f"{(ROOT / 'widgets/dev/dev.html').as_uri()}?view=graph&size={GRAPH}"
    paints = []
    for page in pages:
        page.bring_to_front()
        page.goto(address)
        page.wait_for_function(f"() => ({PAINTED})() !== null", timeout=WITHIN_MS)
        paints.append(page.evaluate(PAINTED))
    frames = pages[-1].evaluate(GRAPH_FRAMES, [GRAPH, FRAMES, CHANGED])
    return {"graph_first_paint_ms": _spread(paints), "graph_frame_ms": _spread(frames)}


def _until_seen(page: Page, seq: int) -> None:
    page.wait_for_function(
        "seq => document.querySelector('.jp-Notebook .hypernb .mission').dataset.seq >= seq",
        arg=seq,
        timeout=WITHIN_MS,
    )


def _until_done(notebook: Notebook) -> None:
    expect(notebook.cell(2).locator(".jp-InputPrompt")).not_to_have_text(
        "[*]:", timeout=WITHIN_MS
    )


def _spread(values: Sequence[float]) -> dict[str, Any]:
    ordered = sorted(values)
    return {
        "p50": round(statistics.median(ordered), 1),
        "p95": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 1),
        "max": round(ordered[-1], 1),
        "count": len(ordered),
    }


if __name__ == "__main__":
    main()
