"""Step of plan-waves: plan again what a cancelled order or a short pick changed on carts under way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from config.read import read
from tasks.configured import warehouses
from tasks.domain.picking.cart_replanning import Replanned, replanned
from tasks.domain.picking.release import release_rules
from tasks.domain.picking.release.release_rules import WaveRules
from tasks.domain.picking.routing.warehouse_floor import SiteFloor
from tasks.domain.sites.sites import Warehouse
from tasks.runs.step import step
from tasks.steps.picking.warehouse_floors import floors, with_off
from tasks.store.database.engine import engine, exclusive
from tasks.store.picking import cart_changes, waves


@dataclass(frozen=True)
class Changed:
    """How many carts were planned again, and how many picks they got."""

    carts: int
    picks_added: int


@step(task_run_name="plan carts under way again")
def replan_carts(as_of: datetime) -> Changed:
    """Take what was cancelled off the carts under way, and give them what was promised for their short picks.

    Each cart concerned gets a new revision of its list; no other cart is touched. A second run finds nothing.
    """
    rules, sites = read("rules/waves.yaml", WaveRules), {site.code: site for site in warehouses()}
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        exclusive(connection, "waves")
        concerned = cart_changes.changed_carts(connection)
        if concerned.empty:
            return Changed(0, 0)
        of_sites, fresh = floors(connection, sites), waves.unreleased(connection)
        fresh = release_rules.with_reasons(
            with_off(fresh[fresh["warehouse"].isin(sites)], of_sites), sites, rules, as_of
        )
        picks = _weighed(cart_changes.picks_of(connection, concerned), rules)
        made = list(_each(picks, _weighed(fresh[fresh["reason"] == ""], rules), sites, of_sites))
        carts = [cart_changes.write_changes(connection, one, as_of) for one in made]
    return Changed(sum(carts), sum(len(one.added) for one in made))


def _weighed(rows: pd.DataFrame, rules: WaveRules) -> pd.DataFrame:
    weight = rows["unit_weight_g"].fillna(rules.weight_g_otherwise) * rows["quantity"]
    volume = rows["unit_volume_ml"].fillna(rules.volume_ml_otherwise) * rows["quantity"]
    return rows.assign(weight_g=weight.astype("int64"), volume_ml=volume.astype("int64"))


def _each(
    picks: pd.DataFrame, fresh: pd.DataFrame, sites: Mapping[str, Warehouse], of_sites: Mapping[str, SiteFloor]
) -> Iterator[Replanned]:
    """What changes in each warehouse."""
    for code, of_site in picks[picks["warehouse"].isin(of_sites)].groupby("warehouse"):
        site = sites[str(code)]
        may = (fresh["warehouse"] == code) & site.picking.add_to_walking_carts
        names = ["allocation_id", "order_id", "location_id", "quantity", "weight_g", "volume_ml"]
        yield replanned(of_site, fresh.loc[may, names], of_sites[str(code)], site.carts)
