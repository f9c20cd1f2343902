"""What a good model could say in notebooks 04 and 05, written by hand: no model has said it.

By notebook and conversation, in turn. Whoever changes one runs ``python -m
tools.record_cassettes``; whoever changes the project that they are about checks that they
still say what is so.
"""

from __future__ import annotations

import json
from typing import Any, Final

from tests.model_server import Call, Reply

Answer = Reply | str | dict[str, Any]
"""A reply, a text, or JSON."""


def _calls(*calls: tuple[str, dict[str, Any]], text: str = "") -> Reply:
    """Call tools; ids are unique in a conversation, as those of servers are."""
    made = [
        Call(name, json.dumps(given), f"call_{name}_{number}")
        for number, (name, given) in enumerate(calls, start=1)
    ]
    return Reply(text=text, calls=tuple(made))


_TIDE_PLAN: Final = {
    "tasks": [
        {
            "name": "trace-reading",
            "goal": (
                "Find out what tide_gauge does with lines that cannot be read, from the text "
                "of a file to highest and mean_level. Run ruff over it. Name each place where "
                "a reading is lost, or where a wrong one gets through, with file and line."
            ),
            "agent": "backend-specialist",
            "needs": [],
            "tools": ["outline-file", "read-file", "search-files", "ruff"],
            "check": "Each file of tide_gauge/ was read, and ruff has run.",
            "returns": "report",
            "seconds": 40,
            "tokens": 9000,
            "scope": ["tide_gauge"],
        },
        {
            "name": "look-at-tests",
            "goal": (
                "Say which of these the tests hold, without running them: a line that can be "
                "read, one that cannot, an empty file, a level that is no number. Name what "
                "is missing, and which mistake each missing test would catch."
            ),
            "agent": "qa-engineer",
            "needs": [],
            "tools": ["list-files", "read-file", "search-files"],
            "check": "Every file of tests/ was read.",
            "returns": "report",
            "seconds": 25,
            "tokens": 5000,
            "scope": [],
        },
        {
            "name": "advise",
            "goal": (
                "Answer in a few sentences what happens to readings that cannot be read. Then "
                "name the one change to make first, with the lines it touches, why it comes "
                "first, and the test that would hold it; and what comes after it."
            ),
            "agent": "project-strategist",
            "needs": ["trace-reading", "look-at-tests"],
            "tools": ["read-file"],
            "check": "It names one first change, with file and line.",
            "returns": "text",
            "seconds": 20,
            "tokens": 5000,
            "scope": [],
        },
    ],
    "result": "advise",
    "notes": ["The tests are read and not run, as you asked."],
}

_TIDE: Final[dict[str, tuple[Answer, ...]]] = {
    "plan": (_TIDE_PLAN,),
    "trace-reading": (
        _calls(
            ("outline-file", {"path": "tide_gauge/reading.py"}),
            ("outline-file", {"path": "tide_gauge/report.py"}),
            ("ruff", {}),
            text="I look at what there is, and let ruff go over it.",
        ),
        _calls(
            ("read-file", {"path": "tide_gauge/reading.py"}),
            ("read-file", {"path": "tide_gauge/report.py"}),
            ("search-files", {"text": "except", "glob": "*.py"}),
            text="Lines are read in one function. I read it, and those that use its readings.",
        ),
        {
            "summary": (
                "read() splits each line in two and makes a Reading of it. Whatever goes "
                "wrong there is caught by a bare except and passed over, so the line is gone: "
                "nothing counts it, and the caller gets a shorter list that looks whole. "
                "Levels that float() takes but that are no level, such as nan, get through."
            ),
            "claims": [
                {
                    "file": "tide_gauge/reading.py",
                    "line": 23,
                    "severity": "high",
                    "message": (
                        "A line that cannot be read is dropped without a trace. The caller "
                        "cannot tell a quiet sea from a broken gauge. Return how many lines "
                        "were left out, or raise with the line's number."
                    ),
                },
                {
                    "file": "tide_gauge/reading.py",
                    "line": 21,
                    "severity": "medium",
                    "message": (
                        "float() takes 'nan' and 'inf', so these become readings. If nan "
                        "comes first, highest() returns it whatever follows, and mean_level() "
                        "is nan. Refuse levels that are not finite."
                    ),
                },
                {
                    "file": "tide_gauge/report.py",
                    "line": 6,
                    "severity": "medium",
                    "message": (
                        "If no line could be read the list is empty, and highest() fails with "
                        "IndexError, far from the cause."
                    ),
                },
                {
                    "file": "tide_gauge/report.py",
                    "line": 16,
                    "severity": "medium",
                    "message": "For the same reason mean_level() fails with ZeroDivisionError.",
                },
            ],
        },
    ),
    "look-at-tests": (
        _calls(
            ("list-files", {"folder": "tests"}),
            ("search-files", {"text": "def test_", "glob": "tests/*.py"}),
        ),
        _calls(("read-file", {"path": "tests/test_reading.py"})),
        {
            "summary": (
                "There is one test, of one line that can be read. Not held are a line that "
                "cannot be read, an empty file, and a level that is no number; highest() and "
                "mean_level() have no test at all."
            ),
            "claims": [
                {
                    "file": "tests/test_reading.py",
                    "line": 4,
                    "severity": "medium",
                    "message": (
                        "The only test reads a good line. One with a bad line between two "
                        "good ones would catch that readings are lost without a word."
                    ),
                }
            ],
        },
    ),
    "advise": (
        _calls(("read-file", {"path": "tide_gauge/reading.py", "first_line": 15})),
        (
            "They vanish. read() catches everything that goes wrong with a line "
            "(tide_gauge/reading.py:22) and passes over it, so the caller gets a shorter list "
            "and no sign that something is missing.\n"
            "\n"
            "Change first: tide_gauge/reading.py, lines 19 to 23. Catch ValueError only, and "
            "keep the numbers of the lines that were left out, so that read() can return them "
            "beside the readings. It comes first because every other figure rests on it: a "
            "maximum over half of the readings looks like any other. Test: a bad line between "
            "two good ones gives two readings and the number 2.\n"
            "\n"
            "After that: refuse levels that are not finite, in the same place, because a "
            "leading nan hides the highest water; and let highest() and mean_level() say that "
            "there are no readings (tide_gauge/report.py:6 and 16)."
        ),
    ),
}

