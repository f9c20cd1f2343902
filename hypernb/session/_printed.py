"""What a call prints is its answer's, and lands in nobody's cell."""

from __future__ import annotations

import contextlib
import io
import sys
import threading
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT_CHARS: Final = 4_000

_lock = threading.Lock()
_kept: dict[int, Printed] = {}
_before: list[tuple[Any, Any]] = []


class Printed:
    """The beginning of what was printed, and how much more there was."""

    def __init__(self) -> None:
        self._text = io.StringIO()
        self._size = 0

    def write(self, text: str) -> int:
        """Keep it, as far as there is room."""
        room = KEPT_CHARS - self._text.tell()
        if room > 0:
            self._text.write(text[:room])
        self._size += len(text)
        return len(text)

    @property
    def text(self) -> str:
        """What is kept, and how much is not."""
        kept = self._text.getvalue()
        more = self._size - len(kept)
        return f"{kept}… {more:,} more characters" if more > 0 else kept


class _Routed:
    """Stands in for a stream while calls run: what their threads write is kept for them."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        printed = _kept.get(threading.get_ident())
        return self._stream.write(text) if printed is None else printed.write(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def printed_here() -> Iterator[Printed]:
    """Keep what this thread prints, while others print as ever."""
    printed, thread = Printed(), threading.get_ident()
    with _lock:
        if not _kept:
            _before.append((sys.stdout, sys.stderr))
            sys.stdout, sys.stderr = _Routed(sys.stdout), _Routed(sys.stderr)
        _kept[thread] = printed
    try:
        yield printed
    finally:
        with _lock:
            del _kept[thread]
            if not _kept:
                _restore(*_before.pop())


def _restore(out: Any, err: Any) -> None:
    # Whoever has put another stream there meanwhile had a reason.
    if isinstance(sys.stdout, _Routed):
        sys.stdout = out
    if isinstance(sys.stderr, _Routed):
        sys.stderr = err
