"""Answers that are used once more for the very same question."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

import orjson
from pydantic import ValidationError

from hypernb.abc import ChatModel
from hypernb.clock import SystemClock
from hypernb.errors import HypernbError
from hypernb.llm._canonical import canonical
from hypernb.model import ChatReply, Finish, ReplySource

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from hypernb.abc import Clock, ModelWait
    from hypernb.model import ChatRequest, ModelSpec

_LOG: Final = logging.getLogger(__name__)
_WHOLE: Final = frozenset({Finish.STOP, Finish.TOOL_CALLS})


class CacheEntries(Protocol):
    """Where answers are kept; a `hypernb.abc.Store` is one."""

    def cached_reply(self, request_hash: str, *, since: datetime) -> bytes | None:
        """Return the answer that was kept for a request, if it is not older."""

    def cache_reply(
        self, request_hash: str, reply: bytes, *, model: str, cost: float | None
    ) -> None:
        """Keep an answer for the very same request."""

    def count_cache_hit(self, request_hash: str) -> None:
        """Note that an answer was used once more."""


def cached(
    model: ChatModel,
    entries: CacheEntries,
    max_age_s: float,
    spec: ModelSpec,
    clock: Clock | None = None,
) -> ChatModel:
    """Return a model that asks only what it was not asked before; itself if the age is 0.

    Kept are whole answers of the form that was asked for. A request with a temperature above
    0 wants another answer each time, so it is always asked; one without a temperature leaves
    that to the server, and is not. An answer from the cache costs nothing; what it did cost
    is kept beside it, so that it is known what was spared. Where the entries cannot be
    reached, the model is asked, and its answer is returned all the same, for it is paid; that
    is logged.

    Args:
        max_age_s: How old an answer may be, in seconds.
        clock: The machine's if None.
    """
    if not max_age_s > 0:
        return model
    return _Cached(model, entries, max_age_s, spec, clock or SystemClock())


def cache_key(request: ChatRequest, spec: ModelSpec) -> str:
    """Return what an answer is kept under: the request, and the server that was asked.

    Two servers can have models of one name that answer differently.
    """
    digest = hashlib.sha256(spec.base_url.encode() + b"\0")
    digest.update(canonical(request, spec))
    return digest.hexdigest()


class _Cached(ChatModel):
    def __init__(
        self,
        model: ChatModel,
        entries: CacheEntries,
        max_age_s: float,
        spec: ModelSpec,
        clock: Clock,
    ) -> None:
        self._model = model
        self._entries = entries
        self._max_age = timedelta(seconds=min(max_age_s, _LONGEST_S))
        self.spec = spec
        self._clock = clock

    async def complete(
        self,
        request: ChatRequest,
        *,
        deadline_s: float = 600.0,
        on_text: Callable[[str], None] | None = None,
        on_wait: Callable[[ModelWait], None] | None = None,
    ) -> ChatReply:
        """Ask the model, unless it has answered this before."""
        if not _may_keep(request):
            return await self._model.complete(
                request, deadline_s=deadline_s, on_text=on_text, on_wait=on_wait
            )
        key = cache_key(request, self.spec)
        kept = await asyncio.to_thread(self._kept, key)
        if kept is not None:
            if on_text is not None and kept.text:
                on_text(kept.text)
            return kept
        reply = await self._model.complete(
            request, deadline_s=deadline_s, on_text=on_text, on_wait=on_wait
        )
        if is_whole(request, reply):
            await asyncio.to_thread(self._keep, key, reply)
        return reply

    async def aclose(self) -> None:
        """Close the model behind the cache."""
        await self._model.aclose()

    def _kept(self, key: str) -> ChatReply | None:
        reply = None
        try:
            data = self._entries.cached_reply(key, since=self._clock.now() - self._max_age)
            if data is None:
                return None
            reply = ChatReply.model_validate_json(data)
            self._entries.count_cache_hit(key)
        except ValidationError:  # of another version; it is asked and kept anew
            return None
        except HypernbError as error:
            _LOG.warning("The cache cannot be used for %s: %s", self.spec.name, error)
            if reply is None:
                return None  # one that is only not counted is good
        free = {"source": ReplySource.CACHE, "cost": 0.0, "tries": 1}
        return reply.model_copy(update=free | {"duration_s": 0.0, "first_token_s": None})

    def _keep(self, key: str, reply: ChatReply) -> None:
        data = reply.model_dump_json().encode()
        try:
            self._entries.cache_reply(key, data, model=self.spec.name, cost=reply.cost)
        except HypernbError as error:
            _LOG.warning("The cache lacks an answer of %s: %s", self.spec.name, error)


_LONGEST_S: Final = 3_650 * 86_400.0  # a date before the year 1 is none


def _may_keep(request: ChatRequest) -> bool:
    return request.purpose != "probe" and not request.temperature


def is_whole(request: ChatRequest, reply: ChatReply) -> bool:
    """Tell whether an answer is worth being used again: whole, live, and of the right form.

    One that could not be used would be the same the next time.
    """
    if reply.source is not ReplySource.LIVE or reply.finish not in _WHOLE or reply.refusal:
        return False
    if not reply.text and not reply.tool_calls:
        return False
    offered = {tool.name for tool in request.tools}
    if not all(each.name in offered and _is_json(each.arguments) for each in reply.tool_calls):
        return False
    return bool(reply.tool_calls) or not request.answer_schema or _is_json(reply.text)


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text or "{}")
    except ValueError:
        return False
    return True
