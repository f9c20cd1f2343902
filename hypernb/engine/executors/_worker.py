"""The runner's side of one worker process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from hypernb.abc import Payload
from hypernb.engine._capture import Allowance
from hypernb.engine._frames import LARGE_BYTES, Unpacker, pack
from hypernb.engine._job import Ending, EndKind, Signal, SignalKind
from hypernb.engine._refusals import sound
from hypernb.engine.executors import _processes
from hypernb.engine.executors._asked import Asked, written
from hypernb.model import Refusal, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypernb.abc import Clock
    from hypernb.engine._job import Job, Value
    from hypernb.engine._requests import OnRequest, Reply
    from hypernb.model import MissionId

_TAIL_BYTES: Final = 4_000
_LAST_WORDS_S: Final = 0.3
_LEAVE_S: Final = 1.0
_PIPE_CHUNK: Final = 65_536


@dataclass(frozen=True, slots=True)
class Terms:
    """What all workers of a pool have in common."""

    scratch: Path
    environ: Mapping[str, str]
    path: tuple[str, ...]
    clock: Clock
    heartbeat_s: float
    output_bytes: int
    grace_s: float
    memory_mb: int


class WorkerProcess(asyncio.Protocol):
    """One worker process, seen from the runner.

    Attributes:
        mission: The mission whose jobs it does; None before its first.
        jobs: How many it was given.
        is_fit: Whether it can take another job.
    """

    def __init__(self, terms: Terms, *, on_exit: Callable[[WorkerProcess], None]) -> None:
        self.mission: MissionId | None = None
        self.jobs = 0
        self.is_fit = True
        self._terms = terms
        self._on_exit = on_exit
        self._loop = asyncio.get_running_loop()
        self._unpacker = Unpacker()
        self._ending: asyncio.Future[Ending] | None = None
        self._on_signal: Callable[[Signal], None] | None = None
        self._asked = Asked(None, lambda _number, _reply: None)
        self._key = ""
        self._allowance = Allowance(terms.output_bytes)
        self._tail = b""
        self._is_killed = False
        self._is_dirty = False
        self._transport: asyncio.Transport | None = None
        self._waiting: list[bytes] = []
        self._exit_code: int | None = None
        self._heard_all = False
        self.gone = asyncio.Event()
        self._socket, self._pipe, self.process = self._spawn()
        self.pid = self.process.pid
        self._loop.add_reader(self._pipe, self._read_pipe)
        threading.Thread(target=self._await_exit, name=f"wait {self.pid}", daemon=True).start()

    def _spawn(self) -> tuple[socket.socket, int, subprocess.Popen[bytes]]:
        ours, theirs = socket.socketpair()
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        orders = {
            "descriptor": theirs.fileno(),
            "parent": os.getpid(),
            "scratch": str(self._terms.scratch),
            "heartbeat_s": self._terms.heartbeat_s,
            "output_bytes": self._terms.output_bytes,
            "memory_mb": self._terms.memory_mb,
            "path": self._terms.path,
        }
        try:
            process = subprocess.Popen(
                # -P keeps a module of the working directory from taking the place of ours.
                [
                    *(sys.executable, "-P", "-m", "hypernb.engine.worker"),
                    orjson.dumps(orders).decode(),
                ],
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                pass_fds=(theirs.fileno(),),
                env=dict(self._terms.environ),
                cwd=self._terms.scratch,
                start_new_session=True,
            )
        except OSError:
            ours.close()
            os.close(reading)
            raise
        finally:
            theirs.close()
            os.close(writing)
        ours.setblocking(False)  # noqa: FBT003 - no keyword
        return ours, reading, process

    async def connect(self) -> None:
        """Begin to listen; called by the first job."""
        if self._transport is None:
            await self._loop.connect_accepted_socket(lambda: self, self._socket)

    # -- jobs ---------------------------------------------------------------------------

    async def run(
        self,
        job: Job,
        on_signal: Callable[[Signal], None],
        on_request: OnRequest | None = None,
    ) -> Ending:
        """Do a job. Cancelling the caller ends the process with all it has started."""
        self.jobs += 1
        self._key = job.key
        self._asked = Asked(on_request, partial(self._answer, job.key))
        self._on_signal = on_signal
        self._allowance = Allowance(self._terms.output_bytes)
        ending: asyncio.Future[Ending] = self._loop.create_future()
        self._ending = ending
        if self.gone.is_set():
            return self._lost()
        try:
            await self.connect()
            frame = await self._frame(job)
            if self._transport is not None:
                self._transport.write(frame)
            answer = await ending
            if self._is_dirty:
                await self.kill()
        except asyncio.CancelledError:
            await self.kill()
            raise
        else:
            return answer
        finally:
            self._asked.close()
            self._ending = None
            self._on_signal = None
            self._key = ""

    def _answer(self, key: str, number: Any, reply: Reply) -> None:
        if key != self._key or self._transport is None or self._transport.is_closing():
            return
        head = {"kind": "answer", "key": key, "id": number}
        self._transport.write(pack(head, written(reply)))

    async def _frame(self, job: Job) -> bytes:
        values = [job.function, job.arguments, *job.inputs.values()]
        if any(value is not None and len(value.data) > LARGE_BYTES for value in values):
            return await asyncio.to_thread(write_job, job, self._terms.scratch)
        return write_job(job, self._terms.scratch)

    def _end(self, ending: Ending) -> None:
        if self._is_killed:
            # The signal may make its code raise, which it then reports as its own failure.
            ending = Ending(EndKind.KILLED, exit_code=self._exit_code)
        if self._ending is not None and not self._ending.done():
            self._ending.set_result(ending)

    # -- what it says -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows the type
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for head, body in self._unpacker.feed(data):
            if head["key"] == self._key:
                self._hear(head, body)

    def _hear(self, head: dict[str, Any], body: bytes) -> None:
        kind = head["kind"]
        if kind in ("succeeded", "failed"):
            self._read_pipe()
            self._is_dirty = head["dirty"]
            dropped = head["dropped"] + self._allowance.dropped_bytes
            self._end(_ending(head, body, dropped))
        elif kind == "printed":
            self._printed(str(head["text"]))
        elif kind == "ask":
            self._asked.take(head.get("id"), head.get("what"), body)
        elif kind == "spent":
            self._paid(head["usage"])
        elif self._on_signal is not None:
            share = head.get("share")
            done = float(share) if isinstance(share, int | float) else None
            self._on_signal(Signal(SignalKind(kind), str(head.get("text", "")), done))

    def _paid(self, told: dict[str, Any]) -> None:
        # A task's own code may have said it, past our checks.
        with contextlib.suppress(TypeError, ValueError):
            if self._on_signal is not None:
                self._on_signal(Signal(SignalKind.SPENT, usage=Usage(**told)))

    def _printed(self, text: str) -> None:
        if self._on_signal is not None and (kept := self._allowance.take(text)):
            self._on_signal(Signal(SignalKind.PRINTED, kept))

    def _read_pipe(self) -> None:
        """Take what programs and C code wrote past Python's ``sys.stdout``."""
        while True:
            try:
                data = os.read(self._pipe, _PIPE_CHUNK)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._loop.remove_reader(self._pipe)
                return
            self._tail = (self._tail + data)[-_TAIL_BYTES:]
            self._printed(data.decode("utf-8", "replace"))
            if len(data) < _PIPE_CHUNK:
                return

    # -- stopping it --------------------------------------------------------------------

    def pause(self) -> None:
        """Stop the process and all that it has started."""
        _processes.send(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a stopped process go on."""
        _processes.send(self.pid, signal.SIGCONT)

    async def kill(self) -> None:
        """End the process and all that it has started, and wait until they are gone."""
        self._is_killed = True
        self.is_fit = False
        if self.gone.is_set():
            return
        await _processes.end(self.pid, grace_s=self._terms.grace_s, clock=self._terms.clock)
        await self.gone.wait()

    def dismiss(self) -> None:
        """Ask an idle worker to end; it is killed if it does not do so soon."""
        self.is_fit = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(pack({"kind": "exit"}))
        else:
            self._socket.close()
        self._loop.call_later(_LEAVE_S, self._kill_now)

    def _kill_now(self) -> None:
        if not self.gone.is_set():
            _processes.send(self.pid, signal.SIGKILL)

    def _await_exit(self) -> None:
        code = self.process.wait()
        # The loop is closed if the runner itself was torn down; there is nobody to tell.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._exited, code)

    def _exited(self, code: int) -> None:
        self._exit_code = code
        self.is_fit = False
        # What it started may live on in its group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        # Its last answer may still be on the way; a forked child may keep the socket open.
        if self._heard_all or self._transport is None:
            self._bury()
        else:
            self._loop.call_later(_LAST_WORDS_S, self._bury)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._heard_all = True
        if self._exit_code is not None:
            self._bury()

    def _bury(self) -> None:
        if self.gone.is_set():
            return
        self._read_pipe()
        self._loop.remove_reader(self._pipe)
        os.close(self._pipe)
        if self._transport is not None:
            self._transport.abort()
        self._socket.close()
        self.gone.set()
        self._end(self._lost())
        self._on_exit(self)

    def _lost(self) -> Ending:
        return Ending(
            EndKind.LOST,
            exit_code=self._exit_code,
            detail=self._tail.decode("utf-8", "replace").strip(),
            dropped_bytes=self._allowance.dropped_bytes,
        )


def _ending(head: dict[str, Any], body: bytes, dropped: int) -> Ending:
    if head["kind"] == "failed":
        return Ending(
            EndKind.FAILED,
            error_kind=str(head["error"]),
            detail=str(head["detail"]),
            traceback=str(head["traceback"]),
            dropped_bytes=dropped,
            refusal=_refusal(head.get("refusal")),
        )
    files = {name: Path(path) for name, path in head.get("files", {}).items()}
    if path := head.get("path"):
        large = Path(path)
        body = large.read_bytes()
        large.unlink()
    output = Payload(str(head["media_type"]), body, str(head["text"]))
    return Ending(EndKind.SUCCEEDED, output=output, files=files, dropped_bytes=dropped)


def _refusal(told: tuple[list[str], float | None] | None) -> Refusal | None:
    # What comes from a worker may come from a task's own code.
    return None if told is None else Refusal(tuple(map(str, told[0])), sound(told[1]))


def write_job(job: Job, scratch: Path) -> bytes:
    """Write the frame that hands a job to a worker; large values go to files."""
    parts: list[bytes] = []

    def entry(value: Value | None) -> dict[str, Any] | None:
        if value is None:
            return None
        if len(value.data) <= LARGE_BYTES:
            parts.append(value.data)
            return {"media_type": value.media_type, "size": len(value.data)}
        path = scratch / f"input-{os.urandom(8).hex()}"
        path.write_bytes(value.data)
        return {"media_type": value.media_type, "path": str(path)}

    head = {
        "kind": "job",
        "key": job.key,
        "task": job.task,
        "work": job.work.model_dump(mode="json", exclude={"source"}),
        "agent": job.agent,
        "root": job.root,
        "paths": job.paths,
        "scope": job.scope,
        "function": entry(job.function),
        "arguments": entry(job.arguments),
        "inputs": {name: entry(value) for name, value in job.inputs.items()},
        "failures": job.failures,
        "repeatable": job.repeatable,
        "resources": job.resources,
        "allowance": job.allowance,
    }
    if job.agent:
        head |= {"goal": job.goal, "check": job.check, "is_quiet": job.is_quiet}
    return pack(head, b"".join(parts))
