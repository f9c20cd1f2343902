"""The egress lens: what of which variable leaves for which host, before approval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, overload

from hypernb.agents import OUTLINED_AT_MOST, true_notes
from hypernb.codec import decode
from hypernb.errors import ConfigError
from hypernb.model import AgentWork, CallState, Digest
from hypernb.redact import COVERED, SECRET, without_keys
from hypernb.session._keys_inside import secrets_here
from hypernb.session._models import settings_of
from hypernb.tools import egress, outline_variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pandas as pd

    from hypernb.abc import Payload
    from hypernb.model import PlanSpec
    from hypernb.session._mission import Mission
    from hypernb.session._session import Session
    from hypernb.tools import Egress

_SAYS_WHERE: Final = "The project's .hypernb/config.toml says where "


class Leaving(Sequence["Egress"]):
    """What leaves of a plan's variables: a sequence that shows itself in a notebook.

    Attributes:
        rows: What is known, to the last byte.
        later: What is not known yet, a line a task: answers of functions, outputs of needs.
        before: What planning has sent before there was a plan, and what of each variable.
        is_over: Nothing leaves any more.

    Example:
        >>> Leaving([])
        No variable leaves this machine.
    """

    def __init__(
        self,
        rows: Sequence[Egress],
        later: Sequence[str] = (),
        before: Sequence[str] = (),
        *,
        is_over: bool = False,
    ) -> None:
        self.rows = tuple(rows)
        self.later = tuple(later)
        self.before = tuple(before)
        self.is_over = is_over

    @overload
    def __getitem__(self, place: int) -> Egress: ...
    @overload
    def __getitem__(self, place: slice) -> Leaving: ...
    def __getitem__(self, place: int | slice) -> Egress | Leaving:
        return Leaving(self.rows[place]) if isinstance(place, slice) else self.rows[place]

    def __len__(self) -> int:
        return len(self.rows)

    def to_frame(self) -> pd.DataFrame:
        """Return it as a DataFrame, a row a variable and task."""
        import pandas as pd

        names = ("task", "variable", "model", "host", "size_bytes", "redactions", "text")
        return pd.DataFrame(
            [[getattr(each, name) for name in names] for each in self.rows],
            columns=list(names),
        )

    def __repr__(self) -> str:
        from hypernb.views import egress_text

        return egress_text(
            self.rows, later=self.later, before=self.before, is_over=self.is_over
        )

    def _repr_html_(self) -> str:
        from hypernb.views import egress_html

        return egress_html(self.rows, self.later, self.before, is_over=self.is_over)


def leaving(
    session: Session, spec: PlanSpec, payloads: Mapping[Digest, Payload] | None = None
) -> Leaving:
    """Return what would leave of a plan's variables; values are loaded where they are.

    Args:
        session: Of the store that holds the inputs.
        spec: The plan.
        payloads: Inputs of a plan that is not stored yet.
    """
    at_hand = payloads or {}

    def load(digest: Digest) -> Any:
        if digest in at_hand:
            return decode(at_hand[digest].media_type, at_hand[digest].data)
        return session.load(digest)

    from hypernb.views import leaves_later

    keys = tuple(secrets_here(session.root).values())
    rows = [_without_keys(each, keys) for each in egress(spec, load)]
    before = [without_keys(each, keys) for each in _before(spec, load)]
    return Leaving(rows, leaves_later(spec), before)


def left_so_far(mission: Mission, spec: PlanSpec) -> Leaving:
    """Return what leaves of a mission's variables, and what has left of tasks under way.

    Args:
        mission: In any state.
        spec: Its plan, with the models that it asks now.
    """
    from hypernb.views import leaves_later

    lens = leaving(mission.session, spec)
    if spec.is_replayed:
        return lens
    asked = _asked(mission)
    is_over = mission.state.is_final
    over = {name for name, task in mission.tasks.items() if is_over or task.state.is_final}
    rows: list[Egress] = []
    for each in lens.rows:
        hosts = asked.get(each.task, {})
        rows += [replace(each, host=host, left=left) for host, left in hosts.items()]
        if each.task not in over and each.host not in hosts:
            rows.append(each)
    later = leaves_later(spec, over=over, asked=asked)
    return Leaving(rows, later, lens.before, is_over=is_over)


def _asked(mission: Mission) -> dict[str, dict[str, str]]:
    """Return the hosts that a mission's tasks have asked, and whether they have answered."""
    hosts: dict[str, dict[str, str]] = {}
    for call in mission.session.store.calls(mission.record.id):
        if call.task and call.is_live:
            known = hosts.setdefault(call.task, {})
            is_answered = call.state is CallState.SETTLED or known.get(call.host) == "yes"
            known[call.host] = "yes" if is_answered else "perhaps"
    return hosts


