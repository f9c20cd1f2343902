"""Covers up a runner's keys in what tasks say and leave: a task may have read one in a file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from hypernb import codec
from hypernb.abc import Payload
from hypernb.engine._job import EndKind
from hypernb.model import Report
from hypernb.redact import COVERED, covered_values, key_forms, keys_in, without_keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hypernb.engine._job import Ending
    from hypernb.model import Usage

_VALUES: Final = (codec.JSON, codec.REPORT)


class Cover:
    """Knows a runner's keys, and what to do where one turns up.

    Args:
        keys: By the name of their variable; those that are too short to be secrets do not
            count.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = keys
        self._forms = [key_forms((key,)) for key in set(keys.values())]

    def __bool__(self) -> bool:
        """Tell whether there is anything to cover."""
        return any(self._forms)

    def text(self, text: str) -> str:
        """Return a text without keys; see `hypernb.redact.without_keys`."""
        return without_keys(text, self._keys.values()) if self else text

    def part(self, text: str) -> str:
        """Return a part of a text without keys: it may begin or end in the middle of one."""
        text = self.text(text)
        for forms in self._forms:
            text = forms.cover_pieces(text, COVERED, at_ends=True)
        return text

    def values(self, value: Any) -> Any:
        """Return JSON values without keys, names in dictionaries too."""
        return covered_values(value, self.text) if self else value

    def ending(self, ending: Ending) -> Ending:
        """Return how a job ended, without keys in what it leaves. Blocking, for much of it.

        They are covered up in texts, JSON, reports and files of text. Whatever else holds one
        makes it a failure: a pickle, a table or bytes would not be what they were.
        """
        if not self:
            return ending
        said = replace(
            ending,
            error_kind=self.text(ending.error_kind),
            detail=self.part(ending.detail),  # of a process that was lost, the end of its words
            traceback=self.text(ending.traceback),
            usage=tuple(map(self.usage, ending.usage)),
        )
        try:
            output = None if ending.output is None else self._output(ending.output)
            files = {
                self.text(name): self._file(path, self.text(name))
                for name, path in ending.files.items()
            }
        except _UncoverableError as error:
            return _refused(said, str(error))
        return replace(said, output=output, files=files)

    def usage(self, usage: Usage) -> Usage:
        """Return what was used without a key in the name of what was called."""
        named = self.text(usage.model)
        return usage if named == usage.model else replace(usage, model=named)

    def _output(self, output: Payload) -> Payload:
        try:
            found = keys_in(codec.readable(output), self._keys)
            if output.media_type in _VALUES:
                return self._values(output, found)
        except (ValueError, OSError, RecursionError):
            # Not what it is said to be, nested without end, or a report that has a key's name
            # in the place of one of its fields.
            raise _UncoverableError(["what may be a key"], "its output") from None
        if found:
            raise _UncoverableError(found, "its output")
        # What a value shows of itself need not lie in its bytes as it is.
        return replace(output, text=self.part(output.text))

    def _values(self, output: Payload, found: list[str]) -> Payload:
        if not found and not self._pieces_in(output.data):
            return replace(output, text=self.part(output.text))
        data = orjson.dumps(self.values(orjson.loads(output.data)))
        if output.media_type == codec.REPORT:
            Report.model_validate_json(data)
        return Payload(output.media_type, data, self.part(output.text))

    def _pieces_in(self, data: bytes) -> bool:
        return any(forms.pieces_in(data) for forms in self._forms)

    def _file(self, path: Path, name: str) -> Path:
        data = path.read_bytes()
        found = keys_in([data], self._keys)
        if found or self._pieces_in(data):
            try:
                path.write_bytes(self.text(data.decode()).encode())
            except UnicodeDecodeError:
                if found:
                    raise _UncoverableError(found, f"the file {name!r} that it left") from None
        return path


class _UncoverableError(Exception):
    """A key lies where it cannot be covered up."""

    def __init__(self, found: list[str], where: str) -> None:
        super().__init__(
            f"{' and '.join(found)} stands in {where}, and keys are not stored. "
            "Leave it out, or return text or JSON, in which it is covered up."
        )


def _refused(ending: Ending, why: str) -> Ending:
    return replace(
        ending,
        kind=EndKind.FAILED,
        output=None,
        files={},
        error_kind="ContractError",
        detail=why,
    )
