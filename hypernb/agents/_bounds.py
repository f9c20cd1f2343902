"""How much a model may still say and read in one attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hypernb.model import ChatReply

_NEAR_STEPS: Final = 2
_NEAR_SHARE: Final = 0.8
_CHARACTERS_A_TOKEN: Final = 3
_ROOM_TOKENS: Final = 2_000
_LEAST_OUTPUT: Final = 256
_CAPPED_BELOW: Final = 16_000


@dataclass
class Bounds:
    """Counts answers and tokens of one attempt.

    Attributes:
        steps: Answers of the model, at most.
        tokens: Tokens read and written, at most.
        asked: Answers so far.
        used: Tokens so far; guessed from the text where the server did not count.
    """

    steps: int
    tokens: int
    asked: int = 0
    used: int = 0

    @property
    def steps_left(self) -> int:
        """Answers that there may be yet."""
        return self.steps - self.asked

    @property
    def tokens_left(self) -> int:
        """Tokens that there may be yet; none if it is negative."""
        return self.tokens - self.used

    @property
    def is_near_the_end(self) -> bool:
        """Whether the model should finish; not said to who can answer only once or twice."""
        few = self.steps_left <= _NEAR_STEPS < self.steps
        return few or self.used > _NEAR_SHARE * self.tokens

    def is_last(self, characters: int) -> bool:
        """Whether the next answer has to be the last one.

        Args:
            characters: Size of the conversation, all of which is read again.
        """
        if self.steps_left <= 1:
            return True
        need = characters // _CHARACTERS_A_TOKEN + _ROOM_TOKENS
        return self.asked > 0 and self.tokens_left < 2 * need

    def output_at_most(self, characters: int) -> int | None:
        """Return how much the next answer may write; None where the model's own limit does."""
        left = self.tokens_left - characters // _CHARACTERS_A_TOKEN
        return None if left > _CAPPED_BELOW else max(left, _LEAST_OUTPUT)

    def begin(self) -> None:
        """Count an answer, whatever comes of it."""
        self.asked += 1

    def end(self, reply: ChatReply, *, asked: int) -> None:
        """Count the tokens of an answer."""
        if reply.use is not None and reply.use.total:
            self.used += reply.use.total
        else:
            written = len(reply.text) + sum(len(each.arguments) for each in reply.tool_calls)
            self.used += (asked + written) // _CHARACTERS_A_TOKEN
