"""Puts the settings of models together: files, environment and session, in order."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import ConfigError, nearest
from hypernb.llm._config_file import PROJECT_FILE, own_file, read_own, read_project, wrong
from hypernb.llm._profiles import (
    OPENAI,
    OPENAI_URL,
    Profile,
    at_address,
    built_in,
    read_profiles,
)
from hypernb.llm._settings import (
    ADDRESS_HINT,
    BASE_URL_HERE,
    CONTENTS,
    HERE,
    MODES,
    ModelSettings,
    Setting,
    trust_words,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OVERRIDES: Final = ("model", "base_url", "content", "cache_s", "mode", "agents")


class Reading:
    """Puts the settings together, in order."""

    def __init__(
        self, root: Path | None, environ: Mapping[str, str], overrides: dict[str, Any]
    ) -> None:
        self._environ = environ
        self._overrides = {
            name: each for name, each in overrides.items() if each is not None and each != ""
        }
        for name in overrides:
            if name not in _OVERRIDES:
                raise ConfigError(
                    f"There is no setting {name[:80]!r} of models.",
                    hint=nearest(name, _OVERRIDES),
                )
        self._own_path = own_file(environ)
        self._project_path = None if root is None else root / PROJECT_FILE
        self._own = read_own(self._own_path)
        self._project = {} if root is None else read_project(root)
        self._trusted = root is not None and self._trusts(root)

    def settings(self) -> ModelSettings:
        profiles = self._profiles()
        settings = {
            "model": self._layered("model", "", _text),
            "content": self._content(),
            "cache_s": self._cache_s(),
            "mode": self._mode(),
            "trusted": Setting("trusted", self._trusted, str(self._own_path)),
        }
        return ModelSettings(
            profiles=profiles,
            own_path=self._own_path,
            project_path=self._project_path,
            _settings=settings,
            _agents=self._agents(),
            _named=tuple(self._named()),
            _environ=self._environ,
        )

    def _trusts(self, root: Path) -> bool:
        listed = self._own.get("trust", [])
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise wrong(
                self._own_path, "has trust that is no list of folders", 'trust = ["/path"]'
            )
        real = os.path.realpath(root)
        return any(os.path.realpath(Path(each).expanduser()) == real for each in listed)

    # -- profiles -------------------------------------------------------------------------

    def _profiles(self) -> dict[str, Profile]:
        profiles = built_in()
        profiles |= read_profiles(
            self._own_path,
            self._own.get("profiles", {}),
            profiles,
            source=str(self._own_path),
            is_own=True,
        )
        if self._project_path is not None:
            profiles |= self._of_project(self._project_path, profiles)
        url, source = self._overrides.get("base_url", ""), BASE_URL_HERE
        if not url:
            url, source = self._environ.get(OPENAI_URL, "").strip(), OPENAI_URL
        try:
            profiles[OPENAI] = at_address(
                profiles[OPENAI], url, source=source, environ=self._environ
            )
        except ValueError as error:
            raise ConfigError(f"{source} is no address: {error}.", hint=ADDRESS_HINT) from error
        return profiles

    def _of_project(self, path: Path, known: Mapping[str, Profile]) -> dict[str, Profile]:
        foreign = read_profiles(
            path,
            self._project.get("profiles", {}),
            known if self._trusted else {},
            source=str(path),
            is_own=self._trusted,
        )
        if not self._trusted:
            for name, profile in foreign.items():
                self._require_harmless(path, name, profile, known)
        return foreign

    def _require_harmless(
        self, path: Path, name: str, profile: Profile, known: Mapping[str, Profile]
    ) -> None:
        taken = {each.casefold(): each for each in known}.get(name.casefold())
        if taken is not None:
            problem = f"changes the profile {taken!r}, which is yours"
            problem += "" if taken == name else f", by {name!r}"
        elif profile.key:
            problem = f"names a key for its profile {name!r}"
        elif not profile.is_harmless:
            problem = f"has a profile {name!r} for {profile.base_url[:120]!r}"
        else:
            return
        raise wrong(
            path,
            f"{problem}, and only a project that you trust may do that",
            f"If you trust it, write {trust_words(path)} into {self._own_path}.",
        )

    # -- single settings ------------------------------------------------------------------

    def _layers(self, name: str) -> list[Setting]:
        """Return what is said of a setting, what counts most last."""
        variable = f"HYPERNB_{name.upper()}"
        in_environ = None if name == "agents" else self._environ.get(variable, "").strip()
        said = [
            Setting(name, self._own.get(name), str(self._own_path)),
            Setting(name, self._project.get(name), str(self._project_path), not self._trusted),
            Setting(name, in_environ or None, variable),
            Setting(name, self._overrides.get(name), HERE),
        ]
        return [each for each in said if each.value is not None]

    def _layered(self, name: str, default: object, read: Callable[[Setting], Any]) -> Setting:
        found = Setting(name, default)
        for each in self._layers(name):
            found = Setting(name, read(each), each.source, each.is_foreign)
        return found

    def _content(self) -> Setting:
        found = Setting("content", "full")
        for each in self._layers("content"):
            value = _one_of(each, CONTENTS)
            # A stranger's project may have less kept than the user wants, and not more.
            if each.is_foreign and CONTENTS.index(value) > CONTENTS.index(found.value):
                continue
            found = Setting("content", value, each.source, each.is_foreign)
        return found

    def _cache_s(self) -> Setting:
        found = Setting("cache_s", 0.0)
        for each in self._layers("cache_s"):
            value = _seconds(each)
            # Answers that lie in a cache are kept: a stranger's project may only have fewer.
            if not (each.is_foreign and value > found.value):
                found = Setting("cache_s", value, each.source, each.is_foreign)
        return found

    def _mode(self) -> Setting:
        found = Setting("mode", "live")
        for each in self._layers("mode")[-2:]:
            found = Setting("mode", _one_of(each, MODES), each.source)
        return found

    def _agents(self) -> dict[str, Setting]:
        found: dict[str, Setting] = {}
        for each in self._layers("agents"):
            if not isinstance(each.value, dict):
                raise ConfigError(
                    f"{each.source} has agents that is no table.",
                    hint='Write [agents], and qa-engineer = "MODEL" below it.',
                )
            for agent, model in each.value.items():
                setting = Setting(f"agents.{agent}", model, each.source, each.is_foreign)
                found[agent] = Setting(
                    setting.name, _text(setting), each.source, each.is_foreign
                )
        return found

    def _named(self) -> list[str]:
        """Return the models that the user has named, in whatever place that is theirs."""
        names = [each for each in self._layers("model") if not each.is_foreign]
        texts = [each.value for each in names]
        texts += [each.value for each in self._agents().values() if not each.is_foreign]
        own = self._own.get("profiles", {})
        texts += [name for name, fields in own.items() if fields.get("model")]
        return [text for text in texts if isinstance(text, str)]


def _text(setting: Setting) -> str:
    if not isinstance(setting.value, str):
        raise ConfigError(
            f"{setting.source} has {setting.name} = {setting.value!r:.80}.",
            hint='It has to be text: "NAME" or "PROFILE:NAME".',
        )
    return setting.value.strip()


def _one_of(setting: Setting, known: tuple[str, ...]) -> str:
    value = _text(setting)
    if value not in known:
        raise ConfigError(
            f"{setting.source} has {setting.name} = {value[:80]!r}.", hint=nearest(value, known)
        )
    return value


def _seconds(setting: Setting) -> float:
    value = setting.value
    try:
        seconds = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ConfigError(
            f"{setting.source} has {setting.name} = {value!r:.80}.",
            hint="It is a number of seconds, 0 for no cache.",
        )
    return seconds
