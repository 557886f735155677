"""How pickers are used to walk one block, and the metres of it, to compare with the shortest tour.

The four policies are those of Hall 1993, "Distance approximations for routing manual pickers in a warehouse", IIE
Transactions 25(4), and Petersen 1997, "An evaluation of order picking routeing policies", International Journal of
Operations & Production Management 17(11). All begin and end at the front.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from tasks.domain.picking.routing.floor import Floor


def s_shape(stops: pd.DataFrame) -> pd.DataFrame:
    """`stops` in walking order, cart by cart, with `stop` (int64): the number of the place on the cart's way, from 1.

    `stops`: cart, location_id, across_m, along_m, and more. Rows at one place share a stop; they keep their order.
    Every aisle with a stop is walked through whole; only the last is left where it was entered when their number is
    odd.
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
    """The metres of each cart's S-shape tour (float64, by cart); `stops` as of `s_shape`."""
    aisles = _aisles(stops, floor)
    tour = aisles.groupby(level="cart")
    odd = tour["gate"].size() % 2
    through = (tour["gate"].size() - odd) * floor.depth_m
    back_and_forth = odd * tour["low"].last()
    return (tour["gate"].first() + _wide(aisles) + tour["gate"].last() + through + back_and_forth).astype("float64")


def return_m(stops: pd.DataFrame, floor: Floor) -> pd.Series:
    """The metres when every aisle is left where it was entered, at the front."""
    aisles = _aisles(stops, floor)
    tour = aisles.groupby(level="cart")
    return (tour["gate"].first() + _wide(aisles) + tour["gate"].last() + tour["low"].sum()).astype("float64")


def midpoint_m(stops: pd.DataFrame, floor: Floor) -> pd.Series:
    """The metres when the first and last aisle are walked through, the others from both ends up to their middle."""
    middle = (floor.crosses_m[0] + floor.crosses_m[-1]) / 2
    return _around_m(stops, floor, np.where(stops["along_m"] <= middle, stops["along_m"], -np.inf))


def largest_gap_m(stops: pd.DataFrame, floor: Floor) -> pd.Series:
    """The metres when the first and last aisle are walked through, the others from both ends up to the largest gap."""
    rows = stops.sort_values(["cart", "across_m", "along_m"])
    aisle = rows.groupby(["cart", "across_m"])["along_m"]
    ahead = aisle.shift(-1).fillna(floor.crosses_m[-1]) - rows["along_m"]
    here = ahead.groupby([rows["cart"], rows["across_m"]])
    widest = here.transform("max")
    before_first = aisle.transform("min") - floor.front_m >= widest
    passed = (ahead == widest).astype("int64").groupby([rows["cart"], rows["across_m"]]).cumsum().shift(fill_value=0)
    passed = passed.where(aisle.cumcount() > 0, 0)
    low = rows["along_m"].where((passed == 0) & ~before_first, -np.inf)
    return _around_m(stops, floor, low.reindex(stops.index).to_numpy())


POLICIES: dict[str, Callable[[pd.DataFrame, Floor], pd.Series]] = {
    "s-shape": s_shape_m, "return": return_m, "midpoint": midpoint_m, "largest-gap": largest_gap_m,
}  # fmt: skip


def _aisles(stops: pd.DataFrame, floor: Floor) -> pd.DataFrame:
    """By cart and across_m: `gate`, from the depot to the aisle's front; `low`, in and out again from there."""
    low = 2 * (stops.groupby(["cart", "across_m"])["along_m"].max() - floor.front_m)
    across = low.index.get_level_values("across_m").to_numpy(dtype="float64")
    at = np.abs(np.asarray(floor.aisles_m)[None, :] - across[:, None]).argmin(axis=1)
    gate = floor.gate_m or [abs(aisle - floor.aisles_m[floor.depot_aisle]) for aisle in floor.aisles_m]
    return pd.DataFrame({"gate": np.asarray(gate)[at], "low": low})


def _wide(aisles: pd.DataFrame) -> pd.Series:
    across = aisles.index.get_level_values("across_m").to_series(index=aisles.index).groupby(level="cart")
    return across.last() - across.first()


def _around_m(stops: pd.DataFrame, floor: Floor, from_front: np.ndarray) -> pd.Series:
    """Along the back and home along the front; `from_front`: along_m of what is picked from there, -inf otherwise."""
    key = [stops["cart"], stops["across_m"]]
    along = stops["along_m"].to_numpy()
    front = pd.Series(from_front, index=stops.index).groupby(key).max()
    back = pd.Series(np.where(np.isinf(from_front), along, np.inf), index=stops.index).groupby(key).min()
    inside = 2 * ((front - floor.front_m).clip(lower=0) + (floor.crosses_m[-1] - back).clip(lower=0))
    aisles = _aisles(stops, floor).assign(inside=inside)
    tour = aisles.groupby(level="cart")
    ends = tour["inside"].first() + tour["inside"].last()
    around = 2 * np.minimum(tour["gate"].first(), tour["gate"].last()) + 2 * _wide(aisles) + 2 * floor.depth_m
    whole = pd.Series(around + tour["inside"].sum() - ends)
    single = tour["gate"].size() == 1
    return whole.mask(single, 2 * tour["gate"].first() + tour["low"].first()).astype("float64")


def habit_order(habit: str, floor: Floor, subaisle: np.ndarray, along_m: np.ndarray) -> np.ndarray:
    """The places in the order in which pickers used to `habit` (a key of `POLICIES`) take them.

    `subaisle` and `along_m` as of `floor.on_floor`. Middle cross-aisles are walked over, as if the floor were one
    block; the stops of a one-way aisle are taken the way it is walked.
    """
    aisle = np.unique(subaisle // floor.blocks, return_inverse=True)[1]
    depth = np.array(floor.crosses_m)[subaisle % floor.blocks] + along_m
    one_way = np.array(floor.one_way or [0] * len(floor.aisles_m))[subaisle // floor.blocks]
    if habit == "return" or aisle.max(initial=0) == 0:
        return np.lexsort((np.where(one_way < 0, -depth, depth), aisle))
    if habit == "s-shape":
        return np.lexsort((depth * np.where(one_way == 0, 1 - 2 * (aisle % 2), one_way), aisle))
    return _around(aisle, depth, one_way, _from_front(habit, floor, aisle, depth))


def _around(aisle: np.ndarray, depth: np.ndarray, one_way: np.ndarray, from_front: np.ndarray) -> np.ndarray:
    """Up the first aisle, along the back, down the last one, and home along the front."""
    last = aisle.max()
    leg = np.select([aisle == 0, aisle == last, ~from_front], [0, 2, 1], 3)
    across = np.where(leg == 3, -aisle, aisle)
    up = np.where(one_way == 0, np.where((leg == 0) | (leg == 3), 1, -1), one_way)
    return np.lexsort((depth * up, across, leg))


def _from_front(habit: str, floor: Floor, aisle: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Of each place whether it is taken from the front: before the middle, or before the largest gap of its aisle."""
    front, back = floor.crosses_m[0], floor.crosses_m[-1]
    if habit == "midpoint":
        return depth <= (front + back) / 2
    taken = np.zeros(len(aisle), dtype=bool)
    for number in np.unique(aisle):
        mine = np.flatnonzero(aisle == number)
        at = np.sort(depth[mine])
        gap = int(np.diff(at, prepend=front, append=back).argmax())
        taken[mine] = depth[mine] < (at[gap] if gap < len(at) else np.inf)
    return taken
