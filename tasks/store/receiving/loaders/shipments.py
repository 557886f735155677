"""Loads manifests of carriers, and shipments of systems that have no parcels."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, Table, and_, case, func, or_, select

from tasks.domain.parcels.manifests import SHIPMENT_FACTS, contradictions, is_news, named_parcels
from tasks.domain.parcels.parcel_contents import ORDER_LINE_KEY, line_units, parcel_lines
from tasks.domain.states import ParcelState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import read, staged
from tasks.store.database.upserts import drop_repeats, keys_match, merge, row_count
from tasks.store.parcels import parcel_contents
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.loaders.orders import FULFILLED
from tasks.store.receiving.loaders.packs import PARCEL_KEY
from tasks.store.schema import order_lines, orders, shipment_lines, shipments

MANIFEST_KEY = ("merchant_id", "order_number", "parcel", "sku")


def load_shipments(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Store which carrier took which parcel when; track-shipments moves the stock and consumes the promises.

    A row without a parcel is about the packed parcels of its order. An order without any gets a parcel with the code of
    the order. It contains the units in the rows, otherwise the units of the order that are in no other parcel. It is
    shipped already when the shop had fulfilled the order elsewhere, otherwise track-shipments ships it. Lines without
    promises are counted as shipped elsewhere at once, so that no stock is promised to them. The first facts about a
    parcel stand, and scans at the packing bench take precedence over the contents in a manifest.
    """
    exclusive(connection, "allocations")  # lines counted as shipped elsewhere must not be promised stock meanwhile
    exclusive(connection, "parcels")
    total = row_count(connection, rows)
    refused = [drop_repeats(connection, rows, MANIFEST_KEY, (*SHIPMENT_FACTS, "quantity"))]
    manifest = _manifest_rows(connection, rows)
    unknown = manifest[manifest["order_id"].isna()]
    reason = "order_number: found '" + unknown["order_number"] + "', expected an order received before"
    refused.append(unknown[["row_number"]].assign(reason=reason.astype("str")))
    parcel_rows = named_parcels(
        manifest[manifest["order_id"].notna()].astype({"order_id": "int64"}), _parcels(connection, rows)
    )
    contradicting = contradictions(parcel_rows)
    refused.append(contradicting)
    parcel_rows = parcel_rows[~parcel_rows["row_number"].isin(contradicting["row_number"])]
    filling = _write(connection, parcel_rows, intake)
    loaded = parcel_rows.loc[is_news(parcel_rows) | parcel_rows["row_number"].isin(filling), "row_number"].nunique()
    refused_rows = pd.concat(refused, ignore_index=True)
    return Loaded(loaded, total - loaded - len(refused_rows), refused_rows)


def _manifest_rows(connection: Connection, rows: Table) -> pd.DataFrame:
    row = rows.c
    columns: list[Any] = [
        row.row_number,
        *(row[name] for name in MANIFEST_KEY),
        *(row[name] for name in SHIPMENT_FACTS),
        row.quantity,
    ]
    manifest = read(
        connection,
        select(*columns, orders.c.id.label("order_id"))
        .join_from(
            rows,
            orders,
            and_(orders.c.merchant_id == row.merchant_id, orders.c.order_number == row.order_number),
            isouter=True,
        )
        .order_by(row.row_number),
    )
    return manifest.astype({"order_id": "Int64", "quantity": "Int64"})


def _parcels(connection: Connection, rows: Table) -> pd.DataFrame:
    """Every parcel that the rows may be about, by its code or by its order."""
    parcel = shipments.c
    of_orders = select(orders.c.id).join(
        rows, and_(orders.c.merchant_id == rows.c.merchant_id, orders.c.order_number == rows.c.order_number)
    )
    parcel_ids = select(parcel.id).select_from(shipments).join(rows, keys_match(shipments, rows, PARCEL_KEY))
    statement = select(parcel.merchant_id, parcel.parcel, parcel.order_id, *(parcel[name] for name in SHIPMENT_FACTS))
    return read(
        connection,
        statement.where(or_(parcel.order_id.in_(of_orders), parcel.id.in_(parcel_ids))).order_by(parcel.id),
    )


