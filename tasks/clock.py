"""The one place that reads the clock, and that decides which time zone a time is in."""

from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from tasks.configured import clock_of

NOW: Literal["now"] = "now"


class ClockError(ValueError):
    """A local time that does not exist or occurs twice, because the clocks change."""


def moment(as_of: datetime | Literal["now"] = NOW, warehouse: str = "") -> datetime:
    """`as_of`, or now, in UTC to the second; a time without a zone is in the warehouse's time zone."""
    if isinstance(as_of, str):
        as_of = datetime.now(UTC)
    stated = as_of if as_of.tzinfo else _on_clock(as_of, clock_of(warehouse))
    return stated.astimezone(UTC).replace(microsecond=0)


def clock_time(at: datetime, warehouse: str = "") -> str:
    """A moment in the warehouse's time zone, which is named: 2026-03-02 09:00 Europe/London."""
    zone = clock_of(warehouse)
    shown = at.astimezone(zone) if at.tzinfo else at
    return f"{shown:%Y-%m-%d %H:%M} {zone.key}"


def _on_clock(time: datetime, zone: ZoneInfo) -> datetime:
    """The time in that zone; a time that does not exist or occurs twice is refused, as in files."""
    before, after = (time.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if before.utcoffset() == after.utcoffset():
        return before
    exists = before.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == time
    why = f"{zone.key} has twice" if exists else f"{zone.key} leaves out"
    expected = (
        f"its offset as well, as in {time:%Y-%m-%d %H:%M}+00:00" if exists else "a time before or after the change"
    )
    raise ClockError(f"as_of: found {time:%Y-%m-%d %H:%M}, a time {why}; expected {expected}")
