"""Keeps a key out of what a server says, however it comes by it."""

from __future__ import annotations

import logging
import re
from typing import Any, Final
from weakref import WeakSet

MASK: Final = "[key]"
_SHORTEST: Final = 8
"""Shorter ones are no secrets (``ollama``, ``none``), and would be found in many a word."""
_DEPTH: Final = 50
_LOGGERS: Final = (
    "openai",
    "httpx2",
    "httpcore2.connection",
    "httpcore2.http11",
    "httpcore2.http2",
)


class Mask:
    """Replaces one key wherever it stands.

    Example:
        >>> Mask("sk-secret-1")("Incorrect key: sk-secret-1.")
        'Incorrect key: [key].'
    """

    def __init__(self, key: str | None) -> None:
        self._key = key if key is not None and len(key) >= _SHORTEST else ""
        self._escaped = re.compile("".join(map(_ways, self._key)))

    def __call__(self, text: str) -> str:
        if not self._key:
            return text
        text = text.replace(self._key, MASK)
        # JSON inside of JSON, and addresses: what reads them later would find the key.
        return self._escaped.sub(MASK, text) if "\\" in text or "%" in text else text

    def value(self, value: Any, depth: int = _DEPTH) -> Any:
        """Return what was read from JSON with all of its texts masked, as deep as any error."""
        if isinstance(value, str):
            return self(value)
        if not isinstance(value, dict | list):
            return value
        if not depth:
            return None
        if isinstance(value, list):
            return [self.value(each, depth - 1) for each in value]
        return {self(name): self.value(each, depth - 1) for name, each in value.items()}

    def split(self, text: str) -> tuple[str, str]:
        """Return what can be told of a text that goes on, and what may begin the key."""
        text = self(text)
        if not self._key or self._key[0] not in text[-len(self._key) :]:
            return text, ""
        for size in range(min(len(self._key) - 1, len(text)), 0, -1):
            if self._key.startswith(text[-size:]):
                return text[:-size], text[-size:]
        return text, ""


def _ways(character: str) -> str:
    """Return a pattern of all ways in which a character of a key can be written."""
    code = f"{ord(character):02x}"
    ways = [re.escape(character), rf"\\{{1,8}}u(?i:{code:0>4})", f"%(?i:{code})"]
    if character in '/\\"':
        ways.append(rf"\\{{1,8}}{re.escape(character)}")
    return f"(?:{'|'.join(ways)})"


class _LogFilter(logging.Filter):
    """Masks records of the libraries below: at level debug they write what a server sends."""

    def __init__(self) -> None:
        super().__init__()
        self.masks: WeakSet[Mask] = WeakSet()

    def filter(self, record: logging.LogRecord) -> bool:
        said = masked = record.getMessage()
        for mask in self.masks:
            masked = mask(masked)
        if masked != said:
            record.msg, record.args = masked, ()
        return True


_FILTER: Final = _LogFilter()


def mask_logs(mask: Mask) -> None:
    """Mask what the libraries below log, as long as the mask is in use."""
    _FILTER.masks.add(mask)
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
