"""The reference pages that are made from the program, so they cannot be wrong about it."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGE = Path(__file__).resolve().parent.parent / "hypernb"
CARDS = PACKAGE / "agents" / "cards"
RULE_NAME = re.compile(r"[a-z]+(-[a-z0-9]+)+")
SEVERITY = re.compile(r"Severity\.([A-Z]+)")
NOTE = "<!-- Written by `make docs`; change the program, not this page. -->"


def agents_page() -> str:
    """Describe the specialists from their role cards."""
    lines = ["# Agents", "", NOTE, ""]
    lines += [
        "These role cards come with hypernb. A file in `.hypernb/agents/` with the same name",
        "replaces one, a new name adds one; `%hyper agents` shows what holds in your project.",
        "",
    ]
    for path in sorted(CARDS.glob("*.toml")):
        card = tomllib.loads(path.read_text(encoding="utf-8"))
        lines += [
            f"## `{card['name']}`",
            "",
            card["role"],
            "",
            f"* Good at: {', '.join(card['capabilities'])}",
            f"* Tools: {', '.join(f'`{tool}`' for tool in card['tools'])}",
            "",
        ]
    return "\n".join(lines)


def _commands(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                inner = click.Context(child, info_name=name, parent=context)
                yield from _commands(child, inner)


def cli_page() -> str:
    """Print the help of every command."""
    from hypernb.cli._commands import hypernb

    # A fixed width: the page must not depend on the terminal it was made in.
    settings = {**hypernb.context_settings, "terminal_width": 88, "max_content_width": 88}
    root = click.Context(hypernb, info_name="hypernb", **settings)
    lines = ["# The `hypernb` command", "", NOTE, ""]
    for context in _commands(hypernb, root):
        help_text = context.command.get_help(context).rstrip()
        lines += [f"## `{context.command_path}`", "", "```text", help_text, "```", ""]
    return "\n".join(lines)


def magics_page() -> str:
    """Print the help of the magics, as ``%hyper help`` does."""
    from hypernb.magics._help import help_text
    from hypernb.magics._verbs import VERBS

    lines = ["# The magics", "", NOTE, "", "```text", help_text(), "```", ""]
    for verb in VERBS:
        lines += [f"## `%hyper {verb}`", "", "```text", help_text(verb), "```", ""]
    return "\n".join(lines)


def _message(node: ast.expr) -> str:
    """Return a message's text, with an ellipsis for what is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_message(part) for part in parts)
        case _:
            return "…"


def _cell(text: str) -> str:
    """Escape what a Markdown table would take for its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")


def _rules(source: str) -> dict[str, tuple[str, str]]:
    """Find what a tool reports: calls with a rule's name, a severity and a message."""
    found: dict[str, tuple[str, str]] = {}
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: call.lineno):
        match call.args:
            case [ast.Constant(value=str(rule)), severity, message, *_] if (
                RULE_NAME.fullmatch(rule) and "severity" in ast.unparse(severity).lower()
            ):
                names = SEVERITY.findall(ast.unparse(severity))
                words = " or ".join(name.lower() for name in names) or "it depends"
                found.setdefault(rule, (words, _cell(_message(message))))
    return found


def rules_page() -> str:
    """List the rules that are hypernb's own, from the source of the tools."""
    lines = ["# Rules of hypernb's own", "", NOTE, ""]
    lines += [
        "What ruff, vulture, bandit, detect-secrets, pytest and coverage report is described",
        "by their own documentation. These rules are ours; where two severities stand, the",
        "lower one is for tests, examples and documentation.",
        "",
    ]
    for path in sorted((PACKAGE / "tools").glob("_*.py")):
        source = path.read_text(encoding="utf-8")
        rules = _rules(source)
        if not rules:
            continue
        summary = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
        lines += [f"## {path.stem.strip('_').replace('_', ' ').capitalize()}", "", summary, ""]
        lines += ["| rule | severity | says |", "|---|---|---|"]
        lines += [f"| `{rule}` | {how} | {says} |" for rule, (how, says) in rules.items()]
        lines += [""]
    return "\n".join(lines)


PAGES: dict[str, Callable[[], str]] = {
    "agents.md": agents_page,
    "cli.md": cli_page,
    "magics.md": magics_page,
    "rules.md": rules_page,
}
