"""Serve in a process of its own: print the address, answer until the input ends."""

from __future__ import annotations

import sys

from tests.model_server import ModelServer, says

if __name__ == "__main__":
    text = sys.argv[1] if len(sys.argv) > 1 else "This is what the scripted model says."
    with ModelServer(says(text)) as server:
        print(server.url, flush=True)  # noqa: T201 - whoever started it reads the address
        sys.stdin.read()
