"""A wave from its orders: who shares a cart, and in which order each cart is walked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tasks.domain.sites import Cart
from tasks.domain.waves.batching import batch, fits, too_big
from tasks.domain.waves.filling import Run
from tasks.domain.waves.floor import Floor, floor_of, on_floor
from tasks.domain.waves.routing import shortest

SEED = 1  # of the search: the same orders, places and carts give the same wave


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
    orders: pd.DataFrame, promises: pd.DataFrame, places: pd.DataFrame, carts: Sequence[Cart], orders_max: int,
    *, run: Run = map,
) -> Plan:  # fmt: skip
    """Plan the wave of one warehouse and carrier.

    `orders`: as of `selection.orders_of`. `promises`: allocation_id, order_id, location_id, quantity. `places`: every
    pick place of the warehouse as of `floor.walkable`. `run`: as of `filling.filled`.
    """
    kinds = fits(orders, carts)
    held = orders[kinds.notna()].assign(kind=kinds)
    floor = floor_of(places)
    lines = promises.merge(places[["location_id", "across_m", "along_m"]], on="location_id")
    subaisle, along = on_floor(floor, lines["across_m"].to_numpy(), lines["along_m"].to_numpy())
    lines = lines.assign(subaisle=subaisle, along_m=along)
    batched = batch(held.head(orders_max), lines[["order_id", "subaisle", "along_m"]], floor, carts, SEED, run)
    walk, stops = walked(lines.merge(batched[["order_id", "cart", "position"]], on="order_id"), floor)
    big = orders[kinds.isna()]
    why = [too_big(order, carts) for _, order in big.iterrows()]
    late = held.iloc[orders_max:].assign(reason=f"the wave is full: {orders_max} orders, and others come first")
    left_out = pd.concat([big.assign(reason=pd.Series(why, index=big.index, dtype="str")), late])
    return Plan(walk, stops, left_out)


def without(plan: Plan, gone: Collection[int], floor: Floor) -> Plan:
    """The plan when some orders (by id) are not picked after all: their carts walk a shorter way, or not at all."""
    touched = plan.stops["cart"].isin(plan.stops["cart"][plan.stops["order_id"].isin(gone)])
    carts, stops = walked(plan.stops[touched & ~plan.stops["order_id"].isin(gone)], floor)
    others = plan.carts[plan.carts["number"].isin(plan.stops["cart"][~touched])]
    return replace(
        plan,
        carts=pd.concat([others, carts]).sort_values("number", ignore_index=True),
        stops=pd.concat([plan.stops[~touched], stops]).sort_values(["cart", "stop"], kind="stable", ignore_index=True),
    )


def walked(stops: pd.DataFrame, floor: Floor) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The carts (number, walk_m) and `stops` in walking order with `stop` (int64), numbered on each cart from 1.

    `stops`: cart, location_id, subaisle, along_m, position, allocation_id, and more. Rows at one place share a stop.
    """
    rank, metres = pd.Series(0, index=stops.index), {}
    for number, cart in stops.groupby("cart"):
        tour = shortest(floor, cart["subaisle"].to_numpy(), cart["along_m"].to_numpy())
        rank.loc[cart.index[tour.order]] = np.arange(len(cart))
        metres[number] = round(tour.walk_m, 3)
    rows = stops.assign(rank=rank)
    rows["rank"] = rows.groupby(["cart", "location_id"])["rank"].transform("min")
    rows = rows.sort_values(["cart", "rank", "location_id", "position", "allocation_id"], ignore_index=True)
    begins = (rows[["cart", "location_id"]] != rows[["cart", "location_id"]].shift()).any(axis=1)
    rows["stop"] = begins.groupby(rows["cart"]).cumsum().astype("int64")
    carts = pd.DataFrame({"number": list(metres), "walk_m": list(metres.values())})
    return carts, rows.drop(columns="rank")
