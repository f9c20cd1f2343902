"""The mission that the pictures of README and guide show: a crew makes a quarterly report.

`tools.pictures` puts it beside its notebook. The numbers are made up; every task really runs in
a process of its own, and ends when its turn comes, so that a picture finds it at work.
"""

from __future__ import annotations

import inspect
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import hypernb

if TYPE_CHECKING:
    from collections.abc import Callable

TURNS = "PICTURED_TURNS"
REGIONS = ("Americas", "Asia", "Europe")


def take_turn(name: str) -> None:
    """Wait until the picture is taken that shows this task at work."""
    turn = Path(os.environ[TURNS]) / name
    while not turn.exists():
        threading.Event().wait(0.02)


def load_orders() -> Any:
    """Load the orders of the quarter."""
    take_turn("load-orders")
    amounts = [820, 410, 655, 1190, 300, 745, 980, 515, 130]
    return pd.DataFrame({"region": REGIONS * 3, "amount": amounts})


def load_customers() -> dict[str, int]:
    """Load how many customers each region has."""
    take_turn("load-customers")
    return dict(zip(REGIONS, (212, 148, 305), strict=True))


def load_rates() -> dict[str, float]:
    """Ask for the rates of exchange."""
    asked = Path(os.environ[TURNS]) / "rates were asked for"
    if not asked.exists():
        take_turn("load-rates once")
        asked.touch()
        raise ConnectionError("rates.example gave no answer within 3 s")
    take_turn("load-rates")
    return dict(zip(REGIONS, (0.92, 0.88, 1.0), strict=True))


def check_orders(load_orders: Any) -> str:
    """See that no order lacks an amount."""
    take_turn("check-orders")
    return f"{len(load_orders)} rows, none without an amount"


def match_customers(load_orders: Any, load_customers: dict[str, int]) -> Any:
    """Put customers beside orders."""
    take_turn("match-customers")
    return load_orders.assign(customers=load_orders["region"].map(load_customers))


def convert(load_orders: Any, load_rates: dict[str, float]) -> Any:
    """Turn all amounts into euros."""
    take_turn("convert")
    return load_orders["amount"] * load_orders["region"].map(load_rates)


def sum_regions(match_customers: Any, convert: Any) -> Any:
    """Add up by region."""
    take_turn("sum-regions")
    rows = match_customers.assign(amount=convert).groupby("region", as_index=False)
    return rows.agg(orders=("amount", "size"), amount=("amount", "sum"))


def find_outliers(check_orders: str, convert: Any) -> list[float]:
    """Name orders that stand out."""
    take_turn("find-outliers")
    print(check_orders)
    return [float(each) for each in convert if each > 2 * convert.mean()]


def forecast(sum_regions: Any) -> Any:
    """Say what the next quarter may bring."""
    take_turn("forecast")
    return sum_regions.assign(next_quarter=(sum_regions["amount"] * 1.04).round(1))


def write_report(forecast: Any, find_outliers: list[float]) -> Any:
    """Write it up."""
    take_turn("write-report")
    return forecast.assign(outliers=len(find_outliers))


CREW: dict[str, tuple[Callable[..., Any], ...]] = {
    "database-architect": (load_orders, load_customers, match_customers),
    "backend-specialist": (load_rates, convert),
    "qa-engineer": (check_orders, find_outliers),
    "system-architect": (sum_regions, forecast),
    "project-strategist": (write_report,),
}
ESTIMATES_S = {load_orders: 3, load_customers: 2, match_customers: 5, forecast: 5}


@hypernb.playbook
def quarterly_report() -> hypernb.Plan:
    """Report on a quarter: load, check, forecast, write up."""
    plan = hypernb.Plan("Report on a quarter", concurrency=4)
    agents = {function: agent for agent, own in CREW.items() for function in own}
    order = (load_orders, load_customers, load_rates, check_orders, match_customers, convert)
    for function in (*order, sum_regions, find_outliers, forecast, write_report):
        plan.add(
            function.__name__.replace("_", "-"),
            function,
            agent=agents[function],
            goal=(function.__doc__ or "").rstrip("."),
            # A function takes what it needs by its name.
            needs=[name.replace("_", "-") for name in inspect.signature(function).parameters],
            estimate=ESTIMATES_S.get(function, 3),
            attempts=3,
        )
    return plan
