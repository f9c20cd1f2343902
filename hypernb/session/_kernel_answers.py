"""What a call of a kernel's tool gives: an object that is kept, and what a model is told."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import signal
import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypernb.codec import encode, readable
from hypernb.errors import CannotShipError, HypernbError
from hypernb.model import Grant
from hypernb.plan import refuse_too_large
from hypernb.redact import keys_in, redact, without_keys
from hypernb.session._keys_inside import secrets_here
from hypernb.session._printed import printed_here
from hypernb.tools import bounded, describe_variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hypernb.abc import Payload, Store
    from hypernb.model import Digest
    from hypernb.tools import KernelTool

INTERRUPTED: Final = "the person interrupted it."

_ERROR_CHARS: Final = 2_000
_FRAMES: Final = 5
_LOOKED_AT_CHARS: Final = 200_000
_TOLD_CHARS: Final = 20_000
_ITEMS_TOLD_WHOLE: Final = 100_000
_PACKAGE: Final = str(Path(__file__).parents[1])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call.

    Attributes:
        answer: What the model is told; JSON values only.
        value: Digest of the object, if it can be kept.
        error: Why it failed.
    """

    answer: Any = None
    value: Digest | None = None
    error: str = ""


def outcome_of(tool: KernelTool, arguments: Mapping[str, Any], store: Store | None) -> Outcome:
    """Call a tool in this thread, and say what came of it; nothing comes through.

    In the main thread a call that takes too long is interrupted as a cell would be; in
    others, whoever waits for it stops waiting.

    Args:
        store: Keeps the object; None if it is not kept.
    """
    with printed_here() as printed:
        try:
            with _interrupted_after(tool.tool.timeout_s) as clock:
                value = tool.tool.invoke(None, arguments)
                if inspect.iscoroutine(value):
                    value = asyncio.run(value)
        except KeyboardInterrupt:
            return Outcome(error=clock.words)
        except SystemExit:
            return Outcome(error="it failed: it called exit.")
        except BaseException as error:  # noqa: BLE001 - the border to the user's own code
            return Outcome(error=_said(error))
        return _told_safely(tool.tool.name, value, printed.text, store)


def _told_safely(name: str, value: Any, printed: str, store: Store | None) -> Outcome:
    """Look at what was returned; its class is the user's own code as well."""
    try:
        return _kept(name, value, printed, store)
    except KeyboardInterrupt:
        return Outcome(error=INTERRUPTED)
    except BaseException as error:  # noqa: BLE001 - the border to the user's own code
        return Outcome(error=f"what it returned cannot be read: {_said(error)}")


def _kept(name: str, value: Any, printed: str, store: Store | None) -> Outcome:
    told = _told(name, value)
    digest, problem = None, ""
    if value is not None and store is not None:
        try:
            refuse_too_large(name, value)
            payload = encode(value, what=f"what {name} returned")
            problem = _key_in(payload)
            digest = None if problem else store.put_artifact(payload)
        except CannotShipError as error:
            problem = str(error)
    notes = {"printed": printed, "not_kept": problem}
    notes = {key: redact(_without_keys(said)).text for key, said in notes.items() if said}
    return Outcome(answer={"returned": told, **notes} if notes else told, value=digest)


def _told(name: str, value: Any) -> Any:
    """Return JSON as it is, without what is covered up; of other values their description."""
    if isinstance(value, list | dict) and len(value) > _ITEMS_TOLD_WHOLE:
        return _without_keys(describe_variable(name, value, Grant()).text)
    try:
        text = (
            value
            if type(value) is str
            else json.dumps(value, ensure_ascii=False, allow_nan=False)
        )
        text.encode()
    except (TypeError, ValueError, RecursionError):
        return _without_keys(describe_variable(name, value, Grant()).text)
    # Whoever waits for the main thread is not to wait for what is not told anyway.
    if len(text) > _LOOKED_AT_CHARS:
        # With the mark of the cut, which a key may be cut in two by.
        begin = redact(_without_keys(f"{text[: _LOOKED_AT_CHARS - 1]}…")).text.removesuffix("…")
        more = len(text) - _TOLD_CHARS
        return f"{begin[:_TOLD_CHARS]}\n… {more:,} more characters."
    covered = redact(_without_keys(text)).text
    return bounded(value if covered == text else covered)


def _said(error: BaseException) -> str:
    if isinstance(error, HypernbError):
        cause = error.__cause__
        if cause is None:
            return _covered(str(error))
        error = cause
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_PACKAGE)
    ][-_FRAMES:]
    try:
        words = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - the text of somebody else's exception is code as well
        words = ""
    told = [f"{type(error).__name__}: {words}" if words else type(error).__name__]
    told += [f"  line {frame.lineno} in {frame.name}: {frame.line or ''}" for frame in frames]
    return _covered("\n".join(told))


def _covered(text: str) -> str:
    return redact(_without_keys(text)).text[:_ERROR_CHARS]


def _keys() -> tuple[str, ...]:
    """Return the keys of models that this kernel has: its tools can come by them."""
    return tuple(secrets_here(None).values())


def _without_keys(text: str) -> str:
    return without_keys(text, _keys())


def _key_in(payload: Payload) -> str:
    names = keys_in(readable(payload), secrets_here(None))
    return f"{' and '.join(names)} stands in it, and keys are not stored." if names else ""


class _Clock:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.is_over = False

    @property
    def words(self) -> str:
        """Why it was interrupted."""
        if self.is_over:
            return f"it was still at work after {self._seconds:g} s, and was interrupted."
        return INTERRUPTED


@contextlib.contextmanager
def _interrupted_after(seconds: float) -> Iterator[_Clock]:
    clock = _Clock(seconds)
    if threading.current_thread() is not threading.main_thread():
        yield clock
        return
    # Between cells, kernels ignore the signal that interrupts a cell.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    is_over = threading.Lock()
    ended = threading.Event()

    def interrupt() -> None:
        if ended.wait(seconds):
            return
        with is_over:
            if not ended.is_set():
                clock.is_over = True
                _interrupt_main()

    threading.Thread(target=interrupt, name="hypernb tool clock", daemon=True).start()
    try:
        try:
            yield clock
        finally:
            with is_over:
                ended.set()
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt_main() -> None:
    if sys.platform == "win32":
        import _thread

        _thread.interrupt_main()
        return
    main = threading.main_thread().ident
    if main is not None:
        signal.pthread_kill(main, signal.SIGINT)
