"""Steps of plan-counts: choose what is due and put it on blind sheets."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from prefect import task
from sqlalchemy import Connection

from config.read import ConfigError, read
from tasks.configured import merchants, warehouses
from tasks.domain.count_plans import abc_classes, due, sheets
from tasks.domain.counts import CountRules
from tasks.domain.sites import Warehouse
from tasks.show_tables import records
from tasks.store import count_plans
from tasks.store.engine import engine, exclusive
from tasks.store.sites import ensure_sites, warehouse_ids

SHOWN = ["code", "location", "sku", "condition", "lot", "abc_class", "reason"]


@task(task_run_name="choose places to count")
def plan(warehouse: str | None, counters: int | None, as_of: datetime, *, empty: bool = False) -> pd.DataFrame:
    """Plan today's counts of every warehouse asked for, in one transaction; gives the planned places.

    A warehouse that has counts planned for its day already gets no more.
    """
    rules = _rules(counters)
    chosen = _chosen(warehouse)
    with engine().begin() as connection:
        exclusive(connection, "counts")
        ensure_sites(connection, merchants(), chosen)
        planned = [_plan_one(connection, site, rules, as_of, empty=empty) for site in chosen]
    some = [one for one in planned if len(one)]
    return pd.concat(some, ignore_index=True) if some else pd.DataFrame(columns=SHOWN)


def _rules(counters: int | None) -> CountRules:
    rules = read("rules/counts.yaml", CountRules)
    return replace(rules, plan=replace(rules.plan, counters=counters or rules.plan.counters))


def _chosen(warehouse: str | None) -> list[Warehouse]:
    known = warehouses()
    chosen = [one for one in known if warehouse in {None, one.code}]
    if not chosen:
        raise ConfigError(f"warehouse: found {warehouse!r}, expected one of {', '.join(one.code for one in known)}")
    return chosen


def _plan_one(
    connection: Connection, site: Warehouse, rules: CountRules, as_of: datetime, *, empty: bool
) -> pd.DataFrame:
    warehouse_id = warehouse_ids(connection)[site.code]
    prefix = f"CC-{site.code}-{as_of.astimezone(ZoneInfo(site.time_zone)):%Y%m%d}-"
    if count_plans.is_planned(connection, warehouse_id, prefix):
        return pd.DataFrame(columns=SHOWN)
    today = due(_places(connection, warehouse_id, rules, as_of), rules.plan, pd.Timestamp(as_of), empty=empty)
    if today.empty:
        return today
    today = sheets(today, rules.plan.counters, rules.plan.places_per_counter)
    today = today.assign(code=prefix + today["sheet"].astype("str"))
    count_plans.plan(connection, today, warehouse_id, as_of)
    return today[SHOWN]


def _places(connection: Connection, warehouse_id: int, rules: CountRules, as_of: datetime) -> pd.DataFrame:
    """Places that are not being counted, with their products' ABC classes."""
    places = count_plans.countable(connection, warehouse_id, as_of - timedelta(days=rules.plan.sheet_valid_days))
    sold = count_plans.demand(connection, as_of - timedelta(days=rules.abc.demand_days))
    letters = abc_classes(count_plans.goods(connection), sold, rules.abc)
    return places.assign(abc_class=places["product_id"].map(letters).astype("str"))


def rows(planned: pd.DataFrame) -> list[dict[str, Any]]:
    """The planned places as rows of an artifact."""
    return records(planned[SHOWN])
