"""Which cassette a mission records or replays: as asked, or as the settings' mode says."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hypernb.errors import ConfigError, PathError, UsageError

if TYPE_CHECKING:
    from hypernb.llm import ModelSettings

FOLDER: Final = Path(".hypernb") / "cassettes"
_SLUG: Final = 60


def cassette(
    root: Path,
    goal: str,
    *,
    record: str | None = None,
    replay: str | None = None,
    mode: str = "live",
) -> str:
    """Return what a plan says of its cassette: ``record:PATH``, ``replay:PATH``, or nothing.

    The mode decides where nothing is asked for. ``replay`` also turns a recording into a
    replay of the same cassette, so that a notebook that records can be checked by anyone.

    Args:
        root: What paths are relative to.
        goal: What the mission is for; names its cassette where no path is given.
        record: Path to record to, empty for the usual one; None if that was not asked for. A
            name alone is that of a file in ``.hypernb/cassettes``.
        replay: The same to replay from.
        mode: See `hypernb.llm.ModelSettings.mode`.

    Raises:
        UsageError: Both are asked for.
        PathError: There is no such cassette, the path is a folder, or what the usual folder or
            a name alone stands for is a link.
    """
    if record is not None and replay is not None:
        raise UsageError("--record and --replay exclude each other.", hint="Leave one out.")
    named = record or replay or f"{slug(goal)}.jsonl"
    path = root / _named(named)
    asked = "record" if record is not None else "replay" if replay is not None else mode
    if mode == "replay":
        asked = "replay"
    if mode == "offline" or asked == "live":
        return ""
    # Without `..`, which a plan would show; not resolved, for a link may be what is meant.
    plain = Path(os.path.normpath(path.absolute()))
    if _is_name(named):
        _refuse_links(plain)
    return f"{asked}:{_checked(plain, asked)}"


def model_of(asked: str, settings: ModelSettings) -> str:
    """Return the model that a cassette was recorded from, as `--model` would name it.

    Args:
        asked: ``record:PATH`` or ``replay:PATH``, where no model is configured.

    Raises:
        ConfigError: It cannot be known: nothing is recorded yet, several models were asked,
            or the file is no cassette; or no model is asked at all.
    """
    how, _, path = asked.partition(":")
    done = f"{how}ed"
    if settings.is_offline:
        said = settings.source_of_mode
        raise ConfigError(
            f"Nothing can be {done}: {said} says offline.",
            hint=f"Leave out --{how}, or set {said} to live.",
        )
    if how == "record":
        raise ConfigError("Nothing can be recorded.", hint=settings.hint())
    from hypernb.llm import Cassette

    names = sorted(
        {str(each.get("model") or "") for each in Cassette.load(Path(path)).requests()}
    )
    if len(names) != 1 or not names[0]:
        found = f"was recorded from {', '.join(names)}" if names else "has no request"
        raise ConfigError(
            f"Cassette {path} {found}, and no model is configured.",
            hint="Name the model that has planned with --model.",
        )
    is_ones_own = any(each.model == names[0] for each in settings.profiles.values())
    return names[0] if is_ones_own else f"openai:{names[0]}"


def _named(path: str) -> Path:
    # What lies elsewhere in the project would be a file of it that the crew looks at, so that
    # its next run would not be the one that was recorded.
    return FOLDER / path if _is_name(path) else Path(path).expanduser()


def _is_name(path: str) -> bool:
    return Path(path).name == path


def _refuse_links(path: Path) -> None:
    # A project is somebody else's: its links would have us write wherever they lead.
    for part in (path.parent.parent, path.parent, path):
        if part.is_symlink():
            raise PathError(
                str(part),
                "is a link, which a project's own cassettes are not kept behind",
                hint="Name the file that is meant by its path: --record=PATH.",
            )


def slug(goal: str) -> str:
    """Return a name for a file that says what it is about, the same for the same goal.

    Example:
        >>> slug("Which tests are missing?"), slug("")
        ('which-tests-are-missing', 'mission')
    """
    words = re.sub(r"[^a-z0-9]+", "-", goal.lower()).strip("-") or "mission"
    if len(words) <= _SLUG:
        return words
    return f"{words[:_SLUG].rstrip('-')}-{hashlib.sha256(goal.encode()).hexdigest()[:8]}"


def _checked(path: Path, asked: str) -> Path:
    if path.is_dir():
        raise PathError(str(path), "is a folder", hint="Name a file: --record=NAME.jsonl.")
    if asked == "replay" and not path.is_file():
        raise PathError(
            str(path),
            "is not there, so nothing can be answered from it",
            hint="Record it first, with --record.",
        )
    return path
