"""Carts under way planned again when an order is cancelled or a short pick is allocated elsewhere.

Dropped picks leave their cart; the rest keeps its sequence and its numbers. A new promise goes to the cart of its order
if that cart is still walking and has room; then the stops ahead are walked the shortest way from where the picker
stands. Carts without a change are left alone.
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

CART_LIMITS = {"weight_g": "weight_g_max", "volume_ml": "volume_ml_max"}


@dataclass(frozen=True)
class CartChanges:
    """What changes.

    `stops`: pick_id, stop_number of picks that are walked at another turn. `added`: allocation_id, cart_id, position,
    quantity, stop_number. `carts`: cart_id, walk_m.
    """

    stops: pd.DataFrame
    added: pd.DataFrame
    carts: pd.DataFrame


def replan(picks: pd.DataFrame, new_promises: pd.DataFrame, site: SiteFloor, carts: Sequence[Cart]) -> CartChanges:
    """Plan again the changed carts of one warehouse.

    `picks`: every pick of those carts: cart_id, zone, pick_id, stop_number, state, location_id, order_id, position,
    quantity, picked_at, weight_g, volume_ml (of the pick), dropped (bool: gone since the last list). `new_promises`:
    promises no wave holds: allocation_id, order_id, location_id, quantity, weight_g, volume_ml.
    """
    new_promises = new_promises.merge(site.reached[["location_id", "zone"]], on="location_id")
    stops, added, walks = [], [], []
    for cart_id, cart_picks in picks.groupby("cart_id"):
        cart_promises = _promises_for_cart(cart_picks, new_promises, carts)
        new_promises = new_promises[~new_promises["allocation_id"].isin(cart_promises["allocation_id"])]
        if len(cart_promises) or cart_picks["dropped"].any():
            rows = _renumbered(cart_picks, cart_promises, site) if len(cart_promises) else cart_picks
            is_moved = rows["pick_id"].notna() & (rows["stop_number"] != cart_picks["stop_number"].reindex(rows.index))
            stops.append(rows.loc[is_moved, ["pick_id", "stop_number"]])
            added.append(rows[rows["pick_id"].isna()].assign(cart_id=cart_id))
            walks.append((cart_id, round(_walk_m(rows, site), 3)))
    added_columns = ["allocation_id", "cart_id", "position", "quantity", "stop_number"]
    return CartChanges(
        _concatenated(stops, ["pick_id", "stop_number"]).astype("int64"),
        _concatenated(added, added_columns).astype("int64"),
        pd.DataFrame(walks, columns=["cart_id", "walk_m"]),
    )


def _concatenated(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat([one.reindex(columns=columns) for one in frames]) if frames else pd.DataFrame(columns=columns)


def _promises_for_cart(cart_picks: pd.DataFrame, new_promises: pd.DataFrame, carts: Sequence[Cart]) -> pd.DataFrame:
    """The promises that go to a cart, at the position of their order; none when it has stopped walking or is full."""
    live = cart_picks[cart_picks["state"] != PickState.CANCELLED]
    positions = live.drop_duplicates("order_id")[["order_id", "position"]]
    zone = cart_picks["zone"].iloc[0]
    in_zone = new_promises if pd.isna(zone) else new_promises[new_promises["zone"] == zone]
    cart_promises = in_zone.drop(columns="zone").merge(positions, on="order_id")
    is_walking = (live["state"] == PickState.OPEN).any()
    return (
        cart_promises if is_walking and _fits_a_cart(pd.concat([live, cart_promises]), carts) else cart_promises.head(0)
    )


def _fits_a_cart(load: pd.DataFrame, carts: Sequence[Cart]) -> bool:
    """Whether some kind of cart takes all of it."""
    return any(
        load["order_id"].nunique() <= cart.positions
        and len(load) <= cart.lines_max
        and all(load[name].sum() <= getattr(cart, most) for name, most in CART_LIMITS.items())
        for cart in carts
    )


def _renumbered(cart_picks: pd.DataFrame, cart_promises: pd.DataFrame, site: SiteFloor) -> pd.DataFrame:
    """The picks of a cart and what is new, the stops ahead numbered in the order of the shortest way from here on.

    The numbers of stops done or dropped stay; those ahead take the others in turn.
    """
    rows = pd.concat(
        [
            cart_picks,
            cart_promises.assign(state=str(PickState.OPEN)).set_index(cart_promises.index + cart_picks.index.max() + 1),
        ]
    )
    is_ahead = rows["state"] == PickState.OPEN
    places = _walking_order(rows.loc[is_ahead, "location_id"].drop_duplicates(), cart_picks, site)
    used_numbers = set(rows.loc[~is_ahead, "stop_number"])
    free_numbers = islice((number for number in count(1) if number not in used_numbers), len(places))
    numbers = pd.Series(list(free_numbers), index=places)
    return rows.assign(stop_number=rows["stop_number"].mask(is_ahead, rows["location_id"].map(numbers)))


def _walking_order(places: pd.Series, cart_picks: pd.DataFrame, site: SiteFloor) -> list[int]:
    """The places in the order of the shortest way from here on; last those that are no longer on the floor."""
    is_on_floor = places.isin(site.reached["location_id"])
    reachable = places[is_on_floor].to_numpy()
    order = walk(
        site.floor, *_floor_positions(places[is_on_floor], site), _picker_spot(cart_picks, site), depots(site.floor)[1]
    ).order
    return [*reachable[order].tolist(), *places[~is_on_floor].tolist()]


def _picker_spot(cart_picks: pd.DataFrame, site: SiteFloor) -> Spots:
    """Where the picker stands: at the place of the last pick told, at the depot before the first."""
    reported_picks = cart_picks[
        cart_picks["picked_at"].notna() & cart_picks["location_id"].isin(site.reached["location_id"])
    ]
    if reported_picks.empty:
        return depots(site.floor)[0]
    last_pick = reported_picks.sort_values(["picked_at", "stop_number"]).tail(1)
    return spots(site.floor, *_floor_positions(last_pick["location_id"], site))


def _floor_positions(location_id: pd.Series, site: SiteFloor) -> tuple[np.ndarray, np.ndarray]:
    positions_m = site.reached.set_index("location_id").loc[location_id, ["across_m", "along_m"]].to_numpy()
    return on_floor(site.floor, positions_m[:, 0], positions_m[:, 1])


def _walk_m(rows: pd.DataFrame, site: SiteFloor) -> float:
    """The metres of the whole tour, done and ahead."""
    walked = rows[rows["state"] != PickState.CANCELLED].sort_values("stop_number").drop_duplicates("stop_number")
    walked = walked[walked["location_id"].isin(site.reached["location_id"])]
    return ordered_m(site.floor, *_floor_positions(walked["location_id"], site), *depots(site.floor))
