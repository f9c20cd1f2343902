"""Which model is asked: settings of the user, of the project, of the environment, of a call."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from hypernb.errors import ConfigError
from hypernb.llm._names import refuse_mistyped, refuse_mistyped_head, several
from hypernb.llm._profiles import (
    BUILT_IN,
    OPENAI,
    OPENAI_KEY,
    OPENAI_URL,
    Profile,
    is_name_of_profile,
    key_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hypernb.model import ModelSpec, Resource

CONTENTS: Final = ("none", "hashes", "full")
"""How much of what is said is kept, least first."""
MODES: Final = ("live", "record", "replay", "offline")

HERE: Final = "this session"
BASE_URL_HERE: Final = f"base_url of {HERE}"
ADDRESS_HINT: Final = "Write all of it, up to the version: http://localhost:11434/v1."
_TUNED: Final = "ft"  # models that were tuned at OpenAI are called ft:gpt-4o:org::id


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as it counts.

    Attributes:
        source: Where it is from: a file, a variable, ``built in``.
        is_foreign: Whether it is from a project that the user does not trust.
    """

    name: str
    value: Any
    source: str = BUILT_IN
    is_foreign: bool = False


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Where models are, and which is asked; see `ModelSettings.load`.

    Attributes:
        profiles: Servers by name.
        own_path: The user's file, which may not be there.
    """

    profiles: dict[str, Profile]
    own_path: Path
    project_path: Path | None
    _settings: dict[str, Setting]
    _agents: dict[str, Setting]
    _named: tuple[str, ...]
    _environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def load(
        cls,
        root: Path | None,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> ModelSettings:
        """Read the settings; what comes later goes before what came earlier.

        The user's ``config.toml``, the project's ``.hypernb/config.toml``, the environment
        (``HYPERNB_MODEL``, ``HYPERNB_CONTENT``, ``HYPERNB_CACHE_S``, ``HYPERNB_MODE``,
        ``OPENAI_BASE_URL``), and what is set in this session. A project's file comes from
        strangers: unless the user's own file trusts the project, it only chooses among what
        the user has named, and keeps and caches less of what is said, not more.

        Args:
            root: The project; None if there is none.
            environ: The process's if None. Keys stay in it.
            overrides: ``model``, ``base_url``, ``content``, ``cache_s``, ``mode``, ``agents``;
                None and empty text do not count.

        Raises:
            ConfigError: A file cannot be read, a setting has no meaning, or a project wants
                what only the user may.
        """
        from hypernb.llm._layers import Reading

        environ = os.environ if environ is None else environ
        return Reading(root, environ, dict(overrides or {})).settings()

    @property
    def model(self) -> str:
        """The model that is asked if nobody says otherwise; empty if none is configured."""
        return "" if self.is_offline else str(self._settings["model"].value)

    @property
    def content(self) -> str:
        """How much of what is said to models is kept: ``full``, ``hashes`` or ``none``."""
        return str(self._settings["content"].value)

    @property
    def cache_s(self) -> float:
        """How old an answer to the very same question may be, in seconds; 0 for none."""
        return float(self._settings["cache_s"].value)

    @property
    def mode(self) -> str:
        """``live``, ``record``, ``replay``, or ``offline`` for no model at all."""
        return str(self._settings["mode"].value)

    @property
    def is_offline(self) -> bool:
        """Whether no model is asked, whatever else is set."""
        return self.mode == "offline"

    @property
    def source_of_mode(self) -> str:
        """Where the mode is from: a file, a variable, this session."""
        return self._settings["mode"].source

    @property
    def agents(self) -> dict[str, str]:
        """The models that are set for single agents, by agent; they go before their cards'."""
        return {name: str(setting.value) for name, setting in self._agents.items()}

    def resolve(
        self,
        name: str = "",
        *,
        agent: str = "",
        fingerprint: Callable[[str], str] | None = None,
        is_foreign: bool = False,
    ) -> tuple[str, ModelSpec] | None:
        """Return a model, by the name that a plan has for it; None if none is configured.

        Args:
            name: What was asked for: ``NAME``, ``PROFILE:NAME`` or ``PROFILE``. If it is
                empty, the agent's own model, and then that of all.
            agent: Whose work it is.
            fingerprint: `hypernb.abc.Store.fingerprint`, to say which key is meant.
            is_foreign: The name is from a file of the project: a role card, a playbook.

        Raises:
            ConfigError: There is no such profile, or a project that is not trusted has chosen
                a model that the user has not named.
        """
        if self.mode == "offline":
            return None
        chosen = Setting("model", name, HERE, is_foreign and not self._is_trusted)
        if not name:
            chosen = self._agents.get(agent, self._settings["model"])
        if not chosen.value:
            return None
        profile, model = self._split(chosen.value, is_foreign=chosen.is_foreign)
        if chosen.is_foreign and self.mode != "replay":
            self._require_named(profile, model)
        try:
            spec = profile.spec(model, key_id(profile, self._environ, fingerprint))
        except ValidationError as error:
            raise ConfigError(
                f"{model[:80]!r} names no model: it has {len(model):,} characters.",
                hint=f"It is set by {chosen.source}.",
            ) from error
        return self._local_name(profile, model), spec

    def models(self) -> dict[str, ModelSpec]:
        """Return the models that are named in the settings, by the name a plan has for them."""
        chosen = [
            each for each in (self._settings["model"], *self._agents.values()) if each.value
        ]
        pairs = [self._split(each.value, is_foreign=each.is_foreign) for each in chosen]
        pairs += [(each, each.model) for each in self.profiles.values() if each.model]
        return {
            self._local_name(profile, model): profile.spec(model, "")
            for profile, model in pairs
        }

    def servers(self) -> dict[str, ModelSpec]:
        """Return the servers by profile, for `hypernb.llm.list_models`.

        Each is a model by the profile's own name, which no server has.
        """
        return {name: profile.spec(name, "") for name, profile in self.profiles.items()}

    def project_profile(self, name: str) -> Profile | None:
        """Return the profile of the project's file that a model is of; None if it is of none.

        Args:
            name: What a plan calls the model.
        """
        profile = self.profiles.get(name.partition(":")[0])
        is_projects = profile is not None and profile.source == str(self.project_path)
        return profile if is_projects else None

    def priced_beside(self, name: str) -> tuple[str, ...]:
        """Return the models of a model's own profile whose prices are written.

        Args:
            name: What a plan calls the model.
        """
        profile = self.profiles.get(name.partition(":")[0], self.profiles[OPENAI])
        return tuple(dict.fromkeys([*profile.prices, *filter(None, [profile.model])]))

    @staticmethod
    def key_of(spec: ModelSpec, environ: Mapping[str, str] | None = None) -> str | None:
        """Return the key that a model needs; None if it needs none, or it is not there."""
        environ = os.environ if environ is None else environ
        return (environ.get(spec.key, "").strip() or None) if spec.key else None

    def key_names(self) -> tuple[str, ...]:
        """Return the variables that profiles name for their keys, for handing to a runner."""
        return tuple(sorted({each.key for each in self.profiles.values() if each.key}))

    def key_hosts(self) -> set[str]:
        """Return for which hosts keys are meant: ``NAME@HOST``, as runners are told."""
        return {
            f"{each.key}@{each.spec('any', '').host}"
            for each in self.profiles.values()
            if each.key
        }

    def is_elsewhere(self, profile: Profile) -> bool:
        """Tell whether a profile is at an address of the environment, or of this session."""
        return profile.source in (OPENAI_URL, BASE_URL_HERE)

    def own_profiles(self) -> tuple[str, ...]:
        """Return the names of the profiles that the user has written."""
        return tuple(
            name
            for name, each in self.profiles.items()
            if each.is_own and each.source != BUILT_IN and not self.is_elsewhere(each)
        )

    def limits(self) -> dict[str, Resource]:
        """Return how much each host may be asked, where profiles say so."""
        found = (profile.limits() for profile in self.profiles.values())
        return {limits.name: limits for limits in found if limits is not None}

    def hint(self) -> str:
        """Say why no model is asked and how to name one; empty if one is configured."""
        if self.mode == "offline":
            return f"No model is asked: {self.source_of_mode} says offline."
        if self.model:
            return ""
        how = (
            "--model NAME, %hyper config model=NAME, HYPERNB_MODEL, or "
            f'model = "NAME" in {self.own_path} names one; %hyper models PROFILE lists what '
            "a server offers, as in %hyper models ollama."
        )
        if self._environ.get(OPENAI_KEY, "").strip():
            return f"{OPENAI_KEY} is set, and no model is named, so none is asked: {how}"
        return f"No model is configured: {how}"

    def describe(self) -> list[Setting]:
        """Return the settings for people, each with where it is from; no key is in them.

        Of the servers those whose address somebody has set.
        """
        rows = [*self._settings.values(), *self._agents.values()]
        for name, profile in self.profiles.items():
            if profile.source == BUILT_IN:
                continue
            parts = [profile.base_url, self._key_words(profile)]
            parts += [f"model {profile.model}"] if profile.model else []
            rows.append(Setting(f"profiles.{name}", ", ".join(parts), profile.source))
        return rows

    def _key_words(self, profile: Profile) -> str:
        if not profile.key:
            return "no key"
        is_set = bool(self._environ.get(profile.key, "").strip())
        return f"{profile.key} is {'set' if is_set else 'not set'}"

    @property
    def _is_trusted(self) -> bool:
        return bool(self._settings["trusted"].value)

    def _split(self, text: str, *, is_foreign: bool = False) -> tuple[Profile, str]:
        """Return the profile and the model that a name means.

        Args:
            text: The name.
            is_foreign: A project that is not trusted says it, and may mean its own server.
        """
        if not text.isprintable():
            raise ConfigError(
                f"{text[:80]!r} names no model: it holds what cannot be seen.",
                hint="Write its name as its server lists it.",
            )
        head, colon, tail = text.partition(":")
        having = [p for p in self.profiles.values() if p.model == text and p.is_own]
        profile = self.profiles.get(head)
        if profile is not None and not profile.is_own:
            is_mine = bool(having) or text in self._named
            if is_mine or not (is_foreign or self._means_a_server(head, tail)):
                profile = None  # a stranger's project takes no name of one's own models
        if profile is not None and (tail or profile.model):
            return profile, tail or profile.model
        if profile is not None:
            raise ConfigError(
                f"The profile {head!r} names no model of its own.",
                hint=f"Write {head}:NAME; %hyper models {head} lists what it offers.",
            )
        openai = self.profiles[OPENAI]
        # An address that was set nearer to the person goes before what files have.
        if having and not self.is_elsewhere(openai):
            if len(having) > 1:
                raise several(text, [each.name for each in having])
            return having[0], text
        if not having and self.mode != "replay":
            self._refuse_mistyped(head, colon, tail)
        return openai, text

    def _refuse_mistyped(self, head: str, colon: str, tail: str) -> None:
        own = [name for name, each in self.profiles.items() if each.is_own]
        if not colon:
            refuse_mistyped(head, own)
            return
        is_surely_one = (
            head not in self.profiles
            and is_name_of_profile(head)
            and self._means_a_server(head, tail)
        )
        refuse_mistyped_head(head, tail, own, is_surely_one=is_surely_one)

    def _means_a_server(self, head: str, tail: str) -> bool:
        """Tell whether a person who types ``HEAD:TAIL`` can only mean a server of that name."""
        return bool(tail) and head != _TUNED and self.profiles[OPENAI].is_openai

    def _local_name(self, profile: Profile, model: str) -> str:
        plain = profile.name == OPENAI and self._is_plain(model)
        return model if plain else f"{profile.name}:{model}"

    def _is_plain(self, model: str) -> bool:
        head, colon, _ = model.partition(":")
        if colon and head in self.profiles:
            return False  # it would be taken for that profile's, or that one's for it
        try:
            return self._split(model) == (self.profiles[OPENAI], model)
        except ConfigError:
            return False

    def _require_named(self, profile: Profile, model: str) -> None:
        if profile.is_harmless:
            return
        for text in self._named:
            try:
                if self._split(text) == (profile, model):
                    return
            except ConfigError:
                continue  # it is told where it is used
        if model in profile.prices:
            return
        name = self._local_name(profile, model)
        raise ConfigError(
            f"The project chooses the model {name!r}, which you have not named yourself.",
            hint=f"Say --model {name}, or write it into {self.own_path}: as model, or with "
            f"{trust_words(self.project_path)} for all that the project chooses.",
        )


def trust_words(path: Path | None) -> str:
    folder = "/path/of/project" if path is None else str(path.parent.parent.absolute())
    return f'trust = ["{folder}"]'
