"""The metres of S-shape tours: every aisle with a stop is walked through whole (Hall 1993, Petersen 1997).

Hall, "Distance approximations for routing manual pickers in a warehouse", IIE Transactions 25(4); Petersen, "An
evaluation of order picking routeing policies", International Journal of Operations & Production Management 17(11).
"""

import numpy as np
import pandas as pd

from tasks.domain.picking.routing.floor import Floor


def s_shape_m(stops: pd.DataFrame, floor: Floor) -> pd.Series:
    """The metres of each cart's S-shape tour on a floor of one block (float64, by cart).

    `stops`: cart, across_m, along_m. Tours begin and end at the front. Where the number of aisles is odd, the
    last one is left where it was entered.
    """
    aisles = _aisles(stops, floor)
    tour = aisles.groupby(level="cart")
    odd = tour["gate"].size() % 2
    through = (tour["gate"].size() - odd) * (floor.crosses_m[-1] - floor.crosses_m[0])
    back_and_forth = odd * tour["low"].last()
    return (tour["gate"].first() + _width_m(aisles) + tour["gate"].last() + through + back_and_forth).astype("float64")


def _aisles(stops: pd.DataFrame, floor: Floor) -> pd.DataFrame:
    """By cart and across_m, in metres: `gate`, from the depot to the aisle's front; `low`, there and back."""
    low = 2 * (stops.groupby(["cart", "across_m"])["along_m"].max() - floor.crosses_m[0])
    across = low.index.get_level_values("across_m").to_numpy(dtype="float64")
    nearest = np.abs(np.asarray(floor.aisles_m)[None, :] - across[:, None]).argmin(axis=1)
    gate = floor.gate_m or [abs(aisle - floor.aisles_m[floor.depot_aisle]) for aisle in floor.aisles_m]
    return pd.DataFrame({"gate": np.asarray(gate)[nearest], "low": low})


def _width_m(aisles: pd.DataFrame) -> pd.Series:
    across = aisles.index.get_level_values("across_m").to_series(index=aisles.index).groupby(level="cart")
    return across.last() - across.first()
