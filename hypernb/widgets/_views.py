"""The views, each a widget: of one mission, of a part of it, or of many missions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import traitlets

from hypernb.clock import SystemClock
from hypernb.errors import HypernbError, UnknownTaskError, UsageError
from hypernb.session import Mission, Session, session_here
from hypernb.widgets._listing import LIVE, Listing
from hypernb.widgets._widget import HyperWidget, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypernb.model import MissionState

TABS: Final = ("plan", "graph", "board", "feed", "timeline", "result")
_ROWS: Final = 200


class OfMission(HyperWidget):
    """A view of one mission.

    Args:
        mission: A mission, its short id (``"m-7"``) or its number.
        density: ``comfortable`` or ``compact``.
        task: Name of a task to open.
        options: What every widget takes: ``layout``, ``tooltip``.

    Raises:
        UnknownMissionError: There is no such mission.
        UnknownTaskError: It has no such task.
        UsageError: No mission was given, an option is not known or has no meaning, or views
            were not built.
    """

    mission_id = traitlets.Unicode("", read_only=True, help="Short id of the mission.").tag(
        sync=True
    )
    task = traitlets.Unicode("", help="Name of the open task; empty if none is.").tag(sync=True)

    options: ClassVar[tuple[str, ...]] = ("density", "task")

    def __init__(
        self,
        mission: Mission | str | int | None = None,
        *,
        density: str = "comfortable",
        task: str = "",
        **options: Any,
    ) -> None:
        self._mission = mission if isinstance(mission, Mission) else _found(mission, type(self))
        record = self._mission.record
        self.set_trait("mission_id", record.short_id)
        self.set_trait("state", record.state.value)
        super().__init__(self._mission, density=density, task=task, **options)

    @property
    def mission(self) -> Mission:
        """The mission that is shown."""
        return self._mission

    @traitlets.validate("task")
    def _known_task(self, proposal: Any) -> str:
        name = str(proposal["value"])
        # A page knows the tasks; it need not wait for the store each time that one is opened.
        if name and not self._is_page_setting:
            plan = self._mission.session.store.plan(self._mission.record.id)
            names = [task.name for task in plan.tasks]
            if name not in names:
                raise UnknownTaskError(name, names)
        return name

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Show the view, and beside it how the mission stands, for who cannot run a view."""
        found: Any = super()._repr_mimebundle_(**kwargs)
        if found is None:
            return None
        data, about = found if isinstance(found, tuple) else (found, {})
        try:
            return {**data, **still(self._mission)}, about
        except HypernbError:  # a store that cannot be read; the view itself says so
            return data, about

    def _page(self) -> dict[str, str]:
        try:
            return still(self._mission, closed=True)
        except HypernbError:  # a store that cannot be read any more
            return super()._page()

    @property
    def _what(self) -> tuple[str, str]:
        return f"Mission {self.mission_id}", f"%hyper attach {self.mission_id}"

    def __repr__(self) -> str:
        state = self.state.replace("_", " ")
        return f"<{type(self).__name__} of {self.mission_id}: {state}{self._closed_note}>"


class MissionView(OfMission):
    """A mission: what it does, what it needs from you, and all its parts in tabs.

    ``tab``, ``density`` and ``task`` can be set at any time; they, ``state`` and ``seq`` can be
    observed.

    Args:
        mission: A mission, its short id (``"m-7"``) or its number.
        tab: ``plan``, ``graph``, ``board``, ``feed``, ``timeline`` or ``result``; by default
            the one that fits the mission's state.
        density: ``comfortable`` or ``compact``.
        task: Name of a task to open.
        options: What every widget takes: ``layout``, ``tooltip``.

    Raises:
        UnknownMissionError: There is no such mission.
        UsageError: An option is not known or has no meaning, or views were not built.

    Example:
        >>> view = MissionView("m-7", tab="board", density="compact")  # doctest: +SKIP
        >>> view.observe(lambda change: print(change.new), "state")  # doctest: +SKIP
    """

    component = traitlets.Unicode("mission", read_only=True).tag(sync=True)
    tab = traitlets.Unicode(
        "",
        help="The open tab: plan, graph, board, feed, timeline, result; empty for the one that "
        "fits the mission's state.",
    ).tag(sync=True)

    options: ClassVar[tuple[str, ...]] = ("density", "tab", "task")

    def __init__(
        self,
        mission: Mission | str | int,
        *,
        tab: str = "",
        density: str = "comfortable",
        task: str = "",
        **options: Any,
    ) -> None:
        super().__init__(mission, tab=tab, density=density, task=task, **options)

    @traitlets.validate("tab")
    def _known_tab(self, proposal: Any) -> str:
        return one_of("tab", proposal["value"], ("", *TABS))


