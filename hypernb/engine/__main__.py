"""``python -m hypernb.engine --store URL``: a runner as a process of its own."""

from __future__ import annotations

import argparse
import os
import sys

import orjson

from hypernb.engine._host import PATH_VARIABLE, run_runner
from hypernb.engine._runner import RunnerEnd
from hypernb.errors import HypernbError


def main(arguments: list[str] | None = None) -> int:
    """Run a runner until it ends; 0 unless it could not go on."""
    parser = argparse.ArgumentParser(prog="python -m hypernb.engine", description=__doc__)
    parser.add_argument("--store", default="", help="path or URL of the store")
    asked = parser.parse_args(arguments)
    path = os.environ.pop(PATH_VARIABLE, "")
    try:
        from hypernb.store import default_location

        end = run_runner(
            asked.store or default_location(),
            path=tuple(orjson.loads(path)) if path else None,
        )
    except HypernbError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 1 if end is RunnerEnd.FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
