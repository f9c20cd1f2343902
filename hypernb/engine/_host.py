"""Where a runner lives: in a process of its own, or on a thread of this one."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from hypernb.engine._environment import has_credentials, scrubbed, without
from hypernb.engine._keys import key_ids, runner_resource
from hypernb.engine._log import tail, timestamp
from hypernb.errors import RunnerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.abc import Clock, Store
    from hypernb.engine._runner import Runner, RunnerEnd
    from hypernb.engine._settings import RunnerSettings

_VISIBLE_WITHIN_S: Final = 30.0
_STOP_WITHIN_S: Final = 30.0
_LOOK_S: Final = 0.02
_SAID_CHARS: Final = 2_000
PATH_VARIABLE: Final = "HYPERNB_SYS_PATH"


def run_runner(
    store_url: str,
    settings: RunnerSettings | None = None,
    *,
    path: tuple[str, ...] | None = None,
    keys: Mapping[str, str] | None = None,
) -> RunnerEnd:
    """Run a runner in this thread until it ends; SIGTERM and SIGINT end it in order.

    Args:
        keys: Of models, by the name of their variable.

    Raises:
        StoreError: The store cannot be used.
    """
    from hypernb.store import SqlStore

    store = SqlStore(store_url)
    try:
        return asyncio.run(_run(store, settings, path, keys or {}))
    finally:
        store.close()


async def _run(
    store: Store,
    settings: RunnerSettings | None,
    path: tuple[str, ...] | None,
    keys: Mapping[str, str],
) -> RunnerEnd:
    from hypernb.engine._runner import Runner

    runner = Runner(store, settings, path=path, keys=keys)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(
            NotImplementedError
        ):  # Windows has no signal handlers in loops
            loop.add_signal_handler(number, runner.request_stop)
    return await runner.run()


def spawn_runner(
    store_url: str,
    keys: Mapping[str, str] | None = None,
    *,
    timeout_s: float = _VISIBLE_WITHIN_S,
) -> None:
    """Start a runner as a process of its own, and wait until its lease is to be seen.

    It outlives this process. If another runner with the same keys is at work on this machine,
    nothing changes.

    Args:
        keys: Of models, by the name of their variable. It is told them by a pipe: what stands
            in an environment or in a command line can be read by every other process.

    Raises:
        RunnerError: It ended at once, or did not come up in time; what it said is told.
    """
    from hypernb.store import SqlStore

    began = timestamp()
    store = SqlStore(store_url)
    try:
        resource = runner_resource(key_ids(store, keys or {}))
        process, said = _start(store_url, keys or {})
        waiter = threading.Event()
        for _ in range(int(timeout_s / _LOOK_S)):
            if is_held(store, resource):
                return
            if (code := process.poll()) is not None:
                if is_held(store, resource) or code == 0:
                    return
                raise RunnerError(
                    f"The runner ended at once with exit code {code}: "
                    f"{_last_words(said, store_url, began)}",
                    hint="%hyper doctor looks for the cause.",
                )
            waiter.wait(_LOOK_S)
        raise RunnerError(
            f"The runner (process {process.pid}) did not come up within {timeout_s:g} s: "
            f"{_last_words(said, store_url, began)}",
            hint="%hyper doctor looks for the cause.",
        )
    finally:
        store.close()


def is_held(store: Store, resource: str) -> bool:
    """Tell whether somebody holds exactly this lease."""
    return any(lease.resource == resource for lease in store.leases(resource))


def _start(store_url: str, keys: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], Path]:
    environ = without(keys, scrubbed(os.environ))
    # Its tasks import what the session imports, whatever directory the runner is in.
    environ[PATH_VARIABLE] = orjson.dumps(
        [str(Path(entry).resolve()) for entry in sys.path]
    ).decode()
    command = [sys.executable, "-P", "-m", "hypernb.engine"]
    if has_credentials(store_url):
        environ["HYPERNB_DB"] = store_url  # a command line can be read by everybody
    else:
        command += ["--store", store_url]
    if keys:
        command.append("--keys")
    said = _words_file(store_url)
    with said.open("wb") as words:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if keys else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=words,
            env=environ,
            cwd=Path.home() if Path.home().is_dir() else Path("/"),
            start_new_session=True,
        )
    _reap(process)
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:  # it says why itself
            # By json: the environment can hold bytes that are no UTF-8, which orjson refuses.
            pipe.write(json.dumps(dict(keys)).encode())
    return process, said


def _words_file(store_url: str) -> Path:
    """Return where a runner's stderr goes: what it says before it can write its log."""
    from hypernb.engine._log import log_file

    log = log_file(store_url)
    try:
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            return log.with_name("runner.stderr")
    except OSError:
        pass
    return Path(os.devnull)


def _reap(process: subprocess.Popen[bytes]) -> None:
    # It outlives us on purpose, but while we live somebody has to collect it when it ends.
    threading.Thread(target=process.wait, name=f"runner {process.pid}", daemon=True).start()


def _last_words(said: Path, store_url: str, began: float) -> str:
    try:
        words = said.read_text(encoding="utf-8", errors="replace").strip()[-_SAID_CHARS:]
    except OSError:
        words = ""
    return words or "; ".join(tail(store_url, since=began)) or "it said nothing"


class InProcessHost:
    """The same runner, on a private event loop in a thread of this process.

    Args:
        store_url: The host opens a store of its own on it.
        settings: By default from the environment.
        keys: Of models, by the name of their variable.

    Attributes:
        end: Why its runner ended, once it has.
        error: What ended it, if it could not go on.
    """

    def __init__(
        self,
        store_url: str,
        settings: RunnerSettings | None = None,
        clock: Clock | None = None,
        *,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        self.store_url = store_url
        self.end: RunnerEnd | None = None
        self.error: BaseException | None = None
        self._settings = settings
        self._clock = clock
        self._keys = dict(keys or {})
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runner: Runner | None = None

    @property
    def is_alive(self) -> bool:
        """Whether its runner is at work."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the runner, unless it is at work.

        Raises:
            StoreError: The store cannot be opened.
        """
        if self.is_alive:
            return
        self._forget_the_last()
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._live, args=(ready,), name="hypernb runner", daemon=True
        )
        self._thread.start()
        ready.wait()
        if self.error is not None:
            self._thread.join()
            raise self.error
        atexit.register(self.stop)

    def _forget_the_last(self) -> None:
        self.end = self.error = None

    def stop(self, timeout_s: float = _STOP_WITHIN_S) -> None:
        """Stop the runner and wait for its end; what ran is left to the next one."""
        atexit.unregister(self.stop)
        thread, loop, runner = self._thread, self._loop, self._runner
        if thread is None or loop is None or runner is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended by itself
            loop.call_soon_threadsafe(runner.request_stop)
        thread.join(timeout_s)

    def _live(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self._run(ready))
        except BaseException as error:  # noqa: BLE001 - the border of the thread
            self.error = error
        finally:
            ready.set()

    async def _run(self, ready: threading.Event) -> None:
        from hypernb.engine._runner import Runner
        from hypernb.store import SqlStore

        store = SqlStore(self.store_url)
        try:
            self._loop = asyncio.get_running_loop()
            self._runner = Runner(store, self._settings, self._clock, keys=self._keys)
            ready.set()
            self.end = await self._runner.run()
        finally:
            store.close()
