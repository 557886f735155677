"""Which orders the next allocation pass must look at: new ones, and those for which something grew or changed.

New orders and new stock are found by their ids, above the highest that the last pass saw; what changed or was released
is noted (`allocation_notes`). Any other order was looked at before, could not be served though all stock of its
products was tried, and nothing that could serve it has grown since: it would get nothing now.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Table, delete, func, insert, select, update

from tasks.domain.ordering.allocation import AllocationRules
from tasks.store.database.frames import id_table, read, staged
from tasks.store.ordering.allocation_notes import EVERYTHING, ORDER, PRODUCT
from tasks.store.ordering.open_lines import NEED
from tasks.store.schema import allocation_notes, allocation_passes, order_lines, orders, products, stock_moves
from tasks.store.stock.places import product_parts


@dataclass(frozen=True)
class DueOrders:
    """What a pass looks at.

    `orders`: ids, or None for every open order. `notes`: the notes it deals with. `last_pass`: the stored row of the
    last pass, empty before the first; `this_pass`: the row of this one.
    """

    orders: pd.Series | None
    notes: pd.DataFrame
    last_pass: Mapping[str, Any]
    this_pass: Mapping[str, Any]


def terms_digest(rules: AllocationRules, silent_units: pd.Series) -> str:
    """The terms of a pass as 16 hexadecimal digits: on other terms, every order is looked at again.

    `silent_units`: what warehouses keep back that were not heard of, by warehouse_id.
    """
    terms = [asdict(rules), sorted(silent_units.astype(object).to_dict().items())]
    return hashlib.sha256(json.dumps(terms, sort_keys=True, default=str).encode()).hexdigest()[:16]


def due_orders(connection: Connection, terms: str, as_of: datetime, full_pass_h: int) -> DueOrders:
    """What this pass looks at; `close_pass` belongs into the same transaction."""
    last_pass = dict(connection.execute(select(allocation_passes)).mappings().first() or {})
    everything = connection.scalar(select(func.count()).where(allocation_notes.c.kind == EVERYTHING))
    seen = {f"{table.name.removeprefix('stock_')}_seen": _highest(connection, table) for table in (orders, stock_moves)}
    full = bool(
        not last_pass or last_pass["terms"] != terms or as_of < last_pass["as_of"] or everything
        or as_of - last_pass["full_at"] >= timedelta(hours=full_pass_h)
    )  # fmt: skip
    this_pass = {"as_of": as_of, "full_at": as_of if full else last_pass["full_at"], "terms": terms, **seen}
    notes = select(allocation_notes).order_by(allocation_notes.c.id)
    rows = read(connection, notes.where(allocation_notes.c.kind != PRODUCT) if full else notes)
    return DueOrders(None if full else _concerned_orders(connection, rows, last_pass), rows, last_pass, this_pass)


def _highest(connection: Connection, table: Table) -> int:
    return int(connection.scalar(select(func.max(table.c.id))) or 0)


def _concerned_orders(connection: Connection, notes: pd.DataFrame, last_pass: Mapping[str, Any]) -> pd.Series:
    move, subject = stock_moves.c, notes["subject_id"]
    new_orders = read(connection, select(orders.c.id).where(orders.c.id > last_pass["orders_seen"]))["id"]
    receipts = select(move.product_id).distinct().where(move.id > last_pass["moves_seen"], move.quantity > 0)
    products_with_more = pd.concat([subject[notes["kind"] == PRODUCT], read(connection, receipts)["product_id"]])
    waiting_orders = _orders_needing(connection, products_with_more)
    return pd.Series(pd.concat([new_orders, subject[notes["kind"] == ORDER], waiting_orders]))


def _orders_needing(connection: Connection, product_ids: pd.Series) -> pd.Series:
    """Ids of orders that need any of the products; orders of another merchant for the same SKU may be among them."""
    if product_ids.empty:
        return product_ids
    part = product_parts()
    with id_table(connection, "product_id", product_ids) as chosen_products:
        skus = select(products.c.sku).join(part, part.c.product_id == products.c.id)
        skus = skus.where(part.c.part_id.in_(select(chosen_products.c.product_id)))
        query = select(order_lines.c.order_id).where(NEED > 0, order_lines.c.sku.in_(skus)).distinct()
        return pd.Series(read(connection, query)["order_id"])


def close_pass(connection: Connection, due: DueOrders, orders_again: pd.Series, products_again: pd.Series) -> None:
    """Delete the notes that were dealt with, keep or add those of what must be looked at again, store the pass.

    `orders_again`, `products_again`: ids. Nothing is written where nothing is new.
    """
    again = [(ORDER, number) for number in np.unique(orders_again.astype("int64"))]
    again += [(PRODUCT, number) for number in np.unique(products_again.astype("int64"))]
    wanted = pd.DataFrame(again, columns=["kind", "subject_id"]).astype({"subject_id": "int64"})
    kept = due.notes.drop_duplicates(["kind", "subject_id"]).merge(wanted, on=["kind", "subject_id"])
    obsolete = due.notes[~due.notes["id"].isin(kept["id"])]
    new = wanted.merge(kept[["kind", "subject_id"]], how="left", indicator=True)
    new = new.loc[new["_merge"] == "left_only", ["kind", "subject_id"]]
    if due.orders is None:  # every product was looked at, whatever was noted of it
        connection.execute(delete(allocation_notes).where(allocation_notes.c.kind == PRODUCT))
    if len(obsolete):
        with id_table(connection, "id", obsolete["id"]) as chosen_notes:
            ids = select(chosen_notes.c.id)
            connection.execute(delete(allocation_notes).where(allocation_notes.c.id.in_(ids)))
    if len(new):
        with staged(connection, new, like=allocation_notes) as rows:
            connection.execute(insert(allocation_notes).from_select(["kind", "subject_id"], select(rows)))
    _store_pass(connection, due, notes_changed=len(obsolete) + len(new) > 0)


def _store_pass(connection: Connection, due: DueOrders, *, notes_changed: bool) -> None:
    last_pass, this_pass = due.last_pass, due.this_pass
    if not last_pass:
        connection.execute(insert(allocation_passes).values(id=1, **this_pass))
    elif notes_changed or any(last_pass[name] != value for name, value in this_pass.items() if name != "as_of"):
        connection.execute(update(allocation_passes).values(**this_pass))
