"""Source files as tools see them: which are Python, which stand aside, what they hold."""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from hypernb.errors import ToolAbsentError
from hypernb.tools._process import program_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

DEFAULT_TIMEOUT_S: Final = 300.0
TOO_LARGE_BYTES: Final = 50 * 1024 * 1024
_NAMED: Final = 20
_BATCH_BYTES: Final = 200_000

_ASIDE_FOLDERS: Final = frozenset(
    {
        "__tests__",
        "doc",
        "docs",
        "documentation",
        "example",
        "examples",
        "fixtures",
        "sample",
        "samples",
        "spec",
        "specs",
        "test",
        "testdata",
        "testing",
        "tests",
    }
)
_ASIDE_NAME: Final = re.compile(
    r"(?:test_.*|.*_test\.\w+|.*\.(?:test|spec)\.\w+|conftest\.py|(?:readme|changelog|history)\b.*"
    r"|.*\.(?:md|rst|adoc))",
    re.IGNORECASE,
)


def python_files(files: Iterable[str], *suffixes: str) -> tuple[str, ...]:
    """Return the files that hold Python; ``.py`` unless other suffixes are named."""
    return tuple(name for name in files if name.endswith(suffixes or (".py",)))


def is_aside(file: str) -> bool:
    """Tell whether a file is a test or a document, where unsafe code and secrets weigh less.

    Example:
        >>> is_aside("tests/test_login.py"), is_aside("src/login.py")
        (True, False)
    """
    path = PurePosixPath(file)
    if any(part.lower() in _ASIDE_FOLDERS for part in path.parts[:-1]):
        return True
    return _ASIDE_NAME.fullmatch(path.name) is not None


def as_argument(file: str) -> str:
    """Return a relative path that no program takes for an option."""
    return f"./{file}"


def as_relative(named: str, root: Path) -> str:
    """Turn a path as a program names it into one relative to the root.

    Example:
        >>> from pathlib import Path
        >>> as_relative("././src/app.py", Path("/work"))
        'src/app.py'
    """
    path = PurePosixPath(named)
    if path.is_absolute():
        try:
            path = path.relative_to(root.as_posix())
        except ValueError:
            return named
    return path.as_posix()


def batches(files: Sequence[str]) -> Iterator[list[str]]:
    """Split files into argument lists that every operating system accepts."""
    batch: list[str] = []
    size = 0
    for file in files:
        length = len(file.encode()) + 16
        if batch and size + length > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(as_argument(file))
        size += length
    if batch:
        yield batch


def shown(command: Sequence[str], files: int | None = None) -> str:
    """Return a command as a person would type it, its file arguments counted."""
    rest = command[command.index("-m") + 2 :] if "-m" in command[:4] else command[1:]
    line = shlex.join([program_name(command).replace("_", "-"), *rest])
    if files is None:
        return line
    return f"{line} <{count(files, 'file', 'files')}>"


def installed(distribution: str, tool: str) -> str:
    """Return the version of an installed distribution.

    Raises:
        ToolAbsentError: It is not installed.
    """
    try:
        return version(distribution)
    except PackageNotFoundError:
        raise ToolAbsentError(tool) from None


def timeout_of(params: Mapping[str, Any]) -> float:
    """Return how long a tool's program may take."""
    return float(params.get("timeout_s", DEFAULT_TIMEOUT_S))


def count(number: int, one: str, many: str) -> str:
    """Say how many.

    Example:
        >>> count(1, "file", "files"), count(1200, "file", "files")
        ('1 file', '1,200 files')
    """
    return f"{number:,} {one if number == 1 else many}"


def name_some(names: Sequence[str]) -> str:
    """Name the first few, and count the rest."""
    more = len(names) - _NAMED
    listed = ", ".join(names[:_NAMED])
    return f"{listed} and {more:,} more" if more > 0 else listed


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
