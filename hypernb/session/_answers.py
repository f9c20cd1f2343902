"""What a mission's result says, for views: read from the store, and nothing of it is run."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from hypernb import codec
from hypernb.errors import HypernbError
from hypernb.model import Answer, Report, TaskState
from hypernb.session._failures import failure_of
from hypernb.views import ANSWERS_SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypernb.abc import Store
    from hypernb.model import Digest, MissionSnapshot, TaskRecord

_FAILED: Final = 50
_READ_BYTES: Final = 2_000_000
_UNREAD: Final = (codec.PICKLE, codec.BYTES)
_ROWS: Final = 20
_WIDTH: Final = 100


def with_end(store: Store, snapshot: MissionSnapshot) -> MissionSnapshot:
    """Return a mission that has ended with its answers, and the tracebacks of what has failed.

    A report that proposes a sprint is left out: views show all of it already.
    """
    if not snapshot.mission.state.is_final:
        return snapshot
    there = itertools.islice(_there(snapshot), ANSWERS_SHOWN)
    found = (_answer(store, task) for task in there)
    failed = [task for task in snapshot.tasks if task.state is TaskState.FAILED]
    errors = {task.name: failure_of(store, task) for task in failed[:_FAILED]}
    return replace(
        snapshot,
        answers=tuple(each for each in found if each is not None),
        tracebacks={name: each.traceback for name, each in errors.items() if each},
    )


def result_as_json(store: Store, snapshot: MissionSnapshot) -> Any:
    """Return the result as JSON values, what has no such form as text; None before the end.

    That of one task as it is, those of several by their names.
    """
    there = {task.name: _as_json(store, task) for task in _there(snapshot)}
    is_one = snapshot.plan is None or len(snapshot.plan.result_tasks) == 1
    return next(iter(there.values()), None) if is_one else there or None


def _there(snapshot: MissionSnapshot) -> Iterator[TaskRecord]:
    if snapshot.plan is None or not snapshot.mission.state.is_final:
        return
    known = {task.name: task for task in snapshot.tasks}
    for name in snapshot.plan.result_tasks:
        task = known.get(name)
        if task is not None and task.state is TaskState.SUCCEEDED and task.output is not None:
            yield task


def _answer(store: Store, task: TaskRecord) -> Answer | None:
    value = _value(store, task.output)
    match value:
        case str():
            return Answer(task.name, value, is_text=True) if value.strip() else None
        case Report():
            return None if value.sprint else Answer(task.name, value.summary, is_text=True)
        case _Table():
            return Answer(task.name, value.text, about=task.note)
        case _Unread():
            return Answer(task.name, "", about=task.note) if task.note else None
        case None:
            return None
        case _:
            text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
            return Answer(task.name, text, about=task.note)


def _as_json(store: Store, task: TaskRecord) -> Any:
    value = _value(store, task.output)
    match value:
        case Report():
            return value.summary
        case _Table():
            return value.text
        case _Unread():
            return task.note or None
        case _:
            return value


class _Unread:
    """A value whose bytes say nothing without running what is in them, or that is too large."""


class _Table:
    """A table, of which the first rows are told."""

    def __init__(self, text: str) -> None:
        self.text = text


def _value(store: Store, digest: Digest | None) -> Any:
    try:
        record = None if digest is None else store.artifact_record(digest)
        if record is None or record.media_type in _UNREAD or record.size_bytes > _READ_BYTES:
            return _Unread()
        kind = record.media_type
        _, data = store.artifact(record.digest)
        value = _table(data) if kind == codec.PARQUET else codec.decode(kind, data)
        return _Unread() if isinstance(value, bytes) else value
    except HypernbError:  # it is told where somebody asks for the value
        return _Unread()


def _table(data: bytes) -> _Table | _Unread:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from hypernb.views import table_text

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        batch = next(file.iter_batches(_ROWS), None)
    except pa.ArrowException:
        return _Unread()
    names = file.schema_arrow.names
    rows = [] if batch is None else [list(row.values()) for row in batch.to_pylist()]
    text = table_text(names, rows, width=_WIDTH)
    more = file.metadata.num_rows - len(rows)
    return _Table(f"{text}\n{more:,} more rows" if more > 0 else text)
