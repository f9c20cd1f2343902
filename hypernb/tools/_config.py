"""Reads a project's own ``.hypernb/config.toml``: how its tests run, which rules are off."""

from __future__ import annotations

import os
import stat
import tomllib
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import ConfigError, nearest

if TYPE_CHECKING:
    from pathlib import Path

CONFIG: Final = ".hypernb/config.toml"
_MAX_BYTES: Final = 1_000_000
_RULES_KEYS: Final = frozenset({"off"})


def settings_text(root: Path, name: str) -> str:
    """Return the text of a settings file of a project.

    The file comes from strangers and may be a pipe or a device, which would be read for ever.

    Raises:
        OSError: It is not there, cannot be read, is no regular file, or is too large.
        UnicodeDecodeError: It is not UTF-8.
    """
    # Without O_NONBLOCK opening a pipe waits for whoever writes to it.
    descriptor = os.open(root / name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{name} is not a regular file")
        data = stream.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise OSError(f"{name} is larger than {_MAX_BYTES:,} bytes")
    return data.decode("utf-8")


def settings_toml(root: Path, name: str = "pyproject.toml") -> dict[str, Any]:
    """Return the content of a settings file in TOML.

    Raises:
        OSError: As for `settings_text`.
        ValueError: It is not TOML, or not UTF-8, or nested beyond reason.
    """
    try:
        return tomllib.loads(settings_text(root, name))
    except RecursionError as error:
        raise ValueError(f"{name} is nested too deeply") from error


def read_table(root: Path, name: str) -> dict[str, Any]:
    """Return one table of a project's configuration, empty if it is not there.

    Raises:
        ConfigError: The file cannot be read, or that name is no table.
    """
    try:
        content = settings_toml(root, CONFIG)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{CONFIG} cannot be read: {error}.", hint="Mend it, or remove it."
        ) from error
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise ConfigError(
            f"{CONFIG}: {name} is no table.", hint=f"Write [{name}] above its keys."
        )
    return table


def rules_off(root: Path) -> frozenset[str]:
    """Return the own rules that a project has switched off for good.

    Raises:
        ConfigError: ``[rules]`` cannot be understood.
    """
    table = read_table(root, "rules")
    for key in table:
        if key not in _RULES_KEYS:
            raise ConfigError(
                f"{CONFIG}: [rules] has no key {key!r}.", hint=nearest(key, _RULES_KEYS)
            )
    off = table.get("off", [])
    if not isinstance(off, list) or not all(isinstance(rule, str) for rule in off):
        raise ConfigError(
            f"{CONFIG}: [rules] off is no list of names.", hint='For example: off = ["no-ci"]'
        )
    return frozenset(off)
