"""Reads Dockerfiles into instructions and stages."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)\s+(.*)", re.DOTALL)
_HEREDOC = re.compile(r"<<-?\s*([\"']?)(\w+)\1")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))")
_KNOWN: Final = frozenset(
    {"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL"}
    | {"MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, continued lines and here-documents joined."""

    line: int
    name: str
    rest: str

    def words(self) -> list[str]:
        """Return the arguments without options; empty if they cannot be split."""
        try:
            words = shlex.split(self.rest, posix=True)
        except ValueError:
            return []
        while words and words[0].startswith("--"):
            words.pop(0)
        return words

    def pairs(self) -> list[tuple[str, str]]:
        """Return the names and values that ENV or ARG sets."""
        try:
            words = shlex.split(self.rest, posix=True)
        except ValueError:
            return []
        if self.name == "ENV" and words and "=" not in words[0]:
            return [(words[0], " ".join(words[1:]))]
        named = (word.partition("=") for word in words if "=" in word)
        return [(name, value) for name, _, value in named]


@dataclass(slots=True)
class Stage:
    """What is built from one FROM.

    Attributes:
        image: What it begins with, variables filled in where the file gives them a value.
        base: The earlier stage that it begins with, if any.
    """

    line: int
    image: str
    name: str = ""
    base: Stage | None = None
    instructions: list[Instruction] = field(default_factory=list)

    def lineage(self) -> Iterator[Stage]:
        """Yield the stage and those that it begins with, itself first."""
        stage: Stage | None = self
        while stage is not None:
            yield stage
            stage = stage.base


def instructions_of(text: str) -> list[Instruction]:
    """Split a Dockerfile into instructions; comments and unknown lines are left out."""
    found: list[Instruction] = []
    lines = iter(enumerate(text.split("\n"), start=1))
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        joined = [line]
        while joined[-1].rstrip().endswith(("\\", "`")):
            joined[-1] = joined[-1].rstrip()[:-1]
            following = next(lines, None)
            while following is not None and following[1].lstrip().startswith("#"):
                following = next(lines, None)
            if following is None:
                break
            joined.append(following[1])
        whole = " ".join(part.strip() for part in joined)
        match = _INSTRUCTION.fullmatch(whole)
        if match is None or match[1].upper() not in _KNOWN:
            continue
        name, rest = match[1].upper(), match[2]
        if name in ("RUN", "COPY", "ADD"):
            rest += "".join(_document(lines, end) for _, end in _HEREDOC.findall(whole))
        found.append(Instruction(number, name, rest))
    return found


def _document(lines: Iterator[tuple[int, str]], end: str) -> str:
    kept: list[str] = []
    for _, line in lines:
        if line.strip() == end:
            break
        kept.append(line)
    return "\n" + "\n".join(kept)


def stages_of(instructions: list[Instruction]) -> list[Stage]:
    """Group instructions by stage; those before the first FROM belong to none."""
    stages: list[Stage] = []
    by_name: dict[str, Stage] = {}
    defaults: dict[str, str] = {}
    for instruction in instructions:
        if instruction.name == "FROM":
            words = instruction.words()
            image = filled(words[0], defaults) if words else ""
            stage = Stage(instruction.line, image, base=by_name.get(image.lower()))
            if len(words) > 2 and words[1].upper() == "AS":  # noqa: PLR2004 - FROM image AS name
                stage.name = words[2].lower()
                by_name[stage.name] = stage
            by_name.setdefault(str(len(stages)), stage)
            stages.append(stage)
        elif stages:
            stages[-1].instructions.append(instruction)
        elif instruction.name == "ARG":
            defaults |= dict(instruction.pairs())
    return stages


def filled(text: str, values: dict[str, str]) -> str:
    """Put in what is known of the variables of a text; the unknown ones stay."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3]
        return values.get(name) or match[2] or match[0]

    return _VARIABLE.sub(value, text)
