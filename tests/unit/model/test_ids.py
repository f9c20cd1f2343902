"""Ids sort by time inside and read well outside."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hypernb.model import MissionId, MissionRecord, MissionState, new_id, parse_ref, short_id


def test_ids_are_unique_ulids() -> None:
    ids = {new_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert {len(one) for one in ids} == {26}


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        pytest.param("m-7", (7, None), id="mission"),
        pytest.param(" m-7\n", (7, None), id="white-space-around"),
        pytest.param("m-7/t3", (7, "t3"), id="task-by-number"),
        pytest.param("m-7/load rows: ä/b", (7, "load rows: ä/b"), id="task-by-any-name"),
        pytest.param("m-7/", None, id="no-task"),
        pytest.param("m-", None, id="no-number"),
        pytest.param("m-7x", None, id="tail"),
        pytest.param("M-7", None, id="capital"),
        pytest.param("m--7", None, id="negative"),
        pytest.param("m-" + "9" * 19, None, id="beyond-64-bits"),
        pytest.param("", None, id="empty"),
    ],
)
def test_reference_is_read(text: str, ref: tuple[int, str | None] | None) -> None:
    assert parse_ref(text) == ref


def test_short_id_is_read_back() -> None:
    assert parse_ref(short_id(12)) == (12, None)


def test_mission_knows_its_short_id() -> None:
    mission = MissionRecord(
        id=MissionId(new_id()),
        number=7,
        goal="g",
        state=MissionState.RUNNING,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert mission.short_id == "m-7"
