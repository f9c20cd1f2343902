"""A scripted server that speaks the OpenAI protocol on loopback: real HTTP, no model.

    with ModelServer([calls("read_file", path="a.py"), says("done")]) as server:
        spec = ModelSpec(name="scripted", base_url=server.url)

A script is one reply for every request, a list of replies taken in order, or a function from
`Asked` to a reply. `python -m tests.model_server` serves until its input ends.
"""

from tests.model_server._reply import Call, Reply, Script, calls, fails, page, refuses, says
from tests.model_server._server import Asked, ModelServer

__all__ = [
    "Asked",
    "Call",
    "ModelServer",
    "Reply",
    "Script",
    "calls",
    "fails",
    "page",
    "refuses",
    "says",
]
