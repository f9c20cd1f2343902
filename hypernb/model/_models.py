"""Models as a plan names them: where they are, what they can, what they cost."""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hypernb.model._keys import needed_key

_FROZEN = ConfigDict(frozen=True, extra="forbid")
_MILLION = 1_000_000
_TIMES: Final = 10
_LEEWAY: Final = 100_000

BYTES_A_TOKEN: Final = 4
"""About so many bytes of usual text are a token."""


def host_of(url: str) -> str:
    """Return the host of an address, as approvals name it."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""  # of a plan that was changed outside hypernb


class TokenUse(BaseModel):
    """How many tokens a call has used.

    Attributes:
        cached_tokens: Those of the input that the server had at hand, and bills for less.
    """

    model_config = _FROZEN
    input_tokens: int = Field(0, ge=0, le=2**53)
    output_tokens: int = Field(0, ge=0, le=2**53)
    cached_tokens: int = Field(0, ge=0, le=2**53)

    @property
    def total(self) -> int:
        """Both together."""
        return self.input_tokens + self.output_tokens

    def is_credible(self, most: TokenUse) -> bool:
        """Tell whether a call can have used this that can use ``most`` by what is known of it.

        Servers add to what they are sent, and some think before they answer. What is far
        beyond that is no count.

        Example:
            >>> most = TokenUse(input_tokens=1_000, output_tokens=500)
            >>> TokenUse(input_tokens=20_000, output_tokens=400).is_credible(most)
            True
            >>> TokenUse(input_tokens=2**40).is_credible(most)
            False
        """
        return (
            self.input_tokens <= most.input_tokens * _TIMES + _LEEWAY
            and self.output_tokens <= most.output_tokens * _TIMES + _LEEWAY
        )


class Price(BaseModel):
    """What a model costs, in dollars for a million tokens: at most one a token.

    Attributes:
        cached: Of input that the server had at hand; None if it is the price of other input.
        source: Where it is from, in words: ``genai-prices 0.2.3``, ``your config.toml``.
    """

    model_config = _FROZEN
    input: float = Field(ge=0, le=_MILLION, allow_inf_nan=False)
    output: float = Field(ge=0, le=_MILLION, allow_inf_nan=False)
    cached: float | None = Field(None, ge=0, le=_MILLION, allow_inf_nan=False)
    source: str = ""

    @property
    def is_free(self) -> bool:
        """Nothing is paid, whatever is read and written."""
        return not (self.input or self.output or self.cached)

    def cost(self, use: TokenUse) -> float:
        """Return what a call has cost, in dollars.

        Example:
            >>> use = TokenUse(input_tokens=500_000, output_tokens=1000)
            >>> Price(input=2, output=8).cost(use)
            1.008
        """
        cached = min(use.cached_tokens, use.input_tokens)
        rate = self.input if self.cached is None else self.cached
        fresh = use.input_tokens - cached
        return (fresh * self.input + cached * rate + use.output_tokens * self.output) / _MILLION


class ModelSpec(BaseModel):
    """A model as a plan names it, and its approval covers: nothing of it is a secret.

    Attributes:
        name: What the server calls it.
        base_url: Where it is, up to and with the version: ``https://api.openai.com/v1``.
        key: Name of the variable that holds its key; empty if it needs none.
        key_id: Fingerprint of that key, made with the user's own salt; see
            `hypernb.abc.Store.fingerprint`. Empty where the key was not set at planning.
        api: Which of the two interfaces it is asked by.
        context_tokens: How much it can read and write in one call; None if nobody knows.
        max_output_tokens: The most that one call may write.
        price: What it costs; None if nobody knows, which is not 0.
        timeout_s: One try of a call, from its beginning to the last byte of its answer.
        streams: Whether the answer may come in pieces.
        tools: Whether it can be offered tools.
        schema_mode: How it is told the form of an answer: as a JSON schema that the server
            holds it to, as JSON of any form, or only in words.
    """

    model_config = _FROZEN
    name: str = Field(min_length=1, max_length=200)
    base_url: str
    key: str = ""
    key_id: str = ""
    api: Literal["chat", "responses"] = "chat"
    context_tokens: int | None = Field(None, gt=0)
    max_output_tokens: int = Field(4096, gt=0)
    price: Price | None = None
    timeout_s: float = Field(300.0, gt=0, allow_inf_nan=False)
    streams: bool = True
    tools: bool = True
    schema_mode: Literal["schema", "json", "words"] = "schema"

    @field_validator("base_url")
    @classmethod
    def _is_public(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the address of a model begins with http:// or https://")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("the address of a model holds no user, password or query")
        # Who reads an address by other rules than these would come to another host.
        if not _is_plain(url, parts):
            raise ValueError("the address of a model has a host and a port that can be read")
        return url.rstrip("/")

    @property
    def host(self) -> str:
        """The host that approvals name: ``api.openai.com``, ``localhost:11434``."""
        return host_of(self.base_url)

    @property
    def needed_key(self) -> str:
        """Which key it needs, as `hypernb.model.lacking_keys` reads it; empty for none."""
        return needed_key(self.key, self.key_id, self.host) if self.key else ""


def _is_plain(url: str, parts: SplitResult) -> bool:
    """Tell whether the place in an address is a host, or a host and a port, and no more."""
    if any(each.isspace() or not each.isprintable() or each == "\\" for each in url):
        return False
    try:
        port = parts.port
    except ValueError:
        return False
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return parts.netloc.lower() == (host if port is None else f"{host}:{port}")
