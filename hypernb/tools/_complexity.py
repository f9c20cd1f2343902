"""Complexity of functions, by ruff's C901."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.abc import Tool
from hypernb.model import RunStatus, ToolRun
from hypernb.tools._process import python_module, run_process
from hypernb.tools._programs import as_argument, installed, looked, name_some, timeout_of
from hypernb.tools._python import python_files
from hypernb.tools._ruff import SUFFIXES, own_configuration, run_ruff

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.abc import ToolContext

RULE: Final = "C901"
MAX_COMPLEXITY: Final = 10


class ComplexityTool(Tool):
    """Name the functions with more branches than ``max_complexity`` (10)."""

    name: ClassVar[str] = "complexity"
    title: ClassVar[str] = "Measure the complexity of functions with ruff"

    def describe(self, params: Mapping[str, Any]) -> str:
        """Say the rule and the limit."""
        return f"ruff check --isolated --select {RULE}, limit {_limit(params)}"

    def run(self, context: ToolContext) -> ToolRun:
        """Run ruff's C901, unless the project's own configuration already does."""
        limit = _limit(context.params)
        if own := _is_reported_already(context):
            settings = f"{RULE} is on in {own}"
            return ToolRun(
                tool=self.name,
                status=RunStatus.NOTHING_TO_CHECK,
                reason=f"{settings}, so ruff reports it with the project's own limit.",
                version=installed("ruff", self.name),
                settings=settings,
            )
        options = (
            "--isolated",
            "--select",
            RULE,
            "--config",
            f"lint.mccabe.max-complexity={limit}",
        )
        run = run_ruff(
            self.name, context, options, f"{RULE}, limit {limit}", category="complexity"
        )
        return _without_syntax_errors(run)


def _limit(params: Mapping[str, Any]) -> int:
    return int(params.get("max_complexity", MAX_COMPLEXITY))


def _is_reported_already(context: ToolContext) -> str:
    own = own_configuration(context.root)
    files = python_files(context.files, *SUFFIXES)
    if not own or not files:
        return ""
    done = run_process(
        python_module("ruff", "check", "--no-cache", "--show-settings", as_argument(files[0])),
        cwd=context.root,
        timeout_s=timeout_of(context.params),
    )
    return own if f"({RULE})" in done.stdout else ""


def _without_syntax_errors(run: ToolRun) -> ToolRun:
    # Ruff reports files that it cannot parse under every selection; `ruff` has them as
    # findings, here they are places where nothing is known.
    unread = sorted({item.file for item in run.findings if item.rule != RULE})
    if not unread:
        return run
    facts = {**run.facts, "unparsable": unread}
    reason = f"{run.reason} Could not be parsed: {name_some(unread)}.".strip()
    kept = tuple(item for item in run.findings if item.rule == RULE)
    checked = run.checked - len(unread)
    changed = {"findings": kept, "facts": facts, "reason": reason, "checked": checked}
    return run.model_copy(update={**changed, "status": looked(checked)})
