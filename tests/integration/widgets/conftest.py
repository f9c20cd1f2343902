"""Real kernels that show a mission, and the page that takes what they send."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.manager import KernelManager

from hypernb.model import MissionState, RunnerId
from hypernb.store import SqlStore
from tests.by_hand import plan_of, take_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEADLINE_S = 60
ROOT = Path(__file__).parents[3]
# The page needs no module: it is Python. So these tests run where views were not built.
SHOW = """
import hypernb, hypernb.widgets._widget as _widget
_widget.built = lambda name: ""
from hypernb.widgets import MissionView
mission = hypernb.Session({store!r}).mission(1)
view = MissionView(mission)
view
"""
# Pure Python that never waits: nobody else gets the interpreter but by turns.
COMPUTE = """
import time
print("computing", flush=True)
_until = time.monotonic() + {seconds}
while time.monotonic() < _until:
    sum(i * i for i in range(1000))
"""


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - real kernels have real time


class Runner:
    """What holds the store and its mission, so that nobody starts another runner."""

    def __init__(self, store: SqlStore, *names: str) -> None:
        self.store = store
        self.mission = store.create_mission(plan_of(*(names or ("a", "b"))), by="ada@here")
        self._ttl = timedelta(hours=1)
        facts = {"pid": os.getpid()}
        assert store.take_lease("runner:test", RunnerId("r-1"), self._ttl, facts)
        self._first = next(each.name for each in store.tasks(self.mission.id))

    def approve(self) -> None:
        record = self.mission
        self.store.approve(record.id, revision=1, plan_hash=record.plan_hash, by="ada@here")

    def begin(self) -> None:
        """Take the mission up, and run its first task."""
        self._underway = under = take_up(self.store, self.mission, now, ttl=self._ttl)
        started = under.change("mission.started", mission_state=MissionState.RUNNING)
        under.commit(started, under.ready(self._first), under.start(self._first))

    def progress(self, *notes: str) -> int:
        under = self._underway
        return under.commit(
            *(
                under.change(
                    "task.progressed", self._first, attempt=1, payload={"note": note}, note=note
                )
                for note in notes
            )
        )


@dataclass
class Page:
    """A kernel, and a front end that speaks to it as JupyterLab does.

    Attributes:
        subshell: Id of the subshell that it speaks on; empty for the main shell.
        said: What the view was sent, in order.
    """

    folder: Path
    python_path: str = ""
    subshell: str = ""
    comm: str = ""
    acknowledges: bool = True
    said: list[dict[str, Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    idle: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3")
        kept = {name: value for name, value in os.environ.items() if name != "HYPERNB_RUNNER"}
        path = os.pathsep.join(filter(None, [self.python_path, str(ROOT)]))
        env = {**kept, "HYPERNB_HOME": str(self.folder), "PYTHONPATH": path}
        quiet = subprocess.DEVNULL
        self.manager.start_kernel(env=env, cwd=str(self.folder), stdout=quiet, stderr=quiet)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=DEADLINE_S)

    # -- saying -------------------------------------------------------------------------

    def use_a_subshell(self) -> None:
        self.client.control_channel.send(self.client.session.msg("create_subshell_request"))
        reply = self.client.control_channel.get_msg(timeout=DEADLINE_S)
        self.subshell = reply["content"]["subshell_id"]

    def execute(self, code: str) -> str:
        """Have a cell run; returns at once."""
        return str(self.client.execute(code))

    def run(self, code: str) -> None:
        """Have a cell run to its end."""
        wanted = self.execute(code)
        self.until(lambda: wanted in self.idle, "the end of the cell")

    def show(self, store: str) -> dict[str, Any]:
        """Have the mission shown; return the picture that the view begins with."""
        self.run(SHOW.format(store=store))
        self.tell({"type": "hello", "front_end": "a test"})
        return self.of("picture")

    def tell(self, content: dict[str, Any]) -> None:
        data = {"method": "custom", "content": content}
        message = self.client.session.msg("comm_msg", {"comm_id": self.comm, "data": data})
        if self.subshell:
            message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)

    def ask(self, number: int, verb: str, **args: Any) -> None:
        self.tell({"type": "ask", "id": number, "verb": verb, "args": args})

    # -- hearing ------------------------------------------------------------------------

    def take(self, timeout_s: float = 0.02) -> None:
        """Take the next message of the kernel's, if there is one."""
        if not self.client.iopub_channel.socket.poll(int(timeout_s * 1000)):
            return
        message = self.client.get_iopub_msg(timeout=1)
        content = message["content"]
        if message["msg_type"] == "comm_open" and "component" in content["data"]["state"]:
            self.comm = content["comm_id"]
        elif message["msg_type"] == "comm_msg" and content["comm_id"] == self.comm:
            if content["data"]["method"] == "custom":
                self._hear(content["data"]["content"])
        elif message["msg_type"] == "stream":
            self.texts.append(content["text"])
        elif message["msg_type"] == "error":
            self.texts.append("\n".join(content["traceback"]))
        elif message["msg_type"] == "status" and content["execution_state"] == "idle":
            self.idle.add(message["parent_header"].get("msg_id", ""))

    def _hear(self, said: dict[str, Any]) -> None:
        self.said.append(said)
        if "n" in said and self.acknowledges:
            self.tell({"type": "ack", "n": said["n"]})

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Take messages until something is so."""
        deadline = time.monotonic() + DEADLINE_S
        while not (found := condition()):
            if time.monotonic() > deadline:
                heard = [each["type"] for each in self.said][-20:]
                pytest.fail(f"{what} did not happen; heard {heard}, {''.join(self.texts)}")
            self.take()
        return found

    def of(self, kind: str, **facts: Any) -> dict[str, Any]:
        """Wait for a message of a kind; take it off what was said."""

        def found() -> dict[str, Any] | None:
            for place, said in enumerate(self.said):
                if said["type"] == kind and facts.items() <= said.items():
                    return self.said.pop(place)
            return None

        return dict(self.until(found, f"a message of type {kind!r}"))

    def compute(self, seconds: float) -> str:
        """Have a cell compute; returns when it does."""
        cell = self.execute(COMPUTE.format(seconds=seconds))
        self.until(lambda: "computing" in "".join(self.texts), "the cell")
        return cell

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path))
    monkeypatch.delenv("HYPERNB_DB", raising=False)
    made = SqlStore(tmp_path / "missions.db")
    yield made
    made.close()


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Makes pages; their kernels are gone when the test is over."""
    made: list[Page] = []

    def make(python_path: str = "") -> Page:
        made.append(Page(tmp_path, python_path))
        return made[-1]

    yield make
    for page in made:
        page.close()


@pytest.fixture(scope="session")
def ipykernels() -> Callable[[str], str]:
    """Returns the folder of an ipykernel of some version, which is fetched once."""

    def folder(version: str) -> str:
        where = ROOT / "build" / "ipykernels" / version
        if (where / "ipykernel").is_dir():
            return str(where)
        asked = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        asked += ["--disable-pip-version-check", "--target", str(where)]
        done = subprocess.run(
            [*asked, f"ipykernel=={version}"],
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        if done.returncode:
            said = f"ipykernel {version} cannot be fetched here: {done.stderr[-300:]}"
            if os.environ.get("CI"):
                pytest.fail(said)
            pytest.skip(said)
        return str(where)

    return folder
