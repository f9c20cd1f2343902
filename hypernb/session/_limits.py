"""Limits of what missions share, as a line of words asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypernb.errors import UnknownNameError, UsageError
from hypernb.model import Resource

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

    Limits that are not named stay as they are.

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
    known = {use.resource.name: use for use in session.resources()}
    if resource and resource not in known and not given:
        raise UnknownNameError("resource", resource, known)
    if none:
        session.limit(resource)
    elif given:
        now = known[resource].resource if resource in known else Resource(resource)
        session.limit(
            resource,
            at_once=now.at_once if at_once is None else at_once,
            rate=now.rate_per_s if rate is None else rate,
            burst=now.burst if burst is None else burst,
        )
    uses = session.resources()
    return [use for use in uses if not resource or use.resource.name == resource]