_LOANS_PLAN: Final = {
    "tasks": [
        {
            "name": "find-signs",
            "goal": (
                "Find out which columns of loans go with late returns, and which of them are "
                "known when something is lent. Read README.md for the latter. Ask late_by for "
                "each column that it takes. Answer with an object: late_by, the shares that "
                "you were told; use, the columns that help; leave_out, a reason by column."
            ),
            "agent": "database-architect",
            "needs": [],
            "tools": ["read-file", "inspect-variable", "late_by"],
            "check": "Each column of loans is in use or in leave_out.",
            "returns": "json",
            "seconds": 30,
            "tokens": 8000,
            "scope": [],
            "variables": ["days_allowed", "loans"],
        },
        {
            "name": "make-features",
            "goal": (
                "Make the features with make_features, of the columns that find-signs says to "
                "use. Look at what comes back: there has to be one row for each reader."
            ),
            "agent": "database-architect",
            "needs": ["find-signs"],
            "tools": ["make_features"],
            "check": "One row for each reader, and no column that is known only afterwards.",
            "returns": "value",
            "seconds": 15,
            "tokens": 5000,
            "scope": [],
            "variables": [],
        },
    ],
    "result": "make-features",
    "notes": ["The features are made by your own function make_features, in this notebook."],
}

_LOANS: Final[dict[str, tuple[Answer, ...]]] = {
    "plan": (_LOANS_PLAN,),
    "find-signs": (
        _calls(
            ("read-file", {"path": "README.md"}),
            ("inspect-variable", {"name": "loans", "part": "column", "column": "days_kept"}),
        ),
        _calls(
            ("late_by", {"column": "kind"}),
            ("late_by", {"column": "branch"}),
            ("late_by", {"column": "first_loan"}),
            text="days_kept is known when a thing is back. Three columns are left to ask for.",
        ),
        {
            "answer": {
                "late_by": {
                    "kind": {"atlas": 0.0, "comic": 0.489, "film": 0.767, "novel": 0.167},
                    "branch": {"harbour": 0.358, "hill": 0.358, "market": 0.35},
                    "first_loan": {"True": 0.325, "False": 0.359},
                },
                "use": ["kind"],
                "leave_out": {
                    "email": "names a reader, and says nothing of the next one",
                    "branch": "the same share everywhere, 0.35 to 0.36",
                    "first_loan": "0.33 and 0.36 are too close to tell anything",
                    "days_kept": "known only when it is back, and late is made of it",
                    "late": "what the features are to tell",
                },
            }
        },
    ),
    "make-features": (
        _calls(("make_features", {"columns": ["kind"]})),
        {"result": 1},
    ),
}

ANSWERS: Final[dict[str, dict[str, tuple[Answer, ...]]]] = {
    "04-a-crew-with-a-model": _TIDE,
    "05-your-data-their-questions": _LOANS,
}
