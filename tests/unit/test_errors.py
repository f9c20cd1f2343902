"""Every error says what and what next, also after a journey between processes."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
import re
import typing
from collections import Counter
from typing import Any

import pytest

from hypernb import errors
from hypernb.errors import (
    CyclicPlanError,
    HypernbError,
    MissionError,
    ModelRefusedError,
    NotFinishedError,
    PlanProblemsError,
    TransitionError,
    UnknownNameError,
    UsageError,
    WorkerLostError,
    nearest,
)

SAMPLES: dict[str, Any] = {
    "str": "rows",
    "int": 3,
    "int | None": 3,
    "float": 1.5,
    "float | None": 20.0,
    "Collection[str]": ["rows", "runs"],
    "Iterable[str]": ["rows", "runs"],
    "Sequence[str]": ["rows", "runs"],
    "Sequence[str | PlanProblem]": ["rows", "runs"],
    "Mapping[str, str]": {"ruff": "it is not installed."},
    "Mapping[str, int]": {"rows": 1200, "runs": 3},
}


def subclasses(cls: type[HypernbError]) -> list[type[HypernbError]]:
    below = [one for sub in cls.__subclasses__() for one in subclasses(sub)]
    return [cls, *below]


ALL = sorted(
    {cls for cls in subclasses(HypernbError) if cls.__module__ == errors.__name__},
    key=lambda cls: cls.__name__,
)


def example(cls: type[HypernbError]) -> HypernbError:
    """Build an error from a sample of each parameter's type, all optional ones given."""
    parameters = list(inspect.signature(cls).parameters.values())
    named = {
        each.name: SAMPLES[str(each.annotation)]
        for each in parameters
        if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    }
    return cls(**named)


each_class = pytest.mark.parametrize("cls", [pytest.param(cls, id=cls.__name__) for cls in ALL])


@each_class
@pytest.mark.parametrize("protocol", [pytest.param(0, id="text"), pytest.param(5, id="binary")])
def test_error_survives_pickling(cls: type[HypernbError], protocol: int) -> None:
    error = example(cls)
    returned = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301  our own bytes
    assert type(returned) is cls
    assert (str(returned), vars(returned)) == (str(error), vars(error))
    assert returned.args == error.args


@each_class
def test_error_survives_copying(cls: type[HypernbError]) -> None:
    error = example(cls)
    assert str(copy.copy(error)) == str(copy.deepcopy(error)) == str(error)


@each_class
def test_error_is_one_line_of_plain_words(
    cls: type[HypernbError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())  # what a notebook has is no terminal
    (line,) = example(cls)._render_traceback_()
    assert line.startswith(f"{cls.__name__}: ")
    assert "\n" not in line
    assert not re.search(r"\b([Ii]nvalid|[Pp]lease|Oops|Error:)", line.partition(": ")[2])


@each_class
def test_error_keeps_its_facts(cls: type[HypernbError]) -> None:
    attributes = (cls.__doc__ or "").partition("Attributes:")[2]
    documented = re.findall(r"^ {8}(\w+):", attributes, re.MULTILINE)
    error = example(cls)
    assert all(hasattr(error, name) for name in documented)


def test_codes_are_told_apart() -> None:
    twice = [code for code, count in Counter(cls.code for cls in ALL).items() if count > 1]
    assert twice == []
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", cls.code) for cls in ALL)


def test_hint_follows_the_message() -> None:
    error = UsageError("There is no verb 'rum'.", hint="Did you mean 'run'?")
    assert str(error) == "There is no verb 'rum'. Did you mean 'run'?"
    assert error.hint == "Did you mean 'run'?"


def test_error_without_hint_has_no_tail() -> None:
    assert str(UsageError("There is no verb.")) == "There is no verb."


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        pytest.param("rum", ["run", "stop"], "Did you mean 'run'?", id="near"),
        pytest.param(
            "task-1",
            ["task-10", "task-11", "x"],
            "Did you mean 'task-11' or 'task-10'?",
            id="two",
        ),
        pytest.param("zzz", ["stop", "run"], "Known: 'run', 'stop'.", id="few-known"),
        pytest.param("zzz", map(str, range(11)), "", id="many-known"),
        pytest.param("zzz", [], "", id="none-known"),
        pytest.param("", ["run"], "Known: 'run'.", id="no-word"),
        pytest.param("fork", ["resume", "rewind"], "Did you mean 'rewind'?", id="synonym"),
        pytest.param("fork", ["run"], "Known: 'run'.", id="synonym-of-nothing-here"),
    ],
)
def test_nearest_names_are_offered(word: str, known: typing.Iterable[str], said: str) -> None:
    assert nearest(word, known) == said


