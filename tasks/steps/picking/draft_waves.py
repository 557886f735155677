"""What plan-waves reads and decides before it writes: a draft of every wave, and why the others wait."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from tasks.domain.picking import wave_kinds, wave_plan
from tasks.domain.picking.batching.cart_batches import cart_kinds
from tasks.domain.picking.release import release_rules
from tasks.domain.picking.release.picker_capacity import with_wait_reasons
from tasks.domain.picking.release.release_rules import WaveRules
from tasks.domain.picking.routing.warehouse_floor import SiteFloor
from tasks.domain.sites.sites import Warehouse
from tasks.domain.states import WaveKind
from tasks.steps.picking.parallel_planners import Run
from tasks.steps.picking.warehouse_floors import warehouse_floors, with_unreachable_reasons
from tasks.store.picking import waves

UNLIMITED = 1 << 40
CHANGED_REASON = "changed while its wave was planned"


@dataclass(frozen=True)
class Backlog:
    """Promises nobody picks yet, with reasons; the floor and the lines in pickers' hands of each warehouse."""

    rows: pd.DataFrame
    floors: Mapping[str, SiteFloor]
    in_hand: Mapping[str, int]


@dataclass(frozen=True)
class Draft:
    """A wave that is planned and not written yet."""

    site: Warehouse
    carrier: str
    kind: WaveKind
    floor: SiteFloor
    plan: wave_plan.WavePlan


def read_backlog(
    connection: Connection, sites: Mapping[str, Warehouse], rules: WaveRules, as_of: datetime
) -> Backlog:  # fmt: skip
    """What could be released now."""
    rows, floors = waves.unreleased_promises(connection), warehouse_floors(connection, sites)
    rows = release_rules.with_release_reasons(
        with_unreachable_reasons(rows[rows["warehouse"].isin(sites)], floors), sites, rules, as_of
    )
    return Backlog(rows, floors, waves.open_pick_counts(connection))


def draft_waves(
    backlog: Backlog, sites: Mapping[str, Warehouse], rules: WaveRules, carrier: str | None, as_of: datetime, run: Run
) -> tuple[list[Draft], list[pd.DataFrame]]:
    """A draft for each wave, and those left out (with reason); `carrier`: the only one to plan for."""
    releasable = backlog.rows[backlog.rows["reason"] == ""]
    drafts, left_out = [], [backlog.rows[backlog.rows["reason"] != ""]]
    for site, orders in _orders_by_site(release_rules.prioritised_orders(releasable, rules), sites):
        promises, floor = releasable[releasable["warehouse"] == site.code], backlog.floors[site.code]
        with_reasons = _with_wait_reasons(
            orders, promises, floor, site, rules, as_of, backlog.in_hand.get(site.code, 0)
        )
        left_out.append(with_reasons[with_reasons["reason"] != ""])
        for name, orders_now in with_reasons[with_reasons["reason"] == ""].groupby("carrier"):
            for kind, part in (
                wave_kinds.orders_by_kind(orders_now, site.picking.waves) if carrier in {None, name} else ()
            ):
                plan = wave_kinds.plan_kind(kind, part, promises, floor, site.carts, site.picking, rules, run)
                drafts.append(Draft(site, str(name), kind, floor, plan))
                left_out.append(plan.left_out)
    return drafts, [one if carrier is None else one[one["carrier"] == carrier] for one in left_out]


def _orders_by_site(orders: pd.DataFrame, sites: Mapping[str, Warehouse]) -> Iterator[tuple[Warehouse, pd.DataFrame]]:
    for code, group in orders.groupby("warehouse"):
        yield sites[str(code)], group


def _with_wait_reasons(
    orders: pd.DataFrame, promises: pd.DataFrame, floor: SiteFloor, site: Warehouse, rules: WaveRules,
    as_of: datetime, in_hand: int,
) -> pd.DataFrame:  # fmt: skip
    """`orders` with the reason why they wait for a later wave; what no cart holds is told by the plan."""
    fits_a_cart = cart_kinds(orders, site.carts).notna()
    pickup = {
        str(name): release_rules.next_pickup(site, str(name), rules, as_of) for name in orders["carrier"].unique()
    }
    lines_max = {
        name: UNLIMITED if site.pickers is None else rules.capacity.lines(site.pickers, at, as_of) - in_hand
        for name, at in sorted(pickup.items(), key=lambda one: (one[1], one[0]))
    }
    fitting_orders = orders.assign(urgent=release_rules.is_urgent(orders, site, rules, as_of))[fits_a_cart]
    aisles = floor.reached[["location_id", "across_m"]].rename(columns={"across_m": "aisle"})
    order_places = promises[["order_id", "location_id"]].merge(aisles, on="location_id")
    reasons = with_wait_reasons(fitting_orders, order_places, lines_max, rules.orders_max, rules.density)["reason"]
    return orders.assign(reason=reasons.reindex(orders.index, fill_value=""))


def without_changed_orders(draft: Draft, drawn_from: Backlog, now: Backlog) -> tuple[Draft, pd.DataFrame]:
    """The draft without orders that are not what they were when it was drawn, and those, with the reason."""
    key = ["order_id", "allocation_id", "quantity", "location_id", "carrier", "reason"]
    planned = drawn_from.rows[drawn_from.rows["allocation_id"].isin(draft.plan.stops["allocation_id"])]
    compared = planned[[*key, "warehouse", "merchant", "order_number"]].merge(now.rows[key], how="left", indicator=True)
    changed_orders = compared[compared["_merge"] == "left_only"].drop_duplicates("order_id")
    if changed_orders.empty:
        return draft, changed_orders
    plan = wave_plan.without_orders(
        draft.plan, set(changed_orders["order_id"]), draft.floor.floor, draft.site.picking.walk
    )
    return replace(draft, plan=plan), changed_orders.assign(reason=CHANGED_REASON)
