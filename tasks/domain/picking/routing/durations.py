"""How long a cart takes: walking, turning into aisles, stopping, lifting, taking, and setting it up."""

import pandas as pd

from tasks.domain.sites.floor_plans import Speeds


def cart_s(stops: pd.DataFrame, walk_m: pd.Series, speeds: Speeds) -> pd.Series:
    """The seconds of each cart (float64, by cart).

    `stops`: cart, stop, subaisle, quantity, lifts (levels out of reach, int64), in walking order. `walk_m`: of each
    cart, by its number. The picker turns into an aisle whenever the next stop lies in another subaisle.
    """
    cart = stops.groupby("cart")
    turns = (stops[["cart", "subaisle"]] != stops[["cart", "subaisle"]].shift()).any(axis=1).groupby(stops["cart"])
    lifts = stops.groupby(["cart", "stop"])["lifts"].max().groupby("cart").sum()
    return (
        walk_m / speeds.walk_m_s
        + turns.sum() * speeds.turn_s
        + cart["stop"].nunique() * speeds.stop_s
        + lifts * speeds.lift_s
        + cart["quantity"].sum() * speeds.pick_s
        + speeds.set_up_s
    ).astype("float64")
