"""Python files: which they are, and what they say when they are parsed."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TOO_LARGE_BYTES: Final = 50 * 1024 * 1024
# What a person writes stays far below; a few megabytes of garbage cost a parser minutes.
SOURCE_TOO_LARGE_BYTES: Final = 5 * 1024 * 1024
TOO_DEEP: Final = "nested too deeply"
_SOURCES: Final = (".py", ".pyi", ".pyw")


def python_files(files: Iterable[str], *suffixes: str) -> tuple[str, ...]:
    """Return the files that hold Python; ``.py`` unless other suffixes are named."""
    return tuple(name for name in files if name.endswith(suffixes or (".py",)))


def fitting(root: Path, files: Iterable[str]) -> tuple[list[str], list[str]]:
    """Part files from those that are too large to be looked at."""
    kept: list[str] = []
    too_large: list[str] = []
    for file in files:
        (kept if _fits(root / file) else too_large).append(file)
    return kept, too_large


def _fits(path: Path) -> bool:
    limit = SOURCE_TOO_LARGE_BYTES if path.suffix in _SOURCES else TOO_LARGE_BYTES
    try:
        return path.stat().st_size <= limit
    except OSError:
        # Whoever opens it says what is wrong.
        return True


def parse(path: Path) -> tuple[ast.Module | None, str]:
    """Parse a Python file.

    Returns:
        Its tree and an empty string, or None and why there is no tree.
    """
    try:
        if not _fits(path):
            return None, "too large"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(path.read_bytes(), filename=path.name), ""
    except SyntaxError as error:
        return None, f"line {error.lineno}: {error.msg}" if error.lineno else str(error.msg)
    except (RecursionError, MemoryError):
        return None, TOO_DEEP
    except ValueError as error:
        return None, str(error)
    except OSError as error:
        return None, error.strerror or "cannot be read"
