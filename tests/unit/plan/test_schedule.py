"""What may start, and what follows when a task ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import (
    CyclicPlanError,
    PlanProblemsError,
    TransitionError,
    UnknownTaskError,
)
from hypernb.model import AgentWork, OnFailure, PlanSpec, PythonWork, TaskSpec, TaskState
from hypernb.plan import Consequence, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable

WORK = PythonWork(function="f", arguments="a", label="f")
ASKS = {"work": AgentWork(model="small")}
S = TaskState


def plan(*, on_failure: str = "stop", **needs: str) -> PlanSpec:
    """Build a plan from ``name="its needs"``; every task decides alike on failure."""
    return PlanSpec(
        goal="A goal",
        tasks=tuple(
            TaskSpec(
                name=name,
                needs=tuple(wanted.split()),
                work=WORK,
                on_failure=OnFailure(on_failure),
            )
            for name, wanted in needs.items()
        ),
    )


def changed(spec: PlanSpec, **fields: dict[str, Any]) -> PlanSpec:
    """Change fields of some tasks."""
    tasks = (task.model_copy(update=fields.get(task.name, {})) for task in spec.tasks)
    return spec.model_copy(update={"tasks": tuple(tasks)})


def diamond(on_failure: str = "stop") -> PlanSpec:
    return plan(
        on_failure=on_failure, fetch="", clean="fetch", check="fetch", join="clean check"
    )


def run(schedule: Schedule, *names: str) -> None:
    for name in names:
        schedule.start(name)
        schedule.succeed(name)


def failing(schedule: Schedule, name: str) -> Consequence:
    schedule.start(name)
    return schedule.fail(name)


def states(schedule: Schedule, spec: PlanSpec) -> dict[str, str]:
    return {task.name: schedule.state(task.name).value for task in spec.tasks}


def test_tasks_without_needs_are_ready() -> None:
    assert Schedule(plan(a="", b="a", c="")).ready() == ["a", "c"]


def test_task_becomes_ready_after_last_need() -> None:
    schedule = Schedule(diamond())
    run(schedule, "fetch", "check")
    schedule.start("clean")
    assert schedule.blocked_by("join") == ("clean",)
    assert schedule.succeed("clean") == Consequence(readied=("join",))


def test_longest_remaining_path_starts_first() -> None:
    spec = plan(short="", long="", middle="", after="long", last="after", other="middle")
    assert Schedule(spec).ready() == ["long", "middle", "short"]


def test_estimates_weigh_more_than_counts() -> None:
    spec = changed(plan(a="", b="", c="b"), a={"estimate_s": 60.0})
    assert Schedule(spec).ready() == ["a", "b"]


def test_recorded_durations_weigh_more_than_estimates() -> None:
    spec = changed(plan(a="", b="", c="b"), a={"estimate_s": 60.0})
    assert Schedule(spec, {"c": 100.0}).ready() == ["b", "a"]


def test_equal_tasks_start_in_plan_order() -> None:
    assert Schedule(plan(b="", c="", a="")).ready() == ["b", "c", "a"]


def test_best_passes_over_busy_agents() -> None:
    spec = changed(plan(a="", b="", c="a"), a={"agent": "qa-engineer"})
    schedule = Schedule(spec)
    assert schedule.best() == "a"
    assert schedule.best(busy={"qa-engineer"}) == "b"
    assert schedule.best(busy={"qa-engineer", ""}) is None


def test_started_task_is_not_best_again() -> None:
    schedule = Schedule(plan(a="", b=""))
    schedule.start("a")
    assert (schedule.best(), schedule.ready()) == ("b", ["b"])


def test_whole_run_ends_done() -> None:
    schedule = Schedule(diamond())
    done = []
    for name in ("fetch", "clean", "check", "join"):
        run(schedule, name)
        done.append(schedule.is_done)
    assert done == [False, False, False, True]
    assert schedule.counts() == {S.SUCCEEDED: 4}


def test_empty_plan_is_done() -> None:
    schedule = Schedule(PlanSpec(goal="Nothing"))
    assert schedule.is_done
    assert schedule.best() is None


def test_failure_stops_the_starting() -> None:
    spec = plan(a="", b="", c="a")
    schedule = Schedule(spec)
    schedule.start("a")
    assert failing(schedule, "b") == Consequence(stop=True)
    assert schedule.succeed("a") == Consequence(stop=True)
    assert (schedule.is_stopped, schedule.ready(), schedule.best()) == (True, [], None)


def test_rest_is_cancelled_after_stop() -> None:
    spec = plan(a="", b="", c="a", d="")
    schedule = Schedule(spec)
    schedule.start("a")
    failing(schedule, "b")
    assert schedule.cancel_rest() == ("c", "d")
    assert schedule.counts() == {S.RUNNING: 1, S.FAILED: 1, S.CANCELLED: 2}
    schedule.succeed("a")
    assert schedule.is_done


def test_nothing_starts_after_stop() -> None:
    schedule = Schedule(plan(a="", b=""))
    failing(schedule, "a")
    with pytest.raises(TransitionError, match="Task b is ready; it cannot become running"):
        schedule.start("b")


def test_failure_skips_all_that_follows() -> None:
    spec = plan(on_failure="skip", a="", b="", c="a b", d="c", e="b")
    schedule = Schedule(spec)
    assert failing(schedule, "a") == Consequence(skipped=("c", "d"))
    run(schedule, "b", "e")
    assert schedule.is_done
    assert schedule.blocked_by("c") == ("a",)


def test_skipped_task_is_skipped_once() -> None:
    schedule = Schedule(plan(on_failure="skip", a="", b="", c="a b"))
    failing(schedule, "a")
    assert failing(schedule, "b") == Consequence()


def test_failure_lets_the_rest_continue() -> None:
    schedule = Schedule(plan(on_failure="continue", a="", b="a"))
    assert failing(schedule, "a") == Consequence(readied=("b",))
    assert schedule.blocked_by("b") == ()


def test_released_task_is_ready_again() -> None:
    schedule = Schedule(plan(a="", b=""))
    schedule.start("a")
    schedule.release("a")
    assert schedule.ready() == ["a", "b"]
    run(schedule, "a", "b")
    assert schedule.is_done


def test_cancelled_task_skips_what_follows() -> None:
    schedule = Schedule(plan(a="", b="a", c=""))
    assert schedule.cancel("a") == Consequence(skipped=("b",))
    assert schedule.ready() == ["c"]


@pytest.mark.parametrize(
    ("step", "after"),
    [
        pytest.param(lambda schedule: schedule.start("join"), "running", id="start-pending"),
        pytest.param(
            lambda schedule: schedule.succeed("fetch"), "succeeded", id="succeed-ready"
        ),
        pytest.param(lambda schedule: schedule.fail("fetch"), "failed", id="fail-ready"),
        pytest.param(lambda schedule: schedule.release("fetch"), "ready", id="release-ready"),
        pytest.param(lambda schedule: schedule.retry(["fetch"]), "ready", id="retry-ready"),
    ],
)
def test_impossible_step_is_refused(step: Callable[[Schedule], object], after: str) -> None:
    spec = diamond()
    schedule = Schedule(spec)
    before = states(schedule, spec)
    with pytest.raises(TransitionError, match=f"it cannot become {after}|{after} already"):
        step(schedule)
    assert states(schedule, spec) == before


def test_ended_task_cannot_be_cancelled() -> None:
    schedule = Schedule(plan(a=""))
    run(schedule, "a")
    with pytest.raises(TransitionError, match="Task a is succeeded"):
        schedule.cancel("a")


def test_unknown_task_is_named() -> None:
    with pytest.raises(UnknownTaskError, match="Did you mean 'fetch'"):
        Schedule(diamond()).start("fech")


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        pytest.param(plan(a="b", b="a"), CyclicPlanError, id="circle"),
        pytest.param(plan(a="a"), CyclicPlanError, id="itself"),
        pytest.param(plan(a="zzz"), PlanProblemsError, id="unknown-need"),
        pytest.param(
            PlanSpec(goal="g", tasks=plan(a="").tasks * 2), PlanProblemsError, id="twice"
        ),
    ],
)
def test_unsound_plan_is_not_scheduled(spec: PlanSpec, error: type[Exception]) -> None:
    with pytest.raises(error):
        Schedule(spec)


# --- retry ------------------------------------------------------------------------------


def test_retry_opens_what_was_cancelled() -> None:
    spec = plan(a="", b="", c="a", d="b")
    schedule = Schedule(spec)
    run(schedule, "b")
    failing(schedule, "a")
    schedule.cancel_rest()
    assert schedule.retry() == Consequence(readied=("a", "d"), pending=("c",))
    run(schedule, "a", "c", "d")
    assert schedule.is_done


def test_retry_of_one_leaves_other_failures() -> None:
    spec = plan(on_failure="skip", a="", b="", c="a", d="b", e="c d")
    schedule = Schedule(spec)
    failing(schedule, "a")
    failing(schedule, "b")
    assert schedule.retry(["a"]) == Consequence(readied=("a",), pending=("c",))
    run(schedule, "a", "c")
    assert schedule.is_done
    assert states(schedule, spec) == {
        "a": "succeeded",
        "b": "failed",
        "c": "succeeded",
        "d": "skipped",
        "e": "skipped",
    }


def test_retry_of_skipped_names_its_failed_need() -> None:
    spec = plan(on_failure="skip", a="", b="a")
    schedule = Schedule(spec)
    failing(schedule, "a")
    with pytest.raises(TransitionError, match="Retry 'a', which it needs, with it"):
        schedule.retry(["b"])
    assert schedule.retry(["b", "a"]) == Consequence(readied=("a",), pending=("b",))


def test_succeeded_task_is_never_retried() -> None:
    schedule = Schedule(plan(a=""))
    run(schedule, "a")
    with pytest.raises(TransitionError, match="Task a is succeeded; it cannot become ready"):
        schedule.retry(["a"])
    assert schedule.retry() == Consequence()


def test_retry_of_continued_failure_holds_ready_child() -> None:
    schedule = Schedule(plan(on_failure="continue", a="", b="a"))
    failing(schedule, "a")
    assert schedule.retry(["a"]) == Consequence(readied=("a",), pending=("b",))
    assert schedule.ready() == ["a"]


# --- restore ----------------------------------------------------------------------------


def test_restored_run_goes_on() -> None:
    spec = diamond()
    schedule = Schedule(spec)
    late = schedule.restore({"fetch": S.SUCCEEDED, "clean": S.RUNNING, "check": S.READY})
    assert late == Consequence()
    assert schedule.ready() == ["check"]
    schedule.succeed("clean")
    run(schedule, "check", "join")
    assert schedule.is_done


def test_restore_readies_what_was_late() -> None:
    schedule = Schedule(diamond())
    assert schedule.restore({"fetch": S.SUCCEEDED}).readied == ("clean", "check")


def test_restore_takes_what_waits_for_ready() -> None:
    schedule = Schedule(diamond())
    late = schedule.restore({"fetch": S.SUCCEEDED, "clean": S.WAITING, "check": S.READY})
    assert late == Consequence()
    assert schedule.ready() == ["clean", "check"]


def test_best_leaves_out_what_lacks_a_resource() -> None:
    spec = changed(plan(a="", b="", c=""), a={"resources": ("x", "y")}, b={"resources": ("y",)})
    schedule = Schedule(spec)
    assert schedule.best() == "a"
    assert schedule.best(lacking={"x"}) == "b"
    assert schedule.best(lacking={"y"}) == "c"
    assert schedule.best(lacking={"y"}, busy={""}) is None


def test_restore_does_not_trust_ready() -> None:
    spec = diamond()
    schedule = Schedule(spec)
    schedule.restore({"fetch": S.RUNNING, "clean": S.READY})
    assert schedule.state("clean") is S.PENDING


@pytest.mark.parametrize(
    ("on_failure", "late"),
    [
        pytest.param("stop", Consequence(stop=True), id="stop"),
        pytest.param("skip", Consequence(skipped=("clean", "check", "join")), id="skip"),
        pytest.param("continue", Consequence(readied=("clean", "check")), id="continue"),
    ],
)
def test_restore_catches_up_with_failure(on_failure: str, late: Consequence) -> None:
    assert Schedule(diamond(on_failure)).restore({"fetch": S.FAILED}) == late


@pytest.mark.parametrize(
    "state", [pytest.param(S.SKIPPED, id="skipped"), pytest.param(S.CANCELLED, id="cancelled")]
)
def test_restore_finishes_the_skipping(state: TaskState) -> None:
    assert Schedule(diamond()).restore({"fetch": state}).skipped == ("clean", "check", "join")


def test_restore_after_stop_leaves_rest_to_cancel() -> None:
    spec = plan(a="", b="", c="b")
    schedule = Schedule(spec)
    schedule.restore({"a": S.FAILED, "b": S.CANCELLED})
    assert schedule.cancel_rest() == ("c",)


def test_restore_of_other_plan_is_refused() -> None:
    with pytest.raises(UnknownTaskError, match="No task is called 'other'"):
        Schedule(diamond()).restore({"other": S.SUCCEEDED})


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(state, id=state.value)
        for state in (S.VERIFYING, S.STALLED, S.AWAITING_APPROVAL)
    ],
)
def test_task_under_way_may_end(state: TaskState) -> None:
    schedule = Schedule(plan(a="", b="a"))
    schedule.restore({"a": state})
    assert schedule.succeed("a").readied == ("b",)


def test_large_plan_is_scheduled_in_time() -> None:
    wide = 20_000
    needs = {f"t{n}": f"t{n - 100}" if n >= 100 else "" for n in range(wide)}
    schedule = Schedule(plan(**needs))
    while name := schedule.best():
        run(schedule, name)
    assert schedule.counts() == {S.SUCCEEDED: wide}


# --- tasks that ask a model ---------------------------------------------------------------


def test_task_that_would_ask_a_model_is_skipped_where_all_it_needs_has_failed() -> None:
    spec = plan(on_failure="continue", a="", b="", ask="a b", use="ask")
    schedule = Schedule(changed(spec, ask=ASKS))
    assert failing(schedule, "a") == Consequence()
    assert failing(schedule, "b") == Consequence(readied=("use",), skipped=("ask",))


def test_task_that_would_ask_a_model_goes_on_with_what_is_there() -> None:
    spec = plan(on_failure="continue", a="", b="", ask="a b")
    schedule = Schedule(changed(spec, ask=ASKS))
    failing(schedule, "a")
    run(schedule, "b")
    assert schedule.ready() == ["ask"]


def test_retry_of_what_had_nothing_to_ask_about_names_what_it_needs() -> None:
    schedule = Schedule(changed(plan(on_failure="continue", a="", ask="a"), ask=ASKS))
    failing(schedule, "a")
    with pytest.raises(TransitionError, match="Retry 'a', which it needs, with it"):
        schedule.retry(["ask"])
    assert schedule.retry() == Consequence(readied=("a",), pending=("ask",))


def test_restore_knows_what_had_nothing_to_ask_about_though_an_earlier_one_was_not_kept() -> (
    None
):
    needs = {"a": "", "ask": "a", "again": "a ask", "use": "a ask again"}
    spec = changed(plan(on_failure="continue", **needs), ask=ASKS, again=ASKS)
    late = Schedule(spec).restore({"a": S.FAILED, "again": S.SKIPPED})
    assert late == Consequence(readied=("use",), skipped=("ask",))
