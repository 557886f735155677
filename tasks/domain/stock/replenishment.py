"""When a product is bought again and how much of it: safety stock, reorder point, order quantity.

Safety stock is Z √(L σd² + d² σL²), the reorder point d L + safety stock: mean daily demand d and its deviation σd,
mean lead time L and its deviation σL in days, Z the normal deviate of the service level (the share of cycles without
a stock-out). King, P. L.: Crack the code: understanding safety stock and mastering its equations, APICS magazine,
July/August 2011.
"""

from dataclasses import dataclass, field
from datetime import datetime
from statistics import NormalDist

import numpy as np
import pandas as pd

from tasks.domain.stock.stock_alerts import AlertRules

REASON_COLUMNS = (
    "name", "supplier", "supplier_sku", "unit_cost_minor", "cost_minor", "currency", "free", "waiting", "coming",
    "reorder_point", "order_up_to", "safety_stock", "daily_units", "basis", "note")  # fmt: skip


@dataclass(frozen=True)
class ReplenishmentRules:
    """The schema of config/rules/replenishment.yaml."""

    demand_days: int
    demand_days_min: int  # a product seen for fewer days has no reorder point of its own
    outlier_deviations: float
    service_level: float
    service_level_by_class: dict[str, float]
    lead_days: float
    lead_deviation_days: float
    order_days: float  # stock is bought for so many days beyond the reorder point
    deliver_to: str
    late_days_max: float  # goods overdue for longer are not counted on any more
    alerts: AlertRules = field(default_factory=lambda: AlertRules(1.2, 24))

    def __post_init__(self) -> None:
        levels = [self.service_level, *self.service_level_by_class.values()]
        if not all(0.5 <= level < 1 for level in levels):
            raise ValueError(f"a service level is from 0.5 to less than 1, found {sorted(levels)}")
        if not 1 <= self.demand_days_min <= self.demand_days:
            raise ValueError("demand_days_min is at least 1 and at most demand_days")
        if min(self.lead_days, self.lead_deviation_days, self.order_days, self.late_days_max) < 0:
            raise ValueError("days cannot be negative")
        if self.outlier_deviations <= 0:
            raise ValueError(f"outlier_deviations must be above 0, found {self.outlier_deviations}")


def safety_stock(
    daily: pd.Series, deviation: pd.Series, lead: pd.Series, lead_deviation: pd.Series, level: pd.Series
) -> pd.Series:
    """Safety stock (float64 units, not rounded); the arguments in the order of the formula, one row per product."""
    deviates = level.map({share: NormalDist().inv_cdf(share) for share in level.unique()}).astype("float64")
    return pd.Series(deviates * np.sqrt(lead * deviation**2 + daily**2 * lead_deviation**2))


def with_terms(products: pd.DataFrame, rules: ReplenishmentRules) -> pd.DataFrame:
    """`products` (abc_class, pack_quantity, and terms that may be missing) with every term.

    Where a product has none, that of the rules: service_level, lead_days, lead_deviation_days (float64), order_min,
    order_multiple (int64).
    """
    level = products["service_level"].fillna(products["abc_class"].map(rules.service_level_by_class))
    return products.assign(
        service_level=level.astype("float64").fillna(rules.service_level),
        lead_days=products["lead_days"].fillna(rules.lead_days),
        lead_deviation_days=products["lead_deviation_days"].fillna(rules.lead_deviation_days),
        order_min=products["order_min"].astype("Int64").fillna(1).astype("int64"),
        order_multiple=products["order_multiple"].astype("Int64").fillna(products["pack_quantity"]).astype("int64"),
    )


