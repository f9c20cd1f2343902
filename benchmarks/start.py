"""What loading hypernb adds to a bare IPython kernel, measured in real kernels.

Each round starts one kernel and times, in it, an empty statement and ``%load_ext hypernb``, as
the client sees them. Run: ``python benchmarks/start.py [rounds]``.
"""

from __future__ import annotations

import statistics
import sys
import time

from jupyter_client.manager import KernelManager

LIMIT_MS = 100.0


def round_in_a_kernel() -> tuple[float, float, float]:
    """Return the kernel's start, an empty statement and the extension, in ms."""
    manager = KernelManager(kernel_name="python3")
    begun = time.perf_counter()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        started = (time.perf_counter() - begun) * 1000
        client.execute_interactive("pass", timeout=60)
        empty = _timed(client, "pass")
        loaded = _timed(client, "%load_ext hypernb")
        return started, empty, loaded
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _timed(client: object, code: str) -> float:
    begun = time.perf_counter()
    reply = client.execute_interactive(code, timeout=60)  # type: ignore[attr-defined]
    if reply["content"]["status"] != "ok":
        raise RuntimeError(f"{code!r} failed in the kernel: {reply['content']}")
    return (time.perf_counter() - begun) * 1000


def main() -> None:
    """Print the medians, and whether the limit holds."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    figures = [round_in_a_kernel() for _ in range(rounds)]
    started, empty, loaded = (statistics.median(each) for each in zip(*figures, strict=True))
    added = loaded - empty
    print(
        f"kernel start {started:.0f} ms, empty cell {empty:.1f} ms, %load_ext {loaded:.1f} ms"
    )
    print(f"hypernb adds {added:.1f} ms to a kernel (limit {LIMIT_MS:.0f}): ", end="")
    print("holds" if added <= LIMIT_MS else "DOES NOT HOLD")
    sys.exit(0 if added <= LIMIT_MS else 1)


if __name__ == "__main__":
    main()
