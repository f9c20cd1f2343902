"""The shapes of states: each says without colour what the word beside it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.views._markup import Html, el, join

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.model import Severity
    from hypernb.views.words import StateWord

# Drawn on a field of 16 by 16. `o` is drawn as an outline, `f` is filled, `k` is cut out of
# what lies below it.
_SHAPES: Final[Mapping[str, str]] = {
    "planning": '<path class="o" d="M3 13l.8-3.4 7-7 2.6 2.6-7 7z"/>',
    "pending": '<circle class="o" cx="8" cy="8" r="6" stroke-dasharray="2.7 2"/>',
    "ready": '<circle class="o" cx="8" cy="8" r="6"/><circle class="f" cx="8" cy="8" r="2.3"/>',
    "running": '<path class="f" d="M3 1.5v13L14.5 8z"/>',
    "verifying": '<circle class="o" cx="6.5" cy="6.5" r="4.5"/>'
    '<path class="o w" d="M10 10l4.2 4.2"/>',
    "awaiting": '<path class="f" d="M8 .5L15.5 8 8 15.5.5 8z"/>'
    # An exclamation mark: a question mark in a diamond is how broken text looks.
    '<path class="k" d="M8 4.4v4.4M8 11.4v.3"/>',
    "stalled": '<path class="o" d="M3 1.5h10M3 14.5h10"/>'
    '<path class="o" d="M4.5 2c0 3.5 3.5 4 3.5 6s-3.5 2.5-3.5 6"/>'
    '<path class="o" d="M11.5 2c0 3.5-3.5 4-3.5 6s3.5 2.5 3.5 6"/>'
    '<path class="f" d="M5.5 13.5L8 10l2.5 3.5z"/>',
    "waiting": '<circle class="o" cx="8" cy="8" r="6"/><path class="o" d="M8 4.5V8l2.6 1.8"/>',
    "refused": '<circle class="o" cx="8" cy="8" r="6"/><path class="o" d="M5 8h6"/>',
    "paused": '<path class="f" d="M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z"/>',
    "succeeded": '<circle class="f" cx="8" cy="8" r="7"/>'
    '<path class="k" d="M4.7 8.3L7 10.6l4.4-5"/>',
    "failed": '<rect class="f" x="1.5" y="1.5" width="13" height="13" rx="1.5"/>'
    '<path class="k" d="M5 5l6 6M11 5l-6 6"/>',
    "cancelled": '<circle class="o" cx="8" cy="8" r="6"/>'
    '<path class="o" d="M3.8 12.2l8.4-8.4"/>',
    "rejected": '<path class="o" d="M8 1.3L14.7 8 8 14.7 1.3 8z"/>'
    '<path class="o" d="M6 6l4 4M10 6l-4 4"/>',
    "skipped": '<path class="o w" d="M2.5 3l5 5-5 5M8.5 3l5 5-5 5"/>',
    "abandoned": '<rect class="o" x="2" y="2" width="12" height="12" rx="1.5" '
    'stroke-dasharray="2.6 2"/><path class="o" d="M5.2 8h5.6"/>',
    "none": '<path class="o" d="M3 8h10"/>',
}


def icon(shape: str, role: str) -> Html:
    """Draw a shape in the colour of its role. The word must stand beside it."""
    drawn = Html(_SHAPES[shape])
    return el(
        "svg",
        drawn,
        cls=f"ico r-{role}",
        viewBox="0 0 16 16",
        width=14,
        height=14,
        aria_hidden="true",
    )


def shape_of(shape: str) -> Html:
    """Return the drawing alone, for use inside another drawing."""
    return Html(_SHAPES[shape])


def state(known: StateWord, *more: str, strong: bool = False) -> Html:
    """Show a state: shape, word, and what else belongs to it."""
    said = known.word.capitalize() if strong else known.word
    words = el("b", said) if strong else el("span", ", ".join((said, *filter(None, more))))
    return el("span", icon(known.shape, known.role), Html(" "), words, cls="state")


def severity(level: Severity) -> Html:
    """Show a severity: four rising bars, and the word."""
    bars = el(
        "span",
        join(el("i") for _ in range(4)),
        cls=f"lvl l{level.rank + 1}",
        aria_hidden="true",
    )
    return el("span", bars, Html(" "), level.value, cls="sev")
