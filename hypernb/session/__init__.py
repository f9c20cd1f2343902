"""The composition root: what magics, views, CLI and programs share, sync and async."""

from hypernb.session._doctor import Check
from hypernb.session._export import as_json, forms
from hypernb.session._free_time import FREE_TIME
from hypernb.session._hosting import host_here
from hypernb.session._leaving import Leaving
from hypernb.session._limits import limits
from hypernb.session._mission import RETRIABLE, Mission, Task
from hypernb.session._quoting import QuoteTable
from hypernb.session._session import Session, Status
from hypernb.session._typed import assignment, typed_comment, typed_edit
from hypernb.session._usage import UsagePlot, UsageTable
from hypernb.tools import kernel_tool as tool

__all__ = [
    "FREE_TIME",
    "RETRIABLE",
    "Check",
    "Leaving",
    "Mission",
    "QuoteTable",
    "Session",
    "Status",
    "Task",
    "UsagePlot",
    "UsageTable",
    "as_json",
    "assignment",
    "forms",
    "host_here",
    "limits",
    "tool",
    "typed_comment",
    "typed_edit",
]
