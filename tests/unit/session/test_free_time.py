"""The main thread's free time: jobs are done there, one after the other, and nowhere else."""

from __future__ import annotations

import functools
import sys
import threading

from hypernb.session._free_time import FreeTime
from hypernb.session._printed import KEPT_CHARS, printed_here


def test_jobs_are_done_in_order_in_the_main_thread() -> None:
    free, done = FreeTime(), list[int]()
    for number in range(3):
        free.add(functools.partial(done.append, number))
    thread = threading.Thread(target=free.use)
    thread.start()
    thread.join()
    assert (done, free.is_wanted) == ([], True)
    free.use()
    assert (done, free.is_wanted) == ([0, 1, 2], False)


def test_job_that_waits_does_not_do_the_next_one_inside() -> None:
    free, done = FreeTime(), list[str]()

    def first() -> None:
        free.use()
        done.append("first")

    free.add(first)
    free.add(functools.partial(done.append, "second"))
    free.use()
    assert done == ["first", "second"]


def test_whoever_uses_it_is_woken_for_each_job_and_each_wait() -> None:
    free, woken = FreeTime(), list[bool]()
    free.wake = lambda: woken.append(free.is_cell_waiting)
    free.add(lambda: None)
    with free.while_waiting():
        pass
    assert woken == [False, True]
    assert not free.is_cell_waiting


def test_much_that_is_printed_is_counted() -> None:
    with printed_here() as printed:
        sys.stdout.write("x" * (KEPT_CHARS + 100))
    assert printed.text.endswith("… 100 more characters")
