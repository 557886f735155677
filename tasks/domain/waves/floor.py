"""The floor as a picker walks it: parallel aisles between a front and a back cross-aisle, and the depot at 0/0."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

CROSS_M = 1.0  # from the outermost place of an aisle to the middle of the cross-aisle


@dataclass(frozen=True)
class Floor:
    """Where the two cross-aisles run, in metres along the aisles; one block."""

    front_m: float
    back_m: float

    def __post_init__(self) -> None:
        if self.back_m < self.front_m:
            raise ValueError(f"floor: the back at {self.back_m} m lies before the front at {self.front_m} m")

    @property
    def depth_m(self) -> float:
        """The length of an aisle from cross-aisle to cross-aisle."""
        return self.back_m - self.front_m


def walkable(places: pd.DataFrame) -> pd.DataFrame:
    """`places` with across_m, the middle of their aisle, and along_m, how far along it they lie (float64).

    `places`: aisle (str, may be missing), x_m, y_m. A place that names no aisle makes one with those that share its
    x. Aisles run in the direction in which their places lie apart; where that cannot be told, along y.
    """
    aisle = places["aisle"].astype(object).where(places["aisle"].notna(), "x" + places["x_m"].astype(str))
    grouped = places.groupby(aisle)
    wide, deep = (grouped[name].max().sub(grouped[name].min()).sum() for name in ("x_m", "y_m"))
    across, along = ("x_m", "y_m") if deep >= wide else ("y_m", "x_m")
    middle = grouped[across].transform(lambda at: (at.min() + at.max()) / 2)
    return places.assign(across_m=middle.astype("float64"), along_m=places[along].astype("float64"))


def floor_of(places: pd.DataFrame) -> Floor:
    """The floor on which `places` (as of `walkable`) lie."""
    if places.empty:
        return Floor(0.0, 0.0)
    ends = np.array([places["along_m"].min() - CROSS_M, places["along_m"].max() + CROSS_M])
    return Floor(*ends.round(3).tolist())
