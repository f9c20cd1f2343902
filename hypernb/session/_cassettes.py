"""Which cassette a mission records or replays: as asked, or as ``HYPERNB_MODE`` says."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hypernb.errors import ConfigError, PathError, UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

ENV_MODE: Final = "HYPERNB_MODE"
LIVE, RECORD, REPLAY, OFFLINE = "live", "record", "replay", "offline"
MODES: Final = (LIVE, RECORD, REPLAY, OFFLINE)
FOLDER: Final = Path(".hypernb") / "cassettes"
_SLUG: Final = 60


def cassette(
    root: Path,
    goal: str,
    *,
    record: str | None = None,
    replay: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> str:
    """Return what a plan says of its cassette: ``record:PATH``, ``replay:PATH``, or nothing.

    ``HYPERNB_MODE`` decides where nothing is asked for. ``replay`` also turns a recording into
    a replay of the same cassette, so that a notebook that records can be checked by anyone.

    Args:
        root: What paths are relative to.
        goal: What the mission is for; names its cassette where no path is given.
        record: Path to record to, empty for the usual one; None if that was not asked for. A
            name alone is that of a file in ``.hypernb/cassettes``.
        replay: The same to replay from.
        environ: The environment.

    Raises:
        UsageError: Both are asked for.
        ConfigError: ``HYPERNB_MODE`` has no meaning.
        PathError: There is no such cassette, or the path is a folder.
    """
    if record is not None and replay is not None:
        raise UsageError("--record and --replay exclude each other.", hint="Leave one out.")
    mode = _mode(os.environ if environ is None else environ)
    path = root / _named(record or replay or f"{slug(goal)}.jsonl")
    asked = RECORD if record is not None else REPLAY if replay is not None else mode
    if mode == REPLAY:
        asked = REPLAY
    if OFFLINE in (mode, asked) or asked == LIVE:
        return ""
    return f"{asked}:{_checked(path.absolute(), asked)}"


def _named(path: str) -> Path:
    # What lies elsewhere in the project would be a file of it that the crew looks at, so that
    # its next run would not be the one that was recorded.
    return FOLDER / path if Path(path).name == path else Path(path).expanduser()


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


def _mode(environ: Mapping[str, str]) -> str:
    mode = environ.get(ENV_MODE, "").strip() or LIVE
    if mode not in MODES:
        raise ConfigError(f"{ENV_MODE} cannot be {mode[:80]!r}.", hint=nearest(mode, MODES))
    return mode


def _checked(path: Path, asked: str) -> Path:
    if path.is_dir():
        raise PathError(str(path), "is a folder", hint="Name a file: --record=NAME.jsonl.")
    if asked == REPLAY and not path.is_file():
        raise PathError(
            str(path),
            "is not there, so nothing can be answered from it",
            hint="Record it first, with --record.",
        )
    return path
