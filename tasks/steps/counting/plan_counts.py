"""Steps of plan-counts: choose what is due and put it on blind sheets."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection

from config.read import ConfigError, read
from tasks.configured import merchants, warehouses
from tasks.domain.counting.count_plans import PlanRules, abc_classes, due, sheets
from tasks.domain.counting.count_reasons import with_accuracy
from tasks.domain.counting.count_rules import CountRules
from tasks.domain.sites.sites import Warehouse
from tasks.runs.artifact_tables import records
from tasks.runs.step import step
from tasks.store.counting import count_plans
from tasks.store.database.engine import engine, exclusive
from tasks.store.sites import ensure_sites, warehouse_ids

SHOWN = ["code", "counter", "location", "sku", "condition", "lot", "abc_class", "reason"]


@dataclass(frozen=True)
class Planned:
    """The planned places (SHOWN, in walking order), and the warehouses that count nothing today."""

    places: pd.DataFrame
    closed: tuple[str, ...]

    def chosen_by(self, rule: str) -> int:
        """How many places a rule chose, alone or with others."""
        return int(self.places["reason"].str.split(", ").map(lambda rules: rule in rules).sum())

    def rows(self) -> list[dict[str, Any]]:
        """The planned places as rows of an artifact."""
        return records(self.places[SHOWN])


@step(task_run_name="choose places to count")
def plan(
    warehouse: str | None, counters: int | None, as_of: datetime, *, empty: bool = False, closed_too: bool = False
) -> Planned:
    """Plan today's counts of every warehouse asked for, in one transaction.

    A warehouse that has counts planned for its day already gets no more, one that is closed only when asked for.
    """
    rules = read("rules/counts.yaml", CountRules)
    chosen = _chosen(warehouse, rules.plan)
    plans = {site.code: _asked(rules.plan.at(site.code), counters, empty=empty) for site in chosen}
    open_ = [
        one
        for one in chosen
        if closed_too or plans[one.code].is_open(_clock(one, as_of).date(), one.country, one.region)
    ]
    with engine().begin() as connection:
        exclusive(connection, "counts")
        ensure_sites(connection, merchants(), chosen)
        sold = count_plans.demand(connection, as_of - timedelta(days=rules.abc.demand_days))
        letters = abc_classes(count_plans.goods(connection), sold, rules.abc)
        planned = [_plan_one(connection, site, plans[site.code], letters, as_of) for site in open_]
    some = [one for one in planned if len(one)]
    places = pd.concat(some, ignore_index=True) if some else pd.DataFrame(columns=SHOWN, dtype="str")
    return Planned(places, tuple(one.code for one in chosen if one not in open_))


def _chosen(warehouse: str | None, rules: PlanRules) -> list[Warehouse]:
    known = warehouses()
    codes = {one.code for one in known}
    if strange := sorted(set(rules.warehouses) - codes):
        raise ConfigError(f"rules/counts.yaml: plan.warehouses: found {strange}, expected some of {sorted(codes)}")
    return [one for one in known if warehouse in {None, one.code}]


def _asked(rules: PlanRules, counters: int | None, *, empty: bool) -> PlanRules:
    """The rules with what the run says otherwise."""
    capacity = replace(rules.capacity, counters=counters or rules.capacity.counters)
    periodic = replace(rules.rules.periodic, include_empty=empty or rules.rules.periodic.include_empty)
    return replace(rules, capacity=capacity, rules=replace(rules.rules, periodic=periodic))


def _clock(site: Warehouse, as_of: datetime) -> datetime:
    return as_of.astimezone(ZoneInfo(site.time_zone))


def _plan_one(
    connection: Connection, site: Warehouse, rules: PlanRules, letters: pd.Series, as_of: datetime
) -> pd.DataFrame:
    warehouse_id, day = warehouse_ids(connection)[site.code], _clock(site, as_of).date()
    prefix = f"CC-{site.code}-{day:%Y%m%d}-"
    if count_plans.is_planned(connection, warehouse_id, prefix):
        return pd.DataFrame(columns=SHOWN)
    places = count_plans.countable(connection, warehouse_id, as_of - timedelta(days=rules.sheet_valid_days))
    target = rules.rules.low_accuracy
    found = count_plans.findings(connection, warehouse_id, as_of - timedelta(days=target.days_max))
    places = with_accuracy(places, found, target)
    classed = places.assign(abc_class=places["product_id"].map(letters).astype("str"))
    today = sheets(due(classed, rules.rules, pd.Timestamp(as_of)), rules.capacity)
    if today.empty:
        return today
    code, whom = prefix + today["sheet"].astype("str"), today["sheet"].map(lambda n: rules.capacity.name_of(n, day))
    today = today.assign(code=code, counter=whom.astype("str"))
    count_plans.plan(connection, today, warehouse_id, as_of)
    return today[SHOWN]
