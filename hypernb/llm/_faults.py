"""What can go wrong with a call, and whether it can still succeed."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import ModelAnswerError, ModelError, ModelRefusedError, not_quoted
from hypernb.llm._sizes import too_large

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypernb.model import ChatRequest, ModelSpec

EVIDENCE_CHARACTERS: Final = 500
_QUOTED_CHARACTERS: Final = 300
_AGAIN: Final = frozenset({408, 409, 425, 429})
_NO_MONEY: Final = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
)
_CONTEXT: Final = re.compile(
    r"context[ _]?(length|window|size)|exceed_context|prompt (is )?too long"
    r"|(input|request|message)s? (is|are) too long|too many (input |prompt )?tokens",
    re.IGNORECASE,
)
_LIMIT: Final = re.compile(
    r"context[ _]?(?:length|window|size)\D{0,30}?(\d[\d,]*)", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"\d[\d,]{2,15}")
_TOO_LARGE: Final = frozenset({400, 413, 422, 500})
_REDIRECTS: Final = range(300, 400)


class TransportFault(Exception):  # noqa: N818 - a call goes on after it
    """A try has failed, and the next may succeed.

    Attributes:
        reason: In words, for those who wait.
        said: What the server said of it, in its words.
        hint: What to do if none succeeds.
        is_refusal: The server wants to be asked less.
        retry_after_s: For how long it wants to be left alone, if it said so.
    """

    def __init__(
        self,
        reason: str,
        *,
        said: str = "",
        hint: str = "",
        is_refusal: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.said = said
        self.hint = hint
        self.is_refusal = is_refusal
        self.retry_after_s = retry_after_s

    @property
    def words(self) -> str:
        """The reason, with what the server said."""
        return f"{self.reason} ({self.said})" if self.said else self.reason


class AnswerFault(Exception):  # noqa: N818 - a call goes on after it, at most twice
    """A try has been answered with what is no model's answer.

    Attributes:
        problem: What is wrong, as the end of a sentence about the model.
        evidence: The beginning of what came.
        characters: How much came, as far as it was looked at.
        is_final: Another try would only cost more.
        hint: What to do about it.
    """

    def __init__(
        self,
        problem: str,
        evidence: str = "",
        *,
        characters: int = 0,
        is_final: bool = False,
        hint: str = "`%hyper doctor` says what works with it; or take another model.",
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.evidence = evidence[:EVIDENCE_CHARACTERS]
        self.characters = characters or len(evidence)
        self.is_final = is_final
        self.hint = hint

    def error(self, spec: ModelSpec, evidence: str, tries: int) -> ModelAnswerError:
        """Return the error that ends the call."""
        times = f", {tries} times in a row" if tries > 1 else ""
        quoted = one_line(evidence)
        began = f". It begins with {quoted!r}" if quoted else ""
        return ModelAnswerError(
            spec.name,
            spec.host,
            f"{self.problem}{times}{began}",
            evidence=evidence,
            quiet=f"{self.problem}{times}{self._size}",
            hint=self.hint,
        )

    @property
    def _size(self) -> str:
        if not self.characters:
            return ""
        more = "at least " if self.characters == EVIDENCE_CHARACTERS else ""
        return f": {more}{not_quoted(self.characters)}"


class ServerSaid(Exception):  # noqa: N818 - what follows from it is decided where the request is known
    """A server has told an error under a status that says success.

    Attributes:
        body: What it said.
    """

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__()
        self.body = body


def one_line(text: str) -> str:
    """Return the beginning of a text, as it can stand in a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= _QUOTED_CHARACTERS else line[:_QUOTED_CHARACTERS] + "…"


def said_of(body: Any) -> tuple[str, str, str]:
    """Return what the body of an error says: its message, its code and the parameter it names.

    Example:
        >>> said_of({"error": {"message": "no such model", "code": "model_not_found"}})
        ('no such model', 'model_not_found', '')
        >>> said_of({"error": "out of memory"})
        ('out of memory', '', '')
    """
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return (error if isinstance(error, str) else ""), "", ""
    words = next(
        (
            error[key]
            for key in ("message", "detail", "error")
            if isinstance(error.get(key), str)
        ),
        "",
    )
    code = error.get("code") or error.get("type") or ""
    param = error.get("param") or ""
    return words, str(code)[:100], str(param)[:100]


