"""Runs a project's own test suite with coverage, and leaves nothing in the project."""

from __future__ import annotations

import contextlib
import json
import shlex
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.abc import Tool
from hypernb.errors import ToolAbsentError, ToolError
from hypernb.model import Finding, RunStatus, Severity, ToolRun
from hypernb.tools._config import CONFIG
from hypernb.tools._junit import Suite, first_complaint, read_junit
from hypernb.tools._process import Completed, run_process
from hypernb.tools._reading import Rules, is_test_path, shown
from hypernb.tools._suite import DEFAULT_TIMEOUT_S, suite_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypernb.abc import ToolContext

__all__ = ["COVERAGE_FILE", "SuiteTool"]

COVERAGE_FILE: Final = "coverage.json"
_SHORT_TIMEOUT_S: Final = 60.0
_PASSED, _FAILED, _MISUSED, _NO_TESTS = 0, 1, 4, 5
_FAILURES_SHOWN: Final = 500
_FILES_IN_FACTS: Final = 2_000
_PROBE: Final = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {}
for name in ("pytest", "coverage", "pytest-cov", "pytest-xdist"):
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""
_HOW: Final = (
    f'In {CONFIG}, [tests] command = "…" and interpreter = "…" say how to run it; '
    "--no-tests leaves it out."
)

_rules = Rules("tests", "tests")


class SuiteTool(Tool):
    """The project's own test suite: pytest, or whatever command the plan names."""

    name: ClassVar[str] = "tests"
    title: ClassVar[str] = "run the project's own test suite"

    def describe(self, params: Mapping[str, Any]) -> str:
        """Say which command is executed, and for how long at most."""
        command = _command(params)
        if not command:
            return f"runs no test suite: {params.get('reason') or 'the plan names no command.'}"
        pytest = _split_pytest(command)
        how = "with coverage, " if pytest and params.get("coverage", True) else ""
        return f"runs {shlex.join(command)} ({how}at most {_timeout_s(params):g} s)"

    def run(self, context: ToolContext) -> ToolRun:
        """Run the command in the root; results and caches go to a temporary folder."""
        command = _command(context.params)
        if not command:
            return self._without_command(context)
        with tempfile.TemporaryDirectory(
            prefix="hypernb-tests-", ignore_cleanup_errors=True
        ) as folder:
            try:
                return _Run(context, command, Path(folder)).result()
            except ToolError as error:
                hint = error.hint if error.hint and error.tool == self.name else _HOW
                raise ToolError(self.name, error.reason, hint=hint) from error

    def _without_command(self, context: ToolContext) -> ToolRun:
        if "command" in context.params or not suite_files(context.files):
            reason = context.params.get("reason") or "There are no test files."
            return ToolRun(tool=self.name, status=RunStatus.NOTHING_TO_CHECK, reason=reason)
        # What the plan does not name, nobody has approved.
        raise ToolError(
            self.name,
            "the plan does not say which command runs the test suite.",
            hint='Give the task params={"tests": suite_command(root)}.',
        )


def _command(params: Mapping[str, Any]) -> list[str]:
    command = params.get("command") or []
    return shlex.split(command) if isinstance(command, str) else [str(word) for word in command]


def _timeout_s(params: Mapping[str, Any]) -> float:
    return float(params.get("timeout_s") or DEFAULT_TIMEOUT_S)


