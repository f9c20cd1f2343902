"""How much of a variable a model may see, as a person writes it."""

from __future__ import annotations

import pytest

from hypernb.errors import UnknownNameError, UsageError
from hypernb.model import Grant
from hypernb.session._seeing import grants, refuse_with_playbook


@pytest.mark.parametrize(
    ("said", "grant"),
    [
        pytest.param("schema", Grant(see="schema", rows=0), id="schema"),
        pytest.param("sample", Grant(), id="sample"),
        pytest.param("sample:10", Grant(rows=10), id="rows"),
        pytest.param("all", Grant(see="all"), id="all"),
    ],
)
def test_words_become_grants_that_cover_secrets(said: str, grant: Grant) -> None:
    made = grants({"df": said}, {"df": 1})["df"]
    assert made == grant
    assert made.redact


@pytest.mark.parametrize("said", ["rows", "sample:", "sample:-1", "sample:1001", ""])
def test_other_words_are_refused_with_those_that_there_are(said: str) -> None:
    with pytest.raises(UsageError, match="Write df=schema"):
        grants({"df": said}, {"df": 1})


def test_variable_has_to_be_handed_in() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'df'"):
        grants({"dff": "all"}, {"df": 1})


def test_playbook_says_itself_what_its_tasks_use() -> None:
    refuse_with_playbook("repo-audit", model="", see=None, tools=())
    with pytest.raises(UsageError, match="so model has no meaning"):
        refuse_with_playbook("repo-audit", model="big", see=None, tools=())
