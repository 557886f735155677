"""Steps of plan-counts: choose the places that are due and put them on blind sheets."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection

from config.read import ConfigError, read
from tasks.configured import merchants, warehouses
from tasks.domain.counting.count_plans import PlanRules, abc_classes, due_places, on_sheets
from tasks.domain.counting.count_reasons import CountReason, with_accuracy
from tasks.domain.counting.count_rules import CountRules
from tasks.domain.sites.sites import Warehouse
from tasks.runs.artifact_tables import records
from tasks.runs.step import step
from tasks.store.counting import count_plans
from tasks.store.database.engine import engine, exclusive
from tasks.store.sites import ensure_sites, warehouse_ids

PLANNED_COLUMNS = ["code", "counter", "location", "sku", "condition", "lot", "abc_class", "reason"]
_PLACES = [*PLANNED_COLUMNS, "reasons"]


@dataclass(frozen=True)
class Planned:
    """The planned places (PLANNED_COLUMNS and reasons, in walking order), and the warehouses closed today."""

    places: pd.DataFrame
    closed: tuple[str, ...]

    def chosen_by(self, reason: CountReason) -> int:
        """The number of places that a rule chose, alone or with others."""
        return sum(reason in reasons for reasons in self.places["reasons"])

    def rows(self) -> list[dict[str, Any]]:
        """The planned places as rows of an artifact."""
        return records(self.places[PLANNED_COLUMNS])


@step(task_run_name="choose places to count")
def plan(
    warehouse: str | None, counters: int | None, as_of: datetime, *, empty: bool = False, closed_too: bool = False
) -> Planned:
    """Plan today's counts of every warehouse asked for, in one transaction.

    A warehouse that already has counts planned for its day gets no more. One that is closed gets some only if
    `closed_too`. `empty`: places that are empty by the book are counted periodically too.
    """
    rules = read("rules/counts.yaml", CountRules)
    sites = _sites(warehouse, rules.plan)
    plans = {site.code: _plan_of_run(rules.plan.at(site.code), counters, empty=empty) for site in sites}
    open_sites = [
        site
        for site in sites
        if closed_too or plans[site.code].is_open(_local(site, as_of).date(), site.country, site.region)
    ]
    with engine().begin() as connection:
        exclusive(connection, "counts")
        ensure_sites(connection, merchants(), sites)
        demand = count_plans.demand(connection, as_of - timedelta(days=rules.abc.demand_days))
        classes = abc_classes(count_plans.goods(connection), demand, rules.abc)
        planned = [_plan_site(connection, site, plans[site.code], classes, as_of) for site in open_sites]
    frames = [places for places in planned if len(places)]
    places = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=_PLACES, dtype="str")
    return Planned(places, tuple(site.code for site in sites if site not in open_sites))


def _sites(warehouse: str | None, rules: PlanRules) -> list[Warehouse]:
    """The warehouses to plan for. Raises ConfigError where the rules name a warehouse that is not configured."""
    sites = warehouses()
    codes = {site.code for site in sites}
    if unknown := sorted(set(rules.warehouses) - codes):
        raise ConfigError(f"rules/counts.yaml: plan.warehouses: found {unknown}, expected some of {sorted(codes)}")
    return [site for site in sites if warehouse in {None, site.code}]


def _plan_of_run(rules: PlanRules, counters: int | None, *, empty: bool) -> PlanRules:
    """The rules, changed by the run's own parameters."""
    capacity = replace(rules.capacity, counters=counters or rules.capacity.counters)
    periodic = replace(rules.rules.periodic, include_empty=empty or rules.rules.periodic.include_empty)
    return replace(rules, capacity=capacity, rules=replace(rules.rules, periodic=periodic))


def _local(site: Warehouse, as_of: datetime) -> datetime:
    return as_of.astimezone(ZoneInfo(site.time_zone))


def _plan_site(
    connection: Connection, site: Warehouse, rules: PlanRules, classes: pd.Series, as_of: datetime
) -> pd.DataFrame:
    """Plan one warehouse. Returns its planned places; none where the day is planned already or nothing is due."""
    warehouse_id, day = warehouse_ids(connection)[site.code], _local(site, as_of).date()
    prefix = f"CC-{site.code}-{day:%Y%m%d}-"
    if count_plans.is_planned(connection, warehouse_id, prefix):
        return pd.DataFrame(columns=_PLACES)
    places = count_plans.countable_places(connection, warehouse_id, as_of - timedelta(days=rules.sheet_valid_days))
    target = rules.rules.low_accuracy
    findings = count_plans.past_findings(connection, warehouse_id, as_of - timedelta(days=target.days_max))
    places = with_accuracy(places, findings, target)
    places = places.assign(abc_class=places["product_id"].map(classes).astype("str"))
    today = on_sheets(due_places(places, rules.rules, pd.Timestamp(as_of)), rules.capacity)
    if today.empty:
        return today
    counter = today["sheet"].map(lambda sheet: rules.capacity.name_of(sheet, day)).astype("str")
    today = today.assign(code=prefix + today["sheet"].astype("str"), counter=counter)
    count_plans.plan(connection, today, warehouse_id, as_of)
    return today[_PLACES]
