"""When an order must leave, how urgent it is, and where it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from tasks.domain.sites.calendars import public_holidays
from tasks.domain.sites.sites import Carrier, Warehouse
from tasks.domain.states import OrderState

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS_MAX = 40  # no calendar of ours is closed longer than that


@dataclass(frozen=True)
class ShipByRules:
    """Which promise an order gets whose export states none."""

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
            here = day + timedelta(days=later)
            if self.collects_on(here):
                if not working_days:
                    return datetime.combine(here, self.cut_off, zone).astimezone(ZoneInfo("UTC"))
                working_days -= 1
        raise ValueError(f"no pickup within {_DAYS_MAX} days of {day}")


def pickups(warehouse: Warehouse, carrier: Carrier) -> Pickups:
    """The carrier's pickups at the warehouse."""
    cut_off = time.fromisoformat(carrier.cut_off)
    return Pickups(warehouse.time_zone, warehouse.country, cut_off, carrier.ship_days, warehouse.region,
                   warehouse.closed_days)  # fmt: skip


def same_words(values: pd.Series) -> pd.Series:
    """Service levels and the like as they are compared: case and outer blanks do not count."""
    return pd.Series(values.astype("str").str.strip().str.casefold())


def carrier_of(warehouse: Warehouse, levels: pd.Series, otherwise: str) -> pd.Series:
    """The carrier (its position, Int64) that takes each service level at the warehouse; missing where none does."""
    known = {
        level.strip().casefold(): number
        for number, carrier in reversed(list(enumerate(warehouse.carriers)))
        for level in carrier.service_levels
    }
    taken: pd.Series = same_words(levels.fillna(otherwise)).map(known)
    return pd.Series(taken.to_numpy(), index=levels.index, dtype="Int64")


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
    waits = same_words(levels).map(days).fillna(rules.working_days_otherwise).astype(int)
    calendars = [pickups(warehouse, one) for one in warehouse.carriers]
    # One computation for all orders paid in the same minute on the same terms: a cut-off is a full minute.
    minute = orders["paid_at"].dt.ceil("min")
    asked = pd.DataFrame({"since": minute, "carrier": carriers.astype(int), "days": waits})
    terms = asked.drop_duplicates()
    each = zip(terms["since"].dt.to_pydatetime(), terms["carrier"], terms["days"], strict=True)
    when = [calendars[carrier].pickup(since, days) for since, carrier, days in each]
    answers = terms.assign(when=pd.to_datetime(pd.Series(when, index=terms.index), utc=True).dt.as_unit("s"))
    promised = asked.merge(answers, how="left")["when"]
    return pd.Series(promised.array, index=orders.index)


def urgency(ship_bys: pd.Series, as_of: datetime, rules: ShipByRules) -> pd.Series:
    """LATE once ship-by has passed, DUE in the hours before it, otherwise an empty text."""
    left = (ship_bys - pd.Timestamp(as_of)).dt.total_seconds().to_numpy()
    told = np.select([left < 0, left <= rules.due_h * 3600], ["LATE", "DUE"], "")
    return pd.Series(told, index=ship_bys.index, dtype="str")


def urgent(orders: pd.DataFrame, as_of: datetime, rules: ShipByRules) -> pd.DataFrame:
    """The orders that are LATE or DUE, the most overdue first: urgency, then the columns of `orders` (with ship_by)."""
    told = orders.assign(urgency=urgency(orders["ship_by"], as_of, rules))
    rows = told[told["urgency"] != ""].sort_values(["ship_by", "merchant", "order_number"], ignore_index=True)
    return rows[["urgency", *orders.columns]]


def is_held(orders: pd.DataFrame, as_of: datetime) -> pd.Series:
    """Whether each order is on hold now: it has a reason, and no until-date that has passed."""
    over = (orders["hold_until"] <= pd.Timestamp(as_of)).fillna(value=False).astype(bool)
    return orders["hold_reason"].notna() & ~over


def is_refunded(orders: pd.DataFrame) -> pd.Series:
    """Whether all that was paid was given back; an order that costs nothing is not refunded."""
    refunded, total = orders["refunded_minor"].fillna(0), orders["total_minor"]
    return ((refunded > 0) & (refunded >= total).fillna(value=False)).astype(bool)


_REACHED: Sequence[tuple[OrderState, str]] = (
    (OrderState.DELIVERED, "quantity_delivered"),
    (OrderState.SHIPPED, "quantity_shipped"),
    (OrderState.PACKED, "quantity_packed"),
    (OrderState.PICKED, "quantity_picked"),
)


def states(orders: pd.DataFrame, as_of: datetime) -> pd.Series:
    """Where each order stands (OrderState), from its dates and the sums of its shippable lines.

    `orders`: paid_at, cancelled_at, hold_reason, hold_until, and the sums quantity_ordered, quantity_cancelled,
    quantity_allocated, quantity_picked, quantity_packed, quantity_shipped, quantity_delivered. What has left
    counts before a cancellation, a cancellation before a hold, a hold before a missing payment.
    """
    wanted = orders["quantity_ordered"] - orders["quantity_cancelled"]
    reached = [((orders[name] >= wanted) & (wanted > 0), state) for state, name in _REACHED]
    cases = [
        *reached[:2],
        (orders["cancelled_at"].notna(), OrderState.CANCELLED),
        (is_held(orders, as_of), OrderState.HELD),
        (orders["paid_at"].isna(), OrderState.UNPAID),
        *reached[2:],
        ((orders["quantity_allocated"] >= wanted) & (wanted > 0), OrderState.ALLOCATED),
    ]
    told = np.select([case.to_numpy(dtype=bool) for case, _ in cases], [str(state) for _, state in cases], "open")
    return pd.Series(told, index=orders.index, dtype="str")
