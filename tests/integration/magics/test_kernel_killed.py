"""What is started in one kernel does not depend on it: real processes, really killed."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.integration.magics.conftest import DEADLINE_S
from tests.read_file import READ_FILE

if TYPE_CHECKING:
    from tests.integration.magics.conftest import Desk, Kernel

pytestmark = pytest.mark.timeout(120)


def test_mission_survives_the_death_of_its_kernel(desk: Desk) -> None:
    first = desk.kernel(READ_FILE)
    first.ok("%hyper run read-file text.txt --yes")
    first.ok("while _.tasks['read'].state.value != 'running': threading.Event().wait(0.02)")
    _kill(first)
    desk.text.write_text("hello")
    second = desk.kernel()
    assert "Succeeded" in second.ok("%hyper wait m-1").text
    assert second.ok("%hyper result m-1").value == "'HELLO'"
    tries = "frame = %hyper sql select max(number) from attempts\nint(frame.iloc[0, 0])"
    assert second.ok(tries).value == "1"


def test_kernels_see_each_others_missions_live(desk: Desk) -> None:
    first, second = desk.kernel(READ_FILE), desk.kernel()
    first.ok("%%hyper --playbook read-file text.txt")
    assert "m-1" in second.ok("%hyper ls").text
    shown = second.ok("%hyper attach m-1")
    first.ok("%hyper approve m-1")
    second.later(lambda m: "Running" in m["content"].get("data", {}).get("text/plain", ""))
    desk.text.write_text("hello")
    last = second.later(
        lambda m: "Succeeded" in m["content"].get("data", {}).get("text/plain", "")
    )
    [display] = shown.of("display_data")
    assert last["content"]["transient"] == display["content"]["transient"]
    assert first.ok("%hyper result").value == second.ok("%hyper result").value


def _kill(kernel: Kernel) -> None:
    pid = int(kernel.ok("import os; os.getpid()").value)
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)], DEADLINE_S)