def _split_pytest(command: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Split ``python -X dev -m pytest -q`` into ``python -X dev`` and ``-q``."""
    for position in range(1, len(command) - 1):
        if command[position] == "-m":
            is_pytest = command[position + 1] == "pytest"
            rest = list(command[position + 2 :])
            return (list(command[:position]), rest) if is_pytest else None
    return None


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of the suite, with a folder for everything that it leaves behind."""

    context: ToolContext
    command: list[str]
    folder: Path

    def result(self) -> ToolRun:
        pytest = _split_pytest(self.command)
        if pytest is None:
            return self._custom()
        python, arguments = pytest
        found = self._probe(python)
        covered = bool(self.context.params.get("coverage", True)) and "coverage" in found
        command = self._pytest_command(python, arguments, covered=covered)
        kept_out = _plugin_options(found, covered=covered)
        done = self._execute([*command, *kept_out])
        # A project may have switched these very plugins off, and then their options are wrong.
        if done.exit_code == _MISUSED and any(each in done.stderr for each in kept_out):
            done = self._execute(command)
        suite = read_junit(self.folder / "junit.xml")
        if done.exit_code == _NO_TESTS:
            return self._nothing(done)
        if done.exit_code not in (_PASSED, _FAILED) or suite is None:
            raise ToolError("tests", self._why_no_verdict(done))
        coverage = self._coverage(python) if covered else {}
        versions = [f"{name} {found[name]}" for name in ("pytest", "coverage") if name in found]
        return ToolRun(
            tool="tests",
            status=RunStatus.RAN,
            version=", ".join(versions),
            command=self._shown(command),
            settings=self._settings(covered=covered, available="coverage" in found),
            checked=suite.total,
            duration_s=done.duration_s,
            findings=tuple(_findings(suite, self.context.files)),
            facts={**_totals(suite), **_coverage_facts(coverage)},
        )

    # -- commands ---------------------------------------------------------------------------

    def _pytest_command(
        self, python: list[str], arguments: list[str], *, covered: bool
    ) -> list[str]:
        command = [*python, "-m"]
        if covered:
            (self.folder / "coveragerc").write_text(
                f"[run]\nsource = {self.context.root}\ndata_file = {self.folder}/coverage\n",
                encoding="utf-8",
            )
            command += ["coverage", "run", f"--rcfile={self.folder}/coveragerc", "-m"]
        command += ["pytest", *arguments, f"--junitxml={self.folder}/junit.xml"]
        for option in (
            "junit_family=xunit1",
            "junit_logging=no",
            f"cache_dir={self.folder}/cache",
        ):
            command += ["-o", option]
        return [*command, "--color=no"]

    def _probe(self, python: list[str]) -> dict[str, str]:
        try:
            done = run_process(
                [python[0], "-c", _PROBE], cwd=self.folder, timeout_s=_SHORT_TIMEOUT_S
            )
        except ToolAbsentError as error:
            raise ToolError("tests", f"there is no interpreter {python[0]!r}.") from error
        except ToolError as error:
            raise ToolError("tests", f"{python[0]!r} is no Python: {error.reason}") from error
        try:
            found: dict[str, str] = json.loads(done.stdout)
        except ValueError as error:
            raise ToolError("tests", f"{python[0]!r} is no Python.") from error
        if "pytest" not in found:
            raise ToolError("tests", f"{python[0]} has no pytest.")
        return found

    def _execute(self, command: list[str]) -> Completed:
        began = time.monotonic()
        self.context.report("the test suite is running", None)
        return run_process(
            command,
            cwd=self.context.root,
            timeout_s=_timeout_s(self.context.params),
            allowed_exit=None,
            env_extra={
                "COVERAGE_FILE": f"{self.folder}/coverage",
                "HYPOTHESIS_STORAGE_DIRECTORY": f"{self.folder}/hypothesis",
            },
            pulse=lambda: self.context.report(
                f"the test suite has been running for {time.monotonic() - began:.0f} s", None
            ),
        )

    # -- other answers than a verdict on each test ------------------------------------------

    def _custom(self) -> ToolRun:
        done = self._execute(self.command)
        said = first_complaint(done.stdout, done.stderr)
        if done.exit_code < 0:
            raise ToolError("tests", _ended_by_signal(done, said))
        findings = []
        if done.exit_code:
            findings.append(
                _rules.found(
                    "suite-failed",
                    Severity.HIGH,
                    f"The test command ended with exit code {done.exit_code}: {said}",
                )
            )
        return ToolRun(
            tool="tests",
            status=RunStatus.RAN,
            command=shlex.join(self.command),
            settings="the exit code is the verdict; no coverage",
            duration_s=done.duration_s,
            findings=tuple(findings),
            facts={"exit_code": done.exit_code},
        )

    def _nothing(self, done: Completed) -> ToolRun:
        return ToolRun(
            tool="tests",
            status=RunStatus.NOTHING_TO_CHECK,
            reason="No tests were collected.",
            command=shlex.join(self.command),
            duration_s=done.duration_s,
        )

    def _why_no_verdict(self, done: Completed) -> str:
        said = first_complaint(done.stdout, done.stderr)
        if done.exit_code < 0:
            return _ended_by_signal(done, said)
        how = {
            2: "the tests cannot be collected",
            3: "pytest itself failed",
            4: "pytest cannot be started like this",
        }.get(done.exit_code, f"it ended with exit code {done.exit_code} and left no results")
        return f"{how}: {said or 'it said nothing.'}"

    # -- what else is known -----------------------------------------------------------------

    def _coverage(self, python: list[str]) -> dict[str, tuple[int, int]]:
        """Return executed lines and all lines of each module of the project."""
        target = self.folder / COVERAGE_FILE
        try:
            run_process(
                [
                    *(*python, "-m", "coverage", "json", "-q", "--ignore-errors"),
                    *(f"--rcfile={self.folder}/coveragerc", "-o", str(target)),
                ],
                cwd=self.context.root,
                timeout_s=_SHORT_TIMEOUT_S,
            )
            content = json.loads(target.read_text(encoding="utf-8"))
        except (ToolError, OSError, ValueError):
            return {}
        measured: dict[str, tuple[int, int]] = {}
        files = set(self.context.files)
        for name, entry in content.get("files", {}).items():
            path = _relative(name, self.context.root)
            if path in files and not is_test_path(path):
                summary = entry["summary"]
                measured[path] = (summary["covered_lines"], summary["num_statements"])
        if self.context.outbox is not None:
            kept = json.dumps({"files": measured}, indent=1)
            with contextlib.suppress(OSError):
                (self.context.outbox / COVERAGE_FILE).write_text(kept, encoding="utf-8")
        return measured

    def _shown(self, command: list[str]) -> str:
        return shlex.join(word.replace(str(self.folder), "TEMP") for word in command)

    def _settings(self, *, covered: bool, available: bool) -> str:
        if covered:
            return "the project's own pytest configuration; coverage's defaults, lines only"
        why = "" if available else ": the interpreter has no coverage"
        return f"the project's own pytest configuration; without coverage{why}"


def _plugin_options(found: Mapping[str, str], *, covered: bool) -> list[str]:
    """Return what keeps plugins from writing into the project, and from not measuring."""
    options = ["--no-cov"] if "pytest-cov" in found else []
    return [*options, "-n0"] if covered and "pytest-xdist" in found else options


def _ended_by_signal(done: Completed, said: str) -> str:
    name = signal.Signals(-done.exit_code).name
    return f"it was ended by {name}: {said}" if said else f"it was ended by {name}."


def _relative(name: str, root: Path) -> str:
    path = Path(name)
    if path.is_absolute():
        with contextlib.suppress(ValueError):
            path = path.relative_to(root)
    return path.as_posix()


def _totals(suite: Suite) -> dict[str, Any]:
    return {
        "passed": suite.passed,
        "failed": suite.failed,
        "errors": suite.errors,
        "skipped": suite.skipped,
        "duration_s": round(suite.duration_s, 3),
    }


def _coverage_facts(coverage: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    statements = sum(total for _, total in coverage.values())
    if not statements:
        return {}
    executed = sum(covered for covered, _ in coverage.values())
    facts: dict[str, Any] = {"coverage_percent": round(100 * executed / statements, 1)}
    if len(coverage) <= _FILES_IN_FACTS:
        facts["coverage_files"] = {path: list(lines) for path, lines in coverage.items()}
    return facts


def _findings(suite: Suite, files: Sequence[str]) -> list[Finding]:
    found = []
    for case in suite.cases[:_FAILURES_SHOWN]:
        is_failure = case.kind == "failure"
        place = _known_file(case.file, files)
        found.append(
            _rules.found(
                "failing-test" if is_failure else "broken-test",
                Severity.HIGH,
                f"{shown(case.name, 120)} {'fails' if is_failure else 'cannot be run'}: "
                f"{case.message or 'it does not say why.'}",
                place,
                case.line if place else 0,
            )
        )
    return found


def _known_file(named: str, files: Sequence[str]) -> str:
    """Return the listed file that pytest means; its paths begin at its own root."""
    if not named or named in files:
        return named
    tail = PurePosixPath(named).as_posix().lstrip("./")
    ending = [path for path in files if path.endswith(f"/{tail}") or tail.endswith(f"/{path}")]
    return max(ending, key=len) if ending else ""
