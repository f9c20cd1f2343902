"""What runs on a worker of a Dask cluster: one job, and what it says meanwhile."""

from __future__ import annotations

import contextlib
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from hypernb.engine._body import do_function, failed
from hypernb.engine._capture import Capture
from hypernb.engine._job import Ending, EndKind
from hypernb.engine._spending import Carrying, Purse

if TYPE_CHECKING:
    from hypernb.engine._job import Job
    from hypernb.model import Usage

TOPIC: Final = "hypernb"
_PULSE_S: Final = 0.25


def do(job: Job, heartbeat_s: float, output_bytes: int, path: tuple[str, ...]) -> Ending:
    """Call a job's function on this worker; whatever it does comes back as an ending.

    Dask begins a job anew when its worker has died; one that is not safe to repeat then ends
    as lost.

    Args:
        job: What to do.
        heartbeat_s: How often a silent job says that it lives.
        output_bytes: How much of what it prints is kept.
        path: Directories that it may import from, besides those of the worker.
    """
    from distributed import Event

    if not job.repeatable:
        begun = Event(f"hypernb {job.key}")
        if begun.is_set():
            return Ending(EndKind.LOST, detail="its worker died, and it may have done a part")
        begun.set()
    sys.path += [entry for entry in path if entry not in sys.path]
    capture = Capture(output_bytes)
    over = threading.Event()
    teller = threading.Thread(
        target=_tell, args=(job.key, capture, over, heartbeat_s, _teller()), daemon=True
    )
    teller.start()
    # Told with the ending: what is said meanwhile takes another way, and may come after it.
    paid: list[Usage] = []
    try:
        with (
            contextlib.redirect_stdout(capture),
            contextlib.redirect_stderr(capture),
            Carrying(Purse(paid.append, job.allowance)),
        ):
            output = do_function(job)
        dropped = _end(over, teller, capture)
        ending = Ending(EndKind.SUCCEEDED, output=output, dropped_bytes=dropped)
    except BaseException as error:  # noqa: BLE001 - the border to the task's own code
        ending = failed(error, job, dropped_bytes=_end(over, teller, capture))
    return replace(ending, usage=(*paid,))


def _end(over: threading.Event, teller: threading.Thread, capture: Capture) -> int:
    over.set()
    teller.join()
    return capture.restart()


def _teller() -> Any:
    from distributed import get_worker

    # Of the thread that the job runs in; other threads do not know their worker.
    return get_worker().log_event


def _tell(
    key: str, capture: Capture, over: threading.Event, heartbeat_s: float, say: Any
) -> None:
    silent_s = 0.0
    while not over.wait(min(_PULSE_S, heartbeat_s)):
        silent_s += _PULSE_S
        if text := capture.collect():
            say(TOPIC, {"key": key, "kind": "printed", "text": text})
            silent_s = 0.0
        elif silent_s >= heartbeat_s:
            say(TOPIC, {"key": key, "kind": "alive"})
            silent_s = 0.0
    if text := capture.collect():
        say(TOPIC, {"key": key, "kind": "printed", "text": text})
