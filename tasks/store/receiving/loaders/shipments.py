"""What carriers took: their manifests, and shipments of systems that know no parcels."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, Table, and_, case, func, or_, select

from tasks.domain.parcels.manifests import FACTS, addressed, contradictions, news
from tasks.domain.parcels.parcel_contents import LINE, attach, line_units
from tasks.domain.states import ParcelState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import read, staged
from tasks.store.database.merging import count, drop_repeats, merge, same_key
from tasks.store.parcels import parcel_contents
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.loaders.orders import FULFILLED
from tasks.store.schema import order_lines, orders, shipment_lines, shipments

KEY = ("merchant_id", "parcel")
ROW_KEY = ("merchant_id", "order_number", "parcel", "sku")


def load_shipments(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Keep which carrier took which parcel when; moving stock and promises is left to track-shipments.

    A row without a parcel speaks of the order's packed parcels. An order with none gets a parcel called like the order,
    holding what the rows say or else what no other parcel of the order holds: already shipped when the shop had
    fulfilled the order elsewhere, otherwise waiting for track-shipments. Lines nothing was promised for yet are counted
    as shipped elsewhere at once, so that nobody promises stock to what has left. What was told of a parcel first
    stands; what was scanned into it at the bench stands over what a manifest says is in it.
    """
    exclusive(connection, "allocations")  # what is counted as shipped elsewhere must not be promised meanwhile
    exclusive(connection, "parcels")
    total = count(connection, rows)
    refused = [drop_repeats(connection, rows, ROW_KEY, (*FACTS, "quantity"))]
    said = _said(connection, rows)
    unknown = said[said["order_id"].isna()]
    reason = "order_number: found '" + unknown["order_number"] + "', expected an order received before"
    refused.append(unknown[["row_number"]].assign(reason=reason.astype("str")))
    told = addressed(said[said["order_id"].notna()].astype({"order_id": "int64"}), _parcels(connection, rows))
    wrong = contradictions(told)
    refused.append(wrong)
    told = told[~told["row_number"].isin(wrong["row_number"])]
    fresh = _write(connection, told, intake)
    loaded = told.loc[news(told) | told["row_number"].isin(fresh), "row_number"].nunique()
    bad = pd.concat(refused, ignore_index=True)
    return Loaded(loaded, total - loaded - len(bad), bad)


def _said(connection: Connection, rows: Table) -> pd.DataFrame:
    c = rows.c
    columns: list[Any] = [c.row_number, *(c[name] for name in ROW_KEY), *(c[name] for name in FACTS), c.quantity]
    found = read(
        connection,
        select(*columns, orders.c.id.label("order_id"))
        .join_from(rows, orders, and_(orders.c.merchant_id == c.merchant_id, orders.c.order_number == c.order_number),
                   isouter=True)
        .order_by(c.row_number),
    )  # fmt: skip
    return found.astype({"order_id": "Int64", "quantity": "Int64"})


def _parcels(connection: Connection, rows: Table) -> pd.DataFrame:
    """Every parcel the rows could speak of: by its code, or by its order."""
    parcel = shipments.c
    of_orders = (
        select(orders.c.id)
        .join(rows, and_(orders.c.merchant_id == rows.c.merchant_id, orders.c.order_number == rows.c.order_number))
    )  # fmt: skip
    named = (
        select(parcel.id).select_from(shipments).join(rows, same_key(shipments, rows, KEY))
    )  # fmt: skip
    wanted = select(parcel.merchant_id, parcel.parcel, parcel.order_id, *(parcel[name] for name in FACTS))
    return read(connection, wanted.where(or_(parcel.order_id.in_(of_orders), parcel.id.in_(named))).order_by(parcel.id))


