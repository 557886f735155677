"""Whether what plan-waves wrote holds, from the rows of the database and the configuration alone.

It shares nothing with the planner: the metres are those of shortest paths (Dijkstra, by scipy) on a graph of the floor,
from the depot at 0/0 to each stop in its turn and back.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from sqlalchemy import Connection, select

from tasks.domain.sites.sites import Cart
from tasks.store.database.frames import read
from tasks.store.schema import allocations, carts, locations, orders, picks, products, waves

END_M = 1.0  # from the outermost place of the floor to a cross-aisle
NEAR_M = 0.01


def stops_of(connection: Connection) -> pd.DataFrame:
    """Every pick with its wave, cart, order and place."""
    return read(connection, select(
        waves.c.id.label("wave"), carts.c.id.label("cart"), carts.c.number, carts.c.walk_m, picks.c.stop_number,
        picks.c.position, picks.c.allocation_id, picks.c.quantity, allocations.c.quantity.label("promised"),
        allocations.c.order_id, orders.c.ship_by, orders.c.service_level, locations.c.id.label("location_id"),
        locations.c.aisle, locations.c.x_m, locations.c.y_m, products.c.weight_g, products.c.volume_ml,
    ).join_from(picks, carts, carts.c.id == picks.c.cart_id).join(waves, waves.c.id == carts.c.wave_id)
     .join(allocations, allocations.c.id == picks.c.allocation_id).join(orders, orders.c.id == allocations.c.order_id)
     .join(locations, locations.c.id == allocations.c.location_id)
     .join(products, products.c.id == allocations.c.product_id)
     .order_by(waves.c.id, carts.c.number, picks.c.stop_number, picks.c.position))  # fmt: skip


def problems(stops: pd.DataFrame, places: pd.DataFrame, expected: set[int], kinds: Sequence[Cart]) -> list[str]:
    """All that is wrong, in words.

    `stops`: as in `stops_of`. `places`: every pick place (aisle, x_m, y_m). `expected`: allocations to be picked.
    """
    times = stops["allocation_id"].value_counts()
    wrong = [f"allocation {one} is picked {times[one]} times" for one in times.index[times > 1]]
    wrong += [f"allocation {one} is on no cart" for one in sorted(expected - set(times.index))]
    wrong += [f"allocation {one} waits, and is on a cart" for one in sorted(set(times.index) - expected)]
    short = stops[stops["quantity"] != stops["promised"]]
    wrong += [f"allocation {one} is not picked whole" for one in short["allocation_id"]]
    apart = stops.groupby("order_id")["cart"].nunique()
    wrong += [f"order {order} is on {number} carts" for order, number in apart[apart > 1].items()]
    return [*wrong, *_overloaded(stops, kinds), *_walked_otherwise(stops, places), *_out_of_turn(stops)]


def _overloaded(stops: pd.DataFrame, kinds: Sequence[Cart]) -> Iterator[str]:
    rows = stops.assign(weight=stops["weight_g"] * stops["quantity"], volume=stops["volume_ml"] * stops["quantity"])
    for cart, own in rows.groupby("cart"):
        load = (own["order_id"].nunique(), len(own), own["weight"].sum(), own["volume"].sum())
        limits = [(kind.positions, kind.lines_max, kind.weight_g_max, kind.volume_ml_max) for kind in kinds]
        if not any(all(has <= most for has, most in zip(load, limit, strict=True)) for limit in limits):
            yield f"no cart holds what is on cart {cart}: orders, lines, g, ml {load}"
        apart = own["position"].nunique() == load[0] or not all(kind.sort_while_picking for kind in kinds)
        if own.groupby("order_id")["position"].nunique().max() > 1 or not apart:
            yield f"cart {cart}: an order has a position of its own"


def _walked_otherwise(stops: pd.DataFrame, places: pd.DataFrame) -> Iterator[str]:
    """Carts whose way, stop by stop as listed, is not as long as told."""
    middle = places.groupby("aisle")["x_m"].agg(lambda x: (x.min() + x.max()) / 2)
    metres = _Metres(middle.to_numpy(), places["y_m"].to_numpy(dtype="float64"))
    for cart, own in stops.groupby("cart", sort=False):
        at = own.drop_duplicates("stop_number")
        if own.groupby("stop_number")["location_id"].nunique().max() > 1:
            yield f"cart {cart}: a stop is at two places"
        walked = metres.of(middle.loc[at["aisle"]].to_numpy(), at["y_m"].to_numpy(dtype="float64"))
        if abs(walked - float(own["walk_m"].iloc[0])) > NEAR_M:
            yield f"cart {cart}: walked {walked:.2f} m, told was {own['walk_m'].iloc[0]:.2f} m"


class _Metres:
    """Shortest ways on the floor's graph: a node for the depot, for each aisle's ends and for each place along it."""

    def __init__(self, aisles: np.ndarray, along: np.ndarray) -> None:
        self.x, self.y = np.unique(aisles), np.unique(np.append(along, [along.min() - END_M, along.max() + END_M]))
        depth, wide = len(self.y), len(self.x)
        node = 1 + np.arange(wide * depth).reshape(wide, depth)
        rows = [node[:, :-1].ravel(), node[:-1, 0], node[:-1, -1], np.zeros(wide, dtype="int64")]
        columns = [node[:, 1:].ravel(), node[1:, 0], node[1:, -1], node[:, 0]]
        lengths = [np.tile(np.diff(self.y), wide), *[np.diff(self.x)] * 2, np.abs(self.x) + abs(self.y[0])]
        edges = (np.concatenate(lengths), (np.concatenate(rows), np.concatenate(columns)))
        self.between = dijkstra(coo_array(edges, (node.size + 1, node.size + 1)).tocsr(), directed=False)

    def of(self, across: np.ndarray, along: np.ndarray) -> float:
        """From the depot to each place in its turn and back."""
        nodes = 1 + np.searchsorted(self.x, across) * len(self.y) + np.searchsorted(self.y, along)
        way = np.concatenate([[0], nodes, [0]])
        return float(self.between[way[:-1], way[1:]].sum())


def _out_of_turn(stops: pd.DataFrame) -> Iterator[str]:
    """Carts begun for orders that leave later than what is on a cart behind them."""
    first = stops.groupby(["wave", "number"])["ship_by"].min()
    late = first[first < first.groupby("wave").cummax()].reset_index()
    for wave, number in zip(late["wave"], late["number"], strict=True):
        yield f"wave {wave}, cart {number}: begins after a cart of what leaves later"
