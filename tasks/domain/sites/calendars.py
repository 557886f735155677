"""The days on which a country, or a region of it, does not work."""

from datetime import date
from functools import cache

import holidays


@cache
def public_holidays(country: str, region: str | None, year: int) -> frozenset[date]:
    """The public holidays of a year; `region` adds its own, such as BY in DE or SCT in GB.

    Raises ValueError for an unknown country or region.
    """
    try:
        return frozenset(holidays.country_holidays(country, subdiv=region, years=year))
    except NotImplementedError:
        raise ValueError(f"no public holidays are known for country {country!r}, region {region!r}") from None


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
