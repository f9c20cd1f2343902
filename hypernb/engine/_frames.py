"""What runner and worker say to each other: a JSON head and raw bytes, each with its length."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LENGTHS: Final = struct.Struct(">IQ")
LARGE_BYTES: Final = 1_000_000
"""Values above this travel as files; a pipe would copy them several times."""

_LONGEST_HEAD: Final = 1_000_000_000
_LONGEST_BODY: Final = 2**32

Frame = tuple[dict[str, Any], bytes]


def pack(head: Mapping[str, Any], body: bytes = b"") -> bytes:
    """Write a frame."""
    text = orjson.dumps(head)
    return b"".join((_LENGTHS.pack(len(text), len(body)), text, body))


class Unpacker:
    """Cuts a stream of bytes into frames, whatever the pieces it arrives in."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take some bytes and yield the frames that are complete by them.

        Raises:
            ValueError: They cannot be frames: something else has written there.
        """
        self._buffer += data
        start = 0
        try:
            while len(self._buffer) - start >= _LENGTHS.size:
                head_size, body_size = _LENGTHS.unpack_from(self._buffer, start)
                if head_size > _LONGEST_HEAD or body_size > _LONGEST_BODY:
                    raise ValueError("a frame is longer than any that hypernb writes")
                middle = start + _LENGTHS.size + head_size
                end = middle + body_size
                if len(self._buffer) < end:
                    break
                head = orjson.loads(self._buffer[start + _LENGTHS.size : middle])
                body = bytes(self._buffer[middle:end])
                start = end
                yield head, body
        finally:
            del self._buffer[:start]
