"""Whether a click reaches the kernel while a cell runs, and if not, why and what to do."""

from __future__ import annotations

from typing import Any, Final

_UPGRADE: Final = "Install ipykernel 7.1 or newer and restart the kernel."
_MEANWHILE: Final = "Meanwhile a click is taken when the cell has ended."


def click_facts(comm: Any) -> dict[str, Any]:
    """Return whether clicks are taken at once, from what the running kernel is.

    Args:
        comm: The widget's; None if it has none.
    """
    kernel = current_kernel()
    if kernel is None:
        return _waits("There is no Jupyter kernel behind this view.")
    version = _version()
    if not getattr(kernel, "_supports_kernel_subshells", False):
        if version < (7,):
            name = ".".join(map(str, version))
            alone = f"This kernel (ipykernel {name}) does one thing at a time."
            return _waits(f"{alone} {_UPGRADE}")
        return _waits(
            "Subshells are turned off in this kernel. Turn them on in its settings "
            "and restart it."
        )
    if hasattr(comm, "_reply_subshell_for") and not is_routed(comm):
        return _waits("This version of ipykernel keeps clicks for the shell that is busy.")
    return {"at_once": True, "why": ""}


def route_clicks(comm: Any) -> None:
    """Have clicks taken by the subshell that they are sent to.

    ipykernel 7.4 hands what arrives on a comm to the shell that last published on it, so that a
    question asked there is answered there. We ask none, and publish from a thread that carries
    the main shell's context: clicks would wait for the cell.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = _as_sent  # noqa: SLF001 - there is no public way


def is_routed(comm: Any) -> bool:
    """Tell whether `route_clicks` has had an effect."""
    return getattr(comm, "_reply_subshell_for", None) is _as_sent


def _as_sent(_data: object, default: object) -> object:
    return default


def _waits(why: str) -> dict[str, Any]:
    return {"at_once": False, "why": f"{why} {_MEANWHILE}"}


def current_kernel() -> Any:
    """Return the kernel that this process is; None if it is none."""
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None)


def _version() -> tuple[int, ...]:
    from ipykernel._version import __version__

    return tuple(int(part) for part in __version__.split(".")[:2])
