"""Keeps a key out of what a server says, however it comes by it."""

from __future__ import annotations

import logging
from typing import Any, Final
from weakref import WeakSet

from hypernb.redact import key_forms

MASK: Final = "[key]"
_DEPTH: Final = 50
_LOGGERS: Final = (
    "openai",
    "httpx2",
    "httpcore2.connection",
    "httpcore2.http11",
    "httpcore2.http2",
)


class Mask:
    """Replaces one key wherever it stands, in all forms of `hypernb.redact.KeyForms`.

    Example:
        >>> Mask("sk-secret-1")("Incorrect key: sk-secret-1.")
        'Incorrect key: [key].'
    """

    def __init__(self, key: str | None) -> None:
        self._forms = key_forms((key,) if key else ())

    def __call__(self, text: str) -> str:
        return self._forms.cover(text, MASK)

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
        end = len(text) - self._forms.begun(text)
        return text[:end], text[end:]


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
