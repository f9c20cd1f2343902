"""How soon the first words of a model's answer are in a notebook, in a real browser.

JupyterLab runs on a free port and Chromium shows the feed of a mission whose agent asks a
scripted server of the tests; server, runner, worker, kernel and browser are processes of their
own on one machine, so their clocks can be compared. The agent asks, is told to call a tool,
asks again ... An answer's first piece is followed from the server's socket to the page:

* the server hands it to its socket;
* the runner's thread for models has it;
* the event that tells of it is committed;
* the feed in the page shows it.

Once while the kernel is idle and once while a cell computes, from a server that answers at
once and from one that takes its time, as models do. If it does not, what is told of the call
before its answer is on its way to the page too.

Asked for: 60 ms for 95 of 100, from a server that answers at once.
Run: ``python benchmarks/streaming.py [calls]``.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hypernb.engine.__main__ import main as run_runner  # noqa: E402
from hypernb.engine._streaming import Stream  # noqa: E402
from hypernb.model import AgentWork, ModelSpec, PlanSpec, Price, TaskSpec  # noqa: E402
from hypernb.store import SqlStore  # noqa: E402
from tests.model_server import Call, ModelServer, Reply, says  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Page

    from tests.e2e.notebook import Notebook
    from tests.model_server import Asked

CALLS = 100
ASKED_MS = 60.0
THINKS_S = 0.2
WITHIN_MS = 120_000
TIMED_OUT_S = 3_600.0
WORDS = " tells of a line of the file, and what it may mean for all the others." * 3
FIRST = re.compile(r"Answer (\d{5})")


@dataclass(frozen=True)
class Round:
    """Under what circumstances pieces are followed; each is a task of the mission."""

    name: str
    pause_s: float
    computes: bool


ROUNDS = (
    Round("idle kernel, answered at once", 0.0, computes=False),
    Round("idle kernel, answered after a while", THINKS_S, computes=False),
    Round("a cell computes, answered at once", 0.0, computes=True),
    Round("a cell computes, answered after a while", THINKS_S, computes=True),
)

LOAD = 'import os\nos.environ["HYPERNB_DB"] = {database!r}\n%load_ext hypernb'
VIEW = 'from hypernb.widgets import MissionView\nMissionView("m-1", tab="feed")'
COMPUTE = """
import time
from pathlib import Path
while not Path({end!r}).exists():
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        sum(range(2_000))
"""
# Notes when the DOM of the feed first has the first piece of an answer, by its number.
WATCH = r"""() => {
  const view = document.querySelector(".jp-Notebook .hypernb .mission");
  window.pieces = {};
  const note = () => {
    const now = performance.timeOrigin + performance.now();
    for (const [, number] of view.textContent.matchAll(/Writes: Answer (\d{5})/g)) {
      window.pieces[Number(number)] ??= now;
    }
  };
  const everything = { childList: true, subtree: true, characterData: true };
  new MutationObserver(note).observe(view, everything);
}"""


# -- the server -----------------------------------------------------------------------------


def serve(calls: int) -> None:
    """Be the server: begin a round with each line that comes, and print what was sent when."""
    begins = threading.Semaphore(0)
    waiter = threading.Event()

    def script(asked: Asked) -> Reply:
        turn, step = divmod(asked.number, calls)
        if step == 0:
            begins.acquire()
        waiter.wait(ROUNDS[turn].pause_s)
        text = f"Answer {asked.number:05}:{WORDS}"
        if step == calls - 1:
            return says(text)
        look = Call("read-file", json.dumps({"path": "story.txt", "first_line": step + 1}))
        return Reply(text=text, calls=(look,))

    with ModelServer(script) as server:
        print(server.url, flush=True)
        for _ in sys.stdin:
            begins.release()
        # The first part says only who speaks.
        print(json.dumps([asked.sent_at[1] for asked in server.asked if asked.is_answered]))


# -- the runner -----------------------------------------------------------------------------


def run(store: str, notes: str) -> int:
    """Be a runner that notes when it has a piece, and when that is committed."""
    take, commit = Stream.take, SqlStore.commit
    with Path(notes).open("w", buffering=1) as file:

        def note(what: str, text: str) -> None:
            now = time.time()
            if found := FIRST.search(text):
                file.write(f"{what} {int(found[1])} {now}\n")

        def noted_take(self: Stream, piece: str) -> None:
            note("had", piece)
            take(self, piece)

        def noted_commit(self: SqlStore, *args: Any, **more: Any) -> int:
            seq = commit(self, *args, **more)
            for change in args[2]:
                if change.kind == "llm.streamed":
                    note("committed", str(change.payload["text"]))
            return seq

        Stream.take, SqlStore.commit = noted_take, noted_commit  # type: ignore[method-assign]
        return run_runner(["--store", store])


# -- what is measured -----------------------------------------------------------------------


@dataclass
class Times:
    """When each piece was where, by its number; in milliseconds of one clock."""

    sent: dict[int, float] = field(default_factory=dict)
    had: dict[int, float] = field(default_factory=dict)
    committed: dict[int, float] = field(default_factory=dict)
    seen: dict[int, float] = field(default_factory=dict)

    def read(self, notes: Path) -> None:
        """Take what a runner has noted."""
        for line in notes.read_text().splitlines():
            what, number, at = line.split()
            getattr(self, what).setdefault(int(number), float(at) * 1_000)


@contextmanager
def _process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, __file__, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _plan(url: str, root: Path, calls: int) -> PlanSpec:
    (root / "story.txt").write_text("".join(f"Line {n} of a story.\n" for n in range(calls)))
    work = AgentWork(
        model="default",
        tools=("read-file",),
        returns="text",
        steps=calls + 2,
        calls=calls + 2,
        tokens=2**40,
    )
    tasks = [
        TaskSpec(
            name=f"round-{number}",
            needs=(f"round-{number - 1}",) if number else (),
            agent="writer",
            goal=each.name,
            work=work,
            scope=("**",),
            timeout_s=TIMED_OUT_S,
        )
        for number, each in enumerate(ROUNDS)
    ]
    # What it may cost is reserved for each call, as for people's missions.
    spec = ModelSpec(name="scripted", base_url=url, price=Price(input=1.0, output=10.0))
    return PlanSpec(
        goal="Tell of a story",
        root=str(root),
        tasks=tuple(tasks),
        models={"default": spec},
        budget=1e6,
    )


def main() -> None:
    """Follow pieces through all rounds, and print how long they took."""
    from in_jupyter import in_jupyter

    calls = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    load = os.getloadavg()
    with in_jupyter() as (browser, jupyter):
        page = browser.new_page(viewport={"width": 1300, "height": 1400})
        times = _measure(page, jupyter, calls)
    print(f"{calls} first pieces a round, load average {load[0]:.1f} before; milliseconds")
    for number, each in enumerate(ROUNDS):
        _show(each, times, range(number * calls, (number + 1) * calls))


def _measure(page: Page, jupyter: Any, calls: int) -> Times:
    from in_jupyter import ahead_ms

    from tests.e2e.notebook import Notebook, write_notebook

    root, times = jupyter.root, Times()
    database, end, notes = root / "bench.db", root / "end", root / "notes.txt"
    with _process("--serve", str(calls)) as server:
        store = SqlStore(database)
        mission = store.create_mission(_plan(_line(server), root, calls), by="bench")
        cells = LOAD.format(database=str(database)), VIEW, COMPUTE.format(end=str(end))
        write_notebook(root / "bench.ipynb", *cells)
        notebook = Notebook(page, jupyter, "bench.ipynb").open()
        notebook.run(0)
        notebook.run(1)
        page.wait_for_selector(".jp-Notebook .hypernb .mission", timeout=WITHIN_MS)
        page.evaluate(WATCH)
        with _process("--run", store.url, str(notes)):
            _until_there(store)
            store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="bench")
            ahead = ahead_ms(page)
            for number, each in enumerate(ROUNDS):
                _go_through(each, (number + 1) * calls - 1, server, notebook, end)
            _until_ended(store)
        store.close()
        times.read(notes)
        sent = json.loads(server.communicate(timeout=60)[0])
    times.sent = {number: at * 1_000 for number, at in enumerate(sent)}
    seen = page.evaluate("() => window.pieces")
    times.seen = {int(number): at - ahead for number, at in seen.items()}
    return times


def _go_through(
    each: Round, last: int, server: subprocess.Popen[str], notebook: Notebook, end: Path
) -> None:
    print(f"measuring: {each.name}", file=sys.stderr, flush=True)
    if each.computes:
        end.unlink(missing_ok=True)
        notebook.run(2, wait=False)
    if server.stdin is not None:
        server.stdin.write("\n")
        server.stdin.flush()
    page = notebook.page
    page.wait_for_function("last => last in window.pieces", arg=last, timeout=WITHIN_MS)
    if each.computes:
        if not notebook.is_running(2):
            raise SystemExit("The cell was to compute all the time, and has ended.")
        end.touch()
        page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget.sessionContext"
            ".session.kernel.status === 'idle'",
            timeout=WITHIN_MS,
        )


def _line(process: subprocess.Popen[str]) -> str:
    return process.stdout.readline().strip() if process.stdout else ""


def _until_there(store: SqlStore) -> None:
    _until(lambda: bool(store.leases("runner:")), "No runner came up.")


def _until_ended(store: SqlStore) -> None:
    """Let the mission end by itself: what it still does would take from what comes next."""
    _until(lambda: all(m.state.is_final for m in store.missions()), "The mission did not end.")


def _until(is_so: Any, otherwise: str) -> None:
    waiter, until = threading.Event(), time.monotonic() + WITHIN_MS / 1_000
    while not is_so():
        if time.monotonic() > until:
            raise SystemExit(otherwise)
        waiter.wait(0.05)


def _show(each: Round, times: Times, numbers: Sequence[int]) -> None:
    ways = {
        "from the server to the runner": (times.sent, times.had),
        "from there to the commit": (times.had, times.committed),
        "from there to the page": (times.committed, times.seen),
    }
    late = _took(times.sent, times.seen, numbers)
    if not late:
        raise SystemExit(f"{each.name}: no piece was seen.")
    met = "" if each.pause_s else f" (asked: {ASKED_MS:g} for 95 of 100: {_met(late)})"
    print(f"{each.name}, {len(late)} seen: {_figures(late)}{met}")
    for way, (began, ended) in ways.items():
        print(f"  {way}: {_figures(_took(began, ended, numbers))}")


def _took(
    began: dict[int, float], ended: dict[int, float], numbers: Sequence[int]
) -> list[float]:
    return [ended[n] - began[n] for n in numbers if n in began and n in ended]


def _met(late: list[float]) -> str:
    return "met" if _share(late) <= ASKED_MS else "missed"


def _figures(took: list[float]) -> str:
    return f"{statistics.median(took):.1f} in the median, {_share(took):.1f} for 95 of 100"


def _share(took: list[float]) -> float:
    return sorted(took)[min(len(took) - 1, int(len(took) * 0.95))]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]))
    elif sys.argv[1:2] == ["--run"]:
        sys.exit(run(*sys.argv[2:4]))
    else:
        main()
