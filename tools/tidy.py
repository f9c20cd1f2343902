"""Refuse files that are untidy in a way no other tool looks at.

Usage: ``python tools/tidy.py [FILE ...]``; without files, all that git tracks.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_BYTES = 1_000_000
# Two spaces at the end of a line are a line break in Markdown.
MAY_TRAIL = {".md", ".ipynb", ".svg"}
PARSERS: dict[str, Callable[[str], object]] = {
    ".toml": tomllib.loads,
    ".yml": yaml.safe_load,
    ".yaml": yaml.safe_load,
    ".json": json.loads,
    ".ipynb": json.loads,
}


def complaints(path: Path) -> list[str]:
    """Say what is untidy about one file, one sentence each."""
    content = path.read_bytes()
    found = []
    if len(content) > MAX_BYTES:
        found.append(f"has {len(content):,} bytes, more than {MAX_BYTES:,}")
    if b"\0" in content:
        return found
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return [*found, f"is not UTF-8 at byte {error.start}"]
    if text and not text.endswith("\n"):
        found.append("does not end with a newline")
    if "\r\n" in text:
        found.append("has Windows line endings")
    if path.suffix not in MAY_TRAIL:
        found += [
            f"line {number} ends in white space"
            for number, line in enumerate(text.splitlines(), start=1)
            if line != line.rstrip()
        ]
    if path.suffix == ".py" and path.parts[0] == "hypernb":
        package = path.parts[1].removesuffix(".py")
        found += [
            f"line {number} imports {name}, which is private to another package"
            for number, name in imports(ast.parse(text))
            if is_private_elsewhere(name, package)
        ]
    parse = PARSERS.get(path.suffix)
    if parse is not None:
        try:
            parse(text)
        except (ValueError, yaml.YAMLError) as error:
            found.append(f"cannot be parsed: {error}")
    return found


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and full name of all that is imported, in functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{each.name}") for each in node.names)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names)


def is_private_elsewhere(name: str, package: str) -> bool:
    """Tell whether a name of hypernb is private to another package of it."""
    top, *rest = name.split(".")
    is_private = any(part.startswith("_") and not part.startswith("__") for part in rest)
    return top == "hypernb" and is_private and rest[0] != package


def tracked() -> list[str]:
    """List the files that git tracks below the current folder."""
    listing = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True)
    return [name for name in listing.stdout.decode().split("\0") if name]


def main() -> int:
    """Print every complaint; the exit code says whether there was one."""
    failed = False
    for name in sys.argv[1:] or tracked():
        path = Path(name)
        # Broken samples are what the tests of the specialists feed on.
        if not path.is_file() or path.is_symlink() or "fixtures" in path.parts:
            continue
        for complaint in complaints(path):
            print(f"{path}: {complaint}.")
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
