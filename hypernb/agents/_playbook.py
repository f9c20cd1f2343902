"""Playbooks: plans with parameters that need no model."""

from __future__ import annotations

import importlib
import inspect
import logging
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from hypernb.agents._parameters import (
    REQUIRED,
    Parameter,
    bind_words,
    read_parameters,
    takes,
)
from hypernb.errors import PlanError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.metadata import EntryPoint

    from hypernb.plan import Plan

Function = TypeVar("Function", bound="Callable[..., Plan]")

GROUP: Final = "hypernb.playbooks"
"""Entry points of this group are playbook functions of installed packages."""

_BUILT_IN: Final = {
    "data-profile": "_data_profile:data_profile",
    "repo-audit": "_repo_audit:repo_audit",
}

logger = logging.getLogger(__name__)
_registered: dict[str, Playbook] = {}


@dataclass(frozen=True)
class Playbook:
    """A plan with parameters.

    Attributes:
        title: What it does, in a few words: the first line of its docstring.
        source: ``built in``, ``defined here``, or the distribution that brings it.
        problem: Why it cannot be used, if a package that brings it is broken; else empty.
    """

    name: str
    title: str
    parameters: tuple[Parameter, ...] = ()
    function: Callable[..., Plan] | None = None
    source: str = "defined here"
    problem: str = ""

    @property
    def usage(self) -> str:
        """How to ask for it: ``repo-audit [PATH] [--no-tests] [--agents A,B]``."""
        return " ".join([self.name, *(each.usage for each in self.parameters)])

    def help(self) -> str:
        """Return what it does, how to ask for it, and what each parameter means, as text.

        Example:
            >>> print(load_playbooks()["repo-audit"].help())
            repo-audit [PATH] [--no-tests] [--agents A,B]
                Audit a directory with all eight specialists, and propose a sprint of three tasks.
            <BLANKLINE>
                PATH          The directory; in a git repository its tracked files are looked at.
                --no-tests    Do not: run the project's own test suite.
                --agents A,B  Only these agents; the strategist always takes part.
        """  # noqa: E501 - the lines are what is printed
        said = [self.usage, f"    {self.problem or self.title}."]
        shown = {each.usage.strip("[]"): each.meaning for each in self.parameters}
        width = max(map(len, shown), default=0)
        rows = [f"    {name:<{width}}  {text}".rstrip() for name, text in shown.items()]
        return "\n".join([*said, *([""] if rows else []), *rows])

    def bind(self, args: Sequence[str]) -> dict[str, Any]:
        """Read words as a shell or a magic splits them, for `build`.

        Raises:
            UsageError: A word cannot be understood; near misses are named.

        Example:
            >>> load_playbooks()["repo-audit"].bind(["--no-tests", "--agents=qa-engineer"])
            {'tests': False, 'agents': ('qa-engineer',)}
        """
        return bind_words(self.name, self.parameters, args)

    def build(
        self,
        *,
        root: str | Path | None = None,
        inputs: Mapping[str, Any] | None = None,
        **params: Any,
    ) -> Plan:
        """Make the plan.

        Args:
            root: Directory that relative paths start from; by default the current one.
            inputs: Values to hand in, by name. One that has the name of a parameter is
                that parameter; the others go to the function's parameter ``inputs``.
            params: Values of parameters; words are converted as in `bind`.

        Raises:
            UsageError: A parameter is unknown, missing or of the wrong kind.
            PlanError: The function did not return a plan.
        """
        if self.function is None:
            raise UsageError(f"Playbook {self.name!r} cannot be used: {self.problem}")
        base = Path(root or Path.cwd()).absolute()
        left = dict(inputs or {})
        values = self._values(base, left, params)
        given: dict[str, Any] = {}
        if takes(self.function, "root"):
            given["root"] = base
        if takes(self.function, "inputs"):
            given["inputs"], left = left, {}
        if left:
            raise UsageError(
                f"Playbook {self.name} takes no value {min(left)!r}.",
                hint=f"Usage: {self.usage}.",
            )
        plan = self._checked(self.function(**values, **given))
        plan.playbook = self.name
        plan.planned_by = f"playbook {self.name}"
        plan.params = {name: _recorded(value) for name, value in values.items()}
        return plan

    def _values(
        self, base: Path, inputs: dict[str, Any], params: Mapping[str, Any]
    ) -> dict[str, Any]:
        known = {each.name: each for each in self.parameters}
        for name in params:
            if name not in known:
                raise UnknownNameError(
                    f"parameter of playbook {self.name}", name, known, hint=f"{self.usage}."
                )
        values: dict[str, Any] = {}
        for name, parameter in known.items():
            value = params.get(name, REQUIRED)
            if value is REQUIRED and name in inputs:
                value = inputs.pop(name)
            if value is REQUIRED:
                value = parameter.default
            if value is REQUIRED:
                raise UsageError(
                    f"Playbook {self.name} needs {name}.", hint=f"Usage: {self.usage}."
                )
            value = parameter.convert(value, self.name)
            if parameter.kind == "path" and value is not None:
                value = base / Path(value).expanduser()
            values[name] = value
        return values

    def _checked(self, made: object) -> Plan:
        from hypernb.plan import Plan

        if not isinstance(made, Plan):
            raise PlanError(
                f"Playbook {self.name!r} returned {type(made).__name__}, not a Plan.",
                hint="Let its function end with `return plan`.",
            )
        return made


