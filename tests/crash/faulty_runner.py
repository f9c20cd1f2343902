"""A runner that kills itself at a given moment: ``commit:7:before``, ``sync:3:after``.

Started as a program of its own, with the same arguments as ``python -m hypernb.engine``. The
moment stands in ``HYPERNB_CRASH_AT``: the n-th time that a transaction with changes is
committed, or that SQLite has the system write a file to the disk, just before it or after.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sqlite3
import sys
from typing import Any

_OK = 0


class Countdown:
    """Ends this process, without any warning, at the n-th call."""

    def __init__(self, left: int, *, before: bool) -> None:
        self._left = left
        self._before = before

    def around(self, call: Any) -> Any:
        self._left -= 1
        if self._left == 0 and self._before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = call()
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def die_at_commit(countdown: Countdown) -> None:
    """Have the countdown run at each commit of a transaction."""

    class Counted(sqlite3.Connection):
        _written = 0

        def commit(self) -> None:
            before, self._written = self._written, self.total_changes
            if self._written == before:
                super().commit()  # it has only read
            else:
                countdown.around(super().commit)

    plain = sqlite3.connect

    def connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = plain(*args, **{"factory": Counted, **kwargs})
        return made

    sqlite3.connect = connect  # type: ignore[assignment]  # the same but for the factory


class _Methods(ctypes.Structure):
    """The beginning of ``sqlite3_io_methods``; see https://sqlite.org/c3ref/io_methods.html."""

    _fields_ = [
        ("iVersion", ctypes.c_int),
        ("calls", ctypes.c_void_p * 18),  # xClose, xRead, xWrite, xTruncate, xSync, ...
    ]


_SYNC = 4


class _File(ctypes.Structure):
    _fields_ = [("methods", ctypes.POINTER(_Methods))]


_Sync = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_File), ctypes.c_int)
_Open = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.POINTER(_File),
    ctypes.c_int,
    ctypes.c_void_p,
)


class _Vfs(ctypes.Structure):
    """``sqlite3_vfs``; see https://sqlite.org/c3ref/vfs.html."""

    _fields_ = [
        ("iVersion", ctypes.c_int),
        ("szOsFile", ctypes.c_int),
        ("mxPathname", ctypes.c_int),
        ("pNext", ctypes.c_void_p),
        ("zName", ctypes.c_char_p),
        ("pAppData", ctypes.c_void_p),
        ("xOpen", _Open),
        ("calls", ctypes.c_void_p * 14),
    ]


_kept: list[Any] = []  # SQLite holds pointers to all of it


def die_at_sync(countdown: Countdown) -> None:
    """Have the countdown run each time that SQLite syncs a file."""
    import _sqlite3

    # Where the module is part of the interpreter, so is the library.
    library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    usual = library.sqlite3_vfs_find(None)
    counted = _Vfs.from_buffer_copy(usual.contents)
    tables: dict[int, _Methods] = {}

    def replaced(methods: Any) -> _Methods:
        address = ctypes.addressof(methods.contents)
        if address not in tables:
            copy = _Methods.from_buffer_copy(methods.contents)
            sync = _Sync(copy.calls[_SYNC])
            hook = _Sync(lambda file, flags: countdown.around(lambda: sync(file, flags)))
            copy.calls[_SYNC] = ctypes.cast(hook, ctypes.c_void_p)
            _kept.extend([sync, hook])
            tables[address] = copy
        return tables[address]

    def opened(_vfs: Any, name: Any, file: Any, flags: int, out: Any) -> int:
        usual_vfs = ctypes.cast(usual, ctypes.c_void_p)
        result = int(usual.contents.xOpen(usual_vfs, name, file, flags, out))
        if result == _OK and file.contents.methods:
            file.contents.methods = ctypes.pointer(replaced(file.contents.methods))
        return result

    counted.zName = b"counted"
    counted.xOpen = _Open(opened)
    _kept.extend([usual, counted, tables])
    if library.sqlite3_vfs_register(ctypes.byref(counted), 1) != _OK:
        raise RuntimeError("SQLite does not take another file system")


def main() -> int:
    """Prepare the end, then be a runner."""
    what, count, when = os.environ["HYPERNB_CRASH_AT"].split(":")
    countdown = Countdown(int(count), before=when == "before")
    {"commit": die_at_commit, "sync": die_at_sync}[what](countdown)
    from hypernb.engine.__main__ import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
