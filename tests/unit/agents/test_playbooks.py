from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import hypernb
from hypernb.agents import Playbook, _playbook, load_playbooks, playbook
from hypernb.errors import PlanError, UnknownNameError, UsageError
from hypernb.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_playbook, "_registered", {})


def example(  # noqa: PLR0913  one of each kind
    path: Path = Path("data"),
    count: int = 3,
    *,
    share: float = 0.5,
    tests: bool = True,
    quick: bool = False,
    only: tuple[str, ...] = (),
    rows: Any = None,
) -> Plan:
    """Do as an example.

    Longer text.

    Args:
        path: Where to look,
            in two lines.
        count: How many.
    """
    words = f"{path} {count} {share} {tests} {quick} {only} {type(rows).__name__}"
    return Plan("Example", notes=(words,)).add("one", len, "abc")


def registered(function: Callable[..., Plan] = example, name: str = "example") -> Playbook:
    playbook(name=name)(function)
    return load_playbooks()[name]


def test_decorator_registers_under_dashed_name() -> None:
    @hypernb.playbook
    def count_words(text: str) -> Plan:
        """Count the words."""
        return Plan(text).add("one", len, text)

    found = load_playbooks()["count-words"]
    assert (found.title, found.source) == ("Count the words", "defined here")
    assert count_words("abc").goal == "abc"


def test_defining_again_replaces() -> None:
    registered()
    again = registered(lambda: Plan("other").add("one", len, "a"))
    assert again.build().goal == "other"


def test_built_in_name_is_refused() -> None:
    with pytest.raises(UsageError, match="'repo-audit' is built in"):
        registered(name="repo-audit")


def test_star_arguments_are_refused() -> None:
    with pytest.raises(UsageError, match=r"has the parameter \*\*rest"):
        registered(lambda **rest: Plan("x"))  # noqa: ARG005 - the signature is what is tested


def test_usage_comes_from_the_signature() -> None:
    assert registered().usage == (
        "example [PATH] [COUNT] [--share X] [--no-tests] [--quick] [--only A,B] [--in rows]"
    )


def test_help_comes_from_the_docstring() -> None:
    said = {each.name: each.help for each in registered().parameters}
    assert said["path"] == "Where to look, in two lines."
    assert said["count"] == "How many."


@pytest.mark.parametrize(
    ("words", "bound"),
    [
        pytest.param([], {}, id="nothing"),
        pytest.param(["src", "7"], {"path": Path("src"), "count": 7}, id="positional"),
        pytest.param(["--count", "7"], {"count": 7}, id="two-words"),
        pytest.param(["--count=-7"], {"count": -7}, id="one-word"),
        pytest.param(["--count", "-7"], {"count": -7}, id="negative"),
        pytest.param(["--path=x", "9"], {"path": Path("x"), "count": 9}, id="mixed"),
        pytest.param(["--no-tests", "--quick"], {"tests": False, "quick": True}, id="flags"),
        pytest.param(["--tests=no"], {"tests": False}, id="flag-with-word"),
        pytest.param(["--no-tests=no"], {"tests": True}, id="double-no"),
        pytest.param(["--only", "a, b,"], {"only": ("a", "b")}, id="names"),
        pytest.param(["--", "--odd"], {"path": Path("--odd")}, id="after-dashes"),
        pytest.param(["--share=a=b"], None, id="equals-in-value"),
    ],
)
def test_words_are_bound(words: list[str], bound: dict[str, Any] | None) -> None:
    if bound is None:
        with pytest.raises(UsageError, match="share of playbook example has to be a number"):
            registered().bind(words)
    else:
        assert registered().bind(words) == bound


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--no-test"], "Did you mean '--no-tests'", id="near-miss"),
        pytest.param(
            ["--bogus"], "No flag is called '--bogus'. .*Usage: example", id="unknown"
        ),
        pytest.param(["-x"], "No flag is called '-x'", id="short"),
        pytest.param(["a", "1", "b"], "place for 'b'. Usage: example", id="too-many"),
        pytest.param(["--count"], "--count of playbook example needs a value", id="no-value"),
        pytest.param(["--count", "--quick"], "needs a value", id="flag-for-value"),
        pytest.param(["--count=x"], "count .* has to be a whole number, not 'x'", id="kind"),
        pytest.param(["--quick=perhaps"], "has to be yes or no", id="yes-or-no"),
        pytest.param(["--tests", "--no-tests"], "twice: True and False. Leave", id="twice"),
        pytest.param(["--rows=df"], "Hand it in with --in rows", id="value-as-word"),
        pytest.param(["a\0b"], "has to be a path", id="null"),
    ],
)
def test_words_without_meaning_are_refused(words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        registered().bind(words)


def test_plan_records_where_it_comes_from(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1]})
    plan = registered().build(root=tmp_path, inputs={"rows": frame}, count="4")
    spec, _ = plan.build()
    assert (spec.playbook, spec.planned_by) == ("example", "playbook example")
    assert spec.params["path"] == str(tmp_path / "data")
    assert (spec.params["count"], spec.params["rows"]) == (4, "<DataFrame>")


