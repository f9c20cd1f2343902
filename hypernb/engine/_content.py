"""How much is kept of what is said to models: all, hashes, or nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from hypernb import codec
from hypernb.abc import Payload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypernb.errors import HypernbError
    from hypernb.model import ChatReply, ChatRequest, Digest, ModelSpec

_SAID_CHARS: Final = 2_000
_TOOLS_NAMED: Final = 20
PAYLOAD_BYTES: Final = 4_000
"""The most that an event tells of one call."""
_NAMES: Final = frozenset({"tool", "call", "lane", "kind", "agent", "state"})
"""Words of ours in the events of tools: they are told whatever is kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a text.

    Attributes:
        hash: Of a request: SHA-256 of its canonical form; empty if not even that is kept.
        digest: Where all of it is; None if it is not kept.
        said: What its event tells of it.
        payloads: What has to be stored, by digest.
    """

    hash: str = ""
    digest: Digest | None = None
    said: Mapping[str, Any] = field(default_factory=dict)
    payloads: Mapping[Digest, Payload] = field(default_factory=dict)


class Content:
    """Keeps of calls what a plan says.

    Args:
        mode: As in `hypernb.model.PlanSpec`.
        secrets: What is covered up wherever it stands.
    """

    def __init__(self, mode: str, secrets: Sequence[str]) -> None:
        self._mode = mode
        self._secrets = tuple(secrets)

    def scrubbed(self, text: str) -> str:
        """Return a text without keys and what looks like one."""
        from hypernb.redact import scrub

        # Half a surrogate, as a model may write it, is in no JSON.
        return scrub(text.encode("utf-8", "replace").decode(), self._secrets)

    @property
    def is_full(self) -> bool:
        """Whether all of it is kept."""
        return self._mode == "full"

    def of_error(self, error: HypernbError) -> HypernbError:
        """Return what of an error may be told and kept."""
        return error if self.is_full else error.unquoted()

    def of_request(self, request: ChatRequest, spec: ModelSpec) -> Kept:
        """Return what is kept of a request. Blocking, for a large one."""
        if self._mode == "none":
            return Kept()
        from hypernb.llm import request_hash

        known = request_hash(request, spec)
        if not self.is_full:
            return Kept(hash=known)
        last = request.messages[-1].content if request.messages else ""
        said = {"messages": len(request.messages), "text": self._short(last)}
        digest, payloads = self._stored(request.model_dump(mode="json"))
        return Kept(known, digest, said, payloads)

    def of_reply(self, reply: ChatReply) -> Kept:
        """Return what is kept of an answer. Blocking, for a large one."""
        if not self.is_full:
            return Kept()
        said: dict[str, Any] = {"text": self._short(reply.text or reply.refusal)}
        if reply.tool_calls:
            said["tools"] = [call.name[:100] for call in reply.tool_calls[:_TOOLS_NAMED]]
        digest, payloads = self._stored(reply.model_dump(mode="json"))
        return Kept(digest=digest, said=said, payloads=payloads)

    def _short(self, text: str) -> str:
        # Scrubbed first: a key that was cut in two would not be known again.
        most = 10 * _SAID_CHARS
        whole = self.scrubbed(text if len(text) <= most else f"{text[:most]}…")
        short = whole[:_SAID_CHARS]
        while len(short.encode("utf-8", "replace")) > _SAID_CHARS:
            short = short[: len(short) * 2 // 3]
        return short

    def _covered(self, value: Any) -> Any:
        from hypernb.redact import covered_values

        return covered_values(value, self.scrubbed)

    def _stored(self, value: Any) -> tuple[Digest, dict[Digest, Payload]]:
        data = orjson.dumps(self._covered(value))
        digest = codec.digest(data)
        return digest, {digest: Payload(codec.JSON, data)}

    def of_tool(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the event of a tool may tell: a few lines, and only what is kept."""
        if self.is_full:
            told: dict[str, Any] = self._covered(dict(payload))
            return told if _fits(told) else _cut(told)
        told = {name: value for name, value in payload.items() if _is_fact(name, value)}
        if self._mode == "hashes":
            text = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
            told["sha256"] = hashlib.sha256(text).hexdigest()
        return told


def _is_fact(name: str, value: Any) -> bool:
    if isinstance(value, str):
        return name in _NAMES and len(value) <= _SAID_CHARS
    return value is None or isinstance(value, bool | int | float)


def _fits(told: Mapping[str, Any]) -> bool:
    return len(orjson.dumps(told)) <= PAYLOAD_BYTES


def _cut(told: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of a payload what is too long, longest first."""
    size = {name: len(orjson.dumps(value)) for name, value in told.items()}
    kept = dict(told)
    for name in sorted(size, key=lambda each: -size[each]):
        if _fits(kept):
            break
        text = kept[name] if isinstance(kept[name], str) else orjson.dumps(kept[name]).decode()
        kept[name] = f"{text[:200]} ... ({len(text):,} characters)"
    return kept if _fits(kept) else {"cut": len(told)}
