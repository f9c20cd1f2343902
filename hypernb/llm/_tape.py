"""The file of a cassette: JSON Lines that are read bit by bit and only ever appended to."""

from __future__ import annotations

import os
import re
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

import orjson
from pydantic import ValidationError

from hypernb.errors import ConfigError
from hypernb.llm._draft import MOST_CALLS, MOST_CHARACTERS
from hypernb.model import ChatReply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION: Final = 1
LINE_AT_MOST: Final = 32_000_000
"""Bytes; an answer has six million at most, if every character is escaped, and its request the
rest."""
_FILE_AT_MOST: Final = 1_000_000_000
_REPLIES_AT_MOST: Final = 200_000
_KEYS: Final = frozenset({"hash", "request", "replies"})
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_ANEW: Final = "Remove that line, or remove the file and record it anew with --record."


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a reply stands: the line's beginning, its number, and which of its replies."""

    offset: int
    line: int
    index: int


@dataclass(frozen=True, slots=True)
class _Entry:
    hash: str
    request: dict[str, Any] | None
    replies: tuple[ChatReply, ...]


@dataclass(slots=True)
class Cassette:
    """Requests and their answers in a file; in memory is only where each of them stands.

    The first line says what the file is. Each of the others has the hash of a request, the
    request itself if it is the first with that hash, and replies in the order in which they
    were recorded. Nothing in it is executed, and what is wrong in it is refused by its line.

    Attributes:
        path: The file.
        errors: What was ignored in it, one sentence each: a last line that was cut off. It is
            told where an answer is missing.
    """

    path: Path
    errors: list[str] = field(default_factory=list)
    _places: dict[str, list[_Place]] = field(default_factory=dict)
    _requests: dict[str, _Place] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Cassette:
        """Read where everything stands, and check that all of it can be read.

        Raises:
            ConfigError: It is not there, is no cassette, or one of its lines is wrong.
        """
        cassette = cls(path)
        with _opened(path) as stream:
            cassette._read(stream)
        return cassette

    def __len__(self) -> int:
        """Return how many different requests it has."""
        return len(self._places)

    def __contains__(self, request_hash: object) -> bool:
        """Tell whether it has an answer to a request."""
        return request_hash in self._places

    def hashes(self) -> list[str]:
        """Return the hashes of the requests it has, in the order they were recorded."""
        return list(self._places)

    def reply(self, request_hash: str, time: int) -> ChatReply | None:
        """Return the answer to a request, for the first time (0) and later ones.

        Raises:
            ConfigError: The file was changed meanwhile, or no server may answer so much.
        """
        places = self._places.get(request_hash)
        if not places:
            return None
        place = places[min(time, len(places) - 1)]
        entry = self._at(place)
        if entry.hash != request_hash or place.index >= len(entry.replies):
            raise self._wrong(place.line, "was changed while it was replayed")
        reply = entry.replies[place.index]
        if _is_too_large(reply):
            most = f"{MOST_CHARACTERS:,} characters or {MOST_CALLS} calls of tools"
            raise self._wrong(place.line, f"has an answer of more than {most}")
        return reply

    def requests(self) -> Iterator[dict[str, Any]]:
        """Yield the different requests, in the order in which they were recorded."""
        for place in self._requests.values():
            request = self._at(place).request
            if request is not None:
                yield request

    def _at(self, place: _Place) -> _Entry:
        with _opened(self.path) as stream:
            stream.seek(place.offset)
            return self._entry(stream.readline(LINE_AT_MOST + 1), place.line)

    def _read(self, stream: IO[bytes]) -> None:
        check_first(self.path, stream.readline(LINE_AT_MOST + 1))
        number, offset, count = 1, stream.tell(), 0
        while line := stream.readline(LINE_AT_MOST + 1):
            number += 1
            if len(line) > LINE_AT_MOST:
                raise self._wrong(number, f"is longer than {LINE_AT_MOST:,} bytes")
            if line.endswith(b"\n") or is_json(line):
                count += self._note(self._entry(line, number), offset, number)
            else:
                self.errors.append(
                    f"Cassette {self.path}, line {number}, was cut off and is ignored."
                )
            if count > _REPLIES_AT_MOST:
                raise self._wrong(number, f"has more than {_REPLIES_AT_MOST:,} replies before")
            offset += len(line)

    def _note(self, entry: _Entry, offset: int, line: int) -> int:
        places = self._places.setdefault(entry.hash, [])
        places += [_Place(offset, line, index) for index in range(len(entry.replies))]
        if entry.request is not None:
            self._requests.setdefault(entry.hash, _Place(offset, line, 0))
        return len(entry.replies)

    def _entry(self, line: bytes, number: int) -> _Entry:
        try:
            fields = orjson.loads(line)
        except ValueError as error:
            raise self._wrong(number, "is not JSON") from error
        if not isinstance(fields, dict) or not set(fields) <= _KEYS:
            raise self._wrong(number, "is no entry: it has hash, request and replies")
        name, request, replies = (fields.get(key) for key in ("hash", "request", "replies"))
        if not isinstance(name, str) or not _HASH.fullmatch(name):
            raise self._wrong(number, "has no hash of 64 digits")
        if request is not None and not isinstance(request, dict):
            raise self._wrong(number, "has a request that is no object")
        if not isinstance(replies, list) or not replies:
            raise self._wrong(number, "has no list of replies")
        return _Entry(name, request, tuple(self._reply(each, number) for each in replies))

    def _reply(self, fields: object, number: int) -> ChatReply:
        try:
            return ChatReply.model_validate_json(orjson.dumps(fields))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))[:80]
            problem = f"has a reply that is none: {where}: {first['msg'][:120]}"
            raise self._wrong(number, problem) from error

    def _wrong(self, line: int, problem: str) -> ConfigError:
        return ConfigError(f"Cassette {self.path}, line {line}, {problem}.", hint=_ANEW)


def check_first(path: Path, line: bytes) -> None:
    """Make sure that a file is a cassette that can be read here.

    Raises:
        ConfigError: It is not.
    """
    try:
        fields = orjson.loads(line)
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or fields.get("hypernb") != "cassette":
        raise ConfigError(
            f"{str(path)!r} is no cassette: its first line does not say so.",
            hint="Record one with --record and another name.",
        )
    if fields.get("version") != VERSION:
        raise ConfigError(
            f"Cassette {path} has version {str(fields.get('version'))[:20]}; "
            f"this hypernb reads version {VERSION}.",
            hint="pip install --upgrade hypernb, or record it anew with --record.",
        )


def is_json(line: bytes) -> bool:
    """Tell whether a last line without an end is whole all the same."""
    try:
        orjson.loads(line)
    except ValueError:
        return False
    return True


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        # Without O_NONBLOCK opening a pipe waits for whoever writes to it.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise ConfigError(
            f"Cassette {path} cannot be read: {error.strerror or error}.",
            hint="Record it with --record, or give the path of one that is there.",
        ) from error
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_size > _FILE_AT_MOST:
        os.close(handle)  # as a stream, a folder would raise first
        raise ConfigError(
            f"Cassette {path} is no regular file of at most {_FILE_AT_MOST:,} bytes.",
            hint="Record one with --record and another name.",
        )
    with os.fdopen(handle, "rb") as stream:
        yield stream


def _is_too_large(reply: ChatReply) -> bool:
    """Tell whether an answer is larger than one that is taken of a server."""
    said = [reply.text, reply.refusal, *(call.arguments for call in reply.tool_calls)]
    return len(reply.tool_calls) > MOST_CALLS or sum(map(len, said)) > MOST_CHARACTERS
