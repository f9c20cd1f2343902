"""Profiles: servers by a name, what they are asked with, and what of them is known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from hypernb.errors import nearest
from hypernb.llm._config_file import wrong
from hypernb.llm._prices import context_of, is_loopback, price_of
from hypernb.model import ModelSpec, Price, Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

OPENAI: Final = "openai"
OPENAI_KEY: Final = "OPENAI_API_KEY"
OPENAI_URL: Final = "OPENAI_BASE_URL"
BUILT_IN: Final = "built in"
_OPENAI_ADDRESS: Final = "https://api.openai.com/v1"
_LOCAL: Final = {"ollama": 11434, "lmstudio": 1234, "vllm": 8000, "llamacpp": 8080}
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_PROFILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SECONDS_OF_BURST: Final = 10.0


class Profile(BaseModel):
    """A server by a name.

    Attributes:
        key: Name of the variable that holds its key; empty if it needs none.
        model: The one that is meant by the profile's name alone; empty for none.
        at_once: How many calls may be under way at once; None for any number.
        rate: How many calls may begin in a minute; None for any number.
        prices: What its models cost, where that is known better than by the list.
        source: Where it is from, in words.
        is_own: Whether the user has it from a file of theirs, or from a project they trust.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    name: str
    base_url: str
    key: str = ""
    model: str = Field("", max_length=200)
    api: Literal["chat", "responses"] = "chat"
    context_tokens: int | None = Field(None, gt=0)
    max_output_tokens: int = Field(4096, gt=0)
    timeout_s: float = Field(300.0, gt=0, allow_inf_nan=False)
    streams: bool = True
    tools: bool = True
    schema_mode: Literal["schema", "json", "words"] = "schema"
    at_once: int | None = Field(None, gt=0)
    rate: float | None = Field(None, gt=0, allow_inf_nan=False)
    prices: dict[str, Price] = {}
    source: str = BUILT_IN
    is_own: bool = True

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        return check_address(url)

    @field_validator("model")
    @classmethod
    def _can_be_seen(cls, model: str) -> str:
        if not model.isprintable():
            raise ValueError(f"{model[:80]!r} holds what cannot be seen")
        return model

    @property
    def is_openai(self) -> bool:
        """Whether it is at OpenAI's own address, whose models have no colon but for ``ft:``."""
        return self.base_url == _OPENAI_ADDRESS

    @property
    def is_harmless(self) -> bool:
        """Whether nothing leaves this machine and no key is used."""
        return is_loopback(self.base_url) and not self.key

    def spec(self, model: str, key_id: str) -> ModelSpec:
        """Return one of its models as a plan names it."""
        return ModelSpec(
            name=model,
            base_url=self.base_url,
            key=self.key,
            key_id=key_id,
            api=self.api,
            context_tokens=self.context_tokens or context_of(model, self.base_url),
            max_output_tokens=self.max_output_tokens,
            price=price_of(model, self.base_url, self.prices, key=self.key),
            timeout_s=self.timeout_s,
            streams=self.streams,
            tools=self.tools,
            schema_mode=self.schema_mode,
        )

    def limits(self) -> Resource | None:
        """Return how much its host may be asked; None if nothing is said."""
        if self.at_once is None and self.rate is None:
            return None
        per_s = None if self.rate is None else self.rate / 60.0
        burst = 1 if per_s is None else max(1, round(per_s * _SECONDS_OF_BURST))
        host = ModelSpec(name="any", base_url=self.base_url).host
        return Resource(
            host, at_once=self.at_once, rate_per_s=per_s, burst=burst, tokens=float(burst)
        )


_FIELDS: Final = frozenset(Profile.model_fields) - {"name", "source", "is_own"}


def built_in() -> dict[str, Profile]:
    """Return the profiles that need no configuration: OpenAI's, and what runs locally."""
    profiles = {
        name: Profile(name=name, base_url=f"http://localhost:{port}/v1")
        for name, port in _LOCAL.items()
    }
    openai = Profile(name=OPENAI, base_url=_OPENAI_ADDRESS, key=OPENAI_KEY)
    return {OPENAI: openai, **profiles}


def is_name_of_profile(text: str) -> bool:
    """Tell whether a profile can be called so."""
    return _PROFILE_NAME.fullmatch(text) is not None


def check_address(url: str) -> str:
    """Return the address of a server as it is kept.

    Raises:
        ValueError: It is none; the message does not repeat it, for it may hold a password.
    """
    try:
        return ModelSpec(name="any", base_url=url).base_url
    except ValidationError as error:
        raise ValueError(_said(error)) from error


