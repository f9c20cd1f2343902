"""Outputs of tasks, and what a mission was for, ready to be shown by a view."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import orjson

from hypernb import codec
from hypernb.errors import HypernbError
from hypernb.model import Digest, MissionState
from hypernb.views import line, named, words
from hypernb.widgets._facts import phrase
from hypernb.widgets._markdown import blocks
from hypernb.widgets._shown import Seen, findings, nothing, see, see_text, size_of

if TYPE_CHECKING:
    from hypernb.model import PlanSpec, TaskRecord
    from hypernb.session import Mission
    from hypernb.views import Phrase
    from hypernb.widgets._frames import Shown

OUTPUTS_AT_MOST: Final = 200
BYTES_AT_MOST: Final = 100_000_000
_BRIEFS_KEPT: Final = 4_096

_briefs: dict[Digest, str] = {}
"""What outputs are, by digest: bytes of one digest never change."""


def output(mission: Mission, task: str = "") -> dict[str, Any]:
    """Return the output of a task or, if none is named, what the mission was for.

    What cannot be shown (yet) is a sentence that says why; only a task that the plan does not
    have is refused.

    Raises:
        UnknownTaskError: The plan has no such task; near misses are named.
    """
    return _of_task(mission, task) if task else _of_mission(mission)


def _of_task(mission: Mission, name: str) -> dict[str, Any]:
    record = mission.tasks[name].record
    seen = _seen(mission, record)
    return {
        "task": record.name,
        "what": seen.what,
        "python": _getting_it(mission) + python_of(record.name),
        "shown": _read(seen.shown),
    }


def _of_mission(mission: Mission) -> dict[str, Any]:
    records = mission.session.store.tasks(mission.record.id)
    ready = [record for record in records if record.output is not None]
    seen = _result(mission, {record.name: record for record in records})
    found, get = mission.findings, _getting_it(mission)
    return {
        "task": "",
        "what": seen.what,
        "python": get + ("m.partial_result()" if _has_a_part(mission) else "m.result()"),
        "shown": _read(seen.shown),
        "mission": {
            "result": phrase(_will_be(mission.plan)),
            "findings": findings(found),
            "all_findings": _all_findings(mission),
            "outputs": [
                {
                    "task": record.name,
                    "what": _brief(mission, record),
                    "python": get + python_of(record.name),
                }
                for record in ready[:OUTPUTS_AT_MOST]
            ],
            "total_outputs": len(ready),
            "total_tasks": len(records),
        },
    }


def python_of(task: str) -> str:
    """Write how to get the output of a task, whatever its name is.

    Example:
        >>> python_of("map-repo")
        'm.tasks["map-repo"].output'
    """
    return f"m.tasks[{json.dumps(task)}].output"


def _getting_it(mission: Mission) -> str:
    """Write the lines with which a cell of this kernel gets ``m``, whatever it has run."""
    if known := _in_python(mission):
        return f"import hypernb\nm = {known}\n"
    # The magics have a store open whose address, with its password, no copy may tell.
    return f"m = %hyper attach {mission.id}\n"


def _all_findings(mission: Mission) -> str:
    known = _in_python(mission)
    return f"import hypernb; {known}.findings" if known else "m.findings"


def _in_python(mission: Mission) -> str:
    session = mission.session.in_python
    return f"{session}.mission({json.dumps(mission.id)})" if session else ""


# -- one value ---------------------------------------------------------------------------


def _read(shown: Shown) -> Shown:
    """Read the Markdown in an output; not before it is sent, as most is only described."""
    match shown["kind"]:
        case "markdown":
            return {"kind": "markdown", "blocks": blocks(shown["text"])}
        case "report":
            parts = [{**part, "shown": _read(part["shown"])} for part in shown["parts"]]
            return {**shown, "parts": parts}
        case _:
            return shown


def _seen(mission: Mission, record: TaskRecord) -> Seen:
    if record.output is None:
        state = words.state_word(record.state).word
        said = f"{line(record.name, cut_at=120)} has left no output: it is {state}."
        return Seen("nothing yet", nothing(said))
    return _stored(mission, record.output)


def _stored(mission: Mission, digest: Digest) -> Seen:
    store = mission.session.store
    try:
        record, data = store.artifact(digest)
        if record.size_bytes > BYTES_AT_MOST:
            size, most = size_of(record.size_bytes), size_of(BYTES_AT_MOST)
            why = f"It has {size}; up to {most} are shown here. In Python it is there in full."
            return Seen(f"a value, {size}", nothing(why))
        if record.media_type.startswith("text/"):
            return see_text(data.decode("utf-8", "replace"), record.media_type)
        value = codec.decode(record.media_type, data)
    except HypernbError as error:
        # Its own words: they say whose pickle it is, or what cannot be imported, and what
        # to do.
        return Seen("not shown", nothing(str(error)))

    def open_file(wanted: str) -> tuple[str, bytes]:
        file, content = store.artifact(Digest(wanted))
        return file.media_type, content

    return see(value, open_file)


# -- the mission's result ----------------------------------------------------------------


def _result_tasks(mission: Mission) -> list[str]:
    return list(mission.plan.result_tasks[:OUTPUTS_AT_MOST])


def _will_be(plan: PlanSpec) -> Phrase:
    """Say what the result will be; the sentence may go on."""
    tasks = plan.result_tasks
    if len(tasks) == 1:
        when = "it has succeeded" if tasks == plan.last_tasks else "all have ended"
        return ("The result is what ", named(tasks[0]), f" gives, when {when}")
    many = words.count(len(tasks), "task")
    return (f"The result is what {many} give, by name, when all have ended",)


def _result(mission: Mission, records: dict[str, TaskRecord]) -> Seen:
    record = mission.record
    if record.state is not MissionState.SUCCEEDED and not _has_a_part(mission):
        return Seen(
            "nothing yet" if not record.state.is_final else "nothing", _no_result(mission)
        )
    wanted = [records[name] for name in _result_tasks(mission) if name in records]
    if len(wanted) == 1:
        return _seen(mission, wanted[0])
    parts = [
        {"title": line(each.name, cut_at=120), "what": seen.what, "shown": seen.shown}
        for each in wanted[:OUTPUTS_AT_MOST]
        for seen in [_seen(mission, each)]
    ]
    what = f"dict, {words.count(len(wanted), 'output')} by task"
    return Seen(what, {"kind": "report", "summary": "", "parts": parts})


def _has_a_part(mission: Mission) -> bool:
    """Tell whether it has failed, and something of its result is there nevertheless."""
    if not mission.state.is_final:
        return False
    failure = mission.failure
    return failure is not None and bool(failure.there)


def _no_result(mission: Mission) -> Shown:
    record = mission.record
    word = words.state_word(record.state).word
    if not record.state.is_final:
        return nothing(f"Not ready yet: {mission.id} is {word}.")
    because = words.because(record.state, record.error, cut_at=600)
    return nothing(f"There is no result: {mission.id} {_ended(record.state, word)}{because}")


def _ended(state: MissionState, word: str) -> str:
    return word if state is MissionState.FAILED else f"was {word}"


# -- what outputs are, for a list of them ------------------------------------------------


def _brief(mission: Mission, record: TaskRecord) -> str:
    """Say in a few words what an output is. A pickle is not opened for that."""
    if record.outcome:
        many = words.count(record.findings, "finding")
        return f"Report, {many if record.findings else record.outcome}"
    if record.output is None:
        return ""
    known = _briefs.get(record.output)
    if known is None:
        known = _look_into(mission, record.output)
        if len(_briefs) >= _BRIEFS_KEPT:
            _briefs.clear()
        _briefs[record.output] = known
    return known


def _look_into(mission: Mission, digest: Digest) -> str:
    try:
        artifact, data = mission.session.store.artifact(digest)
    except HypernbError as error:
        return line(f"not opened: {type(error).__name__}", cut_at=80)
    try:
        said = _content(artifact.media_type, data)
    except Exception:  # noqa: BLE001  bytes that are not what their media type says
        said = "a value"
    return said if "," in said else f"{said}, {size_of(artifact.size_bytes)}"


def _content(media_type: str, data: bytes) -> str:
    match media_type:
        case codec.PARQUET:
            return _rows_in(data)
        case codec.JSON if len(data) <= BYTES_AT_MOST:
            return see(orjson.loads(data)).what
        case codec.BYTES:
            return see(data).what
        case codec.PICKLE:
            return "a Python object"
        case _:
            return line(media_type, cut_at=60)


def _rows_in(data: bytes) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(pa.BufferReader(data))
    names = file.schema_arrow.names
    # The index is a column of the file, of the frame it is none.
    columns = sum(not name.startswith("__index_level_") for name in names)
    return (
        f"DataFrame, {words.count(file.metadata.num_rows, 'row')}, "
        f"{words.count(columns, 'column')}"
    )
