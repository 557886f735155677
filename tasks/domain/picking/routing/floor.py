"""The floor as a picker walks it: parallel aisles, crossed by two or more cross-aisles, and a depot."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

CROSS_M = 1.0  # from the outermost place of an aisle to the middle of the cross-aisle


@dataclass(frozen=True)
class Floor:
    """Where aisles and cross-aisles run, in metres; a block is what lies between two cross-aisles.

    `aisles_m`: the middle of each aisle, across the floor. `crosses_m`: the middle of each cross-aisle, along the
    aisles, front to back. The depot is where the aisle `depot_aisle` meets the cross-aisle `depot_cross` (both by
    position); or, with `gate_m`, off the aisles, so many metres from where each aisle meets the cross-aisle
    `gate_cross` (the front). A tour ends where it begins; or, with `end_m`, so many metres from where each aisle meets
    `end_cross`. `one_way`: of each aisle 1 where it is walked to the back only, -1 to the front only, 0 either way.
    """

    aisles_m: tuple[float, ...]
    crosses_m: tuple[float, ...]
    depot_aisle: int = 0
    depot_cross: int = 0
    gate_m: tuple[float, ...] = ()
    gate_cross: int = 0
    end_m: tuple[float, ...] = ()
    end_cross: int = 0
    one_way: tuple[int, ...] = ()
    gate_at: tuple[float, float] | None = field(default=None, compare=False)  # across, along: for pictures
    end_at: tuple[float, float] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not self.aisles_m or len(self.crosses_m) < 2:
            raise ValueError("floor: at least one aisle and two cross-aisles, a front and a back")
        for name, positions_m in (("aisle", self.aisles_m), ("cross-aisle", self.crosses_m)):
            disordered = [pair for pair in pairwise(positions_m) if pair[1] <= pair[0]]
            if disordered:
                raise ValueError(
                    f"floor: the {name} at {disordered[0][1]} m does not lie behind the one at {disordered[0][0]} m"
                )
        if not (0 <= self.depot_aisle < len(self.aisles_m) and 0 <= self.depot_cross < len(self.crosses_m)):
            raise ValueError(f"floor: no aisle {self.depot_aisle} meets a cross-aisle {self.depot_cross}")
        for name in ("gate_m", "end_m", "one_way"):
            if getattr(self, name) and len(getattr(self, name)) != len(self.aisles_m):
                raise ValueError(f"floor: {len(getattr(self, name))} numbers of {name}, expected one for each aisle")
        if self.end_m and not self.gate_m:
            raise ValueError(
                "floor: end_m without gate_m: a tour that ends at another depot must begin at one off the aisles"
            )

    @property
    def blocks(self) -> int:
        """How many blocks lie between the front and the back."""
        return len(self.crosses_m) - 1

    @property
    def gates(self) -> tuple[int, ...]:
        """The cross-aisles the depot off the aisles opens on: where tours begin and, when it is elsewhere, end."""
        gates = (self.gate_cross, self.end_cross) if self.end_m else (self.gate_cross,)
        return gates if self.gate_m else ()


def walkable(places: pd.DataFrame) -> pd.DataFrame:
    """`places` with across_m, the middle of their aisle, and along_m, how far along it they lie (float64).

    `places`: aisle (str, may be missing), x_m, y_m. A place that names no aisle makes one with those that share its
    x. Aisles run in the direction in which their places lie apart; where that is undecided, along y.
    """
    aisle = places["aisle"].astype(object).where(places["aisle"].notna(), "x" + places["x_m"].astype(str))
    grouped = places.groupby(aisle)
    wide, deep = (grouped[name].max().sub(grouped[name].min()).sum() for name in ("x_m", "y_m"))
    across, along = ("x_m", "y_m") if deep >= wide else ("y_m", "x_m")
    middle = grouped[across].transform(lambda at: (at.min() + at.max()) / 2)
    return places.assign(across_m=middle.astype("float64"), along_m=places[along].astype("float64"))


def floor_of(places: pd.DataFrame) -> Floor:
    """The floor on which `places` (as in `walkable`) lie: one block, the depot at 0/0.

    The way from the depot to the front cross-aisle and along it is walked whatever the tour; it is the gate's.
    """
    if places.empty:
        return Floor((0.0,), (0.0, 1.0))
    front, back = places["along_m"].min() - CROSS_M, places["along_m"].max() + CROSS_M
    aisles = np.unique(places["across_m"].to_numpy().round(3))
    crosses = np.array([front, back]).round(3)
    gate = np.abs(aisles) + abs(crosses[0])
    return Floor(tuple(aisles.tolist()), tuple(crosses.tolist()), gate_m=tuple(gate.tolist()), gate_at=(0.0, 0.0))


def on_floor(floor: Floor, across_m: np.ndarray, along_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each place the subaisle (int64, numbered aisle by aisle from the front) and its metres from the front end."""
    aisle = np.abs(np.asarray(floor.aisles_m)[None, :] - np.asarray(across_m)[:, None]).argmin(axis=1)
    crosses = np.asarray(floor.crosses_m)
    block = (np.searchsorted(crosses, along_m, side="right") - 1).clip(0, floor.blocks - 1)
    return aisle * floor.blocks + block, along_m - crosses[block]
