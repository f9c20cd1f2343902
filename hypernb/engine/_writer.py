"""The single writer: commits what became true, in order and grouped."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import HypernbError, StoreError, StoreUnavailableError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from hypernb.abc import Payload, Store
    from hypernb.model import Change, Digest, LeaseRecord, MissionId, TaskId

Committed = asyncio.Future["Mapping[Digest, Digest]"]
"""Done when changes are in the store; see `Writer.submit`."""

WINDOW_S: Final = 0.002
_CROWD: Final = 4
"""So many turns of the loop brought changes during one commit: more are on their way. One turn,
however much it brings, may be a whole layer of tasks whose children wait for this commit."""
_FEW: Final = 500
"""So many changes are written within ten milliseconds; for more, the loop is not kept."""
BACKLOG: Final = 2_000
_KNOWN_DIGESTS: Final = 4_096
_KNOWN_S: Final = 600.0


@dataclass(slots=True)
class Ticket:
    """Changes of one mission that become true together.

    Attributes:
        outputs: What the changes refer to as output, by SHA-256; stored before them.
    """

    mission_id: MissionId
    lease: LeaseRecord
    committed: Committed
    on_settled: Callable[[Committed], None] | None = None
    changes: list[Change] = field(default_factory=list)
    outputs: dict[Digest, Payload] = field(default_factory=dict)

    def takes(self, lease: LeaseRecord, outputs: Mapping[Digest, Payload]) -> bool:
        """Tell whether it can hold these as well: a digest in it is one kind of value."""
        if lease.token != self.lease.token:
            return False
        for digest, payload in outputs.items():
            held = self.outputs.get(digest)
            if held is not None and held.media_type != payload.media_type:
                return False
        return True


_Result = Exception | list[dict["Digest", "Digest"]]
_Told = tuple[list[Ticket], _Result]


@dataclass(slots=True)
class _Beats:
    beats: dict[TaskId, datetime] = field(default_factory=dict)


class Writer:
    """Commits tickets in the order they were submitted, many in one transaction.

    What is submitted for a mission within a turn or two of the loop is one ticket.

    A lone ticket is committed at once. While a commit is under way others gather, and when they
    came from many turns of the loop the writer waits up to two milliseconds for more. Per
    mission they are one `hypernb.abc.Store.commit`. Once a commit of a mission fails,
    everything later under the same lease fails with the same error and is not written.

    A thread does it, so that the loop goes on. When all wait for the commit anyway, the loop
    commits by itself, unless that takes waiting for others: on a small machine, to wake a
    thread and to be woken by it takes as long as a small commit.

    Args:
        on_room: Called in the loop when a full backlog has room again.
        is_idle: Tells whether the loop has nothing to do before the next commit is done; by
            default it always has.
    """

    def __init__(
        self,
        store: Store,
        *,
        log: logging.Logger,
        on_room: Callable[[], None],
        is_idle: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._log = log
        self._on_room = on_room
        self._is_idle = is_idle
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[list[Ticket] | _Beats | None] = queue.SimpleQueue()
        self._gathered: list[Ticket] = []
        self._open: dict[MissionId, Ticket] = {}
        self._pending = 0
        self._under_way = 0  # tickets that were handed over, and are not told of
        self._was_full = False
        self._broken: dict[tuple[MissionId, int], Exception] = {}
        self._ended = asyncio.Event()
        self._known: dict[tuple[Digest, str], Digest] = {}
        self._known_since = time.monotonic()
        self.commits = 0
        self._thread = threading.Thread(target=self._write, name="hypernb writer", daemon=True)
        self._thread.start()

    @property
    def is_full(self) -> bool:
        """So much waits to be written that nothing new should be started."""
        self._was_full = self._was_full or self._pending > BACKLOG
        return self._was_full

    def submit(
        self,
        mission_id: MissionId,
        lease: LeaseRecord,
        changes: Sequence[Change],
        outputs: Mapping[Digest, Payload] | None = None,
        on_settled: Callable[[Committed], None] | None = None,
    ) -> Committed:
        """Hand over changes; the future is done when they are committed.

        Its result names the outputs that the store files under another digest than their
        SHA-256, by that. Its exception is why nothing was written: `LeaseLostError`, another
        `StoreError` ...

        Args:
            on_settled: Called with the future as soon as it is done, once for all that is
                committed together; a turn of the loop earlier than whoever awaits it.
        """
        if error := self._broken.get((mission_id, lease.token)):
            refused: Committed = self._loop.create_future()
            refused.add_done_callback(on_settled or _look)
            refused.set_exception(error)
            return refused
        ticket = self._open.get(mission_id)
        if ticket is None or not ticket.takes(lease, outputs or {}):
            ticket = self._new_ticket(mission_id, lease)
            ticket.on_settled = on_settled
        self._pending += len(changes)
        ticket.lease = lease
        ticket.changes += changes
        if outputs:
            ticket.outputs.update(outputs)
        return ticket.committed

    def _new_ticket(self, mission_id: MissionId, lease: LeaseRecord) -> Ticket:
        ticket = Ticket(mission_id, lease, self._loop.create_future())
        # Whoever does not wait for it still learns of the failure from the next ticket.
        ticket.committed.add_done_callback(_look)
        if not self._gathered:
            # Two turns of the loop: what this change sets off (a task that becomes ready and
            # starts) joins the same transaction.
            self._loop.call_soon(self._loop.call_soon, self.flush)
        self._gathered.append(ticket)
        self._open[mission_id] = ticket
        return ticket

    def beat(self, beats: dict[TaskId, datetime]) -> None:
        """Note signs of life; a failure is logged, for they are overwritten soon."""
        self._queue.put(_Beats(beats))

    def flush(self) -> None:
        """Hand over what was gathered: nothing more will join it in this turn of the loop."""
        if self._gathered:
            self._hand_over()

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        self._open.clear()
        here = not self._under_way and self._is_easy(gathered) and self._is_idle()
        self._under_way += len(gathered)
        if not here or not self._commit_here(gathered):
            self._queue.put(gathered)

    def _is_easy(self, gathered: list[Ticket]) -> bool:
        """Tell whether it is one small commit, and nothing has to be stored before it."""
        return (
            len({(each.mission_id, each.lease.token) for each in gathered}) == 1
            and sum(len(each.changes) for each in gathered) <= _FEW
            and all(
                (digest, payload.media_type) in self._known
                for each in gathered
                for digest, payload in each.outputs.items()
            )
        )

    def _commit_here(self, gathered: list[Ticket]) -> bool:
        """Commit in the loop; tell whether it was done, for better or worse."""
        key = (gathered[0].mission_id, gathered[0].lease.token)
        result = self._commit(key, gathered, patient=False)
        if result is None:
            return False
        self._loop.call_soon(self._tell, [(gathered, result)])
        return True

    async def close(self) -> None:
        """Commit what was submitted, and end the thread."""
        self.flush()
        self._queue.put(None)
        await self._ended.wait()
        self._thread.join()

    # -- in the thread ------------------------------------------------------------------

    def _write(self) -> None:
        crowded = False
        is_open = True
        while is_open:
            items = [self._queue.get(), *self._more(crowded=crowded)]
            is_open = items[-1] is not None
            tickets = [each for item in items if isinstance(item, list) for each in item]
            crowded = len(items) > _CROWD
            for item in items:
                if isinstance(item, _Beats):
                    self._beat(item)
            if tickets:
                self._commit_all(tickets)
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ended.set)

    def _more(self, *, crowded: bool) -> list[list[Ticket] | _Beats | None]:
        items: list[list[Ticket] | _Beats | None] = []
        deadline = time.monotonic() + (WINDOW_S if crowded else 0.0)
        while True:
            left = deadline - time.monotonic()
            try:
                item = self._queue.get(timeout=left) if left > 0 else self._queue.get_nowait()
            except queue.Empty:
                return items
            items.append(item)
            if item is None:
                return items

    def _commit_all(self, tickets: list[Ticket]) -> None:
        by_mission: dict[tuple[MissionId, int], list[Ticket]] = {}
        for ticket in tickets:
            key = (ticket.mission_id, ticket.lease.token)
            by_mission.setdefault(key, []).append(ticket)
        results: list[_Told] = []
        for key, group in by_mission.items():
            result = self._commit(key, group)
            assert result is not None  # noqa: S101 - whoever is patient gets an answer
            results.append((group, result))
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._tell, results)

    def _commit(
        self, key: tuple[MissionId, int], group: list[Ticket], *, patient: bool = True
    ) -> _Result | None:
        """Write what one mission's tickets say; return each one's digests, or the failure.

        None if somebody else writes, and is not to be waited for.
        """
        if error := self._broken.get(key):
            return error
        try:
            self._store_outputs([item for t in group for item in t.outputs.items()])
            settled = [self._settled(ticket) for ticket in group]
            changes = [
                _settled(each, digests)
                for ticket, digests in zip(group, settled, strict=True)
                for each in ticket.changes
            ]
            lease = group[-1].lease
            self._store.commit(group[0].mission_id, lease, changes, patient=patient)
            self.commits += 1
        except HypernbError as failure:
            if not patient and isinstance(failure, StoreUnavailableError):
                return None
            self._broken[key] = failure
        except Exception as failure:  # noqa: BLE001 - the border of the writer's thread
            self._log.exception("Writing failed", extra={"mission": group[0].mission_id})
            wrapped = StoreError(f"Writing failed: {type(failure).__name__}: {failure}")
            self._broken[key] = wrapped
        else:
            self._forget_some()
            return settled
        # An output that was stored a while ago may have been swept since.
        self._known.clear()
        return self._broken[key]

    def _store_outputs(self, outputs: list[tuple[Digest, Payload]]) -> None:
        """Store what was not stored a moment ago: many tasks return the same (a count)."""
        keys = {(digest, payload.media_type): payload for digest, payload in outputs}
        new = {key: payload for key, payload in keys.items() if key not in self._known}
        if new:
            stored = self._store.put_artifacts(list(new.values()))
            self._known.update(zip(new, stored, strict=True))

    def _settled(self, ticket: Ticket) -> dict[Digest, Digest]:
        """Return the digests of a ticket's outputs that differ from their SHA-256.

        The same bytes can be two kinds of value, of which the store files the second under
        another digest. Both can be in one commit, so each ticket has its own.
        """
        known = {
            digest: self._known[digest, payload.media_type]
            for digest, payload in ticket.outputs.items()
        }
        return {digest: filed for digest, filed in known.items() if filed != digest}

    def _forget_some(self) -> None:
        # What was stored long ago and is named by nothing may be swept.
        if time.monotonic() - self._known_since > _KNOWN_S:
            self._known.clear()
            self._known_since = time.monotonic()
        while len(self._known) > _KNOWN_DIGESTS:
            del self._known[next(iter(self._known))]

    def _beat(self, item: _Beats) -> None:
        try:
            self._store.heartbeat(item.beats)
        except HypernbError as error:
            self._log.warning("Signs of life were not noted: %s", error)
        except Exception:  # noqa: BLE001 - the border of the writer's thread
            self._log.exception("Signs of life were not noted")

    # -- back in the loop ---------------------------------------------------------------

    def _tell(self, results: list[_Told]) -> None:
        for group, result in results:
            self._under_way -= len(group)
            for number, ticket in enumerate(group):
                self._pending -= len(ticket.changes)
                if ticket.committed.done():
                    continue
                if isinstance(result, Exception):
                    ticket.committed.set_exception(result)
                else:
                    ticket.committed.set_result(result[number])
                if ticket.on_settled is not None:
                    ticket.on_settled(ticket.committed)
        if self._was_full and self._pending <= BACKLOG // 2:
            self._was_full = False
            self._on_room()


def _look(committed: asyncio.Future[Any]) -> None:
    if not committed.cancelled():
        committed.exception()


def _settled(change: Change, digests: Mapping[Digest, Digest]) -> Change:
    if not digests:
        return change
    if change.output is not None and change.output in digests:
        return replace(change, output=digests[change.output])
    call = change.call
    if call is None or not ({call.request, call.reply} & digests.keys()):
        return change
    request, reply = call.request, call.reply
    filed = replace(
        call,
        request=digests.get(request, request) if request is not None else None,
        reply=digests.get(reply, reply) if reply is not None else None,
    )
    return replace(change, call=filed)
