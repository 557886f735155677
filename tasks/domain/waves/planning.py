"""A wave from its orders: who shares a cart, and in which order each cart is walked."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from tasks.domain.sites import Cart
from tasks.domain.waves.batching import batch, fits, too_big
from tasks.domain.waves.floor import floor_of
from tasks.domain.waves.policies import s_shape, s_shape_m


@dataclass(frozen=True)
class Plan:
    """One wave.

    `carts`: number, walk_m. `stops`: cart, stop, allocation_id, position, quantity, in walking order. `left_out`: the
    orders the wave has no room for, with reason.
    """

    carts: pd.DataFrame
    stops: pd.DataFrame
    left_out: pd.DataFrame


def plan(
    orders: pd.DataFrame, promises: pd.DataFrame, places: pd.DataFrame, carts: Sequence[Cart], orders_max: int
) -> Plan:
    """Plan the wave of one warehouse and carrier.

    `orders`: as of `selection.orders_of`. `promises`: allocation_id, order_id, location_id, quantity. `places`: every
    pick place of the warehouse as of `floor.walkable`.
    """
    kinds = fits(orders, carts)
    held = orders[kinds.notna()].assign(kind=kinds)
    batched = batch(held.head(orders_max), carts)
    stops = promises.merge(batched[["order_id", "cart", "position"]], on="order_id")
    stops = stops.merge(places[["location_id", "across_m", "along_m"]], on="location_id")
    stops = stops.sort_values(["cart", "position", "allocation_id"])
    walk = s_shape_m(stops, floor_of(places)).round(3)
    big = orders[kinds.isna()]
    why = [too_big(order, carts) for _, order in big.iterrows()]
    late = held.iloc[orders_max:].assign(reason=f"the wave is full: {orders_max} orders, and others come first")
    left_out = pd.concat([big.assign(reason=pd.Series(why, index=big.index, dtype="str")), late])
    return Plan(walk.rename("walk_m").rename_axis("number").reset_index(), s_shape(stops), left_out)
