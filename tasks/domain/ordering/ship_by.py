"""Ship-by: when an order must leave, and how urgent it is."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from tasks.domain.sites.calendars import WEEKDAYS, public_holidays
from tasks.domain.sites.sites import Carrier, Warehouse

_DAYS_MAX = 40  # no calendar of ours is closed longer than that


@dataclass(frozen=True)
class ShipByRules:
    """Which ship-by an order gets whose export states none."""

    service_level_otherwise: str  # what an order without a service level gets
    working_days: dict[str, int]  # per service level, after the first pickup the order can make
    working_days_otherwise: int
    due_h: int  # hours before ship-by from which an order is DUE

    def __post_init__(self) -> None:
        if min([*self.working_days.values(), self.working_days_otherwise, self.due_h]) < 0:
            raise ValueError("ship_by: days and hours cannot be negative")


@dataclass(frozen=True)
class Pickups:
    """When a carrier collects at a warehouse, on the warehouse's clock and calendar."""

    time_zone: str
    country: str
    cut_off: time
    ship_days: tuple[str, ...]
    region: str | None = None
    closed_days: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        unknown = set(self.ship_days) - set(WEEKDAYS)
        if unknown or not self.ship_days:
            raise ValueError(f"ship_days: found {sorted(self.ship_days)}, expected some of {', '.join(WEEKDAYS)}")

    def collects_on(self, day: date) -> bool:
        """Whether the carrier comes on `day`: a ship day that is no public holiday, and the warehouse works."""
        closed = day in self.closed_days or day in public_holidays(self.country, self.region, day.year)
        return WEEKDAYS[day.weekday()] in self.ship_days and not closed

    def pickup(self, since: datetime, working_days: int = 0) -> datetime:
        """The first cut-off at or after `since`, or that many pickups later, UTC.

        The cut-off is a time on the wall: where the clock leaps over it, the pickup is when the clock has leapt.
        """
        zone = ZoneInfo(self.time_zone)
        local = since.astimezone(zone)
        day = local.date() if local.time().replace(microsecond=0) <= self.cut_off else local.date() + timedelta(days=1)
        for later in range(_DAYS_MAX + 7 * working_days):
            candidate = day + timedelta(days=later)
            if self.collects_on(candidate):
                if not working_days:
                    return datetime.combine(candidate, self.cut_off, zone).astimezone(ZoneInfo("UTC"))
                working_days -= 1
        raise ValueError(f"no pickup within {_DAYS_MAX} days of {day}")


def pickups(warehouse: Warehouse, carrier: Carrier) -> Pickups:
    """The carrier's pickups at the warehouse."""
    cut_off = time.fromisoformat(carrier.cut_off)
    return Pickups(warehouse.time_zone, warehouse.country, cut_off, carrier.ship_days, warehouse.region,
                   warehouse.closed_days)  # fmt: skip


def normalised_words(values: pd.Series) -> pd.Series:
    """Service levels and the like as they are compared: case and outer blanks do not count."""
    return pd.Series(values.astype("str").str.strip().str.casefold())


def carrier_of(warehouse: Warehouse, levels: pd.Series, otherwise: str) -> pd.Series:
    """The carrier (its position, Int64) that takes each service level at the warehouse; missing where none does."""
    carrier_of_level = {
        level.strip().casefold(): number
        for number, carrier in reversed(list(enumerate(warehouse.carriers)))
        for level in carrier.service_levels
    }
    carriers: pd.Series = normalised_words(levels.fillna(otherwise)).map(carrier_of_level)
    return pd.Series(carriers.to_numpy(), index=levels.index, dtype="Int64")


def ship_by(orders: pd.DataFrame, warehouse: Warehouse, rules: ShipByRules) -> pd.Series:
    """When each order must leave: the first pickup after it was paid, and the working days of its service level.

    `orders`: paid_at (datetime64[s, UTC]), service_level (str, may be missing). A service level no carrier of the
    warehouse takes is counted on the pickups of its first carrier. Gives datetime64[s, UTC].
    """
    if orders.empty or not warehouse.carriers:
        return pd.Series(pd.NaT, index=orders.index, dtype="datetime64[s, UTC]")
    levels = orders["service_level"].fillna(rules.service_level_otherwise)
    carriers = carrier_of(warehouse, levels, rules.service_level_otherwise).fillna(0)
    days = {name.strip().casefold(): number for name, number in rules.working_days.items()}
    working_days = normalised_words(levels).map(days).fillna(rules.working_days_otherwise).astype(int)
    calendars = [pickups(warehouse, carrier) for carrier in warehouse.carriers]
    # One computation for all orders paid in the same minute on the same terms: a cut-off is a full minute.
    minute = orders["paid_at"].dt.ceil("min")
    rows = pd.DataFrame({"since": minute, "carrier": carriers.astype(int), "days": working_days})
    terms = rows.drop_duplicates()
    questions = zip(terms["since"].dt.to_pydatetime(), terms["carrier"], terms["days"], strict=True)
    when = [calendars[carrier].pickup(since, days) for since, carrier, days in questions]
    answers = terms.assign(when=pd.to_datetime(pd.Series(when, index=terms.index), utc=True).dt.as_unit("s"))
    dates = rows.merge(answers, how="left")["when"]
    return pd.Series(dates.array, index=orders.index)


def urgency(ship_bys: pd.Series, as_of: datetime, rules: ShipByRules) -> pd.Series:
    """LATE once ship-by has passed, DUE in the hours before it, otherwise an empty text."""
    seconds = (ship_bys - pd.Timestamp(as_of)).dt.total_seconds().to_numpy()
    words = np.select([seconds < 0, seconds <= rules.due_h * 3600], ["LATE", "DUE"], "")
    return pd.Series(words, index=ship_bys.index, dtype="str")


def urgent_orders(orders: pd.DataFrame, as_of: datetime, rules: ShipByRules) -> pd.DataFrame:
    """The orders that are LATE or DUE, the most overdue first: urgency, then the columns of `orders` (with ship_by)."""
    rows = orders.assign(urgency=urgency(orders["ship_by"], as_of, rules))
    rows = rows[rows["urgency"] != ""].sort_values(["ship_by", "merchant", "order_number"], ignore_index=True)
    return rows[["urgency", *orders.columns]]
