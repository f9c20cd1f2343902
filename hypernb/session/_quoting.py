"""Quotes from what a store knows, and what was used beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, overload

from hypernb.errors import HypernbError
from hypernb.model import EventKind, Quote

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

    from hypernb.abc import Store
    from hypernb.model import Past, PlanSpec
    from hypernb.session._mission import Mission
    from hypernb.views import Used

_KEPT_AT_MOST: Final = 500
_QUOTED_AT_MOST: Final = 5_000
_MINUTE: Final = 60.0
NOT_KEPT: Final = "What was quoted was not kept with its approval."
_OF_NOW: Final = "This is what it is quoted now."


@dataclass(frozen=True)
class QuoteTable(Sequence[Quote]):
    """Quotes of tasks in plan order, and at last the one for the whole.

    Attributes:
        quotes: The quotes; empty if none were made.
        used: What was used, by task name; the whole is named ``""``. Empty before.
        planning: What a model has used to plan, which no quote is for; None if none did.
        note: What else is to be known of them.
    """

    quotes: tuple[Quote, ...]
    used: Mapping[str, Used] = field(default_factory=dict)
    planning: Used | None = None
    note: str = ""

    @property
    def whole(self) -> Quote | None:
        """The quote for all tasks together; None if there are no quotes."""
        return self.quotes[-1] if self.quotes else None

    @overload
    def __getitem__(self, place: int) -> Quote: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Quote]: ...
    def __getitem__(self, place: int | slice) -> Quote | Sequence[Quote]:
        return self.quotes[place]

    def __len__(self) -> int:
        return len(self.quotes)

    def to_frame(self) -> pd.DataFrame:
        """Return the quotes as a DataFrame; what is not known is missing."""
        import pandas as pd

        names = ("tokens", "dollars", "minutes")
        columns = [f"{name}_{end}" for name in names for end in ("p50", "p90")]
        rows = []
        for each in self.quotes:
            row: dict[str, Any] = {
                "task": each.task or "all",
                "source": each.source.value,
                "runs": each.runs,
            }
            for name in names:
                known = getattr(each, name)
                row[f"{name}_p50"] = known.p50 if known else None
                row[f"{name}_p90"] = known.p90 if known else None
            rows.append(row)
        frame = pd.DataFrame(rows, columns=["task", "source", "runs", *columns])
        return frame.astype(dict.fromkeys(columns, float))

    def __repr__(self) -> str:
        from hypernb.views import quotes_text

        return quotes_text(self.quotes, self.used, planning=self.planning, note=self.note)

    def _repr_html_(self) -> str:
        from hypernb.views import quotes_html

        return quotes_html(self.quotes, self.used, self.planning, note=self.note)


def quote(
    store: Store, spec: PlanSpec, *, past: Past | None = None, done: Collection[str] = ()
) -> QuoteTable:
    """Quote a plan from what the store knows; see `hypernb.session.Session.quote`."""
    from hypernb.plan import Experience, agents_with_models, quote_plan

    histories = {
        (agent, model): store.task_history(agent, model)
        for agent, model in sorted(agents_with_models(spec))
    }
    earlier = store.past_of(spec) if past is None else past
    known = Experience(histories, earlier)
    return QuoteTable(quote_plan(spec, known, done=done))


def quote_to_show(mission: Mission) -> QuoteTable:
    """Return what was quoted, else what is quoted now; see `Mission.quote_to_show`."""
    if mission.record.started_at is None:
        return mission.quote()
    return mission.quoted() or replace(mission.quote(), note=f"{NOT_KEPT} {_OF_NOW}")


def to_keep(mission: Mission) -> tuple[Quote, ...]:
    """Return the quotes that the event of an approval keeps.

    Of a large plan only the one for the whole, and of a very large one none: a yes must not
    wait. Nothing that goes wrong here keeps anybody from approving.
    """
    try:
        if _tasks(mission) > _QUOTED_AT_MOST:
            return ()
        quotes = mission.quote().quotes
    except HypernbError:
        return ()
    return quotes if len(quotes) <= _KEPT_AT_MOST else quotes[-1:]


def _tasks(mission: Mission) -> int:
    """Count the tasks without reading them, or the plan."""
    kinds = (EventKind.PLAN_PROPOSED, EventKind.PLAN_EDITED)
    return sum(
        int(event.payload.get("tasks", 0))
        for event in mission.events(kinds=kinds, newest=True, limit=1)
    )


def quoted(mission: Mission) -> QuoteTable:
    """Return the quotes as of the approval, beside what was used; see `Mission.quoted`."""
    return QuoteTable(kept_quotes(mission), _used(mission), _planning(mission))


def kept_quotes(mission: Mission) -> tuple[Quote, ...]:
    """Return the quotes that the approval of the current revision has kept."""
    for event in mission.events(kinds=(EventKind.PLAN_APPROVED,), newest=True, limit=1):
        if event.payload.get("plan_hash") == mission.record.plan_hash:
            return _read(event.payload.get("quotes"))
    return ()


def _planning(mission: Mission) -> Used | None:
    """Return what planning has used, which no quote is for; None if no model has planned."""
    from hypernb.views import Used

    sums = mission.session.store.usage_sums(("task",), mission_id=mission.record.id)
    for each in sums:
        if each.keys == ("",) and each.calls:
            tokens = each.input_tokens + each.output_tokens
            return Used(tokens, each.cost, each.unknown, None, each.at_most)
    return None


def _read(told: Any) -> tuple[Quote, ...]:
    if not isinstance(told, list):
        return ()
    try:
        return tuple(Quote.of(each) for each in told)
    except ValueError:  # a later version's, or not hypernb's: there are no quotes then
        return ()


def _used(mission: Mission) -> dict[str, Used]:
    from hypernb.views import Used

    store, record = mission.session.store, mission.record
    tasks = {task.id: task for task in store.tasks(record.id)}
    tokens: dict[str, int] = {}
    dollars: dict[str, float] = {}
    for paid in store.usage(record.id):
        owner = tasks.get(paid.task_id) if paid.task_id else None
        # Planning is paid before there is a quote, and none is for it.
        for name in (owner.name, "") if owner else ():
            used = paid.usage.input_tokens + paid.usage.output_tokens
            tokens[name] = tokens.get(name, 0) + used
            dollars[name] = dollars.get(name, 0.0) + paid.usage.cost
    unknown: dict[str, int] = {}
    at_most: dict[str, int] = {}
    for call in store.calls(record.id):
        counted = unknown if call.has_unknown_cost else at_most if call.is_lost else {}
        for name in (call.task, "") if call.task else ():
            counted[name] = counted.get(name, 0) + 1
    minutes = {task.name: task.worked_s / _MINUTE for task in tasks.values() if task.started_at}
    if (took_s := record.took_s()) is not None:
        minutes[""] = took_s / _MINUTE
    return {
        name: Used(
            tokens.get(name, 0),
            dollars.get(name, 0.0),
            unknown.get(name, 0),
            minutes.get(name),
            at_most.get(name, 0),
        )
        for name in (*(task.name for task in tasks.values()), "")
    }
