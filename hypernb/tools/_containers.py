"""Looks over Dockerfiles and compose files by own rules; nothing is built."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from hypernb.abc import Tool
from hypernb.model import Finding, Severity
from hypernb.tools._dockerfile import Instruction, Stage, filled, instructions_of, stages_of
from hypernb.tools._marked_yaml import MAX_BYTES, Value, YamlProblem, read_yaml
from hypernb.tools._reading import Rules, Sources, is_side_path, is_test_path, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypernb.abc import ToolContext
    from hypernb.model import ToolRun

_DOCKERFILE = re.compile(
    r"(dockerfile|containerfile)([.-][\w.-]+)?|[\w.-]+\.(docker|container)file"
)
_COMPOSE = re.compile(r"(docker-)?compose([.-][\w.-]+)?\.ya?ml")
_NOT_DOCKERFILES: Final = (".dockerignore", ".md", ".py", ".sh", ".j2", ".template", ".tmpl")
_TEMPLATE = re.compile(r"\{\{|\{%|<%")
_SECRET_NAME = re.compile(
    r"(?:.*_)?(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|SECRET_KEY|ACCESS_KEY|PRIVATE_KEY)",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(
    r"|.*\$.*|/.*|<.*>|true|false|yes|no|none|null|\d{1,4}|https?://.*", re.IGNORECASE
)
_ARCHIVE = re.compile(r"\.(tar|tgz|tbz2?|txz|gz|bz2|xz|zst)$", re.IGNORECASE)
_REMOTE = re.compile(r"(https?|ftp|git|ssh)://|git@", re.IGNORECASE)
_APT_INSTALL = re.compile(r"\bapt(-get)?\b[^;&|\n]*\binstall\b")
_APT_CLEANED = re.compile(r"/var/lib/apt|--mount=type=(cache|tmpfs)|\bclean-apt\b|apt-clean")
_APT_LEAN = re.compile(r"--no-install-recommends|APT::Install-Recommends")
_ROOT_NAMES: Final = ("root", "0", "root:root", "0:0")

_rules = Rules("containers", "devops")


class ContainersTool(Tool):
    """Own rules for Dockerfiles and compose files."""

    name: ClassVar[str] = "containers"
    title: ClassVar[str] = "look over Dockerfiles and compose files"

    def run(self, context: ToolContext) -> ToolRun:
        """Read each file once."""
        sources = Sources(context)
        own = [
            path for path in context.files if not is_test_path(path) and not is_side_path(path)
        ]
        dockerfiles = [path for path in own if _is_dockerfile(path)]
        composes = [path for path in own if _COMPOSE.fullmatch(_name(path))]
        if not dockerfiles and not composes:
            return sources.nothing(self.name, "There are no Dockerfiles and no compose files.")
        files = frozenset(context.files)
        findings: list[Finding] = []
        for path in sources.each(dockerfiles):
            findings += _check_dockerfile(sources, path, files)
        for path in sources.each(composes):
            findings += _check_compose(sources, path)
        facts = {"dockerfiles": len(dockerfiles), "compose_files": len(composes)}
        return sources.ran(self.name, findings, facts=facts)


def _name(path: str) -> str:
    return path.rpartition("/")[2].lower()


def _is_dockerfile(path: str) -> bool:
    name = _name(path)
    return bool(_DOCKERFILE.fullmatch(name)) and not name.endswith(_NOT_DOCKERFILES)


# --- Dockerfiles ------------------------------------------------------------------------


def _check_dockerfile(sources: Sources, path: str, files: frozenset[str]) -> Iterator[Finding]:
    text = sources.text(path, limit=MAX_BYTES)
    if text is None:
        return
    stages = stages_of(instructions_of(text))
    if not stages or _TEMPLATE.search(text):
        sources.skip(path, "a template, or no FROM in it")
        return
    for stage in stages:
        yield from _check_image(path, stage)
        for instruction in stage.instructions:
            yield from _check_values(path, instruction)
            if instruction.name == "ADD":
                yield from _check_add(path, instruction)
    final = stages[-1]
    yield from _check_user(path, final)
    for stage in final.lineage():
        for instruction in stage.instructions:
            if instruction.name == "RUN":
                yield from _check_apt(path, instruction)
    yield from _check_ignore(path, stages, files)


def _check_image(path: str, stage: Stage) -> Iterator[Finding]:
    if stage.base is None and (problem := _problem_of_image(stage.image)):
        yield _rules.found("unpinned-image", Severity.MEDIUM, problem, path, stage.line)


def _problem_of_image(image: str) -> str:
    """Say why an image is another one tomorrow; empty if it is not, or if that is unknown."""
    if not image or "$" in image or "@" in image or image.lower() == "scratch":
        return ""
    name, _, tag = image.rpartition("/")[2].partition(":")
    if not tag:
        return f"The image {shown(name)!r} has no tag: another one may come with every build."
    if tag == "latest":
        return f"The image {shown(image)!r} is whatever is latest; name a version."
    return ""


def _check_values(path: str, instruction: Instruction) -> Iterator[Finding]:
    if instruction.name not in ("ENV", "ARG"):
        return
    for name, value in instruction.pairs():
        if _is_secret(name, value):
            yield _rules.found(
                "secret-in-image",
                Severity.HIGH,
                f"{instruction.name} {shown(name)} has its value in the file, and everyone who "
                "has the image can read it. Use --mount=type=secret or the run's environment.",
                path,
                instruction.line,
            )


def _is_secret(name: str, value: str) -> bool:
    return bool(_SECRET_NAME.fullmatch(name)) and not _NO_SECRET.fullmatch(value.strip())


def _check_add(path: str, instruction: Instruction) -> Iterator[Finding]:
    words = instruction.words()
    from_elsewhere = any(
        _REMOTE.match(word) or _ARCHIVE.search(word) or "$" in word or word.startswith("[")
        for word in words[:-1]
    )
    if len(words) > 1 and not from_elsewhere and "<<" not in instruction.rest:
        yield _rules.found(
            "add-local-file",
            Severity.LOW,
            "ADD of local files; COPY does the same and never unpacks or downloads.",
            path,
            instruction.line,
        )


def _check_user(path: str, final: Stage) -> Iterator[Finding]:
    for stage in final.lineage():
        users = [each for each in stage.instructions if each.name == "USER"]
        if users:
            if users[-1].rest.strip().lower() in _ROOT_NAMES:
                yield _rules.found(
                    "runs-as-root", Severity.LOW, "The last USER is root.", path, users[-1].line
                )
            return
        if "nonroot" in stage.image or "unprivileged" in stage.image:
            return
    starts = any(
        each.name in ("CMD", "ENTRYPOINT")
        for stage in final.lineage()
        for each in stage.instructions
    )
    # An image that starts nothing of its own is a base or a set of files.
    if starts and list(final.lineage())[-1].image.lower() != "scratch":
        yield _rules.found(
            "runs-as-root",
            Severity.LOW,
            "There is no USER: what starts here runs as the base image's user, mostly root.",
            path,
            final.line,
        )


def _check_apt(path: str, instruction: Instruction) -> Iterator[Finding]:
    if not _APT_INSTALL.search(instruction.rest):
        return
    missing = []
    if not _APT_LEAN.search(instruction.rest):
        missing.append("brings recommended packages along (--no-install-recommends)")
    if not _APT_CLEANED.search(instruction.rest):
        missing.append("leaves the package lists in the layer (rm -rf /var/lib/apt/lists/*)")
    if missing:
        yield _rules.found(
            "bulky-apt-install",
            Severity.LOW,
            f"This apt-get install {' and '.join(missing)}.",
            path,
            instruction.line,
        )


def _check_ignore(path: str, stages: list[Stage], files: frozenset[str]) -> Iterator[Finding]:
    folder = path.rpartition("/")[0]
    known = {".dockerignore", f"{path}.dockerignore", f"{folder}/.dockerignore".lstrip("/")}
    if known & files:
        return
    for stage in stages:
        for instruction in stage.instructions:
            words = instruction.words()
            takes_all = instruction.name in ("COPY", "ADD") and "--from" not in instruction.rest
            if takes_all and len(words) > 1 and words[0] in (".", "./"):
                yield _rules.found(
                    "no-dockerignore",
                    Severity.LOW,
                    "The whole folder is copied and there is no .dockerignore: .git and local "
                    "secrets come along.",
                    path,
                    instruction.line,
                )
                return


# --- compose ----------------------------------------------------------------------------


def _check_compose(sources: Sources, path: str) -> Iterator[Finding]:
    text = sources.text(path, limit=MAX_BYTES)
    if text is None:
        return
    if _TEMPLATE.search(text):
        sources.skip(path, "a template")
        return
    whole = read_yaml(text, tool="containers")
    if isinstance(whole, YamlProblem):
        yield _rules.found(
            "yaml-error",
            Severity.HIGH,
            f"This compose file cannot be read: {whole.reason}.",
            path,
            whole.line,
        )
        return
    services = whole.get("services")
    for name, service in (services.fields if services else {}).items():
        yield from _check_service(path, shown(name), service)


def _check_service(path: str, name: str, service: Value) -> Iterator[Finding]:
    image = service.get("image")
    is_fetched = image is not None and service.get("build") is None
    if image and is_fetched and (problem := _problem_of_image(filled(image.text, {}))):
        yield _rules.found("unpinned-image", Severity.MEDIUM, problem, path, image.line)
    privileged = service.get("privileged")
    if privileged is not None and privileged.text.lower() == "true":
        yield _rules.found(
            "privileged-container",
            Severity.HIGH,
            f"The service {name!r} is privileged: it can do on the host whatever root can.",
            path,
            privileged.line,
        )
    network = service.get("network_mode")
    if network is not None and network.text == "host":
        yield _rules.found(
            "host-network",
            Severity.MEDIUM,
            f"The service {name!r} shares the host's network: every port of it is open.",
            path,
            network.line,
        )
    for variable, value, line in _environment(service):
        if _is_secret(variable, value):
            yield _rules.found(
                "plain-password",
                Severity.MEDIUM,
                f"{shown(variable)} of the service {name!r} has its value in the file. Take it "
                "from the environment or a secret.",
                path,
                line,
            )


def _environment(service: Value) -> Iterator[tuple[str, str, int]]:
    environment = service.get("environment")
    if environment is None:
        return
    for name, value in environment.fields.items():
        yield name, value.text, value.line
    for part in environment.parts:
        name, equals, text = part.text.partition("=")
        if equals:
            yield name, text, part.line
