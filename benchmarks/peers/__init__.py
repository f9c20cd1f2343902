"""Each module runs one graph of tasks that do nothing, once, with one engine.

A module is a program: it reads a job as JSON from stdin (``needs``, ``seconds``, ``slots``,
``synchronous``, ``folder``), sets everything up, and prints JSON: ``seconds`` from the start of
the run until its last task is known to be done. Imports and set-up are not timed, and each
first runs a small graph of the same kind, so that nobody pays for being the first.
"""
