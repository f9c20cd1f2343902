"""History of a project as a model may read it: log, blame, differences; all read-only."""

import os
import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from hypernb.abc import ToolContext
from hypernb.errors import ToolError
from hypernb.tools._files import GIT_COMMAND, GIT_ENVIRONMENT
from hypernb.tools._functions import ANSWER_AT_MOST
from hypernb.tools._process import run_process
from hypernb.tools._scope import file_of, is_secret_path, shown_text

_TIMEOUT_S: Final = 30.0
_DIFFED_AT_MOST: Final = 200
_LINES_AT_MOST: Final = 200
_NOTICE: Final = 200
# Without a colon: `HEAD:path` would be a file of any place and time.
_REVISION: Final = re.compile(r"[A-Za-z0-9@][A-Za-z0-9_./@{}^~+-]*")
# What the repository's own configuration could have git start, or read elsewhere.
_DRIVERS: Final = r"^filter\..*\.(clean|smudge|process|required)$"
_SETTINGS: Final = {
    "blame.ignoreRevsFile": "",
    "blame.showEmail": "false",
    "core.attributesFile": os.devnull,
    "core.pager": "",
    "diff.external": "",
    "diff.orderFile": os.devnull,
    "diff.submodule": "short",
    "diff.ignoreSubmodules": "all",
    "gpg.program": "",
    "log.showSignature": "false",
}

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
    return _cut(shown_text(said))


def git_diff(
    context: ToolContext, path: str = "", before: Revision = "HEAD", after: Revision = ""
) -> str:
    """Show what changed between two commits, or between a commit and the files as they are.

    Args:
        path: Only in this file; in all of the project if empty.
        before: A commit, branch or tag.
        after: Another one; the files as they are now if empty.
    """
    revisions = [_revision(each) for each in (before, after) if each]
    if path:
        names, outside = [file_of(context, "git-diff", path)], 0
    else:
        names, outside = _changed(context, revisions)
    if not names:
        return _notice("Nothing has changed.", 0, outside)
    shown = names[:_DIFFED_AT_MOST]
    said = _git(context, "git-diff", "diff", *_DIFF_SAFELY, *revisions, "--", *shown)
    text = _cut(shown_text(said)) or "Nothing has changed."
    return _notice(text, len(names) - len(shown), outside)


_BLAME_SAFELY: Final = ("--no-progress", "--no-textconv", "--date=short")
_DIFF_SAFELY: Final = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")


def _changed(context: ToolContext, revisions: list[str]) -> tuple[list[str], int]:
    said = _git(
        context,
        "git-diff",
        "diff",
        *_DIFF_SAFELY,
        "--name-only",
        "--relative",
        "-z",
        *revisions,
    )
    every = [name for name in said.split("\0") if name]
    files = set(context.files)
    names = [name for name in every if name in files and not is_secret_path(name)]
    return names, len(every) - len(names)


def _notice(text: str, more: int, outside: int) -> str:
    if more:
        text += f"\n… {more:,} more files have changed; ask for one of them."
    if outside:
        text += f"\n… {outside:,} changed files are outside of the scope or for secrets."
    return text


def _revision(text: str) -> str:
    if not _REVISION.fullmatch(text):
        raise ToolError(
            "git-diff",
            f"{text!r} names no commit.",
            hint="Give a hash, branch or tag, such as HEAD~3.",
        )
    return text


def _git(context: ToolContext, tool: str, command: str, *arguments: str) -> str:
    top = _top(context.root)
    if top is None:
        raise ToolError(tool, f"{context.root.name!r} is in no git repository.")
    base = [*GIT_COMMAND, "--no-pager", "--literal-pathspecs"]
    # Where the repository says its files are is no concern of ours: they are where it is.
    surroundings = {**GIT_ENVIRONMENT, "GIT_WORK_TREE": str(top)}
    surroundings |= _as_environment({**_SETTINGS, **_drivers(base, context.root, surroundings)})
    done = run_process(
        [*base, command, *arguments],
        cwd=context.root,
        timeout_s=_TIMEOUT_S,
        env_extra=surroundings,
    )
    return done.stdout


def _drivers(base: list[str], root: Path, surroundings: dict[str, str]) -> dict[str, str]:
    """Return settings that switch off what attributes of files could have git start."""
    done = run_process(
        [*base, "config", "-z", "--name-only", "--get-regexp", _DRIVERS],
        cwd=root,
        timeout_s=_TIMEOUT_S,
        env_extra=surroundings,
        allowed_exit=(0, 1),
    )
    names = [name for name in done.stdout.split("\0") if name]
    return {name: "false" if name.endswith(".required") else "" for name in names}


def _as_environment(settings: dict[str, str]) -> dict[str, str]:
    numbered = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        numbered |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return numbered


def _top(root: Path) -> Path | None:
    return next((each for each in (root, *root.parents) if (each / ".git").exists()), None)


def _cut(text: str) -> str:
    if len(text) <= ANSWER_AT_MOST - _NOTICE:
        return text.rstrip("\n")
    kept = text[: ANSWER_AT_MOST - _NOTICE].rpartition("\n")[0]
    return f"{kept}\n… {len(text) - len(kept):,} more characters; ask for less at once."
