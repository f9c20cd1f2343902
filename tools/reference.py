"""The reference pages that are made from the program, so they cannot be wrong about it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGE = Path(__file__).resolve().parent.parent / "hypernb"
CARDS = PACKAGE / "agents" / "cards"
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


PAGES: dict[str, Callable[[], str]] = {
    "agents.md": agents_page,
    "cli.md": cli_page,
    "magics.md": magics_page,
}
