"""Reads tracked files within limits, so that a hostile one costs a count and nothing more."""

from __future__ import annotations

import ast
import re
import time
import warnings
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from hypernb.model import Finding, RunStatus, Severity, ToolRun
from hypernb.tools._config import rules_off
from hypernb.tools._inside import NO_FILE, bytes_inside
from hypernb.tools._scope import in_scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from hypernb.abc import ToolContext

MAX_BYTES: Final = 2_000_000
_NAMED_AT_MOST: Final = 20
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_TEST_FOLDERS: Final = frozenset(
    {"test", "tests", "testing", "__tests__", "spec", "specs", "e2e"}
)
_TEST_FILE: Final = re.compile(
    r"(test_.*|.*_tests?|tests?|conftest)\.py|.*[.-](test|spec|cy|stories)\.\w+"
)
_SIDE_FOLDERS: Final = frozenset(
    {"benchmark", "benchmarks", "demo", "demos", "doc", "docs", "example", "examples"}
    | {"fixture", "fixtures", "sample", "samples", "testdata", "test_data"}
    | {"third_party", "third-party", "tutorial", "tutorials", "vendor", "vendored", "_vendor"}
)


# In a comment of any language: hypernb: ignore, or hypernb: ignore[rule, rule]
_WAIVER: Final = re.compile(r"hypernb: ?ignore(?:\[([\w\s,-]{1,500})\])?")


def is_test_path(path: str) -> bool:
    """Tell whether a file belongs to the tests: by its folder or by its name.

    Example:
        >>> [is_test_path(path) for path in ("tests/data.sql", "a/test_b.py", "src/contest.py")]
        [True, True, False]
    """
    *folders, name = PurePosixPath(path.lower()).parts or ("",)
    return not _TEST_FOLDERS.isdisjoint(folders) or bool(_TEST_FILE.fullmatch(name))


def is_in_folder_of(path: str, names: Collection[str], files: Collection[str]) -> bool:
    """Tell whether a file is below a folder of such a name that is no Python package.

    Example:
        >>> files = ("tools/a.py", "app/tools/__init__.py", "app/tools/b.py")
        >>> [is_in_folder_of(path, {"tools"}, files) for path in files]
        [True, False, False]
    """
    folders = path.split("/")[:-1]
    return any(
        name in names and "/".join([*folders[: depth + 1], "__init__.py"]) not in files
        for depth, name in enumerate(folders)
    )


def is_side_path(path: str) -> bool:
    """Tell whether a file belongs to documentation, examples or somebody else's code."""
    return not _SIDE_FOLDERS.isdisjoint(PurePosixPath(path.lower()).parts[:-1])


