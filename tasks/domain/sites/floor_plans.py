"""The floor of a warehouse as its people know it: the schema of `floor` in config/warehouses.

Metres are those of the locations file. `across` runs over the aisles, `along` runs in them, from front to back.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise


class Axis(StrEnum):
    """A coordinate of the locations file."""

    X = "x"
    Y = "y"


class Direction(StrEnum):
    """Which way a one-way aisle is walked."""

    TO_BACK = "to_back"
    TO_FRONT = "to_front"


class Habit(StrEnum):
    """How pickers walk: the shortest way, or as they are used to (`tasks.domain.picking.routing.habits`)."""

    SHORTEST = "shortest"
    S_SHAPE = "s-shape"
    RETURN = "return"
    MIDPOINT = "midpoint"
    LARGEST_GAP = "largest-gap"


@dataclass(frozen=True)
class Aisles:
    """Aisles side by side, equally far apart, named as in the locations file, in the order in which they lie."""

    names: tuple[str, ...]
    first_m: float  # where the middle of the first one lies, across
    apart_m: float
    zone: str = ""  # of its places, where the locations file names none

    def __post_init__(self) -> None:
        if not self.names:
            raise ValueError("names: found none, expected the aisles as the locations file calls them")
        if self.apart_m <= 0:
            raise ValueError(f"apart_m: found {self.apart_m}, expected more than 0 metres between two aisles")

    def placed(self) -> Iterator[tuple[str, float]]:
        """Each aisle and where it lies."""
        return ((name, round(self.first_m + at * self.apart_m, 3)) for at, name in enumerate(self.names))


@dataclass(frozen=True)
class Bays:
    """Where a bay lies along its aisle, for places without coordinates in the locations file."""

    first_m: float  # the middle of bay 1
    apart_m: float


@dataclass(frozen=True)
class Depot:
    """A point where carts are fetched or left: on a cross-aisle, before the front one or behind the back one."""

    name: str
    across_m: float
    along_m: float

    @property
    def at(self) -> tuple[float, float]:
        """Across and along."""
        return self.across_m, self.along_m


@dataclass(frozen=True)
class Speeds:
    """What picking takes beside the way. Seconds, but for `walk_m_s`."""

    walk_m_s: float = 1.0  # metres a second with a cart
    turn_s: float = 1.5  # into an aisle
    stop_s: float = 6.0  # to stop, find the place and scan it
    pick_s: float = 3.0  # a unit
    lift_s: float = 5.0  # up and down again, a level out of reach
    set_up_s: float = 120.0  # a cart: fetch it, its boxes and its list, and leave it at the end

    def __post_init__(self) -> None:
        if self.walk_m_s <= 0:
            raise ValueError(f"walk_m_s: found {self.walk_m_s}, expected more than 0 metres a second")
        slow = [name for name in ("turn_s", "stop_s", "pick_s", "lift_s", "set_up_s") if getattr(self, name) < 0]
        if slow:
            raise ValueError(f"{slow[0]}: found {getattr(self, slow[0])}, expected at least 0 seconds")


@dataclass(frozen=True)
class FloorPlan:
    """Parallel aisles, the cross-aisles over them, and the points where tours begin and end."""

    cross_aisles_m: tuple[float, ...]  # the middle of each, along, front to back
    aisles: tuple[Aisles, ...]
    depots: tuple[Depot, ...]
    start: str  # the depot where carts are fetched
    drop_off: str = ""  # where they are left; where they were fetched if empty
    along: Axis = Axis.Y
    one_way: Mapping[str, Direction] = field(default_factory=dict)  # by aisle
    bays: Bays | None = None
    levels: tuple[str, ...] = ()  # as the locations file calls them, the lowest first
    levels_in_reach: int = 1  # the others cost a lift a level

    def __post_init__(self) -> None:
        if len(self.cross_aisles_m) < 2:
            raise ValueError(f"cross_aisles_m: found {len(self.cross_aisles_m)}, expected two or more")
        _ascending("cross_aisles_m", self.cross_aisles_m)
        self._check_aisles()
        self._check_depots()
        self._check_ways()

    def _check_aisles(self) -> None:
        names = [name for name, _ in self.aisles_placed()]
        twice = [name for name in names if names.count(name) > 1]
        if not names or twice:
            raise ValueError(f"aisles: found {twice[0] + ' twice' if twice else 'none'}, expected each aisle once")
        _ascending("aisles", sorted(at for _, at in self.aisles_placed()))

    def _check_depots(self) -> None:
        depot_names = [depot.name for depot in self.depots]
        for key, name in (("start", self.start), ("drop_off", self.drop_off or self.start)):
            if name not in depot_names:
                raise ValueError(f"{key}: found {name!r}, expected the name of a depot: {', '.join(depot_names)}")
        front, back = self.cross_aisles_m[0], self.cross_aisles_m[-1]
        for depot in self.depots:
            if front < depot.along_m < back and depot.along_m not in self.cross_aisles_m:
                raise ValueError(
                    f"depots: found {depot.name} at {depot.along_m} m along, expected it on a cross-aisle"
                    f" ({', '.join(map(str, self.cross_aisles_m))}), before the front one or behind the back one"
                )

    def _check_ways(self) -> None:
        aisle_names = [name for name, _ in self.aisles_placed()]
        stray = [name for name in self.one_way if name not in aisle_names]
        if stray:
            raise ValueError(f"one_way: found {stray[0]!r}, expected an aisle of the plan: {', '.join(aisle_names)}")
        for direction in Direction:
            if all(self.one_way.get(name, direction) != direction for name in aisle_names):
                raise ValueError(f"one_way: found no aisle that may be walked {direction}, expected at least one")

    def aisles_placed(self) -> list[tuple[str, float]]:
        """Every aisle and where it lies, in metres across."""
        return [one for row in self.aisles for one in row.placed()]

    def zones(self) -> dict[str, str]:
        """The zone of each aisle the plan gives one."""
        return {name: row.zone for row in self.aisles for name in row.names if row.zone}

    def depot(self, name: str) -> Depot:
        """The depot of that name."""
        return next(depot for depot in self.depots if depot.name == name)


def _ascending(key: str, at: tuple[float, ...] | list[float]) -> None:
    wrong = [pair for pair in pairwise(at) if pair[1] <= pair[0]]
    if wrong:
        raise ValueError(f"{key}: found {wrong[0][1]} m after {wrong[0][0]} m, expected each further than the last")
