"""Unsafe calls, by bandit with its default rules."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.abc import Tool
from hypernb.model import Finding, RunStatus, Severity, ToolRun
from hypernb.tools._process import python_module, run_process
from hypernb.tools._programs import (
    as_json,
    as_relative,
    batches,
    count,
    installed,
    is_aside,
    looked,
    name_some,
    shown,
    timeout_of,
)
from hypernb.tools._python import fitting, python_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hypernb.abc import ToolContext

_ARGS: Final = ("-q", "-f", "json", "--exit-zero")
_SETTINGS: Final = (
    "all default rules, every severity and confidence, # nosec honoured; "
    "one severity lower in tests and documents"
)
_SEVERITY: Final = {"HIGH": Severity.HIGH, "MEDIUM": Severity.MEDIUM}
_LOWER: Final = {Severity.HIGH: Severity.MEDIUM}
# Bandit quotes the password that it found; a report is stored and shared, so it may not.
_PASSWORD_RULES: Final = frozenset({"B105", "B106", "B107"})
_QUOTED: Final = re.compile(r"'.*'|\".*\"", re.DOTALL)


class BanditTool(Tool):
    """Report unsafe calls as bandit does with its default rules."""

    name: ClassVar[str] = "bandit"
    title: ClassVar[str] = "Look for unsafe calls with bandit"

    def describe(self, params: Mapping[str, Any]) -> str:
        """Say the command."""
        del params
        return f"bandit {' '.join(_ARGS)} <the Python files>"

    def run(self, context: ToolContext) -> ToolRun:
        """Run bandit over the listed Python files."""
        began = time.monotonic()
        release = installed("bandit", self.name)
        files = python_files(context.files)
        if not files:
            return ToolRun(
                tool=self.name,
                status=RunStatus.NOTHING_TO_CHECK,
                reason="There are no Python files.",
                version=release,
                settings=_SETTINGS,
            )
        fit, too_large = fitting(context.root, files)
        findings: list[Finding] = []
        skipped = dict.fromkeys(too_large, "too large")
        seen: set[str] = set()
        done = 0
        for batch in batches(fit):
            said = _bandit(context, batch, done / len(files))
            findings += _findings(said["results"], context.root)
            skipped |= {_file(item, context.root): item["reason"] for item in said["errors"]}
            seen |= {as_relative(name, context.root) for name in said["metrics"]}
            done += len(batch)
        left_out = sorted(set(files) - seen - set(skipped))
        checked = len(files) - len(skipped) - len(left_out)
        return ToolRun(
            tool=self.name,
            status=looked(checked),
            reason=_reason(skipped, left_out),
            version=release,
            command=shown(python_module("bandit", *_ARGS), len(files)),
            settings=_SETTINGS,
            checked=checked,
            duration_s=time.monotonic() - began,
            findings=tuple(findings),
            facts={"skipped": skipped, "left_out": left_out},
        )


def _bandit(context: ToolContext, batch: list[str], share: float) -> dict[str, Any]:
    done = run_process(
        python_module("bandit", *_ARGS, *batch),
        cwd=context.root,
        timeout_s=timeout_of(context.params),
        pulse=lambda: context.report("bandit is running", share),
    )
    said: dict[str, Any] = as_json("bandit", done.stdout)
    return said


def _findings(results: list[dict[str, Any]], root: Path) -> list[Finding]:
    return [
        Finding(
            file=_file(item, root),
            line=item["line_number"],
            category="security",
            rule=item["test_id"],
            severity=_severity(item["issue_severity"], _file(item, root)),
            message=_message(item),
            tool="bandit",
        )
        for item in results
    ]


def _file(item: Mapping[str, Any], root: Path) -> str:
    return as_relative(item["filename"], root)


def _severity(said: str, file: str) -> Severity:
    severity = _SEVERITY.get(said, Severity.LOW)
    return _LOWER.get(severity, Severity.LOW) if is_aside(file) else severity


def _message(item: Mapping[str, Any]) -> str:
    text = str(item["issue_text"])
    return _QUOTED.sub("'…'", text) if item["test_id"] in _PASSWORD_RULES else text


def _reason(skipped: Mapping[str, str], left_out: list[str]) -> str:
    said = []
    if skipped:
        names = [f"{file} ({why})" for file, why in sorted(skipped.items())]
        said.append(
            f"Bandit could not read {count(len(names), 'file', 'files')}: {name_some(names)}."
        )
    if left_out:
        said.append(f"Bandit leaves out by default: {name_some(left_out)}.")
    return " ".join(said)
