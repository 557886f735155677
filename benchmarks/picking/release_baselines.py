"""What others would walk for the same orders: in the order of priority by S-shape, and savings with shortest tours."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.picking.s_shape_length import s_shape_m
from tasks.domain.picking.batching.annealing import empty_batches
from tasks.domain.picking.batching.cart_batches import URGENCY_KEY, cart_kinds
from tasks.domain.picking.batching.cart_filling import sequential_batches
from tasks.domain.picking.batching.savings import fill_by_savings
from tasks.domain.picking.batching.tour_lengths import batching_problem, tour_cache
from tasks.domain.picking.routing.floor import floor_of, on_floor
from tasks.domain.sites.sites import Cart


def first_come_m(orders: pd.DataFrame, promises: pd.DataFrame, places: pd.DataFrame, carts: Sequence[Cart]) -> float:
    """Metres when each cart takes the next orders as long as it holds them, and walks whole aisles."""
    stops = promises.merge(places[["location_id", "across_m", "along_m"]], on="location_id")
    metres, floor = 0.0, floor_of(places)
    for group, load, limit in _groups(orders, carts, ["carrier", "kind"]):
        numbers = {order: cart for cart, batch in enumerate(sequential_batches(load, limit, np.arange(len(load))))
                   for order in group["order_id"].iloc[list(batch)]}  # fmt: skip
        own = stops[stops["order_id"].isin(numbers)]
        metres += float(s_shape_m(own.assign(cart=own["order_id"].map(numbers)), floor).sum())
    return metres


def savings_m(orders: pd.DataFrame, promises: pd.DataFrame, places: pd.DataFrame, carts: Sequence[Cart]) -> float:
    """Metres of batches by savings, among orders that are equally urgent, each cart walked the shortest way."""
    stops = promises.merge(places[["location_id", "across_m", "along_m"]], on="location_id")
    metres, floor = 0.0, floor_of(places)
    for group, load, limit in _groups(orders, carts, ["carrier", "kind", *URGENCY_KEY]):
        number = pd.Series(range(len(group)), index=group["order_id"])
        own = stops[stops["order_id"].isin(number.index)]
        at = on_floor(floor, own["across_m"].to_numpy(), own["along_m"].to_numpy())
        picking = batching_problem(floor, number.loc[own["order_id"]].to_numpy(), *at, load, limit)
        batches = empty_batches(picking)
        fill_by_savings(picking, tour_cache(picking), batches, np.zeros((len(group), len(group))))
        metres += float(batches.metres.sum())
    return metres


def _groups(orders: pd.DataFrame, carts: Sequence[Cart], by: list[str]
            ) -> list[tuple[pd.DataFrame, np.ndarray, np.ndarray]]:  # fmt: skip
    """Orders on the same kind of cart, with what each takes and what the cart holds."""
    kinds = cart_kinds(orders, carts)
    fitting = orders[kinds.notna()].assign(kind=kinds, one=1)
    groups = []
    for _, group in fitting.groupby(by):
        cart = carts[int(group["kind"].iloc[0])]
        load = group[["one", "lines", "weight_g", "volume_ml"]].to_numpy(dtype="int64")
        groups.append((group, load, np.array([cart.positions, cart.lines_max, cart.weight_g_max, cart.volume_ml_max])))
    return groups
