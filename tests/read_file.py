"""What a notebook begins with whose mission goes on when the test writes a file."""

from __future__ import annotations

from typing import Final

READ_FILE: Final = """
%load_ext hypernb
import hypernb, pathlib, threading

def wait_for(path):
    while not pathlib.Path(path).exists():
        threading.Event().wait(0.02)
    return pathlib.Path(path).read_text()

def shout(read):
    return read.upper()

@hypernb.playbook
def read_file(path: pathlib.Path):
    "Read a file as soon as it is there."
    plan = hypernb.Plan("Read a file")
    plan.add("read", wait_for, str(path))
    plan.add("shout", shout, needs=["read"])
    return plan
"""
