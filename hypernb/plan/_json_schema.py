"""JSON schemas: of arguments and outputs, checked by the library and by nothing else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsonschema import Draft202012Validator

_GRAMMAR: Final = "rfc3987_syntax"


def validator_of(schema: Mapping[str, Any]) -> Draft202012Validator:
    """Return what checks values against a schema; it fetches nothing, and checks no formats.

    Example:
        >>> [each.message for each in validator_of({"type": "integer"}).iter_errors("3")]
        ["'3' is not of type 'integer'"]
    """
    _load()
    from jsonschema import Draft202012Validator
    from referencing import Registry

    # A registry of our own, empty: a reference to an address must fetch nothing.
    return Draft202012Validator(dict(schema), registry=Registry())


def schema_refusal(schema: Mapping[str, Any]) -> str:
    """Say why something is no JSON schema; empty if it is one.

    Example:
        >>> schema_refusal({"type": "number"}), schema_refusal({"type": 3})[:11]
        ('', '3 is not va')
    """
    _load()
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        return str(error.message)
    except RecursionError:
        return "it is nested too deeply"
    return ""


def _load() -> None:
    """Import the library without the grammar that it compiles for formats of addresses.

    Where that grammar is installed, as with JupyterLab, it takes a second and more
    (jsonschema 4.26); no format is ever checked here.
    """
    if "jsonschema" in sys.modules or _GRAMMAR in sys.modules:
        return
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # that is how an import is refused
    try:
        import jsonschema  # noqa: F401
    finally:
        del sys.modules[_GRAMMAR]
