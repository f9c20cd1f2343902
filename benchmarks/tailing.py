"""How soon a reader in another process sees a commit, and what waiting for one costs.

A writer commits an event at irregular times; a reader of its own process follows the store as
a session does. Both note when, by the clock that the machine's processes share. Then the reader
follows while nothing happens, and its share of a core is taken.

Asked for: 10 ms in the median, 25 ms for 95 of 100, at no more than 1 % of a core when idle.
Run: ``python benchmarks/tailing.py [commits] [idle seconds]``.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from hypernb.session._following import Follower
from hypernb.store import SqlStore

END = "bench.end"
DEFAULTS = (400, 10.0)


def read(path: str, idle_s: float) -> None:
    """Be the reader: print when each event was seen, then the cost of waiting."""
    store = SqlStore(path)
    follower = Follower(store)
    after = store.last_seq()
    print("ready", flush=True)
    seen = {}
    for event in follower.events(None, after=after):
        seen[event.seq] = time.monotonic()
        if event.kind == END:
            break
    busy, began = time.process_time(), time.monotonic()
    for _ in follower.looks(idle_s):
        pass
    share = (time.process_time() - busy) / (time.monotonic() - began)
    print(json.dumps({"seen": seen, "share": share}))


def main() -> None:
    """Commit events, and print how late the reader saw them."""
    asked = [*map(float, sys.argv[1:]), *DEFAULTS[len(sys.argv) - 1 :]]
    commits, idle_s = int(asked[0]), asked[1]
    rng = random.Random(7)  # noqa: S311 - the same pauses each time
    waiter = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "bench.db")
        store = SqlStore(path)
        reader = subprocess.Popen(
            [sys.executable, __file__, "--read", path, str(idle_s)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert reader.stdout is not None  # noqa: S101 - narrows the type
        reader.stdout.readline()
        committed = {}
        for _ in range(commits):
            waiter.wait(rng.uniform(0.005, 0.06))
            committed[store.record("bench.event", {})] = time.monotonic()
        store.record(END, {})
        told = json.loads(reader.stdout.readline())
        reader.wait()
        store.close()
    late = sorted((told["seen"][str(seq)] - at) * 1e3 for seq, at in committed.items())
    print(f"{len(late)} commits, seen by another process after")
    print(f"  median {statistics.median(late):.1f} ms (asked: 10)")
    print(f"  95 of 100 within {late[int(len(late) * 0.95)]:.1f} ms (asked: 25)")
    print(f"waiting costs {told['share']:.2%} of a core (asked: 1 %)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        read(sys.argv[2], float(sys.argv[3]))
    else:
        main()
