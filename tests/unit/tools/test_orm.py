from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.model import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]

BASE = """
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

class Base(DeclarativeBase):
    metadata = MetaData()

class WithId:
    id: Mapped[int] = mapped_column(primary_key=True)

class User(WithId, Base):
    __tablename__ = "users"
    name: Mapped[str]
"""
DJANGO = "from django.db import models\n\nclass A(models.Model):\n"


def found(run: ToolRun) -> list[tuple[str, str]]:
    return [(finding.where, finding.rule) for finding in run.findings]


def with_model(body: str, bases: str = "Base") -> str:
    return f'{BASE}\nclass Post({bases}):\n    __tablename__ = "posts"\n{body}'


def test_clean_models_have_no_findings(ran: Ran) -> None:
    body = (
        "    id = Column(Integer, primary_key=True)\n"
        '    user_id = Column(ForeignKey("users.id"), index=True)\n'
        '    other_id: Mapped[int] = mapped_column(ForeignKey("users.id"))\n'
        '    __table_args__ = (Index("ix_other", "other_id"),)\n'
    )
    django = DJANGO + "    b = models.ForeignKey('B', on_delete=models.CASCADE)\n"

    run = ran("orm", {"a.py": with_model(body), "b.py": django})

    assert run.findings == ()
    assert run.facts["models"] == 3


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        pytest.param(
            with_model("    name: Mapped[str] = mapped_column()\n"),
            "model-without-key",
            id="no-key",
        ),
        pytest.param(
            with_model('    id = Column(ForeignKey("users.id"))\n', bases="WithId, Base"),
            "foreign-key-without-index",
            id="no-index",
        ),
        pytest.param(
            DJANGO + "    b = models.ForeignKey('B')\n", "missing-on-delete", id="django"
        ),
    ],
)
def test_each_problem_is_found(ran: Ran, code: str, rule: str) -> None:
    assert [each.rule for each in ran("orm", {"a.py": code}).findings] == [rule]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            with_model("    name: Mapped[str]\n", "Unknown"), id="base-from-elsewhere"
        ),
        pytest.param(with_model("    id: Mapped[intpk]\n"), id="annotated-key"),
        pytest.param(with_model("    id = make_key()\n"), id="column-by-a-call"),
        pytest.param(with_model("    __table__ = made\n"), id="table-of-its-own"),
        pytest.param(
            with_model('    __table_args__ = (PrimaryKeyConstraint("a"),)\n'), id="constraint"
        ),
    ],
)
def test_model_in_doubt_is_left_alone(ran: Ran, code: str) -> None:
    assert ran("orm", {"a.py": code}).findings == ()


def test_base_of_another_module_is_followed(ran: Ran) -> None:
    model = (
        "from sqlalchemy.orm import Mapped\nfrom base import Base\n"
        'class Post(Base):\n    __tablename__ = "posts"\n    name: Mapped[str]\n'
    )

    assert found(ran("orm", {"base.py": BASE, "post.py": model})) == [
        ("post.py:3", "model-without-key")
    ]


def test_tree_without_models_has_nothing_to_check(ran: Ran) -> None:
    assert ran("orm", {"a.py": "import sqlalchemy\n"}).status is RunStatus.NOTHING_TO_CHECK


def test_hostile_module_is_counted(ran: Ran) -> None:
    nested = "import sqlalchemy\n" + "(" * 5_000

    run = ran("orm", {"a.py": BASE, "b.py": nested, "c.py": b"\0sqlalchemy"})

    assert run.facts["skipped_files"] == 2
