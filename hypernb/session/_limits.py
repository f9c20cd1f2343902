"""Limits of what missions share, as a line of words asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypernb.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from hypernb.model import ResourceUse
    from hypernb.session._session import Session


def limits(
    session: Session,
    resource: str = "",
    *,
    at_once: int | None = None,
    rate: float | None = None,
    burst: int | None = None,
    none: bool = False,
) -> list[ResourceUse]:
    """Set the limits that are given, if any, and return the resource, or all without a name.

    Args:
        none: Take its limits away.

    Raises:
        UnknownNameError: There is no resource of that name, and nothing is to be set.
        UsageError: A limit has no meaning, or no resource is named for it.
    """
    given = any(each is not None for each in (at_once, rate, burst))
    if (given or none) and not resource:
        raise UsageError("Which resource is to be limited?", hint="Name it first.")
    if given and none:
        raise UsageError(
            "--none takes the limits away, and another was given.", hint="Leave one out."
        )
    if given or none:
        session.limit(resource, at_once=at_once, rate=rate, burst=1 if burst is None else burst)
    uses = session.resources()
    names = [use.resource.name for use in uses]
    if resource and resource not in names:
        raise UnknownNameError("resource", resource, names)
    return [use for use in uses if not resource or use.resource.name == resource]
