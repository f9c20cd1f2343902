"""History of a project as a model may read it: log, blame, differences; all read-only."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Annotated, Final

from pydantic import Field

from hypernb.abc import ToolContext
from hypernb.errors import ToolError
from hypernb.tools._files import GIT_COMMAND
from hypernb.tools._functions import ANSWER_AT_MOST
from hypernb.tools._process import Completed, run_process
from hypernb.tools._repository import apart, repository_around
from hypernb.tools._scope import file_of, is_secret_path, shown_text

_TIMEOUT_S: Final = 30.0
_DIFFED_AT_MOST: Final = 200
_LINES_AT_MOST: Final = 200
_NOTICE: Final = 200
# Without a colon: `HEAD:path` would be a file of any place and time.
_HASH: Final = re.compile(r"[0-9a-f]{40,64}")
_REVISION: Final = re.compile(r"[A-Za-z0-9@][A-Za-z0-9_./@{}^~+-]*")
Revision = Annotated[str, Field(max_length=200)]


def git_log(
    context: ToolContext, path: str = "", most: Annotated[int, Field(ge=1, le=200)] = 30
) -> str:
    """List commits, newest first: short hash, date, author, subject.

    Args:
        path: Only commits that changed this file; all below the project's root if empty.
        most: How many.
    """
    named = file_of(context, "git-log", path) if path else "."
    form = "--format=%h %ad %an: %s"
    said = _git(
        context, "git-log", "log", f"--max-count={most}", "--date=short", form, "--", named
    )
    return _cut(shown_text(said)) or "No commits."


def git_blame(
    context: ToolContext,
    path: str,
    first_line: Annotated[int, Field(ge=1)],
    last_line: Annotated[int, Field(ge=1)],
) -> str:
    """Say which commit last changed each line of a file.

    Args:
        path: Relative to the project's root.
        first_line: Where to begin.
        last_line: Where to end; at most 200 lines are shown.
    """
    named = file_of(context, "git-blame", path)
    if last_line < first_line:
        raise ToolError(
            "git-blame", f"it cannot end at line {last_line} and begin at {first_line}."
        )
    last = min(last_line, first_line + _LINES_AT_MOST - 1)
    lines = f"-L{first_line},{last}"
    said = _git(context, "git-blame", "blame", *_BLAME_SAFELY, lines, "--", named)
    return _cut(shown_text("\n".join(_blamed(said))))


def git_diff(
    context: ToolContext, path: str = "", before: Revision = "HEAD", after: Revision = ""
) -> str:
    """Show what changed between two commits, or between a commit and the files as they are.

    Args:
        path: Only in this file; in all of the project if empty.
        before: A commit, branch or tag.
        after: Another one; the files as they are now if empty.
    """
    commits = [_commit(context, each) for each in (before, after) if each]
    only = (file_of(context, "git-diff", path),) if path else ()
    names, outside = _changed(context, commits, only)
    if not names:
        return _notice("Nothing has changed.", 0, outside)
    shown = names[:_DIFFED_AT_MOST]
    said = _git(context, "git-diff", "diff", *_DIFF_SAFELY, *commits, "--", *shown)
    text = _cut(shown_text(said)) or "Nothing has changed."
    return _notice(text, len(names) - len(shown), outside)


# Line by line: git's own table names the files, maybe of other folders, that a line was in.
_BLAME_SAFELY: Final = ("--no-progress", "--no-textconv", "--line-porcelain")
_DIFF_SAFELY: Final = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")


def _blamed(said: str) -> Iterator[str]:
    facts: dict[str, str] = {}
    for line in said.split("\n"):
        if not line.startswith("\t"):
            name, _, value = line.partition(" ")
            facts |= {"commit": name, "at": value} if _HASH.fullmatch(name) else {name: value}
            continue
        day = datetime.fromtimestamp(int(facts["author-time"]), UTC).date()
        number = facts["at"].split(" ")[1]
        yield f"{facts['commit'][:8]} ({facts['author']} {day} {number}) {line[1:]}"


def _changed(
    context: ToolContext, commits: list[str], only: tuple[str, ...]
) -> tuple[list[str], int]:
    """Return the changed files that may be shown, and how many others there are."""
    form = ("--name-only", "--relative", "-z")
    said = _git(context, "git-diff", "diff", *_DIFF_SAFELY, *form, *commits, "--", *only)
    every = [name for name in said.split("\0") if name]
    # What is a file now may have been a folder, and would stand for all that was in it.
    folders = {str(folder) for name in every for folder in PurePosixPath(name).parents}
    files = set(context.files)
    names = [
        name
        for name in every
        if name in files and name not in folders and not is_secret_path(name)
    ]
    return names, len(every) - len(names)


def _notice(text: str, more: int, outside: int) -> str:
    if more:
        text += f"\n… {more:,} more files have changed; ask for one of them."
    if outside:
        text += f"\n… {outside:,} changed files are outside of the scope or for secrets."
    return text


def _commit(context: ToolContext, text: str) -> str:
    """Return the hash of the commit that a text names.

    Raises:
        ToolError: It names none, or one that no branch or tag leads to.
    """
    if _REVISION.fullmatch(text):
        asked = ("--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
        done = _run(context, "git-diff", "rev-parse", *asked)
        known = done.stdout.strip()
        if done.exit_code == 0 and _HASH.fullmatch(known):
            among = ("--exclude=refs/stash", "--all")
            if not _git(context, "git-diff", "rev-list", "-1", known, "--not", *among).strip():
                return known
    raise ToolError(
        "git-diff",
        f"{text!r} names no commit of a branch or tag.",
        hint="Give a hash, branch or tag, such as HEAD~3.",
    )


def _git(context: ToolContext, tool: str, command: str, *arguments: str) -> str:
    done = _run(context, tool, command, *arguments)
    if done.exit_code:
        # Not what git says: it may quote files that nobody has asked for.
        raise ToolError(tool, f"git ended with exit code {done.exit_code}.")
    return done.stdout


def _run(context: ToolContext, tool: str, command: str, *arguments: str) -> Completed:
    found = repository_around(context.root)
    if isinstance(found, str):
        raise ToolError(tool, f"{found}.")
    asked = [*GIT_COMMAND, "--no-pager", "--literal-pathspecs", command, *arguments]
    with apart(found) as surroundings:
        return run_process(
            asked,
            cwd=context.root,
            timeout_s=_TIMEOUT_S,
            env_extra=surroundings,
            allowed_exit=None,
        )


def _cut(text: str) -> str:
    if len(text) <= ANSWER_AT_MOST - _NOTICE:
        return text.rstrip("\n")
    kept = text[: ANSWER_AT_MOST - _NOTICE].rpartition("\n")[0]
    return f"{kept}\n… {len(text) - len(kept):,} more characters; ask for less at once."
