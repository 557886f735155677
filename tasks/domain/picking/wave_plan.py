"""A wave from its orders: who shares a cart, and in which order each cart is walked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from tasks.domain.picking.batching.cart_batches import batch_onto_carts, cart_kinds, oversize_reason
from tasks.domain.picking.batching.cart_filling import Run
from tasks.domain.picking.routing.any_floor_tour import ordered_m, tour
from tasks.domain.picking.routing.floor import Floor, floor_of, on_floor
from tasks.domain.picking.routing.habits import habit_order
from tasks.domain.picking.routing.shortest_tour import Tour
from tasks.domain.picking.routing.walkways import depots
from tasks.domain.picking.routing.warehouse_floor import batching_floor
from tasks.domain.sites.floor_plans import Habit
from tasks.domain.sites.sites import Cart

WALKED = ["walk_m", "shortest_m", "least_m"]
SEED = 1  # of the search: the same orders, places and carts give the same wave


@dataclass(frozen=True)
class WavePlan:
    """One wave.

    `carts`: as in `route_carts`. `stops`: cart, stop, allocation_id, position, quantity, in walking order. `left_out`:
    the orders the wave has no room for, with reason. `wall`: order_id, position of orders picked on several carts.
    """

    carts: pd.DataFrame
    stops: pd.DataFrame
    left_out: pd.DataFrame
    wall: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"order_id": [], "position": []}, dtype="int64"))


def plan_wave(
    orders: pd.DataFrame, promises: pd.DataFrame, places: pd.DataFrame, carts: Sequence[Cart], orders_max: int,
    floor: Floor | None = None, habit: Habit = Habit.SHORTEST, *, apart: bool = True, run: Run = map,
) -> WavePlan:  # fmt: skip
    """Plan the wave of one warehouse and carrier.

    `orders`: as in `release_rules.prioritised_orders`. `promises`: allocation_id, order_id, location_id, quantity.
    `places`: every pick place of the warehouse as in `floor.walkable`. `floor`: that of the places when nothing is
    said. `habit`: how carts are walked. `apart`: single-line orders on carts of their own. `run`: as in
    `cart_filling.filled`.
    """
    kinds = cart_kinds(orders, carts)
    fitting = orders.assign(kind=kinds)[kinds.notna()]
    floor = floor or floor_of(places)
    lines = promises.merge(places[["location_id", "across_m", "along_m"]], on="location_id")
    near, lines = _on(batching_floor(floor), lines)[["order_id", "subaisle", "along_m"]], _on(floor, lines)
    batched = batch_onto_carts(fitting.head(orders_max), near, batching_floor(floor), carts, SEED, run, apart=apart)
    routed_carts, stops = route_carts(
        lines.merge(batched[["order_id", "cart", "position"]], on="order_id"), floor, habit
    )
    oversized = orders[kinds.isna()]
    oversize_reasons = [oversize_reason(order, carts) for _, order in oversized.iterrows()]
    over_wave = fitting.iloc[orders_max:].assign(reason=f"the wave is full: {orders_max} orders, and others come first")
    left_out = pd.concat(
        [oversized.assign(reason=pd.Series(oversize_reasons, index=oversized.index, dtype="str")), over_wave]
    )
    return WavePlan(routed_carts, stops, left_out)


def _on(floor: Floor, lines: pd.DataFrame) -> pd.DataFrame:
    subaisle, along = on_floor(floor, lines["across_m"].to_numpy(), lines["along_m"].to_numpy())
    return lines.assign(subaisle=subaisle, along_m=along)


def without_orders(
    plan: WavePlan, dropped_order_ids: Collection[int], floor: Floor, habit: Habit = Habit.SHORTEST
) -> WavePlan:
    """The plan when some orders (by id) are not picked after all: their carts walk a shorter way, or not at all."""
    is_changed = plan.stops["cart"].isin(plan.stops["cart"][plan.stops["order_id"].isin(dropped_order_ids)])
    routed_carts, stops = route_carts(
        plan.stops[is_changed & ~plan.stops["order_id"].isin(dropped_order_ids)], floor, habit
    )
    unchanged_carts = plan.carts[plan.carts["number"].isin(plan.stops["cart"][~is_changed])]
    routed_carts = plan.carts.drop(columns=WALKED).merge(routed_carts, on="number")
    return replace(
        plan,
        carts=pd.concat([unchanged_carts, routed_carts]).sort_values("number", ignore_index=True),
        stops=pd.concat([plan.stops[~is_changed], stops]).sort_values(
            ["cart", "stop"], kind="stable", ignore_index=True
        ),
        wall=plan.wall[~plan.wall["order_id"].isin(dropped_order_ids)],
    )


def route_carts(stops: pd.DataFrame, floor: Floor, habit: Habit = Habit.SHORTEST) -> tuple[pd.DataFrame, pd.DataFrame]:
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
        metres = (walk.walk_m, best.walk_m, best.walk_m if best.lower_bound_m is None else best.lower_bound_m)
        tours.append((number, *(round(one, 3) for one in metres)))
    rows = stops.assign(rank=rank)
    rows["rank"] = rows.groupby(["cart", "location_id"])["rank"].transform("min")
    rows = rows.sort_values(["cart", "rank", "location_id", "position", "allocation_id"], ignore_index=True)
    begins = (rows[["cart", "location_id"]] != rows[["cart", "location_id"]].shift()).any(axis=1)
    rows["stop"] = begins.groupby(rows["cart"]).cumsum().astype("int64")
    carts = pd.DataFrame(tours, columns=["number", *WALKED]).astype({"number": "int64", **dict.fromkeys(WALKED, float)})
    return carts, rows.drop(columns="rank")


def _by_habit(habit: Habit, floor: Floor, subaisle: np.ndarray, along_m: np.ndarray, best: Tour) -> Tour:
    """The stops as habit takes them, each leg the shortest way; the shortest tour when habit asks for it."""
    if habit == Habit.SHORTEST:
        return best
    order = habit_order(habit, floor, subaisle, along_m)
    return Tour(ordered_m(floor, subaisle[order], along_m[order], *depots(floor)), order)
