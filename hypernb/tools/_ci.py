"""Looks over the configuration of continuous integration by own rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from hypernb.abc import Tool
from hypernb.model import Finding, Severity
from hypernb.tools._marked_yaml import MAX_BYTES, Value, YamlProblem, read_yaml
from hypernb.tools._reading import Rules, Sources, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypernb.abc import ToolContext
    from hypernb.model import ToolRun

_WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml")
_OTHERS: Final = {
    ".gitlab-ci.yml": "GitLab CI",
    ".circleci/config.yml": "CircleCI",
    "azure-pipelines.yml": "Azure Pipelines",
    "bitbucket-pipelines.yml": "Bitbucket Pipelines",
    ".travis.yml": "Travis CI",
    "appveyor.yml": "AppVeyor",
    ".appveyor.yml": "AppVeyor",
    ".drone.yml": "Drone",
    ".cirrus.yml": "Cirrus CI",
    ".woodpecker.yml": "Woodpecker",
    ".build.yml": "SourceHut",
    "cloudbuild.yaml": "Cloud Build",
    "buildspec.yml": "CodeBuild",
}
_UNREAD: Final = ("Jenkinsfile", ".cirrus.star", "dagger.json", ".zuul.yaml")
_UNREAD_FOLDERS: Final = (
    *(".woodpecker/", ".buildkite/", ".builds/", ".teamcity/", ".forgejo/workflows/"),
    *(".gitea/workflows/", "zuul.d/", ".semaphore/", ".azure-pipelines/", ".ci/"),
)
_CODE: Final = (".py", ".js", ".ts", ".go", ".rs", ".java", ".kt", ".c", ".cpp", ".rb", ".php")
_CODE_FILES_WITHOUT_CI: Final = 5

_BRANCHES: Final = frozenset({"main", "master", "head", "develop", "dev", "trunk"})
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_OWN: Final = ("actions/", "github/", "docker/")
_EVENTS_HEAD = re.compile(
    r"github\.head_ref|github\.event\.pull_request\.(head|number)|"
    r"github\.event\.workflow_run\.head_(sha|branch)|refs/pull/"
)
_FOREIGN_TEXT = re.compile(
    r"\$\{\{\s*(github\.head_ref|github\.event\.(?:issue\.(?:title|body)|"
    r"pull_request\.(?:title|body|head\.ref|head\.label|head\.repo\.default_branch)|"
    r"comment\.body|review\.body|review_comment\.body|discussion\.(?:title|body)|"
    r"head_commit\.(?:message|author\.(?:email|name))|pages\.[^}\s]*page_name|"
    r"workflow_run\.head_branch))\s*\}\}"
)
_ECHOED = re.compile(
    r"^\s*(?:echo|printf)\b[^|>\n]*\$\{\{\s*secrets\.[^}\n]{1,200}\}\}[^|>\n]*$"
)

_rules = Rules("ci", "devops")


class CiTool(Tool):
    """Own rules for GitHub Actions; for other services, whether their file can be read."""

    name: ClassVar[str] = "ci"
    title: ClassVar[str] = "look over continuous integration"

    def run(self, context: ToolContext) -> ToolRun:
        """Read each configuration once."""
        sources = Sources(context)
        if not context.files:
            return sources.nothing(self.name, "There are no files.")
        workflows = [path for path in context.files if _WORKFLOW.fullmatch(path)]
        others = [path for path in context.files if path in _OTHERS]
        services = _services(context.files)
        facts = {"services": services, "workflows": len(workflows)}
        if not services:
            return self._without(context, sources)
        findings: list[Finding] = []
        for path in sources.each([*workflows, *others]):
            findings += _check(sources, path, is_workflow=path in workflows)
        return sources.ran(self.name, findings, facts=facts)

    def _without(self, context: ToolContext, sources: Sources) -> ToolRun:
        code = sum(path.endswith(_CODE) for path in context.files)
        # A folder below the top of a repository may be looked after by its parent.
        if not (context.root / ".git").exists() or code < _CODE_FILES_WITHOUT_CI:
            return sources.nothing(self.name, "There is no configuration of a CI service.")
        message = (
            f"No CI service is configured: nothing runs the checks of {code:,} source files "
            "when somebody pushes."
        )
        run = sources.ran(self.name, [_rules.found("no-ci", Severity.LOW, message)])
        return run.model_copy(update={"checked": len(context.files)})


def _services(files: tuple[str, ...]) -> list[str]:
    found = {name for path in files if (name := _OTHERS.get(path))}
    if any(_WORKFLOW.fullmatch(path) for path in files):
        found.add("GitHub Actions")
    for path in files:
        if path in _UNREAD or path.startswith(_UNREAD_FOLDERS):
            found.add(path.partition("/")[0])
    return sorted(found)


def _check(sources: Sources, path: str, *, is_workflow: bool) -> Iterator[Finding]:
    text = sources.text(path, limit=MAX_BYTES)
    if text is None:
        return
    whole = read_yaml(text, tool="ci")
    if isinstance(whole, YamlProblem):
        yield _rules.found(
            "yaml-error",
            Severity.HIGH,
            f"This configuration cannot be read, so it never runs: {whole.reason}.",
            path,
            whole.line,
        )
    elif is_workflow:
        yield from _Workflow(path, whole).findings()


class _Workflow:
    """One GitHub workflow."""

    def __init__(self, path: str, whole: Value) -> None:
        self.path = path
        self.whole = whole
        self.jobs = whole.fields.get("jobs", Value(1, {})).fields

    def findings(self) -> Iterator[Finding]:
        if not self.jobs:
            return
        yield from self._permissions()
        named: set[str] = set()
        for job in self.jobs.values():
            uses = [job.get("uses"), *(step.get("uses") for step in self._steps(job))]
            for use in uses:
                if use is not None and use.text not in named:
                    named.add(use.text)
                    yield from self._pin(use)
            for step in self._steps(job):
                yield from self._checkout(step)
                yield from self._script(step)

    def _found(self, rule: str, severity: Severity, message: str, line: int) -> Finding:
        return _rules.found(rule, severity, message, self.path, line)

    @staticmethod
    def _steps(job: Value) -> list[Value]:
        return job.fields.get("steps", Value(1, [])).parts

    def _triggers(self) -> set[str]:
        on = self.whole.fields.get("on", Value(1, ""))
        return {*on.fields, *(part.text for part in on.texts())}

    def _permissions(self) -> Iterator[Finding]:
        if "permissions" in self.whole.fields:
            return
        if all("permissions" in job.fields for job in self.jobs.values()):
            return
        yield self._found(
            "no-permissions",
            Severity.LOW,
            "The workflow does not say what its token may do; permissions: contents: read is "
            "enough for most.",
            self.whole.line,
        )

    def _pin(self, use: Value) -> Iterator[Finding]:
        action, at, ref = use.text.partition("@")
        if not at or action.startswith(("./", "docker:")) or "${{" in use.text:
            return
        if ref.lower() in _BRANCHES:
            yield self._found(
                "action-on-branch",
                Severity.MEDIUM,
                f"{shown(use.text)} follows a branch: whatever is pushed there runs here.",
                use.line,
            )
        elif not _COMMIT.fullmatch(ref) and not action.lower().startswith(_OWN):
            yield self._found(
                "action-by-tag",
                Severity.LOW,
                f"{shown(use.text)} is pinned to a tag, which its owner can move; a commit "
                "stays.",
                use.line,
            )

    def _checkout(self, step: Value) -> Iterator[Finding]:
        uses, ref = step.get("uses"), step.get("with", "ref")
        if (
            uses is not None
            and ref is not None
            and uses.text.startswith("actions/checkout@")
            and "pull_request_target" in self._triggers()
            and _EVENTS_HEAD.search(ref.text)
        ):
            yield self._found(
                "untrusted-checkout",
                Severity.HIGH,
                "pull_request_target checks out the pull request: a stranger's code runs with "
                "this repository's secrets.",
                ref.line,
            )

    def _script(self, step: Value) -> Iterator[Finding]:
        script = step.get("run") or step.get("with", "script")
        if script is None:
            return
        for match in _FOREIGN_TEXT.finditer(script.text):
            yield self._found(
                "script-injection",
                Severity.HIGH,
                f"{match[1]} is pasted into a script: whoever writes it can run commands. "
                "Hand it over in env.",
                script.line,
            )
            break
        if any(_ECHOED.match(line) for line in script.text.splitlines()):
            yield self._found(
                "secret-echoed",
                Severity.HIGH,
                "A secret is printed into the log; masking hides it only in its exact form.",
                script.line,
            )
