"""Loads the scans of the packing bench."""

import pandas as pd
from sqlalchemy import Connection, Table, and_, select

from tasks.domain.parcels.parcel_contents import parcel_lines, scanned_skus
from tasks.domain.states import ParcelState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import read, staged
from tasks.store.database.upserts import drop_repeats, keys_match, merge, row_count
from tasks.store.parcels import parcel_contents
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import inspections, orders, products, shipment_lines, shipments

PARCEL_KEY = ("merchant_id", "parcel")
SCAN_KEY = (*PARCEL_KEY, "sku")
PARCEL_FACTS = ("order_id", "warehouse_id", "packer", "weight_g", "checks", "packed_at")


def load_packs(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Store what was scanned into each parcel, and raise quantity_packed as far as the lines were picked.

    All rows of a parcel code are one parcel. A scanned code is a SKU or a barcode. A later file replaces what was
    scanned of a SKU in a parcel, until the parcel is inspected or shipped; other scans are refused after that. A SKU
    that the order does not have is stored without a line, for the inspection to find. Components of a kit count toward
    the kit's line.
    """
    exclusive(connection, "parcels")
    total = row_count(connection, rows)
    refused = [drop_repeats(connection, rows, SCAN_KEY, ("order_number", "quantity", "packed_at"))]
    scans = _scans(connection, rows)
    misplaced = _misplaced(scans)
    refused.append(misplaced)
    scans = scans[~scans["row_number"].isin(misplaced["row_number"])].astype({"order_id": "int64"})
    parts = parcel_contents.parts_of(connection, scans["order_id"])
    scans["sku"] = scanned_skus(scans, _products(connection, scans["merchant_id"]), parts)
    contents = _scanned_contents(scans, _packed_units(connection, scans))
    late = _late_scans(contents)
    refused.append(late)
    new = contents[contents["is_new"] & ~contents["row_number"].isin(late["row_number"])]
    _write(connection, contents[contents["parcel_key"].isin(new["parcel_key"])], parts, intake)
    refused_rows = pd.concat(refused, ignore_index=True)
    return Loaded(len(new), total - len(new) - len(refused_rows), refused_rows)


def _scans(connection: Connection, rows: Table) -> pd.DataFrame:
    """The staged rows with their order and the stored facts of their parcel."""
    row, parcel = rows.c, shipments.c
    inspected = select(inspections.c.id).where(inspections.c.shipment_id == parcel.id).exists()
    scans = read(
        connection,
        select(
            row.row_number,
            *(row[name] for name in SCAN_KEY),
            row.order_number,
            row.quantity,
            row.packer,
            row.packed_at,
            row.weight_g,
            row.checks,
            orders.c.id.label("order_id"),
            parcel.id.label("shipment_id"),
            parcel.state,
            parcel.order_id.label("known_order_id"),
            parcel.packed_at.label("known_packed_at"),
            parcel.packer.label("known_packer"),
            parcel.weight_g.label("known_weight_g"),
            parcel.checks.label("known_checks"),
            inspected.label("inspected"),
        )
        .join_from(
            rows,
            orders,
            and_(orders.c.merchant_id == row.merchant_id, orders.c.order_number == row.order_number),
            isouter=True,
        )
        .join(shipments, keys_match(shipments, rows, PARCEL_KEY), isouter=True)
        .order_by(row.row_number),
    )
    kinds = ("order_id", "shipment_id", "known_order_id", "known_weight_g", "weight_g")
    scans["parcel_key"] = scans["merchant_id"].astype("str") + ":" + scans["parcel"]
    return scans.astype(dict.fromkeys(kinds, "Int64"))


def _misplaced(scans: pd.DataFrame) -> pd.DataFrame:
    """Rows of unknown orders, and rows that name another order than the one their parcel was packed for."""
    strangers = scans[scans["order_id"].isna()]
    reason = "order_number: found '" + strangers["order_number"] + "', expected an order received before"
    matched = scans[scans["order_id"].notna()]
    first = matched["known_order_id"].fillna(matched.groupby("parcel_key")["order_id"].transform("first"))
    moved = matched[matched["order_id"] != first]
    moved_reason = "order_number: found '" + moved["order_number"] + "' for parcel '" + moved["parcel"]
    moved_reason += "', expected the order it was packed for"
    misplaced = pd.concat(
        [strangers[["row_number"]].assign(reason=reason), moved[["row_number"]].assign(reason=moved_reason)]
    )
    return misplaced.astype({"reason": "str"})


def _products(connection: Connection, merchant_ids: pd.Series) -> pd.DataFrame:
    codes = select(products.c.merchant_id, products.c.sku, products.c.barcode)
    ids = [int(merchant_id) for merchant_id in merchant_ids.unique()]
    return read(connection, codes.where(products.c.merchant_id.in_(ids)))


def _packed_units(connection: Connection, scans: pd.DataFrame) -> pd.DataFrame:
    """Units stored for the scanned parcels: shipment_id, sku, held."""
    with staged(connection, parcel_contents.distinct_ids(scans["shipment_id"], "shipment_id")) as chosen:
        line = shipment_lines.c
        lines = read(
            connection,
            select(line.shipment_id, line.sku, line.quantity)
            .join(shipments, shipments.c.id == line.shipment_id)
            .where(line.shipment_id.in_(select(chosen.c.shipment_id)), shipments.c.packed_at.is_not(None)),
        )
    contents = lines.groupby(["shipment_id", "sku"], as_index=False)[["quantity"]].sum()
    return contents.rename(columns={"quantity": "held"}).astype({"shipment_id": "Int64"})


def _scanned_contents(scans: pd.DataFrame, packed: pd.DataFrame) -> pd.DataFrame:
    """Each row with the facts of its whole parcel; `is_new` where they differ from those stored."""
    parcel = scans.groupby("parcel_key")
    contents = scans.merge(packed, on=["shipment_id", "sku"], how="left")
    for name in ("packer", "weight_g", "packed_at"):
        contents[name] = parcel[name].transform("last" if name != "packed_at" else "max").to_numpy()
        contents[name] = contents[name].astype(scans[name].dtype).fillna(contents[f"known_{name}"])
    contents["packed_at"] = contents[["packed_at", "known_packed_at"]].max(axis=1)
    answers = scans.dropna(subset="checks").drop_duplicates(["parcel_key", "checks"]).groupby("parcel_key")["checks"]
    contents["checks"] = (
        contents["parcel_key"].map(answers.agg("|".join)).astype("str").fillna(contents["known_checks"])
    )
    is_new = pd.Series(data=False, index=contents.index)
    for name in ("packer", "weight_g", "packed_at", "checks"):
        is_new |= contents[name].notna() & ~(contents[name] == contents[f"known_{name}"]).fillna(value=False).astype(
            bool
        )
    total = contents.groupby(["parcel_key", "sku"])["quantity"].transform("sum")
    return contents.assign(is_new=is_new | (total != contents["held"].fillna(0)))


def _late_scans(contents: pd.DataFrame) -> pd.DataFrame:
    is_closed = contents["inspected"].astype(bool) | (
        contents["state"].notna() & (contents["state"] != ParcelState.PACKED)
    )
    late = contents[is_closed & contents["is_new"]]
    reason = "parcel: found other scans of '" + late["parcel"] + "', expected none after it was inspected or shipped"
    return late[["row_number"]].assign(reason=reason.astype("str"))


def _write(connection: Connection, contents: pd.DataFrame, parts: pd.DataFrame, intake: Intake) -> None:
    """Write the parcels of `contents` as a whole; stored SKUs that were not scanned again stay in them."""
    if contents.empty:
        return
    header = contents.drop_duplicates("parcel_key")[
        [*PARCEL_KEY, "order_id", "packer", "weight_g", "checks", "packed_at"]
    ]
    warehouse_ids = parcel_contents.warehouses_of(connection, header["order_id"])
    header = header.assign(
        warehouse_id=header["order_id"].map(warehouse_ids).astype("Int64"), import_id=intake.import_id
    )
    with staged(connection, header, like=shipments) as new:
        merge(connection, shipments, select(new).order_by(new.c.merchant_id, new.c.parcel), PARCEL_KEY, PARCEL_FACTS)
        parcel_ids = read(
            connection,
            select(new.c.merchant_id, new.c.parcel, shipments.c.id.label("shipment_id")).join(
                shipments, keys_match(shipments, new, PARCEL_KEY)
            ),
        )
    contents = contents.drop(columns="shipment_id").merge(parcel_ids, on=list(PARCEL_KEY))
    before = parcel_contents.contents_of(connection, contents["order_id"])
    is_rewritten = before["shipment_id"].isin(contents["shipment_id"])
    units = _merged_units(contents, before[is_rewritten & before["packed_at"].notna()])
    lines = parcel_lines(units, parts, before[~is_rewritten & ~before["state"].isin(parcel_contents.ASTRAY)])
    parcel_contents.replace_lines(connection, lines)
    parcel_contents.raise_packed(connection, contents["order_id"])


def _merged_units(contents: pd.DataFrame, packed: pd.DataFrame) -> pd.DataFrame:
    """Units by parcel and SKU in packing order; a new scan of a SKU replaces the stored one."""
    key = ["shipment_id", "order_id", "sku"]
    scanned = contents.groupby(key, as_index=False).agg(quantity=("quantity", "sum"), packed_at=("packed_at", "max"))
    earlier = packed.groupby(key, as_index=False).agg(quantity=("quantity", "sum"), packed_at=("packed_at", "max"))
    units = pd.concat([scanned, earlier], ignore_index=True).drop_duplicates(["shipment_id", "sku"])
    return units.sort_values(["packed_at", *key])[[*key, "quantity"]]
