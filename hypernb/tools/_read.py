"""What a model reads of a tree and of the store: files, folders, rows."""

from typing import Annotated, Any, Final

from pydantic import Field

from hypernb.abc import ToolContext
from hypernb.errors import ToolError
from hypernb.tools._functions import ANSWER_AT_MOST
from hypernb.tools._scope import (
    is_secret_path,
    matching,
    read_text,
    shown_text,
)

_FILES_AT_MOST: Final = 400
_LINE_AT_MOST: Final = 1_000
_ROWS_AT_MOST: Final = 1_000
_NOTICE: Final = 200

Line = Annotated[int, Field(ge=1)]


def read_file(
    context: ToolContext, path: str, first_line: Line = 1, last_line: Line | None = None
) -> str:
    """Read a text file of the project; its lines are numbered.

    Args:
        path: Relative to the project's root.
        first_line: Where to begin.
        last_line: Where to end; to the end of the file, or as far as there is room.
    """
    lines = shown_text(read_text(context, "read-file", path)).split("\n")
    if lines[-1] == "":
        lines.pop()
    if not lines:
        return f"{path} is empty."
    if first_line > len(lines):
        raise ToolError("read-file", f"{path!r} has {len(lines):,} lines.")
    last = min(last_line or len(lines), len(lines))
    if last < first_line:
        raise ToolError("read-file", f"it cannot end at line {last} and begin at {first_line}.")
    return _numbered(lines, first_line, last)


def _numbered(lines: list[str], first: int, last: int) -> str:
    shown: list[str] = []
    room = ANSWER_AT_MOST - _NOTICE
    for number in range(first, last + 1):
        line = f"{number:>5} {_cut(lines[number - 1])}"
        room -= len(line) + 1
        if room < 0:
            left = sum(len(each) + 1 for each in lines[number - 1 : last])
            shown.append(f"… {left:,} more characters; ask for lines {number}-{last}.")
            return "\n".join(shown)
        shown.append(line)
    if last < len(lines):
        shown.append(f"… {len(lines) - last:,} more lines; ask for lines {last + 1}-.")
    return "\n".join(shown)


def _cut(line: str) -> str:
    more = len(line) - _LINE_AT_MOST
    return line if more <= 0 else f"{line[:_LINE_AT_MOST]}… ({more:,} more characters)"


def list_folder(context: ToolContext, folder: str = "", glob: str = "") -> dict[str, Any]:
    """List the files of the project with their sizes in bytes.

    Args:
        folder: Only what is below it; all if empty.
        glob: Only files that fit, such as *.py or src/**/*.sql.
    """
    inside = folder.strip().removeprefix("./").rstrip("/")
    if inside in ("", "."):
        below = context.files
    else:
        below = tuple(path for path in context.files if path.startswith(f"{inside}/"))
    found = matching(below, glob)
    if not found:
        where = f" below {folder!r}" if inside else ""
        raise ToolError("list-files", f"no file{where} fits {glob or '*'!r}.")
    sizes: dict[str, int | str] = {}
    for path in found[:_FILES_AT_MOST]:
        try:
            size = (context.root / path).lstat().st_size
        except OSError:
            continue
        sizes[path] = "for secrets, not shown" if is_secret_path(path) else size
    listed: dict[str, Any] = {"files": len(found), "sizes": sizes}
    if more := len(found) - _FILES_AT_MOST:
        listed |= {"not_shown": more, "folders": _folders(found)} if more > 0 else {}
    return listed


def _folders(paths: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for path in paths:
        top = "/".join(path.split("/")[:-1][:2]) or "."
        counts[top] = counts.get(top, 0) + 1
    most = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return dict(most[:100])


def query_store(
    context: ToolContext,
    sql: str,
    limit: Annotated[int, Field(ge=1, le=_ROWS_AT_MOST)] = 100,
) -> dict[str, Any]:
    """Read what the store knows of this mission with one SQL statement that only reads.

    Args:
        sql: For example: select name, state from tasks order by number
        limit: How many rows at most.
    """
    if context.services is None:
        raise ToolError("query-store", "there is no runner that could read the store.")
    columns, rows = context.services.query(sql, limit=limit)
    return {"columns": columns, "rows": _told_rows(rows)}


def _told_rows(rows: list[list[Any]]) -> list[list[Any]]:
    return [
        [shown_text(_cut(each)) if isinstance(each, str) else each for each in row]
        for row in rows
    ]
