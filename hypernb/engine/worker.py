"""A worker: a process that does one job after the other, as the runner tells it.

Started by the runner as ``python -m hypernb.engine.worker``; it ends when the runner does.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import faulthandler
import operator
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from hypernb.engine._body import describe, do_job
from hypernb.engine._capture import Capture
from hypernb.engine._frames import LARGE_BYTES, Frame, pack
from hypernb.engine._job import Job, Value
from hypernb.engine._line import Line
from hypernb.engine._refusals import refusal_of
from hypernb.engine._spending import Carrying, Purse
from hypernb.model import AgentWork, PythonWork, Usage

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_PULSE_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker is told at its start.

    Attributes:
        descriptor: The socket to the runner.
        parent: The runner's process id.
        scratch: Directory for files on their way.
    """

    descriptor: int
    parent: int
    scratch: Path
    heartbeat_s: float
    output_bytes: int
    memory_mb: int
    path: tuple[str, ...] = ()


class Worker:
    """Reads jobs from the runner, does them, and answers."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        os.set_inheritable(orders.descriptor, False)  # noqa: FBT003 - no keyword
        self._socket = socket.socket(fileno=orders.descriptor)
        self._sending = threading.Lock()
        self._line = Line(self._socket, self._send)
        self._capture = Capture(orders.output_bytes)
        self._environ = dict(os.environ)
        self._own_path = [*sys.path]
        self._pid = os.getpid()
        self._key = ""
        self._done = 0
        self._is_spent = False
        self._threads = 0
        self._reported: tuple[tuple[str, float | None], float] = (("", None), 0.0)

    def serve(self) -> None:
        """Do jobs until the runner closes the socket or says so."""
        sys.stdout = sys.stderr = self._capture
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        self._threads = threading.active_count()
        self._ground, self._limits = _ground(), _limits()
        while (frame := self._line.next()) is not None:
            if frame[0]["kind"] == "exit":
                return
            self._take(*frame)

    # -- one job ------------------------------------------------------------------------

    def _take(self, head: dict[str, Any], body: bytes) -> None:
        self._key = head["key"]
        self._reported = (("", None), 0.0)
        outbox = self._orders.scratch / f"outbox-{os.getpid()}-{self._done}"
        self._done += 1
        try:
            job = read_job(head, body)
            self._settle_in(job)
            self._line.begin(job.key)
            ask = partial(self._line.ask, job.key)
            with Carrying(Purse(self._paid, job.allowance), alone=True):
                payload = do_job(job, outbox=outbox, report=self._report, ask=ask)
            frame = self._succeeded(payload, outbox)
        except BaseException as error:  # noqa: BLE001 - the border to the task's own code
            frame = self._failed(error, head), b""
        if os.getpid() != self._pid:
            os._exit(0)  # a fork of the task's came back; only its parent answers
        self._line.end()
        self._say_printed()
        self._key, key = "", self._key
        answer, data = frame
        answer["key"] = key
        answer["dropped"] = self._capture.restart()
        answer["dirty"] = self._clean_up()
        self._send(answer, data)

    def _failed(self, error: BaseException, head: dict[str, Any]) -> dict[str, Any]:
        kind, detail, traceback = describe(error, is_quiet=head.get("is_quiet", False))
        if isinstance(error, MemoryError):
            self._is_spent = True
            detail = detail or self._no_memory()
        said: dict[str, Any] = {
            "kind": "failed",
            "error": kind,
            "detail": detail,
            "traceback": traceback,
        }
        held, again = head["resources"], head["repeatable"]
        if (refusal := refusal_of(error, held, repeatable=again)) is not None:
            said["refusal"] = [refusal.resources, refusal.retry_after_s]
        return said

    def _no_memory(self) -> str:
        return (
            f"it needed more than the {self._orders.memory_mb:,} MB that a task may take "
            "(HYPERNB_MEMORY_MB)"
        )

    def _succeeded(self, payload: Any, outbox: Path) -> Frame:
        head: dict[str, Any] = {
            "kind": "succeeded",
            "media_type": payload.media_type,
            "text": payload.text,
        }
        if outbox.is_dir():
            head["files"] = {
                path.relative_to(outbox).as_posix(): str(path)
                for path in sorted(outbox.rglob("*"))
                if path.is_file() and not path.is_symlink()
            }
        if len(payload.data) <= LARGE_BYTES:
            return head, payload.data
        path = self._orders.scratch / f"output-{os.getpid()}-{self._done}"
        path.write_bytes(payload.data)
        head["path"] = str(path)
        return head, b""

    def _settle_in(self, job: Job) -> None:
        if job.root:
            os.chdir(job.root)
        sys.path[:] = self._own_path
        if isinstance(job.work, PythonWork):
            # A session's path often begins with the directory it is in. Tasks of the person's
            # own functions import as the session does; agents only from what is installed.
            theirs = self._orders.path or self._own_path
            sys.path[:] = [*job.paths, *(path for path in theirs if path not in job.paths)]

    def _clean_up(self) -> bool:
        """Undo what a task can leave behind; True if a fresh worker is needed instead."""
        if os.environ != self._environ:
            os.environ.clear()
            os.environ.update(self._environ)
        sys.stdout = sys.stderr = self._capture
        return (
            self._is_spent
            or threading.active_count() > self._threads
            or _has_children()
            or self._is_undermined()
        )

    def _is_undermined(self) -> bool:
        # What stands here was changed or is gone, and the next task would fail for it.
        return _limits() != self._limits or any(
            any(map(operator.is_not, map(names.get, before), before.values()))
            for names, before in self._ground
        )

    # -- what is said meanwhile ----------------------------------------------------------

    def _beat(self) -> None:
        waiter = threading.Event()
        beat_at = 0.0
        while not waiter.wait(min(_PULSE_S, self._orders.heartbeat_s)):
            if not self._key:
                continue
            self._say_printed()
            if time.monotonic() - beat_at >= self._orders.heartbeat_s:
                beat_at = time.monotonic()
                self._send({"kind": "alive", "key": self._key})

    def _report(self, words: str, share: float | None) -> None:
        # A tool may report each of a hundred thousand files; people read two lines a second.
        now = time.monotonic()
        last, at = self._reported
        if now - at < _PULSE_S and (share is None or share < 1.0) and at:
            return
        if (words, share) == last:
            return
        self._reported = ((words, share), now)
        self._send({"kind": "progress", "key": self._key, "text": words[:500], "share": share})

    def _paid(self, usage: Usage) -> None:
        self._send({"kind": "spent", "key": self._key, "usage": asdict(usage)})

    def _say_printed(self) -> None:
        if text := self._capture.collect():
            text = text.encode("utf-8", "replace").decode()
            self._send({"kind": "printed", "key": self._key, "text": text})

    def _send(self, head: dict[str, Any], body: bytes = b"") -> None:
        # Without a runner nobody wants the answer; the next read ends the worker.
        with self._sending, contextlib.suppress(OSError):
            self._socket.sendall(pack(head, body))


def read_job(head: dict[str, Any], body: bytes) -> Job:
    """Put together a job from the frame that `hypernb.engine.executors` wrote."""
    view = memoryview(body)
    at = 0

    def value(entry: dict[str, Any] | None) -> Value | None:
        nonlocal at
        if entry is None:
            return None
        if "path" in entry:
            path = Path(entry["path"])
            data = path.read_bytes()
            path.unlink()
        else:
            data = bytes(view[at : at + entry["size"]])
            at += entry["size"]
        return Value(entry["media_type"], data)

    work: AgentWork | PythonWork = (
        PythonWork(**head["work"])
        if head["work"]["kind"] == "python"
        else AgentWork(**head["work"])
    )
    return Job(
        key=head["key"],
        task=head["task"],
        work=work,
        agent=head["agent"],
        root=head["root"],
        paths=tuple(head["paths"]),
        scope=tuple(head["scope"]),
        function=value(head["function"]),
        arguments=value(head["arguments"]),
        inputs={name: value(entry) for name, entry in head["inputs"].items()},
        failures=head["failures"],
        repeatable=head["repeatable"],
        resources=tuple(head["resources"]),
        allowance=head["allowance"],
        goal=head.get("goal", ""),
        check=head.get("check", ""),
        is_quiet=head.get("is_quiet", False),
    )


def _ground() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return what all code stands on: the names of Python itself, now and as they change."""
    return [(names, dict(names)) for names in (vars(builtins), sys.modules)]


