"""How far a server is believed that says what its answers have used."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any, Final

from hypernb.model import TokenUse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hypernb.model import ModelSpec

_MOST_TIMES: Final = 10.0


@dataclass(frozen=True, slots=True)
class Counted:
    """What counts of an answer's use, and of its cost.

    Attributes:
        use: No more than was kept out of the budget for it.
        cost: The same, in dollars.
        claimed: What the server says instead; None if it is believed.
    """

    use: TokenUse
    cost: float
    claimed: TokenUse | None = None


class Trust:
    """Believes servers up to what is kept for a call, and then keeps more for the next ones.

    A server that always counts more than it was allowed, as some do that think before they
    answer, is so believed after its first calls, and no budget is overdrawn before.
    """

    def __init__(self) -> None:
        self._times: dict[tuple[str, str], tuple[float, float]] = {}

    def recall(self, claims: Iterable[Mapping[str, Any]]) -> None:
        """Learn from what an earlier runner has told; see `note`."""
        for told in claims:
            times = told.get("times")
            if isinstance(times, list) and len(times) == 2:  # noqa: PLR2004 - read, written
                place = (str(told.get("model")), str(told.get("host")))
                read, written = map(_bounded, times)
                self._times[place] = (read, written)

    def most(self, spec: ModelSpec, worst: TokenUse) -> TokenUse:
        """Return what is to be kept for a call that can use so much, going by others."""
        read, written = self._times.get((spec.name, spec.host), (1.0, 1.0))
        return TokenUse(
            input_tokens=ceil(worst.input_tokens * read),
            output_tokens=ceil(worst.output_tokens * written),
        )

    def count(self, spec: ModelSpec, said: TokenUse, kept: TokenUse) -> Counted:
        """Return what counts of what a server says, by what was kept for the call."""
        assert spec.price is not None  # noqa: S101 - without one nothing is kept
        read = min(said.input_tokens, kept.input_tokens)
        use = TokenUse(
            input_tokens=read,
            output_tokens=min(said.output_tokens, kept.output_tokens),
            cached_tokens=min(said.cached_tokens, read),
        )
        cost = min(spec.price.cost(said), spec.price.cost(kept))
        return Counted(use, cost, None if use == said else said)

    def note(
        self, spec: ModelSpec, said: TokenUse, worst: TokenUse, kept: TokenUse
    ) -> dict[str, Any] | None:
        """Keep more for the model's next calls; return what to tell, the first time.

        Args:
            worst: The most that the call can have used.
            kept: What was kept for it.
        """
        place = (spec.name, spec.host)
        known = self._times.get(place)
        read, written = known or (1.0, 1.0)
        self._times[place] = (
            max(read, _bounded(said.input_tokens / max(1, worst.input_tokens))),
            max(written, _bounded(said.output_tokens / max(1, worst.output_tokens))),
        )
        if known is not None:
            return None
        return {
            "model": spec.name,
            "host": spec.host,
            "input_tokens": [said.input_tokens, kept.input_tokens],
            "output_tokens": [said.output_tokens, kept.output_tokens],
            "times": list(self._times[place]),
        }


def _bounded(times: Any) -> float:
    if not isinstance(times, int | float) or not isfinite(times):
        return 1.0
    return min(max(float(times), 1.0), _MOST_TIMES)
