"""What a finished attempt leaves: its output, and for reports what they say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from hypernb import codec
from hypernb.abc import Payload
from hypernb.engine._body import STORED
from hypernb.engine._job import Ending, EndKind, Value
from hypernb.model import Digest, Outcome, Report

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from hypernb.abc import Store
    from hypernb.model import Finding


_NOTE_CHARS: Final = 200
_LOOKED_INTO_BYTES: Final = 200_000
_TABLE: Final = re.compile(r"(\d{1,15}) rows, (\d{1,9}) columns;")


@dataclass(frozen=True, slots=True)
class Product:
    """The output of a task, and what is shown of it.

    Attributes:
        digest: SHA-256 of the output's bytes.
        note: A report's summary, the beginning of a text, or of what kind and size another
            value is; None for no value.
        outcome: A report's outcome in words, or None.
    """

    payload: Payload
    digest: Digest
    note: str | None = None
    outcome: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def value(self) -> Value:
        """The output as the tasks that need it get it."""
        return Value(self.payload.media_type, self.payload.data)


def product_of(ending: Ending, store: Store) -> Product:
    """Read what an attempt left; store its files and name them in its report. Blocking.

    Raises:
        StoreError: A file cannot be stored.
    """
    payload = ending.output
    if payload is None:
        raise AssertionError("A job that succeeded has an output; please report this.")
    if payload.media_type == STORED:
        record, data = store.artifact(_named(payload))
        stored = Payload(record.media_type, data)
        is_table = record.media_type == codec.PARQUET
        note = _footer_note(data) if is_table else note_of(stored)
        return Product(stored, codec.digest(data), note=note)
    if payload.media_type != codec.REPORT:
        return Product(payload, codec.digest(payload.data), note=note_of(payload))
    report = Report.model_validate_json(payload.data)
    if ending.files:
        left = report.files | _stored(ending.files, store)
        report = report.model_copy(update={"files": left})
        payload = codec.encode(report)
    own = report.own()
    return Product(
        payload,
        codec.digest(payload.data),
        note=report.summary,
        outcome=(Outcome.SUMMED_UP if report.sums_up else own.outcome).value,
        findings=own.findings,
    )


def note_of(payload: Payload) -> str | None:
    """Say what an output is, as far as that costs little; a view then need not fetch it.

    Example:
        >>> note_of(codec.encode({"rows": 3, "mean": 0.5})), note_of(codec.encode([1, 2]))
        ('an object with 2 keys: rows, mean', 'a list of 2')
    """
    match payload.media_type:
        case codec.JSON:
            return _json_note(payload)
        case codec.PARQUET:
            return _table_note(payload)
        case codec.PICKLE if payload.text:
            return _beginning(payload.text)
        case _:
            return f"a value of {_count(len(payload.data), 'byte')}"


def _json_note(payload: Payload) -> str | None:
    data = payload.data
    if data == b"null":
        return None
    if data.startswith(b'"'):
        return _beginning(payload.text.strip('"'))
    if len(data) > _LOOKED_INTO_BYTES:
        return f"a value of {_count(len(data), 'byte')}"
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if isinstance(value, dict):
        keys = f": {', '.join(value)}" if value else ""
        return _beginning(f"an object with {_count(len(value), 'key')}{keys}")
    return f"a list of {len(value):,}" if isinstance(value, list) else _beginning(str(value))


def _table_note(payload: Payload) -> str:
    sizes = _TABLE.match(payload.text)
    return "a table" if sizes is None else _table_words(*map(int, sizes.groups()))


def _footer_note(data: bytes) -> str:
    """Say how large a table is whose text nobody has at hand; only its footer is read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        footer = pq.read_metadata(pa.BufferReader(data))
    except (pa.ArrowException, OSError):
        return "a table"
    names = [footer.schema.column(place).name for place in range(footer.num_columns)]
    columns = [name for name in names if not name.startswith("__index_level_")]
    return _table_words(footer.num_rows, len(columns))


def _table_words(rows: int, columns: int) -> str:
    return f"a table of {_count(rows, 'row')}, {_count(columns, 'column')}"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _beginning(text: str) -> str:
    words = " ".join(text.split())
    if len(words) <= _NOTE_CHARS:
        return words
    # In the words of views, which then count nothing anew that they have to cut further. Of
    # what is longer than is kept for the search, nobody has counted the rest.
    known = f" (cut here; {len(text):,} characters in all)"
    return f"{words[:_NOTE_CHARS].rstrip()}…{known if len(text) < codec.TEXT_AT_MOST else ''}"


def only_own(ending: Ending, values: Collection[Digest]) -> Ending:
    """Return how a job ended; as a failure if its output is a stored value of others.

    Args:
        values: What its own calls of kernels have returned.
    """
    output = ending.output
    if output is None or output.media_type != STORED or _named(output) in values:
        return ending
    said = "its output is a stored value that none of its calls has returned"
    return Ending(EndKind.FAILED, error_kind="ContractError", detail=said)


def _named(output: Payload) -> Digest:
    return Digest(output.data.decode("ascii", "replace"))


def _stored(files: Mapping[str, Path], store: Store) -> dict[str, str]:
    payloads = [
        Payload(codec.guess_media_type(name), path.read_bytes()) for name, path in files.items()
    ]
    return dict(zip(files, store.put_artifacts(payloads), strict=True))
