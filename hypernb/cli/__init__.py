"""The command line: the same verbs as the magics, for terminals and scripts."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Run ``hypernb``; ends the process.

    Exit codes: 0 done, 1 a mission did not succeed, 2 the command line cannot be understood,
    3 the store, the runner or the machine cannot do it, 130 interrupted.
    """
    from hypernb.cli._main import run

    sys.exit(run(sys.argv[1:] if arguments is None else arguments))
