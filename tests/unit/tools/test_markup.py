from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.model import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]

CLEAN = """<!doctype html>
<html lang="en">
<head><title>Fine</title></head>
<body>
<img src="a.png" alt="A hill"><img src="line.png" alt="">
<label for="name">Name</label><input id="name">
<label>Age <input type="number"></label>
<input type="hidden" name="token"><input type="submit" value="Send">
<select aria-label="Country"><option>NL</option></select>
<a href="b.html">Next</a> <a href="c.html"><img src="c.png" alt="Home"></a>
<a href="https://x.example" target="_blank" rel="noopener">Out</a>
<svg><title>Chart</title></svg>
</body></html>
"""


def page(body: str, head: str = "<title>T</title>", html: str = '<html lang="en">') -> str:
    return f"<!doctype html>\n{html}<head>{head}</head>\n<body>\n{body}\n</body></html>"


def rules(run: ToolRun) -> list[tuple[str, int]]:
    return [(found.rule, found.line) for found in run.findings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(page('<img src="a.png">'), [("image-without-alt", 4)], id="no-alt"),
        pytest.param(page("", html="<html>"), [("html-without-lang", 2)], id="no-lang"),
        pytest.param(page("", head=""), [("page-without-title", 2)], id="no-title"),
        pytest.param(
            page('<p id="a">x</p>\n<p id="a">y</p>'), [("duplicate-id", 5)], id="same-id"
        ),
        pytest.param(page('<input name="q">'), [("control-without-label", 4)], id="no-label"),
        pytest.param(page('<a href="x"><i></i></a>'), [("link-without-text", 4)], id="no-text"),
        pytest.param(
            page('<a href="https://x.example" target="_blank">x</a>'),
            [("blank-target-without-rel", 4)],
            id="no-rel",
        ),
    ],
)
def test_each_problem_is_found(ran: Ran, text: str, expected: list[tuple[str, int]]) -> None:
    assert rules(ran("markup", {"a.html": text})) == expected


def test_clean_page_has_no_findings(ran: Ran) -> None:
    run = ran("markup", {"a.html": CLEAN, "a.css": "p {}", "a.js": "go();"})

    assert run.status is RunStatus.RAN
    assert run.findings == ()
    assert run.facts["files"]["html"] == 1


def test_tree_without_front_end_has_nothing_to_check(ran: Ran) -> None:
    assert ran("markup", {"a.py": "x = 1\n"}).status is RunStatus.NOTHING_TO_CHECK


def test_template_is_judged_leniently(ran: Ran) -> None:
    template = page(
        "{% if a %}<p id='x'></p>{% else %}<p id='x'></p>{% endif %}\n"
        "{{ label }}<input {{ attributes }}>\n<img {{ image }}><a href='{{ u }}'>{{ t }}</a>",
        head="{% block title %}{% endblock %}",
    )

    assert ran("markup", {"templates/a.html": template}).findings == ()


def test_forgotten_debugger_is_found(ran: Ran) -> None:
    script = "// debugger;\nconst s = 'debugger';\nconst t = `\ndebugger;\n`;\n  debugger;\n"

    run = ran("markup", {"src/a.ts": script, "tests/b.ts": "debugger;\n"})

    assert [(found.file, found.line) for found in run.findings] == [("src/a.ts", 6)]


def test_finding_can_be_switched_off_in_its_line(ran: Ran) -> None:
    run = ran(
        "markup",
        {"a.html": page('<img src="a.png"> <!-- hypernb: ignore[image-without-alt] -->')},
    )

    assert run.findings == ()
    assert run.facts["switched_off"] == 1


def test_rule_can_be_switched_off_for_good(ran: Ran) -> None:
    config = '[rules]\noff = ["image-without-alt"]\n'

    run = ran("markup", {"a.html": page('<img src="a.png">'), ".hypernb/config.toml": config})

    assert run.findings == ()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(bytes(range(256)) * 10, id="binary"),
        pytest.param(b"<p>" + b"x" * 5_000_000, id="five-megabyte-line"),
        pytest.param(b"<!--" * 400_000, id="comments-that-never-end"),
        pytest.param(b"<a " * 200_000, id="tags-that-never-end"),
        pytest.param(b"<div>" * 20_000, id="deep-nesting"),
        pytest.param(b"\xff\xfe\xfa<html>\xe9\xe9", id="no-encoding"),
        pytest.param(b"", id="empty"),
    ],
)
def test_hostile_page_never_ends_it(ran: Ran, content: bytes) -> None:
    run = ran("markup", {"bad.html": content, "good.html": CLEAN})

    assert run.status is RunStatus.RAN
    assert run.checked + run.facts["skipped_files"] == 2


def test_hostile_script_never_ends_it(ran: Ran) -> None:
    run = ran("markup", {"a.js": "debugger\n" + "/*\n`'\"" * 200_000})

    assert [found.rule for found in run.findings] == ["debugger-statement"]