def at_address(
    profile: Profile, url: str, *, source: str, environ: Mapping[str, str]
) -> Profile:
    """Return the profile ``openai`` as environment and session have it.

    Args:
        profile: As files have it.
        url: Where it is; empty for the profile's own address.
        source: Where that is from.
        environ: Holds its key, if there is one.

    Raises:
        ValueError: The address is none; the message does not repeat it.
    """
    changes: dict[str, Any] = {}
    if url:
        changes = {"base_url": check_address(url), "source": source}
    base_url = changes.get("base_url", profile.base_url)
    if is_loopback(base_url) and profile.key == OPENAI_KEY and not environ.get(OPENAI_KEY):
        changes["key"] = ""
    return profile.model_copy(update=changes)


def read_profiles(
    path: Path, table: object, before: Mapping[str, Profile], *, source: str, is_own: bool
) -> dict[str, Profile]:
    """Return the profiles of a file, each on top of one of the same name before.

    Raises:
        ConfigError: One of them cannot be understood.
    """
    if not isinstance(table, dict):
        raise wrong(path, "has profiles that are no tables", "Write [profiles.NAME].")
    return {
        name: _read_profile(path, name, fields, before.get(name), source=source, is_own=is_own)
        for name, fields in table.items()
    }


def _read_profile(
    path: Path,
    name: str,
    fields: object,
    before: Profile | None,
    *,
    source: str,
    is_own: bool,
) -> Profile:
    where = f"[profiles.{name[:80]}]"
    if not isinstance(fields, dict):
        raise wrong(path, f"has {where[1:-1]!r} that is no table", f"Write {where}.")
    if not is_name_of_profile(name):
        raise wrong(
            path,
            f"has a profile {name[:80]!r}",
            "Its name is of letters, digits, '.', '-', '_'.",
        )
    for key in fields:
        if key not in _FIELDS:
            raise wrong(path, f"{where} has no key {key[:120]!r}", nearest(key, _FIELDS))
    _check_key(path, where, fields)
    said = {**fields, "prices": _prices(path, where, fields.get("prices", {}), source)}
    known = {} if before is None else before.model_dump(exclude={"prices"})
    prices = {**(before.prices if before else {}), **said["prices"]}
    if "base_url" not in said and before is None:
        raise wrong(path, f"{where} has no base_url", 'For example "http://localhost:8000/v1".')
    own = {"name": name, "source": source, "is_own": is_own, "prices": prices}
    return _valid(path, where, known | said | own)


def _valid(path: Path, where: str, fields: dict[str, Any]) -> Profile:
    try:
        return Profile(**fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"]))[:80]
        raise wrong(path, f"{where} {key}: {_said(error)}", "Mend it there.") from error


def _check_key(path: Path, where: str, fields: Mapping[str, Any]) -> None:
    key = fields.get("key", "")
    if key != "" and not (isinstance(key, str) and _VARIABLE.fullmatch(key)):
        # What stands there may be the key itself: it is not repeated.
        raise wrong(
            path,
            f"{where} key is no name of a variable",
            "Put the key into the environment, and write the variable's name here.",
        )


def _prices(path: Path, where: str, table: object, source: str) -> dict[str, Price]:
    if not isinstance(table, dict):
        raise wrong(path, f"{where} prices is no table", f'Write {where[:-1]}.prices."MODEL"].')
    prices = {}
    for model, fields in table.items():
        if not isinstance(fields, dict) or not set(fields) <= {"input", "output", "cached"}:
            raise wrong(
                path,
                f"{where} has a price of {model[:80]!r} that is none",
                "It has input, output and cached, in dollars for a million tokens.",
            )
        try:
            prices[model] = Price(**fields, source=source)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            key = ".".join(map(str, first["loc"]))
            raise wrong(
                path, f"{where} has a price of {model[:80]!r} where {key}: {_said(error)}"
            ) from error
    return prices


def _said(error: ValidationError) -> str:
    said = error.errors(include_url=False, include_input=False)[0]["msg"]
    return said.removeprefix("Value error, ").rstrip(".")[:200]


def key_id(
    profile: Profile, environ: Mapping[str, str], fingerprint: Callable[[str], str] | None
) -> str:
    """Return the fingerprint of a profile's key; empty if it cannot be had."""
    key = environ.get(profile.key, "").strip() if profile.key else ""
    return fingerprint(key) if key and fingerprint is not None else ""
