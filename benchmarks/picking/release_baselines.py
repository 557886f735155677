"""What others would walk for the same orders: in the order of priority by S-shape, and savings with shortest tours."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tasks.domain.picking.batching.annealing import no_batches
from tasks.domain.picking.batching.cart_batches import URGENCY, fits
from tasks.domain.picking.batching.cart_filling import in_sequence
from tasks.domain.picking.batching.savings import savings
from tasks.domain.picking.batching.tour_lengths import memory_of, picking_of
from tasks.domain.picking.routing.floor import floor_of, on_floor
from tasks.domain.picking.routing.habits import s_shape_m
from tasks.domain.sites.sites import Cart


def first_come_m(orders: pd.DataFrame, promises: pd.DataFrame, places: pd.DataFrame, carts: Sequence[Cart]) -> float:
    """Metres when each cart takes the next orders as long as it holds them, and walks whole aisles."""
    stops = promises.merge(places[["location_id", "across_m", "along_m"]], on="location_id")
    metres, floor = 0.0, floor_of(places)
    for group, load, limit in _groups(orders, carts, ["carrier", "kind"]):
        numbers = {order: cart for cart, batch in enumerate(in_sequence(load, limit, np.arange(len(load))))
                   for order in group["order_id"].iloc[list(batch)]}  # fmt: skip
        own = stops[stops["order_id"].isin(numbers)]
        metres += float(s_shape_m(own.assign(cart=own["order_id"].map(numbers)), floor).sum())
    return metres


def savings_m(orders: pd.DataFrame, promises: pd.DataFrame, places: pd.DataFrame, carts: Sequence[Cart]) -> float:
    """Metres of savings batches (`savings`), each walked the shortest way, among orders that are equally urgent."""
    stops = promises.merge(places[["location_id", "across_m", "along_m"]], on="location_id")
    metres, floor = 0.0, floor_of(places)
    for group, load, limit in _groups(orders, carts, ["carrier", "kind", *URGENCY]):
        number = pd.Series(range(len(group)), index=group["order_id"])
        own = stops[stops["order_id"].isin(number.index)]
        at = on_floor(floor, own["across_m"].to_numpy(), own["along_m"].to_numpy())
        picking = picking_of(floor, number.loc[own["order_id"]].to_numpy(), *at, load, limit)
        batches = no_batches(picking)
        savings(picking, memory_of(picking), batches, np.zeros((len(group), len(group))))
        metres += float(batches.metres.sum())
    return metres


def _groups(orders: pd.DataFrame, carts: Sequence[Cart], by: list[str]
            ) -> list[tuple[pd.DataFrame, np.ndarray, np.ndarray]]:  # fmt: skip
    """Orders on the same kind of cart, with what each takes and what the cart holds."""
    kinds = fits(orders, carts)
    held = orders[kinds.notna()].assign(kind=kinds, one=1)
    found = []
    for _, group in held.groupby(by):
        cart = carts[int(group["kind"].iloc[0])]
        load = group[["one", "lines", "weight_g", "volume_ml"]].to_numpy(dtype="int64")
        found.append((group, load, np.array([cart.positions, cart.lines_max, cart.weight_g_max, cart.volume_ml_max])))
    return found
