"""Looks through files for a pattern, in a process of its own: a pattern may never end.

Reads a request as JSON from the file that it is given, and writes what it found as JSON.
Python's regular expressions look for signals while they match, so an alarm ends them.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypernb.tools._scope import plain_bytes, scrub_lines, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MEMORY_BYTES: Final = 2_000_000_000
_PER_FILE_S: Final = 3.0
_LINE_AT_MOST: Final = 300
_SEARCHED_AT_MOST: Final = 20_000


class TooSlow(Exception):  # noqa: N818 - no error: it ends the search, and what was found counts
    """The pattern takes too long."""


def main(request_file: str) -> None:
    """Answer a request."""
    request = json.loads(Path(request_file).read_text(encoding="utf-8"))
    request["files"] = frozenset(request["files"])
    _limit()
    found: dict[str, Any] = {"matches": [], "total": 0, "files": 0, "searched": 0, "skipped": 0}
    found |= {"left": [], "cut": []}
    try:
        matches = _matcher(request)
    except (re.error, OverflowError, RecursionError, MemoryError) as error:
        found["wrong"] = str(error) or type(error).__name__
    else:
        _search(request, matches, found)
    sys.stdout.write(json.dumps(found))


def _search(
    request: dict[str, Any], matches: Callable[[str], Any], found: dict[str, Any]
) -> None:
    ends_at = time.monotonic() + request["seconds"]
    for number, path in enumerate(request["paths"]):
        left = ends_at - time.monotonic()
        if left <= 0:
            found["stopped_in"] = path
            return
        # One file may take what there is; of many, none takes it from all the others.
        share = left / (len(request["paths"]) - number)
        try:
            _alarm(min(left, max(share, _PER_FILE_S)))
            _look(path, request, matches, found)
        except (TooSlow, MemoryError):
            found["left"].append(path)
        finally:
            _alarm(0)


def _look(
    path: str, request: dict[str, Any], matches: Callable[[str], Any], found: dict[str, Any]
) -> None:
    most = request["bytes"]
    data = plain_bytes(Path(request["root"]), path, most + 1, request["files"])
    text = text_of(data[:most]) if isinstance(data, bytes) else None
    if text is None:
        found["skipped"] += 1
        return
    places = list(_places(text.split("\n"), matches))
    if not places:
        _count(path, found, is_cut=len(data) > most)
        return
    # What is covered up is not found either, or a search could guess it bit by bit.
    lines = scrub_lines(text).split("\n")
    places = [place for place in places if matches(lines[place][:_SEARCHED_AT_MOST])]
    _count(path, found, is_cut=len(data) > most)
    found["files"] += bool(places)
    found["total"] += len(places)
    for place in places:
        if len(found["matches"]) >= request["most"]:
            return
        around = range(max(0, place - request["around"]), place + request["around"] + 1)
        found["matches"].append(
            {
                "file": path,
                "line": place + 1,
                "lines": [
                    [number + 1, _cut(lines[number], matches if number == place else None)]
                    for number in around
                    if number < len(lines)
                ],
            }
        )


def _count(path: str, found: dict[str, Any], *, is_cut: bool) -> None:
    found["searched"] += 1
    if is_cut:
        found["cut"].append(path)


def _places(lines: list[str], matches: Callable[[str], Any]) -> Iterator[int]:
    return (
        place for place, line in enumerate(lines) if line and matches(line[:_SEARCHED_AT_MOST])
    )


def _cut(line: str, matches: Callable[[str], Any] | None) -> str:
    if len(line) <= _LINE_AT_MOST:
        return line
    found = matches(line[:_SEARCHED_AT_MOST]) if matches else None
    begin = max(0, found.start() - _LINE_AT_MOST // 3) if found else 0
    part = line[begin : begin + _LINE_AT_MOST]
    return f"{'…' if begin else ''}{part}…"


def _matcher(request: dict[str, Any]) -> Callable[[str], Any]:
    flags = re.IGNORECASE if request["ignore_case"] else 0
    text = request["text"] if request["regex"] else re.escape(request["text"])
    return re.compile(text, flags).search


def _limit() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))

        def ring(_number: int, _frame: object) -> None:
            raise TooSlow

        signal.signal(signal.SIGALRM, ring)


def _alarm(seconds: float) -> None:
    # Without alarms it is the caller who ends this process, and nothing is found.
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


if __name__ == "__main__":
    main(sys.argv[1])
