"""Which orders share a cart: in order of priority, single-line and multi-line orders apart, within every limit."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tasks.domain.sites import Cart


def fits(orders: pd.DataFrame, carts: Sequence[Cart]) -> pd.Series:
    """The position in `carts` of the first kind that holds each order (Int64), missing where none does.

    `orders`: lines, weight_g, volume_ml.
    """
    held = [
        (orders["lines"] <= cart.lines_max)
        & (orders["weight_g"] <= cart.weight_g_max)
        & (orders["volume_ml"] <= cart.volume_ml_max)
        for cart in carts
    ]
    kinds = np.select(held, list(range(len(carts))), -1) if carts else np.full(len(orders), -1)
    return pd.Series(kinds, index=orders.index, dtype="Int64").mask(lambda kind: kind < 0)


def too_big(order: pd.Series, carts: Sequence[Cart]) -> str:
    """Why no cart holds the order, with what it is and the most any cart takes."""
    limits = (("lines", "lines_max"), ("weight_g", "weight_g_max"), ("volume_ml", "volume_ml_max"))
    over = [f"{name} {order[name]}, at most {max(getattr(cart, limit) for cart in carts)}" for name, limit in limits
            if order[name] > max(getattr(cart, limit) for cart in carts)] if carts else []  # fmt: skip
    return "no cart holds it" + (f": {'; '.join(over)}" if over else "")


def batch(orders: pd.DataFrame, carts: Sequence[Cart]) -> pd.DataFrame:
    """`orders` with kind (the cart's, by position), cart (numbered from 1) and position (on the cart, from 1).

    `orders`: of one wave in order of priority, with kind (as of `fits`), lines, weight_g, volume_ml. Carts are filled
    one after the other, so that nothing urgent waits for a later cart; single-line orders have carts of their own.
    """
    rows = orders.assign(single=orders["lines"] == 1, cart=0, position=0)
    number = 0
    groups = [group for _, group in rows.groupby(["single", "kind"])]
    for group in sorted(groups, key=lambda one: int(one.index[0])):  # the cart with the most urgent order first
        carted, positions = _fill(group, carts[int(group["kind"].iloc[0])])
        rows.loc[group.index, "cart"] = carted + number
        rows.loc[group.index, "position"] = positions
        number = int(rows["cart"].max())
    return rows.drop(columns="single")


def _fill(orders: pd.DataFrame, cart: Cart) -> tuple[np.ndarray, np.ndarray]:
    limits = np.array([cart.positions, cart.lines_max, cart.weight_g_max, cart.volume_ml_max])
    sizes = orders.assign(one=1)[["one", "lines", "weight_g", "volume_ml"]].to_numpy()
    numbers, positions, load, number = [], [], np.zeros(4, dtype="int64"), 1
    for size in sizes:
        if (load + size > limits).any():
            load, number = np.zeros(4, dtype="int64"), number + 1
        load += size
        numbers.append(number)
        positions.append(int(load[0]))
    return np.array(numbers), np.array(positions)
