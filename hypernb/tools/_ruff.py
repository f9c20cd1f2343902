"""Lint, by ruff: the project's own rules where it has some, otherwise plain mistakes."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.abc import Tool
from hypernb.errors import ToolError
from hypernb.model import Finding, RunStatus, Severity, ToolRun
from hypernb.tools._config import settings_toml
from hypernb.tools._process import python_module, run_process
from hypernb.tools._programs import (
    as_json,
    as_relative,
    batches,
    count,
    installed,
    looked,
    name_some,
    shown,
    timeout_of,
)
from hypernb.tools._python import fitting, python_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hypernb.abc import ToolContext

PLAIN_RULES: Final = "E4,E7,E9,F"
SUFFIXES: Final = (".py", ".pyi", ".pyw", ".ipynb")
_CRASH: Final = re.compile(r"signal SIG(?:ABRT|SEGV|BUS|ILL)|wrote more than")
_CRASHES_AT_MOST: Final = 20
_CHECKED_TOO: Final = ("pyproject.toml", "ruff.toml")

# A project may switch fixing on in its configuration, and ruff would then write into the
# tree; nothing is cached there either.
_CHECK: Final = (
    "check",
    "--output-format",
    "json",
    "--no-cache",
    "--exit-zero",
    "--no-fix",
    "--no-fix-only",
    "--force-exclude",
)
_SHOW_FILES: Final = ("check", "--no-cache", "--show-files")

# What stops a program from running weighs most, then what is probably wrong, then style.
_BY_RULE: Final = {
    "invalid-syntax": Severity.HIGH,
    "E999": Severity.HIGH,
    "F401": Severity.LOW,
    "F541": Severity.LOW,
    "F841": Severity.LOW,
    "S101": Severity.LOW,
}
_MEDIUM_FAMILIES: Final = frozenset({"ASYNC", "B", "BLE", "F", "PLE", "S"})


class RuffTool(Tool):
    """Lint by the project's own ruff configuration, or by E4, E7, E9 and F.

    Syntax errors are high; F, B, BLE, S, ASYNC, PLE and E9 medium, for they point at mistakes
    and holes; S101, F401, F541 and F841 are low, and so is everything else, which is style.
    """

    name: ClassVar[str] = "ruff"
    title: ClassVar[str] = "Lint with ruff"

    def describe(self, params: Mapping[str, Any]) -> str:
        """Say the command; which rules depends on the project's configuration."""
        del params
        return (
            f"ruff {' '.join(_CHECK)} <the Python files and notebooks>, by the project's own "
            f"configuration, or with --isolated --select {PLAIN_RULES}"
        )

    def run(self, context: ToolContext) -> ToolRun:
        """Run ruff and keep what it says of the listed files."""
        return run_ruff(self.name, context, *_choice(context.root), category="lint")


def run_ruff(
    tool: str, context: ToolContext, options: tuple[str, ...], settings: str, *, category: str
) -> ToolRun:
    """Run ``ruff check`` with options, and turn what it says of listed files into findings.

    Ruff itself says first which files it would look at; it is then given those of them that
    are listed, and reads no other.

    Raises:
        ToolAbsentError: ruff is not installed.
        ToolError: ruff failed; above all because the project's configuration is broken.
    """
    began = time.monotonic()
    release = installed("ruff", tool)
    sources = frozenset(python_files(context.files, *SUFFIXES))
    if not sources:
        said = "There are no Python files or notebooks."
        return _nothing(tool, release, settings, said)
    listed = sources.union(python_files(context.files, *_CHECKED_TOO))
    seen = _seen(context, options, listed)
    left_out = sorted(sources - seen)
    if not seen & sources:
        said = f"Ruff's settings leave out all {count(len(sources), 'file', 'files')}."
        return _nothing(tool, release, settings, said)
    fit, too_large = fitting(context.root, sorted(seen))
    findings: list[Finding] = []
    crashed: list[str] = []
    for batch in batches(fit):
        for said in _checked(context, options, batch, crashed):
            findings += _findings(tool, category, said, context.root)
    checked = len(seen & sources) - len(too_large) - len(crashed)
    return ToolRun(
        tool=tool,
        status=looked(checked),
        reason=_reason(left_out, too_large, crashed),
        version=release,
        command=shown(python_module("ruff", *_CHECK, *options), len(seen)),
        settings=settings,
        checked=checked,
        duration_s=time.monotonic() - began,
        findings=tuple(findings),
        facts={"left_out": left_out, "too_large": too_large, "crashed": crashed},
    )


