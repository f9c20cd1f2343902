"""Where missions are shown, and how: as a live view, as HTML or as text, and why so."""

from __future__ import annotations

import importlib.util
import logging
import os
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.session import Mission

_log = logging.getLogger(__name__)

ENV_VIEWS: Final = "HYPERNB_VIEWS"
ANSWER_WITHIN_S: Final = 10.0

_STATIC: Final = Path(__file__).parents[1] / "widgets" / "static"
_BUILT: Final = ("hypernb.js", "hypernb.css")
_NEEDED: Final = ("ipywidgets", "anywidget")
_BUILD: Final = "In a clone, `make widgets` builds them; a wheel of hypernb has them."


class Rung(StrEnum):
    """A rung of the ladder that views climb."""

    WIDGET = "widget"
    HTML = "html"
    TEXT = "text"


TITLES: Final = {
    Rung.WIDGET: "live view",
    Rung.HTML: "static HTML, updated in place",
    Rung.TEXT: "text",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What decides about the rung.

    Attributes:
        has_kernel: There is a kernel, and so more than a terminal.
        is_headless: Nobody is there to click or type.
        wanted: What ``HYPERNB_VIEWS`` says; empty if it is not set.
        missing: Why no live view can be made here; empty if one can.
        mend: What to do about that.
    """

    has_kernel: bool
    is_headless: bool
    wanted: str = ""
    missing: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Footing:
    """The rung on which missions are shown, why, and what to do to get higher."""

    rung: Rung
    why: str
    next_step: str = ""

    @property
    def told(self) -> str:
        """The rung and the reason in one sentence, as the doctor says it."""
        return f"{TITLES[self.rung]}: {self.why}"


@dataclass(frozen=True, slots=True)
class Greeting:
    """A front end that has answered a live view.

    Attributes:
        front_end: Its name; empty if none answered in time.
        at_s: When, by the clock of `time.monotonic`.
        late_clicks: Why clicks wait for the cell that runs; empty if they do not.
    """

    front_end: str
    at_s: float
    late_clicks: str = ""


class Greetings:
    """What is known of the front ends of this process's live views: the last one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: Greeting | None = None

    def heard(self, front_end: str, *, late_clicks: str = "") -> None:
        """Note that a front end shows a live view.

        Args:
            front_end: Its name, as it gave it.
            late_clicks: Why clicks wait for the cell that runs; empty if they do not.
        """
        self._last = Greeting(front_end or "a front end", self._clock(), late_clicks)

    def unanswered(self) -> None:
        """Note that nobody answered a live view in time."""
        self._last = Greeting("", self._clock())

    def footing(self, chosen: Footing) -> Footing:
        """Say what became of a choice: a live view is only one if somebody shows it."""
        from hypernb.views.words import duration

        if chosen.rung is not Rung.WIDGET:
            return chosen
        last = self._last
        if last is None:
            return Footing(chosen.rung, "no mission was shown yet, so none was answered")
        if not last.front_end:
            return Footing(
                Rung.HTML,
                f"no front end answered a live view within {ANSWER_WITHIN_S:.0f} s",
                "Where JupyterLab runs: pip install --upgrade jupyterlab_widgets anywidget; "
                "then reload the page.",
            )
        ago = duration(round(self._clock() - last.at_s))
        clicks = last.late_clicks or "clicks work while a cell runs"
        return Footing(chosen.rung, f"{last.front_end} answered {ago} ago, {clicks}")


greetings: Final = Greetings()


class Retries:
    """Tells those who show missions in this process that one goes on after its end."""

    def __init__(self) -> None:
        self._takers: list[Callable[[Mission], None]] = []

    def tell_to(self, take: Callable[[Mission], None]) -> None:
        """Call this with each mission that is tried again, in the thread that asks for it."""
        self._takers.append(take)

    def tell(self, mission: Mission) -> None:
        """Tell that a mission is tried again."""
        for take in self._takers:
            try:
                take(mission)
            except Exception:  # noqa: BLE001 - a view must not keep anybody from a retry
                _log.exception("A view of %s does not follow its retry.", mission.id)


retries: Final = Retries()


def choose(evidence: Evidence) -> Footing:
    """Choose the highest rung that the evidence allows.

    Raises:
        ConfigError: ``HYPERNB_VIEWS`` names no rung.
    """
    wanted = evidence.wanted
    if wanted and wanted not in [rung.value for rung in Rung]:
        raise ConfigError(
            f"Missions cannot be shown as {wanted!r}, which {ENV_VIEWS} asks for.",
            hint=nearest(wanted, [rung.value for rung in Rung]),
        )
    asked = f"{ENV_VIEWS}={wanted}"
    if not evidence.has_kernel:
        return Footing(Rung.TEXT, "a terminal")
    if wanted in (Rung.TEXT, Rung.HTML):
        return Footing(Rung(wanted), asked)
    if evidence.missing:
        return Footing(Rung.HTML, evidence.missing, evidence.mend)
    if evidence.is_headless and not wanted:
        return Footing(Rung.HTML, "nobody is there to click")
    return Footing(Rung.WIDGET, asked if wanted else "a notebook with somebody at it")


def look_around(shell: Any) -> Evidence:
    """Gather what decides about the rung.

    Args:
        shell: IPython's shell, or None where there is none.
    """
    missing, mend = _missing()
    return Evidence(
        has_kernel=getattr(shell, "kernel", None) is not None,
        is_headless=is_headless(shell),
        wanted=os.environ.get(ENV_VIEWS, "").strip(),
        missing=missing,
        mend=mend,
    )


def is_headless(shell: Any) -> bool:
    """Tell whether nobody is there to click or type.

    nbclient, and so papermill, nbval and nbconvert, execute with ``allow_stdin`` false; every
    interactive front end sets it.
    """
    said = os.environ.get("HYPERNB_HEADLESS")
    if said is not None:
        return said not in ("", "0")
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return False
    content = kernel.get_parent("shell").get("content", {})
    return not content.get("allow_stdin", True)


def _missing() -> tuple[str, str]:
    absent = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if absent:
        names = " and ".join(absent)
        return f"{names} cannot be imported", f"pip install {' '.join(absent)}"
    if not all((_STATIC / name).is_file() for name in _BUILT):
        return "the live views were not built", _BUILD
    return "", ""
