"""A wave from its orders: who shares a cart, and in which order each cart is walked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from tasks.domain.picking.batching.cart_batches import batch, fits, too_big
from tasks.domain.picking.batching.cart_filling import Run
from tasks.domain.picking.routing.any_floor_tour import ordered_m, tour
from tasks.domain.picking.routing.floor import Floor, floor_of, on_floor
from tasks.domain.picking.routing.habits import POLICIES, habit_order
from tasks.domain.picking.routing.shortest_tour import Tour
from tasks.domain.picking.routing.walkways import depots
from tasks.domain.picking.routing.warehouse_floor import rough
from tasks.domain.sites.sites import Cart

WALKED = ["walk_m", "shortest_m", "least_m"]
SEED = 1  # of the search: the same orders, places and carts give the same wave


@dataclass(frozen=True)
class Plan:
    """One wave.

    `carts`: as of `walked`. `stops`: cart, stop, allocation_id, position, quantity, in walking order. `left_out`: the
    orders the wave has no room for, with reason. `wall`: order_id, position of orders picked on several carts.
    """

    carts: pd.DataFrame
    stops: pd.DataFrame
    left_out: pd.DataFrame
    wall: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"order_id": [], "position": []}, dtype="int64"))


def plan(
    orders: pd.DataFrame, promises: pd.DataFrame, places: pd.DataFrame, carts: Sequence[Cart], orders_max: int,
    floor: Floor | None = None, habit: str = "shortest", *, apart: bool = True, run: Run = map,
) -> Plan:  # fmt: skip
    """Plan the wave of one warehouse and carrier.

    `orders`: as of `selection.orders_of`. `promises`: allocation_id, order_id, location_id, quantity. `places`: every
    pick place of the warehouse as of `floor.walkable`. `floor`: that of the places when nothing is said. `habit`: how
    carts are walked (a key of `policies.POLICIES`, or shortest). `apart`: single-line orders on carts of their own.
    `run`: as of `filling.filled`.
    """
    kinds = fits(orders, carts)
    held = orders.assign(kind=kinds)[kinds.notna()]
    floor = floor or floor_of(places)
    lines = promises.merge(places[["location_id", "across_m", "along_m"]], on="location_id")
    near, lines = _on(rough(floor), lines)[["order_id", "subaisle", "along_m"]], _on(floor, lines)
    batched = batch(held.head(orders_max), near, rough(floor), carts, SEED, run, apart=apart)
    walk, stops = walked(lines.merge(batched[["order_id", "cart", "position"]], on="order_id"), floor, habit)
    big = orders[kinds.isna()]
    why = [too_big(order, carts) for _, order in big.iterrows()]
    late = held.iloc[orders_max:].assign(reason=f"the wave is full: {orders_max} orders, and others come first")
    left_out = pd.concat([big.assign(reason=pd.Series(why, index=big.index, dtype="str")), late])
    return Plan(walk, stops, left_out)


def _on(floor: Floor, lines: pd.DataFrame) -> pd.DataFrame:
    subaisle, along = on_floor(floor, lines["across_m"].to_numpy(), lines["along_m"].to_numpy())
    return lines.assign(subaisle=subaisle, along_m=along)


def without(plan: Plan, gone: Collection[int], floor: Floor, habit: str = "shortest") -> Plan:
    """The plan when some orders (by id) are not picked after all: their carts walk a shorter way, or not at all."""
    touched = plan.stops["cart"].isin(plan.stops["cart"][plan.stops["order_id"].isin(gone)])
    walk, stops = walked(plan.stops[touched & ~plan.stops["order_id"].isin(gone)], floor, habit)
    others = plan.carts[plan.carts["number"].isin(plan.stops["cart"][~touched])]
    walk = plan.carts.drop(columns=WALKED).merge(walk, on="number")
    return replace(
        plan,
        carts=pd.concat([others, walk]).sort_values("number", ignore_index=True),
        stops=pd.concat([plan.stops[~touched], stops]).sort_values(["cart", "stop"], kind="stable", ignore_index=True),
        wall=plan.wall[~plan.wall["order_id"].isin(gone)],
    )


def walked(stops: pd.DataFrame, floor: Floor, habit: str = "shortest") -> tuple[pd.DataFrame, pd.DataFrame]:
    """The carts and `stops` in walking order with `stop` (int64), numbered on each cart from 1.

    `stops`: cart, location_id, subaisle, along_m, position, allocation_id, and more. Rows at one place share a stop.
    Carts have number, walk_m, shortest_m (of the shortest tour found) and least_m (no tour is shorter), all float64.
    """
    rank, tours = pd.Series(0, index=stops.index), []
    for number, cart in stops.groupby("cart"):
        subaisle, along_m = cart["subaisle"].to_numpy(), cart["along_m"].to_numpy()
        best = tour(floor, subaisle, along_m)
        walk = _by_habit(habit, floor, subaisle, along_m, best)
        rank.loc[cart.index[walk.order]] = np.arange(len(cart))
        metres = (walk.walk_m, best.walk_m, best.walk_m if best.least_m is None else best.least_m)
        tours.append((number, *(round(one, 3) for one in metres)))
    rows = stops.assign(rank=rank)
    rows["rank"] = rows.groupby(["cart", "location_id"])["rank"].transform("min")
    rows = rows.sort_values(["cart", "rank", "location_id", "position", "allocation_id"], ignore_index=True)
    begins = (rows[["cart", "location_id"]] != rows[["cart", "location_id"]].shift()).any(axis=1)
    rows["stop"] = begins.groupby(rows["cart"]).cumsum().astype("int64")
    carts = pd.DataFrame(tours, columns=["number", *WALKED]).astype({"number": "int64", **dict.fromkeys(WALKED, float)})
    return carts, rows.drop(columns="rank")


def _by_habit(habit: str, floor: Floor, subaisle: np.ndarray, along_m: np.ndarray, best: Tour) -> Tour:
    """The stops as habit takes them, each leg the shortest way; the shortest tour when habit asks for it."""
    if habit not in POLICIES:
        return best
    order = habit_order(habit, floor, subaisle, along_m)
    return Tour(ordered_m(floor, subaisle[order], along_m[order], *depots(floor)), order)
