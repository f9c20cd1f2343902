"""What a model's last answer has to look like, and reading it: nothing of it is trusted."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from hypernb.agents._fences import plain, shortened
from hypernb.agents._prompts import redacted
from hypernb.errors import AgentAnswerError
from hypernb.model import Finish, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hypernb.model import AgentWork, ChatReply

JSON_AT_MOST: Final = 2_000_000
"""Characters of JSON that a model may write."""

REPAIRS_AT_MOST: Final = 2
"""How often in a row a model is told what is wrong with its answer."""

_EVIDENCE_CHARS: Final = 300
_PROBLEMS_AT_MOST: Final = 5
_PROBLEM_CHARS: Final = 300
_BLOCK: Final = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.DOTALL)

REPORT_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "summary": {"type": "string"},
        "claims": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "file": {"type": "string"},
                    "line": {"type": "integer"},
                    "severity": {"type": "string", "enum": [each.value for each in Severity]},
                    "message": {"type": "string"},
                },
                "required": ["file", "line", "severity", "message"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["summary", "claims"],
    "additionalProperties": False,
}
_RESULT_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"result": {"type": "integer"}},
    "required": ["result"],
    "additionalProperties": False,
}
_SCALARS: Final = ["string", "number", "boolean", "null"]


class MisfitError(ValueError):
    """An answer cannot be used; its text says why, as the model is told it.

    Attributes:
        quiet: The same without words of the answer.
    """

    def __init__(self, why: str, *, quiet: str = "") -> None:
        super().__init__(why)
        self.quiet = quiet or why


@dataclass(frozen=True, slots=True)
class Form:
    """What an answer has to be.

    Attributes:
        schema: JSON schema of it, of an object; empty if it is text.
        words: The same in words, for the model.
    """

    words: str
    schema: Mapping[str, Any]

    def read(self, text: str) -> Any:
        """Return what a model has written, as a value of this form.

        Raises:
            MisfitError: It is not of this form.
        """
        if not self.schema:
            if not text.strip():
                raise MisfitError("the answer is empty")
            return text.encode("utf-8", "replace").decode()
        value = read_json(text)
        if problems := list(schema_problems(self.schema, value)):
            said = "the JSON has another form"
            raise MisfitError(f"{said}: {'; '.join(problems)}", quiet=said)
        return value


def usable(reply: ChatReply) -> str:
    """Return the text of a last answer that is one.

    Raises:
        MisfitError: It is a refusal, or was cut off.
    """
    if reply.finish is Finish.FILTERED:
        raise MisfitError("the server's filter has cut it off")
    if reply.finish is Finish.REFUSED or (reply.refusal and not reply.text):
        said = plain(reply.refusal or reply.text, _PROBLEM_CHARS)
        raise MisfitError(f"it is a refusal: {said}", quiet="it is a refusal")
    if reply.finish is Finish.LENGTH:
        raise MisfitError(f"it was cut off after {len(reply.text):,} characters; write less")
    return reply.text


def answer_error(
    task: str, problem: str, evidence: str, *, quiet: str = ""
) -> AgentAnswerError:
    """Return the error of a task whose answers cannot be used; secrets are covered up.

    Args:
        task: Name of the task.
        problem: What is wrong, in words.
        evidence: What the model has said last.
        quiet: The problem without words of the answer; the same if empty.
    """
    shown = shortened(redacted(plain(evidence, 4 * _EVIDENCE_CHARS)), _EVIDENCE_CHARS)
    return AgentAnswerError(
        task,
        problem.rstrip("."),
        evidence=shown,
        quiet=quiet or problem.rstrip("."),
        characters=len(evidence),
        hint="Do it anew, give it another model, or say more exactly what is wanted.",
    )


def form_of(work: AgentWork) -> Form:
    """Return the form that the output of a task comes in."""
    if work.returns == "text":
        return Form("answer with the text that is the output, and nothing else", {})
    if work.returns == "value":
        said = (
            'answer with JSON and nothing else: {"result": N}, where N is the number of the '
            "tool's answer whose object is the output"
        )
        return Form(said, _RESULT_SCHEMA)
    if work.returns == "report":
        said = (
            "answer with JSON and nothing else, of the schema below. `summary` says in a few "
            "sentences what was done and found. What tools have reported is in the report "
            "already; `claims` are problems that you saw yourself in files you have read, each "
            "with its file and line, and may be empty"
        )
        return _json_form(said, REPORT_SCHEMA)
    return _json_form("answer with JSON and nothing else, of the schema below", _wrapped(work))


def _wrapped(work: AgentWork) -> dict[str, Any]:
    """Put the schema of an output into an object: servers hold models to nothing else."""
    if work.returns == "json":
        name, schema = "answer", work.answer or {}
    else:
        name, schema = "rows", _rows(work.answer)
    return {
        "type": "object",
        "properties": {name: schema},
        "required": [name],
        "additionalProperties": False,
        **{key: work.answer[key] for key in ("$defs", "definitions") if key in work.answer},
    }


def _rows(answer: Mapping[str, Any]) -> dict[str, Any]:
    if answer.get("type") == "array":
        return dict(answer)
    cells = {"type": "object", "additionalProperties": {"type": _SCALARS}}
    return {"type": "array", "items": dict(answer) or cells}


def _json_form(words: str, schema: Mapping[str, Any]) -> Form:
    said = json.dumps(schema, sort_keys=True, ensure_ascii=False)
    return Form(f"{words}:\n{said}", schema)


def unwrapped(work: AgentWork, answer: Any) -> Any:
    """Return the output from what `Form.read` has returned for ``json`` and ``table``."""
    if work.returns == "json":
        return answer["answer"]
    import pandas as pd

    return pd.DataFrame(answer["rows"])


def read_json(text: str) -> Any:
    r"""Return the JSON in a text, also if it stands in a code block or among words.

    Raises:
        MisfitError: There is none, or it holds what JSON cannot.

    Example:
        >>> read_json('Here it is:\n```json\n{"rows": 3}\n```')
        {'rows': 3}
    """
    if not text.strip():
        raise MisfitError("the answer is empty")
    if len(text) > JSON_AT_MOST:
        raise MisfitError(f"the answer has {len(text):,} characters; write less")
    first = ""
    for candidate in _candidates(text.strip()):
        try:
            value = json.loads(candidate, parse_constant=_refuse)
            orjson.dumps(value)
        except (ValueError, TypeError, RecursionError) as error:
            first = first or f"the answer is not JSON: {plain(str(error), _PROBLEM_CHARS)}"
        else:
            return value
    raise MisfitError(first, quiet="the answer is not JSON")


def _candidates(text: str) -> Iterator[str]:
    yield text
    if block := _BLOCK.search(text):
        yield block[1]
    for opening, closing in ("{}", "[]"):
        start, end = text.find(opening), text.rfind(closing)
        if 0 <= start < end:
            yield text[start : end + 1]


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def schema_problems(schema: Mapping[str, Any], value: Any) -> Iterator[str]:
    """Yield what is wrong with a value, a few words each, at most five.

    Example:
        >>> list(schema_problems({"type": "object", "required": ["rows"]}, {}))
        ["'rows' is a required property"]
    """
    from hypernb.plan import validator_of

    validator = validator_of(schema)
    try:
        for number, error in enumerate(validator.iter_errors(value)):
            if number == _PROBLEMS_AT_MOST:
                yield "and more"
                return
            where = "/".join(str(step) for step in error.absolute_path)
            said = f"at {where}: {error.message}" if where else error.message
            yield plain(said, _PROBLEM_CHARS)
    except Exception as error:  # noqa: BLE001 - a schema is data, and can be wrong in any way
        yield f"its schema cannot be followed: {plain(str(error), _PROBLEM_CHARS)}"
