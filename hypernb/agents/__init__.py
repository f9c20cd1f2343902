"""Who does the work: role cards, playbooks, plans made by rules, and what agents report."""

from __future__ import annotations

from hypernb.agents._cards import SPECIALISTS, load_cards
from hypernb.agents._parameters import Parameter
from hypernb.agents._perform import perform
from hypernb.agents._playbook import Playbook, load_playbooks, playbook
from hypernb.agents._rules import check_goal, plan_goal
from hypernb.agents._specialists import equip

__all__ = [
    "SPECIALISTS",
    "Parameter",
    "Playbook",
    "check_goal",
    "equip",
    "load_cards",
    "load_playbooks",
    "perform",
    "plan_goal",
    "playbook",
]
