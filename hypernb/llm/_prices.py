"""What models cost: from a list that is a package, or from what the user says."""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from hypernb.model import Price

if TYPE_CHECKING:
    from collections.abc import Mapping


_NEAR: Final = (".local", ".lan", ".internal", ".home.arpa", ".localhost")
HERE: Final = Price(input=0, output=0, source="runs on your machine")
"""Of a server at an address of this machine that needs no key: it sends no bill."""


def price_of(
    model: str,
    base_url: str,
    overrides: Mapping[str, Price] | None = None,
    *,
    key: str | None = None,
) -> Price | None:
    """Return what a model costs at a host; None if nobody knows, which is not 0.

    The list is that of the installed ``genai-prices``; nothing is fetched. Of prices that rise
    with the length of a request, those of short ones are taken, and the source says so.

    Args:
        overrides: Prices by model, which go before the list.
        key: Name of the variable with the server's key; empty if it needs none, None if
            nobody has said. What runs on this machine and needs none costs nothing.

    Example:
        >>> price_of("qwen3", "http://localhost:11434/v1") is None
        True
        >>> price_of("qwen3", "http://localhost:11434/v1", key="").source
        'runs on your machine'
    """
    if overrides and model in overrides:
        return overrides[model]
    if key == "" and is_loopback(base_url):
        return HERE
    found = _found(model, base_url)
    today = datetime.now(UTC)  # noqa: TID251 - a plan keeps the price of the day it was made
    prices = None if found is None else found.get_prices(today)
    read, written = (_rate(prices, name) for name in ("input_mtok", "output_mtok"))
    if read is None or written is None:
        return None
    return Price(
        input=read,
        output=written,
        cached=_rate(prices, "cache_read_mtok"),
        source=_source(prices),
    )


def context_of(model: str, base_url: str) -> int | None:
    """Return how many tokens a model can read and write in one call; None if unknown."""
    window = getattr(_found(model, base_url), "context_window", None)
    return window if isinstance(window, int) and window > 0 else None


def is_known_model(name: str) -> bool:
    """Tell whether the list of prices has a model of that name, of whatever provider."""
    from genai_prices import data_snapshot

    try:
        return bool(data_snapshot.get_snapshot().find_provider_model(name, None, None, None))
    except LookupError:
        return False


def is_loopback(base_url: str) -> bool:
    """Tell whether an address is on this machine.

    Example:
        >>> [is_loopback(f"http://{host}/v1") for host in ("localhost:1234", "[::1]", "x.org")]
        [True, True, False]
    """
    try:
        host = urlsplit(base_url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_near(base_url: str) -> bool:
    """Tell whether an address is on this machine or in its own network.

    Example:
        >>> hosts = ("localhost:1", "192.168.0.7", "gpu-box", "gpu.local", "api.openai.com")
        >>> [is_near(f"http://{host}/v1") for host in hosts]
        [True, True, True, True, False]
    """
    try:
        host = urlsplit(base_url).hostname or ""
    except ValueError:
        return False
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(_NEAR)


def _found(model: str, base_url: str) -> Any:
    parts = urlsplit(base_url)
    if is_loopback(base_url) or parts.scheme != "https":
        return None
    from genai_prices import data_snapshot

    # With a slash: patterns of hosts have no end, and would take models.example.org.evil.org.
    address = f"https://{parts.hostname}/{parts.path.lstrip('/')}"
    snapshot = data_snapshot.get_snapshot()
    try:
        provider = snapshot.find_provider(None, None, address)
        if not _is_host_of(provider.api_pattern, f"https://{parts.hostname}"):
            return None
        return snapshot.find_provider_model(model, provider, None, None)[1]
    except LookupError:
        return None


def _is_host_of(pattern: str, address: str) -> bool:
    """Tell whether a pattern of addresses takes the whole host, not only its beginning."""
    found = re.match(pattern, address + "/")
    return found is None or found.end() >= len(address) or pattern.endswith((".", "/"))


def _rate(prices: Any, name: str) -> float | None:
    rate = getattr(prices, name, None)
    rate = getattr(rate, "base", rate)
    return None if rate is None else float(rate)


def _source(prices: Any) -> str:
    from genai_prices import __version__

    tiers = [
        tier.start
        for name in ("input_mtok", "output_mtok")
        for tier in getattr(getattr(prices, name, None), "tiers", ())
    ]
    upto = f", for requests of up to {min(tiers):,} tokens" if tiers else ""
    return f"genai-prices {__version__}{upto}"
