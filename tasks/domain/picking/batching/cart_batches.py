"""Which orders share a cart: by urgency, then for the shortest tours, single-line and multi-line orders apart."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tasks.domain.picking.batching.cart_filling import Run, fill_carts, floor_ranks, sequential_batches
from tasks.domain.picking.batching.tour_lengths import batching_problem
from tasks.domain.picking.routing.floor import Floor
from tasks.domain.sites.sites import Cart

URGENCY_KEY = ["ship_by", "service_level"]  # orders alike in these are equally urgent


def cart_kinds(orders: pd.DataFrame, carts: Sequence[Cart]) -> pd.Series:
    """The position in `carts` of the first kind that holds each order (Int64), missing where none does.

    `orders`: lines, weight_g, volume_ml.
    """
    holds = [
        (orders["lines"] <= cart.lines_max)
        & (orders["weight_g"] <= cart.weight_g_max)
        & (orders["volume_ml"] <= cart.volume_ml_max)
        & ((orders["lines"] == 1) | (not cart.single_line_only))
        for cart in carts
    ]
    kinds = np.select(holds, list(range(len(carts))), -1) if carts else np.full(len(orders), -1)
    return pd.Series(kinds, index=orders.index, dtype="Int64").mask(lambda kind: kind < 0)


def oversize_reason(order: pd.Series, carts: Sequence[Cart]) -> str:
    """Why no cart holds the order, with what it is and the most any cart takes."""
    carts = [cart for cart in carts if order["lines"] == 1 or not cart.single_line_only]
    limits = (("lines", "lines_max"), ("weight_g", "weight_g_max"), ("volume_ml", "volume_ml_max"))
    over = [f"{name} {order[name]}, at most {max(getattr(cart, limit) for cart in carts)}" for name, limit in limits
            if order[name] > max(getattr(cart, limit) for cart in carts)] if carts else []  # fmt: skip
    return "no cart holds it" + (f": {'; '.join(over)}" if over else "")


def batch_onto_carts(
    orders: pd.DataFrame,
    places: pd.DataFrame,
    floor: Floor,
    carts: Sequence[Cart],
    seed: int,
    run: Run = map,
    *,
    apart: bool = True,
) -> pd.DataFrame:
    """`orders` with kind (the cart's, by position), cart and position on it (from 1; 1 for all if sorted later).

    `orders`: of one wave in order of priority, with order_id, ship_by, service_level, kind (as in `fits_cart`), lines,
    weight_g, volume_ml. `places`: order_id, subaisle, along_m (as in `floor.on_floor`) of everything to be picked.
    Among orders that leave together and are equally urgent, carts are filled for the shortest tours; the room they
    leave goes to the next. Single-line orders have carts of their own, in the order of their places, where they are
    kept `apart`. Carts are numbered by their most urgent order. `run`: as in `filling.filled`.
    """
    rows = orders.reset_index(drop=True).assign(single=apart & (orders["lines"].to_numpy() == 1), cart=0, position=0)
    rows["urgency"] = (rows[URGENCY_KEY] != rows[URGENCY_KEY].shift()).any(axis=1).cumsum() - 1
    groups = [group for _, group in rows.groupby(["single", "kind"])]
    carts_members: list[pd.Index] = []
    for group in sorted(groups, key=lambda batch: int(batch.index[0])):
        cart = carts[int(group["kind"].iloc[0])]
        carts_members += [group.index[list(batch)] for batch in _batches(group, places, floor, cart, seed, run)]
    carts_members.sort(key=lambda members: int(rows["urgency"].loc[members].min()))  # stable: neighbours stay together
    for number, members in enumerate(carts_members, 1):
        rows.loc[members, "cart"] = number
        sorts = carts[int(rows["kind"].loc[members[0]])].sort_while_picking
        rows.loc[members, "position"] = range(1, len(members) + 1) if sorts else 1
    return rows.set_index(orders.index).drop(columns=["single", "urgency"])


def _batches(
    group: pd.DataFrame, places: pd.DataFrame, floor: Floor, cart: Cart, seed: int, run: Run
) -> list[tuple[int, ...]]:
    limits = np.array([cart.positions, cart.lines_max, cart.weight_g_max, cart.volume_ml_max])
    load = group.assign(one=1)[["one", "lines", "weight_g", "volume_ml"]].to_numpy(dtype="int64")
    number = pd.Series(range(len(group)), index=group["order_id"])
    order_places = places[places["order_id"].isin(group["order_id"])]
    order = number.loc[order_places["order_id"]].to_numpy()
    at = (order, order_places["subaisle"].to_numpy(), order_places["along_m"].to_numpy())
    ranks, urgency = floor_ranks(floor, *at), group["urgency"].to_numpy()
    if group["single"].iloc[0]:
        return sequential_batches(load, limits, np.lexsort((ranks, urgency)))
    return fill_carts(batching_problem(floor, *at, load, limits), urgency, ranks, seed, run)
