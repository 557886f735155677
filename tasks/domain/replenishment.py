"""When a SKU runs low: a reorder point, and a warning that opens below it and closes only well above it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class ReplenishmentRules:
    """When stock is low where the product file names no reorder point."""

    demand_days: int  # over how many days demand is averaged
    lead_days: float  # from ordering to having it on the shelf
    safety_days: float  # demand of so many more days is kept for bad luck
    resolve_factor: float  # a warning closes once the reorder point is exceeded this many times

    def __post_init__(self) -> None:
        if self.demand_days < 1 or min(self.lead_days, self.safety_days) < 0 or self.resolve_factor < 1:
            raise ValueError("replenishment: demand_days and resolve_factor are at least 1, other days at least 0")


def reorder_points(products: pd.DataFrame, demand: pd.Series, rules: ReplenishmentRules) -> pd.Series:
    """The reorder point of each product in units (float64, whole), in the order of `products`.

    `products`: product_id, reorder_point (Int64; what the product file says wins). `demand`: units by product_id
    over the last `demand_days`. Mean daily demand x (lead days + safety days), rounded up; 0 without demand.
    """
    daily = products["product_id"].map(demand).fillna(0) / rules.demand_days
    computed = np.ceil(np.round(daily.to_numpy(dtype="float64") * (rules.lead_days + rules.safety_days), 9))
    said = products["reorder_point"].astype("Float64").to_numpy(dtype="float64", na_value=np.nan)
    return pd.Series(np.where(np.isnan(said), computed, said), index=products.index)


def low(stock: pd.DataFrame, rules: ReplenishmentRules) -> pd.DataFrame:
    """The rows that run low.

    `stock`: available, reorder_point, warned (bool: a warning is open), and more. A row is low when available <
    reorder point; one already warned of stays so until available >= reorder point x resolve factor, so that a
    quantity that swings around the point gives one warning.
    """
    closes = np.ceil(np.round(stock["reorder_point"] * rules.resolve_factor, 9))
    point = np.where(stock["warned"], closes, stock["reorder_point"])
    return stock[stock["available"] < point]
