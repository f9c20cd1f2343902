"""Plans of a goal: by a model where one is configured, and by rules where none is."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import (
    BudgetExhaustedError,
    ConfigError,
    KeyMissingError,
    ModelError,
    ModelUnavailableError,
    NoPlanError,
    PlanProblem,
    PlanProblemsError,
    ReplayMissError,
    UnknownNameError,
)
from hypernb.model import AgentWork, PlanSpec, is_replay
from hypernb.session._apart import apart
from hypernb.session._cassettes import model_of
from hypernb.session._keys_inside import refuse_keys
from hypernb.session._models import settings_of
from hypernb.session._planning_kept import Planning, kept_if_it_ends
from hypernb.session._planning_progress import Progress
from hypernb.session._terms import settled_terms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from hypernb.abc import ModelWait
    from hypernb.agents import Circumstances, Proposal
    from hypernb.llm import ModelSettings
    from hypernb.model import Grant, ModelSpec, RoleCard
    from hypernb.plan import Plan
    from hypernb.session._planning_calls import Ledger
    from hypernb.session._session import Session

DEADLINE_S: Final = 120.0
"""Seconds that planning by a model may take; after them, rules plan."""

UNREACHED_S: Final = 20.0
"""Seconds that a server which cannot be asked is tried: somebody sits before the cell."""

REFUSED_S: Final = 3.0
"""The same of one on this machine: it is not on its way, but was not started."""

_ASKED_FOR: Final = "you asked for a plan without a model"


@dataclass(frozen=True)
class Wish:
    """What a person asks for.

    Attributes:
        goal: In words; taken literally.
        agents: Only these agents; any if empty.
        inputs: Values handed in, by name.
        model: Name of the model that is to plan and to work; empty for the configured one.
        offline: Ask no model.
        contract: Fields of the plan that the person sets.
        on_progress: Told a few words on what planning is doing.
        grants: How much of each input may be seen.
        tools: The only tools that agents may use; all that they have if empty.
        is_unseen: Nobody will read the plan, so no other may take its place.
    """

    goal: str
    agents: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""
    offline: bool = False
    contract: Mapping[str, Any] = field(default_factory=dict)
    on_progress: Callable[[str], None] = lambda _words: None
    grants: Mapping[str, Grant] = field(default_factory=dict)
    tools: tuple[str, ...] = ()
    is_unseen: bool = False

    @property
    def is_replayed(self) -> bool:
        """A cassette answers, also what is asked for the plan."""
        return is_replay(self.contract.get("cassette"))


def plan_wish(session: Session, wish: Wish) -> Plan:
    """Plan a goal; if no model can, rules do, and the plan's notes say why.

    Raises:
        GoalError: The goal is empty or too long.
        KeyMissingError: The key of the configured model is not in the environment.
        ModelError: The model that was named cannot be asked.
        NoPlanError: The model that was named, or whose plan nobody reads, has made none.
        PlanningInterruptedError: A person has stopped the planning.
        ReplayMissError: A cassette is replayed, and has no plan for this goal.
        PlanProblemsError: There is a budget, and nobody knows what the model costs.
        ConfigError: A model was named where the environment says that none is asked; or a
            cassette was, and which model it is of cannot be known.
    """
    from hypernb.agents import check_goal

    check_goal(wish.goal)
    if wish.offline:
        return _by_rules(session, wish, because=_ASKED_FOR)
    settings = settings_of(session, is_named=bool(wish.model))
    models = _Models.of(session, settings, wish)
    if models is None:
        _refuse_named(settings, wish)
        if asked := _cassette_asked(wish, settings):
            # Another plan than the one that was recorded is not what is wanted.
            wish = replace(wish, model=model_of(asked, settings))
            models = _Models.of(session, settings, wish)
    if models is None:
        because = f"{settings.source_of_mode} says offline" if settings.is_offline else ""
        plan = _by_rules(session, wish, because=because)
        if hint := settings.hint():
            plan.notes = (*plan.notes, hint)
        return plan
    terms = settled_terms(session, settings, wish.goal, wish.contract)
    return _by_model(session, replace(wish, contract=terms), models, settings)


def equipped(session: Session, spec: PlanSpec) -> PlanSpec:
    """Return a plan with the models that its tasks name, and all that agents need."""
    from hypernb.agents import equip

    known = _with_fingerprints(session, _with_named_models(session, spec))
    return equip(known, session.agents(spec.root))


def _with_fingerprints(session: Session, spec: PlanSpec) -> PlanSpec:
    """Return a plan that says of each key that is here which it is; also of models by hand."""
    models = {
        name: model.model_copy(update={"key_id": session.store.fingerprint(key)})
        for name, model in spec.models.items()
        if not model.key_id and (key := os.environ.get(model.key, "").strip())
    }
    return spec.model_copy(update={"models": {**spec.models, **models}}) if models else spec


def _with_named_models(session: Session, spec: PlanSpec) -> PlanSpec:
    works = [task.work for task in spec.tasks if isinstance(task.work, AgentWork)]
    named = {work.model for work in works if work.model} - set(spec.models)
    if not named:
        return spec
    settings = settings_of(session)
    models = dict(spec.models)
    for name in sorted(named):
        found = settings.resolve(name, fingerprint=session.store.fingerprint)
        if found is not None:
            # By the name that the task has for it, whatever the configuration calls it.
            models[name] = found[1]
    return spec.model_copy(update={"models": models})


@dataclass(frozen=True)
class _Models:
    """Who plans, and which models the agents may have.

    Attributes:
        planner: What plans call the model that plans.
        known: All, by those names.
        cards: The agents that may take part.
        of_agents: Names of their models.
        profiles: Names of the user's own, for whoever has named the wrong one.
    """

    planner: str
    known: Mapping[str, ModelSpec]
    cards: Mapping[str, RoleCard]
    of_agents: Mapping[str, str]
    profiles: tuple[str, ...] = ()

    @classmethod
    def of(cls, session: Session, settings: ModelSettings, wish: Wish) -> _Models | None:
        """Return the models of a wish; None if none is configured."""
        from hypernb.agents import STRATEGIST, pick_cards

        found = settings.resolve(
            wish.model, agent=STRATEGIST, fingerprint=session.store.fingerprint
        )
        if found is None:
            return None
        planner, spec = found
        known = {planner: spec}
        of_agents = {}
        cards = pick_cards(session.agents(), wish.agents)
        for name, card in cards.items():
            other = settings.resolve(
                wish.model or card.model,
                agent=name,
                fingerprint=session.store.fingerprint,
                is_foreign=not wish.model and _is_foreign(card, session.root),
            )
            alias, theirs = other or found
            known.setdefault(alias, theirs)
            of_agents[name] = alias
        return cls(planner, known, cards, of_agents, settings.own_profiles())


def _is_foreign(card: RoleCard, root: Path) -> bool:
    """Tell whether a card, or a part of it, is from the project."""
    return str(root / ".hypernb" / "agents") in card.source


def _by_rules(
    session: Session, wish: Wish, *, because: str = "", first: Sequence[str] = ()
) -> Plan:
    from hypernb.agents import plan_goal

    plan = plan_goal(
        wish.goal,
        root=session.root,
        agents=wish.agents,
        because=because,
        inputs=wish.inputs,
    )
    plan.notes = (*first, *plan.notes)
    return plan


def _by_model(session: Session, wish: Wish, models: _Models, settings: ModelSettings) -> Plan:
    from hypernb.agents import circumstances
    from hypernb.plan import Plan
    from hypernb.session._planning_calls import Ledger

    spec = models.known[models.planner]
    _refuse_unknown_price(wish, models, settings)
    there = circumstances(
        wish.goal,
        root=session.root,
        cards=models.cards,
        models=models.known,
        of_agents=models.of_agents,
    )
    plan = Plan(wish.goal, root=there.root, inputs=wish.inputs)
    # Before anybody is asked, and paid: the plan would be refused.
    bare = PlanSpec(goal=wish.goal, inputs=dict(plan.inputs.digests))
    refuse_keys(bare, plan.payloads, session.root)
    there = replace(
        there,
        inputs=dict(plan.inputs.digests),
        scope=tuple(wish.contract.get("scope") or ()),
        budget=wish.contract.get("budget"),
        grants=dict(wish.grants),
        only=_known_tools(wish.tools, there),
    )
    planning = Planning(session, wish.goal)
    ledger = Ledger(
        session.store,
        spec,
        wish.contract,
        root=there.root,
        keep=plan.keep,
        note=planning.note,
        profiles=models.profiles,
    )
    progress = _progress(wish, spec)
    with closing(ledger), kept_if_it_ends(planning, ledger):
        try:
            proposal = _proposed(there, ledger, models, progress, wish)
        except (ModelError, NoPlanError, BudgetExhaustedError, TimeoutError) as error:
            _refuse_another(wish, error, spec)
            plan = _instead(session, wish, error, spec=spec, ledger=ledger)
        else:
            notes, is_replayed = ledger.notes(_outlined(wish)), wish.is_replayed
            fill(plan, proposal, there, planned_by=spec, notes=notes, is_replayed=is_replayed)
            for term, value in wish.contract.items():
                setattr(plan, term, value)
        finally:
            progress.end()
        plan.planning, plan.planned_in = ledger.calls, planning.lease
        return plan


def _known_tools(names: tuple[str, ...], there: Circumstances) -> tuple[str, ...]:
    known = sorted({tool for agent in there.cards for tool in there.tools_of(agent)})
    for name in names:
        if name not in known:
            raise UnknownNameError("tool of these agents", name, known)
    return names


def _refuse_named(settings: ModelSettings, wish: Wish) -> None:
    if not wish.model:
        return
    said = settings.source_of_mode
    raise ConfigError(
        f"{wish.model!r} cannot be asked: {said} says offline.",
        hint=f"Leave out --model, or set {said} to live.",
    )


def _cassette_asked(wish: Wish, settings: ModelSettings) -> str:
    """Return the cassette that was asked for; in a replay what records is replayed."""
    asked = str(wish.contract.get("cassette") or "")
    how, _, path = asked.partition(":")
    return f"replay:{path}" if how == "record" and settings.mode == "replay" else asked


def _refuse_unknown_price(wish: Wish, models: _Models, settings: ModelSettings) -> None:
    from hypernb.plan import price_problem

    budget = wish.contract.get("budget")
    if budget is None or wish.is_replayed:
        return
    problems: list[PlanProblem | str] = [
        price_problem(budget, name, spec, settings.priced_beside(name))
        for name, spec in models.known.items()
        if spec.price is None
    ]
    if problems:
        raise PlanProblemsError(problems)


def _refuse_another(wish: Wish, error: Exception, spec: ModelSpec) -> None:
    """Raise why there is no plan, where one of rules would not be what was asked for.

    Raises:
        ModelError: The model was named, and cannot be asked; or a cassette has no answer.
        KeyMissingError: Its key is not here.
        NoPlanError: It was named, or nobody will read the plan.
    """
    # Who named the model wants to know what is wrong with it.
    if isinstance(error, (KeyMissingError, ReplayMissError)) or (
        wish.model and isinstance(error, (ModelError, NoPlanError))
    ):
        raise error
    if not (wish.model or wish.is_unseen):
        return
    why = f"{spec.name} at {spec.host} has made no plan, so nothing was started. {_why(error)}"
    hint = "Say more exactly what is wanted, take another model, or plan by rules: --offline."
    if wish.is_unseen:
        hint = "Leave out --yes to read the plan that rules make, or take another model."
    if isinstance(error, BudgetExhaustedError):
        hint = f"Give a larger --budget. {hint}"
    problems = error.problems if isinstance(error, NoPlanError) else ()
    raise NoPlanError(spec.name, problems, why=why, hint=hint) from error


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"It took longer than {DEADLINE_S:g} s."
    return str(error.args[0] if error.args else error)


def _instead(
    session: Session, wish: Wish, error: Exception, *, spec: ModelSpec, ledger: Ledger
) -> Plan:
    """Return the plan that rules make, with why no model has made one."""
    why = _why(error) if isinstance(error, TimeoutError) else str(ledger.kept_of(error))
    asked = "was asked for a plan, and there is none" if ledger.calls else "was not asked"
    said = f"{spec.name} at {spec.host} {asked}. {why}"
    first = (said, *ledger.notes(_outlined(wish)))
    because = f"{spec.name} has given no plan"
    plan = _by_rules(session, wish, because=because, first=first)
    for payload in ledger.payloads:
        plan.keep(payload)
    return plan


def _outlined(wish: Wish) -> list[str]:
    from hypernb.agents import OUTLINED_AT_MOST

    return sorted(wish.inputs)[:OUTLINED_AT_MOST]


def fill(
    plan: Plan,
    proposal: Proposal,
    there: Circumstances,
    *,
    planned_by: ModelSpec,
    notes: Sequence[str],
    is_replayed: bool = False,
) -> None:
    """Put into a plan what a model has proposed, and say who did."""
    from hypernb.agents import STRATEGIST, plan_notes

    for task in proposal.tasks:
        plan.add(**task)
    used = {task["model"] for task in proposal.tasks}
    plan.models = {name: spec for name, spec in there.models.items() if name in used}
    plan.result = proposal.result
    plan.planned_by = f"{STRATEGIST} with {planned_by.name}"
    said = plan_notes(proposal, there, planned_by, is_replayed=is_replayed)
    plan.notes = (*said, *notes)


def _proposed(
    there: Circumstances, ledger: Ledger, models: _Models, progress: Progress, wish: Wish
) -> Proposal:
    from hypernb.agents import STRATEGIST, load_cards, propose

    card = models.cards.get(STRATEGIST) or load_cards(Path(there.root))[STRATEGIST]

    async def ask() -> Proposal:
        async with _in_time(models.known[models.planner], ledger, progress) as hear:
            return await propose(
                there,
                ledger,
                name=models.planner,
                card=card,
                variables=wish.inputs,
                on_text=hear,
            )

    return apart(ask, progress.look)


@asynccontextmanager
async def _in_time(
    spec: ModelSpec, ledger: Ledger, progress: Progress
) -> AsyncIterator[Callable[[str], None]]:
    """Bound the planning, and yield what is told each piece of the answer.

    Raises:
        ModelUnavailableError: The server could not be asked for so long.
        TimeoutError: It took too long.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + DEADLINE_S

    def move(at: float) -> None:
        with suppress(RuntimeError):  # it is over already
            deadline.reschedule(at)

    def end_at(at: float) -> None:
        # Calls are made in a thread of their own, which may tell of one until it has ended.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(move, at)

    def hear(piece: str) -> None:
        was_hindered = bool(progress.obstacle)
        progress.hear(piece)
        if piece and was_hindered:
            end_at(end)

    def waits(wait: ModelWait) -> None:
        # A server that says when to come back is there, and is worth the wait.
        if not progress.obstacle and not wait.is_asked:
            end_at(min(end, loop.time() + _patience_s(spec, wait)))
        progress.wait(wait)

    ledger.on_wait = waits
    try:
        async with asyncio.timeout_at(end) as deadline:
            yield hear
    except TimeoutError:
        if not progress.obstacle:
            raise
        quiet = "could not be asked for a plan"
        problem = f"{quiet}: {progress.obstacle}"
        from hypernb.llm import is_near

        first = "Start the server, check" if is_near(spec.base_url) else "Check the network and"
        hint = f"{first} the address {spec.base_url}, or take another model."
        hint = ledger.covered(hint)
        raise ModelUnavailableError(
            spec.name, spec.host, problem, quiet=quiet, hint=hint
        ) from None


def _patience_s(spec: ModelSpec, wait: ModelWait) -> float:
    from hypernb.llm import is_loopback

    is_refused = is_loopback(spec.base_url) and wait.reason.startswith("cannot reach ")
    return REFUSED_S if is_refused else UNREACHED_S


def _progress(wish: Wish, spec: ModelSpec) -> Progress:
    """Return what tells of the planning: nothing where a cassette answers at once."""
    said = (lambda _words: None) if wish.is_replayed else wish.on_progress
    return Progress(spec.name, said)
