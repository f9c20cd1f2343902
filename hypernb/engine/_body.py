"""Doing a job: the same in a worker process, in a thread and in the loop."""

from __future__ import annotations

import asyncio
import fnmatch
import inspect
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypernb import codec
from hypernb.abc import Payload
from hypernb.engine._job import Ending, EndKind
from hypernb.engine._refusals import refusal_of
from hypernb.errors import HypernbError, not_quoted
from hypernb.model import AgentWork, PythonWork, StoredValue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypernb.abc import ToolContext
    from hypernb.engine._job import Job, Value
    from hypernb.engine._requests import Reply, Request

STORED: Final = "application/vnd.hypernb.stored"
"""Of an output that is in the store already: its digest."""
_DETAIL_CHARS: Final = 4_000
_TRACEBACK_CHARS: Final = 20_000


def do_job(
    job: Job,
    *,
    outbox: Path,
    report: Callable[[str, float | None], None],
    ask: Callable[[Request], Reply] | None = None,
) -> Payload:
    """Do the job and return its output as bytes.

    Whatever the task's code raises comes through, `SystemExit` too.

    Args:
        outbox: Directory for files that an agent leaves; made when it is needed.
        report: Told what an agent is doing.
        ask: Asks the runner and waits for its answer; None where there is none.

    Raises:
        CannotShipError: The output cannot be sent to another process.
    """
    if isinstance(job.work, PythonWork):
        return do_function(job)
    context = _context(job, outbox=outbox, report=report, ask=ask)
    result = _perform(job, job.work, context)
    if isinstance(result, StoredValue):
        return Payload(STORED, result.digest.encode())
    return finish_job(job, result)


def do_function(job: Job) -> Payload:
    """Do a job that is a Python function, from its call to its output; see `do_job`."""
    result = begin_job(job, decoded)
    if inspect.isawaitable(result):
        result = asyncio.run(_awaited(result))
    return finish_job(job, result)


def begin_job(job: Job, load: Callable[[Value | None], Any]) -> Any:
    """Call the function of a job; what it returns may have to be awaited.

    Whatever it raises comes through, `SystemExit` too.

    Args:
        load: Gives the function; `decoded`, or what remembers it.
    """
    function = load(job.function)
    args, kwargs = decoded(job.arguments) or ((), {})
    return function(*args, **{**_inputs(job), **kwargs})


def finish_job(job: Job, result: Any) -> Payload:
    """Return what a job's function gave as bytes.

    Raises:
        CannotShipError: It cannot be sent to another process.
    """
    return codec.encode(result, what=f"the output of task {job.task!r}")


def _inputs(job: Job) -> dict[str, Any]:
    return {name: decoded(value) for name, value in job.inputs.items()}


def decoded(value: Value | None) -> Any:
    """Return a stored value; None for None.

    Raises:
        CannotShipError: It cannot be read here.
    """
    return None if value is None else codec.decode(value.media_type, value.data)


async def _awaited(result: Any) -> Any:
    return await result


def _context(
    job: Job,
    *,
    outbox: Path,
    report: Callable[[str, float | None], None],
    ask: Callable[[Request], Reply] | None,
) -> ToolContext:
    from hypernb.abc import ToolContext
    from hypernb.engine._services import RunnerServices
    from hypernb.tools import list_files

    outbox.mkdir(parents=True, exist_ok=True)
    root = Path(job.root)
    return ToolContext(
        root=root,
        files=in_scope(root, list_files(root).files, job.scope) if job.root else (),
        inputs=_inputs(job),
        failures=job.failures,
        outbox=outbox,
        report=report,
        services=None if ask is None else RunnerServices(ask),
    )


def _perform(job: Job, work: AgentWork, context: ToolContext) -> Any:
    from hypernb import agents

    if not (work.model or work.function):
        return agents.perform(agent=job.agent, task=job.task, work=work, context=context)
    return agents.work_with_model(
        agent=job.agent,
        task=job.task,
        goal=job.goal,
        check=job.check,
        work=work,
        context=context,
        load=partial(decoded, job.function) if job.function is not None else None,
    )


def in_scope(root: Path, files: tuple[str, ...], scope: tuple[str, ...]) -> tuple[str, ...]:
    """Return the files of the scope, and of links only those that lead to one of them."""
    named = within(files, scope)
    if len(named) == len(files):
        return named
    kept = {root.resolve() / file for file in named}
    return tuple(
        file
        for file in named
        if not (root / file).is_symlink() or (root / file).resolve() in kept
    )


def within(files: Iterable[str], scope: Iterable[str]) -> tuple[str, ...]:
    """Return the files that the scope lets a task read; all if it names none.

    Example:
        >>> within(["src/a.py", "tests/b.py", "README.md"], ["src/", "*.md"])
        ('src/a.py', 'README.md')
    """
    allowed = [entry.strip().removeprefix("./").rstrip("/") for entry in scope]
    if not allowed or allowed == [""] or "." in allowed:
        return tuple(files)
    return tuple(file for file in files if any(_is_below(file, entry) for entry in allowed))


def _is_below(file: str, entry: str) -> bool:
    return file == entry or file.startswith(f"{entry}/") or fnmatch.fnmatchcase(file, entry)


def failed(error: BaseException, job: Job, *, dropped_bytes: int = 0) -> Ending:
    """Return how a job ended whose code raised an exception."""
    kind, detail, said = describe(error, is_quiet=job.is_quiet)
    return Ending(
        EndKind.FAILED,
        error_kind=kind,
        detail=detail,
        traceback=said,
        dropped_bytes=dropped_bytes,
        refusal=refusal_of(error, job.resources, repeatable=job.repeatable),
    )


def describe(error: BaseException, *, is_quiet: bool = False) -> tuple[str, str, str]:
    """Return an exception as text: class name, message, traceback of the task's own code.

    Args:
        is_quiet: Without words that a model may have said, or was told.
    """
    kind = type(error).__name__
    try:
        detail = str(error)
    except Exception as second:  # noqa: BLE001 - __str__ is the task's code
        detail = f"(its message cannot be read: {type(second).__name__})"
    frames = error.__traceback__
    while frames is not None and _is_ours(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    if is_quiet:
        return (
            kind,
            _quietly(error, detail),
            _cut("".join(traceback.format_tb(frames)), _TRACEBACK_CHARS),
        )
    try:
        lines = traceback.format_exception(type(error), error, frames)
    except Exception:  # noqa: BLE001 - formatting calls the task's code too
        lines = [f"{kind}: {detail}"]
    said = "".join(lines)
    if isinstance(error, HypernbError) and frames is None:
        said = ""
    return kind, _cut(detail, _DETAIL_CHARS), _cut(said, _TRACEBACK_CHARS)


def _quietly(error: BaseException, detail: str) -> str:
    if isinstance(error, HypernbError) and type(error).__module__ == HypernbError.__module__:
        return _cut(str(error.unquoted()), _DETAIL_CHARS)
    kind = type(error).__name__
    return f"{kind} with a message of {not_quoted(len(detail))}" if detail else ""


_OURS: Final = str(Path(__file__).parent)


def _is_ours(filename: str) -> bool:
    return filename.startswith(_OURS)


def _cut(text: str, limit: int) -> str:
    if len(text) > limit:
        half = limit // 2
        left_out = f"\n... ({len(text) - limit:,} characters left out) ...\n"
        text = text[:half] + left_out + text[-half:]
    return text.encode("utf-8", "replace").decode().replace("\0", "\\0")
