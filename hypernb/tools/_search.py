"""Searching the files of a project for text or a regular expression."""

import json
import os
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from hypernb.abc import ToolContext
from hypernb.errors import ToolError
from hypernb.tools._process import python_module, run_process
from hypernb.tools._scope import matching, readable_files, shown_text

_SECONDS: Final = 15.0
_SLACK_S: Final = 10.0
_NAMED_AT_MOST: Final = 5
_FILE_AT_MOST_BYTES: Final = 20_000_000


def search_files(  # noqa: PLR0913 - each narrows the search, and has a default
    context: ToolContext,
    text: Annotated[str, Field(min_length=1, max_length=1_000)],
    *,
    regex: bool = False,
    glob: str = "",
    ignore_case: bool = False,
    around: Annotated[int, Field(ge=0, le=5)] = 1,
    most: Annotated[int, Field(ge=1, le=200)] = 50,
) -> str:
    """Search the project's files line by line, for text or a regular expression.

    Args:
        text: What to look for.
        regex: Whether it is a regular expression of Python; plain text if not.
        glob: Only in files that fit, such as *.py or src/**/*.sql.
        ignore_case: Whether upper and lower case are the same.
        around: How many lines before and after each match are shown.
        most: How many matches are shown.
    """
    paths = matching(readable_files(context), glob)
    if not paths:
        raise ToolError("search-files", f"no file fits {glob or '*'!r}.")
    found = _searched(
        {
            "root": str(context.root),
            "paths": paths,
            "files": context.files,
            "bytes": _FILE_AT_MOST_BYTES,
            "text": text,
            "regex": regex,
            "ignore_case": ignore_case,
            "around": around,
            "most": most,
            "seconds": _SECONDS,
        }
    )
    if "wrong" in found:
        raise ToolError(
            "search-files",
            f"{text[:200]!r} is no regular expression of Python: {found['wrong'][:200]}.",
            hint="Set regex to false to look for the text as it is.",
        )
    return _told(found)


def _searched(request: dict[str, Any]) -> dict[str, Any]:
    package = str(Path(__file__).parents[2])
    others = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
    with tempfile.TemporaryDirectory(prefix="hypernb-search-") as folder:
        file = Path(folder, "request.json")
        file.write_text(json.dumps(request), encoding="utf-8")
        done = run_process(
            python_module("hypernb.tools._search_lines", str(file)),
            cwd=Path(folder),
            timeout_s=_SECONDS + _SLACK_S,
            env_extra={"PYTHONPATH": os.pathsep.join([package, *others])},
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _told(found: dict[str, Any]) -> str:
    parts = [_counted(found)]
    last = ""
    for match in found["matches"]:
        if match["file"] != last:
            last = match["file"]
            parts.append(f"\n{last}")
        parts += [
            f"{number:>5}{':' if number == match['line'] else '-'} {shown_text(line)}"
            for number, line in match["lines"]
        ]
        if len(match["lines"]) > 1:
            parts.append("")
    return "\n".join(parts).rstrip()


def _counted(found: dict[str, Any]) -> str:
    files = f"{found['files']:,} of {found['searched']:,} files"
    said = f"{found['total']:,} matching lines in {files}."
    if (hidden := found["total"] - len(found["matches"])) > 0:
        said += f" {hidden:,} are not shown; narrow the search."
    if found["skipped"]:
        said += f" {found['skipped']:,} files are binary or cannot be read."
    if found["left"]:
        said += f" Not looked through, for it took too long: {_named(found['left'])}."
    if found["cut"]:
        first = f"only the first {_FILE_AT_MOST_BYTES:,} bytes were looked through"
        said += f" Of {_named(found['cut'])} {first}."
    if "stopped_in" in found:
        said += (
            f" It took too long and was ended before {found['stopped_in']!r}; take a simpler "
            "pattern or fewer files."
        )
    return said


def _named(files: list[str]) -> str:
    named = ", ".join(map(repr, files[:_NAMED_AT_MOST]))
    more = len(files) - _NAMED_AT_MOST
    return f"{named} and {more:,} more" if more > 0 else named
