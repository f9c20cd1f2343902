"""What a task says of its costs is counted, whatever thread says it."""

from __future__ import annotations

import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from hypernb import BudgetExhaustedError, budget_left, spend
from hypernb.engine._spending import Carrying, Purse
from hypernb.errors import UsageError
from hypernb.model import Usage

if TYPE_CHECKING:
    from collections.abc import Callable


def test_outside_a_mission_nothing_happens() -> None:
    spend(3.0, model="m")
    assert budget_left() is None


def test_what_is_spent_is_told_and_leaves_less() -> None:
    told: list[Usage] = []
    with Carrying(Purse(told.append, 0.5)):
        spend(0.2, model="m", input_tokens=10, output_tokens=2)
        assert budget_left() == pytest.approx(0.3)
    assert told == [Usage(0.2, "m", 10, 2)]


def test_call_that_was_too_much_is_told_all_the_same() -> None:
    told: list[Usage] = []
    with Carrying(Purse(told.append, 0.5)):
        spend(0.5)  # exactly what it may
        with pytest.raises(BudgetExhaustedError, match=r"has spent \$0\.51 of the \$0\.50"):
            spend(0.01)
        assert budget_left() == 0
    assert [each.cost for each in told] == [0.5, 0.01]


def test_cents_add_up_to_their_sum() -> None:
    with Carrying(Purse(lambda _usage: None, 0.3)):
        for _ in range(3):
            spend(0.1)  # 0.30000000000000004 in all


@pytest.mark.parametrize(
    "given",
    [
        {"cost": -1.0},
        {"cost": float("nan")},
        {"cost": float("inf")},
        {"cost": 2**63},
        {"cost": 1e308},
        {"cost": "3"},
        {"cost": True},
        {"cost": 1, "input_tokens": -1},
        {"cost": 1, "output_tokens": 1.5},
        {"cost": 1, "output_tokens": 10**30},
        {"cost": 1, "model": "m" * 201},
        {"cost": 1, "model": None},
    ],
    ids=str,
)
def test_absurd_figures_are_refused(given: dict[str, Any]) -> None:
    told: list[Usage] = []
    with (
        Carrying(Purse(told.append, None)),
        pytest.raises(UsageError, match="cannot have been spent"),
    ):
        spend(**given)
    assert told == []


def in_thread(work: Callable[[], object]) -> object:
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result()


def test_thread_of_a_task_that_has_the_process_to_itself_spends_its_money() -> None:
    told: list[Usage] = []
    with Carrying(Purse(told.append, 1.0), alone=True):
        in_thread(lambda: spend(0.4))
    assert [each.cost for each in told] == [0.4]


def test_thread_that_may_be_of_any_task_must_say_of_which() -> None:
    told: list[Usage] = []
    with Carrying(Purse(told.append, 1.0)):
        with pytest.raises(UsageError, match="whose money"):
            in_thread(lambda: spend(0.4))
        context = contextvars.copy_context()
        in_thread(lambda: context.run(spend, 0.4))
    assert [each.cost for each in told] == [0.4]


def test_many_threads_lose_nothing() -> None:
    told: list[Usage] = []
    refused: list[BudgetExhaustedError] = []
    gate = threading.Barrier(16)

    def work() -> None:
        gate.wait(10)
        for _ in range(50):
            try:
                spend(0.01)
            except BudgetExhaustedError as error:
                refused.append(error)

    with Carrying(Purse(told.append, 4.0), alone=True):
        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(told) == 800
    assert len(refused) == 400


def test_numbers_of_other_libraries_are_numbers() -> None:
    told: list[Usage] = []
    with Carrying(Purse(told.append, None)):
        spend(np.float32(0.5), input_tokens=np.int64(3))  # type: ignore[arg-type]  # as people do
        spend(Decimal("0.25"))  # type: ignore[arg-type]  # as people do
    assert told == [Usage(0.5, input_tokens=3), Usage(0.25)]
    assert {type(each.cost) for each in told} == {float}


def test_task_that_has_ended_cannot_spend() -> None:
    purse = Purse(lambda _usage: None, 1.0)
    with Carrying(purse):
        context = contextvars.copy_context()
    with pytest.raises(UsageError, match="has ended"):
        context.run(spend, 0.1)
