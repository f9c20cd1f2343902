"""Keys that lie in what is to be stored: they are refused, and not written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypernb.codec import PARQUET
from hypernb.errors import UsageError
from hypernb.redact import SHORTEST_KEY, key_forms
from hypernb.session._hosting import keys_here

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from hypernb.abc import Payload
    from hypernb.model import Digest, PlanSpec


def secrets_here(root: Path | None) -> dict[str, str]:
    """Return the keys of models that this process has and that are secrets, by variable."""
    return {name: key for name, key in keys_here(root).items() if len(key) >= SHORTEST_KEY}


def refuse_keys(
    spec: PlanSpec, payloads: Mapping[Digest, Payload] | None, root: Path | None
) -> None:
    """Refuse a plan that would bring a key into the store.

    Raises:
        UsageError: One of its values, or the plan itself, holds one.
    """
    secrets = secrets_here(root)
    if not secrets:
        return
    names = {digest: f"the input {name!r}" for name, digest in spec.inputs.items()}
    _refuse("the plan", found_in([spec.model_dump_json().encode()], secrets))
    for digest, payload in (payloads or {}).items():
        what = names.get(digest, f"what is handed in ({digest[:12]})")
        _refuse(what, found_in(readable(payload), secrets))


def _refuse(what: str, found: list[str]) -> None:
    if found:
        raise UsageError(
            f"{' and '.join(found)} stands in {what}, and keys are not stored.",
            hint="Leave it out; models are asked with it all the same.",
        )


def found_in(pieces: Iterable[bytes], secrets: Mapping[str, str]) -> list[str]:
    """Return the variables whose keys lie in bytes, in all forms that are known of a key."""
    forms = {variable: key_forms((key,)) for variable, key in secrets.items()}
    return sorted(
        {
            variable
            for piece in pieces
            for variable, known in forms.items()
            if known.lie_in(piece)
        }
    )


def readable(payload: Payload) -> Iterator[bytes]:
    """Yield the bytes in which the texts of a value stand as they are.

    Those of a pickle and of JSON do; Parquet packs them. No code of the value is run.
    """
    if payload.media_type != PARQUET:
        yield payload.data
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(payload.data))
    yield "\n".join(table.schema.names).encode()
    yield from (table.schema.metadata or {}).values()
    # Pieces of one column share what holds their texts.
    buffers = {
        buffer.address: buffer
        for column in table.columns
        for chunk in column.chunks
        for buffer in _buffers(chunk)
    }
    for buffer in buffers.values():
        yield buffer.to_pybytes()


def _buffers(chunk: Any) -> Iterator[Any]:
    import pyarrow as pa

    if pa.types.is_primitive(chunk.type):
        return
    texts = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
    yield from filter(None, texts.buffers())