class Sources:
    """The files of a context, read one by one; what cannot be read is counted and named.

    Attributes:
        skipped: Why a file was not looked at, by its path.
        checked: The files that were read.
    """

    def __init__(self, context: ToolContext) -> None:
        self.skipped: dict[str, str] = {}
        self.checked: set[str] = set()
        self._lines: dict[str, list[str]] = {}
        self._context = context
        self._began = time.monotonic()

    def matching(self, *suffixes: str) -> list[str]:
        """Return the files whose name ends with one of the suffixes, whatever the case."""
        return [path for path in self._context.files if path.lower().endswith(suffixes)]

    def text(self, path: str, *, limit: int = MAX_BYTES) -> str | None:
        """Return a file's text, or None if it is too large, binary or unreadable.

        Bytes that are not UTF-8 are replaced; all line ends become line feeds.
        """
        data = self._data(path, limit)
        if data is None:
            return None
        wide = data.startswith(_UTF16_MARKS)
        if b"\0" in data and not wide:
            self.skip(path, "binary")
            return None
        self.checked.add(path)
        text = data.decode("utf-16" if wide else "utf-8-sig", errors="replace")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def tree(self, path: str, *, containing: Sequence[str] = ()) -> ast.Module | None:
        """Return a Python file's syntax tree, or None if it has none.

        Args:
            containing: Parse the file only if one of these texts is in it.
        """
        text = self.text(path)
        if text is None or (containing and not any(word in text for word in containing)):
            return None
        tree = parse_python(text)
        if tree is None:
            self.skip(path, "not Python that can be parsed")
        return tree

    def trees(
        self, paths: Iterable[str], *, containing: Sequence[str] = ()
    ) -> Iterator[tuple[str, ast.Module]]:
        """Yield each Python file that can be parsed, with its tree, and report progress."""
        for path in self.each(list(paths)):
            tree = self.tree(path, containing=containing)
            if tree is not None:
                yield path, tree

    def each(self, paths: Sequence[str]) -> Iterator[str]:
        """Yield the paths, and report how far it is now and then."""
        said = self._began
        for number, path in enumerate(paths):
            if (now := time.monotonic()) - said > 1:
                said = now
                self._context.report(f"{number:,} of {len(paths):,} files", number / len(paths))
            yield path

    def skip(self, path: str, reason: str) -> None:
        """Note that a file could not be looked at."""
        self.skipped[path] = reason
        self.checked.discard(path)

    def ran(
        self,
        tool: str,
        findings: Iterable[Finding],
        *,
        facts: dict[str, Any] | None = None,
        version: str = "",
        settings: str = "",
    ) -> ToolRun:
        """Return the run of a tool that looked, with its findings ordered by place.

        Findings that the project has switched off, for good or in a line, are only counted.

        Raises:
            ConfigError: The project's configuration cannot be read.
        """
        off = rules_off(self._context.root)
        every = dict.fromkeys(findings)
        kept = [each for each in every if each.rule not in off and not self._is_waived(each)]
        ordered = sorted(
            kept, key=lambda found: (found.file, found.cell or 0, found.line, found.rule)
        )
        if waived := len(every) - len(kept):
            facts = {**(facts or {}), "switched_off": waived}
        return ToolRun(
            tool=tool,
            status=RunStatus.RAN,
            version=version,
            settings=settings,
            checked=len(self.checked),
            duration_s=self._elapsed(),
            findings=tuple(ordered),
            facts={**(facts or {}), **self._skipped_facts()},
        )

    def nothing(
        self, tool: str, reason: str, *, facts: dict[str, Any] | None = None
    ) -> ToolRun:
        """Return the run of a tool that found nothing that it could look at."""
        if self.skipped:
            number = len(self.skipped)
            reason += f" {number} file{'s were' if number > 1 else ' was'} skipped."
        return ToolRun(
            tool=tool,
            status=RunStatus.NOTHING_TO_CHECK,
            reason=reason,
            duration_s=self._elapsed(),
            facts={**(facts or {}), **self._skipped_facts()},
        )

    def _data(self, path: str, limit: int) -> bytes | None:
        def refused(inside: str) -> str:
            if inside == path or inside in in_scope(self._context.files):
                return ""
            return "is a link that leads out of the scope"

        try:
            data = bytes_inside(self._context.root, path, limit + 1, refused)
        except (FileNotFoundError, NotADirectoryError, RuntimeError):
            data = NO_FILE
        except (OSError, ValueError) as error:
            data = f"unreadable: {type(error).__name__}"
        if isinstance(data, str):
            self.skip(path, "not a file" if data == NO_FILE else data.removeprefix("is "))
            return None
        if len(data) > limit:
            self.skip(path, f"larger than {limit:,} bytes")
            return None
        return data

    def _is_waived(self, finding: Finding) -> bool:
        if not finding.file or not finding.line or finding.cell:
            return False
        if finding.file not in self._lines:
            data = self._data(finding.file, MAX_BYTES) or b""
            text = data.decode(errors="replace")
            self._lines[finding.file] = text.split("\n") if _WAIVER.search(text) else []
        lines = self._lines[finding.file]
        match = _WAIVER.search(lines[finding.line - 1]) if finding.line <= len(lines) else None
        if match is None:
            return False
        named = re.split(r"[\s,]+", match[1].strip()) if match[1] else []
        return not named or finding.rule in named

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _skipped_facts(self) -> dict[str, Any]:
        named = dict(list(self.skipped.items())[:_NAMED_AT_MOST])
        return {"skipped_files": len(self.skipped), **({"skipped": named} if named else {})}


class Rules:
    """Makes the findings of one tool, all of one category.

    Example:
        >>> at = Rules("ci", "devops").found("no-ci", Severity.LOW, "No CI.", "a.yml", 3)
        >>> at.where, at.rule, at.severity.value
        ('a.yml:3', 'no-ci', 'low')
    """

    def __init__(self, tool: str, category: str) -> None:
        self.tool = tool
        self.category = category

    def found(
        self,
        rule: str,
        severity: Severity,
        message: str,
        file: str = "",
        line: int = 0,
        *,
        cell: int | None = None,
    ) -> Finding:
        """Return a finding; control characters never reach its message."""
        return Finding(
            file=file,
            line=line,
            category=self.category,
            rule=rule,
            severity=severity,
            message=shown(message, 400),
            tool=self.tool,
            cell=cell,
        )


def shown(text: str, limit: int = 80) -> str:
    """Return a text of a file as one printable line of bounded length."""
    printable = "".join(ch if ch.isprintable() else " " for ch in text[: limit * 8])
    line = " ".join(printable.split())
    is_whole = len(line) <= limit and len(text) <= limit * 8
    return line if is_whole else line[: limit - 1] + "…"


def line_at(text: str, index: int) -> int:
    """Return the number of the line, from 1, that a place of a text is on."""
    return text.count("\n", 0, index) + 1


def parse_python(text: str) -> ast.Module | None:
    """Parse Python of any origin; None where it is not Python, or nested beyond reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def dotted_name(node: ast.expr) -> str:
    """Return ``a.b.c`` for a name or a chain of attributes, else an empty string."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Map the names that a module imports anywhere to what they stand for.

    Example:
        >>> imported_names(ast.parse("import sqlalchemy as sa; from sqlalchemy import text"))
        {'sa': 'sqlalchemy', 'text': 'sqlalchemy.text'}
    """
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names |= {
                alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names
            }
    return names


def full_name(node: ast.expr, names: Mapping[str, str]) -> str:
    """Return a dotted name with its first part replaced by what it was imported as."""
    dotted = dotted_name(node)
    first, dot, rest = dotted.partition(".")
    return f"{names.get(first, first)}{dot}{rest}"
