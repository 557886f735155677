"""Drift: where stock exports and the ledger disagree, and which exports have been reported."""

import pandas as pd
from sqlalchemy import Connection, Select, cast, exists, func, literal, select
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.states import ImportState
from tasks.store.database.frames import read
from tasks.store.ledger import PLACE
from tasks.store.run_log import log
from tasks.store.schema import (
    imports,
    locations,
    merchants,
    products,
    run_log,
    stock_moves,
    stock_snapshots,
    warehouses,
)

FLOW = "receive-exports"


def drift_lines(connection: Connection, import_id: int) -> pd.DataFrame:
    """Where the export `import_id` and the ledger disagree at the moment of the export, one row per place.

    Columns: merchant, warehouse, location, sku, condition, lot, ledger, export, drift (int64: export less ledger),
    value_minor (Int64, at unit cost), currency, snapshot_at; sorted by largest value, then place.
    """
    snapshots, book = _snapshot(import_id), _book(import_id)
    query = (
        select(
            merchants.c.code.label("merchant"), warehouses.c.code.label("warehouse"),
            locations.c.code.label("location"), products.c.sku, book.c.condition, book.c.lot,
            cast(book.c.ledger, stock_snapshots.c.on_hand.type).label("ledger"),
            cast(book.c.export, stock_snapshots.c.on_hand.type).label("export"),
            products.c.unit_cost_minor, products.c.currency, snapshots.c.snapshot_at,
        )
        .join_from(book, products, products.c.id == book.c.product_id)
        .join(merchants, merchants.c.id == products.c.merchant_id)
        .join(locations, locations.c.id == book.c.location_id)
        .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
        .join(snapshots, literal(value=True))
        .where(book.c.ledger != book.c.export)
    )  # fmt: skip
    lines = read(connection, query)
    lines["drift"] = lines["export"] - lines["ledger"]
    lines["value_minor"] = lines["drift"] * lines.pop("unit_cost_minor").astype("Int64")
    lines = lines.assign(size=lines["value_minor"].abs().fillna(-1))
    lines = lines.sort_values(["size", "warehouse", "location", "sku", "condition", "lot"],
                              ascending=[False, True, True, True, True, True])  # fmt: skip
    return lines.drop(columns="size").reset_index(drop=True)


def unreported_exports(connection: Connection) -> pd.DataFrame:
    """Stock exports of each moment of which one has no drift report yet: id, received_at, sha256, file_name.

    Reports are written from what was committed, so that a crash before they are written loses none.
    """
    is_reported = exists().where(
        run_log.c.flow == FLOW, run_log.c.step == "drift",
        run_log.c.as_of == imports.c.received_at, run_log.c.fingerprint == imports.c.sha256,
    )  # fmt: skip
    is_loaded = imports.c.kind == "stock", imports.c.state == ImportState.LOADED
    new = select(imports.c.received_at).where(*is_loaded, ~is_reported)
    exports = select(imports.c.id, imports.c.received_at, imports.c.sha256, imports.c.file_name)
    return read(connection, exports.where(*is_loaded, imports.c.received_at.in_(new)).order_by(imports.c.id))


def record_reported(connection: Connection, exports: pd.DataFrame) -> None:
    """Store in the run log that the drift of `exports` (received_at, sha256, places) is reported."""
    for moment, sha256, places in zip(exports["received_at"], exports["sha256"], exports["places"], strict=True):
        log(connection, flow=FLOW, step="drift", as_of=moment, fingerprint=sha256, rows_in=1, rows_out=int(places))


def _snapshot(import_id: int) -> Subquery:
    return (
        select(func.max(stock_snapshots.c.snapshot_at).label("snapshot_at"))
        .where(stock_snapshots.c.import_id == import_id)
        .subquery("snapshot")
    )


def _book(import_id: int) -> Subquery:
    """Export and ledger side by side for every place of the goods and warehouses the export speaks of."""
    is_of_export = stock_snapshots.c.import_id == import_id
    exported = select(*(stock_snapshots.c[name] for name in PLACE), stock_snapshots.c.on_hand.label("export"),
                  literal(0).label("ledger")).where(is_of_export)  # fmt: skip
    products_of_export = (
        select(stock_snapshots.c.product_id, locations.c.warehouse_id,
               func.max(stock_snapshots.c.snapshot_at).label("snapshot_at"))
        .join(locations, locations.c.id == stock_snapshots.c.location_id)
        .where(is_of_export)
        .group_by(stock_snapshots.c.product_id, locations.c.warehouse_id)
        .subquery("products_of_export")
    )  # fmt: skip
    moves: Select[tuple[object, ...]] = (
        select(*(stock_moves.c[name] for name in PLACE), literal(0), func.sum(stock_moves.c.quantity))
        .join(locations, locations.c.id == stock_moves.c.location_id)
        .join(products_of_export, (products_of_export.c.product_id == stock_moves.c.product_id)
              & (products_of_export.c.warehouse_id == locations.c.warehouse_id))
        .where(stock_moves.c.effective_at <= products_of_export.c.snapshot_at)
        .group_by(*(stock_moves.c[name] for name in PLACE))
    )  # fmt: skip
    rows = exported.union_all(moves).subquery("rows")
    place = [rows.c[name] for name in PLACE]
    sums = select(*place, func.sum(rows.c.export).label("export"), func.sum(rows.c.ledger).label("ledger"))
    return sums.group_by(*place).subquery("book")
