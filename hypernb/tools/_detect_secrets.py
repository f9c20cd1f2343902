"""Secrets in files, by detect-secrets with its default plugins and without the network."""

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
    name_some,
    shown,
    timeout_of,
)
from hypernb.tools._python import TOO_LARGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hypernb.abc import ToolContext

_ARGS: Final = ("scan", "--no-verify")
_SETTINGS: Final = (
    "default plugins and filters, nothing verified over the network, no baseline; "
    "high; medium for strings of high entropy, low in tests and documents"
)


class DetectSecretsTool(Tool):
    """Report what looks like a secret, as detect-secrets does by default.

    The secrets themselves go nowhere: neither into findings nor into facts.
    """

    name: ClassVar[str] = "detect-secrets"
    title: ClassVar[str] = "Look for secrets with detect-secrets"

    def describe(self, params: Mapping[str, Any]) -> str:
        """Say the command."""
        del params
        return f"detect-secrets {' '.join(_ARGS)} <all files>"

    def run(self, context: ToolContext) -> ToolRun:
        """Run detect-secrets over the listed files."""
        began = time.monotonic()
        release = installed("detect-secrets", self.name)
        files, aside = _readable(context.root, context.files)
        if not files:
            return ToolRun(
                tool=self.name,
                status=RunStatus.NOTHING_TO_CHECK,
                reason=f"There are no text files. {_reason(aside)}".strip(),
                version=release,
                settings=_SETTINGS,
                facts=aside,
            )
        findings: list[Finding] = []
        done = 0
        for batch in batches(files):
            findings += _findings(_scan(context, batch, done / len(files)), context)
            done += len(batch)
        return ToolRun(
            tool=self.name,
            status=RunStatus.RAN,
            reason=_reason(aside),
            version=release,
            command=shown(python_module("detect_secrets", *_ARGS), len(files)),
            settings=_SETTINGS,
            checked=len(files),
            duration_s=time.monotonic() - began,
            findings=tuple(findings),
            facts=aside,
        )


def _readable(root: Path, files: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Part the files that detect-secrets reads from those that it passes over in silence."""
    kept: list[str] = []
    aside: dict[str, list[str]] = {"not_text": [], "too_large": [], "unreadable": []}
    for file in files:
        path = root / file
        try:
            if path.stat().st_size > TOO_LARGE_BYTES:
                aside["too_large"].append(file)
                continue
            path.read_bytes().decode()
        except UnicodeDecodeError:
            aside["not_text"].append(file)
        except OSError:
            aside["unreadable"].append(file)
        else:
            kept.append(file)
    return kept, {why: names for why, names in aside.items() if names}


def _scan(context: ToolContext, batch: list[str], share: float) -> dict[str, Any]:
    done = run_process(
        python_module("detect_secrets", *_ARGS, *batch),
        cwd=context.root,
        timeout_s=timeout_of(context.params),
        pulse=lambda: context.report("detect-secrets is running", share),
    )
    said: dict[str, Any] = as_json("detect-secrets", done.stdout)["results"]
    return said


def _findings(results: Mapping[str, Any], context: ToolContext) -> list[Finding]:
    root = context.root.resolve()
    return [
        Finding(
            file=(file := as_relative(named, root)),
            line=item["line_number"],
            category="secret",
            rule=(rule := slug(item["type"])),
            severity=_severity(rule, file),
            message=f"{item['type']}: this looks like a secret. The value is not shown.",
            tool="detect-secrets",
        )
        for named, items in sorted(results.items())
        for item in items
    ]


def _severity(rule: str, file: str) -> Severity:
    # A string of high entropy is a guess: as often as not it is a checksum or a pinned commit.
    if is_aside(file):
        return Severity.LOW
    return Severity.MEDIUM if rule.endswith("-high-entropy-string") else Severity.HIGH


def slug(words: str) -> str:
    """Turn the name of a kind of secret into a rule.

    Example:
        >>> slug("AWS Access Key"), slug("Artifactory Credentials")
        ('aws-access-key', 'artifactory-credentials')
    """
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def _reason(aside: Mapping[str, list[str]]) -> str:
    words = {
        "not_text": "Not UTF-8 text, so not searched",
        "too_large": f"Over {TOO_LARGE_BYTES // 1024**2} MB, so not searched",
        "unreadable": "Not readable",
    }
    return " ".join(
        f"{words[why]}: {count(len(names), 'file', 'files')} ({name_some(names[:5])})."
        for why, names in aside.items()
    )
