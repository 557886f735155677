"""Which allocated orders are released to the floor now, for which pickup, and why the others are not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from tasks.domain.first_reason import first_reason
from tasks.domain.ordering.order_states import is_held, is_refunded
from tasks.domain.ordering.ship_by import carrier_of, normalised_words, pickups
from tasks.domain.picking.release.picker_capacity import DensityRules, PickerCapacity
from tasks.domain.sites.sites import Warehouse
from tasks.domain.states import Purpose


@dataclass(frozen=True)
class WaveRules:
    """The schema of config/rules/waves.yaml."""

    service_levels: tuple[str, ...]  # the most urgent first, among orders that must leave at the same time
    service_level_otherwise: str
    partial: bool  # whether an order is picked while some of it still lacks stock
    orders_max: int  # of one wave
    weight_g_otherwise: int  # of a unit whose product file says nothing
    volume_ml_otherwise: int
    capacity: PickerCapacity
    density: DensityRules

    def __post_init__(self) -> None:
        if self.orders_max < 1 or min(self.weight_g_otherwise, self.volume_ml_otherwise) < 0:
            raise ValueError("waves: orders_max is at least 1, weights and volumes at least 0")


WAREHOUSE_ORDER_KEY = ["warehouse", "order_id"]


def with_release_reasons(rows: pd.DataFrame, warehouses: Mapping[str, Warehouse], rules: WaveRules, as_of: datetime
                 ) -> pd.DataFrame:  # fmt: skip
    """Open promises nobody picks yet, with carrier (str), and reason (str): why their order is left out, or empty.

    `rows`: warehouse (code), order_id, merchant, order_number, service_level, ship_by, hold_reason, hold_until,
    cancelled_at, refunded_minor, total_minor, missing (units the order still lacks), location, purpose, off (why the
    location cannot be reached, or empty), and more. All of an order's promises in a warehouse go together: one that
    cannot be picked keeps the others back.
    """
    rows = rows.assign(carrier=_carriers(rows, warehouses, rules))
    place = rows["location"].astype("str")
    lacking = rows["missing"] > 0
    level = rows["service_level"].fillna(rules.service_level_otherwise)
    cases: list[tuple[pd.Series, str | pd.Series]] = [
        (rows["cancelled_at"].notna(), "cancelled"),
        (is_refunded(rows), "refunded"),
        (is_held(rows, as_of), "held: " + rows["hold_reason"].fillna("")),
        (lacking & (not rules.partial), "not all of it is allocated yet"),
        (rows["carrier"].isna(), "no carrier of " + rows["warehouse"] + " takes the service level " + level),
        (rows["purpose"] == Purpose.RESERVE, "waits for replenishment: goods lie in reserve at " + place),
        (rows["purpose"] != Purpose.PICK, "goods lie at " + place + ", which is no pick place"),
        (rows["off"] != "", "location " + place + " " + rows["off"]),
    ]
    reasons = first_reason(cases, rows.index)
    rows["reason"] = reasons.groupby([rows[name] for name in WAREHOUSE_ORDER_KEY]).transform("first").fillna("")
    return rows


def _carriers(rows: pd.DataFrame, warehouses: Mapping[str, Warehouse], rules: WaveRules) -> pd.Series:
    carriers = pd.Series(pd.NA, index=rows.index, dtype="str")
    for code, levels in rows.groupby("warehouse")["service_level"]:
        if str(code) in warehouses:
            warehouse = warehouses[str(code)]
            names = {number: carrier.name for number, carrier in enumerate(warehouse.carriers)}
            carriers[levels.index] = carrier_of(warehouse, levels, rules.service_level_otherwise).map(names)
    return carriers


def prioritised_orders(rows: pd.DataFrame, rules: WaveRules) -> pd.DataFrame:
    """The orders to be picked, one row each, in the order of their priority.

    `rows`: as in `with_release_reasons`, without those left out, with quantity, unit_weight_g and unit_volume_ml
    (Int64). Gives warehouse, carrier, order_id, merchant, order_number, lines (stops at the shelf, int64), weight_g,
    volume_ml. What must leave first comes first, then the more urgent service level, then merchant and order number.
    """
    weight = rows["unit_weight_g"].fillna(rules.weight_g_otherwise) * rows["quantity"]
    volume = rows["unit_volume_ml"].fillna(rules.volume_ml_otherwise) * rows["quantity"]
    key = ["warehouse", "carrier", "order_id"]
    facts = rows.assign(weight_g=weight.astype("int64"), volume_ml=volume.astype("int64")).groupby(key, as_index=False)
    orders = facts.agg(
        merchant=("merchant", "first"), order_number=("order_number", "first"), ship_by=("ship_by", "first"),
        service_level=("service_level", "first"), lines=("quantity", "size"), weight_g=("weight_g", "sum"),
        volume_ml=("volume_ml", "sum"),
    )  # fmt: skip
    levels = {name.strip().casefold(): rank for rank, name in enumerate(rules.service_levels)}
    rank = (
        normalised_words(orders["service_level"].fillna(rules.service_level_otherwise)).map(levels).fillna(len(levels))
    )
    by = ["warehouse", "carrier", "ship_by", "rank", "merchant", "order_number", "order_id"]
    return orders.assign(rank=rank).sort_values(by, na_position="last", ignore_index=True).drop(columns="rank")


def next_pickup(warehouse: Warehouse, carrier: str, rules: WaveRules, as_of: datetime, later: int = 0) -> datetime:
    """The cut-off the wave is picked for, UTC: the carrier's next one that can be made, or so many pickups later.

    On the warehouse's clock and calendar; what is packed needs `capacity.packing_minutes` before it.
    """
    one = next(one for one in warehouse.carriers if one.name == carrier)
    return pickups(warehouse, one).pickup(as_of + timedelta(minutes=rules.capacity.packing_minutes), later)


def is_urgent(orders: pd.DataFrame, warehouse: Warehouse, rules: WaveRules, as_of: datetime) -> pd.Series:
    """Which orders (carrier, ship_by) must leave with their carrier's next pickup: they are late after it (bool)."""
    following = {str(name): next_pickup(warehouse, str(name), rules, as_of, 1) for name in orders["carrier"].unique()}
    return pd.Series(orders["ship_by"] < pd.to_datetime(orders["carrier"].map(following), utc=True))


def code_stem(warehouse: Warehouse, carrier: str, local_day: str) -> str:
    """What the wave's code begins with, such as W-20260306-MAIN-ROYALMAIL-; a number follows."""
    letters = "".join(letter for letter in carrier.upper() if letter.isalnum())
    return f"W-{local_day}-{warehouse.code}-{letters}-"
