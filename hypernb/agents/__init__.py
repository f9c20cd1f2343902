"""Who does the work: role cards, playbooks, plans made by rules, and what agents report."""

from __future__ import annotations

from hypernb.agents._base_agent import AgentTask, BaseAgent
from hypernb.agents._cards import SPECIALISTS, load_cards
from hypernb.agents._loop import work_with_model
from hypernb.agents._parameters import Parameter
from hypernb.agents._perform import perform
from hypernb.agents._playbook import Playbook, load_playbooks, playbook
from hypernb.agents._post import TALK_TOOLS
from hypernb.agents._rules import check_goal, plan_goal
from hypernb.agents._specialists import equip

__all__ = [
    "SPECIALISTS",
    "TALK_TOOLS",
    "AgentTask",
    "BaseAgent",
    "Parameter",
    "Playbook",
    "check_goal",
    "equip",
    "load_cards",
    "load_playbooks",
    "perform",
    "plan_goal",
    "playbook",
    "work_with_model",
]
