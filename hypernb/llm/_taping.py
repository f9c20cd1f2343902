"""Appends to a cassette's file: whole lines, one writer at a time, whoever is killed."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

import orjson

from hypernb.errors import ConfigError
from hypernb.llm._tape import LINE_AT_MOST, VERSION, Cassette, check_first, is_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK: Final = 65_536


def prepare(path: Path) -> set[str]:
    """Make a cassette's file if there is none; return the hashes of the requests it has.

    Raises:
        ConfigError: It cannot be written, or there is a file that is no cassette.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        append(path, b"")
    except OSError as error:
        raise ConfigError(
            f"Cassette {path} cannot be written: {error.strerror or error}.",
            hint="Give --record a path that can be.",
        ) from error
    return set(Cassette.load(path).hashes())


def append(path: Path, line: bytes) -> None:
    """Append a line after whole lines; what a writer that was killed left half is removed.

    Raises:
        OSError: It cannot be written.
        ConfigError: The file is no cassette, or no regular file.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o644)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ConfigError(
                f"Cassette {path} is no regular file.", hint="Give --record another path."
            )
        with _locked(handle):
            end = _mended(handle, path)
            if line:
                os.lseek(handle, end, os.SEEK_SET)
                _write(handle, line + b"\n")
    finally:
        os.close(handle)


def entry(request_hash: str, request: bytes, reply: Any) -> bytes:
    """Return the line of one reply; without its request if that is empty.

    Raises:
        ValueError: It would be too long to be read again.
    """
    # The request is canonical JSON already, and it can be long.
    said = b'"request":%s,' % request if request else b""
    line = b'{"hash":"%s",%s"replies":[%s]}' % (
        request_hash.encode(),
        said,
        orjson.dumps(reply),
    )
    if len(line) >= LINE_AT_MOST:
        raise ValueError(f"it would be longer than {LINE_AT_MOST:,} bytes")
    return line


def _mended(handle: int, path: Path) -> int:
    """Return where the next line begins, after the first line was written or checked."""
    size = os.lseek(handle, 0, os.SEEK_END)
    first = os.pread(handle, 4096, 0).partition(b"\n") if size else (b"", b"", b"")
    if not first[1] and (not size or _first_line().startswith(first[0])):
        os.ftruncate(handle, 0)  # new, or whoever made it was killed at once
        os.lseek(handle, 0, os.SEEK_SET)
        return _write(handle, _first_line() + b"\n")
    check_first(path, first[0])
    if os.pread(handle, 1, size - 1) == b"\n":
        return size
    begin = _line_begin(handle, size)
    if size - begin <= LINE_AT_MOST and is_json(os.pread(handle, size - begin, begin)):
        os.lseek(handle, size, os.SEEK_SET)
        return size + _write(handle, b"\n")
    os.ftruncate(handle, begin)
    return begin


def _line_begin(handle: int, size: int) -> int:
    at = size
    while at > 0:
        start = max(0, at - _BLOCK)
        found = os.pread(handle, at - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        at = start
    return 0


def _write(handle: int, data: bytes) -> int:
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]
    return len(data)


def _first_line() -> bytes:
    made_by = f"hypernb {metadata.version('hypernb')}"
    fields = {"hypernb": "cassette", "version": VERSION, "made_by": made_by}
    return orjson.dumps(fields)


@contextmanager
def _locked(handle: int) -> Iterator[None]:
    """Keep other writers out; a lock goes with its process, so a dead one holds nobody up."""
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)
