"""What a tree is made of: languages, sizes, licence, documents, and reminders in comments."""

from __future__ import annotations

import json
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.abc import Tool
from hypernb.model import Finding, RunStatus, Severity, ToolRun
from hypernb.tools._comments import WORDS, Reminder, python_reminders, reminders
from hypernb.tools._config import settings_text, settings_toml
from hypernb.tools._files import list_files
from hypernb.tools._programs import count, name_some
from hypernb.tools._python import TOO_LARGE_BYTES
from hypernb.tools._reading import Rules, shown

if TYPE_CHECKING:
    from hypernb.abc import ToolContext

_BIGGEST: Final = 10
_PULSE_S: Final = 1.0
_SETTINGS: Final = (
    f"{', '.join(WORDS)} as whole words in comments, once per comment; Python by its own "
    "tokenizer, other languages by a scanner that knows comments and strings; notebooks and "
    "prose are not searched"
)

# Name, and how it writes comments; an empty style is not searched.
_LANGUAGES: Final[dict[str, tuple[str, str]]] = {
    ".py": ("Python", "python"),
    ".pyi": ("Python", "python"),
    ".pyw": ("Python", "python"),
    ".pyx": ("Cython", "hash"),
    ".ipynb": ("Jupyter Notebook", ""),
    ".js": ("JavaScript", "js"),
    ".cjs": ("JavaScript", "js"),
    ".mjs": ("JavaScript", "js"),
    ".jsx": ("JavaScript", "js"),
    ".ts": ("TypeScript", "js"),
    ".mts": ("TypeScript", "js"),
    ".cts": ("TypeScript", "js"),
    ".tsx": ("TypeScript", "js"),
    ".vue": ("Vue", "js"),
    ".svelte": ("Svelte", "js"),
    ".html": ("HTML", "html"),
    ".htm": ("HTML", "html"),
    ".xml": ("XML", "html"),
    ".svg": ("SVG", "html"),
    ".css": ("CSS", "css"),
    ".scss": ("Sass", "c"),
    ".sass": ("Sass", "c"),
    ".less": ("Less", "c"),
    ".c": ("C", "c"),
    ".h": ("C", "c"),
    ".cc": ("C++", "c"),
    ".cpp": ("C++", "c"),
    ".cxx": ("C++", "c"),
    ".hh": ("C++", "c"),
    ".hpp": ("C++", "c"),
    ".cu": ("CUDA", "c"),
    ".cs": ("C#", "c"),
    ".java": ("Java", "c"),
    ".kt": ("Kotlin", "c"),
    ".scala": ("Scala", "c"),
    ".groovy": ("Groovy", "c"),
    ".gradle": ("Groovy", "c"),
    ".dart": ("Dart", "c"),
    ".swift": ("Swift", "c"),
    ".php": ("PHP", "c"),
    ".proto": ("Protocol Buffers", "c"),
    ".go": ("Go", "js"),
    ".rs": ("Rust", "rust"),
    ".rb": ("Ruby", "hash"),
    ".pl": ("Perl", "hash"),
    ".r": ("R", "hash"),
    ".jl": ("Julia", "hash"),
    ".sh": ("Shell", "hash"),
    ".bash": ("Shell", "hash"),
    ".zsh": ("Shell", "hash"),
    ".ps1": ("PowerShell", "hash"),
    ".mk": ("Makefile", "hash"),
    ".cmake": ("CMake", "hash"),
    ".tf": ("Terraform", "hash"),
    ".yaml": ("YAML", "hash"),
    ".yml": ("YAML", "hash"),
    ".toml": ("TOML", "hash"),
    ".cfg": ("INI", "hash"),
    ".ini": ("INI", "hash"),
    ".sql": ("SQL", "sql"),
    ".lua": ("Lua", "dash"),
    ".hs": ("Haskell", "dash"),
    ".elm": ("Elm", "dash"),
    ".tex": ("TeX", "percent"),
    ".m": ("MATLAB", "percent"),
    ".erl": ("Erlang", "percent"),
    ".lisp": ("Lisp", "semicolon"),
    ".el": ("Lisp", "semicolon"),
    ".clj": ("Clojure", "semicolon"),
    ".md": ("Markdown", ""),
    ".rst": ("reStructuredText", ""),
    ".txt": ("Text", ""),
    ".json": ("JSON", ""),
    ".csv": ("CSV", ""),
}
_BY_NAME: Final[dict[str, tuple[str, str]]] = {
    "cmakelists.txt": ("CMake", "hash"),
    "containerfile": ("Dockerfile", "hash"),
    "dockerfile": ("Dockerfile", "hash"),
    "gemfile": ("Ruby", "hash"),
    "justfile": ("Just", "hash"),
    "makefile": ("Makefile", "hash"),
    "rakefile": ("Ruby", "hash"),
}
_OTHER: Final = ("Other", "")

