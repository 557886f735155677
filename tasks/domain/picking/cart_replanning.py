"""What becomes of carts under way when an order is cancelled or a short pick is promised elsewhere: only what must.

What was dropped is gone from its cart, and the rest keeps its order and its numbers. What is new goes to the cart on
which its order stands, if that still walks and holds it; then the stops ahead are walked the shortest way from where
the picker stands. Carts nothing happened to are not looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, islice

import numpy as np
import pandas as pd

from tasks.domain.picking.routing.any_floor_tour import ordered_m, walk
from tasks.domain.picking.routing.floor import on_floor
from tasks.domain.picking.routing.walkways import Spots, depots, spots
from tasks.domain.picking.routing.warehouse_floor import SiteFloor
from tasks.domain.sites.sites import Cart
from tasks.domain.states import PickState

LOAD = {"weight_g": "weight_g_max", "volume_ml": "volume_ml_max"}


@dataclass(frozen=True)
class Replanned:
    """What changes.

    `stops`: pick_id, stop_number of picks that are walked at another turn. `added`: allocation_id, cart_id, position,
    quantity, stop_number. `carts`: cart_id, walk_m.
    """

    stops: pd.DataFrame
    added: pd.DataFrame
    carts: pd.DataFrame


def replanned(picks: pd.DataFrame, fresh: pd.DataFrame, site: SiteFloor, carts: Sequence[Cart]) -> Replanned:
    """Plan again the carts of one warehouse to which something happened.

    `picks`: every pick of those carts: cart_id, zone, pick_id, stop_number, state, location_id, order_id, position,
    quantity, picked_at, weight_g, volume_ml (of the pick), dropped (bool: gone since the last list). `fresh`: promises
    no wave holds: allocation_id, order_id, location_id, quantity, weight_g, volume_ml.
    """
    fresh = fresh.merge(site.reached[["location_id", "zone"]], on="location_id")
    stops, added, walks = [], [], []
    for cart_id, of_cart in picks.groupby("cart_id"):
        new = _for_cart(of_cart, fresh, carts)
        fresh = fresh[~fresh["allocation_id"].isin(new["allocation_id"])]
        if len(new) or of_cart["dropped"].any():
            rows = _renumbered(of_cart, new, site) if len(new) else of_cart
            moved = rows["pick_id"].notna() & (rows["stop_number"] != of_cart["stop_number"].reindex(rows.index))
            stops.append(rows.loc[moved, ["pick_id", "stop_number"]])
            added.append(rows[rows["pick_id"].isna()].assign(cart_id=cart_id))
            walks.append((cart_id, round(_walk_m(rows, site), 3)))
    names = ["allocation_id", "cart_id", "position", "quantity", "stop_number"]
    return Replanned(
        _all(stops, ["pick_id", "stop_number"]).astype("int64"),
        _all(added, names).astype("int64"),
        pd.DataFrame(walks, columns=["cart_id", "walk_m"]),
    )


def _all(found: list[pd.DataFrame], names: list[str]) -> pd.DataFrame:
    return pd.concat([one.reindex(columns=names) for one in found]) if found else pd.DataFrame(columns=names)


def _for_cart(of_cart: pd.DataFrame, fresh: pd.DataFrame, carts: Sequence[Cart]) -> pd.DataFrame:
    """The promises that go to a cart, at the position of their order; none when it has stopped walking or is full."""
    live = of_cart[of_cart["state"] != PickState.CANCELLED]
    own = live.drop_duplicates("order_id")[["order_id", "position"]]
    zone = of_cart["zone"].iloc[0]
    here = fresh if pd.isna(zone) else fresh[fresh["zone"] == zone]
    new = here.drop(columns="zone").merge(own, on="order_id")
    walks = (live["state"] == PickState.OPEN).any()
    return new if walks and _holds(pd.concat([live, new]), carts) else new.head(0)


def _holds(load: pd.DataFrame, carts: Sequence[Cart]) -> bool:
    """Whether some kind of cart takes all of it."""
    return any(
        load["order_id"].nunique() <= cart.positions
        and len(load) <= cart.lines_max
        and all(load[name].sum() <= getattr(cart, most) for name, most in LOAD.items())
        for cart in carts
    )


def _renumbered(of_cart: pd.DataFrame, new: pd.DataFrame, site: SiteFloor) -> pd.DataFrame:
    """The picks of a cart and what is new, the stops ahead numbered in the order of the shortest way from here on.

    The numbers of stops done or dropped stay; those ahead take the others in turn.
    """
    rows = pd.concat([of_cart, new.assign(state=str(PickState.OPEN)).set_index(new.index + of_cart.index.max() + 1)])
    ahead = rows["state"] == PickState.OPEN
    places = _walked(rows.loc[ahead, "location_id"].drop_duplicates(), of_cart, site)
    used = set(rows.loc[~ahead, "stop_number"])
    free = islice((number for number in count(1) if number not in used), len(places))
    numbers = pd.Series(list(free), index=places)
    return rows.assign(stop_number=rows["stop_number"].mask(ahead, rows["location_id"].map(numbers)))


def _walked(places: pd.Series, of_cart: pd.DataFrame, site: SiteFloor) -> list[int]:
    """The places in the order of the shortest way from here on; last those that are no longer on the floor."""
    on = places.isin(site.reached["location_id"])
    near = places[on].to_numpy()
    order = walk(site.floor, *_lying(places[on], site), _standing(of_cart, site), depots(site.floor)[1]).order
    return [*near[order].tolist(), *places[~on].tolist()]


def _standing(of_cart: pd.DataFrame, site: SiteFloor) -> Spots:
    """Where the picker stands: at the place of the last pick told, at the depot before the first."""
    told = of_cart[of_cart["picked_at"].notna() & of_cart["location_id"].isin(site.reached["location_id"])]
    if told.empty:
        return depots(site.floor)[0]
    last = told.sort_values(["picked_at", "stop_number"]).tail(1)
    return spots(site.floor, *_lying(last["location_id"], site))


def _lying(location_id: pd.Series, site: SiteFloor) -> tuple[np.ndarray, np.ndarray]:
    at = site.reached.set_index("location_id").loc[location_id, ["across_m", "along_m"]].to_numpy()
    return on_floor(site.floor, at[:, 0], at[:, 1])


def _walk_m(rows: pd.DataFrame, site: SiteFloor) -> float:
    """The metres of the whole tour, done and ahead."""
    walked = rows[rows["state"] != PickState.CANCELLED].sort_values("stop_number").drop_duplicates("stop_number")
    walked = walked[walked["location_id"].isin(site.reached["location_id"])]
    return ordered_m(site.floor, *_lying(walked["location_id"], site), *depots(site.floor))