def _limits() -> list[object]:
    """Return what this process may use, and the alarm that it has set itself."""
    if sys.platform == "win32":
        return []
    import resource

    kinds = (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_CPU)
    more = (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)
    limits = (resource.getrlimit(kind) for kind in (*kinds, *more))
    return [*limits, signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)]


def _limit_memory(most_mb: int) -> None:
    """Have allocations fail beyond a size, instead of the system ending who it likes.

    Only what holds data counts: address space that is merely reserved, as JavaScript engines
    and Java do by the terabyte, does not.
    """
    if not sys.platform.startswith("linux"):
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = most_mb * 1_000_000
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (most if hard < 0 else min(most, hard), hard))


def _has_children() -> bool:
    # WNOWAIT leaves a zombie to the code that started it.
    if not hasattr(os, "waitid"):
        return False
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _die_with(parent: int) -> None:
    """End at once when the runner does; Linux only, elsewhere the guard sees to it.

    What a task detaches from itself becomes this process's child, so that it is found.
    """
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            prctl = ctypes.CDLL(None).prctl
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            prctl(_PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != parent:
        os._exit(1)


def main() -> None:
    """Serve the runner that started this process."""
    told = orjson.loads(sys.argv[1])
    orders = Orders(**{**told, "scratch": Path(told["scratch"]), "path": tuple(told["path"])})
    _die_with(orders.parent)
    _limit_memory(orders.memory_mb)
    faulthandler.enable(2)
    # Nearly every job needs it, and a worker that waits for its first job has the time.
    import cloudpickle  # noqa: F401

    Worker(orders).serve()


if __name__ == "__main__":
    main()
