"""Artifacts: bytes known by their SHA-256, small ones in rows, large ones in files beside."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Text, bindparam, insert, select, type_coerce, update

from hypernb.codec import PICKLE
from hypernb.errors import StoreCorruptError, StoreError, UntrustedArtifactError
from hypernb.model import Digest
from hypernb.store import _rows
from hypernb.store import _tables as t
from hypernb.store._bulk import Bulk, Row
from hypernb.store._failures import RESTORE, file_failures_told
from hypernb.store._values import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from hypernb.abc import Payload
    from hypernb.model import ArtifactRecord
    from hypernb.store._keys import SigningKey

ROW_LIMIT_BYTES: Final = 1_000_000
RENEWED_AFTER: Final = timedelta(minutes=30)
"""An artifact that is stored again counts as new, so that no sweep takes it from whoever is
about to name it."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_PURPOSE: Final = "pickle"
_IDS_AT_ONCE: Final = 500

_PRESENT: Final = select(
    t.artifacts.c.digest,
    t.artifacts.c.media_type,
    t.artifacts.c.size_bytes,
    t.artifacts.c.path,
    t.artifacts.c.signature,
    type_coerce(t.artifacts.c.created_at, Text),
).where(t.artifacts.c.digest.in_(bindparam("digests", expanding=True)))
_RECORD: Final = _rows.SELECT_ARTIFACTS.where(t.artifacts.c.digest == bindparam("wanted"))
_ONE: Final = _RECORD.add_columns(t.artifacts.c.data)
_INSERT: Final = Bulk(
    insert(t.artifacts),
    "digest",
    "media_type",
    "size_bytes",
    "created_at",
    "path",
    "signature",
    "data",
)
_RENEW: Final = Bulk(
    update(t.artifacts)
    .where(t.artifacts.c.digest == bindparam("key"))
    .values(
        media_type=bindparam("new_media_type"),
        size_bytes=bindparam("new_size_bytes"),
        created_at=bindparam("new_created_at"),
        path=bindparam("new_path"),
        signature=bindparam("new_signature"),
        data=bindparam("new_data"),
    ),
    "key",
    "new_media_type",
    "new_size_bytes",
    "new_created_at",
    "new_path",
    "new_signature",
    "new_data",
)


@dataclass(frozen=True, slots=True)
class _Prepared:
    digest: Digest
    payload: Payload
    signature: str
    path: str

    def row(self, at: str) -> Row:
        payload = self.payload
        size, data = len(payload.data), None if self.path else payload.data
        return self.digest, payload.media_type, size, at, self.path, self.signature, data


