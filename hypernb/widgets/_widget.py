"""The widget that every view is: a module of TypeScript, and a line to the store."""

from __future__ import annotations

import functools
import logging
import os
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import anywidget
import ipywidgets
import traitlets

from hypernb.errors import UnknownNameError, UsageError
from hypernb.widgets._asked import is_message, require_sane
from hypernb.widgets._clicks import current_kernel, route_clicks
from hypernb.widgets._line import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Self

    from hypernb.session import Mission, Session
    from hypernb.widgets._listing import Listing

_STATIC: Final = Path(__file__).parent / "static"
_FROM_IPYWIDGETS: Final = ("layout", "tabbable", "tooltip")
_log = logging.getLogger(__name__)


@functools.cache
def built(name: str) -> str:
    """Return a file of the built views.

    Raises:
        UsageError: They were not built.
    """
    try:
        return (_STATIC / name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(
            f"Live views were not built: {name} is missing from {str(_STATIC)!r}.",
            hint="In a clone, `make widgets` builds them; a wheel of hypernb has them.",
        ) from error


class HyperWidget(anywidget.AnyWidget):
    """A live view; composable like every widget, and closable.

    It is closed by `close`, by the end of a ``with``, with its session, and with its kernel.
    Then nothing of it is left: no thread, no timer, no listener.

    Args:
        about: What it shows: a mission, or a session with many.
        listing: Rows to show, for a list.
        options: Traits; anything else is refused.

    Raises:
        UsageError: An option is not known or has no meaning, or views were not built.
    """

    component = traitlets.Unicode(
        "mission", read_only=True, help="Which view it is; read by the front end."
    ).tag(sync=True)
    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)

    density = traitlets.Unicode("comfortable", help="comfortable or compact.").tag(sync=True)
    state = traitlets.Unicode(
        "", help="State of the mission that is shown: running ...; empty while a list is."
    )
    seq = traitlets.Int(0, help="Number of the last event of the store that the view includes.")

    own_id = traitlets.Unicode(
        "",
        read_only=True,
        help="Id of the widget's model, by which its view finds its place in the notebook.",
    ).tag(sync=True)

    front_end: str | None = None
    """The program that shows it, as it named itself; None until one has answered."""
    greetings: int = 0
    """How many pages have shown it: one more each time a notebook is opened again."""

    options: ClassVar[tuple[str, ...]] = ("density",)

    def __init__(
        self, about: Mission | Session, listing: Listing | None = None, **options: Any
    ) -> None:
        self._pid = os.getpid()
        self._display: dict[str, str] = {}
        self._is_page_setting = False
        self._refuse_unknown(options)
        # Before the widget is opened: a view may say something as soon as it is.
        self._line = Line(self, about, listing)
        self._has_own_layout = "layout" not in options
        model_id = uuid.uuid4().hex
        self.set_trait("own_id", model_id)
        try:
            super().__init__(model_id=model_id, **options)
            self._line.begin()
        except BaseException:
            # An interrupt, for one: nobody would have it, and nobody could close it.
            self.close()
            raise

    @traitlets.default("_esm")
    def _module(self) -> str:
        return built("hypernb.js")

    @traitlets.default("_css")
    def _style(self) -> str:
        return built("hypernb.css")

    @traitlets.validate("density")
    def _known_density(self, proposal: Any) -> str:
        return one_of("density", proposal["value"], ("comfortable", "compact"))

    def open(self) -> None:
        """Open the line to the front end; done when the widget is made."""
        super().open()
        route_clicks(self.comm)
        if self.comm is not None and hasattr(self.comm, "on_close"):
            line = self._line
            self.comm.on_close(lambda _message: line.end())

    def close(self) -> None:
        """End the view and all that belongs to it; nothing happens the second time.

        Where a cell showed it by itself, a page stays that says how the mission stood. A box
        that it was a part of goes on without it.

        Nothing happens in a fork either: the view is its parent's, and goes on there.
        """
        if getattr(self, "_pid", 0) != os.getpid():
            return
        line = getattr(self, "_line", None)
        if line is not None:
            self._leave_page()
            line.end("The view was closed.")
            self._leave_boxes()
        super().close()
        # It has a comm of its own, which nobody else would close.
        if getattr(self, "_has_own_layout", False) and self.layout is not None:
            self.layout.close()

    def __del__(self, _is_ending: Callable[[], bool] = sys.is_finalizing) -> None:
        # By then half of what closes it is gone, and all of it ends anyway.
        if not _is_ending():
            super().__del__()

    @property
    def is_open(self) -> bool:
        """Whether it is live: not after it was closed, or its session, or its page."""
        line = getattr(self, "_line", None)
        return line is not None and line.is_open and self.comm is not None

    @property
    def _closed_note(self) -> str:
        return "" if self.is_open else ", closed"

    def _ipython_display_(self) -> None:
        """Show it with an id, by which its output can be replaced when it is closed.

        Raises:
            NotImplementedError: There is no kernel, and so no output to be replaced.
        """
        from IPython.display import publish_display_data

        if current_kernel() is None:
            raise NotImplementedError
        if self.comm is None:
            publish_display_data(self._page())  # closed, so there is no model to be shown
            return
        shown: Any = self._repr_mimebundle_()
        data, about = shown if isinstance(shown, tuple) else (shown, {})
        self._display = {"display_id": f"hypernb-{self.own_id}"}
        publish_display_data(data, about, transient=self._display)

    def _leave_page(self) -> None:
        display, self._display = self._display, {}
        if not display or sys.is_finalizing():
            return
        from IPython.display import publish_display_data

        try:
            publish_display_data(self._page(), transient=display, update=True)
        except Exception:  # noqa: BLE001 - a view has to be closed, whatever its output is
            _log.warning("A closed view has left no page.", exc_info=True)

    def _leave_boxes(self) -> None:
        """Leave the boxes that show it.

        A page that is loaded anew asks the kernel for the parts of each box. It would wait for
        one that is closed for ever, and show no widget of the notebook meanwhile.
        """
        # What ipywidgets itself looks through for the state of a notebook.
        known = getattr(ipywidgets.widgets.widget, "_instances", {})
        for each in list(known.values()):
            if isinstance(each, ipywidgets.Box) and any(part is self for part in each.children):
                each.children = tuple(part for part in each.children if part is not self)

    def _page(self) -> dict[str, str]:
        """Return what stays where it was, when it is closed."""
        from hypernb.views import closed_html

        what, again = self._what
        said = f"{what}: closed; {again} shows it live again."
        return {"text/plain": said, "text/html": closed_html(what, again)}

    @property
    def _what(self) -> tuple[str, str]:
        """What it shows, in words, and what a cell has to hold to show it anew."""
        name = type(self).__name__
        return name, f"{name}()"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def keep_copy(self, html: str) -> None:
        """Give the front end the view as self-contained HTML, to keep in the notebook."""
        self._line.say({"type": "copy", "html": html})

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what a view has set: traits that people set, to values that they can have.

        What else there is, such as the module that is run, no page has any business to change.
        """
        known = (*self.options, *_FROM_IPYWIDGETS)
        given = {name: sync_data[name] for name in known if name in sync_data}
        self._is_page_setting = True
        try:
            super().set_state(require_sane(given))
        except Exception as error:  # noqa: BLE001 - observers of a trait are called in it too
            _log.warning("What a view has set was not taken whole: %.500s", error)
        finally:
            self._is_page_setting = False

    def _handle_msg(self, msg: Any) -> None:
        # ipywidgets shows what goes wrong with a message in whichever cell runs just now.
        if not is_message(msg):
            _log.warning("A message of a view is ignored: it has another shape.")
            return
        super()._handle_msg(msg)

    def _handle_custom_msg(self, content: Any, buffers: Any) -> None:
        try:
            self._line.hear(content)
        except Exception:  # noqa: BLE001 - the comm of a kernel is no place for errors of ours
            _log.exception("A message of a view could not be taken.")
        super()._handle_custom_msg(content, buffers)

    def _refuse_unknown(self, options: Iterable[str]) -> None:
        known = (*self.options, *_FROM_IPYWIDGETS)
        for name in options:
            if name not in known:
                # What ipywidgets takes besides is nothing to be proposed.
                raise UnknownNameError(f"option of {type(self).__name__}", name, self.options)


def one_of(what: str, value: object, known: Iterable[str]) -> str:
    """Return a value that is one of those known.

    Raises:
        UnknownNameError: It is not; near misses are named.
    """
    names = tuple(known)
    if value not in names:
        raise UnknownNameError(what, str(value), names)
    return str(value)
