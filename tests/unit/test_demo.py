from __future__ import annotations

from typing import Any

from tools.demo import table


def test_demo_tells_the_time_of_the_mission_in_the_words_of_its_views() -> None:
    outcome: dict[str, Any] = {
        "mission": "m-1",
        "status": "succeeded",
        "took_s": 119.2,
        "findings": [{"agent": "qa-engineer", "severity": "high"}],
        "tasks": [{"agent": "qa-engineer", "status": "succeeded", "outcome": "findings"}],
    }
    first, *_ = table(outcome).splitlines()
    assert first == "Mission m-1 succeeded after 1 min 59 s. Findings:"
