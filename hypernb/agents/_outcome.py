"""What the work of a model comes to: a report with what tools found, or a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypernb.agents._answers import MisfitError, unwrapped
from hypernb.agents._fences import plain
from hypernb.agents._perform import reported, stamped
from hypernb.agents._words import listed, number
from hypernb.model import Finding, Report, RunStatus, Severity, StoredValue, ToolRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hypernb.agents._assignment import Assignment
    from hypernb.agents._toolbox import Toolbox

MODEL: Final = "model"
"""The tool that a model's own claims are reported for."""

CLAIM: Final = "claim"
"""Their category: nobody has checked them."""

_SUMMARY_AT_MOST: Final = 10_000
_MESSAGE_AT_MOST: Final = 1_000
_CLAIMS_AT_MOST: Final = 200
_LINES_READ_BYTES: Final = 5_000_000


class Outcome:
    """Makes the output of one attempt, of what the model says and the tools have found."""

    def __init__(self, assignment: Assignment, toolbox: Toolbox) -> None:
        self._agent = assignment.agent
        self._task = assignment.task
        self._work = assignment.work
        self._context = assignment.context
        self._toolbox = toolbox

    def of(self, answer: Any) -> Any:
        """Return the output from an answer that has the form of it.

        Raises:
            MisfitError: It names a result that there is not.
        """
        if self._work.returns == "text":
            return answer
        if self._work.returns == "report":
            return self._report(answer)
        if self._work.returns == "value":
            return self._value(answer["result"])
        return unwrapped(self._work, answer)

    def partial(self, why: str) -> Report | None:
        """Return a report of what was found before the work was broken off; None without."""
        if self._work.returns != "report" or not self._toolbox.runs:
            return None
        found = self.from_tools()
        gap = ToolRun(tool=MODEL, status=RunStatus.DID_NOT_RUN, task=self._task, reason=why)
        summary = f"This is a part only: it was broken off. {found.summary}"
        return found.model_copy(update={"summary": summary, "runs": (*found.runs, gap)})

    def from_tools(self) -> Report:
        """Return a report of what the tools have found, without a word of a model."""
        return reported(self._agent, self._task, self._tool_runs(), self._context)

    def _value(self, result: int) -> StoredValue:
        kept = self._toolbox.kept
        if result not in kept:
            there = listed([str(each) for each in kept]) if kept else "none"
            raise MisfitError(f"no object is kept as result {result}; there is {there}")
        return StoredValue(kept[result])

    def _report(self, answer: Mapping[str, Any]) -> Report:
        found = self.from_tools()
        claims = answer["claims"]
        kept = tuple(self._claims(claims[:_CLAIMS_AT_MOST]))
        own = self._own_run(kept, dropped=len(claims) - len(kept))
        summary = plain(answer["summary"].strip(), _SUMMARY_AT_MOST) or found.summary
        return found.model_copy(
            update={
                "summary": " ".join([summary, *self._honestly(kept)]),
                "runs": (*found.runs, own),
            }
        )

    def _own_run(self, claims: tuple[Finding, ...], *, dropped: int) -> ToolRun:
        used = self._toolbox.used
        idle = not used and not claims
        reasons = []
        if idle:
            reasons.append("it called no tool, and claims nothing")
        if dropped:
            said = number(dropped, "claim was", "claims were")
            reasons.append(f"{said} left out: no such place may be looked at")
        run = ToolRun(
            tool=MODEL,
            status=RunStatus.NOTHING_TO_CHECK if idle else RunStatus.RAN,
            reason="; ".join(reasons),
            settings=", ".join(f"{name} {used[name]}x" for name in sorted(used)),
            findings=claims,
        )
        return stamped(run, self._agent, self._task)

    def _honestly(self, claims: Sequence[Finding]) -> list[str]:
        said = []
        if not self._toolbox.used:
            said.append("No tool was called for this.")
        if claims:
            what = number(len(claims), "finding is a claim", "findings are claims")
            said.append(f"{what} of the model, which nobody has checked.")
        return said

    def _tool_runs(self) -> list[ToolRun]:
        """Return what each analyser found; what it found twice, once."""
        seen: set[Finding] = set()
        runs = []
        for run in self._toolbox.runs:
            fresh = tuple(each for each in run.findings if each not in seen)
            seen.update(fresh)
            own = run.model_copy(update={"findings": fresh})
            runs.append(stamped(own, self._agent, self._task))
        return runs

    def _claims(self, claims: Iterable[Mapping[str, Any]]) -> Iterable[Finding]:
        lengths: dict[str, int] = {}
        allowed = frozenset(self._context.files)
        for claim in claims:
            file, line = claim["file"].removeprefix("./"), claim["line"]
            if file not in allowed:
                continue
            if file not in lengths:
                lengths[file] = self._lines(file)
            if 1 <= line <= lengths[file]:
                yield Finding(
                    file=file,
                    line=line,
                    category=CLAIM,
                    rule=CLAIM,
                    severity=Severity(claim["severity"]),
                    message=plain(claim["message"], _MESSAGE_AT_MOST),
                    tool=MODEL,
                )

    def _lines(self, file: str) -> int:
        path = self._context.root / file
        try:
            if path.is_symlink() or not path.is_file():
                return 0
            with path.open("rb") as stream:
                return len(stream.read(_LINES_READ_BYTES).splitlines())
        except OSError:
            return 0
