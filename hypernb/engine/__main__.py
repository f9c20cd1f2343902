"""``python -m hypernb.engine --store URL``: a runner as a process of its own."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from typing import Final

import orjson

from hypernb.engine._host import PATH_VARIABLE, run_runner
from hypernb.engine._runner import RunnerEnd
from hypernb.errors import HypernbError, RunnerError

_MADE_BEFORE_LOOKING: Final = 50_000
_KEYS_BYTES: Final = 1_000_000
_SWITCH_S: Final = 0.001
"""How long the loop may keep the interpreter while the writer's thread waits for it; Python's
own five milliseconds are longer than most commits."""


def main(arguments: list[str] | None = None) -> int:
    """Run a runner until it ends; 0 unless it could not go on."""
    parser = argparse.ArgumentParser(prog="python -m hypernb.engine", description=__doc__)
    parser.add_argument("--store", default="", help="path or URL of the store")
    parser.add_argument(
        "--keys", action="store_true", help="read the keys of models from stdin, as JSON"
    )
    asked = parser.parse_args(arguments)
    path = os.environ.pop(PATH_VARIABLE, "")
    try:
        from hypernb.store import default_location

        keys = _told_keys() if asked.keys else {}
        _collect_rarely()
        sys.setswitchinterval(_SWITCH_S)
        end = run_runner(
            asked.store or default_location(),
            path=tuple(orjson.loads(path)) if path else None,
            keys=keys,
        )
    except HypernbError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 1 if end is RunnerEnd.FAILED else 0


def _told_keys() -> dict[str, str]:
    """Read the keys that whoever started this process has written into its pipe."""
    try:
        told = json.loads(sys.stdin.buffer.read(_KEYS_BYTES))
        return {str(name): str(key) for name, key in told.items()}
    except (ValueError, AttributeError) as error:
        raise RunnerError(
            "The runner was not told its keys: what came by its pipe is no JSON object.",
            hint="Start it by Session.ensure_runner or %hyper attach.",
        ) from error
    finally:
        sys.stdin.close()


def _collect_rarely() -> None:
    """Have the collector look at fewer objects, and less often.

    A mission is some hundred thousand objects that live until its end and are in no circle.
    By default they are gone through again each time a quarter has been added, which costs as
    much as all decisions about them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MADE_BEFORE_LOOKING, 20, 100)


if __name__ == "__main__":
    sys.exit(main())
