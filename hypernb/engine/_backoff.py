"""How long to wait before the next try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

LONGEST_S: Final = 300.0


def backoff_s(
    failures: int, base_s: float, rng: Random, *, longest_s: float = LONGEST_S
) -> float:
    """Return the wait before the next try: exponential, with full jitter.

    Full jitter spreads tasks that failed together, say on a busy server, over the whole wait,
    so that they do not come back together.

    Args:
        failures: How many tries have failed, at least 1.
        base_s: The longest wait after the first failure; it doubles with each further one.

    Example:
        >>> from random import Random
        >>> 0 <= backoff_s(3, 0.5, Random(7)) <= 2.0
        True
    """
    # Beyond 2**60 a float loses nothing here, and an int would grow without end.
    ceiling = min(longest_s, base_s * 2.0 ** min(failures - 1, 60))
    return rng.uniform(0.0, ceiling)
