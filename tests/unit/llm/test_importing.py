"""What importing hypernb, and opening a model, does not import."""

from __future__ import annotations

import subprocess
import sys

import pytest

OPEN = """
from hypernb.llm import HostGate, open_model, worst_case
from hypernb.model import ModelSpec
open_model(ModelSpec(name="m", base_url="http://localhost:1/v1"), key="k", gate=HostGate())
"""


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import hypernb", id="hypernb"),
        pytest.param("import hypernb.llm", id="the-package"),
        pytest.param(OPEN, id="a-model-that-was-not-asked"),
    ],
)
def test_openai_is_not_imported_before_a_model_is_asked(code: str) -> None:
    heavy = "{'openai', 'httpx2', 'httpx', 'anyio', 'pandas', 'sqlalchemy', 'genai_prices'}"
    check = f"import sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{check}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
