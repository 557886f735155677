"""What kind of wave an order goes into; and zone waves: a zone a cart, orders put together at a wall."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from tasks.domain.picking.batching.cart_batches import cart_kinds, oversize_reason
from tasks.domain.picking.batching.cart_filling import Run
from tasks.domain.picking.release.release_rules import WaveRules, prioritised_orders
from tasks.domain.picking.routing.warehouse_floor import SiteFloor
from tasks.domain.picking.wave_plan import WavePlan, plan_wave
from tasks.domain.sites.sites import Cart, Picking, WaveKinds
from tasks.domain.states import WaveKind


def orders_by_kind(orders: pd.DataFrame, waves: WaveKinds) -> list[tuple[WaveKind, pd.DataFrame]]:
    """Orders (as in `release_rules.prioritised_orders`) by the kind of their wave, in the order of their priority."""
    if waves == WaveKinds.TOGETHER:
        return [(WaveKind.MIXED, orders)]
    single = orders["lines"] == 1
    several = WaveKind.ZONE if waves == WaveKinds.ZONES else WaveKind.MULTI_LINE
    parts = [(WaveKind.SINGLE_LINE, orders[single]), (several, orders[~single])]
    return [(kind, part) for kind, part in parts if len(part)]


def plan_kind(
    kind: WaveKind, orders: pd.DataFrame, promises: pd.DataFrame, site: SiteFloor, carts: Sequence[Cart],
    picking: Picking, rules: WaveRules, run: Run = map,
) -> WavePlan:  # fmt: skip
    """Plan one wave of `orders`; carts of a zone wave say their zone (str), the others none.

    `promises`: of the warehouse, as in `release_rules.with_reasons`. `run`: as in `cart_filling.filled`.
    """
    if kind == WaveKind.ZONE:
        return _zone_plan(orders, promises, site, carts, picking, rules, run)
    wave = plan_wave(orders, promises, site.reached, carts, rules.orders_max, site.floor, picking.walk, run=run)
    return WavePlan(
        wave.carts.assign(zone=pd.Series(None, index=wave.carts.index, dtype="str")), wave.stops, wave.left_out
    )


def _zone_plan(
    orders: pd.DataFrame, promises: pd.DataFrame, site: SiteFloor, carts: Sequence[Cart], picking: Picking,
    rules: WaveRules, run: Run,
) -> WavePlan:  # fmt: skip
    """A wave of which each cart stays in one zone; an order of several zones has a position at the wall."""
    zone_promises = promises[promises["order_id"].isin(orders["order_id"])].merge(site.reached[["location_id", "zone"]])
    parts = {str(zone): prioritised_orders(rows, rules) for zone, rows in zone_promises.groupby("zone")}
    left_out = _left_out(orders, parts, carts, picking, rules)
    orders_in_wave = orders[~orders["order_id"].isin(left_out["order_id"])]
    zones = zone_promises.groupby("order_id")["zone"].nunique()
    several_zones = orders_in_wave.loc[orders_in_wave["order_id"].map(zones) > 1, "order_id"]
    wall = pd.DataFrame({"order_id": several_zones.to_numpy(), "position": np.arange(1, len(several_zones) + 1)})
    taken_parts = {zone: part[part["order_id"].isin(orders_in_wave["order_id"])] for zone, part in parts.items()}
    zone_plans = [
        (zone, plan_wave(part, zone_promises[zone_promises["zone"] == zone].drop(columns="zone"),
                    site.reached, carts, len(part), site.floor, picking.walk, apart=False, run=run))
        for zone, part in taken_parts.items() if len(part)
    ]  # fmt: skip
    return _merged_plan(zone_plans, left_out, wall)


def _left_out(
    orders: pd.DataFrame, parts: dict[str, pd.DataFrame], carts: Sequence[Cart], picking: Picking, rules: WaveRules
) -> pd.DataFrame:
    """Orders a part of which no cart holds, and those for which wave or wall have no room, with reason (str)."""
    all_parts = pd.concat(parts.values())
    oversized = all_parts[cart_kinds(all_parts, carts).isna()].drop_duplicates("order_id")
    oversize_reasons = pd.Series(
        [oversize_reason(part, carts) for _, part in oversized.iterrows()], index=oversized["order_id"], dtype="str"
    )
    fitting = orders[~orders["order_id"].isin(oversized["order_id"])]
    is_several_zones = fitting["order_id"].map(all_parts["order_id"].value_counts()) > 1
    full_reason = f"the wave is full: {rules.orders_max} orders, and others come first"
    wall_reason = f"the wall is full: {picking.wall_positions} positions, and others come first"
    is_over_wall = is_several_zones & (is_several_zones.cumsum() > picking.wall_positions)
    is_over_wave = pd.Series(np.arange(len(fitting)) >= rules.orders_max, index=fitting.index)
    waiting = fitting.assign(reason=pd.Series(wall_reason, index=fitting.index).where(~is_over_wave, full_reason))[
        is_over_wall | is_over_wave
    ]
    with_reasons = orders.assign(reason=orders["order_id"].map(oversize_reasons))
    return pd.concat([with_reasons[with_reasons["reason"].notna()], waiting])


def _merged_plan(zone_plans: list[tuple[str, WavePlan]], left_out: pd.DataFrame, wall: pd.DataFrame) -> WavePlan:
    """The plans of all zones as one, their carts numbered through."""
    if not zone_plans:
        return WavePlan(pd.DataFrame(columns=["number"]), pd.DataFrame(columns=["cart"]), left_out)
    ends = np.cumsum([0, *(len(one.carts) for _, one in zone_plans)])
    numbered = zip(zone_plans, pairwise(ends.tolist()), strict=True)
    carts, stops = [], []
    for (zone, one), (before, _) in numbered:
        carts.append(one.carts.assign(number=one.carts["number"] + before, zone=zone))
        stops.append(one.stops.assign(cart=one.stops["cart"] + before))
    return WavePlan(pd.concat(carts, ignore_index=True), pd.concat(stops, ignore_index=True), left_out, wall)
