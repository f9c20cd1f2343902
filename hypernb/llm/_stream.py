"""Takes the bytes of an answer apart, whether they are a stream of events or one body."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import orjson

from hypernb.llm._faults import EVIDENCE_CHARACTERS, AnswerFault

MOST_BYTES: Final = 8_000_000
"""Of one event, or of a body: a million characters, as JSON that escapes each."""
_BOM: Final = b"\xef\xbb\xbf"
_STARTS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
_EMPTY_START: Final = 1000
_MOST_DEPTH: Final = 200
"""Levels of JSON; a schema that a model writes down has twenty."""
DONE: Final = b"[DONE]"
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


class AnswerReader:
    r"""Is fed bytes as they come, and returns events; what it keeps is bounded.

    Which of the two an answer is, is seen from its first bytes: servers that were not asked
    for a stream send one, and the other way round, under whatever type.

    Example:
        >>> reader = AnswerReader()
        >>> reader.feed(b'data: {"a"'), reader.feed(b': 1}\n\ndata: [DONE]\n\n')
        ([], [b'{"a": 1}', b'[DONE]'])
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept = bytearray()
        self._data: list[bytes] = []
        self._data_size = 0
        self._is_stream: bool | None = None
        self._start = b""
        self._is_read = False

    @property
    def unread(self) -> int:
        """How many bytes of a body there are that has not come to its end."""
        return len(self._kept) if self._is_stream is False and not self._is_read else 0

    @property
    def is_stream(self) -> bool:
        """Whether it is a stream of events."""
        return bool(self._is_stream)

    @property
    def evidence(self) -> str:
        """The beginning of what came."""
        return self._start.decode(errors="replace")

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take bytes; return the data of the events that are complete.

        Raises:
            AnswerFault: An event or a body is longer than any answer.
        """
        if len(self._start) < EVIDENCE_CHARACTERS:
            self._start = (self._start + chunk)[:EVIDENCE_CHARACTERS]
        if self._is_stream is None:
            self._is_stream = self._looks_like_a_stream(chunk)
        self._kept += chunk
        is_line = b"\n" in chunk or b"\r" in chunk
        events = self._lines() if self._is_stream and is_line else []
        if len(self._kept) > self._most:
            raise self._too_long()
        return events

    def end(self) -> list[bytes]:
        """Return what a stream ends with, if no empty line has ended it; nothing of a body."""
        if not self._is_stream:
            return []
        self._kept += b"\n\n"
        return self._lines()

    def body(self) -> bytes:
        """Return the whole of an answer that is no stream."""
        self._is_read = True
        return bytes(self._kept)

    def _looks_like_a_stream(self, chunk: bytes) -> bool | None:
        start = bytes(self._kept + chunk).removeprefix(_BOM).lstrip()
        if start.startswith(_STARTS):
            return True
        is_open = len(self._kept) < _EMPTY_START and any(s.startswith(start) for s in _STARTS)
        return None if is_open else False

    def _lines(self) -> list[bytes]:
        text = bytes(self._kept).removeprefix(_BOM)
        *lines, rest = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._kept = bytearray(rest)
        events = []
        for line in lines:
            if line.startswith(b"data:"):
                self._add(line[5:].removeprefix(b" "))
            elif not line and self._data:
                events.append(b"\n".join(self._data))
                self._data, self._data_size = [], 0
        return events

    def _add(self, data: bytes) -> None:
        self._data_size += len(data) + 1
        if self._data_size > self._most:
            raise self._too_long()
        self._data.append(data)

    def _too_long(self) -> AnswerFault:
        problem = f"has sent more than {self._most:,} bytes in one piece"
        return AnswerFault(problem, self.evidence, is_final=True)


def parse(data: bytes) -> dict[str, Any]:
    """Return the JSON object that an event or a body is.

    Raises:
        AnswerFault: It is none; says what it is instead.
    """
    try:
        value = _loads(data)
    except ValueError:
        start = data[:EVIDENCE_CHARACTERS].decode(errors="replace")
        is_page = start.lstrip().lower().startswith(("<!doctype", "<html", "<?xml", "<head"))
        what = "a web page" if is_page else "what is not JSON" if data.strip() else "nothing"
        raise AnswerFault(f"has answered with {what}", start, characters=len(data)) from None
    if not isinstance(value, dict):
        raise AnswerFault(
            "has answered with JSON that is no object",
            data[:EVIDENCE_CHARACTERS].decode(errors="replace"),
            characters=len(data),
        )
    if _is_deep(data, value):
        raise AnswerFault(
            f"has answered with JSON that is nested more than {_MOST_DEPTH} levels deep",
            data[:EVIDENCE_CHARACTERS].decode(errors="replace"),
            characters=len(data),
        )
    return value


def _loads(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        if not _SURROGATE.search(data):
            raise
    # Half of a character beyond the sixteen bits, as servers send that cut texts where they
    # like; orjson is strict, and the rest of the answer is good.
    try:
        text = json.dumps(json.loads(data), ensure_ascii=False)
    except RecursionError:
        raise ValueError from None
    return orjson.loads(text.encode("utf-8", "replace"))


def _is_deep(data: bytes, value: object) -> bool:
    """Tell whether what reads it level by level would fail on it."""
    if data.count(b"[") + data.count(b"{") <= _MOST_DEPTH:
        return False
    level: list[object] = [value]
    for _ in range(_MOST_DEPTH):
        level = [
            below
            for each in level
            if isinstance(each, dict | list)
            for below in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True
