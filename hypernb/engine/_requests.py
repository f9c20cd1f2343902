"""What a job asks of its runner while it runs, and what it is answered: values only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import orjson

from hypernb import errors
from hypernb.errors import HypernbError

REQUEST_BYTES: Final = 4_000_000
"""The longest request; a prompt of a million tokens is about as long."""
OPEN_AT_MOST: Final = 32
"""So many requests of one job may wait for their answers."""
_SENTENCE_CHARS: Final = 20_000


class RequestKind(StrEnum):
    """What can be asked for: the methods of `hypernb.abc.Services`."""

    CHAT = "chat"
    CALL = "call"
    QUERY = "query"
    SEND = "send"
    RECEIVE = "receive"
    ACKNOWLEDGE = "acknowledge"
    SAVE_STATE = "save_state"
    LOAD_STATE = "load_state"
    TELL = "tell"


@dataclass(frozen=True, slots=True)
class Request:
    """What a job asks; JSON values only, and not to be trusted."""

    kind: RequestKind
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What it is answered, or the facts of the error that it is to raise."""

    payload: Any = None
    error: Mapping[str, Any] | None = None


def body_of(request: Request) -> bytes:
    """Return what is asked as JSON.

    Raises:
        UsageError: It holds what JSON has not, or is nested too deeply.
    """
    try:
        return orjson.dumps(request.payload)
    except TypeError as error:
        raise errors.UsageError(
            f"The runner cannot be asked to {request.kind}: {error}.",
            hint="Give texts, numbers of 64 bits, lists and dictionaries of these.",
        ) from None


OnRequest = Callable[[Request], Awaitable[Reply]]


def asked_too_much(problem: str) -> Reply:
    """Refuse a request for its size or its number."""
    return Reply(error=facts_of(errors.UsageError(f"The runner does not answer: {problem}.")))


def facts_of(error: HypernbError) -> dict[str, Any]:
    """Return an error as JSON values, for `raised_from` to make the same of.

    Example:
        >>> raised_from(facts_of(errors.ContractError("No.", hint="Ask."))).hint
        'Ask.'
    """
    return {
        "name": type(error).__name__,
        "args": [str(each)[:_SENTENCE_CHARS] for each in error.args],
        "facts": {name: value for name, value in vars(error).items() if _is_plain(value)},
    }


def raised_from(told: Mapping[str, Any]) -> HypernbError:
    """Return the error that a runner has told of."""
    cls = getattr(errors, str(told["name"]), HypernbError)
    if not (isinstance(cls, type) and issubclass(cls, HypernbError)):
        cls = HypernbError
    error: HypernbError = cls.__new__(cls)
    error.args = tuple(told["args"])
    error.__dict__.update({"hint": "", **told["facts"]})
    return error


def _is_plain(value: Any) -> bool:
    try:
        return len(orjson.dumps(value)) < _SENTENCE_CHARS
    except TypeError:
        return False


OVER: Final = facts_of(
    HypernbError("A task that has ended cannot ask the runner for anything.")
)
