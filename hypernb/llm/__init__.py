"""Asks models: the only package that knows openai, and the only layer that tries again."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hypernb.llm._gate import HostGate
from hypernb.llm._openai import open_model
from hypernb.llm._sizes import worst_case

if TYPE_CHECKING:
    from hypernb.llm._cache import CacheEntries as CacheEntries
    from hypernb.llm._cache import cached as cached
    from hypernb.llm._canonical import canonical as canonical
    from hypernb.llm._canonical import request_hash as request_hash
    from hypernb.llm._cassette import recording as recording
    from hypernb.llm._cassette import replaying as replaying
    from hypernb.llm._prices import is_loopback as is_loopback
    from hypernb.llm._prices import is_near as is_near
    from hypernb.llm._prices import price_of as price_of
    from hypernb.llm._probe import Probe as Probe
    from hypernb.llm._probe import list_models as list_models
    from hypernb.llm._probe import probe as probe
    from hypernb.llm._profiles import check_address as check_address
    from hypernb.llm._settings import ModelSettings as ModelSettings
    from hypernb.llm._settings import Setting as Setting
    from hypernb.llm._tape import Cassette as Cassette

_HOMES = {
    "CacheEntries": "hypernb.llm._cache",
    "Cassette": "hypernb.llm._tape",
    "ModelSettings": "hypernb.llm._settings",
    "Probe": "hypernb.llm._probe",
    "Setting": "hypernb.llm._settings",
    "cached": "hypernb.llm._cache",
    "canonical": "hypernb.llm._canonical",
    "check_address": "hypernb.llm._profiles",
    "is_loopback": "hypernb.llm._prices",
    "is_near": "hypernb.llm._prices",
    "list_models": "hypernb.llm._probe",
    "price_of": "hypernb.llm._prices",
    "probe": "hypernb.llm._probe",
    "recording": "hypernb.llm._cassette",
    "replaying": "hypernb.llm._cassette",
    "request_hash": "hypernb.llm._canonical",
}

__all__ = [
    "CacheEntries",
    "Cassette",
    "HostGate",
    "ModelSettings",
    "Probe",
    "Setting",
    "cached",
    "canonical",
    "check_address",
    "is_loopback",
    "is_near",
    "list_models",
    "open_model",
    "price_of",
    "probe",
    "recording",
    "replaying",
    "request_hash",
    "worst_case",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hypernb.llm' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