def _write(connection: Connection, told: pd.DataFrame, intake: Intake) -> pd.Series:
    """Write what is new of the parcels; gives the numbers of the rows that put something into one."""
    parcel = told.groupby(list(KEY))
    header = told.assign(**{name: parcel[name].transform("first") for name in FACTS}).drop_duplicates(list(KEY))
    header = header[[*KEY, "order_id", *FACTS]]
    where = parcel_contents.warehouses_of(connection, header["order_id"])
    header = header.assign(warehouse_id=header["order_id"].map(where).astype("Int64"), import_id=intake.import_id)
    with staged(connection, header, like=shipments) as new:
        line = order_lines.c
        open_line = select(line.order_id).where(
            line.order_id == new.c.order_id, line.requires_shipping,
            line.quantity_shipped < line.quantity_ordered - line.quantity_cancelled,
        )  # fmt: skip
        state = case((open_line.exists(), ParcelState.PACKED), else_=ParcelState.SHIPPED).label("state")
        merge(connection, shipments, select(new, state).order_by(new.c.merchant_id, new.c.parcel), KEY, FACTS)
        unscanned = read(
            connection,
            select(new.c.merchant_id, new.c.parcel, shipments.c.id.label("shipment_id"))
            .join(shipments, same_key(shipments, new, KEY))
            .where(shipments.c.packed_at.is_(None)),
        )
    filled = _fill(connection, told.merge(unscanned, on=list(KEY)))
    _settle_elsewhere(connection, told.loc[told["row_number"].isin(filled), "order_id"])
    return filled


def _settle_elsewhere(connection: Connection, of_orders: pd.Series) -> None:
    """Lines nothing was promised for here, whose goods a carrier took all the same, were fulfilled elsewhere."""
    content = parcel_contents.contents_of(connection, of_orders)
    units = line_units(content[content["packed_at"].isna()], parcel_contents.parts_of(connection, of_orders))
    lines = parcel_contents.line_quantities(connection, of_orders).merge(units, on=LINE)
    lines = lines[(lines["quantity_allocated"] == 0) & (lines["units"] > 0)]
    open_ = lines["quantity_ordered"] - lines["quantity_cancelled"]
    lines = lines.assign(quantity=pd.concat([lines["units"], open_], axis=1).min(axis=1))
    for name in FULFILLED:
        parcel_contents.raise_quantity(connection, name, lines)
    parcel_contents.fulfil(connection, of_orders)


def _fill(connection: Connection, told: pd.DataFrame) -> pd.Series:
    """Put what the rows name, or else the whole order, into parcels that nobody scanned."""
    before = parcel_contents.contents_of(connection, told["order_id"])
    named = told[told["sku"].notna() & told["quantity"].notna()]
    held = before[["shipment_id", "sku"]].drop_duplicates().assign(held=True)
    named = named.merge(held, on=["shipment_id", "sku"], how="left")
    named = named[named["held"].isna()].astype({"quantity": "int64"})
    empty = told[~told["shipment_id"].isin(pd.concat([before["shipment_id"], named["shipment_id"]]))]
    empty = empty.drop_duplicates("shipment_id")
    every = pd.concat([named, _rest_of_orders(connection, empty, before)], ignore_index=True)
    columns = ["shipment_id", "order_id", "sku", "quantity"]
    if len(every):
        lines = attach(every[columns], parcel_contents.parts_of(connection, every["order_id"]), before)
        with staged(connection, lines, like=shipment_lines) as new:
            names = [str(column.key) for column in new.columns]
            order = (new.c.shipment_id, new.c.line_number, new.c.sku)
            connection.execute(shipment_lines.insert().from_select(names, select(new).order_by(*order)))
    return every["row_number"]


def _rest_of_orders(connection: Connection, parcels: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """What the orders of `parcels` have to ship and no other parcel holds, in the parcel that was named."""
    line = order_lines.c
    ordered = func.sum(line.quantity_ordered - line.quantity_cancelled).label("quantity")
    with staged(connection, parcel_contents.ids(parcels["order_id"])) as chosen:
        here = and_(line.order_id.in_(select(chosen.c.order_id)), line.requires_shipping)
        found = read(connection, select(line.order_id, line.sku, ordered).where(here).group_by(line.order_id, line.sku))
    held = before.groupby(["order_id", "sku"])["quantity"].sum().rename("held")
    found = found.join(held, on=["order_id", "sku"])
    found["quantity"] -= found.pop("held").fillna(0).astype("int64")
    return parcels[["row_number", "shipment_id", "order_id"]].merge(found[found["quantity"] > 0], on="order_id")
