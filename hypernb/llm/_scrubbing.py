"""Takes out of requests and answers what must not lie in a cassette, the same everywhere."""

from __future__ import annotations

import getpass
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from hypernb.model import ReplySource
from hypernb.redact import COVERED, names_secret, scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypernb.model import ChatReply

ROOT: Final = "<project root>"
_SOMEBODY: Final = re.compile(
    r"(?<![\w.~/\\])(?:/home/|/Users/|[A-Za-z]:(?:\\\\?|/)Users(?:\\\\?|/))[^/\\\s\"':;,<>]++"
)
_NOBODY: Final = frozenset(["root", "user", "users", "admin", "ubuntu", "jovyan", "runner"])
_SHORTEST_NAME: Final = 3
_ROUNDS: Final = 6  # what is replaced can be the beginning of a word for what comes after it


class Scrubbing:
    """Covers up secrets, and names the project's folder and the user's the same everywhere.

    So a request has the same hash for whoever asks it, with another key and in another home.

    Args:
        secrets: These very ones, besides what looks like one.
        root: The project's folder, absolute; empty if there is none.
        home: The user's; found out if None.
        user: The user's name; found out if None.
    """

    def __init__(
        self,
        secrets: Iterable[str] = (),
        *,
        root: str = "",
        home: str | None = None,
        user: str | None = None,
    ) -> None:
        self._secrets = tuple(secrets)
        self._root = root.rstrip("/\\")
        home = _home() if home is None else home
        user = _user() if user is None else user
        self._places = [
            (re.compile(rf"(?<![\w.~])(?:{re.escape(place)}(?![\w.-]))++"), word)
            for place, word in self._words(home.rstrip("/\\"))
            if place
        ]
        self._name = None
        if len(user) >= _SHORTEST_NAME and user.lower() not in _NOBODY:
            # As a part of a path only: a name can be a word of any text.
            self._name = re.compile(rf"(?<=[/\\]){re.escape(user)}(?=[/\\])")
        # A conversation is sent again and again, with a message more each time.
        self.text: Callable[[str], str] = lru_cache(maxsize=128)(self._text)
        """Returns a text as it may be kept; doing it again changes nothing. What a model has
        said comes back as part of the next request: it has to look the same in both."""

    def _words(self, home: str) -> list[tuple[str, str]]:
        # Both names of a folder that is reached by a link, as /tmp is on a Mac.
        roots = dict.fromkeys([self._root, os.path.realpath(self._root) if self._root else ""])
        return [*((root, ROOT) for root in roots), (home, "~")]

    def reply(self, reply: ChatReply) -> ChatReply:
        """Return an answer as it may be kept."""
        calls = tuple(
            call.model_copy(update={"arguments": self.text(call.arguments)})
            for call in reply.tool_calls
        )
        changes = {
            "text": self.text(reply.text),
            "refusal": self.text(reply.refusal),
            "tool_calls": calls,
            "source": ReplySource.LIVE,
        }
        return reply.model_copy(update=changes)

    def restored(self, reply: ChatReply) -> ChatReply:
        """Return an answer that was kept, with the project's folder as it is here."""
        if not self._root:
            return reply
        calls = tuple(
            call.model_copy(update={"arguments": self._rooted(call.arguments)})
            for call in reply.tool_calls
        )
        return reply.model_copy(update={"text": self._rooted(reply.text), "tool_calls": calls})

    def _rooted(self, text: str) -> str:
        return text.replace(ROOT, self._root.replace("\\", "/"))

    def _text(self, text: str) -> str:
        """Scrub JSON value by value, so that it is JSON afterwards; other text as it is."""
        if not text.lstrip().startswith(("{", "[")):
            return self._plain(text)
        try:
            value = orjson.loads(text)
        except ValueError:
            return self._plain(text)
        changed = self._value(value)
        return text if changed == value else orjson.dumps(changed).decode()

    def _plain(self, text: str) -> str:
        for _ in range(_ROUNDS):
            before = text
            text = self._once(text)
            if text == before:
                break
        return text

    def _once(self, text: str) -> str:
        for place, word in self._places:
            text = place.sub(word, text)
        text = _SOMEBODY.sub("~", text)
        if self._name is not None:
            text = self._name.sub("user", text)
        return scrub(text, self._secrets)

    def _value(self, value: Any, name: str = "") -> Any:
        if isinstance(value, str):
            return COVERED if value and names_secret(name) else self._plain(value)
        if isinstance(value, dict):
            return {key: self._value(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [self._value(each) for each in value]
        return value


def _home() -> str:
    try:
        home = str(Path.home())
    except RuntimeError:  # no home directory can be determined
        return ""
    return "" if home == Path(home).anchor else home


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's number without a name
        return ""
