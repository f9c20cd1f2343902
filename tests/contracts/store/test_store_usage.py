"""What missions have paid for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hypernb.model import AttemptState, TaskState, Usage, UsageRecord

Bench = Any


def test_what_is_paid_is_read_back_in_the_order_it_was_told(bench: Bench) -> None:
    held = bench.running("a", "b")
    held.commit(held.ready("a"), held.start("a"), held.ready("b"), held.start("b"))
    usages = [Usage(0.25, "m-1", 812, 90), Usage(0.0), Usage(0.125, "odd \N{BLACK STAR}")]
    expected = []
    for usage, task in zip(usages, "aba", strict=True):
        change = held.change("budget.settled", task, attempt=1, usage=usage)
        held.commit(change)
        expected.append(UsageRecord(usage, change.at, held.ids[task], 1))
    assert held.store.usage(held.mission.id) == expected
    assert held.store.mission(held.mission.id).cost == pytest.approx(0.375)


def test_many_payments_in_one_commit_add_up(bench: Bench) -> None:
    held = bench.running("a")
    held.run("a")
    held.commit(
        *(held.change("budget.settled", "a", attempt=1, usage=Usage(0.01)) for _ in range(50))
    )
    assert len(held.store.usage(held.mission.id)) == 50
    assert held.store.mission(held.mission.id).cost == pytest.approx(0.5)


def test_time_in_which_an_attempt_stood_still_is_no_work(bench: Bench) -> None:
    held = bench.running("a")
    held.commit(held.ready("a"), held.start("a"))
    done = held.change("task.finished", "a", attempt=1, task_state=TaskState.SUCCEEDED)
    done = replace(done, attempt_state=AttemptState.SUCCEEDED)
    (started,) = held.store.attempts(held.mission.id)
    passed = timedelta(seconds=40)
    held.commit(replace(done, at=started.started_at + passed, rested_s=34.0))
    (task,) = held.store.tasks(held.mission.id)
    assert task.worked_s == pytest.approx(6.0)


def test_missions_pay_for_themselves(bench: Bench) -> None:
    one, other = bench.running("a"), bench.running("a")
    one.run("a")
    one.commit(one.change("budget.settled", "a", attempt=1, usage=Usage(3.0)))
    assert other.store.usage(other.mission.id) == []
    assert other.store.mission(other.mission.id).cost == 0
