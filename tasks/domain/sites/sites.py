"""Who the goods belong to and where they lie: the schema of config/merchants and config/warehouses."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from tasks.domain.sites.adjustment_files import AdjustmentFile
from tasks.domain.sites.calendars import public_holidays
from tasks.domain.sites.floor_plans import FloorPlan, Habit, Speeds


@dataclass(frozen=True)
class Merchant:
    """A shop whose orders are fulfilled."""

    code: str
    name: str
    language: str
    currency: str
    time_zone: str
    sender_email: str
    sender_name: str
    channels_without_mail: tuple[str, ...] = ()  # marketplaces forbid own mail to their buyers
    operations_email: str = ""  # who gets the digest of alerts; nobody when empty

    def __post_init__(self) -> None:
        _check_zone(self.time_zone)


@dataclass(frozen=True)
class Carrier:
    """A carrier's pickup at a warehouse."""

    name: str
    service_levels: tuple[str, ...]
    cut_off: str  # HH:MM on the warehouse's clock
    ship_days: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri")


@dataclass(frozen=True)
class Cart:
    """A kind of picking cart."""

    name: str
    positions: int  # orders it takes
    weight_g_max: int
    volume_ml_max: int
    lines_max: int
    sort_while_picking: bool = True  # each order into a position of its own; false: all into one, sorted when packed
    single_line_only: bool = False  # takes no order of more than one line

    def __post_init__(self) -> None:
        if min(self.positions, self.weight_g_max, self.volume_ml_max, self.lines_max) < 1:
            raise ValueError(f"cart {self.name}: every limit must be at least 1")


class WaveKinds(StrEnum):
    """Which orders a wave holds, and what a cart of it visits."""

    TOGETHER = "together"  # one wave a carrier; single-line and multi-line orders on carts of their own
    BY_LINES = "by_lines"  # single-line orders in one wave, multi-line orders in another
    ZONES = "zones"  # single-line orders in one wave; multi-line orders in another, a cart a zone, joined at the wall


@dataclass(frozen=True)
class Picking:
    """How a warehouse picks."""

    waves: WaveKinds = WaveKinds.TOGETHER
    walk: Habit = Habit.SHORTEST
    wall_positions: int = 40  # of the wall where orders picked in several zones are put together
    add_to_walking_carts: bool = True  # whether what replaces a short pick goes to the order's cart while it walks
    speeds: Speeds = field(default_factory=Speeds)

    def __post_init__(self) -> None:
        if self.wall_positions < 1:
            raise ValueError(f"wall_positions: found {self.wall_positions}, expected at least 1")


@dataclass(frozen=True)
class Warehouse:
    """A building with places, carriers and carts."""

    code: str
    name: str
    time_zone: str
    country: str
    region: str | None = None  # whose public holidays are kept beside the country's, such as BY or SCT
    closed_days: tuple[date, ...] = ()  # further days on which nothing leaves: stocktaking, a move
    aliases: tuple[str, ...] = ()  # what exports call it
    default_location: str = "UNSPECIFIED"  # where stock lies that no export places more exactly
    carriers: tuple[Carrier, ...] = ()
    carts: tuple[Cart, ...] = ()
    floor: FloorPlan | None = None  # where its aisles run; without one it follows from the coordinates of its places
    picking: Picking = field(default_factory=Picking)
    pickers: int | None = None  # at work at the same time; unlimited without a number
    adjustments: AdjustmentFile = field(default_factory=AdjustmentFile)  # how its own system takes what counts post

    def __post_init__(self) -> None:
        _check_zone(self.time_zone)
        public_holidays(self.country, self.region, 2026)  # any year shows whether they are known


def silent_channels(merchants: Iterable[Merchant]) -> frozenset[tuple[str, str]]:
    """The (merchant code, channel in small letters) pairs whose buyers may not be written to."""
    return frozenset((one.code, channel.casefold()) for one in merchants for channel in one.channels_without_mail)


def _check_zone(name: str) -> None:
    if name not in _zones():
        raise ValueError(f"time_zone {name!r} is not an IANA time zone")
    ZoneInfo(name)


@cache
def _zones() -> frozenset[str]:
    """Every zone's name: asking for them walks through hundreds of files."""
    return frozenset(available_timezones())
