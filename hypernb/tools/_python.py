"""Python files: which they are, and what they say when they are parsed."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TOO_LARGE_BYTES: Final = 50 * 1024 * 1024


def python_files(files: Iterable[str], *suffixes: str) -> tuple[str, ...]:
    """Return the files that hold Python; ``.py`` unless other suffixes are named."""
    return tuple(name for name in files if name.endswith(suffixes or (".py",)))


def parse(path: Path) -> tuple[ast.Module | None, str]:
    """Parse a Python file.

    Returns:
        Its tree and an empty string, or None and why there is no tree.
    """
    try:
        if path.stat().st_size > TOO_LARGE_BYTES:
            return None, "too large"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(path.read_bytes(), filename=path.name), ""
    except SyntaxError as error:
        return None, f"line {error.lineno}: {error.msg}" if error.lineno else str(error.msg)
    except (ValueError, RecursionError, MemoryError) as error:
        return None, str(error) or type(error).__name__
    except OSError as error:
        return None, error.strerror or "cannot be read"
