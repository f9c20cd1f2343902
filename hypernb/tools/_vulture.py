"""Dead code, by vulture."""

from __future__ import annotations

import ast
import json
import re
import tempfile
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.abc import Tool
from hypernb.errors import ToolError
from hypernb.model import Finding, RunStatus, Severity, ToolRun
from hypernb.tools._config import settings_toml
from hypernb.tools._process import Completed, end_of, python_module, run_process
from hypernb.tools._programs import (
    as_argument,
    as_relative,
    count,
    installed,
    looked,
    name_some,
    shown,
    timeout_of,
)
from hypernb.tools._python import TOO_DEEP, fitting, parse, python_files
from hypernb.tools._reading import shown as printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypernb.abc import ToolContext

MIN_CONFIDENCE: Final = 80
# What a project may say about its own code; the rest of [tool.vulture] decides what is
# looked at and how it is printed, which is not the project's to say here.
_OWN_KEYS: Final = ("exclude", "ignore_decorators", "ignore_names")
_CLEAN, _UNPARSABLE, _FOUND = 0, 1, 3
_LINE: Final = re.compile(
    r"(?P<file>.+?):(?P<line>\d+): (?P<said>.+) \((?P<sure>\d+)% confidence\)"
)
_NO_ENCODING: Final = "not in the encoding it declares"
_UNUSED: Final = re.compile(r"unused (?P<kind>\w+) '")
_CRASH: Final = "Traceback (most recent call last):"
# It ends with 1 both when it read everything but a file or two, and when it read nothing.
_GAVE_UP: Final = re.compile(
    r"^Error: .* (?:could not be found|are not supported)", re.MULTILINE
)
# Vulture visits a tree by recursion, two frames and more a level.
_DEEP: Final = 150


class VultureTool(Tool):
    """Report code that vulture is ``min_confidence`` (80) percent sure is never used."""

    name: ClassVar[str] = "vulture"
    title: ClassVar[str] = "Look for dead code with vulture"

    def describe(self, params: Mapping[str, Any]) -> str:
        """Say the command."""
        return f"vulture --min-confidence {_confidence(params)} <the Python files>"

    def run(self, context: ToolContext) -> ToolRun:
        """Run vulture once over all listed Python files."""
        began = time.monotonic()
        release = installed("vulture", self.name)
        files = python_files(context.files)
        confidence = _confidence(context.params)
        own = _own_settings(context.root)
        settings = f"at least {confidence} % sure"
        if own:
            settings += f"; {', '.join(own)} from pyproject.toml"
        if not files:
            return ToolRun(
                tool=self.name,
                status=RunStatus.NOTHING_TO_CHECK,
                reason="There are no Python files.",
                version=release,
                settings=settings,
            )
        root = context.root.resolve()
        left_out = _excluded(root, files, own.get("exclude", []))
        fit, too_large = fitting(root, files)
        done, unread = _vulture(context, fit, {**own, "min_confidence": confidence})
        unread |= _unparsable(done.stderr, root) | dict.fromkeys(too_large, "too large")
        checked = len(files) - len(left_out) - len(unread)
        return ToolRun(
            tool=self.name,
            status=looked(checked),
            reason=_reason(unread),
            version=release,
            command=shown(
                python_module("vulture", "--min-confidence", str(confidence)), len(files)
            ),
            settings=settings,
            checked=checked,
            duration_s=time.monotonic() - began,
            findings=_findings(done.stdout, root),
            facts={"unparsable": unread, "left_out": left_out},
        )


def _confidence(params: Mapping[str, Any]) -> int:
    return int(params.get("min_confidence", MIN_CONFIDENCE))


def _own_settings(root: Path) -> dict[str, Any]:
    try:
        own = settings_toml(root)["tool"]["vulture"]
        return {key: own[key] for key in _OWN_KEYS if key in own}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _excluded(root: Path, files: Sequence[str], patterns: Sequence[str]) -> list[str]:
    # As vulture matches them: against absolute paths, whatever the case, with stars around
    # a pattern that has no wildcard.
    globs = [p if any(ch in p for ch in "*?[") else f"*{p}*" for p in map(str, patterns)]
    return [f for f in files if any(fnmatch(str(root / f), glob) for glob in globs)]


