from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import RunStatus, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
STREAM = {"output_type": "stream", "name": "stdout", "text": ["hello\n"]}
ERROR = {"output_type": "error", "ename": "KeyError", "evalue": "'a'", "traceback": []}


def code(source: str = "x = 1", count: int | None = None, **more: Any) -> dict[str, Any]:
    cell = {"cell_type": "code", "id": "", "metadata": {}, "source": source, "outputs": []}
    return {**cell, "execution_count": count, **more}


def words(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "", "metadata": {}, "source": source}


def notebook(*cells: dict[str, Any], metadata: dict[str, Any] | None = None) -> str:
    named = [{**cell, "id": f"c{number}"} for number, cell in enumerate(cells)]
    whole = {"cells": named, "metadata": KERNEL if metadata is None else metadata}
    return json.dumps({**whole, "nbformat": 4, "nbformat_minor": 5})


def found(run: ToolRun) -> list[tuple[str, int | None]]:
    return [(finding.rule, finding.cell) for finding in run.findings]


def test_clean_notebook_has_no_findings(ran: Ran) -> None:
    text = notebook(words("# Hi\n![A hill](hill.png)"), code(count=1), code(count=2), code(""))

    run = ran("notebooks", {"a.ipynb": text})

    assert run.status is RunStatus.RAN
    assert run.findings == ()
    assert run.checked == 1


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param([code(outputs=[STREAM])], [("outputs-left-in", None)], id="outputs"),
        pytest.param(
            [code(outputs=[STREAM], metadata={"keep_output": True})], [], id="outputs-kept"
        ),
        pytest.param(
            [code(), code(outputs=[ERROR])],
            [("outputs-left-in", None), ("error-left-in", 2)],
            id="error",
        ),
        pytest.param(
            [code(outputs=[ERROR], metadata={"tags": ["raises-exception"]})],
            [("outputs-left-in", None)],
            id="expected-error",
        ),
        pytest.param([code(count=5), code(count=2)], [("out-of-order", 2)], id="order"),
        pytest.param([words("![](a.png)")], [("image-without-alt", 1)], id="no-alt"),
        pytest.param([words("<img src='a.png'>")], [("image-without-alt", 1)], id="tag-no-alt"),
        pytest.param([words("<img src='a.png' alt=''>")], [], id="decoration"),
    ],
)
def test_each_problem_is_found(
    ran: Ran, cells: list[dict[str, Any]], expected: list[tuple[str, int | None]]
) -> None:
    assert found(ran("notebooks", {"a.ipynb": notebook(*cells)})) == expected


def test_large_output_is_named_with_its_size(ran: Ran) -> None:
    large = {**STREAM, "text": "x" * 1_500_000}

    run = ran("notebooks", {"a.ipynb": notebook(code(outputs=[large]))})

    assert [finding.rule for finding in run.findings] == ["outputs-left-in", "large-output"]
    assert "1.5 MB" in run.findings[1].message


def test_missing_kernelspec_is_found(ran: Ran) -> None:
    assert found(ran("notebooks", {"a.ipynb": notebook(code(), metadata={})})) == [
        ("missing-kernelspec", None)
    ]


def test_tracked_checkpoint_is_found(ran: Ran) -> None:
    run = ran("notebooks", {".ipynb_checkpoints/a-checkpoint.ipynb": notebook(code())})

    assert found(run) == [("tracked-checkpoint", None)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"{", id="not-json"),
        pytest.param(b"", id="empty"),
        pytest.param(b"[1, 2]", id="no-notebook"),
        pytest.param(b'{"nbformat": 4, "nbformat_minor": 5, "cells": 3}', id="no-cells"),
        pytest.param(b"[" * 200_000, id="deep-nesting"),
        pytest.param(b'{"nbformat": 4, "nbformat_minor": 5}', id="incomplete"),
        pytest.param(b'{"nbformat": 99, "nbformat_minor": -1, "cells": [null]}', id="future"),
    ],
)
def test_unreadable_notebook_is_found(ran: Ran, content: bytes) -> None:
    run = ran("notebooks", {"bad.ipynb": content, "good.ipynb": notebook(code())})

    assert [(each.file, each.rule) for each in run.findings] == [
        ("bad.ipynb", "unreadable-notebook")
    ]
    assert run.findings[0].severity is Severity.HIGH


def test_notebook_of_a_test_is_not_judged(ran: Ran) -> None:
    run = ran(
        "notebooks", {"tests/a.ipynb": notebook(code(outputs=[ERROR])), "tests/b.ipynb": "{"}
    )

    assert run.findings == ()
    assert run.facts["in_tests"] == 2


def test_binary_notebook_is_counted(ran: Ran) -> None:
    run = ran("notebooks", {"a.ipynb": b"\0\1\2" * 100})

    assert run.facts["skipped_files"] == 1


def test_tree_without_notebooks_has_nothing_to_check(ran: Ran) -> None:
    assert ran("notebooks", {"a.py": ""}).status is RunStatus.NOTHING_TO_CHECK
