"""Locations, and where received rows say goods lie."""

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, literal, select
from sqlalchemy.sql.selectable import Subquery

from tasks.store.database.frames import read
from tasks.store.database.merging import count, drop, drop_repeats, merge
from tasks.store.ordering.allocation_notes import note_everything
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import locations, products, warehouses

LOCATION_FACTS = ("purpose", "zone", "aisle", "bay", "level", "x_m", "y_m")


def load_locations(connection: Connection, rows: Table, _intake: Intake) -> Loaded:
    """Merge staged locations; a warehouse nobody configured is refused."""
    total = count(connection, rows)
    refused = [_unknown_warehouses(connection, rows)]
    refused.append(drop_repeats(connection, rows, ("warehouse", "location"), LOCATION_FACTS))
    facts = [rows.c[name] for name in LOCATION_FACTS]
    source = select(warehouses.c.id.label("warehouse_id"), rows.c.location.label("code"), *facts).join_from(
        rows, warehouses, warehouses.c.code == rows.c.warehouse
    )
    new, changed = merge(connection, locations, source, ("warehouse_id", "code"), LOCATION_FACTS)
    if changed:
        note_everything(connection)
    bad = pd.concat(refused, ignore_index=True)
    return Loaded(new + changed, total - new - changed - len(bad), bad)


def _unknown_warehouses(connection: Connection, rows: Table) -> pd.DataFrame:
    unknown = select(rows.c.row_number, _found("warehouse", rows.c.warehouse, "a configured warehouse").label("reason"))
    known = select(warehouses.c.code)
    found = read(connection, unknown.where(rows.c.warehouse.not_in(known)))
    drop(connection, rows, found)
    return found


@dataclass(frozen=True)
class Placed:
    """Staged rows with their place: every staged column, location_id and product_id; and the rows without one."""

    rows: Subquery
    refused: pd.DataFrame


def placed(connection: Connection, rows: Table) -> Placed:
    """Attach staged rows (warehouse, location, merchant_id, sku) to places and products.

    Rows naming an unknown warehouse, location or SKU are taken out of the staged rows and returned as refused.
    """
    here = and_(locations.c.warehouse_id == warehouses.c.id, locations.c.code == rows.c.location)
    goods = and_(products.c.merchant_id == rows.c.merchant_id, products.c.sku == rows.c.sku)
    named = {"warehouse_id": warehouses, "location_id": locations, "product_id": products}
    ids = tuple(table.c.id.label(name) for name, table in named.items())
    joined = (
        select(*rows.c, *ids)
        .join_from(rows, warehouses, warehouses.c.code == rows.c.warehouse, isouter=True)
        .join(locations, here, isouter=True)
        .join(products, goods, isouter=True)
        .subquery("placed")
    )
    refused = pd.concat([read(connection, faults) for faults in _faults(joined)], ignore_index=True)
    drop(connection, rows, refused)
    return Placed(joined, refused)


def _faults(joined: Subquery) -> list[Select[tuple[int, str]]]:
    c = joined.c
    return [
        select(c.row_number, _found("warehouse", c.warehouse, "a configured warehouse").label("reason")).where(
            c.warehouse_id.is_(None)
        ),
        select(c.row_number, _found("location", c.location, "a location of the warehouse").label("reason")).where(
            c.warehouse_id.is_not(None), c.location_id.is_(None)
        ),
        select(c.row_number, _found("sku", c.sku, "a SKU of the products received").label("reason")).where(
            c.product_id.is_(None)
        ),
    ]


def _found(field: str, value: ColumnElement[str], expected: str) -> ColumnElement[str]:
    return literal(f"{field}: found '") + func.coalesce(value, "") + literal(f"', expected {expected}")
