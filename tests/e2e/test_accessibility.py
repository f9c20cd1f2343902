"""axe finds nothing in any view in any state, light and dark, narrow and wide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.conftest import watch_for_problems
from tests.e2e.looks import Look, problems_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.e2e.browser import Chrome

# Two cores are kept busy by so many: one page is drawn while others are checked.
PAGES: Final = 3
STEP_WITHIN_MS: Final = 15_000
BEFORE: Final = ("planning", "awaiting_approval", "rejected")
BEGUN: Final = ("running", "paused", "succeeded", "failed", "cancelled")
PARTS: Final = ("plan", "graph", "board", "feed", "timeline", "result")
EDITS: Final = ("press Edit", "press audit-auth", "fill Goal: Read all of it")

SEARCH: Final = ("fill Words in a mission, or m-7: m-3", "tick Compare m-3")
COMPARE: Final = ("tick Compare m-130", "tick Compare m-129", "press Compare m-")

LOOKS: Final = {
    "mission": [Look(f"view=mission&state={state}") for state in (*BEFORE, *BEGUN)],
    **{
        f"tab-{tab}": [
            Look(f"view=mission&tab={tab}&state={state}") for state in ("running", "failed")
        ]
        for tab in PARTS
    },
    **{
        part: [Look(f"view={part}&state={state}") for state in (*BEFORE, *BEGUN)]
        for part in PARTS
    },
    "missions": [
        Look("view=history"),
        Look("view=history", ("press Open",), "opened"),
        Look("view=history", SEARCH, "found"),
        Look("view=history", COMPARE, "compared"),
        Look("view=hyper_board"),
        Look("view=hyper_board", ("press Open",), "opened"),
    ],
    "task": [
        *(
            Look(f"view=mission&tab=graph&state={state}&task={task}")
            for state in ("running", "failed")
            for task in ("audit-ui", "audit-auth")
        ),
        Look("view=graph&state=running&task=audit-auth"),
    ],
    "focus": [
        Look(f"view=mission&state={state}&task=audit-ui", ("press Focus",), "focus")
        for state in ("running", "paused")
    ],
    "edits": [
        Look("view=mission&state=awaiting_approval", ("press Edit",), "edit"),
        Look("view=mission&state=awaiting_approval", EDITS, "problems"),
        Look("view=plan&state=awaiting_approval", (*EDITS, "press Add a task"), "added"),
        Look("view=mission&state=awaiting_approval", ("press Reject",), "reject"),
        Look("view=mission&state=running", ("press Cancel mission",), "cancel"),
    ],
    "ended": [
        Look(f"view={view}&state=running&end={end}")
        for view in ("mission", *PARTS, "history", "hyper_board")
        for end in ("stale", "closed")
    ],
    "hard": [
        *(
            Look(f"view={view}&state={state}&text={text}")
            for text in ("hostile", "large")
            for view, state in (
                ("mission", "running"),
                ("plan", "awaiting_approval"),
                ("board", "running"),
                ("timeline", "running"),
                ("result", "succeeded"),
            )
        ),
    ],
    "contrast": [
        Look(f"view={view}&state={state}&density=compact&theme=contrast")
        for view, state in (
            *(("mission", state) for state in (*BEFORE, *BEGUN)),
            *((part, "running") for part in PARTS),
            ("plan", "awaiting_approval"),
            ("result", "succeeded"),
            ("history", "running"),
            ("hyper_board", "running"),
        )
    ],
}


@pytest.fixture
def pages(chrome: Chrome) -> Iterator[list[Page]]:
    # A context each, or they would share one process.
    made = [chrome.context(reduced_motion="reduce").new_page() for _ in range(PAGES)]
    problems = [watch_for_problems(page) for page in made]
    for page in made:
        page.set_default_timeout(STEP_WITHIN_MS)
    yield made
    assert not any(problems), problems


@pytest.mark.parametrize("views", LOOKS)
def test_no_violation_in_any_state(pages: list[Page], views: str) -> None:
    assert problems_of(pages, LOOKS[views]) == []
