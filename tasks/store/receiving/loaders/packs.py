"""Parcels as they are scanned at the packing bench."""

import pandas as pd
from sqlalchemy import Connection, Table, and_, select

from tasks.domain.parcels.parcel_contents import attach, read_codes
from tasks.domain.states import ParcelState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import read, staged
from tasks.store.database.merging import count, drop_repeats, merge, same_key
from tasks.store.parcels import parcel_contents
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import inspections, orders, products, shipment_lines, shipments

KEY = ("merchant_id", "parcel")
SCAN = (*KEY, "sku")
FACTS = ("order_id", "warehouse_id", "packer", "weight_g", "checks", "packed_at")


def load_packs(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Keep what was scanned into each parcel, and raise quantity_packed as far as the lines were picked.

    The rows of a parcel are one parcel. A code is a SKU or a barcode. What a later file says of a SKU in a parcel
    stands instead, until the parcel was inspected or shipped: after that, other scans are refused. A SKU the order does
    not have is kept without a line, for the inspection to find; components of a kit count toward the kit's line.
    """
    exclusive(connection, "parcels")
    total = count(connection, rows)
    refused = [drop_repeats(connection, rows, SCAN, ("order_number", "quantity", "packed_at"))]
    scans = _scans(connection, rows)
    wrong = _misplaced(scans)
    refused.append(wrong)
    scans = scans[~scans["row_number"].isin(wrong["row_number"])].astype({"order_id": "int64"})
    parts = parcel_contents.parts_of(connection, scans["order_id"])
    scans["sku"] = read_codes(scans, _products(connection, scans["merchant_id"]), parts)
    said = _said(scans, _known(connection, scans))
    late = _late(said)
    refused.append(late)
    new = said[said["is_new"] & ~said["row_number"].isin(late["row_number"])]
    _write(connection, said[said["parcel_key"].isin(new["parcel_key"])], parts, intake)
    bad = pd.concat(refused, ignore_index=True)
    return Loaded(len(new), total - len(new) - len(bad), bad)


def _scans(connection: Connection, rows: Table) -> pd.DataFrame:
    """The staged rows beside their order and what is known of their parcel."""
    c, parcel = rows.c, shipments.c
    inspected = select(inspections.c.id).where(inspections.c.shipment_id == parcel.id).exists()
    found = read(
        connection,
        select(c.row_number, *(c[name] for name in SCAN), c.order_number, c.quantity, c.packer, c.packed_at, c.weight_g,
               c.checks, orders.c.id.label("order_id"), parcel.id.label("shipment_id"), parcel.state,
               parcel.order_id.label("known_order_id"), parcel.packed_at.label("known_packed_at"),
               parcel.packer.label("known_packer"), parcel.weight_g.label("known_weight_g"),
               parcel.checks.label("known_checks"), inspected.label("inspected"))
        .join_from(rows, orders, and_(orders.c.merchant_id == c.merchant_id, orders.c.order_number == c.order_number),
                   isouter=True)
        .join(shipments, same_key(shipments, rows, KEY), isouter=True)
        .order_by(c.row_number),
    )  # fmt: skip
    kinds = ("order_id", "shipment_id", "known_order_id", "known_weight_g", "weight_g")
    found["parcel_key"] = found["merchant_id"].astype("str") + ":" + found["parcel"]
    return found.astype(dict.fromkeys(kinds, "Int64"))


def _misplaced(scans: pd.DataFrame) -> pd.DataFrame:
    """Rows of an order nobody knows, and rows that put a parcel in another order than it is in already."""
    unknown = scans[scans["order_id"].isna()]
    reason = "order_number: found '" + unknown["order_number"] + "', expected an order received before"
    known = scans[scans["order_id"].notna()]
    first = known["known_order_id"].fillna(known.groupby("parcel_key")["order_id"].transform("first"))
    other = known[known["order_id"] != first]
    moved = "order_number: found '" + other["order_number"] + "' for parcel '" + other["parcel"]
    moved += "', expected the order it was packed for"
    both = pd.concat([unknown[["row_number"]].assign(reason=reason), other[["row_number"]].assign(reason=moved)])
    return both.astype({"reason": "str"})


def _products(connection: Connection, of_merchants: pd.Series) -> pd.DataFrame:
    wanted = select(products.c.merchant_id, products.c.sku, products.c.barcode)
    mine = [int(one) for one in of_merchants.unique()]
    return read(connection, wanted.where(products.c.merchant_id.in_(mine)))


def _known(connection: Connection, scans: pd.DataFrame) -> pd.DataFrame:
    """What scanned parcels hold already: shipment_id, sku, held."""
    with staged(connection, parcel_contents.ids(scans["shipment_id"], "shipment_id")) as chosen:
        line = shipment_lines.c
        found = read(
            connection,
            select(line.shipment_id, line.sku, line.quantity)
            .join(shipments, shipments.c.id == line.shipment_id)
            .where(line.shipment_id.in_(select(chosen.c.shipment_id)), shipments.c.packed_at.is_not(None)),
        )
    held = found.groupby(["shipment_id", "sku"], as_index=False)[["quantity"]].sum()
    return held.rename(columns={"quantity": "held"}).astype({"shipment_id": "Int64"})


def _said(scans: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """What each row says of its parcel as a whole; `is_new` where that is not known yet."""
    parcel = scans.groupby("parcel_key")
    said = scans.merge(known, on=["shipment_id", "sku"], how="left")
    for name in ("packer", "weight_g", "packed_at"):
        said[name] = parcel[name].transform("last" if name != "packed_at" else "max").to_numpy()
        said[name] = said[name].astype(scans[name].dtype).fillna(said[f"known_{name}"])
    said["packed_at"] = said[["packed_at", "known_packed_at"]].max(axis=1)
    answers = scans.dropna(subset="checks").drop_duplicates(["parcel_key", "checks"]).groupby("parcel_key")["checks"]
    said["checks"] = said["parcel_key"].map(answers.agg("|".join)).astype("str").fillna(said["known_checks"])
    facts = pd.Series(data=False, index=said.index)
    for name in ("packer", "weight_g", "packed_at", "checks"):
        facts |= said[name].notna() & ~(said[name] == said[f"known_{name}"]).fillna(value=False).astype(bool)
    total = said.groupby(["parcel_key", "sku"])["quantity"].transform("sum")
    return said.assign(is_new=facts | (total != said["held"].fillna(0)))


def _late(said: pd.DataFrame) -> pd.DataFrame:
    closed = said["inspected"].astype(bool) | (said["state"].notna() & (said["state"] != ParcelState.PACKED))
    late = said[closed & said["is_new"]]
    reason = "parcel: found other scans of '" + late["parcel"] + "', expected none after it was inspected or shipped"
    return late[["row_number"]].assign(reason=reason.astype("str"))


def _write(connection: Connection, said: pd.DataFrame, parts: pd.DataFrame, intake: Intake) -> None:
    """Write the parcels of `said` as a whole: what they held and were not scanned for again stays in them."""
    if said.empty:
        return
    header = said.drop_duplicates("parcel_key")[[*KEY, "order_id", "packer", "weight_g", "checks", "packed_at"]]
    where = parcel_contents.warehouses_of(connection, header["order_id"])
    header = header.assign(warehouse_id=header["order_id"].map(where).astype("Int64"), import_id=intake.import_id)
    with staged(connection, header, like=shipments) as new:
        merge(connection, shipments, select(new).order_by(new.c.merchant_id, new.c.parcel), KEY, FACTS)
        named = read(connection, select(new.c.merchant_id, new.c.parcel, shipments.c.id.label("shipment_id"))
                     .join(shipments, same_key(shipments, new, KEY)))  # fmt: skip
    said = said.drop(columns="shipment_id").merge(named, on=list(KEY))
    before = parcel_contents.contents_of(connection, said["order_id"])
    mine = before["shipment_id"].isin(said["shipment_id"])
    content = _merged(said, before[mine & before["packed_at"].notna()])
    lines = attach(content, parts, before[~mine & ~before["state"].isin(parcel_contents.ASTRAY)])
    parcel_contents.replace_lines(connection, lines)
    parcel_contents.raise_packed(connection, said["order_id"])


def _merged(said: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Parcel content in packing order: what is said of a SKU stands instead of what was held of it."""
    key = ["shipment_id", "order_id", "sku"]
    new = said.groupby(key, as_index=False).agg(quantity=("quantity", "sum"), packed_at=("packed_at", "max"))
    old = held.groupby(key, as_index=False).agg(quantity=("quantity", "sum"), packed_at=("packed_at", "max"))
    every = pd.concat([new, old], ignore_index=True).drop_duplicates(["shipment_id", "sku"])
    return every.sort_values(["packed_at", *key])[[*key, "quantity"]]
