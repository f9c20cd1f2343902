"""Plans of one's own that ask a model: what the settings say holds for them too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import hypernb
from hypernb.errors import ConfigError, PathError
from hypernb.model import ModelSpec

if TYPE_CHECKING:
    from pathlib import Path

    from hypernb.model import PlanSpec
    from hypernb.session import Session

TAPE = ".hypernb/cassettes/write-it-down.jsonl"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONTENT", "CACHE_S", "MODE", "MODEL"):
        monkeypatch.delenv(f"HYPERNB_{name}", raising=False)


def asking() -> hypernb.Plan:
    model = ModelSpec(name="scripted", base_url="http://localhost:9/v1")
    plan = hypernb.Plan("Write it down", models={"default": model})
    return plan.add("write", agent="docs-writer", model="default", returns="text")


def built(session: Session, plan: hypernb.Plan) -> PlanSpec:
    return session.build(plan)[0]


def test_plan_of_ones_own_is_replayed_where_the_mode_says_so(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_MODE", "replay")
    with pytest.raises(PathError, match="nothing can be answered from it"):
        built(session, asking())
    tape = tmp_path / TAPE
    tape.parent.mkdir(parents=True)
    tape.touch()
    assert built(session, asking()).cassette == f"replay:{tape}"
    recording = asking()
    recording.cassette = f"record:{tape}"
    assert built(session, recording).cassette == f"replay:{tape}"


def test_plan_of_ones_own_is_recorded_where_the_mode_says_so(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_MODE", "record")
    assert built(session, asking()).cassette == f"record:{tmp_path / TAPE}"


def test_plan_of_ones_own_is_refused_where_no_model_is_asked(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_MODE", "offline")
    with pytest.raises(ConfigError, match="HYPERNB_MODE says offline"):
        built(session, asking())


def test_what_is_kept_of_a_plan_of_ones_own_is_what_the_settings_say_unless_it_says_so_itself(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_CONTENT", "none")
    monkeypatch.setenv("HYPERNB_CACHE_S", "60")
    assert (built(session, asking()).content, built(session, asking()).cache_s) == ("none", 60)
    plan = asking()
    plan.content, plan.cache_s = "full", 0.0
    assert (built(session, plan).content, built(session, plan).cache_s) == ("full", 0)


def test_mode_without_a_meaning_is_refused(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_MODE", "reply")
    with pytest.raises(ConfigError, match="Did you mean 'replay'"):
        built(session, asking())


def test_plan_without_a_model_is_the_same_whatever_is_set_of_models(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = hypernb.Plan("Add up").add("add", sum, [1, 2])
    before = built(session, plan).hash
    monkeypatch.setenv("HYPERNB_CONTENT", "none")
    monkeypatch.setenv("HYPERNB_MODE", "replay")
    assert built(session, plan).hash == before
