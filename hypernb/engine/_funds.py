"""The money of one mission: what is paid, what is kept, and what to do when it runs out."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from hypernb.engine import _changes as changes
from hypernb.engine._attempt import Doom
from hypernb.engine._spending import exceeds
from hypernb.engine._trust import Trust
from hypernb.errors import BudgetExhaustedError, HypernbError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from hypernb.abc import Payload
    from hypernb.engine._attempt import Attempt
    from hypernb.engine._mission import MissionRun
    from hypernb.engine._writer import Committed
    from hypernb.model import Change, Digest, Usage

WARN_AT: Final = 0.8
WAYS: Final = ("raise", "model", "finish", "stop")
"""What a person can do about a budget that does not last: see ``mission.paused``."""


class Funds:
    """Decides what may be spent, and has what was spent written.

    What is reserved is reserved here, in the runner's loop and without waiting in between, so
    of calls side by side no two count on the same dollar.

    Attributes:
        unpaid: Payments that are not in the store, by identity.
        trust: How far servers are believed that say what they have used.
        is_finishing: A person wants what runs to end, and nothing more to be begun or paid
            than the budget covers.
    """

    def __init__(self, run: MissionRun) -> None:
        self._run = run
        self.unpaid: dict[int, Change] = {}
        self.is_finishing = False
        self._warned_of: float | None = None
        self._freed = asyncio.Event()
        self.trust = Trust()

    def reserved(self) -> float:
        """Return how many dollars are kept for tasks that run, or will before any other."""
        run = self._run
        if run.course.budget.limit is None:
            return 0.0
        running = sum(attempt.reserved for attempt in run.attempts.values())
        budget = run.course.budget
        capped = [name for name in run.ahead if budget.cap(name) is not None]
        return running + sum(budget.allowance(name, 0.0) or 0.0 for name in capped)

    # -- what is paid -------------------------------------------------------------------

    def spend(self, at: datetime, attempt: Attempt, usage: Sequence[Usage]) -> None:
        """Note what a task's own code has paid; end what goes on though it may not."""
        run, course = self._run, self._run.course
        self.pay([course.spend(at, attempt, each) for each in usage])
        if run.is_ending or run.broken:
            return
        if attempt.task.cap_cost is None:
            is_beyond = course.budget.is_overdrawn(self.reserved())
        else:
            is_beyond = attempt.is_overspent
        if is_beyond and attempt.doom is None:
            attempt.doom = Doom.OVERSPENT
            run.spawn(attempt.end, f"end {attempt.key}, which spends too much")
        if course.budget.is_overspent:
            run.spawn(self._exhausted, f"{run.record.short_id} has spent its budget")

    async def _exhausted(self) -> None:
        run = self._run
        if run.is_ending or run.broken:
            return  # it was the last call of the last task, or somebody was faster
        with contextlib.suppress(HypernbError):  # noted where it was met
            await run.end_poor()

    def pay(
        self, payments: Sequence[Change], outputs: Mapping[Digest, Payload] | None = None
    ) -> Committed | None:
        """Have payments written, by a later run of the mission if not by this one.

        Returns:
            Done when they are in the store; None if this run cannot write.
        """
        self.unpaid |= {id(change): change for change in payments}
        if not payments or self._run.broken:
            return None
        return self._run.submit_payments(payments, outputs)

    def leftover(self) -> tuple[Change, ...]:
        """Return the payments that are not in the store, for another run to write."""
        return tuple(map(_without_reply, self.unpaid.values()))

    def written(self, payments: Sequence[Change]) -> None:
        """Note that payments are in the store."""
        for payment in payments:
            self.unpaid.pop(id(payment), None)

    # -- calls of models ----------------------------------------------------------------

    async def keep(self, attempt: Attempt, cost: float) -> bool:
        """Keep the worst case of a call for it, as soon as the money is there.

        Waits for calls under way, which may cost less than what is kept for them. When that
        cannot help, the mission is paused until a person has decided.

        Returns:
            False if nothing is kept because the contract may be another by now: look at it
            again, and ask again.

        Raises:
            BudgetExhaustedError: The task's cap does not cover it, or a person has said that
                there is no more money.
        """
        terms = self._run.contract.taken
        while not self._is_kept(attempt, cost):
            if self._is_beyond_cap(attempt, cost):
                allowance = attempt.allowance or 0.0
                raise BudgetExhaustedError(attempt.spent, allowance, next_call=cost)
            if not self._helps_to_wait(attempt, cost):
                await self._decided(cost)
                return False
            self._freed.clear()
            await self._freed.wait()
            if self._run.contract.taken != terms:
                return False
        return True

    async def _decided(self, cost: float) -> None:
        """Wait until a person has decided about a mission whose money does not last."""
        run, budget = self._run, self._run.course.budget
        if self.is_finishing or run.is_ending or run.broken:
            raise BudgetExhaustedError(budget.spent, budget.limit or 0.0, next_call=cost)
        if not await run.read_amendments():
            run.ask_for_money(cost)
            await run.go.wait()

    def _is_kept(self, attempt: Attempt, cost: float) -> bool:
        fits = self._fits_cap(attempt, cost) and self._fits_budget(attempt, cost)
        if fits:
            attempt.pledged += cost
        return fits

    def _fits_cap(self, attempt: Attempt, cost: float) -> bool:
        return attempt.task.cap_cost is None or not exceeds(
            attempt.spent + attempt.pledged + cost, attempt.allowance or 0.0
        )

    def _is_beyond_cap(self, attempt: Attempt, cost: float) -> bool:
        return attempt.task.cap_cost is not None and exceeds(
            attempt.spent + cost, attempt.allowance or 0.0
        )

    def _fits_budget(self, attempt: Attempt, cost: float) -> bool:
        # What a cap leaves is kept already; what calls may cost that are under way is not
        # there a second time, whoever has a cap.
        kept = self._pledged() if attempt.task.cap_cost is not None else self.reserved()
        return self._run.course.budget.covers(cost, kept)

    def _helps_to_wait(self, attempt: Attempt, cost: float) -> bool:
        if not self._run.course.budget.covers(cost, 0.0):
            return False
        return self._pledged() > 0 or (attempt.task.cap_cost is None and self.reserved() > 0)

    def _pledged(self) -> float:
        return sum(attempt.pledged for attempt in self._run.attempts.values())

    def free(self, attempt: Attempt, cost: float) -> None:
        """Keep money for a call no longer: it is over."""
        attempt.pledged = max(0.0, attempt.pledged - cost)
        self.look_again()

    def look_again(self) -> None:
        """Have those who wait for money look whether it is there now."""
        self._freed.set()

    def warn(self, at: datetime) -> list[Change]:
        """Return the warning that most of the budget is spent, once for each budget."""
        budget = self._run.course.budget
        if budget.limit is None or self._warned_of == budget.limit:
            return []
        if budget.spent < WARN_AT * budget.limit:
            return []
        self._warned_of = budget.limit
        return [changes.warned(at, spent=budget.spent, budget=budget.limit)]

    def has_warned(self, budget: float | None) -> None:
        """Note that an earlier runner has warned of a budget."""
        self._warned_of = budget

    def lack(self, needed: float | None) -> dict[str, Any]:
        """Return the facts for a person who is to decide about money."""
        budget = self._run.course.budget
        return {
            "because": "budget",
            "needed": needed,
            "left": budget.left,
            "spent": budget.spent,
            "budget": budget.limit,
            "ways": list(WAYS),
        }


def _without_reply(payment: Change) -> Change:
    # Its text may be what could not be stored.
    if payment.call is None or payment.call.reply is None:
        return payment
    return replace(payment, call=replace(payment.call, reply=None))
