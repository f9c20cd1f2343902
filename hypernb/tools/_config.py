"""Reads a project's own ``.hypernb/config.toml``: how its tests run, which rules are off."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import ConfigError, nearest

if TYPE_CHECKING:
    from pathlib import Path

CONFIG: Final = ".hypernb/config.toml"
_MAX_BYTES: Final = 1_000_000
_RULES_KEYS: Final = frozenset({"off"})


def read_table(root: Path, name: str) -> dict[str, Any]:
    """Return one table of a project's configuration, empty if it is not there.

    Raises:
        ConfigError: The file cannot be read, or that name is no table.
    """
    path = root / CONFIG
    try:
        with path.open("rb") as stream:
            content = tomllib.loads(stream.read(_MAX_BYTES).decode())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
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