def of_status(
    spec: ModelSpec, request: ChatRequest, status: int, body: Any, retry_after_s: float | None
) -> TransportFault | ModelError:
    """Return what follows from a status that is no success.

    Args:
        body: Its JSON, or text; without the key.
        retry_after_s: As the server says; None if it does not.
    """
    words, code, _ = said_of(body)
    if is_about_context(status, words, code):
        return _context(spec, request, words)
    if code in _NO_MONEY:
        return ModelRefusedError(
            spec.name,
            spec.host,
            f"is not paid for: {one_line(words)}",
            status=status,
            quiet=f"is not paid for ({code})",
            hint="Look at the account that the key belongs to, or take another model.",
        )
    if status in _AGAIN or (status >= 500 and status != 501):  # noqa: PLR2004 - "not implemented" stays
        reason = "too many requests" if status == 429 else f"status {status}"  # noqa: PLR2004
        return TransportFault(
            f"{reason} at {spec.host}",
            said=one_line(words),
            is_refusal=status == 429 or retry_after_s is not None,  # noqa: PLR2004
            retry_after_s=retry_after_s,
        )
    return _refused(spec, request, status, body)


def is_about_context(status: int, words: str, code: str) -> bool:
    """Tell whether an error says that the request is too large."""
    if status not in _TOO_LARGE:
        return False
    return code in ("context_length_exceeded", "exceed_context_size_error") or bool(
        _CONTEXT.search(words)
    )


def unknown_model(
    spec: ModelSpec, request: ChatRequest, words: str, names: Sequence[str]
) -> ModelRefusedError:
    """Return the error of a model that the server does not have, with those it has."""
    near = get_close_matches(spec.name, names, n=3, cutoff=0.5) or (
        list(names) if len(names) < 10 else []  # noqa: PLR2004 - a list that one can read
    )
    meant = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
    return ModelRefusedError(
        spec.name,
        spec.host,
        f"is not there: {one_line(words).rstrip('.')}",
        status=404,
        quiet="is not there",
        hint=f"{meant}{_listing(spec, request)} lists all that the server offers.",
    )


def _listing(spec: ModelSpec, request: ChatRequest) -> str:
    """Say what lists the models of its server: what a plan calls a model tells the profile."""
    head, colon, tail = request.model.partition(":")
    if request.model == spec.name:
        return "`%hyper models openai`"  # only of this profile is a bare name
    return f"`%hyper models {head if colon and tail == spec.name else 'PROFILE'}`"


def _context(spec: ModelSpec, request: ChatRequest, words: str) -> ModelError:
    numbers = sorted({int(found.replace(",", "")) for found in _NUMBER.findall(words)})
    named = _LIMIT.search(words)
    most = int(named.group(1).replace(",", "")[:15]) if named else 0
    if not most:
        most = numbers[-2] if len(numbers) > 1 else spec.context_tokens or 0
    tokens = numbers[-1] if numbers and numbers[-1] > most else 0
    return too_large(spec, request, tokens=tokens, limit=most)


def _refused(
    spec: ModelSpec, request: ChatRequest, status: int, body: Any
) -> ModelRefusedError:
    said = one_line(said_of(body)[0]).rstrip(".")
    if status in _REDIRECTS:
        quiet = f"is elsewhere: the server sends on with status {status}"
        hint = (
            f"Nothing is sent to another address than {spec.base_url}; give the one it names."
        )
    elif status == 401:  # noqa: PLR2004 - no key, or a wrong one
        quiet, hint = "is closed to this key", _key_hint(spec)
    elif status == 403:  # noqa: PLR2004 - a key that may not
        quiet = "may not be used with this key"
        hint = f"{_listing(spec, request)} lists those that it may use."
    elif status == 404:  # noqa: PLR2004 - and it is not the model that is missing
        quiet = f"cannot be asked by {spec.api!r} there"
        hint = f"Check the address {spec.base_url}: it ends with the version, as in …/v1."
    else:
        quiet = f"refuses the request with status {status}"
        hint = _request_hint(spec, request, said.lower())
    return ModelRefusedError(
        spec.name,
        spec.host,
        f"{quiet}: {said or f'status {status}'}",
        status=status,
        quiet=f"{quiet}: {not_quoted(len(said))}" if said else quiet,
        hint=hint,
    )


def _key_hint(spec: ModelSpec) -> str:
    if spec.key:
        return f"Check {spec.key}: the server does not take the key that it holds."
    return (
        "No key was sent. Set OPENAI_API_KEY before the kernel starts if the model is named "
        'without a profile; or write key = "VARIABLE", which holds it, into its profile.'
    )


def _request_hint(spec: ModelSpec, request: ChatRequest, words: str) -> str:
    if request.tools and "tool" in words:
        return "Take a model that can be offered tools; `%hyper doctor` says which can."
    if request.answer_schema and ("response_format" in words or "schema" in words):
        return f"Set schema_mode of {spec.name} to 'json' or 'words' in its profile."
    return "`%hyper doctor` says what works with it."
