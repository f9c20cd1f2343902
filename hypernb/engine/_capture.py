"""What a task prints: kept up to a limit, the rest counted."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class Allowance:
    """How much of what one task prints is kept.

    Example:
        >>> allowance = Allowance(5)
        >>> allowance.take("abcdefg"), allowance.dropped_bytes
        ('abcde', 2)
    """

    def __init__(self, limit_bytes: int) -> None:
        self._left = limit_bytes
        self.dropped_bytes = 0

    def take(self, text: str) -> str:
        """Return the part of the text that is kept."""
        size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
        if size <= self._left:
            self._left -= size
            return text
        kept = text.encode("utf-8", "replace")[: self._left].decode("utf-8", "ignore")
        self.dropped_bytes += size - len(kept.encode())
        self._left = 0
        return kept


class _Bytes(io.RawIOBase):
    """The capture for those who write bytes: ``sys.stdout.buffer``."""

    def __init__(self, capture: Capture) -> None:
        super().__init__()
        self._capture = capture

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._capture.write(bytes(data).decode("utf-8", "replace"))
        return len(data)


class Capture(io.TextIOBase):
    """Stands in for ``sys.stdout`` while a task runs; can be written to from any thread."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__()
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._kept: list[str] = []
        self._allowance = Allowance(limit_bytes)
        self.buffer = _Bytes(self)

    encoding = "utf-8"
    errors = "replace"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        with self._lock:
            if kept := self._allowance.take(text):
                self._kept.append(kept)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:  # type: ignore[override]  # text only
        for line in lines:
            self.write(line)

    def fileno(self) -> int:
        # Programs that a task starts with stdout=sys.stdout write to the real descriptor.
        return 1

    def collect(self) -> str:
        """Return what was printed since the last call."""
        if not self._kept:
            return ""
        with self._lock:
            kept, self._kept = self._kept, []
        return "".join(kept)

    def restart(self) -> int:
        """Begin the allowance of the next task; return how much of the last one was dropped."""
        with self._lock:
            dropped = self._allowance.dropped_bytes
            self._allowance = Allowance(self._limit)
            self._kept = []
        return dropped