def test_long_name_is_cut_in_message() -> None:
    assert len(str(UnknownNameError("verb", "x" * 10_000))) < 300


def test_short_circle_is_shown_whole() -> None:
    error = CyclicPlanError(["clean", "train"])
    assert str(error) == (
        "The plan can never finish: clean -> train -> clean. "
        "Remove 'train' from the needs of 'clean', or split one of them."
    )


def test_long_circle_is_shown_shortened() -> None:
    error = CyclicPlanError([f"t{number}" for number in range(1_000)])
    assert "t14 -> (970 more) -> t985" in str(error)
    assert len(error.cycle) == 1_000


@pytest.mark.parametrize(
    ("problems", "said"),
    [
        pytest.param(["A."], "A.", id="one"),
        pytest.param(["A.", "B."], "A. And 1 more problem.", id="two"),
        pytest.param(["A.", "B.", "C."], "A. And 2 more problems.", id="three"),
    ],
)
def test_problems_are_counted(problems: list[str], said: str) -> None:
    assert str(PlanProblemsError(problems)) == said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(
            MissionError("m-7", "failed", "task 'a' raised"),
            "Mission m-7 failed: task 'a' raised. %hyper show m-7 shows what happened.",
            id="failed",
        ),
        pytest.param(
            MissionError("m-7", "cancelled"),
            "Mission m-7 was cancelled. %hyper show m-7 shows what happened.",
            id="cancelled",
        ),
        pytest.param(
            NotFinishedError("m-7", "awaiting_approval"),
            "Mission m-7 has no result yet: it is awaiting approval. "
            "%hyper approve m-7 starts it.",
            id="awaiting-approval",
        ),
        pytest.param(
            NotFinishedError("m-7", "running"),
            "Mission m-7 has no result yet: it is running. %hyper wait m-7 waits for it.",
            id="running",
        ),
        pytest.param(
            NotFinishedError("m-7/clean", "failed"),
            "Task m-7/clean has no result: it is failed. %hyper show m-7 says why.",
            id="failed-task",
        ),
        pytest.param(
            TransitionError("task", "clean", "awaiting_approval", "succeeded"),
            "Task clean is awaiting approval; it cannot become succeeded.",
            id="transition",
        ),
        pytest.param(
            TransitionError("mission", "m-7", "running", "running"),
            "Mission m-7 is running already.",
            id="transition-to-itself",
        ),
        pytest.param(
            WorkerLostError("clean", None),
            "Task 'clean' raised WorkerLost: its process ended before the task was done",
            id="worker-lost",
        ),
    ],
)
def test_words_fit_the_state(error: HypernbError, said: str) -> None:
    assert str(error) == said


def test_words_of_a_server_end_a_sentence_with_one_full_stop() -> None:
    said = str(
        ModelRefusedError("small", "api.example", "is not there: No access.", status=404)
    )
    assert said == "small at api.example is not there: No access."


def test_words_of_strangers_in_an_error_are_not_obeyed_by_a_terminal() -> None:
    error = UsageError("bad \x1b]0;PWNED\x07\x1b[2J\u202e\x9b31m\ud800", hint="Leave it.")
    (shown,) = error._render_traceback_()
    assert all(each.isprintable() for each in shown)
    assert shown.endswith("Leave it.")


def test_error_is_broken_between_words_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", "30")
    error = UsageError("Nothing of it can be understood at all.", hint="Write less.")
    lines = error._render_traceback_()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 30
    assert " ".join(lines) == f"UsageError: {error}"
