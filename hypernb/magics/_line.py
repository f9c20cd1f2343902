"""Reading a magic's line: strings in, frozen requests out, no IPython."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from hypernb.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LINE_AT_MOST: Final = 20_000
CASSETTE_SUFFIX: Final = ".jsonl"

Kind = Literal["flag", "text", "number", "names", "file"]


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a verb or of the cell magic.

    Attributes:
        name: With its dashes: ``--in``.
        kind: ``flag`` takes nothing; ``names`` takes words separated by commas; ``file`` may
            take a name that ends in ``.jsonl``, or any after ``=``.
        value: What its value is called in help.
    """

    name: str
    help: str
    kind: Kind = "flag"
    value: str = ""

    @property
    def key(self) -> str:
        """Its name in a request: ``no_wait``."""
        return self.name.lstrip("-").replace("-", "_")


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb of ``%hyper``.

    Attributes:
        arguments: How its arguments are written in help: ``M [task …]``.
        least: How many arguments it needs.
        most: How many it takes; None for any number.
        takes_text: What stands before or after its options is one text, taken literally.
        passes_on: Options that it does not know are arguments too.
        completes: What its first argument is, for completion.
    """

    name: str
    summary: str
    arguments: str = ""
    least: int = 0
    most: int | None = 0
    options: tuple[Option, ...] = ()
    takes_text: bool = False
    passes_on: bool = False
    completes: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A line that was understood."""

    verb: str
    arguments: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


def read_line(
    line: str, verbs: Mapping[str, Verb], fill: Callable[[str], str] = str
) -> Request:
    """Read ``%hyper``'s line.

    Args:
        fill: Fills in what stands as the value of an option, such as ``{name}``.

    Raises:
        UnknownNameError: No such verb or option; near misses are named.
        UsageError: Too few or too many arguments, or quotes that do not close.
    """
    _refuse_long(line)
    name, _, rest = line.strip().partition(" ")
    if name not in verbs:
        raise UnknownNameError("verb", name, verbs, hint="%hyper help lists all verbs.")
    verb = verbs[name]
    if verb.takes_text:
        return _read_text(verb, rest.strip(), fill)
    arguments, options = read_words(
        split_words(rest), verb.options, passes_on=verb.passes_on, fill=fill
    )
    _check_count(verb, arguments)
    return Request(name, tuple(arguments), options)


def split_words(line: str) -> list[str]:
    """Split as a shell would, quotes included, nothing expanded.

    Raises:
        UsageError: A quote is not closed.
    """
    _refuse_long(line)
    try:
        return shlex.split(line, comments=False)
    except ValueError as error:
        raise UsageError(
            f"The line {line.strip()[:80]!r} cannot be read: {str(error).lower()}.",
            hint="Close the quote, or put a text that holds one between the other kind.",
        ) from None


def read_words(
    words: Sequence[str],
    options: Sequence[Option],
    *,
    passes_on: bool = False,
    fill: Callable[[str], str] = str,
) -> tuple[list[str], dict[str, Any]]:
    """Sort words into arguments and option values.

    ``--`` ends the options. An option may be written ``--in df`` or ``--in=df``.

    Raises:
        UnknownNameError: No such option, and unknown ones are not passed on.
        UsageError: An option lacks its value, has one too many, or a bad one.
    """
    known = {option.name: option for option in options}
    arguments: list[str] = []
    values: dict[str, Any] = {}
    waiting = list(reversed(words))
    while waiting:
        word = waiting.pop()
        name, equals, given = word.partition("=")
        if word == "--":
            arguments.extend(reversed(waiting))
            break
        if name in known:
            option = known[name]
            values[option.key] = _value(option, given if equals else None, waiting, fill)
        elif word.startswith("--") and not passes_on:
            raise UnknownNameError(
                "flag",
                name,
                known,
                hint="%hyper help lists those of %%hyper, %hyper help VERB those of a verb.",
            )
        else:
            arguments.append(word)
    return arguments, values


def _value(
    option: Option, given: str | None, waiting: list[str], fill: Callable[[str], str]
) -> Any:
    if option.kind == "flag":
        if given is not None:
            raise UsageError(f"{option.name} takes no value, not even {given[:80]!r}.")
        return True
    if option.kind == "file":
        # A word that is no cassette may be an argument of a playbook: `--record ..`.
        is_next = given is None and waiting and waiting[-1].endswith(CASSETTE_SUFFIX)
        return fill(waiting.pop() if is_next else given or "")
    if given is None:
        if not waiting:
            raise UsageError(f"{option.name} needs a value: {option.name} {option.value}.")
        given = waiting.pop()
    given = fill(given)
    if option.kind == "names":
        return tuple(filter(None, (name.strip() for name in given.split(","))))
    return _number(option, given) if option.kind == "number" else given


def _number(option: Option, given: str) -> float:
    try:
        number = float(given)
    except ValueError:
        number = float("nan")
    if not 0 <= number < float("inf"):
        least = ", 0 or more" if number < 0 else ""
        raise UsageError(
            f"{option.name} takes a number of {option.value}{least}, not {given[:80]!r}.",
            hint=f"For example: {option.name} 10.",
        )
    return number


def _read_text(verb: Verb, rest: str, fill: Callable[[str], str]) -> Request:
    values: dict[str, Any] = {}
    known = {option.name: option for option in verb.options}
    while rest.startswith("--"):
        word, _, after = rest.partition(" ")
        name, equals, given = word.partition("=")
        if name not in known:
            break
        option, rest = known[name], after.lstrip()
        if option.kind != "flag" and not equals:
            given, _, rest = rest.partition(" ")
        waiting = [given] if given else []
        values[option.key] = _value(option, given if equals else None, waiting, fill)
    rest = rest.strip()
    while not _is_quoted(rest) and (last := _last_option(rest, known)):
        option = known[last["name"]]
        waiting = [last["value"]] if last["value"] else []
        values.setdefault(option.key, _value(option, last["given"], waiting, fill))
        rest = rest[: last.start()].rstrip()
    text = _unquoted(rest)
    _check_count(verb, [text] if text else [])
    return Request(verb.name, (text,) if text else (), values)


def _last_option(text: str, known: Mapping[str, Option]) -> re.Match[str] | None:
    """Return the option that a text ends with: ``--limit 3``, ``--limit=3`` or ``--limit``."""
    names = "|".join(map(re.escape, known))
    last = rf"\s(?P<name>{names})(?:=(?P<given>\S*)|\s+(?P<value>(?!--)\S+))?$"
    return re.search(last, text) if known else None


def _is_quoted(text: str) -> bool:
    is_framed = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return is_framed and text[0] not in text[1:-1]


def _unquoted(text: str) -> str:
    return text[1:-1] if _is_quoted(text) else text


def _check_count(verb: Verb, arguments: Sequence[str]) -> None:
    usage = f"%hyper {verb.name} {verb.arguments}".rstrip()
    if len(arguments) < verb.least:
        raise UsageError(f"%hyper {verb.name} needs more: {usage}.")
    if verb.most is not None and len(arguments) > verb.most:
        extra = arguments[verb.most]
        raise UsageError(f"%hyper {verb.name} does not take {extra[:80]!r}: {usage}.")


def _refuse_long(line: str) -> None:
    if len(line) > LINE_AT_MOST:
        raise UsageError(
            f"A line of {len(line):,} characters is too long; {LINE_AT_MOST:,} fit.",
            hint="Put a long goal into the cell below %%hyper.",
        )
