"""The operations report: every figure, what waits for a person, and what changed since an earlier report."""

from collections.abc import Collection
from dataclasses import dataclass, field

import pandas as pd

from tasks.domain.reporting import floor_figures as kpi_floor
from tasks.domain.reporting import order_figures as kpi_orders
from tasks.domain.reporting import service_figures as kpi_service
from tasks.domain.reporting.figures import Figure, KpiRules, Period
from tasks.domain.reporting.waiting_lists import Waiting


@dataclass(frozen=True, eq=False)
class Facts:
    """What is counted; each frame as its function in `reporting.order_facts` and `reporting.figure_rows` documents."""

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
    waiting: tuple[Waiting, ...]
    faults: pd.DataFrame
    reasons: pd.DataFrame
    notices: pd.DataFrame
    files: pd.DataFrame
    restated: pd.DataFrame = field(default_factory=pd.DataFrame)

    def figure(self, key: str) -> Figure:
        """The figure of that key."""
        return next(one for one in self.figures if one.key == key)


def promised(facts: Facts, rules: KpiRules, silent: Collection[tuple[str, str]]) -> pd.DataFrame:
    """The orders with due_at, complete_at and told."""
    return kpi_orders.with_told(kpi_orders.with_promise(facts.orders, rules), silent)


def figures(facts: Facts, orders: pd.DataFrame, when: Period, rules: KpiRules) -> tuple[Figure, ...]:
    """Every figure, in the order of the report; `orders` as `promised` gives them."""
    return (
        kpi_orders.on_time_ship(orders, when),
        *kpi_orders.perfect_order(orders, when),
        *kpi_orders.backlog(orders, when.as_of, rules),
        *kpi_orders.cycle_times(orders, facts.parcels, when),
        kpi_orders.preship_refunds(orders, when),
        *kpi_floor.record_accuracy(facts.counted, when),
        *kpi_floor.shrinkage(facts.counted),
        *kpi_orders.fill_rates(orders, when),
        kpi_orders.oversell(orders, when),
        kpi_floor.picks(facts.picks, when),
        *kpi_floor.inspections(facts.inspected, when),
        *kpi_floor.imports(facts.files, when),
        *kpi_service.notices(facts.notices, when),
        kpi_service.return_rate(orders, when),
        *kpi_service.returns(facts.returned, facts.refunds),
    )


def late_orders(orders: pd.DataFrame, when: Period, rules: KpiRules) -> pd.DataFrame:
    """Open orders past their ship-by, the longest overdue first."""
    late = kpi_orders.backlog(orders, when.as_of, rules)[1].drill
    return late.drop(columns="counted").assign(urgency="LATE")