def _before(spec: PlanSpec, load: Callable[[Digest], Any]) -> Iterator[str]:
    """Yield what planning has sent, and then its words on each variable."""
    from hypernb.views import says_told_planner

    sent = next(filter(says_told_planner, spec.notes), "")
    if not sent:
        return
    yield sent
    for name in sorted(spec.inputs)[:OUTLINED_AT_MOST]:
        yield outline_variable(name, load(Digest(spec.inputs[name])))


def _without_keys(each: Egress, keys: tuple[str, ...]) -> Egress:
    """Return it as it is sent: no key leaves, whatever else a grant lets through."""
    text = without_keys(each.text, keys)
    if text == each.text:
        return each
    more = text.count(COVERED) - each.text.count(COVERED)
    redactions = {**each.redactions, SECRET: each.redactions.get(SECRET, 0) + max(0, more)}
    return replace(each, text=text, size_bytes=len(text.encode()), redactions=redactions)


def told_in_notes(
    session: Session, spec: PlanSpec, payloads: Mapping[Digest, Payload] | None = None
) -> PlanSpec:
    """Return the plan with notes that say what leaves of each variable, and none that was so.

    They are part of what is approved, so a yes is a yes to these very bytes; how many each
    task tells stands in `PlanSpec.handed_in`. First comes which of its models are where the
    project's file says.
    """
    from hypernb.views import leaves, says_leaving

    first = _of_project(session, spec)
    kept = (n for n in true_notes(spec) if not (says_leaving(n) or n.startswith(_SAYS_WHERE)))
    rows: Sequence[Egress] = ()
    if any(isinstance(task.work, AgentWork) and task.work.variables for task in spec.tasks):
        rows = leaving(session, spec, payloads)
    last = dict.fromkeys(leaves(each) for each in rows)
    told = {"notes": (*first, *kept, *last), "handed_in": _handed_in(spec, rows)}
    same = all(getattr(spec, name) == value for name, value in told.items())
    return spec if same else spec.model_copy(update=told)


def _handed_in(spec: PlanSpec, rows: Iterable[Egress]) -> dict[str, int]:
    """Sum up what each task tells, but for those whose agent's own code decides it."""
    own = {
        task.name
        for task in spec.tasks
        if isinstance(task.work, AgentWork) and task.work.function
    }
    sizes: dict[str, int] = {}
    for each in rows:
        if each.task not in own:
            sizes[each.task] = sizes.get(each.task, 0) + each.size_bytes
    return sizes


def _of_project(session: Session, spec: PlanSpec) -> tuple[str, ...]:
    """Say where models are that the project's file has a profile for: it comes with a clone."""
    if not spec.models:
        return ()
    try:
        settings = settings_of(session, is_named=True)
    except ConfigError:
        return tuple(note for note in spec.notes if note.startswith(_SAYS_WHERE))
    found = [(name, settings.project_profile(name)) for name in spec.models]
    return tuple(
        f"{_SAYS_WHERE}{name!r} is: {spec.models[name].name} at {spec.models[name].host}, by "
        f"its profile {profile.name!r}."
        for name, profile in found
        if profile is not None and profile.base_url == spec.models[name].base_url
    )