def targets(products: pd.DataFrame, demand: pd.DataFrame, rules: ReplenishmentRules) -> pd.DataFrame:
    """Below which stock each product is bought, and up to which.

    Gives product_id, reorder_point, order_up_to, safety_stock (int64 units, rounded up), basis (str: what the point
    comes from), daily_units, daily_deviation_units, days_counted.

    `products`: as in `with_terms`, with product_id and reorder_point, stock_min, stock_max (Int64). `demand`: as in
    `daily_demand.daily_demand`. The product file's reorder point wins, then the terms' stock_min, then the formula; a
    product seen for fewer days than `demand_days_min` has none, and is not bought by itself.
    """
    rows = products.merge(demand, left_on="product_id", right_index=True, how="left")
    is_known = rows["days_counted"].fillna(0) >= rules.demand_days_min
    daily, deviation = (rows[name].where(is_known).fillna(0) for name in ("daily_units", "daily_deviation_units"))
    safety = safety_stock(daily, deviation, rows["lead_days"], rows["lead_deviation_days"], rows["service_level"])
    computed = _up(daily * rows["lead_days"] + safety)
    own_point, stock_min = rows["reorder_point"].astype("Int64"), rows["stock_min"].astype("Int64")
    point = own_point.fillna(stock_min).fillna(computed).astype("int64")
    order_up_to = rows["stock_max"].astype("Int64").fillna(_up(point + daily * rules.order_days)).astype("int64")
    basis = np.select(
        [own_point.notna(), stock_min.notna(), ~is_known, daily <= 0],
        ["the product file", "stock_min of the terms", "too few days seen", "nobody asked for it"],
        "demand and lead time",
    )
    return pd.DataFrame(
        {
            "product_id": rows["product_id"], "reorder_point": point, "order_up_to": np.maximum(order_up_to, point),
            "safety_stock": _up(safety), "basis": basis.astype(str), "daily_units": daily,
            "daily_deviation_units": deviation, "days_counted": rows["days_counted"].fillna(0).astype("int64"),
        }
    )  # fmt: skip


def _up(units: pd.Series) -> pd.Series:
    """Rounded up to whole units; digits of a float after the sixth are noise."""
    return pd.Series(np.ceil(np.round(units.astype("float64"), 6)).astype("int64"), index=units.index)


def proposal(stock: pd.DataFrame, rules: ReplenishmentRules, as_of: datetime) -> pd.DataFrame:
    """What to buy now, in the canonical layout of goods on their way and with the reasons beside it.

    `stock`: as in `with_terms` and `targets`, with merchant, sku, name, supplier, unit_cost_minor, currency, is_kit;
    free, waiting and coming (int64 units). A product is bought when free - waiting + coming is below its
    reorder point, up to `order_up_to`, by at least `order_min` and in multiples of `order_multiple`.
    """
    position = stock["free"] - stock["waiting"] + stock["coming"]
    rows = stock[(position < stock["reorder_point"]) & ~stock["is_kit"]].copy()
    wanted = (rows["order_up_to"] - position[rows.index]).clip(lower=rows["order_min"])
    rows["quantity"] = (-(-wanted // rows["order_multiple"]) * rows["order_multiple"]).astype("int64")
    above = rows["quantity"] + position[rows.index] - rows["order_up_to"]
    is_limited = (above > 0) & rows["stock_max"].notna()
    rows["note"] = ("above stock_max by " + above.astype("str") + ": the least that can be ordered").where(
        is_limited, ""
    )
    rows["cost_minor"] = rows["quantity"].astype("Int64") * rows["unit_cost_minor"].astype("Int64")
    rows["supplier"] = rows["supplier"].fillna("")
    rows["document"] = (
        f"PO-{as_of:%Y%m%d}-" + rows["merchant"] + "-" + rows["supplier"].where(rows["supplier"] != "", "OPEN")
    )
    rows["warehouse"] = rules.deliver_to
    lead = pd.to_timedelta(np.ceil(rows["lead_days"]), unit="D")
    rows["expected_at"] = (pd.Timestamp(as_of).normalize() + lead).astype("datetime64[s, UTC]")
    names = ["merchant", "document", "warehouse", "sku", "quantity", "expected_at", *REASON_COLUMNS]
    return rows[names].sort_values(["merchant", "supplier", "sku"], ignore_index=True)


def coming_in_time(incoming: pd.DataFrame, rules: ReplenishmentRules, as_of: datetime) -> pd.Series:
    """Units on their way by product_id (int64), without what is overdue for longer than the rules allow.

    `incoming`: product_id, units, expected_at.
    """
    overdue_from = pd.Timestamp(as_of) - pd.Timedelta(days=rules.late_days_max)
    expected = incoming[incoming["expected_at"] >= overdue_from]
    return expected.groupby("product_id")["units"].sum().astype("int64")
