"""Asks models: the only package that knows openai, and the only layer that tries again."""

from hypernb.llm._gate import HostGate
from hypernb.llm._openai import open_model
from hypernb.llm._sizes import worst_case

__all__ = ["HostGate", "open_model", "worst_case"]