def test_values_reach_the_function(tmp_path: Path) -> None:
    plan = registered().build(root=tmp_path, inputs={"rows": pd.DataFrame()}, only=["a"])
    assert plan.notes == (f"{tmp_path / 'data'} 3 0.5 True False ('a',) DataFrame",)


def test_root_and_inputs_are_handed_in(tmp_path: Path) -> None:
    def given(*, root: Path, inputs: dict[str, Any]) -> Plan:
        return Plan(f"{root} {sorted(inputs)}").add("one", len, "a")

    found = registered(given)
    assert found.parameters == ()
    assert found.build(root=tmp_path, inputs={"b": 1, "a": 2}).goal == f"{tmp_path} ['a', 'b']"


@pytest.mark.parametrize(
    ("params", "error", "said"),
    [
        pytest.param({"cuont": 1}, UnknownNameError, "Did you mean 'count'", id="near-miss"),
        pytest.param({"count": True}, UsageError, "whole number, not True", id="bool"),
        pytest.param({"only": [3]}, UsageError, "names, separated by commas", id="names"),
        pytest.param({"inputs": {"x": 1}}, UsageError, "takes no value 'x'", id="input"),
    ],
)
def test_wrong_values_are_refused(
    params: dict[str, Any], error: type[UsageError], said: str
) -> None:
    with pytest.raises(error, match=said):
        registered().build(**params)


def test_required_parameter_is_asked_for() -> None:
    def needs(text: str) -> Plan:
        return Plan(text)

    with pytest.raises(UsageError, match=r"needs text\. Usage: example TEXT"):
        registered(needs).build()


def test_function_without_a_plan_is_named() -> None:
    with pytest.raises(PlanError, match="'example' returned int, not a Plan"):
        registered(lambda: 3).build()  # type: ignore[arg-type, return-value]


def test_unresolvable_annotation_hides_nothing() -> None:
    def odd(count: int, other: Missing) -> Plan:  # type: ignore[name-defined] # noqa: F821
        return Plan(f"{count} {other}")

    kinds = {each.name: each.kind for each in registered(odd).parameters}
    assert kinds == {"count": "integer", "other": "value"}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package with one good and one broken playbook."""
    (tmp_path / "good_playbooks.py").write_text(
        "import hypernb\n\n@hypernb.playbook\ndef theirs():\n    'Do theirs.'\n"
        "    return hypernb.Plan('Theirs').add('one', len, 'a')\n"
    )
    (tmp_path / "bad_playbooks.py").write_text("raise OSError('no disk')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for module in ("good_playbooks", "bad_playbooks"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    found = [
        EntryPoint("nightly", "good_playbooks:theirs", _playbook.GROUP),
        EntryPoint("broken", "bad_playbooks:nothing", _playbook.GROUP),
    ]
    monkeypatch.setattr(_playbook, "entry_points", lambda group: found if group else [])


@pytest.mark.usefixtures("installed")
def test_installed_playbook_is_listed_once() -> None:
    assert [*load_playbooks()] == ["broken", "data-profile", "nightly", "repo-audit"]
    assert load_playbooks()["nightly"].build().goal == "Theirs"


@pytest.mark.usefixtures("installed")
def test_broken_package_is_named_not_fatal() -> None:
    broken = load_playbooks()["broken"]
    assert broken.problem == "an installed package: OSError: no disk"
    with pytest.raises(UsageError, match=r"'broken' cannot be used: .*no disk"):
        broken.build()
