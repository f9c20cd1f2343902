"""Running a command and turning what went wrong into one line and an exit code."""

from __future__ import annotations

import sys
from typing import Final

import click

from hypernb.cli._commands import hypernb
from hypernb.errors import (
    ApprovalError,
    HypernbError,
    MissionError,
    NoPlanError,
    NotFinishedError,
    PlanError,
    PlanningInterruptedError,
    QueryError,
    TransitionError,
    UsageError,
    WaitInterruptedError,
    WaitTimeoutError,
    between_words,
)

DONE: Final = 0
MISSION_FAILED: Final = 1
MISUSE: Final = 2
CANNOT: Final = 3
INTERRUPTED: Final = 130

_MISUSES = (
    UsageError,
    PlanError,
    ApprovalError,
    TransitionError,
    NotFinishedError,
    QueryError,
)


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code; errors are one line on stderr."""
    try:
        outcome = hypernb.main(arguments, prog_name="hypernb", standalone_mode=False)
    except click.exceptions.Abort as error:
        # click turns every KeyboardInterrupt into this, and so the one that says what goes on.
        told = error.__cause__
        if isinstance(told, WaitInterruptedError | PlanningInterruptedError):
            return _say(_typed(told), INTERRUPTED)
        return _say("Interrupted.", INTERRUPTED)
    except click.ClickException as error:
        return _say(_one_line(error), MISUSE)
    except HypernbError as error:
        return _say(_typed(error), _code(error))
    except BrokenPipeError:  # the reader of a pipe has had enough, as in `hypernb ls | head`
        return DONE
    return outcome if isinstance(outcome, int) else DONE


def _typed(error: HypernbError) -> str:
    """Write an error with the commands of this surface instead of magics."""
    from hypernb.views import as_commands

    return as_commands(str(error))


def _code(error: HypernbError) -> int:
    if isinstance(error, MissionError | WaitTimeoutError):
        return MISSION_FAILED
    is_misuse = isinstance(error, _MISUSES) and not isinstance(error, NoPlanError)
    return MISUSE if is_misuse else CANNOT


def _say(text: str, code: int) -> int:
    click.echo("\n".join(between_words(f"hypernb: {text}", sys.stderr)), err=True)
    return code


def _one_line(error: click.ClickException) -> str:
    usage = ""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        usage = f" {error.ctx.command_path} --help explains it."
    return f"{error.format_message()}{usage}"
