"""What a finished attempt leaves: its output, and for reports what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hypernb import codec
from hypernb.abc import Payload
from hypernb.engine._body import STORED
from hypernb.engine._job import Ending, EndKind, Value
from hypernb.model import Digest, Outcome, Report

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from hypernb.abc import Store
    from hypernb.model import Finding


_NOTE_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Product:
    """The output of a task, and what is shown of it.

    Attributes:
        digest: SHA-256 of the output's bytes.
        note: A report's summary, or the beginning of a text; None for other values.
        outcome: A report's outcome in words, or None.
    """

    payload: Payload
    digest: Digest
    note: str | None = None
    outcome: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def value(self) -> Value:
        """The output as the tasks that need it get it."""
        return Value(self.payload.media_type, self.payload.data)


def product_of(ending: Ending, store: Store) -> Product:
    """Read what an attempt left; store its files and name them in its report. Blocking.

    Raises:
        StoreError: A file cannot be stored.
    """
    payload = ending.output
    if payload is None:
        raise AssertionError("A job that succeeded has an output; please report this.")
    if payload.media_type == STORED:
        record, data = store.artifact(_named(payload))
        return Product(Payload(record.media_type, data), codec.digest(data))
    if payload.media_type != codec.REPORT:
        return Product(payload, codec.digest(payload.data), note=_beginning(payload))
    report = Report.model_validate_json(payload.data)
    if ending.files:
        left = report.files | _stored(ending.files, store)
        report = report.model_copy(update={"files": left})
        payload = codec.encode(report)
    own = report.own()
    return Product(
        payload,
        codec.digest(payload.data),
        note=report.summary,
        outcome=(Outcome.SUMMED_UP if report.sums_up else own.outcome).value,
        findings=own.findings,
    )


def _beginning(payload: Payload) -> str | None:
    """Return the first words of an output that is text; a view then need not fetch it."""
    if payload.media_type != codec.JSON or not payload.data.startswith(b'"'):
        return None
    words = " ".join(payload.text.split()).strip('"')
    return words if len(words) <= _NOTE_CHARS else f"{words[:_NOTE_CHARS].rstrip()} …"


def only_own(ending: Ending, values: Collection[Digest]) -> Ending:
    """Return how a job ended; as a failure if its output is a stored value of others.

    Args:
        values: What its own calls of kernels have returned.
    """
    output = ending.output
    if output is None or output.media_type != STORED or _named(output) in values:
        return ending
    said = "its output is a stored value that none of its calls has returned"
    return Ending(EndKind.FAILED, error_kind="ContractError", detail=said)


def _named(output: Payload) -> Digest:
    return Digest(output.data.decode("ascii", "replace"))


def _stored(files: Mapping[str, Path], store: Store) -> dict[str, str]:
    payloads = [
        Payload(codec.guess_media_type(name), path.read_bytes()) for name, path in files.items()
    ]
    return dict(zip(files, store.put_artifacts(payloads), strict=True))
