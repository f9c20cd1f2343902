"""Plans decided purely: built, checked, ordered, scheduled, laid out and compared."""

from hypernb.plan._builder import Plan
from hypernb.plan._check import (
    MAX_GOAL,
    MAX_NAME,
    MAX_TASKS,
    check_plan,
    is_resource_name,
    keyword_name,
    plan_problems,
)
from hypernb.plan._check_models import price_problem
from hypernb.plan._compare import PlanDifference, compare
from hypernb.plan._json_schema import schema_refusal, validator_of
from hypernb.plan._layout import Layout, Route, layout
from hypernb.plan._networkx import to_networkx
from hypernb.plan._paths import Outline, critical_path, outline, remaining_paths, waves
from hypernb.plan._quote import Experience, agents_with_models, makespan, quote_plan
from hypernb.plan._schedule import Consequence, Schedule
from hypernb.plan._sharing import shared_tasks
from hypernb.plan._sizes import refuse_too_large

__all__ = [
    "MAX_GOAL",
    "MAX_NAME",
    "MAX_TASKS",
    "Consequence",
    "Experience",
    "Layout",
    "Outline",
    "Plan",
    "PlanDifference",
    "Route",
    "Schedule",
    "agents_with_models",
    "check_plan",
    "compare",
    "critical_path",
    "is_resource_name",
    "keyword_name",
    "layout",
    "makespan",
    "outline",
    "plan_problems",
    "price_problem",
    "quote_plan",
    "refuse_too_large",
    "remaining_paths",
    "schema_refusal",
    "shared_tasks",
    "to_networkx",
    "validator_of",
    "waves",
]
