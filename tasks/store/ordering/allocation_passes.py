"""Which orders the next allocation must look at: those that came, and those for which something grew or changed.

New orders and stock that came are found by their ids, beyond the highest that the last pass saw; what changed or was
given up is noted (`allocation_notes`). An order that is none of these was looked at before, could not be served though
all stock of its goods was tried, and nothing that could serve it has grown since: it would get nothing now.
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
from tasks.store.stock.places import parts


@dataclass(frozen=True)
class Due:
    """What a pass looks at: `orders` (ids, or None for every open order), and what it will have seen by then."""

    orders: pd.Series | None
    notes: pd.DataFrame
    known: Mapping[str, Any]
    now: Mapping[str, Any]


def digest(rules: AllocationRules, further: pd.Series) -> str:
    """The terms of a pass in a few letters: on other terms, every order is looked at again."""
    said = json.dumps([asdict(rules), sorted(further.astype(object).to_dict().items())], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def due(connection: Connection, terms: str, as_of: datetime, full_pass_h: int) -> Due:
    """What is to be looked at now; to be asked, and answered with `close`, in one transaction."""
    row = dict(connection.execute(select(allocation_passes)).mappings().first() or {})
    everything = connection.scalar(select(func.count()).where(allocation_notes.c.kind == EVERYTHING))
    seen = {f"{table.name.removeprefix('stock_')}_seen": _highest(connection, table) for table in (orders, stock_moves)}
    full = bool(
        not row or row["terms"] != terms or as_of < row["as_of"] or everything
        or as_of - row["full_at"] >= timedelta(hours=full_pass_h)
    )  # fmt: skip
    now = {"as_of": as_of, "full_at": as_of if full else row["full_at"], "terms": terms, **seen}
    notes = select(allocation_notes).order_by(allocation_notes.c.id)
    found = read(connection, notes.where(allocation_notes.c.kind != PRODUCT) if full else notes)
    chosen = None if full else _concerned(connection, found, row)
    return Due(chosen, found, row, now)


def _highest(connection: Connection, table: Table) -> int:
    return int(connection.scalar(select(func.max(table.c.id))) or 0)


def _concerned(connection: Connection, notes: pd.DataFrame, last: Mapping[str, Any]) -> pd.Series:
    new, move = select(orders.c.id).where(orders.c.id > last["orders_seen"]), stock_moves.c
    grew = select(move.product_id).distinct().where(move.id > last["moves_seen"], move.quantity > 0)
    subject = notes["subject_id"]
    more = pd.concat([subject[notes["kind"] == PRODUCT], read(connection, grew)["product_id"]])
    came = read(connection, new)["id"]
    return pd.Series(pd.concat([came, subject[notes["kind"] == ORDER], _waiting_for(connection, more)]))


def _waiting_for(connection: Connection, product_ids: pd.Series) -> pd.Series:
    """Orders with lines that need any of the products; a merchant's SKU may bring another merchant's order along."""
    if product_ids.empty:
        return product_ids
    part = parts()
    with id_table(connection, "product_id", product_ids) as those:
        skus = select(products.c.sku).join(part, part.c.product_id == products.c.id)
        skus = skus.where(part.c.part_id.in_(select(those.c.product_id)))
        found = select(order_lines.c.order_id).where(NEED > 0, order_lines.c.sku.in_(skus)).distinct()
        return pd.Series(read(connection, found)["order_id"])


def close(connection: Connection, done: Due, orders_again: pd.Series, products_again: pd.Series) -> None:
    """Strike the notes that were seen to, keep or make those of what must be looked at again, remember the pass.

    Nothing is written where nothing is new.
    """
    again = [(ORDER, number) for number in np.unique(orders_again.astype("int64"))]
    again += [(PRODUCT, number) for number in np.unique(products_again.astype("int64"))]
    wanted = pd.DataFrame(again, columns=["kind", "subject_id"]).astype({"subject_id": "int64"})
    kept = done.notes.drop_duplicates(["kind", "subject_id"]).merge(wanted, on=["kind", "subject_id"])
    gone = done.notes[~done.notes["id"].isin(kept["id"])]
    if done.orders is None:  # their products were looked at, whatever was noted of them
        connection.execute(delete(allocation_notes).where(allocation_notes.c.kind == PRODUCT))
    made = wanted.merge(kept[["kind", "subject_id"]], how="left", indicator=True)
    made = made.loc[made["_merge"] == "left_only", ["kind", "subject_id"]]
    if len(gone):
        with id_table(connection, "id", gone["id"]) as those:
            connection.execute(delete(allocation_notes).where(allocation_notes.c.id.in_(select(those.c.id))))
    if len(made):
        with staged(connection, made, like=allocation_notes) as new:
            connection.execute(insert(allocation_notes).from_select(["kind", "subject_id"], select(new)))
    _remember(connection, done, changed=len(gone) + len(made) > 0)


def _remember(connection: Connection, done: Due, *, changed: bool) -> None:
    if not done.known:
        connection.execute(insert(allocation_passes).values(id=1, **done.now))
    elif changed or any(done.known[name] != value for name, value in done.now.items() if name != "as_of"):
        connection.execute(update(allocation_passes).values(**done.now))
