"""What tools that stand for another program share: its arguments, its version, its places."""

from __future__ import annotations

import json
import shlex
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import ToolAbsentError, ToolError
from hypernb.model import RunStatus
from hypernb.tools._process import program_name
from hypernb.tools._reading import is_test_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

DEFAULT_TIMEOUT_S: Final = 300.0
_NAMED: Final = 20
_SAID_AT_MOST: Final = 200
_BATCH_BYTES: Final = 200_000
_BATCH_FILES: Final = 400

_DOCUMENT_FOLDERS: Final = frozenset(
    {
        "doc",
        "docs",
        "documentation",
        "example",
        "examples",
        "fixtures",
        "sample",
        "samples",
        "testdata",
        "test_data",
    }
)
_DOCUMENT_SUFFIXES: Final = (".adoc", ".md", ".rst")


def is_aside(file: str) -> bool:
    """Tell whether a file is a test or a document, where unsafe code and secrets weigh less.

    Example:
        >>> is_aside("tests/test_login.py"), is_aside("src/login.py")
        (True, False)
    """
    *folders, name = PurePosixPath(file.lower()).parts
    return (
        is_test_path(file)
        or not _DOCUMENT_FOLDERS.isdisjoint(folders)
        or name.endswith(_DOCUMENT_SUFFIXES)
    )


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
    """Split files into argument lists that every operating system accepts.

    They are short enough for the limit on a program's time to be one for a batch.
    """
    batch: list[str] = []
    size = 0
    for file in files:
        length = len(file.encode()) + 16
        if len(batch) == _BATCH_FILES or (batch and size + length > _BATCH_BYTES):
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


def as_json(tool: str, said: str) -> Any:
    """Return what a program said as JSON.

    Raises:
        ToolError: It said something else.
    """
    try:
        return json.loads(said)
    except ValueError as error:
        begin = said if len(said) <= _SAID_AT_MOST else f"{said[:_SAID_AT_MOST]}…"
        raise ToolError(tool, f"it gave no JSON but {begin!r}.") from error


def timeout_of(params: Mapping[str, Any]) -> float:
    """Return how long a tool's program may take."""
    return float(params.get("timeout_s", DEFAULT_TIMEOUT_S))


def looked(checked: int) -> RunStatus:
    """Return ``ran``, unless no file at all could be looked at."""
    return RunStatus.RAN if checked else RunStatus.NOTHING_TO_CHECK


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
