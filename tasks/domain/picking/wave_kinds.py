"""What kind of wave an order goes into; and zone waves: a zone a cart, orders put together at a wall."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from tasks.domain.picking.batching.cart_batches import fits, too_big
from tasks.domain.picking.batching.cart_filling import Run
from tasks.domain.picking.release.release_rules import WaveRules, orders_of
from tasks.domain.picking.routing.warehouse_floor import SiteFloor
from tasks.domain.picking.wave_plan import Plan, plan
from tasks.domain.sites.sites import Cart, Picking, WaveKinds
from tasks.domain.states import WaveKind


def by_kind(orders: pd.DataFrame, waves: WaveKinds) -> list[tuple[WaveKind, pd.DataFrame]]:
    """Orders (as of `selection.orders_of`) by the kind of wave they go into, in the order of their priority."""
    if waves == WaveKinds.TOGETHER:
        return [(WaveKind.MIXED, orders)]
    single = orders["lines"] == 1
    several = WaveKind.ZONE if waves == WaveKinds.ZONES else WaveKind.MULTI_LINE
    parts = [(WaveKind.SINGLE_LINE, orders[single]), (several, orders[~single])]
    return [(kind, part) for kind, part in parts if len(part)]


def planned(
    kind: WaveKind, orders: pd.DataFrame, promises: pd.DataFrame, site: SiteFloor, carts: Sequence[Cart],
    picking: Picking, rules: WaveRules, run: Run = map,
) -> Plan:  # fmt: skip
    """Plan one wave of `orders`; carts of a zone wave say their zone (str), the others none.

    `promises`: of the warehouse, as of `selection.with_reasons`. `run`: as of `filling.filled`.
    """
    if kind == WaveKind.ZONE:
        return _zoned(orders, promises, site, carts, picking, rules, run)
    made = plan(orders, promises, site.reached, carts, rules.orders_max, site.floor, picking.walk, run=run)
    return Plan(made.carts.assign(zone=pd.Series(None, index=made.carts.index, dtype="str")), made.stops, made.left_out)


def _zoned(
    orders: pd.DataFrame, promises: pd.DataFrame, site: SiteFloor, carts: Sequence[Cart], picking: Picking,
    rules: WaveRules, run: Run,
) -> Plan:  # fmt: skip
    """A wave of which each cart stays in one zone; an order of several zones has a position at the wall."""
    mine = promises[promises["order_id"].isin(orders["order_id"])].merge(site.reached[["location_id", "zone"]])
    parts = {str(zone): orders_of(rows, rules) for zone, rows in mine.groupby("zone")}
    left = _left_out(orders, parts, carts, picking, rules)
    taken = orders[~orders["order_id"].isin(left["order_id"])]
    zones = mine.groupby("order_id")["zone"].nunique()
    joined = taken.loc[taken["order_id"].map(zones) > 1, "order_id"]
    wall = pd.DataFrame({"order_id": joined.to_numpy(), "position": np.arange(1, len(joined) + 1)})
    going = {zone: part[part["order_id"].isin(taken["order_id"])] for zone, part in parts.items()}
    made = [
        (zone, plan(part, mine[mine["zone"] == zone].drop(columns="zone"),
                    site.reached, carts, len(part), site.floor, picking.walk, apart=False, run=run))
        for zone, part in going.items() if len(part)
    ]  # fmt: skip
    return _joined(made, left, wall)


def _left_out(
    orders: pd.DataFrame, parts: dict[str, pd.DataFrame], carts: Sequence[Cart], picking: Picking, rules: WaveRules
) -> pd.DataFrame:
    """Orders a part of which no cart holds, and those for which wave or wall have no room, with reason (str)."""
    every = pd.concat(parts.values())
    big = every[fits(every, carts).isna()].drop_duplicates("order_id")
    why = pd.Series([too_big(part, carts) for _, part in big.iterrows()], index=big["order_id"], dtype="str")
    rest = orders[~orders["order_id"].isin(big["order_id"])]
    several = rest["order_id"].map(every["order_id"].value_counts()) > 1
    late = f"the wave is full: {rules.orders_max} orders, and others come first"
    wall = f"the wall is full: {picking.wall_positions} positions, and others come first"
    over = several & (several.cumsum() > picking.wall_positions)
    full = pd.Series(np.arange(len(rest)) >= rules.orders_max, index=rest.index)
    waits = rest.assign(reason=pd.Series(wall, index=rest.index).where(~full, late))[over | full]
    held = orders.assign(reason=orders["order_id"].map(why))
    return pd.concat([held[held["reason"].notna()], waits])


def _joined(made: list[tuple[str, Plan]], left: pd.DataFrame, wall: pd.DataFrame) -> Plan:
    """The plans of all zones as one, their carts numbered through."""
    if not made:
        return Plan(pd.DataFrame(columns=["number"]), pd.DataFrame(columns=["cart"]), left)
    ends = np.cumsum([0, *(len(one.carts) for _, one in made)])
    numbered = zip(made, pairwise(ends.tolist()), strict=True)
    carts, stops = [], []
    for (zone, one), (before, _) in numbered:
        carts.append(one.carts.assign(number=one.carts["number"] + before, zone=zone))
        stops.append(one.stops.assign(cart=one.stops["cart"] + before))
    return Plan(pd.concat(carts, ignore_index=True), pd.concat(stops, ignore_index=True), left, wall)
