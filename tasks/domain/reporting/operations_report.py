"""The operations report: every figure, what waits for a person, and what differs from an earlier report."""

from collections.abc import Collection
from dataclasses import dataclass, field

import pandas as pd

from tasks.domain.reporting import floor_figures, order_figures, service_figures
from tasks.domain.reporting.figures import Figure, KpiRules, Period
from tasks.domain.reporting.waiting_lists import WaitingList


@dataclass(frozen=True, eq=False)
class Facts:
    """The rows to count; columns as in `store.reporting.order_facts` and `store.reporting.figure_rows`."""

    orders: pd.DataFrame
    parcels: pd.DataFrame
    counted: pd.DataFrame
    picks: pd.DataFrame
    inspected: pd.DataFrame
    faults: pd.DataFrame
    files: pd.DataFrame
    notices: pd.DataFrame
    returned: pd.DataFrame
    refunds: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Report:
    """One report, ready to be written."""

    when: Period
    rules: KpiRules
    figures: tuple[Figure, ...]
    waiting: tuple[WaitingList, ...]
    faults: pd.DataFrame
    reasons: pd.DataFrame
    notices: pd.DataFrame
    files: pd.DataFrame
    restated: pd.DataFrame = field(default_factory=pd.DataFrame)

    def figure(self, key: str) -> Figure:
        """The figure with that key."""
        return next(one for one in self.figures if one.key == key)


def judged_orders(facts: Facts, rules: KpiRules, silent: Collection[tuple[str, str]]) -> pd.DataFrame:
    """The orders with due_at, complete_at and told (whether the customer was notified)."""
    return order_figures.with_told(order_figures.with_due_date(facts.orders, rules), silent)


def figures(facts: Facts, orders: pd.DataFrame, when: Period, rules: KpiRules) -> tuple[Figure, ...]:
    """Every figure, in the order of the report; `orders`: columns as in `judged_orders`."""
    return (
        order_figures.on_time_ship(orders, when),
        *order_figures.perfect_order(orders, when),
        *order_figures.backlog(orders, when.as_of, rules),
        *order_figures.cycle_times(orders, facts.parcels, when),
        order_figures.preship_refunds(orders, when),
        *floor_figures.record_accuracy(facts.counted, when),
        *floor_figures.shrinkage(facts.counted),
        *order_figures.fill_rates(orders, when),
        order_figures.oversell(orders, when),
        floor_figures.picks(facts.picks, when),
        *floor_figures.inspections(facts.inspected, when),
        *floor_figures.imports(facts.files, when),
        *service_figures.notices(facts.notices, when),
        service_figures.return_rate(orders, when),
        *service_figures.returns(facts.returned, facts.refunds),
    )


def late_orders(orders: pd.DataFrame, when: Period, rules: KpiRules) -> pd.DataFrame:
    """Open orders past their ship-by, the longest overdue first."""
    late = order_figures.backlog(orders, when.as_of, rules)[1].drill
    return late.drop(columns="counted").assign(urgency="LATE")
