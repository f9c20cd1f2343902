"""Calls of a model while it plans: what the budget covers is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hypernb import codec
from hypernb.errors import BudgetExhaustedError
from hypernb.model import CallRecord, CallState, Price
from hypernb.session._planning_calls import Ledger
from hypernb.store import SqlStore
from tests.model_server import ModelServer, says
from tests.unit.llm.asking import request, spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hypernb.abc import Payload


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore(tmp_path / "hypernb.db")
    yield store
    store.close()


def ask(store: SqlStore, budget: float) -> list[CallRecord]:
    """Ask twice, for at most $0.10 and $0.20, which is what each costs."""
    told: list[CallRecord] = []

    def note(call: CallRecord, _said: Sequence[Payload]) -> None:
        told.append(call)

    def usage(tokens: int) -> dict[str, int]:
        return {"prompt_tokens": 1, "completion_tokens": tokens, "total_tokens": 1 + tokens}

    with ModelServer([says("a", usage=usage(10)), says("b", usage=usage(20))]) as server:
        model = spec(server, price=Price(input=0.0, output=10_000.0))
        ledger = Ledger(
            store,
            model,
            {"budget": budget},
            root="",
            keep=lambda payload: codec.digest(payload.data),
            note=note,
        )

        async def both() -> None:
            for most in (10, 20):
                await ledger.complete(request(max_output_tokens=most))

        try:
            asyncio.run(both())
        finally:
            ledger.close()
    return told


def test_call_that_may_cost_all_that_is_left_is_made(store: SqlStore) -> None:
    *_, first, _, second = ask(store, 0.3)
    assert (first.reserved or 0.0) + (second.reserved or 0.0) > 0.3  # by how it is added up
    assert second.state is CallState.SETTLED


def test_call_that_may_cost_more_is_not_made(store: SqlStore) -> None:
    with pytest.raises(BudgetExhaustedError):
        ask(store, 0.29)