def own_configuration(root: Path) -> str:
    """Return the name of the project's ruff configuration at the root, or an empty string."""
    for name in (".ruff.toml", "ruff.toml"):
        if (root / name).is_file():
            return name
    try:
        settings = settings_toml(root)
    except (OSError, ValueError):
        # Ruff reads it too, and says what is wrong in its own words; it would wait for ever
        # at a pipe.
        return "pyproject.toml" if (root / "pyproject.toml").is_file() else ""
    tools = settings.get("tool")
    return "pyproject.toml" if isinstance(tools, dict) and "ruff" in tools else ""


def _choice(root: Path) -> tuple[tuple[str, ...], str]:
    own = own_configuration(root)
    if own:
        return (), f"the project's own configuration, {own}"
    settings = f"{PLAIN_RULES}; the project has no configuration of its own"
    return ("--isolated", "--select", PLAIN_RULES), settings


def _seen(
    context: ToolContext, options: tuple[str, ...], listed: frozenset[str]
) -> frozenset[str]:
    isolated = tuple(option for option in options if option == "--isolated")
    root = context.root.resolve()
    for more in ((), ("--no-respect-gitignore",)):
        # The second try is for a tree that lies in an ignored folder of another repository.
        command = python_module("ruff", *_SHOW_FILES, *isolated, *more, ".")
        said = _ruff(context, command)
        seen = listed & {as_relative(line, root) for line in said.splitlines()}
        if seen:
            return seen
    return frozenset()


def _ruff(context: ToolContext, command: list[str]) -> str:
    return run_process(
        command,
        cwd=context.root,
        timeout_s=timeout_of(context.params),
        pulse=lambda: context.report("ruff is running", None),
    ).stdout


def _checked(
    context: ToolContext, options: tuple[str, ...], batch: list[str], crashed: list[str]
) -> Iterator[str]:
    """Yield what ruff says of a batch, piece by piece if a file of it makes ruff crash.

    Its parser goes as deep as a file is nested, and a few thousand levels end the process;
    a file of garbage has a finding for every byte.
    """
    rest = [batch]
    while rest:
        files = rest.pop()
        try:
            yield _ruff(context, python_module("ruff", *_CHECK, *options, *files))
        except ToolError as error:
            if not _CRASH.search(error.reason) or len(crashed) >= _CRASHES_AT_MOST:
                raise
            if len(files) == 1:
                crashed.append(as_relative(files[0], context.root))
            else:
                half = len(files) // 2
                rest += [files[half:], files[:half]]


def _reason(left_out: list[str], too_large: list[str], crashed: list[str]) -> str:
    groups = {
        "Left out by ruff's settings": left_out,
        "Too large": too_large,
        "Ruff crashed on": crashed,
    }
    return " ".join(f"{why}: {name_some(names)}." for why, names in groups.items() if names)


def _findings(tool: str, category: str, said: str, root: Path) -> list[Finding]:
    root = root.resolve()
    return [
        Finding(
            file=as_relative(item["filename"], root),
            line=item["location"]["row"],
            category=category,
            rule=(rule := item["code"] or "invalid-syntax"),
            severity=severity_of(rule),
            message=item["message"],
            tool=tool,
            cell=item["cell"],
        )
        for item in as_json(tool, said)
    ]


def severity_of(rule: str) -> Severity:
    """Return how much a rule's findings weigh.

    Example:
        >>> severity_of("F821").value, severity_of("FBT001").value
        ('medium', 'low')
    """
    if rule in _BY_RULE:
        return _BY_RULE[rule]
    family = re.match(r"[A-Z]*", rule)
    if rule.startswith("E9") or (family is not None and family[0] in _MEDIUM_FAMILIES):
        return Severity.MEDIUM
    return Severity.LOW


def _nothing(tool: str, release: str, settings: str, reason: str) -> ToolRun:
    return ToolRun(
        tool=tool,
        status=RunStatus.NOTHING_TO_CHECK,
        reason=reason,
        version=release,
        settings=settings,
    )
