"""A pattern, the word that is put in the place of what it finds, and who judges that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import re
    from collections import Counter
    from collections.abc import Callable

SECRET: Final = "secret"  # noqa: S105 - what stands for one
COVERED: Final = f"[{SECRET}]"


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern and what is done with what it finds.

    Attributes:
        pattern: What its group ``kept`` finds stays, in front of what is covered up.
        judge: Says whether it is what it looks like; what is not stays.
        needs: One of these stands in each text that it finds something in.
    """

    pattern: re.Pattern[str]
    word: str = SECRET
    judge: Callable[[re.Match[str]], bool] | None = None
    needs: tuple[str, ...] = ("",)

    def apply(self, text: str, counts: Counter[str]) -> str:
        if not any(each in text for each in self.needs):
            return text

        def cover(found: re.Match[str]) -> str:
            if self.judge is not None and not self.judge(found):
                return found[0]
            counts[self.word] += 1
            kept = found.groupdict().get("kept") or ""
            return f"{kept}[{self.word}]"

        return self.pattern.sub(cover, text)