def _vulture(
    context: ToolContext, files: Sequence[str], settings: Mapping[str, Any]
) -> tuple[Completed, dict[str, str]]:
    """Run vulture; if it gives up, once more without files that Python cannot parse either."""
    if not files:
        return Completed("", "", _CLEAN, 0.0), {}
    done = _run(context, files, settings)
    odd = _odd(context.root, files) if _has_given_up(done) else {}
    if odd:
        done = _run(context, [file for file in files if file not in odd], settings)
    if _has_given_up(done):
        raise ToolError("vulture", f"it gave up: {end_of(done.stderr.strip(), 400)}")
    return done, odd


def _has_given_up(done: Completed) -> bool:
    said = done.stderr.strip()
    return _CRASH in said or _GAVE_UP.search(said) is not None


def _run(context: ToolContext, files: Sequence[str], settings: Mapping[str, Any]) -> Completed:
    # Dead code is a question about all files at once, so they go in one run, and by a
    # configuration file, because a command line is too short for a large project.
    with tempfile.TemporaryDirectory(prefix="hypernb-vulture-") as folder:
        config = Path(folder, "pyproject.toml")
        config.write_text(_toml({**settings, "paths": [as_argument(f) for f in files]}))
        return run_process(
            python_module("vulture", "--config", str(config)),
            cwd=context.root,
            timeout_s=timeout_of(context.params),
            allowed_exit=(_CLEAN, _UNPARSABLE, _FOUND),
            env_extra={"PYTHONWARNINGS": "ignore"},
            pulse=lambda: context.report("vulture is running", None),
        )


def _toml(settings: Mapping[str, Any]) -> str:
    # A JSON string is a TOML string too, and so is a list of them.
    lines = [
        f"{key} = {json.dumps(value, ensure_ascii=True)}" for key, value in settings.items()
    ]
    return "\n".join(["[tool.vulture]", *lines, ""])


def _findings(said: str, root: Path) -> tuple[Finding, ...]:
    found = []
    for line in said.splitlines():
        parts = _LINE.fullmatch(line)
        if parts is None:
            continue
        found.append(
            Finding(
                file=as_relative(parts["file"], root),
                line=int(parts["line"]),
                category="dead-code",
                rule=_rule(parts["said"]),
                severity=Severity.LOW,
                message=f"{parts['said']} ({parts['sure']} % sure)",
                tool="vulture",
            )
        )
    return tuple(dict.fromkeys(found))


def _rule(said: str) -> str:
    unused = _UNUSED.match(said)
    return f"unused-{unused['kind']}" if unused else "unreachable-code"


def _unparsable(stderr: str, root: Path) -> dict[str, str]:
    unread = {}
    for line in stderr.splitlines():
        said = line.removeprefix("Error: Could not read file ")
        file, _, why = said.partition(" - " if said != line else ":")
        if file.endswith(".py"):
            why = re.sub(r"^(\d+): ", r"line \1: ", why.strip()).removeprefix("None: ")
            unread[as_relative(file, root)] = printable(why, 120) or _NO_ENCODING
    return unread


def _odd(root: Path, files: Sequence[str]) -> dict[str, str]:
    """Say what is wrong with each file that has no syntax tree, or one too deep to walk."""
    odd = {}
    for file in files:
        tree, problem = parse(root / file)
        if tree is None or _depth(tree) > _DEEP:
            odd[file] = problem or TOO_DEEP
    return odd


def _depth(tree: ast.AST) -> int:
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth


def _reason(unread: Mapping[str, str]) -> str:
    if not unread:
        return ""
    names = [f"{file} ({why})" for file, why in sorted(unread.items())]
    return f"Vulture could not read {count(len(names), 'file', 'files')}: {name_some(names)}."
