"""The configured merchants and warehouses of this installation."""

from zoneinfo import ZoneInfo

from config.read import names, read
from tasks.domain.sites.sites import Merchant, Warehouse


def merchants() -> list[Merchant]:
    """Every configured merchant."""
    return [read(f"merchants/{name}.yaml", Merchant) for name in names("merchants")]


def warehouses() -> list[Warehouse]:
    """Every configured warehouse."""
    return [read(f"warehouses/{name}.yaml", Warehouse) for name in names("warehouses")]


def clock_of(warehouse: str = "") -> ZoneInfo:
    """The time zone of the warehouse; without a warehouse, of the first one; UTC where none is configured."""
    zones = {site.code: site.time_zone for site in warehouses()}
    return ZoneInfo(zones.get(warehouse) or next(iter(zones.values()), "UTC"))
