"""The floor of one warehouse: from its plan in config/warehouses, or from the coordinates of its places."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tasks.domain.picking.routing.floor import Floor, floor_of, walkable
from tasks.domain.sites.floor_plans import Axis, Depot, Direction, FloorPlan

REACHED_COLUMNS = ["location_id", "across_m", "along_m", "zone", "lifts"]


@dataclass(frozen=True, eq=False)
class SiteFloor:
    """A warehouse's floor and every pick place of it, as in `with_floor_positions`."""

    floor: Floor
    places: pd.DataFrame

    @property
    def reached(self) -> pd.DataFrame:
        """The places that lie on the floor."""
        return self.places.loc[self.places["off"] == "", REACHED_COLUMNS]

    @property
    def off(self) -> pd.DataFrame:
        """The places no tour can reach: warehouse, location, off (why), by location."""
        rows = self.places.loc[self.places["off"] != "", ["warehouse", "location", "off"]]
        return rows.sort_values("location", ignore_index=True)

    @property
    def aisle_names(self) -> list[str]:
        """What each aisle of the floor is called, left to right; empty where no place says it."""
        on = self.places[(self.places["off"] == "") & self.places["aisle"].notna()]
        named = on.groupby(on["across_m"].round(3))["aisle"].first()
        return [str(named.get(at, "")) for at in self.floor.aisles_m]


def site_floor(places: pd.DataFrame, plan: FloorPlan | None) -> SiteFloor:
    """The floor of a warehouse; `places` and `plan` as `with_floor_positions` takes them."""
    with_positions = with_floor_positions(places, plan)
    return SiteFloor(
        floor_of(with_positions[with_positions["off"] == ""]) if plan is None else planned_floor(plan), with_positions
    )


ONE_WAY_SIGNS = {Direction.TO_BACK: 1, Direction.TO_FRONT: -1}


def with_floor_positions(places: pd.DataFrame, plan: FloorPlan | None) -> pd.DataFrame:
    """`places` with across_m and along_m (float64), zone (str), lifts (int64), off (str: why it cannot be reached).

    `places`: aisle, bay, level, zone (str, may be missing), x_m, y_m (float64, may be missing). Without a plan, aisles
    are where places share an `aisle` or an x (`floor.walkable`), and what has no coordinates cannot be reached.
    """
    if plan is None:
        lost = places[["x_m", "y_m"]].isna().any(axis=1)
        off = pd.Series(np.where(lost, "has no coordinates", ""), index=places.index, dtype="str")
        return walkable(places).assign(zone=places["zone"].fillna(""), lifts=0, off=off)
    names = pd.Series(dict(plan.aisles_placed()), dtype="float64")
    aisle, along = _aisles(places, plan, names), _along_m(places, plan)
    zone = places["zone"].fillna(aisle.map(plan.zones())).fillna("")
    rank = _rank(places, plan)
    lifts = (rank - plan.levels_in_reach + 1).clip(lower=0).fillna(0).astype("int64")
    off = _off(places, plan, aisle, along)
    return places.assign(across_m=aisle.map(names).astype("float64"), along_m=along, zone=zone.astype("str"),
                         lifts=lifts, off=off)  # fmt: skip


def _rank(places: pd.DataFrame, plan: FloorPlan) -> pd.Series:
    """The level of each place by number, the lowest being 0; missing where the plan has none of that name."""
    return places["level"].map({name: rank for rank, name in enumerate(plan.levels)}).astype("float64")


def _off(places: pd.DataFrame, plan: FloorPlan, aisle: pd.Series, along: pd.Series) -> pd.Series:
    """Why each place cannot be reached: key, found, expected; empty where it can."""
    front, back, axis = plan.cross_aisles_m[0], plan.cross_aisles_m[-1], f"{plan.along}_m"
    unknown = places["level"].notna() & _rank(places, plan).isna() & bool(plan.levels)
    bay = "" if plan.bays is None else ", or a bay with a number"
    cases: list[tuple[pd.Series, str | pd.Series]] = [
        (unknown, "level: found " + _quoted_values(places["level"]) + ", expected one of " + ", ".join(plan.levels)),
        ((along < front) | (along > back),
         f"{axis}: found " + along.astype("str") + f", expected {front} to {back}, between the cross-aisles"),
        (along.isna(), f"{axis}: found nothing, expected metres along the aisle" + bay),
        (aisle.isna(), "aisle: found " + _quoted_values(places["aisle"]) + ", expected one of the floor plan"),
    ]  # fmt: skip
    off = pd.Series("", index=places.index, dtype="str")
    for case, text in cases:  # the last that applies is the reason
        off = off.mask(case, text)
    return off.where(off == "", "is not on the floor: " + off)


