"""Values as bytes and back: how inputs, outputs and functions lie in the store."""

from __future__ import annotations

import functools
import hashlib
import inspect
import itertools
import math
import mimetypes
import pickle
import reprlib
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic_core import PydanticSerializationError

from hypernb.abc import Payload
from hypernb.errors import CannotShipError
from hypernb.model import Digest, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

JSON: Final = "application/json"
REPORT: Final = "application/vnd.hypernb.report+json"
PARQUET: Final = "application/vnd.apache.parquet"
BYTES: Final = "application/octet-stream"
PICKLE: Final = "application/x-python-pickle"

TEXT_AT_MOST: Final = 100_000
"""Characters of a value that full-text search knows."""

_JSON_DEPTH: Final = 200  # orjson stops at 254
_JSON_WIDTH: Final = 5_000_000
_JSON_TYPES: Final = frozenset({type(None), bool, int, float, str, list, dict})
_CULPRIT_DEPTH: Final = 5
_CULPRIT_WIDTH: Final = 200
_SHOWN_ROWS: Final = 20
_ROWS_AT_ONCE: Final = 100_000

# A file that an agent left never becomes a pickle by its name: pickles are signed and loaded.
_MEDIA_TYPES: Final = {
    ".diff": "text/x-diff",
    ".ipynb": "application/x-ipynb+json",
    ".json": JSON,
    ".jsonl": "application/x-ndjson",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".parquet": PARQUET,
    ".patch": "text/x-diff",
    ".pickle": BYTES,
    ".pkl": BYTES,
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


def digest(data: bytes) -> Digest:
    """Return the SHA-256 of the bytes, in lower-case hexadecimal.

    Example:
        >>> digest(b"")[:8], len(digest(b""))
        ('e3b0c442', 64)
    """
    return Digest(hashlib.sha256(data).hexdigest())


def encode(value: Any, *, what: str = "") -> Payload:
    """Write a value as bytes that give the very same value back.

    What JSON or Parquet would change on the way (tuples, NaN, numpy scalars, columns of mixed
    objects ...) is pickled instead, functions and classes of a notebook by value.

    Args:
        what: What the value is, for the error: ``the output of task 'clean'``.

    Raises:
        CannotShipError: The value holds something that lives only in this process.

    Example:
        >>> encode({"rows": 3}).media_type, encode((1, 2)).media_type
        ('application/json', 'application/x-python-pickle')
    """
    if value is None:
        return _NONE  # nothing that anybody would search for
    payload = (
        _encode_bytes(value)
        or _encode_report(value)
        or _encode_frame(value)
        or _encode_json(value)
    )
    return payload or _encode_pickle(value, what or "The value")


def decode(media_type: str, data: bytes) -> Any:
    """Read a value back.

    Loading a pickle runs code. This function trusts its caller: hand it only bytes that the
    store has returned, which it does for pickles that this user has signed on this machine,
    or that came from a process of one's own.

    Returns:
        The value; text for other ``text/`` types, and the bytes as they are for the rest.

    Raises:
        CannotShipError: A pickle needs a module or a name that is not here, or the bytes are
            not what the media type says.
    """
    reader = _READERS.get(media_type)
    if reader is None:
        return data.decode("utf-8", "replace") if media_type.startswith("text/") else data
    try:
        return _read(reader, data)
    except ImportError as error:
        name = error.name or str(error)
        raise CannotShipError(
            f"A stored value cannot be read here: it needs the module {name!r}.",
            hint="Make that module importable here, or run the task again.",
        ) from error
    except Exception as error:
        raise CannotShipError(
            f"A stored value ({media_type}) cannot be read here: {_said(error)}.",
            hint="The code that it belongs to may have changed; run the task again.",
        ) from error


def _read(reader: Callable[[bytes], Any], data: bytes) -> Any:
    try:
        return reader(data)
    except KeyError:
        # An import that ends in another thread takes its module out of sys.modules for a
        # moment, and one that asks for it just then is told so.
        return reader(data)


def guess_media_type(filename: str) -> str:
    """Say what a file holds, by its name, the same on every machine.

    Example:
        >>> guess_media_type("proposed_sprint.json"), guess_media_type("model.pkl")
        ('application/json', 'application/octet-stream')
    """
    known = _MEDIA_TYPES.get(PurePath(filename).suffix.lower())
    return known or _builtin_types().guess_type(filename, strict=True)[0] or BYTES


@functools.cache
def _builtin_types() -> mimetypes.MimeTypes:
    # mimetypes.guess_type reads /etc/mime.types and the Windows registry; this does not.
    return mimetypes.MimeTypes()


def _encode_bytes(value: Any) -> Payload | None:
    return Payload(BYTES, value) if type(value) is bytes else None


# --- JSON -------------------------------------------------------------------------------


def _encode_json(value: Any) -> Payload | None:
    if not _survives_json(value):
        return None
    try:
        data = orjson.dumps(value)
    except (TypeError, RecursionError):  # integers beyond 64 bits, lone surrogates
        return None
    text = value if type(value) is str else data[: 4 * TEXT_AT_MOST].decode("utf-8", "ignore")
    return Payload(JSON, data, _searchable(text))


def _survives_json(value: Any) -> bool:
    """Tell whether all types in a value, level by level, are JSON's own.

    Walking by levels needs no recursion, and a bound on depth and width ends it on values
    that hold themselves or the same list a million times over.
    """
    level = [value]
    for _ in range(_JSON_DEPTH):
        kinds = set(map(type, level))
        if not kinds <= _JSON_TYPES or not _leaves_survive(level, kinds):
            return False
        below: list[Any] = []
        for item in level if kinds & {list, dict} else ():
            if type(item) is list:
                below += item
            elif type(item) is dict:
                if not all(type(key) is str for key in item):
                    return False
                below += item.values()
            if len(below) > _JSON_WIDTH:
                return False
        if not below:
            return True
        level = below
    return False


def _leaves_survive(level: list[Any], kinds: set[type]) -> bool:
    return float not in kinds or all(
        math.isfinite(item) for item in level if type(item) is float
    )


# --- reports ----------------------------------------------------------------------------


def _encode_report(value: Any) -> Payload | None:
    if type(value) is not Report:
        return None
    facts = [value.facts, *(run.facts for run in value.runs)]
    if not _survives_json(facts):
        return None
    try:
        data = value.model_dump_json().encode()
    except (PydanticSerializationError, UnicodeEncodeError):
        return None
    return Payload(REPORT, data, _searchable("\n".join(_report_lines(value))))


def _report_lines(report: Report) -> Iterator[str]:
    yield report.summary
    for run in report.runs:
        if run.reason:
            yield f"{run.tool}: {run.reason}"
    for item in report.sprint:
        yield f"{item.title}: {item.why}"
    for finding in report.findings:
        yield f"{finding.where} {finding.rule} {finding.message}"


# --- DataFrames -------------------------------------------------------------------------


def _encode_frame(value: Any) -> Payload | None:
    pandas = sys.modules.get("pandas")
    if pandas is None or type(value) is not pandas.DataFrame or not _suits_parquet(value):
        return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pa.Table.from_pandas(value)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        data = sink.getvalue().to_pybytes()
        back = _read_frame(data)
    # pyarrow's own exceptions derive from these, and pandas adds its own kinds of ValueError.
    except (pa.ArrowException, TypeError, ValueError, KeyError, OverflowError, AttributeError):
        return None
    if not _same_frame(value, back):
        return None
    return Payload(PARQUET, data, _searchable(_frame_text(value)))


def _suits_parquet(frame: pd.DataFrame) -> bool:
    """Refuse cheaply what Parquet would change in ways that an equality test can miss."""
    import pandas as pd

    if isinstance(frame.index, pd.MultiIndex) or not all(type(c) is str for c in frame.columns):
        return False
    series = [*(frame.iloc[:, i] for i in range(frame.shape[1])), frame.index.to_series()]
    return frame.columns.is_unique and all(
        column.dtype != object
        or pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty")
        for column in series
    )


def _read_frame(data: bytes) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame: pd.DataFrame = pq.read_table(pa.BufferReader(data)).to_pandas()
    return frame


def _same_frame(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Tell whether two frames are the same in values, dtypes, index and attributes.

    Reading back costs a fraction of writing (a million rows of ten columns: 60 ms after
    400), so it is done always instead of guessing which dtypes come through.
    """
    return (
        bool((one.dtypes == other.dtypes).all())
        and type(one.index) is type(other.index)
        and one.index.dtype == other.index.dtype
        and one.index.name == other.index.name
        and getattr(one.index, "freq", None) == getattr(other.index, "freq", None)
        and type(one.columns) is type(other.columns)
        and one.columns.dtype == other.columns.dtype
        and one.columns.name == other.columns.name
        and one.attrs == other.attrs
        and one.flags == other.flags
        and one.equals(other)
    )


def _frame_text(frame: pd.DataFrame) -> str:
    columns = ", ".join(f"{name} ({dtype})" for name, dtype in frame.dtypes.items())
    head = frame.head(_SHOWN_ROWS).to_csv(index=False)
    return f"{len(frame)} rows, {frame.shape[1]} columns; {columns}\n{head}"


# --- pickles ----------------------------------------------------------------------------


def _encode_pickle(value: Any, what: str) -> Payload:
    import cloudpickle

    try:
        data: bytes = cloudpickle.dumps(value)
    except Exception as error:
        place = _culprit(value)
        because = f"{place}: {_said(error)}" if place else _said(error)
        raise CannotShipError(
            f"{what[:1].upper()}{what[1:]} cannot be sent to another process: {because}.",
            hint="Make such a thing inside the function, or hand over what it is made from.",
        ) from error
    return Payload(PICKLE, data, _searchable(_short_repr(value)))


def _culprit(value: Any) -> str:
    """Say where in a value that cannot be pickled the reason sits; empty if not found."""
    steps: list[str] = []
    seen = [value]  # kept alive, so that an identity is not used twice
    while len(steps) < _CULPRIT_DEPTH:
        fresh = (both for both in _parts(value) if not any(both[1] is one for one in seen))
        parts = itertools.islice(fresh, _CULPRIT_WIDTH)
        bad = next(((label, part) for label, part in parts if not _pickles(part)), None)
        if bad is None:
            break
        label, value = bad
        steps.append(label)
        seen.append(value)
    return f"{' of '.join(reversed(steps))} is a {type(value).__name__}" if steps else ""


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if inspect.isfunction(value):
        closure = inspect.getclosurevars(value)
        named = {**closure.nonlocals, **closure.globals}
        yield from ((f"the variable {name!r}", held) for name, held in named.items())
        yield from (("a default", held) for held in value.__defaults__ or ())
    elif isinstance(value, functools.partial):
        yield from [
            ("the function", value.func),
            ("the arguments", (value.args, value.keywords)),
        ]
    elif isinstance(value, dict):
        yield from ((f"the item {_short_repr(key)}", held) for key, held in value.items())
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from ((f"the item {number}", held) for number, held in enumerate(value))
    elif isinstance(held := getattr(value, "__dict__", None), dict):
        yield from ((f"the attribute {name!r}", part) for name, part in held.items())


def _pickles(value: Any) -> bool:
    import cloudpickle

    try:
        cloudpickle.dumps(value)
    except Exception:  # noqa: BLE001  as above: this looks for what raised
        return False
    return True


def _said(error: Exception) -> str:
    words = str(error).strip().rstrip(".")
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


# --- what stands in bytes ---------------------------------------------------------------


def readable(payload: Payload) -> Iterator[bytes]:
    """Yield the bytes in which the texts of a value stand as they are.

    Those of a pickle and of JSON do; Parquet packs them. No code of the value is run.

    Raises:
        ValueError: It is said to be Parquet, and is not.
    """
    if payload.media_type != PARQUET:
        yield payload.data
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(payload.data))
        schema = file.schema_arrow
        yield "\n".join(schema.names).encode()
        yield from (schema.metadata or {}).values()
        texts = [field.name for field in schema if not pa.types.is_primitive(field.type)]
        # In parts: unpacked, a table can be far larger than what there is room for.
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=texts) if texts else ():
            for column in batch.columns:
                yield from _buffers(column)
    except pa.ArrowException as error:
        raise ValueError("It is no Parquet.") from error


def _buffers(column: Any) -> Iterator[bytes]:
    import pyarrow as pa

    texts = column.dictionary if pa.types.is_dictionary(column.type) else column
    for buffer in filter(None, texts.buffers()):
        yield buffer.to_pybytes()


# --- text for the search ----------------------------------------------------------------


def _short_repr(value: Any) -> str:
    brief = reprlib.Repr()
    brief.maxlevel = 3
    brief.maxlist = brief.maxtuple = brief.maxset = brief.maxdict = 50
    brief.maxstring = brief.maxother = 2_000
    return brief.repr(value)


def _searchable(text: str) -> str:
    """Cut to size, and drop what databases refuse in text: NUL and lone surrogates."""
    return text[:TEXT_AT_MOST].replace("\0", " ").encode("utf-8", "replace").decode()


_NONE: Final = Payload(JSON, b"null")

_READERS: Final[dict[str, Callable[[bytes], Any]]] = {
    BYTES: bytes,
    JSON: orjson.loads,
    PARQUET: _read_frame,
    PICKLE: pickle.loads,
    REPORT: Report.model_validate_json,
}
