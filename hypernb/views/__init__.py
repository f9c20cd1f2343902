"""Views: a mission, its plan, its findings and its history as HTML, Markdown and plain text."""

from hypernb.views import words
from hypernb.views._findings import findings_html, findings_text
from hypernb.views._frame import page
from hypernb.views._lists import (
    RESOURCE_HEADS,
    agents_html,
    agents_text,
    events_html,
    events_text,
    hits_html,
    hits_text,
    missions_html,
    missions_text,
    resource_row,
    status_text,
    table_html,
    table_text,
)
from hypernb.views._markdown import mission_markdown, report_markdown
from hypernb.views._mission_html import mission_html
from hypernb.views._reports import report_html, report_text
from hypernb.views._text import mission_text, plan_text

__all__ = [
    "RESOURCE_HEADS",
    "agents_html",
    "agents_text",
    "events_html",
    "events_text",
    "findings_html",
    "findings_text",
    "hits_html",
    "hits_text",
    "mission_html",
    "mission_markdown",
    "mission_text",
    "missions_html",
    "missions_text",
    "page",
    "plan_text",
    "report_html",
    "report_markdown",
    "report_text",
    "resource_row",
    "status_text",
    "table_html",
    "table_text",
    "words",
]
