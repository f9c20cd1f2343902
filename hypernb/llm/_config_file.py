"""Reads a ``config.toml``: the user's own, or a project's, which comes from strangers."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT_FILE: Final = ".hypernb/config.toml"
_AT_MOST_BYTES: Final = 1_000_000
_KEYS: Final = frozenset({"model", "content", "cache_s", "agents", "profiles", "trust"})
_OF_OTHERS: Final = frozenset({"tests", "rules"})
"""Tables that the specialists' tools read, and check."""


def own_file(environ: Mapping[str, str]) -> Path:
    """Return where the user's own configuration is, or would be."""
    from platformdirs import user_data_dir

    home = environ.get("HYPERNB_HOME") or user_data_dir("hypernb", appauthor=False)
    return Path(home).expanduser() / "config.toml"


def read_own(path: Path) -> dict[str, Any]:
    """Return what the user's own file says, empty if there is none.

    It may be a link: people keep such files elsewhere.

    Raises:
        ConfigError: It cannot be read, or has a key that nobody knows.
    """
    return _read(path, may_link=True)


def read_project(root: Path) -> dict[str, Any]:
    """Return what a project's file says, empty if there is none.

    Raises:
        ConfigError: It is a link or no regular file, cannot be read, or has a key that nobody
            knows, or one that only the user's own file may have.
    """
    path = root / PROJECT_FILE
    for part in (path.parent, path):
        if part.is_symlink():
            raise wrong(path, "cannot be read: it is a link", "Put the file itself there.")
    content = _read(path, may_link=False)
    if "trust" in content:
        raise wrong(
            path,
            "cannot say whom to trust",
            "Remove trust there; it counts in your own config.toml only.",
        )
    return content


def wrong(path: Path, problem: str, hint: str = "") -> ConfigError:
    """Return the error about a file."""
    return ConfigError(f"{path} {problem}.", hint=hint)


def _read(path: Path, *, may_link: bool) -> dict[str, Any]:
    try:
        content = tomllib.loads(_text(path, may_link=may_link))
    except FileNotFoundError:
        return {}
    except OSError as error:
        said = f"cannot be read: {error.strerror or error}"
        raise wrong(path, said, "Mend it, or remove it.") from error
    except UnicodeDecodeError as error:
        raise wrong(path, "is not UTF-8 text", "Mend it, or remove it.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        # What is wrong at which line; never the line itself, which may hold a key.
        said = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "nested too deeply"
        raise wrong(path, f"is not TOML: {said}", "Mend it, or remove it.") from error
    for key in content:
        if key not in _KEYS | _OF_OTHERS:
            raise wrong(path, f"has no key {key[:120]!r}", nearest(key, _KEYS))
    return content


def _text(path: Path, *, may_link: bool) -> str:
    # Without O_NONBLOCK opening a pipe waits for whoever writes to it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    if not may_link:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("it is not a regular file")
    with os.fdopen(descriptor, "rb") as stream:
        data = stream.read(_AT_MOST_BYTES + 1)
    if len(data) > _AT_MOST_BYTES:
        raise OSError("it is larger than a million bytes")
    return data.decode("utf-8")