def _quoted_values(values: pd.Series) -> pd.Series:
    return ("'" + values.astype("str") + "'").where(values.notna(), "nothing")


def _aisles(places: pd.DataFrame, plan: FloorPlan, names: pd.Series) -> pd.Series:
    """The aisle each place lies in; one that names none lies in the nearest, within half of what two are apart."""
    at = np.sort(names.to_numpy())
    apart = np.diff(at).min() if len(at) > 1 else np.inf
    across = places["y_m" if plan.along == Axis.X else "x_m"].astype("float64").to_numpy()
    far = np.abs(across[:, None] - names.to_numpy()[None, :])
    nearest = np.where(np.isnan(far).any(axis=1), len(names), np.nan_to_num(far, nan=np.inf).argmin(axis=1))
    near = np.array([*map(str, names.index), None], dtype=object)[nearest]
    close = np.nan_to_num(far.min(axis=1), nan=np.inf) <= apart / 2
    named = places["aisle"].astype(object).where(places["aisle"].isin(names.index), None)
    unnamed = places["aisle"].isna() & close
    return named.where(~unnamed, pd.Series(near, index=places.index, dtype=object))


def _along_m(places: pd.DataFrame, plan: FloorPlan) -> pd.Series:
    """As the file says; otherwise where the plan says that the bay lies."""
    along_m = places[f"{plan.along}_m"].astype("float64")
    if plan.bays is None:
        return along_m
    number: pd.Series = pd.to_numeric(places["bay"].astype("str").str.extract(r"(\d+)$")[0], errors="coerce").astype(
        "float64"
    )
    return along_m.fillna(plan.bays.first_m + (number - 1) * plan.bays.apart_m)


def planned_floor(plan: FloorPlan) -> Floor:
    """The floor of a plan."""
    aisles = sorted(plan.aisles_placed(), key=lambda one: one[1])
    across, crosses = tuple(at for _, at in aisles), plan.cross_aisles_m
    ways = tuple(ONE_WAY_SIGNS[plan.one_way[name]] if name in plan.one_way else 0 for name, _ in aisles)
    start, drop_off = plan.depot(plan.start), plan.depot(plan.drop_off or plan.start)
    gate_m, gate_cross = _legs(start, across, crosses)
    one_way = ways if any(ways) else ()
    if start.at != drop_off.at:
        end_m, end_cross = _legs(drop_off, across, crosses)
        return Floor(across, crosses, gate_m=gate_m, gate_cross=gate_cross, end_m=end_m, end_cross=end_cross,
                     one_way=one_way, gate_at=start.at, end_at=drop_off.at)  # fmt: skip
    if 0.0 in gate_m:
        return Floor(across, crosses, gate_m.index(0.0), gate_cross, one_way=one_way)
    return Floor(across, crosses, gate_m=gate_m, gate_cross=gate_cross, one_way=one_way, gate_at=start.at)


def _legs(depot: Depot, across: tuple[float, ...], crosses: tuple[float, ...]) -> tuple[tuple[float, ...], int]:
    """The metres between a depot and the ends of all aisles on the cross-aisle nearest to it, and which that is."""
    cross = min(range(len(crosses)), key=lambda at: abs(crosses[at] - depot.along_m))
    off = abs(crosses[cross] - depot.along_m)
    return tuple(round(abs(at - depot.across_m) + off, 3) for at in across), cross


def batching_floor(floor: Floor, crosses_max: int = 3) -> Floor:
    """The floor on which carts are put together: two-way, and of many cross-aisles only the front, middle and back one.

    Trying thousands of batches needs a tour in microseconds; the carts are walked on the floor as it is. What lies on a
    cross-aisle that is left out is reached from the nearest that is kept.
    """
    if floor.blocks + 1 <= crosses_max and not floor.one_way:
        return floor
    count = len(floor.crosses_m)
    kept_crosses = (0, count // 2, count - 1) if count > crosses_max else tuple(range(count))

    def nearest(cross: int) -> int:
        return min(
            range(len(kept_crosses)), key=lambda at: abs(floor.crosses_m[kept_crosses[at]] - floor.crosses_m[cross])
        )

    return Floor(
        floor.aisles_m,
        tuple(floor.crosses_m[at] for at in kept_crosses),
        floor.depot_aisle,
        nearest(floor.depot_cross),
        floor.gate_m,
        nearest(floor.gate_cross),
        floor.end_m,
        nearest(floor.end_cross),
    )
