"""Real kernels on a store of their own, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from jupyter_client.manager import KernelManager

from hypernb.session import Session
from tests.read_file import READ_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEADLINE_S = 60


@dataclass
class Cell:
    """What a cell gave: its messages in order, and the error it ended with."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    reply: dict[str, Any] = field(default_factory=dict)

    @property
    def error(self) -> str:
        """The name and the message of what it raised; empty if it raised nothing."""
        if self.reply["status"] == "ok":
            return ""
        return f"{self.reply['ename']}: {self.reply['evalue']}"

    @property
    def traceback(self) -> list[str]:
        return list(self.reply.get("traceback", ()))

    @property
    def text(self) -> str:
        """All that it showed, as text."""
        return "\n".join(self._shown("text/plain"))

    @property
    def html(self) -> str:
        """All that it showed, as HTML."""
        return "\n".join(self._shown("text/html"))

    def _shown(self, kind: str) -> list[str]:
        return [m["content"].get("data", {}).get(kind, "") for m in self.messages]

    @property
    def value(self) -> str:
        """The text of its last expression's value."""
        [result] = self.of("execute_result")
        return str(result["content"]["data"]["text/plain"])

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [m for m in self.messages if m["msg_type"] == kind]


class Kernel:
    """A kernel process and a client that is a person: it could answer ``input()``."""

    def __init__(self, env: dict[str, str], cwd: Path) -> None:
        self.manager = KernelManager(kernel_name="python3")
        quiet = subprocess.DEVNULL
        self.manager.start_kernel(env=env, cwd=str(cwd), stdout=quiet, stderr=quiet)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=DEADLINE_S)

    def run(
        self, code: str, *, person: bool = True, on_message: Callable[[Any], None] | None = None
    ) -> Cell:
        """Run a cell to its end, whatever it raises."""
        cell = Cell()

        def keep(message: dict[str, Any]) -> None:
            cell.messages.append(message)
            if on_message is not None:
                on_message(message)

        try:
            reply = self.client.execute_interactive(
                code,
                allow_stdin=person,
                output_hook=keep,
                stdin_hook=lambda _: None,
                timeout=DEADLINE_S,
            )
        except TimeoutError:
            pytest.fail(f"{code!r} was not done in time; it showed:\n{cell.text}")
        cell.reply = reply["content"]
        return cell

    def ok(self, code: str, *, person: bool = True) -> Cell:
        """Run a cell that has to succeed."""
        cell = self.run(code, person=person)
        assert not cell.error, "\n".join(cell.traceback)
        return cell

    def complete(self, code: str) -> list[str]:
        reply = self.client.complete(code, reply=True, timeout=DEADLINE_S)
        return list(reply["content"]["matches"])

    def later(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a message that comes without a cell being run."""
        while True:
            message: dict[str, Any] = self.client.get_iopub_msg(timeout=DEADLINE_S)
            if wanted(message):
                return message

    def shut_down(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@dataclass
class Desk:
    """A folder with a store and a small project, and the kernels that work on it."""

    folder: Path
    kernels: list[Kernel] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.project.mkdir()
        (self.project / "app.py").write_text("import os\n\n\ndef answer():\n    return 42\n")

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def env(self) -> dict[str, str]:
        without = {"HYPERNB_HEADLESS", "HYPERNB_RUNNER"}
        kept = {name: value for name, value in os.environ.items() if name not in without}
        own = {"HYPERNB_HOME": str(self.folder), "HYPERNB_DB": str(self.database)}
        return {**kept, **own, "HYPERNB_BACKUPS": "0"}

    @property
    def database(self) -> Path:
        return self.folder / "missions.db"

    @property
    def session(self) -> Session:
        return Session(self.database)

    def kernel(self, first: str = "%load_ext hypernb") -> Kernel:
        made = Kernel(self.env, self.project)
        self.kernels.append(made)
        made.ok(first)
        return made

    @property
    def text(self) -> Path:
        """The file that the playbook ``read-file`` waits for."""
        return self.project / "text.txt"

    @property
    def newest(self) -> str:
        """Id of the newest mission."""
        with self.session as session:
            return session.mission().id

    def missions(self) -> int:
        with self.session as session:
            return len(session.missions(limit=1000))

    def clear(self) -> None:
        """Shut the kernels down and end the runners; nothing may be left."""
        for kernel in self.kernels:
            kernel.shut_down()
        with self.session as session:
            ended = session.stop()
            started = [e for e in session.events(limit=10_000) if e.kind == "runner.started"]
        pids = [int(event.payload["pid"]) for event in started]
        for pid in pids:
            if psutil.pid_exists(pid):
                psutil.Process(pid).wait(DEADLINE_S)
        assert ended


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path))
    made = Desk(tmp_path)
    yield made
    made.clear()


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One desk with one kernel that has the playbook ``read-file``, for a file of tests."""
    folder = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYPERNB_HOME", str(folder))
        made = Desk(folder)
        made.kernel(READ_FILE)
        yield made
        made.clear()


@pytest.fixture
def reader(reading: Desk) -> Iterator[Kernel]:
    """The kernel of ``reading``; its missions end with the test."""
    yield reading.kernels[0]
    reading.text.unlink(missing_ok=True)
    with reading.session as session:
        for mission in session.missions():
            if not mission.state.is_final:
                mission.cancel().wait(DEADLINE_S)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One desk with one kernel for a file of tests that run no mission."""
    folder = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYPERNB_HOME", str(folder))
        made = Desk(folder)
        made.kernel()
        yield made
        made.clear()


@pytest.fixture
def kernel(shared: Desk) -> Kernel:
    return shared.kernels[0]
