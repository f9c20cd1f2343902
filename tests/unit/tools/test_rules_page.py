from __future__ import annotations

import ast
from pathlib import Path

import hypernb.tools

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "rules.md"
OWN = (
    *("markup", "links", "notebooks", "sql", "orm", "tests", "untested", "containers", "ci"),
    *("packaging", "ignored_secrets"),
)


def rules_of(source: str) -> set[str]:
    return {
        argument.value
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        if call.func.attr in ("found", "_found") and call.args
        for argument in ast.walk(call.args[0])
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def test_every_own_rule_is_documented() -> None:
    folder = Path(hypernb.tools.__file__).parent
    rules = {rule for name in OWN for rule in rules_of((folder / f"_{name}.py").read_text())}
    page = PAGE.read_text(encoding="utf-8")

    assert len(rules) > 50
    assert sorted(rule for rule in rules if f"| `{rule}` |" not in page) == []
