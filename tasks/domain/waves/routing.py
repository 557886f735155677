"""The way a picker walks: S-shape, the policy pickers know.

Every aisle with a stop is walked through whole, from the one nearest to one side to the other; only the last is left
where it was entered when their number is odd (Hall 1993, "Distance approximations for routing manual pickers in a
warehouse", IIE Transactions 25(4)). Metres are walked along aisles and cross-aisles, from the depot and back.
"""

import numpy as np
import pandas as pd

from tasks.domain.waves.floor import Floor


def s_shape(stops: pd.DataFrame) -> pd.DataFrame:
    """`stops` in walking order, cart by cart, with `stop` (int64): the number of the place on the cart's way, from 1.

    `stops`: cart, location_id, across_m, along_m, and more. Rows at one place share a stop; they keep their order.
    """
    rows = stops.assign(row=np.arange(len(stops)), aisle=_aisle_numbers(stops))
    upwards = rows["aisle"] % 2 == 0
    rows["way"] = rows["along_m"].where(upwards, -rows["along_m"])
    rows = rows.sort_values(["cart", "aisle", "way", "location_id", "row"], ignore_index=True)
    begins = (rows[["cart", "location_id"]] != rows[["cart", "location_id"]].shift()).any(axis=1)
    rows["stop"] = begins.groupby(rows["cart"]).cumsum().astype("int64")
    return rows.drop(columns=["row", "aisle", "way"])


def _aisle_numbers(stops: pd.DataFrame) -> pd.Series:
    """The aisles of each cart numbered from 0 in the order in which they are walked: across the floor."""
    return stops.groupby("cart")["across_m"].rank(method="dense").astype("int64") - 1


def s_shape_m(stops: pd.DataFrame, floor: Floor) -> pd.Series:
    """The metres of each cart's S-shape tour, from the depot at 0/0 and back (float64, by cart)."""
    numbered = stops.assign(aisle=_aisle_numbers(stops)).groupby(["cart", "aisle"])
    aisles = pd.DataFrame({"at": numbered["across_m"].first(), "far": numbered["along_m"].max()})
    tour = aisles.groupby(level="cart")
    first, last, aisle_count = tour["at"].first(), tour["at"].last(), tour["at"].size()
    odd = aisle_count % 2
    across = first.abs() + (last - first) + last.abs()
    through = (aisle_count - odd) * floor.depth_m
    back_and_forth = odd * 2 * (tour["far"].last() - floor.front_m)
    return pd.Series(across + 2 * abs(floor.front_m) + through + back_and_forth, dtype="float64")
