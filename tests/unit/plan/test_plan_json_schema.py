"""Schemas are checked by a library that is quick to load and fetches nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hypernb.plan import schema_refusal, validator_of

LOADED = """
import sys
from hypernb.plan import validator_of
assert not [*validator_of({"type": "string", "format": "uri"}).iter_errors("no address")]
print("rfc3987_syntax" in sys.modules, "lark" in sys.modules)
"""


def test_no_grammar_of_addresses_is_compiled() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


def test_reference_to_an_address_fetches_nothing() -> None:
    validator = validator_of({"$ref": "http://127.0.0.1:9/schema.json"})
    with pytest.raises(Exception, match="Unresolvable"):
        list(validator.iter_errors(3))


def test_schema_that_is_nested_without_end_is_refused() -> None:
    schema: dict[str, object] = {}
    for _ in range(100_000):
        schema = {"not": schema}
    assert schema_refusal(schema) == "it is nested too deeply"
