"""Reads what a Python project declares: pyproject.toml, setup.cfg, setup.py, requirements."""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hypernb.tools._reading import dotted_name, parse_python

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*(.*)"
)
_REQUIREMENTS_FILE = re.compile(
    r"((.*/)?[\w.-]*requirements?[\w.-]*\.(txt|in)|(.*/)?requirements/[\w.-]+\.(txt|in))"
)
_SETUP_LISTS: Final = ("install_requires", "setup_requires", "tests_require")
_CONDA = re.compile(r"^\s*-\s+[\"']?(?:[\w.-]+::)?([A-Za-z0-9][\w.-]*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One declared dependency.

    Attributes:
        name: Normalised as PEP 503 says: lower case, runs of ``-_.`` as one hyphen.
        rest: What follows the name and the extras: version, address, marker.
    """

    name: str
    extras: str
    rest: str
    line: int = 0

    @property
    def is_pinned(self) -> bool:
        """It says which versions will do, or where exactly it comes from."""
        return bool(self.rest.partition(";")[0].strip())


@dataclass(slots=True)
class Manifest:
    """One file that declares dependencies.

    Attributes:
        lists: The lists of dependencies in it, by what they are for.
        is_open: It may declare more than can be read from its text.
        problem: Why it cannot be read at all, and the line.
    """

    path: str
    lists: dict[str, list[Requirement]] = field(default_factory=dict)
    is_open: bool = False
    problem: tuple[str, int] | None = None
    content: dict[str, Any] = field(default_factory=dict)

    def names(self) -> Iterator[str]:
        """Yield the names of all that it declares."""
        for requirements in self.lists.values():
            for requirement in requirements:
                yield requirement.name


def is_requirements(path: str) -> bool:
    """Tell whether a file is a list of requirements for pip, by its name.

    Example:
        >>> [is_requirements(path) for path in ("requirements-dev.txt", "reqs/a.txt")]
        [True, False]
    """
    return bool(_REQUIREMENTS_FILE.fullmatch(path.lower()))


def normal(name: str) -> str:
    """Normalise the name of a distribution.

    Example:
        >>> normal("Foo.bar_baz")
        'foo-bar-baz'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement(text: str, line: int = 0) -> Requirement | None:
    """Read a requirement; None if it begins with no name."""
    match = _REQUIREMENT.fullmatch(text)
    return (
        Requirement(normal(match[1]), match[2] or "", match[3].strip(), line) if match else None
    )


def _requirements(texts: object) -> list[Requirement]:
    listed = texts if isinstance(texts, list) else []
    read = (requirement(text) for text in listed if isinstance(text, str))
    return [each for each in read if each is not None]


# --- pyproject.toml ---------------------------------------------------------------------


def read_pyproject(path: str, text: str) -> Manifest:
    """Read a pyproject.toml: standard tables, and those of Poetry, PDM, Hatch, uv and Pixi."""
    manifest = Manifest(path)
    try:
        manifest.content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        manifest.problem = (str(error), int(line[1]) if line else 0)
        return manifest
    except RecursionError:
        manifest.problem = ("it is nested too deeply", 0)
        return manifest
    project = table(manifest.content, "project")
    manifest.lists["dependencies"] = _requirements(project.get("dependencies"))
    for name, texts in table(project, "optional-dependencies").items():
        manifest.lists[f"extra {name}"] = _requirements(texts)
    for name, texts in table(manifest.content, "dependency-groups").items():
        manifest.lists[f"group {name}"] = _requirements(texts)
    manifest.is_open = "dependencies" in (project.get("dynamic") or [])
    _read_tools(manifest, table(manifest.content, "tool"))
    return manifest


def _read_tools(manifest: Manifest, tools: dict[str, Any]) -> None:
    poetry = table(tools, "poetry")
    groups = table(poetry, "group")
    tables = {
        "poetry": table(poetry, "dependencies"),
        "poetry dev": table(poetry, "dev-dependencies"),
        **{f"poetry {name}": table(table(groups, name), "dependencies") for name in groups},
        "pixi": table(table(tools, "pixi"), "dependencies"),
        "pixi pypi": table(table(tools, "pixi"), "pypi-dependencies"),
    }
    for name, entries in tables.items():
        manifest.lists[name] = [
            Requirement(normal(key), "", str(value)) for key, value in entries.items()
        ]
    for name, texts in table(table(tools, "pdm"), "dev-dependencies").items():
        manifest.lists[f"pdm {name}"] = _requirements(texts)
    manifest.lists["uv"] = _requirements(table(tools, "uv").get("dev-dependencies"))
    for name, env in table(table(tools, "hatch"), "envs").items():
        if isinstance(env, dict):
            manifest.lists[f"hatch {name}"] = _requirements(
                [*_list(env.get("dependencies")), *_list(env.get("extra-dependencies"))]
            )


def table(content: object, key: str) -> dict[str, Any]:
    """Return a table of a table, empty if it is not there or no table."""
    found = content.get(key) if isinstance(content, dict) else None
    return found if isinstance(found, dict) else {}


def _list(content: object) -> list[Any]:
    return content if isinstance(content, list) else []


# --- setuptools' own files --------------------------------------------------------------


def read_setup_cfg(path: str, text: str) -> Manifest:
    """Read a setup.cfg."""
    manifest = Manifest(path)
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        manifest.problem = (str(error).partition("\n")[0], getattr(error, "lineno", 0) or 0)
        return manifest
    manifest.content = {name: dict(parser[name]) for name in parser.sections()}
    for key in _SETUP_LISTS:
        listed = parser.get("options", key, fallback="")
        manifest.lists[key] = _requirements(listed.splitlines())
    if parser.has_section("options.extras_require"):
        for name, listed in parser.items("options.extras_require"):
            manifest.lists[f"extra {name}"] = _requirements(listed.splitlines())
    manifest.is_open = "file:" in parser.get("options", "install_requires", fallback="")
    return manifest


def read_setup_py(path: str, text: str) -> Manifest:
    """Read a setup.py without running it; it is open as soon as it computes anything."""
    manifest = Manifest(path)
    tree = parse_python(text)
    if tree is None:
        manifest.is_open = True
        return manifest
    for call in ast.walk(tree):
        if (
            not isinstance(call, ast.Call)
            or dotted_name(call.func).rpartition(".")[2] != "setup"
        ):
            continue
        for keyword in call.keywords:
            if keyword.arg in (*_SETUP_LISTS, "extras_require"):
                texts = _literal(keyword.value)
                manifest.is_open |= texts is None
                manifest.lists[keyword.arg] = _requirements(texts)
            manifest.is_open |= keyword.arg is None
    return manifest


def _literal(node: ast.expr) -> list[str] | None:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None
    lists: Iterable[Any] = value.values() if isinstance(value, dict) else [value]
    return [text for texts in lists if isinstance(texts, list | tuple) for text in texts]


# --- lists of requirements --------------------------------------------------------------


def read_requirements(path: str, text: str) -> Manifest:
    """Read a list of requirements for pip; options and comments are left out."""
    manifest = Manifest(path)
    found: list[Requirement] = []
    joined, first = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        first = first or number
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        whole = re.sub(r"(^|\s)#.*$", "", joined + line).strip()
        joined, at, first = "", first, 0
        if whole.startswith("-"):
            manifest.is_open |= whole.startswith(("-r", "--requirement", "-e", "--editable"))
        elif "://" in whole.partition("@")[0] or whole.startswith((".", "/")):
            manifest.is_open = True
        elif read := requirement(re.sub(r"\s--\w[\w-]*[= ].*$", " ", whole), at):
            found.append(read)
    manifest.lists["requirements"] = found
    return manifest


def read_conda(path: str, text: str) -> Manifest:
    """Read an environment.yml leniently: every item of a list is taken for a name."""
    manifest = Manifest(path)
    manifest.lists["environment"] = [
        Requirement(normal(name), "", "") for name in _CONDA.findall(text)
    ]
    return manifest
