"""Calling models: a thread with a loop of its own, for HTTP and for nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from hypernb.engine._covering import Cover
from hypernb.engine._keys import key_ids
from hypernb.errors import ConfigError, KeyMissingError
from hypernb.model import is_replay, lacking_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from hypernb.abc import ChatModel, Clock, ModelWait, Store
    from hypernb.llm import HostGate
    from hypernb.model import ChatReply, ChatRequest, MissionId, ModelSpec, PlanSpec

    _Place = tuple[str, "Way"]

_CLOSE_S: Final = 5.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Way:
    """How the models of a plan are asked.

    Attributes:
        cassette: As in `hypernb.model.PlanSpec`.
        cache_s: The same.
        root: The project's folder, which is called otherwise where a cassette is replayed.
        mission: Whose cassette it is: each replays its own from the beginning.
    """

    cassette: str = ""
    cache_s: float = 0.0
    root: str = ""
    mission: str = ""

    @property
    def is_replay(self) -> bool:
        """Nothing is asked at all."""
        return is_replay(self.cassette)

    @classmethod
    def of(cls, plan: PlanSpec, mission: MissionId) -> Way:
        """Return how the models of a mission are asked."""
        # The cache keeps answers, whoever asked for them.
        cache_s = plan.cache_s if plan.content == "full" else 0.0
        if not plan.cassette:
            return cls(cache_s=cache_s)
        return cls(plan.cassette, cache_s, plan.root, mission)


class ModelDesk:
    """Asks models on behalf of a runner's missions.

    The thread is started when the first call is made; until then nothing is imported that a
    runner without models does not need. Models stay open, so their connections do.

    Args:
        keys: The runner's keys; see `hypernb.engine._keys.key_ids`.
        store: For the cache of answers, and to tell keys apart.

    Attributes:
        ids: Which keys it has; see `hypernb.engine._keys.key_ids`.
        cover: Covers them up wherever they turn up.
    """

    def __init__(self, keys: Mapping[str, str], store: Store, clock: Clock) -> None:
        self._keys = {name: key for name, key in keys.items() if key}
        self.ids = key_ids(store, self._keys)
        self.cover = Cover(self._keys)
        self._store = store
        self._clock = clock
        self._models: dict[_Place, asyncio.Task[ChatModel]] = {}
        self._opening = threading.Lock()
        self._gate: HostGate | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The keys themselves, to be covered up wherever they turn up."""
        return tuple(dict.fromkeys(self._keys.values()))

    async def complete(
        self,
        spec: ModelSpec,
        request: ChatRequest,
        *,
        way: Way,
        deadline_s: float,
        on_text: Callable[[str], None] | None,
        on_wait: Callable[[ModelWait], None],
    ) -> ChatReply:
        """Ask a model. Cancelling the caller ends the call.

        No key of this desk leaves in a request, wherever in it one may stand: in messages,
        in calls, in tools or in the form of the answer.

        Args:
            on_text: Called in the thread of this desk.
            on_wait: The same.

        Raises:
            ModelError: There is no answer that can be used. What has begun is not asked for
                anew: whoever keeps money for one answer may do so.
            ConfigError: The cassette cannot be used.
        """

        async def ask() -> ChatReply:
            model = await self._opened(spec, way)
            # In a thread: a request can be a million characters.
            sent = await asyncio.to_thread(_without_keys, request, self.cover)
            return await model.complete(
                sent, deadline_s=deadline_s, on_text=on_text, on_wait=on_wait
            )

        return await self._in_thread(ask())

    async def open(self, spec: ModelSpec, way: Way) -> None:
        """Make sure that a model can be asked as it is to be; nobody is asked yet.

        Cancelling the caller ends the wait.

        Raises:
            KeyMissingError: Its key is not here.
            ConfigError: The cassette cannot be used.
        """
        await self._in_thread(self._opened(spec, way))

    async def _in_thread(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(
            asyncio.run_coroutine_threadsafe(work, self._started())
        )

    # -- in the thread ------------------------------------------------------------------

    async def _opened(self, spec: ModelSpec, way: Way) -> ChatModel:
        place = (spec.model_dump_json(), way)
        if (opening := self._models.get(place)) is None:
            # In a thread of its own: a cassette may be large, or locked by somebody else, and
            # other calls are not to wait for that.
            opening = asyncio.get_running_loop().create_task(
                asyncio.to_thread(self._open, spec, way), name=f"open {spec.name}"
            )
            self._models[place] = opening
            opening.add_done_callback(partial(self._keep_open, place))
        # Shielded: another call may wait for it as well.
        return await asyncio.shield(opening)

    def _keep_open(self, place: _Place, opening: asyncio.Task[ChatModel]) -> None:
        """Keep a model that was opened; what failed is tried anew by the next call."""
        is_open = not opening.cancelled() and opening.exception() is None
        if not is_open and self._models.get(place) is opening:
            del self._models[place]

    def _open(self, spec: ModelSpec, way: Way) -> ChatModel:
        from hypernb import llm

        kind, _, path = way.cassette.partition(":")
        if kind == "replay":
            return llm.replaying(path, spec, secrets=self.secrets, root=way.root)
        with self._opening:
            if self._gate is None:
                self._gate = self._limited(llm.HostGate(clock=self._clock))
        model = llm.open_model(
            spec, key=self._key(spec), clock=self._clock, gate=self._gate, begun_at_most=1
        )
        if way.cache_s > 0:
            model = llm.cached(model, self._store, way.cache_s, spec, self._clock)
        if kind == "record":
            model = llm.recording(model, path, spec, secrets=self.secrets, root=way.root)
        return model

    @staticmethod
    def _limited(gate: HostGate) -> HostGate:
        """Have a gate hold the user's own limits: a runner has missions of many projects."""
        from hypernb.llm import ModelSettings

        with contextlib.suppress(ConfigError):  # whoever plans is told of it
            for host, limit in ModelSettings.load(None).limits().items():
                gate.limit(
                    host,
                    at_once=limit.at_once,
                    rate_per_s=limit.rate_per_s,
                    burst=limit.burst,
                )
        return gate

    def _key(self, spec: ModelSpec) -> str | None:
        if not spec.key:
            return None
        if lacking_keys([spec.needed_key], self.ids):
            raise KeyMissingError(spec.name, spec.host, spec.key)
        return self._keys[spec.key]

    # -- its life -----------------------------------------------------------------------

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=self._live, args=(self._loop,), name="hypernb models", daemon=True
            )
            self._thread.start()
        return self._loop

    def _live(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(self._end())
            loop.close()

    async def _end(self) -> None:
        """End what is under way, and close connections."""
        this = asyncio.current_task()
        open_calls = [task for task in asyncio.all_tasks() if task is not this]
        for task in open_calls:
            task.cancel()
        await asyncio.gather(*open_calls, return_exceptions=True)
        for opening in [each for each in self._models.values() if not each.cancelled()]:
            with contextlib.suppress(Exception):
                await opening.result().aclose()

    def forget(self, mission: MissionId) -> None:
        """Close what was opened for one mission only."""
        if self._loop is None:
            return
        dropping = self._drop(mission)
        try:
            asyncio.run_coroutine_threadsafe(dropping, self._loop)
        except RuntimeError:  # the loop has ended, and has closed all
            dropping.close()

    async def _drop(self, mission: MissionId) -> None:
        for place in [place for place in self._models if place[1].mission == mission]:
            with contextlib.suppress(Exception):
                await (await self._models[place]).aclose()
            # Not before it is closed: the end of the desk closes what is still here.
            self._models.pop(place, None)

    def close(self) -> None:
        """End all calls and the thread; a later call starts another. Blocking, for a moment."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_CLOSE_S)
        # A runner that finds new work before it has ended begins anew.
        self._loop = self._thread = self._gate = None
        self._models = {}


def _without_keys(request: ChatRequest, cover: Cover) -> ChatRequest:
    """Return a request as it may leave: whatever has made it, no key is in any text of it."""
    told = request.model_dump(mode="json")
    covered = cover.values(told)
    if covered == told:
        return request
    # Words of ours: a key that is called like one of them does not make a request unreadable.
    covered |= {name: told[name] for name in ("model", "purpose")}
    for message, had in zip(covered["messages"], told["messages"], strict=True):
        message["role"] = had["role"]
    return type(request).model_validate(covered)
