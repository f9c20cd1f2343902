"""The only module that knows IPython's registry of magics."""

from __future__ import annotations

import math
import os
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher
from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    no_var_expand,
)
from traitlets import Bool, Enum, Float, TraitError, TraitType, Unicode, validate

from hypernb.errors import ConfigError, PathError, nearest
from hypernb.here import Lent, lend
from hypernb.magics._help import overview
from hypernb.magics._verbs import MODEL_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    from hypernb.magics._start import Surroundings
    from hypernb.session import Session


class _RefusedError(TraitError):
    """A value that cannot work: only after this class does traitlets put back what was there.

    Attributes:
        refusal: What a person is told.
    """

    def __init__(self, refusal: ConfigError) -> None:
        self.refusal = refusal
        super().__init__(str(refusal))


@magics_class
class HyperMagics(Magics):
    """``%hyper`` and ``%%hyper``; what they do is in functions that need no IPython."""

    model = Unicode(
        "", help="Which model plans and works: a name of %hyper models, or of the server's own."
    ).tag(config=True)
    base_url = Unicode(
        "", help="Where models are asked, up to the version: http://localhost:11434/v1."
    ).tag(config=True)
    content = Enum(
        ["", "full", "hashes", "none"],
        "",
        help="How much of what is said to models is kept in the store; as files say if empty.",
    ).tag(config=True)
    cache_s = Float(
        None,
        allow_none=True,
        min=0.0,
        help="How old an answer to the very same question may be, in seconds; 0 for none.",
    ).tag(config=True)
    offline = Bool(default_value=False, help="Use no model, unless --model asks for one.").tag(
        config=True
    )

    def __init__(self, shell: InteractiveShell) -> None:
        self._here = shell
        self._settings: dict[str, str] = {}
        self._session: Session | None = None
        self._is_made = False
        super().__init__(shell)
        self._is_made = True

    @no_var_expand
    @line_cell_magic
    def hyper(self, line: str, cell: str | None = None) -> Any:
        """Start, steer and look back at missions; %hyper help explains all of it."""
        around = self.surroundings()
        if cell is not None:
            from hypernb.magics._start import start_cell

            return start_cell(around, line, cell)
        from hypernb.magics._actions import act
        from hypernb.magics._interpolate import interpolate
        from hypernb.magics._line import read_line
        from hypernb.magics._verbs import VERBS

        fill = partial(interpolate, namespace=around.namespace)
        return act(around, read_line(line.strip() or "status", VERBS, fill))

    def surroundings(self) -> Surroundings:
        """Return what a magic needs to know about this kernel."""
        from hypernb.magics._start import Surroundings
        from hypernb.session.front_end import is_headless

        return Surroundings(
            namespace=self._here.user_ns,
            hidden=self._here.user_ns_hidden,
            headless=is_headless(self._here),
            shell=self._here,
            open_session=self.open_session,
            configure=self.configure,
        )

    def open_session(self) -> Session:
        """Return the kernel's session; it follows ``os.chdir`` unless a root is configured."""
        from hypernb.session import Session

        if self._session is None:
            self._session = Session(
                self._settings.get("db"), runner=self._settings.get("runner")
            )
        self._session.settings = self.of_models()
        self._session.root = self._root()
        return self._session

    def _root(self) -> Path:
        return Path(self._settings.get("root") or Path.cwd()).expanduser().absolute()

    def configure(self, settings: Mapping[str, str]) -> None:
        """Work with new settings from now on; those before stay if a new one is no good.

        Raises:
            PathError: The root is no directory.
            ConfigError: The runner cannot be hosted like that, or a setting of models has no
                meaning.
            StoreError: The database cannot be used.
        """
        known = {name: value for name, value in settings.items() if name not in MODEL_SETTINGS}
        of_models = {name: settings[name] for name in settings if name not in known}
        if not known:
            self._set_models(of_models)
            return
        before = self._settings
        with ExitStack() as undo:
            undo.callback(setattr, self, "_settings", before)
            self._settings = {**before, **known}  # models are looked at in the new root
            session = undo.enter_context(self._new_session())
            session.store.last_seq()
            self._set_models(of_models)
            undo.pop_all()
        if self._session is not None:
            self._session.close()
        self._session = session

    def _new_session(self) -> Session:
        from hypernb.session import Session

        root = self._root()
        if not root.is_dir():
            raise PathError(str(root), "is no directory", hint="Write root=FOLDER.")
        return Session(self._settings.get("db"), runner=self._settings.get("runner"), root=root)

    def of_models(self) -> dict[str, Any]:
        """Return the settings of models that were set here; for all sessions of the kernel."""
        set_here = {name: getattr(self, name) for name in MODEL_SETTINGS}
        # By identity: a cache of 0 s equals False, and says that there is to be none.
        return {
            name: value
            for name, value in set_here.items()
            if value is not None and value is not False and value != ""
        }

    def update_config(self, config: Config) -> None:
        """Take what ``%config`` says, or tell why not; what was there stays then."""
        # What is raised here, IPython writes into a log, behind "ERROR:root:".
        try:
            super().update_config(config)
        except _RefusedError as error:
            self._tell(error.refusal)
        except TraitError as error:
            said = config.get(type(self).__name__, {})
            known = [name for name in said if name in self.traits()]
            is_one = len(known) == 1
            self._tell(_unfit(self.traits()[known[0]], said[known[0]]) if is_one else error)

    def _tell(self, refusal: Exception) -> None:
        self._here.showtraceback((type(refusal), refusal, None))

    def _set_models(self, settings: Mapping[str, str]) -> None:
        # All or none, and each is looked at beside the others.
        try:
            with self.hold_trait_notifications():
                for name, text in settings.items():
                    self._set_from(name, text)
        except _RefusedError as error:
            raise error.refusal from error

    def _set_from(self, name: str, text: str) -> None:
        trait = self.traits()[name]
        try:
            setattr(self, name, trait.from_string(text))
        except (TraitError, ValueError) as error:
            raise _RefusedError(_unfit(trait, text)) from error

    @validate("base_url")
    def _is_an_address(self, proposal: Mapping[str, Any]) -> str:
        url = str(proposal["value"]).strip()
        if not url:
            return ""
        from hypernb.llm import check_address

        try:
            return check_address(url)
        except ValueError as error:
            hint = self.traits()["base_url"].help
            refusal = ConfigError(f"base_url cannot be that: {error}.", hint=hint)
            raise _RefusedError(refusal) from error

    @validate("cache_s")
    def _is_a_time(self, proposal: Mapping[str, Any]) -> float | None:
        seconds: float | None = proposal["value"]
        if seconds is not None and not math.isfinite(seconds):
            raise _RefusedError(_unfit(self.traits()["cache_s"], seconds))
        return seconds

    @validate("model")
    def _can_be_asked(self, proposal: Mapping[str, Any]) -> str:
        name = str(proposal["value"]).strip()
        if not (name and self._is_made):
            return name
        from hypernb.llm import ModelSettings

        given = {**self.of_models(), "model": name}
        given.pop("offline", None)
        settings = None
        with suppress(ConfigError):  # of a file, and told of where models are asked for
            settings = ModelSettings.load(self._root(), os.environ, given)
        try:
            if settings is not None:
                settings.resolve(name)
        except ConfigError as error:
            said = str(error.args[0]).rstrip(".")
            refusal = ConfigError(f"model cannot be {name[:80]!r}: {said}.", hint=error.hint)
            raise _RefusedError(refusal) from error
        return name


