"""Views: a mission, its plan, its findings and its history as HTML, Markdown and plain text."""

from hypernb.views import words
from hypernb.views._clean import clean, line
from hypernb.views._columns import labelled
from hypernb.views._commands import as_commands
from hypernb.views._contract import allowed, expected, last_tasks, refused
from hypernb.views._difference import (
    Changed,
    changed,
    difference_html,
    difference_text,
    unchanged,
    value_words,
)
from hypernb.views._egress import (
    covered_up,
    egress_html,
    egress_text,
    leaves,
    leaves_later,
    says_leaving,
)
from hypernb.views._endings import next_commands, outcome
from hypernb.views._figures import TASK_ORDER, Figures
from hypernb.views._findings import findings_html, findings_text, tally
from hypernb.views._frame import closed_html, page
from hypernb.views._left import Left, between, roughly
from hypernb.views._lists import (
    RESOURCE_HEADS,
    agents_html,
    agents_text,
    cache_text,
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
from hypernb.views._mission_html import mission_html, since
from hypernb.views._models import (
    NO_OUTLOOK,
    Choice,
    Outlook,
    is_cheaper,
    models_used,
    price_words,
    quote_basis,
    quote_dollars,
    quote_words,
)
from hypernb.views._phrase import Code, Part, Phrase, Strong, enumerate_names, named, plain
from hypernb.views._quotes import Used, quotes_html, quotes_text
from hypernb.views._reports import how_it_ran, report_html, report_text
from hypernb.views._story import (
    Gap,
    Need,
    Story,
    alarms,
    all_done,
    first_step,
    gaps,
    money_ways,
    needs,
    story,
)
from hypernb.views._text import brief_text, mission_text, plan_text
from hypernb.views._usage import cost_words, usage_html, usage_text
from hypernb.views._why import why_html, why_text

__all__ = [
    "NO_OUTLOOK",
    "RESOURCE_HEADS",
    "TASK_ORDER",
    "Changed",
    "Choice",
    "Code",
    "Figures",
    "Gap",
    "Left",
    "Need",
    "Outlook",
    "Part",
    "Phrase",
    "Story",
    "Strong",
    "Used",
    "agents_html",
    "agents_text",
    "alarms",
    "all_done",
    "allowed",
    "as_commands",
    "between",
    "brief_text",
    "cache_text",
    "changed",
    "clean",
    "closed_html",
    "cost_words",
    "covered_up",
    "difference_html",
    "difference_text",
    "egress_html",
    "egress_text",
    "enumerate_names",
    "events_html",
    "events_text",
    "expected",
    "findings_html",
    "findings_text",
    "first_step",
    "gaps",
    "hits_html",
    "hits_text",
    "how_it_ran",
    "is_cheaper",
    "labelled",
    "last_tasks",
    "leaves",
    "leaves_later",
    "line",
    "mission_html",
    "mission_markdown",
    "mission_text",
    "missions_html",
    "missions_text",
    "models_used",
    "money_ways",
    "named",
    "needs",
    "next_commands",
    "outcome",
    "page",
    "plain",
    "plan_text",
    "price_words",
    "quote_basis",
    "quote_dollars",
    "quote_words",
    "quotes_html",
    "quotes_text",
    "refused",
    "report_html",
    "report_markdown",
    "report_text",
    "resource_row",
    "roughly",
    "says_leaving",
    "since",
    "status_text",
    "story",
    "table_html",
    "table_text",
    "tally",
    "unchanged",
    "usage_html",
    "usage_text",
    "value_words",
    "why_html",
    "why_text",
    "words",
]
