"""Keys that lie in what is to be stored: they are refused, and not written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.errors import UsageError
from hypernb.session._hosting import keys_here

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hypernb.abc import Payload
    from hypernb.model import Digest, PlanSpec

_SHORTEST: Final = 8
"""Shorter ones are no secrets (``ollama``, ``none``), and would be found in many a value."""


def secrets_here(root: Path | None) -> dict[str, str]:
    """Return the keys of models that this process has and that are secrets, by variable."""
    return {name: key for name, key in keys_here(root).items() if len(key) >= _SHORTEST}


def refuse_keys(
    spec: PlanSpec, payloads: Mapping[Digest, Payload] | None, root: Path | None
) -> None:
    """Refuse a plan that would bring a key into the store.

    Raises:
        UsageError: One of its values, or the plan itself, holds one.
    """
    secrets = secrets_here(root)
    if not secrets:
        return
    names = {digest: f"the input {name!r}" for name, digest in spec.inputs.items()}
    texts = {"the plan": spec.model_dump_json().encode()}
    texts |= {
        names.get(digest, f"what is handed in ({digest[:12]})"): payload.data
        for digest, payload in (payloads or {}).items()
    }
    for what, data in texts.items():
        for variable, key in secrets.items():
            if key.encode() in data:
                raise UsageError(
                    f"{variable} stands in {what}, and keys are not stored.",
                    hint="Leave it out; models are asked with it all the same.",
                )
