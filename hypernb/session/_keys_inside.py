"""Keys that lie in what is to be stored: they are refused, and not written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.codec import readable
from hypernb.errors import UsageError
from hypernb.redact import SHORTEST_KEY, keys_in, without_keys
from hypernb.session._hosting import keys_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic import BaseModel

    from hypernb.abc import Payload
    from hypernb.model import Digest, PlanSpec


_named: Final[set[str]] = set()
"""Variables that settings have named which this process has used, of whatever project."""


def secrets_here(root: Path | None) -> dict[str, str]:
    """Return the keys of models that this process has and that are secrets, by variable.

    Those of projects that it has worked in before are among them: what it has at hand for one
    mission can turn up in another.
    """
    keys = keys_here(root, _named.copy())
    _named.update(keys)
    return {name: key for name, key in keys.items() if len(key) >= SHORTEST_KEY}


def refuse_keys(
    spec: PlanSpec, payloads: Mapping[Digest, Payload] | None, root: Path | None
) -> None:
    """Refuse a plan, as it would be stored, that would bring a key into the store.

    Raises:
        UsageError: One of its values, or the plan itself, holds one.
    """
    secrets = secrets_here(root)
    if not secrets:
        return
    if _stands_in(spec, secrets):
        for what, part in _parts(spec):
            _refuse(what, _stands_in(part, secrets), secrets)
    names = {digest: f"the input {name!r}" for name, digest in spec.inputs.items()}
    for digest, payload in (payloads or {}).items():
        what = names.get(digest, f"what is handed in ({digest[:12]})")
        _refuse(what, keys_in(readable(payload), secrets), secrets)


def refuse_key_in(what: str, text: str, root: Path | None) -> None:
    """Refuse words that would bring a key into the store.

    Raises:
        UsageError: They hold one.
    """
    secrets = secrets_here(root)
    _refuse(what, keys_in([text.encode("utf-8", "replace")], secrets), secrets)


def _parts(spec: PlanSpec) -> Iterator[tuple[str, BaseModel]]:
    """Yield the parts of a plan with their names, and last the whole."""
    for task in spec.tasks:
        for name, schema in getattr(task.work, "schemas", {}).items():
            yield f"the tool {name!r}", schema
        yield f"the task {task.name!r}", task
    for name, model in spec.models.items():
        yield f"the address of the model {name!r}", model
    yield "the plan", spec


def _stands_in(part: BaseModel, secrets: Mapping[str, str]) -> list[str]:
    return keys_in([part.model_dump_json().encode()], secrets)


def _refuse(what: str, found: list[str], secrets: Mapping[str, str]) -> None:
    if found:
        named = without_keys(what, secrets.values())
        raise UsageError(
            f"{' and '.join(found)} stands in {named}, and keys are not stored.",
            hint="Leave it out; models are asked with it all the same.",
        )
