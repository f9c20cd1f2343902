"""The composition root: what magics, views, CLI and programs share, sync and async."""

from hypernb.session._answers import with_end
from hypernb.session._cassettes import cassette
from hypernb.session._doctor import Check
from hypernb.session._export import as_json, forms
from hypernb.session._failures import TaskFailure
from hypernb.session._free_time import FREE_TIME
from hypernb.session._here import session_here
from hypernb.session._hosting import host_here
from hypernb.session._leaving import Leaving
from hypernb.session._limits import limits
from hypernb.session._mission import Mission
from hypernb.session._models import Cache, ModelRow, Models, Settings
from hypernb.session._quoting import QuoteTable
from hypernb.session._session import Session, Status
from hypernb.session._tables import Rows
from hypernb.session._tasks import Task
from hypernb.session._typed import edited_fields, typed_comment, typed_edit, typed_rewind
from hypernb.session._usage import UsagePlot, UsageTable
from hypernb.session._ways import RETRIABLE, paused_one, refuse_unapproved
from hypernb.session._why import Why, why
from hypernb.tools import kernel_tool as tool

__all__ = [
    "FREE_TIME",
    "RETRIABLE",
    "Cache",
    "Check",
    "Leaving",
    "Mission",
    "ModelRow",
    "Models",
    "QuoteTable",
    "Rows",
    "Session",
    "Settings",
    "Status",
    "Task",
    "TaskFailure",
    "UsagePlot",
    "UsageTable",
    "Why",
    "as_json",
    "cassette",
    "edited_fields",
    "forms",
    "host_here",
    "limits",
    "paused_one",
    "refuse_unapproved",
    "session_here",
    "tool",
    "typed_comment",
    "typed_edit",
    "typed_rewind",
    "why",
    "with_end",
]