class Artifacts:
    """Writes and reads artifacts; pickles are signed, and returned only if they are.

    Args:
        folder: Where large ones lie; made when the first is written. None keeps all in rows.
        key: Gives the user's key; asked for only when a pickle comes along.
    """

    def __init__(self, folder: Path | None, key: Callable[[], SigningKey]) -> None:
        self.folder = folder
        self._key = key

    # -- writing ------------------------------------------------------------------------

    def prepare(self, payloads: Iterable[Payload]) -> list[_Prepared]:
        """Do what needs no transaction: hash, sign, and write the files of large ones.

        A file is there before the row that names it; a crash in between leaves a file that
        nothing names, which is harmless.
        """
        return [self._prepared(payload, digest_of(payload)) for payload in payloads]

    def prepare_named(self, payloads: Mapping[Digest, Payload]) -> list[_Prepared]:
        """Do the same for payloads whose digests a plan has already written down.

        Raises:
            StoreError: A payload does not have the digest it is filed under.
        """
        for digest, payload in payloads.items():
            if digest_of(payload) != digest:
                raise StoreError(f"A payload does not have the digest it goes by: {digest!r}.")
        return self.prepare(payloads.values())

    def _prepared(self, payload: Payload, digest: Digest) -> _Prepared:
        signature = ""
        if payload.media_type == PICKLE:
            signature = self._key().sign(_PURPOSE, digest)
        path = ""
        if self.folder is not None and len(payload.data) > ROW_LIMIT_BYTES:
            path = relative_path(digest)
            write_file(self.folder / path, payload.data)
        return _Prepared(digest, payload, signature, path)

    def write(
        self, connection: Connection, prepared: Sequence[_Prepared], now: datetime
    ) -> list[Digest]:
        """Write rows, inside a write transaction; return the digests in the order given.

        The same bytes can be two different values (``1`` as JSON, ``b"1"``). The second kind
        to arrive goes by the digest of its media type and its bytes.
        """
        present = _present(connection, [each.digest for each in prepared])
        kinds = {digest: facts[0] for digest, facts in present.items()}
        settled = []
        for each in prepared:
            kind = each.payload.media_type
            is_first = kinds.setdefault(each.digest, kind) == kind
            settled.append(each if is_first else self._apart(each))
        present |= _present(connection, [each.digest for each in settled])
        wanted = {each.digest: each for each in settled}
        at = utc_text(now)
        fresh = [each.row(at) for each in wanted.values() if each.digest not in present]
        _INSERT.run(connection, fresh)
        # A row that is not as we would write it was damaged or made by somebody else.
        settled_at = utc_text(now - RENEWED_AFTER)
        renewed = [
            each.row(at)
            for each in wanted.values()
            if (found := present.get(each.digest))
            and (found[:-1] != _facts(each) or found[-1] < settled_at)
        ]
        _RENEW.run(connection, renewed)
        for each in wanted.values():
            if self.folder and each.path and not (self.folder / each.path).is_file():
                # A sweep removed it between the writing of the file and that of its row.
                write_file(self.folder / each.path, each.payload.data)
        return [each.digest for each in settled]

    def write_named(
        self, connection: Connection, prepared: Sequence[_Prepared], now: datetime
    ) -> None:
        """Write rows of payloads whose digests a plan has written down.

        Raises:
            StoreError: The same bytes are in the store as another kind of value.
        """
        if not prepared:
            return
        written = self.write(connection, prepared, now)
        for each, given in zip(prepared, written, strict=True):
            if each.digest != given:
                raise StoreError(
                    f"Artifact {each.digest[:12]} is in the store as another kind of value; "
                    f"it cannot be {each.payload.media_type!r} as well.",
                    hint="Wrap the value in a list.",
                )

    def _apart(self, prepared: _Prepared) -> _Prepared:
        return self._prepared(prepared.payload, _digest_apart(prepared.payload))

    # -- reading ------------------------------------------------------------------------

    def read(self, connection: Connection, digest: Digest) -> tuple[ArtifactRecord, bytes]:
        """Return record and bytes, after making sure that they are what was stored.

        Raises:
            StoreError: The store has no such artifact.
            UntrustedArtifactError: It is a pickle that this user did not sign.
            StoreCorruptError: The bytes are gone or are others.
        """
        row = connection.execute(_ONE, {"wanted": digest}).one_or_none()
        if row is None:
            raise StoreError(f"The store has no artifact {digest[:120]!r}.")
        record = _rows.artifact(row)
        if record.media_type == PICKLE and not self.is_trusted(record):
            raise UntrustedArtifactError(f"Artifact {digest[:12]}")
        data = row.data if row.data is not None else self._read_file(digest)
        if not is_sound(record, data):
            raise StoreCorruptError(
                f"Artifact {digest[:12]} is damaged: its bytes are not those that were stored.",
                hint=RESTORE,
            )
        return record, data

    def record(self, connection: Connection, digest: Digest) -> ArtifactRecord | None:
        """Return what an artifact is, without its bytes; None if there is none."""
        row = connection.execute(_RECORD, {"wanted": digest}).one_or_none()
        return None if row is None else _rows.artifact(row)

    def is_trusted(self, record: ArtifactRecord) -> bool:
        """Tell whether this user signed it."""
        return self._key().verify(record.signature, _PURPOSE, record.digest)

    def _read_file(self, digest: Digest) -> bytes:
        if self.folder is None:
            raise StoreCorruptError(f"Artifact {digest[:12]} has lost its bytes.", hint=RESTORE)
        # The path comes from the digest, never from the row: a row can say anything.
        path = self.folder / relative_path(digest)
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise StoreCorruptError(
                f"Artifact {digest[:12]} is gone: there is no file {str(path)!r}.", hint=RESTORE
            ) from error
        except OSError as error:
            raise StoreError(f"{str(path)!r} cannot be read: {error.strerror}.") from error


def digest_of(payload: Payload) -> Digest:
    """Return the SHA-256 of the payload's bytes."""
    return Digest(hashlib.sha256(payload.data).hexdigest())


def is_sound(record: ArtifactRecord, data: bytes) -> bool:
    """Tell whether these are the bytes that the record is about."""
    plain = hashlib.sha256(data).hexdigest()
    return plain == record.digest or _apart_hex(record.media_type, data) == record.digest


def relative_path(digest: str) -> str:
    """Return where the file of an artifact lies: ``ab/cdef…``.

    Raises:
        StoreCorruptError: It is not a digest.
    """
    if not _DIGEST.fullmatch(digest):
        raise StoreCorruptError(f"{digest[:120]!r} is not the digest of an artifact.")
    return f"{digest[:2]}/{digest[2:]}"


def write_file(path: Path, data: bytes) -> None:
    """Write a file so that it is either whole or not there, also after a power cut."""
    with file_failures_told(path):
        if path.is_file() and path.read_bytes() == data:
            return
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replacing(path) as draft:
            draft.write_bytes(data)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the path of a draft beside ``path``; it takes its place when all went well."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.draft")
    try:
        yield draft
        sync(draft)
        draft.replace(path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have the system write a file or folder to the disk."""
    if path.is_dir() and os.name != "posix":
        return  # only POSIX can open a folder
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest_apart(payload: Payload) -> Digest:
    return Digest(_apart_hex(payload.media_type, payload.data))


def _apart_hex(media_type: str, data: bytes) -> str:
    return hashlib.sha256(media_type.encode() + b"\x00" + data).hexdigest()


def _present(connection: Connection, digests: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    ordered = sorted(set(digests))
    return {
        digest: tuple(facts)
        for start in range(0, len(ordered), _IDS_AT_ONCE)
        for digest, *facts in connection.execute(
            _PRESENT, {"digests": ordered[start : start + _IDS_AT_ONCE]}
        )
    }


def _facts(prepared: _Prepared) -> tuple[Any, ...]:
    payload = prepared.payload
    return payload.media_type, len(payload.data), prepared.path, prepared.signature