@overload
def playbook(function: Function, /) -> Function: ...
@overload
def playbook(*, name: str = "") -> Callable[[Function], Function]: ...
def playbook(
    function: Function | None = None, /, *, name: str = ""
) -> Function | Callable[[Function], Function]:
    """Make a function that returns a plan available as a playbook, in this process.

    Its parameters are those of the function; the annotations `Path`, `str`, `int`,
    `float`, `bool` and ``list[str]`` can be given as words, `Any` is a value handed in with
    ``--in``. The first line of the docstring is its title. A parameter ``root`` receives the
    directory of the session, ``inputs`` the values handed in. Defining it again replaces it.

    Args:
        name: By default the function's, with dashes for underscores.

    Raises:
        UsageError: The name is that of a built-in playbook, or a parameter has no name.

    Example:
        >>> import hypernb
        >>> @hypernb.playbook
        ... def count_words(text: str, *, top: int = 10):
        ...     "Count the words of a text."
        ...     plan = hypernb.Plan("Count words")
        ...     plan.add("split", str.split, text)
        ...     return plan
        >>> from hypernb.agents import load_playbooks
        >>> load_playbooks()["count-words"].usage
        'count-words TEXT [--top N]'
    """

    def register(made: Function) -> Function:
        entry = _describe(made, name or made.__name__.replace("_", "-"))
        if entry.name in _BUILT_IN:
            raise UsageError(
                f"The playbook {entry.name!r} is built in.",
                hint='Choose another name: @playbook(name="my-audit").',
            )
        _registered[entry.name] = entry
        return made

    return register if function is None else register(function)


def load_playbooks() -> dict[str, Playbook]:
    """Return the playbooks by name, sorted: built in, of installed packages, defined here.

    A package whose playbook cannot be loaded is logged; the playbook is listed with its
    ``problem``, and raises it when it is used.
    """
    found = {entry.name: _installed(entry) for entry in entry_points(group=GROUP)}
    # A package's decorated function is registered when it is loaded; it is listed once. What
    # is defined here was written last, so it wins; what is built in cannot be replaced.
    theirs = {each.function for each in found.values()}
    found |= {name: each for name, each in _registered.items() if each.function not in theirs}
    found |= {name: _built_in(name) for name in _BUILT_IN}
    return dict(sorted(found.items()))


def _installed(entry: EntryPoint) -> Playbook:
    origin = entry.dist.name if entry.dist else "an installed package"
    try:
        loaded = _describe(entry.load(), entry.name)
    except Exception as error:
        logger.exception("The playbook %s of %s cannot be loaded", entry.name, origin)
        problem = f"{origin}: {type(error).__name__}: {error}"
        loaded = Playbook(entry.name, "Cannot be loaded", problem=problem)
    return replace(loaded, source=origin)


def _built_in(name: str) -> Playbook:
    module, _, function = _BUILT_IN[name].partition(":")
    made = getattr(importlib.import_module(f"hypernb.agents.{module}"), function)
    return replace(_describe(made, name), source="built in")


def _describe(function: Callable[..., Plan], name: str) -> Playbook:
    said = inspect.getdoc(function) or name
    return Playbook(
        name=name,
        title=said.splitlines()[0].rstrip("."),
        parameters=read_parameters(function),
        function=function,
    )


def _recorded(value: Any) -> Any:
    """Make a parameter JSON for the plan; what is no JSON is recorded by its type."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, list | tuple):
        return [_recorded(each) for each in value]
    return f"<{type(value).__name__}>"
