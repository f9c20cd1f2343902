"""Running other programs: their own process group, a clean environment, no survivors."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from hypernb.errors import ToolAbsentError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

OUTPUT_LIMIT_BYTES = 256 * 1024 * 1024
_STDERR_TAIL_CHARS = 600
_PULSE_S = 1.0
_DRAIN_S = 5.0
_PR_SET_PDEATHSIG = 1

# What a program may know of its surroundings. Everything else, above all keys and tokens,
# stays here: a list of what is allowed cannot be outrun by a new name for a secret.
_KEPT = frozenset(
    {
        "CONDA_PREFIX",
        "DYLD_LIBRARY_PATH",
        "HOME",
        "LANG",
        "LANGUAGE",
        "LD_LIBRARY_PATH",
        "LOGNAME",
        "PATH",
        "PYTHONHOME",
        "PYTHONPATH",
        "SHELL",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
        "TMPDIR",
        "TZ",
        "USER",
        "VIRTUAL_ENV",
        "XDG_CACHE_HOME",
    }
)


@dataclass(frozen=True, slots=True)
class Completed:
    """A program that has ended.

    Attributes:
        stdout: As text; bytes that are not UTF-8 are replaced.
        raw: The bytes of stdout.
    """

    stdout: str
    stderr: str
    exit_code: int
    duration_s: float
    raw: bytes = b""


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment without secrets: what is known to be harmless, and ``extra``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.startswith("LC_")
    }
    kept["PYTHONUTF8"] = "1"
    kept["PYTHONDONTWRITEBYTECODE"] = "1"
    return {**kept, **(extra or {})}


def python_module(module: str, *args: str) -> list[str]:
    """Return the command that runs a module of the running environment.

    ``-P`` keeps the working directory off ``sys.path``; without it a repository with a
    ``ruff.py`` or ``json.py`` at its root would run its own code in the tool's place.

    Example:
        >>> python_module("ruff", "check")[1:]
        ['-P', '-m', 'ruff', 'check']
    """
    return [sys.executable, "-P", "-m", module, *args]


def program_name(command: Sequence[str]) -> str:
    """Return what people call the program that a command starts.

    Example:
        >>> program_name(["/usr/bin/git", "ls-files"])
        'git'
        >>> program_name(python_module("ruff", "check"))
        'ruff'
    """
    if "-m" in command[:4]:
        return command[command.index("-m") + 1]
    return Path(command[0]).name


def run_process(
    command: Sequence[str],
    *,
    cwd: Path,
    timeout_s: float,
    allowed_exit: Collection[int] | None = (0,),
    env_extra: Mapping[str, str] | None = None,
    pulse: Callable[[], None] | None = None,
) -> Completed:
    """Run a program to its end and return what it said.

    Nothing that it started in its process group is left when this returns or raises. It reads
    an empty stdin and sees an environment without secrets.

    Args:
        command: Program and arguments; no shell takes part.
        allowed_exit: Exit codes that mean success; None allows all.
        env_extra: Further variables for its environment.
        pulse: Called about once a second while it runs.

    Raises:
        ToolAbsentError: There is no such program or module.
        ToolError: It took too long, wrote too much, or ended with another exit code.
    """
    name = program_name(command)
    began = time.monotonic()
    with _started(name, command, cwd, clean_environment(env_extra)) as process:
        out, err = _Drain(process.stdout, process), _Drain(process.stderr, process)
        in_time = _wait(process, began + timeout_s, pulse)
        _end_group(process)
        out.join()
        err.join()
    if not in_time:
        raise ToolError(name, f"it was not done after {timeout_s:g} s and was ended.")
    if out.is_over or err.is_over:
        raise ToolError(name, f"it wrote more than {OUTPUT_LIMIT_BYTES:,} bytes and was ended.")
    done = Completed(
        stdout=out.data.decode(errors="replace"),
        stderr=err.data.decode(errors="replace"),
        exit_code=process.returncode,
        duration_s=time.monotonic() - began,
        raw=bytes(out.data),
    )
    _check_exit(name, command, done, allowed_exit)
    return done


@contextlib.contextmanager
def _started(
    name: str, command: Sequence[str], cwd: Path, env: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    try:
        # From 3.12 on, Python warns of what runs between fork and exec while there are other
        # threads; all that runs here is one C call that takes no lock.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            process = _popen(command, cwd, env)
    except FileNotFoundError as error:
        if not cwd.is_dir():
            raise ToolError(name, f"its working directory {str(cwd)!r} is gone.") from error
        raise ToolAbsentError(name) from error
    except OSError as error:
        raise ToolError(name, f"it cannot be started: {error.strerror}.") from error
    try:
        yield process
    finally:
        _end_group(process)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _popen(command: Sequence[str], cwd: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(command),
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_dies_with_parent(),  # noqa: PLW1509 - one prctl, resolved before the fork
    )


@functools.cache
def _dies_with_parent() -> Callable[[], None] | None:
    # A worker may be killed at any moment; its own process group would then leave the
    # program behind. Only Linux can tie the two together.
    if not sys.platform.startswith("linux"):
        return None
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return tie


def _wait(
    process: subprocess.Popen[bytes], deadline: float, pulse: Callable[[], None] | None
) -> bool:
    while (left := deadline - time.monotonic()) > 0:
        try:
            process.wait(min(left, _PULSE_S))
        except subprocess.TimeoutExpired:
            if pulse is not None:
                pulse()
        else:
            return True
    return process.poll() is not None


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for pid in _descendants(process):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _descendants(process: subprocess.Popen[bytes]) -> list[int]:
    # Those that opened a session of their own are not in the group; they can be found only
    # as long as their parents live.
    if process.poll() is not None:
        return []
    import psutil

    with contextlib.suppress(psutil.Error):
        return [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    return []


class _Drain:
    """Reads a pipe to its end in a thread, up to a limit."""

    def __init__(self, stream: IO[bytes] | None, process: subprocess.Popen[bytes]) -> None:
        self.data = bytearray()
        self.is_over = False
        self._stream = stream
        self._process = process
        self._thread = threading.Thread(target=self._read, name="drain", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        if self._stream is None:
            return
        with contextlib.suppress(OSError, ValueError):
            descriptor = self._stream.fileno()
            while chunk := os.read(descriptor, 65_536):
                if len(self.data) + len(chunk) > OUTPUT_LIMIT_BYTES:
                    self.is_over = True
                    self._process.kill()
                    return
                self.data += chunk

    def join(self) -> None:
        # A process that left the group may hold the pipe open for ever.
        self._thread.join(_DRAIN_S)


def end_of(text: str, limit: int) -> str:
    """Return the end of what a program said.

    Example:
        >>> end_of("abcdef", 3), end_of("abc", 3)
        ('…def', 'abc')
    """
    return text if len(text) <= limit else f"…{text[-limit:]}"


def _check_exit(
    name: str, command: Sequence[str], done: Completed, allowed: Collection[int] | None
) -> None:
    if "-m" in command[:4] and done.exit_code == 1 and f"No module named {name}" in done.stderr:
        raise ToolAbsentError(name)
    if allowed is None or done.exit_code in allowed:
        return
    said = end_of(done.stderr.strip() or done.stdout.strip(), _STDERR_TAIL_CHARS)
    how = (
        f"signal {signal.Signals(-done.exit_code).name}"
        if done.exit_code < 0
        else f"exit code {done.exit_code}"
    )
    raise ToolError(name, f"it ended with {how}: {said}" if said else f"it ended with {how}.")