class PlanView(OfMission):
    """The plan of a mission: what it allows, to be edited and approved."""

    component = traitlets.Unicode("plan", read_only=True).tag(sync=True)


class GraphView(OfMission):
    """The tasks of a mission and what needs what."""

    component = traitlets.Unicode("graph", read_only=True).tag(sync=True)


class SwarmBoard(OfMission):
    """The agents of a mission, and what each is at."""

    component = traitlets.Unicode("board", read_only=True).tag(sync=True)


class FeedView(OfMission):
    """The events of a mission."""

    component = traitlets.Unicode("feed", read_only=True).tag(sync=True)


class TimelineView(OfMission):
    """The attempts of a mission over time."""

    component = traitlets.Unicode("timeline", read_only=True).tag(sync=True)


class ResultView(OfMission):
    """What a mission came to."""

    component = traitlets.Unicode("result", read_only=True).tag(sync=True)


class OfSession(HyperWidget):
    """A list of missions, any of which can be opened in its place."""

    _states: ClassVar[Sequence[MissionState]] = ()

    def __init__(
        self,
        session: Session | None = None,
        *,
        density: str = "comfortable",
        **options: Any,
    ) -> None:
        whose = session or session_here()
        listing = Listing(whose, states=self._states, limit=_ROWS, clock=SystemClock())
        super().__init__(whose, listing, density=density, **options)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}{self._closed_note}>"


class History(OfSession):
    """All missions of a store, newest first, to be searched, compared, opened, forked.

    Args:
        session: Whose store; by default the kernel's.
        density: ``comfortable`` or ``compact``.
        options: What every widget takes: ``layout``, ``tooltip``.
    """

    component = traitlets.Unicode("history", read_only=True).tag(sync=True)


class HyperBoard(OfSession):
    """All missions of a store that are under way or wait for you, in one view.

    Args:
        session: Whose store; by default the kernel's.
        density: ``comfortable`` or ``compact``.
        options: What every widget takes: ``layout``, ``tooltip``.
    """

    component = traitlets.Unicode("hyper_board", read_only=True).tag(sync=True)
    _states: ClassVar[Sequence[MissionState]] = LIVE


def still(mission: Mission, *, closed: bool = False) -> dict[str, str]:
    """Return how a mission stands now as HTML that needs nothing else, and as text.

    Args:
        mission: Which one.
        closed: Whether it is what a closed view leaves.
    """
    from hypernb.views import mission_html, mission_text

    snapshot = mission.snapshot()
    report = mission.report() if snapshot.mission.state.is_final else None
    if not closed:
        mission.saw(snapshot.mission.plan_hash)
    return {
        "text/plain": mission_text(snapshot, result=report),
        "text/html": mission_html(snapshot, live=False, closed=closed, result=report),
    }


def _found(ref: object, view: type) -> Mission:
    """Return the mission that somebody names; never the newest because none is named."""
    is_one = isinstance(ref, str | int) and not isinstance(ref, bool) and str(ref).strip()
    if not is_one:
        what = "" if ref is None else f", which {ref!r:.80} is not"
        raise UsageError(
            f"{view.__name__} needs a mission{what}.",
            hint=f"Say which one: {view.__name__}('m-7'). %hyper ls lists them.",
        )
    return session_here().mission(ref)  # type: ignore[arg-type]
