"""Compares what a Python project declares with what it imports."""

from __future__ import annotations

import ast
import functools
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from typing import TYPE_CHECKING, ClassVar, Final

from hypernb.abc import Tool
from hypernb.model import Finding, Severity
from hypernb.tools._manifests import (
    Manifest,
    is_requirements,
    normal,
    read_conda,
    read_pyproject,
    read_requirements,
    read_setup_cfg,
    read_setup_py,
    requirement,
    table,
)
from hypernb.tools._reading import (
    Rules,
    Sources,
    is_in_folder_of,
    is_side_path,
    is_test_path,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hypernb.abc import ToolContext
    from hypernb.model import ToolRun

_READERS: Final[dict[str, Callable[[str, str], Manifest]]] = {
    "pyproject.toml": read_pyproject,
    "setup.cfg": read_setup_cfg,
    "setup.py": read_setup_py,
    "environment.yml": read_conda,
    "environment.yaml": read_conda,
}
_UNREAD: Final = frozenset({"Pipfile", "pixi.toml", "conda.yaml", "meta.yaml"})
_LOCKS: Final = frozenset(
    {"poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "pixi.lock", "pylock.toml"}
    | {"conda-lock.yml", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "Cargo.lock"}
)
# Import names that say nothing of their distribution, for those that are not installed here.
_DISTRIBUTIONS: Final = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "discord": "discord-py",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "flask_sqlalchemy": "flask-sqlalchemy",
    "github": "pygithub",
    "git": "gitpython",
    "gi": "pygobject",
    "igraph": "igraph",
    "jose": "python-jose",
    "jwt": "pyjwt",
    "ldap": "python-ldap",
    "magic": "python-magic",
    "markdown_it": "markdown-it-py",
    "MySQLdb": "mysqlclient",
    "nacl": "pynacl",
    "OpenSSL": "pyopenssl",
    "pkg_resources": "setuptools",
    "PIL": "pillow",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2",
    "pylab": "matplotlib",
    "rest_framework": "djangorestframework",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "socks": "pysocks",
    "telegram": "python-telegram-bot",
    "ulid": "python-ulid",
    "usb": "pyusb",
    "win32api": "pywin32",
    "win32con": "pywin32",
    "win32gui": "pywin32",
    "wx": "wxpython",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}
_NEVER_DECLARED: Final = frozenset(
    {"setuptools", "pkg_resources", "distutils", "pip", "_typeshed"}
)
_NOT_SHIPPED: Final = frozenset(
    {"scripts", "tools", "bin", "ci", ".ci", ".github", "notebooks", "build", "dist", "tasks"}
    | {
        "docker",
        "deploy",
        "infra",
        "migrations",
        "alembic",
        "templates",
        "hooks",
        "dev",
        "devtools",
    }
)
_NOT_SHIPPED_FILES: Final = frozenset(
    {
        "setup.py",
        "noxfile.py",
        "tasks.py",
        "fabfile.py",
        "conftest.py",
        "dodo.py",
        "hatch_build.py",
    }
    | {"build.py", "conf.py", "gunicorn.conf.py", "pavement.py"}
)
_NAMED_AT_MOST: Final = 8

_rules = Rules("packaging", "devops")


class PackagingTool(Tool):
    """Own rules for pyproject.toml, setup.cfg, setup.py and lists of requirements."""

    name: ClassVar[str] = "packaging"
    title: ClassVar[str] = "compare declared with imported packages"

    def run(self, context: ToolContext) -> ToolRun:
        """Read the manifests, then the imports of what the project ships."""
        sources = Sources(context)
        manifests = list(_manifests(context, sources))
        if not manifests:
            return sources.nothing(self.name, "There is no Python packaging.")
        findings = [finding for each in manifests for finding in _check(each, context)]
        findings += _missing(manifests, context, sources)
        names = {path.rpartition("/")[2] for path in context.files}
        facts = {
            "manifests": [each.path for each in manifests],
            "lock_files": sorted(names & _LOCKS),
            "declared": len({name for each in manifests for name in each.names()}),
        }
        return sources.ran(self.name, findings, facts=facts)


def _manifests(context: ToolContext, sources: Sources) -> Iterator[Manifest]:
    for path in context.files:
        if is_test_path(path) or is_side_path(path):
            continue
        name = path.rpartition("/")[2]
        reader = _READERS.get(name) or (read_requirements if is_requirements(path) else None)
        if reader is None:
            continue
        text = sources.text(path)
        if text is not None:
            yield reader(path, text)


# --- what a manifest itself says --------------------------------------------------------


def _check(manifest: Manifest, context: ToolContext) -> Iterator[Finding]:
    if manifest.problem is not None:
        reason, line = manifest.problem
        yield _rules.found(
            "manifest-error",
            Severity.HIGH,
            f"No installer can read this file: {shown(reason, 200)}.",
            manifest.path,
            line,
        )
        return
    yield from _check_duplicates(manifest)
    if is_requirements(manifest.path) and manifest.path.endswith(".txt"):
        yield from _check_pins(manifest)
    if manifest.path.endswith("pyproject.toml"):
        yield from _check_metadata(manifest, context)


def _check_duplicates(manifest: Manifest) -> Iterator[Finding]:
    for purpose, requirements in manifest.lists.items():
        seen: dict[str, str] = {}
        for each in requirements:
            # Markers and extras may tell two entries of one name apart.
            before = seen.setdefault(each.name, each.rest)
            if before is each.rest or ";" in before + each.rest or each.extras:
                continue
            yield _rules.found(
                "duplicate-dependency",
                Severity.LOW,
                f"{each.name} stands twice among the {purpose}: {shown(before) or 'any'!r} "
                f"and {shown(each.rest) or 'any'!r}.",
                manifest.path,
                each.line,
            )


def _check_pins(manifest: Manifest) -> Iterator[Finding]:
    requirements = manifest.lists["requirements"]
    loose = [each for each in requirements if not each.is_pinned]
    if loose:
        names = ", ".join(each.name for each in loose[:_NAMED_AT_MOST])
        more = " …" if len(loose) > _NAMED_AT_MOST else ""
        yield _rules.found(
            "unpinned-dependency",
            Severity.LOW,
            f"{len(loose)} of {len(requirements)} requirements say no version: {names}{more}.",
            manifest.path,
            loose[0].line,
        )


def _check_metadata(manifest: Manifest, context: ToolContext) -> Iterator[Finding]:
    project = table(manifest.content, "project")
    if not project:
        return
    dynamic = project.get("dynamic") or []
    if "requires-python" not in project and "requires-python" not in dynamic:
        yield _rules.found(
            "no-requires-python",
            Severity.LOW,
            "requires-python is missing: installers offer this to any Python.",
            manifest.path,
        )
    classifiers = project.get("classifiers") or []
    licensed = {"license", "license-files"} & {*project, *dynamic}
    stated = any(str(entry).startswith("License ::") for entry in classifiers)
    private = any("Private ::" in str(entry) for entry in classifiers)
    folder = manifest.path.rpartition("/")[0]
    named = any(
        path.rpartition("/")[0] == folder
        and path.rpartition("/")[2].lower().startswith(("license", "licence", "copying"))
        for path in context.files
    )
    if (
        not licensed
        and not stated
        and not private
        and not named
        and "classifiers" not in dynamic
    ):
        yield _rules.found(
            "no-licence",
            Severity.LOW,
            "No licence is named, in the metadata or in a file: nobody may use this.",
            manifest.path,
        )


# --- what is imported and not declared --------------------------------------------------


def _missing(
    manifests: Sequence[Manifest], context: ToolContext, sources: Sources
) -> Iterator[Finding]:
    names = {path.rpartition("/")[2] for path in context.files}
    broken = any(each.problem for each in manifests)
    declares = any(
        each.path.endswith(("pyproject.toml", "setup.cfg", "setup.py")) for each in manifests
    )
    listed = any(is_requirements(each.path) for each in manifests)
    # A project in parts declares for each part; what belongs to which is not in the text.
    parts = [each for each in manifests if each.path.endswith(("pyproject.toml", "setup.py"))]
    if broken or names & _UNREAD or not (declares or listed):
        return
    if len({each.path.rpartition("/")[0] for each in parts}) > 1:
        return
    if any(each.is_open for each in manifests) and not _is_settled(manifests):
        return
    declared = {name for each in manifests for name in each.names()} | _own_names(manifests)
    if not declared and not declares:
        return
    for name, places in _imported(context, sources).items():
        if not _is_declared(name, declared):
            yield _undeclared(name, places, declared)


def _undeclared(name: str, places: list[tuple[str, int]], declared: set[str]) -> Finding:
    path, line = places[0]
    others = f" (and in {len(places) - 1} more places)" if len(places) > 1 else ""
    bringer = _brought_by(_candidates(name), declared)
    chance = f"; {bringer} happens to bring it along" if bringer else ""
    return _rules.found(
        "missing-dependency",
        Severity.LOW if bringer else Severity.MEDIUM,
        f"{shown(name)} is imported here{others} and not declared{chance}.",
        path,
        line,
    )


def _brought_by(names: set[str], declared: set[str]) -> str:
    """Return a declared distribution that needs one of these, if it is installed here."""
    for each in sorted(declared):
        try:
            needed = requires(each) or []
        except (PackageNotFoundError, ValueError):
            continue
        required = [requirement(text) for text in needed if "extra ==" not in text]
        if any(other is not None and other.name in names for other in required):
            return each
    return ""


def _is_settled(manifests: Sequence[Manifest]) -> bool:
    # Lists of requirements that name each other, or the project itself, leave nothing open.
    return all(not each.is_open or is_requirements(each.path) for each in manifests)


def _own_names(manifests: Sequence[Manifest]) -> set[str]:
    own = set()
    for each in manifests:
        for section in ("project", "metadata"):
            name = table(each.content, section).get("name")
            own |= {normal(name)} if isinstance(name, str) else set()
    return own


def _imported(context: ToolContext, sources: Sources) -> dict[str, list[tuple[str, int]]]:
    """Return the third-party packages that a module needs in order to be imported at all."""
    files = frozenset(context.files)
    shipped = [path for path in context.files if _is_shipped(path, files)]
    local = {part.removesuffix(".py") for path in context.files for part in path.split("/")}
    found: dict[str, list[tuple[str, int]]] = {}
    for path, tree in sources.trees(shipped):
        for name, line in _needed(tree):
            if name not in sys.stdlib_module_names and name not in local | _NEVER_DECLARED:
                found.setdefault(name, []).append((path, line))
    return found


def _is_shipped(path: str, files: frozenset[str]) -> bool:
    *folders, name = path.split("/")
    return (
        name.endswith(".py")
        and name not in _NOT_SHIPPED_FILES
        and not is_test_path(path)
        and not is_side_path(path)
        and not is_in_folder_of(path, _NOT_SHIPPED, files)
        and not any(folder.startswith(".") for folder in folders)
    )


def _needed(tree: ast.Module) -> Iterator[tuple[str, int]]:
    # Whatever stands below an if, a try or a def may be optional.
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0], node.lineno


def _is_declared(name: str, declared: set[str]) -> bool:
    if _candidates(name) & declared:
        return True
    # The one name is often the other with a word more: opencv-python-headless,
    # google-cloud-storage, pydantic_core (which comes with pydantic).
    known = normal(_DISTRIBUTIONS.get(name, name))
    words = normal(name).split("-")
    return any(
        each.startswith(f"{known}-")
        or known.startswith(f"{each}-")
        or words[-1] in each.split("-")
        for each in declared
    )


def _candidates(name: str) -> set[str]:
    installed = _installed().get(name, [])
    known = {normal(name), normal(_DISTRIBUTIONS.get(name, name))}
    return known | {normal(each) for each in installed}


@functools.cache
def _installed() -> Mapping[str, list[str]]:
    return packages_distributions()