def _write(connection: Connection, parcel_rows: pd.DataFrame, intake: Intake) -> pd.Series:
    """Write new facts of the parcels. Returns the numbers of the rows that added contents to one."""
    parcel = parcel_rows.groupby(list(PARCEL_KEY))
    header = parcel_rows.assign(**{name: parcel[name].transform("first") for name in SHIPMENT_FACTS}).drop_duplicates(
        list(PARCEL_KEY)
    )
    header = header[[*PARCEL_KEY, "order_id", *SHIPMENT_FACTS]]
    warehouse_ids = parcel_contents.warehouses_of(connection, header["order_id"])
    header = header.assign(
        warehouse_id=header["order_id"].map(warehouse_ids).astype("Int64"), import_id=intake.import_id
    )
    with staged(connection, header, like=shipments) as new:
        line = order_lines.c
        open_line = select(line.order_id).where(
            line.order_id == new.c.order_id,
            line.requires_shipping,
            line.quantity_shipped < line.quantity_ordered - line.quantity_cancelled,
        )
        state = case((open_line.exists(), ParcelState.PACKED), else_=ParcelState.SHIPPED).label("state")
        merge(
            connection,
            shipments,
            select(new, state).order_by(new.c.merchant_id, new.c.parcel),
            PARCEL_KEY,
            SHIPMENT_FACTS,
        )
        unscanned = read(
            connection,
            select(new.c.merchant_id, new.c.parcel, shipments.c.id.label("shipment_id"))
            .join(shipments, keys_match(shipments, new, PARCEL_KEY))
            .where(shipments.c.packed_at.is_(None)),
        )
    filling = _fill(connection, parcel_rows.merge(unscanned, on=list(PARCEL_KEY)))
    _settle_elsewhere(connection, parcel_rows.loc[parcel_rows["row_number"].isin(filling), "order_id"])
    return filling


def _settle_elsewhere(connection: Connection, order_ids: pd.Series) -> None:
    """Count lines without promises whose units a carrier took as fulfilled elsewhere."""
    content = parcel_contents.contents_of(connection, order_ids)
    units = line_units(content[content["packed_at"].isna()], parcel_contents.parts_of(connection, order_ids))
    lines = parcel_contents.line_quantities(connection, order_ids).merge(units, on=ORDER_LINE_KEY)
    lines = lines[(lines["quantity_allocated"] == 0) & (lines["units"] > 0)]
    open_units = lines["quantity_ordered"] - lines["quantity_cancelled"]
    lines = lines.assign(quantity=pd.concat([lines["units"], open_units], axis=1).min(axis=1))
    for name in FULFILLED:
        parcel_contents.raise_quantity(connection, name, lines)
    parcel_contents.mark_fulfilled(connection, order_ids)


def _fill(connection: Connection, parcel_rows: pd.DataFrame) -> pd.Series:
    """Fill parcels that were not scanned with the units in the rows, otherwise with the whole order.

    Returns the numbers of the rows that added contents.
    """
    contents = parcel_contents.contents_of(connection, parcel_rows["order_id"])
    unpacked = parcel_rows[parcel_rows["sku"].notna() & parcel_rows["quantity"].notna()]
    content = contents[["shipment_id", "sku"]].drop_duplicates().assign(held=True)
    unpacked = unpacked.merge(content, on=["shipment_id", "sku"], how="left")
    unpacked = unpacked[unpacked["held"].isna()].astype({"quantity": "int64"})
    empty = parcel_rows[~parcel_rows["shipment_id"].isin(pd.concat([contents["shipment_id"], unpacked["shipment_id"]]))]
    empty = empty.drop_duplicates("shipment_id")
    units = pd.concat([unpacked, _unpacked_units(connection, empty, contents)], ignore_index=True)
    columns = ["shipment_id", "order_id", "sku", "quantity"]
    if len(units):
        lines = parcel_lines(units[columns], parcel_contents.parts_of(connection, units["order_id"]), contents)
        with staged(connection, lines, like=shipment_lines) as new:
            names = [str(column.key) for column in new.columns]
            order = (new.c.shipment_id, new.c.line_number, new.c.sku)
            connection.execute(shipment_lines.insert().from_select(names, select(new).order_by(*order)))
    return units["row_number"]


def _unpacked_units(connection: Connection, parcels: pd.DataFrame, contents: pd.DataFrame) -> pd.DataFrame:
    """The units of the orders of `parcels` that no other parcel contains, one row per parcel and SKU."""
    line = order_lines.c
    ordered = func.sum(line.quantity_ordered - line.quantity_cancelled).label("quantity")
    with staged(connection, parcel_contents.distinct_ids(parcels["order_id"])) as chosen:
        is_ordered = and_(line.order_id.in_(select(chosen.c.order_id)), line.requires_shipping)
        units = read(
            connection, select(line.order_id, line.sku, ordered).where(is_ordered).group_by(line.order_id, line.sku)
        )
    packed = contents.groupby(["order_id", "sku"])["quantity"].sum().rename("held")
    units = units.join(packed, on=["order_id", "sku"])
    units["quantity"] -= units.pop("held").fillna(0).astype("int64")
    return parcels[["row_number", "shipment_id", "order_id"]].merge(units[units["quantity"] > 0], on="order_id")
