"""The merchants and warehouses of this installation, as config says them."""

from config.read import names, read
from tasks.domain.sites import Merchant, Warehouse


def merchants() -> list[Merchant]:
    """Every configured merchant."""
    return [read(f"merchants/{name}.yaml", Merchant) for name in names("merchants")]


def warehouses() -> list[Warehouse]:
    """Every configured warehouse."""
    return [read(f"warehouses/{name}.yaml", Warehouse) for name in names("warehouses")]