_README: Final = re.compile(r"(?:docs/|\.github/)?readme(?:\.\w+)?", re.IGNORECASE)
_LICENCE: Final = re.compile(
    r"(?:licen[cs]e|copying|unlicense)(?:[-_.][\w.-]+)?|licenses/[^/]+", re.IGNORECASE
)
_CODE_SUFFIXES: Final = (".py", ".js", ".ts")
_DOCS: Final = re.compile(r"(?:docs?|documentation)/.+", re.IGNORECASE)

# The first that fits names the licence.
_LICENCE_TEXTS: Final = (
    ("Apache-2.0", r"Apache License,?\s+Version 2\.0"),
    ("AGPL-3.0", r"GNU AFFERO GENERAL PUBLIC LICENSE"),
    ("LGPL", r"GNU (?:LESSER|LIBRARY) GENERAL PUBLIC LICENSE"),
    ("GPL-3.0", r"GNU GENERAL PUBLIC LICENSE\s+Version 3"),
    ("GPL-2.0", r"GNU GENERAL PUBLIC LICENSE\s+Version 2"),
    ("MPL-2.0", r"Mozilla Public License,?\s+(?:Version|v\.?) ?2\.0"),
    ("BSD-3-Clause", r"Redistribution and use[\s\S]+(?:Neither the name|names? of)"),
    ("BSD-2-Clause", r"Redistribution and use in source and binary forms"),
    ("ISC", r"Permission to use, copy, modify,? and(?:/or)? distribute this software"),
    ("MIT", r"Permission is hereby granted, free of charge"),
    ("Unlicense", r"This is free and unencumbered software"),
    ("CC0-1.0", r"CC0 1\.0 Universal"),
)


@dataclass(slots=True)
class _Sizes:
    files: int = 0
    lines: int = 0
    bytes: int = 0

    def add(self, lines: int, size: int) -> None:
        self.files += 1
        self.lines += lines
        self.bytes += size


@dataclass(slots=True)
class _Tally:
    languages: defaultdict[str, _Sizes] = field(default_factory=lambda: defaultdict(_Sizes))
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    untokenized: dict[str, str] = field(default_factory=dict)
    binary: int = 0
    reminders: list[tuple[str, Reminder]] = field(default_factory=list)


class ScanTool(Tool):
    """Say what a tree is made of, and report the reminders that its authors left."""

    name: ClassVar[str] = "scan"
    title: ClassVar[str] = "Scan the tree: languages, sizes, reminders, documents, licence"

    def run(self, context: ToolContext) -> ToolRun:
        """Read every listed file once."""
        began = time.monotonic()
        if not context.files:
            return ToolRun(
                tool=self.name,
                status=RunStatus.NOTHING_TO_CHECK,
                reason="There are no files.",
                settings=_SETTINGS,
            )
        tally = _Tally()
        said = began
        for number, file in enumerate(context.files):
            if (now := time.monotonic()) - said > _PULSE_S:
                said = now
                share = number / len(context.files)
                context.report(f"read {number:,} of {len(context.files):,} files", share)
            _look(context.root, file, tally)
        documents = _documents(context)
        note = list_files(context.root).note
        return ToolRun(
            tool=self.name,
            status=RunStatus.RAN,
            reason=" ".join(filter(None, [note, _reason(tally)])),
            settings=_SETTINGS,
            checked=len(context.files) - len(tally.unread),
            duration_s=time.monotonic() - began,
            findings=(*_todo_findings(tally), *_document_findings(documents)),
            facts={**_facts(tally), **documents, "listing": note},
        )


def language_of(file: str) -> tuple[str, str]:
    """Return a file's language and how that writes comments.

    Example:
        >>> language_of("src/app.py"), language_of("Dockerfile.dev")
        (('Python', 'python'), ('Dockerfile', 'hash'))
    """
    name = PurePosixPath(file).name.lower()
    known = _BY_NAME.get(name) or _BY_NAME.get(name.partition(".")[0])
    suffix = PurePosixPath(name).suffix
    return _LANGUAGES.get(suffix) or known or _OTHER


