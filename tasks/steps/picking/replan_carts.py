"""Step of plan-waves: plan again what a cancelled order or a short pick changed on carts under way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from config.read import read
from tasks.configured import warehouses
from tasks.domain.picking.cart_replanning import CartChanges, replan
from tasks.domain.picking.release import release_rules
from tasks.domain.picking.release.release_rules import WaveRules
from tasks.domain.picking.routing.warehouse_floor import SiteFloor
from tasks.domain.sites.sites import Warehouse
from tasks.runs.step import step
from tasks.steps.picking.warehouse_floors import warehouse_floors, with_unreachable_reasons
from tasks.store.database.engine import engine, exclusive
from tasks.store.picking import cart_changes, waves


@dataclass(frozen=True)
class ReplannedCarts:
    """How many carts were planned again, and how many picks they got."""

    carts: int
    picks_added: int


@step(task_run_name="plan carts under way again")
def replan_carts(as_of: datetime) -> ReplannedCarts:
    """Take what was cancelled off the carts under way, and give them what was promised for their short picks.

    Each cart concerned gets a new revision of its list; no other cart is touched. A second run finds nothing.
    """
    rules, sites = read("rules/waves.yaml", WaveRules), {site.code: site for site in warehouses()}
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        exclusive(connection, "waves")
        changed_cart_ids = cart_changes.changed_carts(connection)
        if changed_cart_ids.empty:
            return ReplannedCarts(0, 0)
        floors, new_promises = warehouse_floors(connection, sites), waves.unreleased_promises(connection)
        new_promises = release_rules.with_release_reasons(
            with_unreachable_reasons(new_promises[new_promises["warehouse"].isin(sites)], floors), sites, rules, as_of
        )
        picks = _with_load(cart_changes.cart_picks(connection, changed_cart_ids), rules)
        changes = list(
            _changes_by_warehouse(picks, _with_load(new_promises[new_promises["reason"] == ""], rules), sites, floors)
        )
        carts = [cart_changes.write_changes(connection, one, as_of) for one in changes]
    return ReplannedCarts(sum(carts), sum(len(one.added) for one in changes))


def _with_load(rows: pd.DataFrame, rules: WaveRules) -> pd.DataFrame:
    weight = rows["unit_weight_g"].fillna(rules.weight_g_otherwise) * rows["quantity"]
    volume = rows["unit_volume_ml"].fillna(rules.volume_ml_otherwise) * rows["quantity"]
    return rows.assign(weight_g=weight.astype("int64"), volume_ml=volume.astype("int64"))


def _changes_by_warehouse(
    picks: pd.DataFrame, new_promises: pd.DataFrame, sites: Mapping[str, Warehouse], floors: Mapping[str, SiteFloor]
) -> Iterator[CartChanges]:
    """What changes in each warehouse."""
    for code, warehouse_picks in picks[picks["warehouse"].isin(floors)].groupby("warehouse"):
        site = sites[str(code)]
        may_join = (new_promises["warehouse"] == code) & site.picking.add_to_walking_carts
        names = ["allocation_id", "order_id", "location_id", "quantity", "weight_g", "volume_ml"]
        yield replan(warehouse_picks, new_promises.loc[may_join, names], floors[str(code)], site.carts)
