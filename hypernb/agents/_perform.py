"""Work: an agent runs its tools, one after the other, and reports."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypernb.agents._words import sum_up, summarise
from hypernb.errors import HypernbError, NothingRanError, ToolError
from hypernb.model import Report, RunStatus, SprintItem, ToolRun
from hypernb.tools import tool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypernb.abc import ToolContext
    from hypernb.model import AgentWork, Finding

logger = logging.getLogger(__name__)


def perform(*, agent: str, task: str, work: AgentWork, context: ToolContext) -> Report:
    """Run the tools of a task in order, and report what they found and could not do.

    A tool that is absent or fails is a run that did not run, with the reason; the others go
    on. Findings carry the agent and are sorted by severity, file, line and rule. Where a tool
    sums up (its facts hold a sprint), the report has the runs of all tasks before it.

    Args:
        agent: Who does it.
        task: Name of the task.
        work: The tools, with their arguments.
        context: What the tools are given; ``params`` is replaced by each tool's own.

    Raises:
        NothingRanError: No tool ran, so nothing is known.
    """
    runs: list[ToolRun] = []
    for position, name in enumerate(work.tools):
        context.report(name, position / len(work.tools))
        given = replace(context, params=work.params.get(name, {}))
        runs.append(stamped(_run(name, given), agent, task))
    if all(run.status is RunStatus.DID_NOT_RUN for run in runs):
        raise NothingRanError(task, {run.tool: run.reason for run in runs})
    context.report("done", 1.0)
    return reported(agent, task, runs, context)


def reported(agent: str, task: str, runs: Sequence[ToolRun], context: ToolContext) -> Report:
    """Return a report of what tools did; if one of them sums up, of all tasks before it too."""
    if any("sprint" in run.facts for run in runs):
        return _summing_up(agent, task, runs, context)
    return Report(agent=agent, task=task, summary=summarise(runs), runs=tuple(runs))


def _run(name: str, context: ToolContext) -> ToolRun:
    try:
        return tool(name).run(context)
    except ToolError as error:
        hint = f". {error.hint}" if error.hint else ""
        reason = f"{error.reason.rstrip('.')}{hint}" if hint else error.reason
    except HypernbError as error:
        reason = str(error)
    except Exception as error:
        logger.exception("The tool %s failed", name)
        reason = f"it failed: {type(error).__name__}: {error}"
    return ToolRun(tool=name, status=RunStatus.DID_NOT_RUN, reason=reason)


def stamped(run: ToolRun, agent: str, task: str) -> ToolRun:
    """Return what a tool did with who had it done, its findings sorted."""
    findings = sorted(run.findings, key=_order)
    signed = tuple(each.model_copy(update={"agent": agent}) for each in findings)
    return run.model_copy(update={"findings": signed, "task": task})


def _order(finding: Finding) -> tuple[Any, ...]:
    return (
        -finding.severity.rank,
        finding.file,
        finding.cell or 0,
        finding.line,
        finding.rule,
        finding.message,
    )


def _summing_up(agent: str, task: str, own: Sequence[ToolRun], context: ToolContext) -> Report:
    """Put the reports of the tasks before it and the ranking into one report."""
    reports = [each for each in context.inputs.values() if isinstance(each, Report)]
    facts = {key: value for run in own for key, value in run.facts.items()}
    sprint = tuple(SprintItem.model_validate(item) for item in facts.pop("sprint"))
    runs = [run for report in reports for run in report.runs]
    runs += [run for gap in facts.get("missing", ()) for run in _not_run(gap)]
    files = {name: digest for report in reports for name, digest in report.files.items()}
    return Report(
        agent=agent,
        task=task,
        summary=sum_up(runs, len(sprint), facts.get("missing", ())),
        runs=(*runs, *(run.model_copy(update={"facts": {}}) for run in own)),
        sprint=sprint,
        facts=facts,
        files=files,
    )


def _not_run(gap: dict[str, Any]) -> list[ToolRun]:
    # A task that failed left no report; its tools must still be counted as not run, or the
    # whole would look as if everything had been looked at.
    return [
        ToolRun(tool=name, task=gap["task"], status=RunStatus.DID_NOT_RUN, reason=gap["reason"])
        for name in gap.get("tools") or [gap["task"]]
    ]