def _look(root: Path, file: str, tally: _Tally) -> None:
    path = root / file
    language, style = language_of(file)
    try:
        size = path.stat().st_size
        if size > TOO_LARGE_BYTES:
            tally.unread[file] = "too large"
            tally.languages[language].add(0, size)
            tally.sizes[file] = (size, 0)
            return
        data = path.read_bytes()
    except OSError as error:
        tally.unread[file] = error.strerror or "cannot be read"
        return
    is_binary = style != "python" and b"\0" in data[:8192]
    lines = 0 if is_binary else data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    tally.binary += is_binary
    tally.languages["Binary" if is_binary else language].add(lines, size)
    tally.sizes[file] = (size, lines)
    if style and not is_binary:
        _remind(file, style, data, tally)


def _remind(file: str, style: str, data: bytes, tally: _Tally) -> None:
    if style == "python":
        found, problem = python_reminders(data)
        if problem:
            tally.untokenized[file] = shown(problem)
    else:
        text = data.decode(errors="replace").replace("\r\n", "\n")
        found = reminders(text, style)
    tally.reminders += [(file, reminder) for reminder in found]


def _todo_findings(tally: _Tally) -> list[Finding]:
    rules = Rules("scan", "todo")
    return [
        rules.found(
            reminder.word,
            Severity.LOW if reminder.word == "TODO" else Severity.MEDIUM,
            reminder.text,
            file,
            reminder.line,
        )
        for file, reminder in tally.reminders
    ]


def _documents(context: ToolContext) -> dict[str, Any]:
    # The listing may be a part of the tree; what stands at the root counts all the same.
    try:
        at_root = [path.name for path in context.root.iterdir() if path.is_file()]
    except OSError:
        at_root = []
    names = sorted({*context.files, *at_root})
    licences = [
        name
        for name in names
        if _LICENCE.fullmatch(name) and not name.lower().endswith(_CODE_SUFFIXES)
    ]
    return {
        "readme": next((name for name in names if _README.fullmatch(name)), ""),
        "licence_file": licences[0] if licences else "",
        "licence": _licence(context.root, licences),
        "docs_files": sum(1 for name in context.files if _DOCS.fullmatch(name)),
    }


def _licence(root: Path, files: list[str]) -> str:
    for file in files:
        try:
            with (root / file).open("rb") as stream:
                text = stream.read(20_000).decode(errors="replace")
        except OSError:
            continue
        for name, pattern in _LICENCE_TEXTS:
            if re.search(pattern, text, re.IGNORECASE):
                return name
    return _declared_licence(root)


def _declared_licence(root: Path) -> str:
    try:
        said = settings_toml(root)["project"]["license"]
        return shown(said if isinstance(said, str) else said.get("text", ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    try:
        said = json.loads(settings_text(root, "package.json"))["license"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return shown(said) if isinstance(said, str) else ""


def _document_findings(documents: dict[str, Any]) -> list[Finding]:
    rules = Rules("scan", "docs")
    found = []
    if not documents["readme"]:
        found.append(
            rules.found(
                "no-readme", Severity.LOW, "There is no README at the root of the tree."
            )
        )
    if not documents["licence_file"]:
        declared = documents["licence"]
        said = f"{declared} is declared." if declared else "Nobody else may use the code."
        found.append(
            rules.found("no-licence", Severity.LOW, f"There is no licence file. {said}")
        )
    return found


def _facts(tally: _Tally) -> dict[str, Any]:
    languages = sorted(tally.languages.items(), key=lambda item: (-item[1].bytes, item[0]))
    biggest = sorted(tally.sizes.items(), key=lambda item: (-item[1][0], item[0]))[:_BIGGEST]
    words = Counter(reminder.word for _, reminder in tally.reminders)
    return {
        "files": len(tally.sizes),
        "lines": sum(lines for _, lines in tally.sizes.values()),
        "bytes": sum(size for size, _ in tally.sizes.values()),
        "binary_files": tally.binary,
        "languages": [
            {"language": name, "files": s.files, "lines": s.lines, "bytes": s.bytes}
            for name, s in languages
        ],
        "biggest": [
            {"file": file, "bytes": size, "lines": lines} for file, (size, lines) in biggest
        ],
        "reminders": {word: words[word] for word in WORDS},
        "untokenized": tally.untokenized,
        "unread": tally.unread,
    }


def _reason(tally: _Tally) -> str:
    said = []
    if tally.untokenized:
        files = sorted(tally.untokenized)
        said.append(
            f"Python's tokenizer stopped within {count(len(files), 'file', 'files')}: "
            f"{name_some(files)}."
        )
    if tally.unread:
        said.append(f"Not read: {name_some(sorted(tally.unread))}.")
    return " ".join(said)
