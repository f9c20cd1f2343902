"""Reads what pytest says of a run: its JUnit XML, and the first line of its complaint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from hypernb.tools._reading import shown

if TYPE_CHECKING:
    from pathlib import Path

_MAX_BYTES: Final = 100_000_000
_PLACE = re.compile(r"^(\S[^\n]*?):(\d+): ", re.MULTILINE)
_ERROR_LINE = re.compile(r"^E {2,}(\S.*)$", re.MULTILINE)
_COLLECTING = re.compile(r"^_+ ERROR collecting (.+?) _+$", re.MULTILINE)
_PLAIN_ERROR = re.compile(r"^(?:ERROR:?|INTERNALERROR>|\S*Error:) *(\S.*)$", re.MULTILINE)
_COLORS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Case:
    """A test that did not pass.

    Attributes:
        kind: ``failure`` or ``error``: an error is in what is around the test.
        file: As pytest names it, relative to its own root; empty if it does not say.
    """

    kind: str
    name: str
    file: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Suite:
    """A whole run of pytest."""

    passed: int
    failed: int
    errors: int
    skipped: int
    duration_s: float
    cases: tuple[Case, ...]

    @property
    def total(self) -> int:
        """How many tests there are."""
        return self.passed + self.failed + self.errors + self.skipped


def read_junit(path: Path) -> Suite | None:
    """Read a JUnit XML file of pytest; None if there is none that can be read."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        # expat bounds the expansion of entities (CVE-2013-0340) since 2.4.1.
        root = ET.parse(path).getroot()  # noqa: S314 - our own pytest wrote it a moment ago
    except (OSError, ET.ParseError):
        return None
    counts = {"passed": 0, "failure": 0, "error": 0, "skipped": 0}
    cases: list[Case] = []
    for element in root.iter("testcase"):
        verdicts = [child for child in element if child.tag in counts]
        for kind in [child.tag for child in verdicts] or ["passed"]:
            counts[kind] += 1
        cases += [_case(element, child) for child in verdicts if child.tag != "skipped"]
    suite = next(root.iter("testsuite"), root)
    return Suite(
        passed=counts["passed"],
        failed=counts["failure"],
        errors=counts["error"],
        skipped=counts["skipped"],
        duration_s=_number(suite.get("time")),
        cases=tuple(cases),
    )


def _case(element: ET.Element, verdict: ET.Element) -> Case:
    file = element.get("file") or ""
    text = verdict.text or ""
    message = (verdict.get("message") or text).strip().partition("\n")[0]
    # The last line of the report that is in the test's own file is where it failed.
    lines = [int(number) for place, number in _PLACE.findall(text) if place == file]
    first = int(_number(element.get("line"))) + 1 if element.get("line") else 0
    return Case(
        kind=verdict.tag,
        name=".".join(filter(None, [_class_of(element), element.get("name")])),
        file=file,
        line=lines[-1] if lines else first,
        message=shown(message, 240),
    )


def _class_of(element: ET.Element) -> str:
    """Return the test's class, without the module that the file already names."""
    last = (element.get("classname") or "").rpartition(".")[2]
    return last if last.startswith("Test") or last[:1].isupper() else ""


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def first_complaint(stdout: str, stderr: str) -> str:
    """Return what a run that gave no verdict says itself: the line that names its error."""
    out, err = _COLORS.sub("", stdout), _COLORS.sub("", stderr)
    error = _ERROR_LINE.search(out) or _ERROR_LINE.search(err)
    collecting = _COLLECTING.search(out)
    if error:
        where = f"{collecting[1]}: " if collecting else ""
        return shown(f"{where}{error[1]}", 300)
    plain = _PLAIN_ERROR.search(err) or _PLAIN_ERROR.search(out)
    if plain:
        return shown(plain[1], 300)
    lines = [line for line in f"{out}\n{err}".splitlines() if line.strip()]
    return shown(lines[-1], 300) if lines else ""
