"""Models that are recorded to a cassette, and models that answer from one."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from hypernb.abc import ChatModel
from hypernb.errors import ConfigError, ReplayMissError
from hypernb.llm._canonical import canonical
from hypernb.llm._nearest import nearest_difference
from hypernb.llm._scrubbing import Scrubbing
from hypernb.llm._tape import Cassette
from hypernb.llm._taping import append, entry, prepare
from hypernb.model import ReplySource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypernb.abc import ModelWait
    from hypernb.model import ChatReply, ChatRequest, ModelSpec

_LOG: Final = logging.getLogger(__name__)


def recording(
    model: ChatModel,
    path: Path | str,
    spec: ModelSpec | None = None,
    *,
    secrets: Iterable[str] = (),
    root: str = "",
) -> ChatModel:
    """Return a model that keeps each request with its answer in a cassette.

    It goes around all others, so that what a cache answers is recorded too. Several models,
    threads and processes can record to one file at once. An answer is kept before it is
    returned; one that cannot be kept is returned all the same, for it is paid, and logged.

    Args:
        path: The cassette; made if it is not there, appended to if it is.
        spec: The model's; its own if None.
        secrets: Values that must not lie in it, besides what looks like a secret.
        root: The project's folder, which is called otherwise elsewhere.

    Raises:
        ConfigError: The file cannot be written, or is no cassette.
    """
    path = Path(path)
    spec = spec or spec_of(model)
    return _Recorder(model, path, spec, Scrubbing(secrets, root=root), prepare(path))


def replaying(
    path: Path | str,
    spec: ModelSpec,
    *,
    secrets: Iterable[str] = (),
    root: str = "",
) -> ChatModel:
    """Return a model that answers from a cassette, and opens no socket.

    The n-th time that a request is asked it gets the n-th answer that was recorded for it,
    and then the last one again. Nothing is paid, and no time passes.

    Args:
        secrets: Values that were covered up when it was recorded, if they are in requests.
        root: The project's folder, which was called otherwise elsewhere.

    Raises:
        ConfigError: The file cannot be read, or is no cassette.
    """
    return _Player(Cassette.load(Path(path)), spec, Scrubbing(secrets, root=root))


def spec_of(model: ChatModel) -> ModelSpec:
    """Return what a model says of itself, through everything that is around it."""
    spec: ModelSpec = model.spec  # type: ignore[attr-defined]  # all models of this package have it
    return spec


class _Recorder(ChatModel):
    def __init__(
        self,
        model: ChatModel,
        path: Path,
        spec: ModelSpec,
        scrubbing: Scrubbing,
        known: set[str],
    ) -> None:
        self._model = model
        self._path = path
        self.spec = spec
        self._scrubbing = scrubbing
        self._known = known
        self._lock = threading.Lock()

    async def complete(
        self,
        request: ChatRequest,
        *,
        deadline_s: float = 600.0,
        on_text: Callable[[str], None] | None = None,
        on_wait: Callable[[ModelWait], None] | None = None,
    ) -> ChatReply:
        """Ask the model, and keep what it answers."""
        reply = await self._model.complete(
            request, deadline_s=deadline_s, on_text=on_text, on_wait=on_wait
        )
        # In a thread: another process may have the file, and scrubbing reads all of the text.
        # Shielded: the answer is paid, and belongs to the cassette whoever gives up now.
        await asyncio.shield(asyncio.to_thread(self._keep, request, reply))
        return reply

    async def aclose(self) -> None:
        """Close the model that is recorded."""
        await self._model.aclose()

    def _keep(self, request: ChatRequest, reply: ChatReply) -> None:
        try:
            body = canonical(request, self.spec, self._scrubbing.text)
            name = hashlib.sha256(body).hexdigest()
            kept = self._scrubbing.reply(reply).model_dump(mode="json")
            with self._lock:
                line = entry(name, b"" if name in self._known else body, kept)
                append(self._path, line)
                self._known.add(name)
        except (OSError, ConfigError, TypeError, ValueError) as error:
            _LOG.warning("Cassette %s lacks an answer: %s", self._path, error)


class _Player(ChatModel):
    def __init__(self, cassette: Cassette, spec: ModelSpec, scrubbing: Scrubbing) -> None:
        self._cassette = cassette
        self.spec = spec
        self._scrubbing = scrubbing
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    async def complete(
        self,
        request: ChatRequest,
        *,
        deadline_s: float = 600.0,  # noqa: ARG002 - nothing here can take that long
        on_text: Callable[[str], None] | None = None,
        on_wait: Callable[[ModelWait], None] | None = None,  # noqa: ARG002 - nor waits
    ) -> ChatReply:
        """Return what was recorded."""
        reply = await asyncio.to_thread(self._found, request)
        if on_text is not None and reply.text:
            on_text(reply.text)
        return reply

    def _found(self, request: ChatRequest) -> ChatReply:
        body = canonical(request, self.spec, self._scrubbing.text)
        name = hashlib.sha256(body).hexdigest()
        with self._lock:
            time = self._asked[name]
            self._asked[name] += 1
        try:
            reply = self._cassette.reply(name, time)
            nearest = "" if reply else self._nearest(body)
        except ConfigError as error:
            reply, nearest = None, str(error)
        if reply is None:
            path = str(self._cassette.path)
            raise ReplayMissError(self.spec.name, self.spec.host, path, nearest)
        free = {"source": ReplySource.CASSETTE, "cost": 0.0, "tries": 1}
        timeless = {"duration_s": 0.0, "first_token_s": None}
        return self._scrubbing.restored(reply).model_copy(update=free | timeless)

    def _nearest(self, body: bytes) -> str:
        near = nearest_difference(orjson.loads(body), self._cassette.requests())
        told = [f"The nearest request differs: {near}"] if near else []
        return " ".join([*told, *self._cassette.errors])