def _unfit(trait: TraitType[Any, Any], value: object) -> ConfigError:
    hint = trait.help
    if isinstance(trait, Enum):
        hint = nearest(str(value), [each for each in trait.values or () if each])
    return ConfigError(f"{trait.name} cannot be {str(value)[:80]!r}.", hint=hint)


def install(shell: InteractiveShell) -> None:
    """Register magics, completion and the faces of results."""
    if "hyper" in shell.magics_manager.magics["line"]:
        return
    HyperMagics.hyper.__doc__ = overview()  # what `%hyper?` shows
    magics = HyperMagics(shell)
    shell.register_magics(magics)
    lend(shell, Lent(magics.open_session, magics.of_models))
    _offer_completion(shell, magics)
    _allow_empty_cells(shell)
    _give_faces(shell)


def _offer_completion(shell: InteractiveShell, magics: HyperMagics) -> None:
    # A matcher and not the hook "complete_command": only a matcher can keep IPython from
    # mixing all Python names in.
    @context_matcher(priority=100, identifier="hypernb")
    def match(context: CompletionContext) -> SimpleMatcherResult:
        if "%hyper" not in context.text_until_cursor:
            return {"completions": []}
        from hypernb.magics._complete import complete_line

        found = complete_line(magics.surroundings(), context.text_until_cursor)
        return {
            "completions": [
                SimpleCompletion(text=name, type="hypernb") for name in found.names
            ],
            "matched_fragment": found.fragment,
            "suppress": True,
        }

    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(match)


def _allow_empty_cells(shell: InteractiveShell) -> None:
    # IPython refuses a cell magic without a body, but a playbook is a whole mission without
    # a goal; an empty line makes `%%hyper --playbook repo-audit` alone a cell.
    def add_line(lines: list[str]) -> list[str]:
        if len(lines) == 1 and lines[0].startswith("%%hyper"):
            return [lines[0].rstrip("\n") + "\n", "\n"]
        return lines

    # Not asked by a terminal whether a cell is whole: the empty line would end it after its
    # first line, before anybody could write a goal.
    add_line.has_side_effects = True  # type: ignore[attr-defined]  # IPython's protocol
    shell.input_transformers_cleanup.append(add_line)


def _give_faces(shell: InteractiveShell) -> None:
    # By name, so that loading the extension does not import the classes.
    def as_html(report: Any) -> str:
        from hypernb.views import report_html

        return report_html(report)

    def as_text(report: Any, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 (IPython's protocol)
        from hypernb.views import report_text

        printer.text(report_text(report))

    if shell.display_formatter is None:
        return
    give_missions_a_face(shell)
    formatters = shell.display_formatter.formatters
    formatters["text/html"].for_type_by_name("hypernb.model._findings", "Report", as_html)
    formatters["text/plain"].for_type_by_name("hypernb.model._findings", "Report", as_text)


def give_missions_a_face(shell: InteractiveShell) -> None:
    """Show a mission at the end of a cell as its live view; doing so twice is harmless."""

    def show(mission: Any) -> None:
        from hypernb.magics._live import show_live

        show_live(mission)

    if shell.display_formatter is not None:
        shell.display_formatter.ipython_display_formatter.for_type_by_name(
            "hypernb.session._mission", "Mission", show
        )
