"""Who does the work: role cards, playbooks, plans made by rules, and what agents report."""

from __future__ import annotations

from hypernb.agents._base_agent import AgentTask, BaseAgent
from hypernb.agents._cards import SPECIALISTS, known_tools, load_cards, model_tools
from hypernb.agents._circumstances import Circumstances, circumstances, pick_cards
from hypernb.agents._loop import work_with_model
from hypernb.agents._parameters import Parameter
from hypernb.agents._perform import perform
from hypernb.agents._plan_notes import true_notes
from hypernb.agents._playbook import Playbook, load_playbooks, playbook
from hypernb.agents._post import TALK_TOOLS
from hypernb.agents._proposal import Proposal
from hypernb.agents._rules import check_goal, plan_goal
from hypernb.agents._specialists import STRATEGIST, equip, retold, uses_only_tools
from hypernb.agents._strategist import OUTLINED_AT_MOST, plan_notes, propose

__all__ = [
    "OUTLINED_AT_MOST",
    "SPECIALISTS",
    "STRATEGIST",
    "TALK_TOOLS",
    "AgentTask",
    "BaseAgent",
    "Circumstances",
    "Parameter",
    "Playbook",
    "Proposal",
    "check_goal",
    "circumstances",
    "equip",
    "known_tools",
    "load_cards",
    "load_playbooks",
    "model_tools",
    "perform",
    "pick_cards",
    "plan_goal",
    "plan_notes",
    "playbook",
    "propose",
    "retold",
    "true_notes",
    "uses_only_tools",
    "work_with_model",
]
