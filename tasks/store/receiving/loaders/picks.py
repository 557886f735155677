"""Loads what pickers report."""

from typing import Any

import pandas as pd
from sqlalchemy import (
    Connection,
    Select,
    Table,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from tasks.domain.picking.pick_reports import settle
from tasks.domain.states import Condition, PickState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import read, staged
from tasks.store.database.merging import count, drop, drop_repeats
from tasks.store.ordering.allocations import release, settle_lines
from tasks.store.picking.waves import close_finished
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import (
    allocations,
    locations,
    orders,
    picks,
    products,
)
from tasks.store.stock.post_moves import correct_counts

REPORTED = ("quantity", "short_reason", "picker", "picked_at")


def load_picks(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Settle planned picks by what the pickers report; what they could not take is free again at once.

    A report means the planned picks of its order and SKU (a kit's component under its own SKU), at its location where
    it names one. What was not found there is given up: allocate-orders promises other units, and doubts the place.
    """
    total = count(connection, rows)
    exclusive(connection, "allocations")
    exclusive(connection, "waves")
    refused = [drop_repeats(connection, rows, ("merchant_id", "order_number", "location", "sku"), REPORTED)]
    refused.append(_strangers(connection, rows))
    claims = read(connection, _claims(rows))
    settled, contradicted = settle(claims)
    _write_picks(connection, settled)
    short = claims.merge(settled[["pick_id", "row_number", "taken"]], on=["pick_id", "row_number"])
    release(connection, short.assign(quantity=short["planned"] - short["taken"]), "short_pick", intake.as_of)
    settle_lines(connection, short)
    correct_counts(connection, _emptied(connection, settled), pd.Timestamp(intake.as_of))
    close_finished(connection)
    bad = pd.concat([*refused, contradicted], ignore_index=True)
    loaded = settled["row_number"].nunique()
    return Loaded(loaded, total - loaded - len(bad), bad)


def _emptied(connection: Connection, settled: pd.DataFrame) -> pd.DataFrame:
    """The places picks took from, and since when: location_id, product_id, condition, lot, since."""
    condition = literal(Condition.AVAILABLE.value).label("condition")
    place = [allocations.c.location_id, allocations.c.product_id, condition, allocations.c.lot]
    with staged(connection, settled[["pick_id"]]) as taken:
        found = select(*place, func.min(picks.c.picked_at).label("since")).join_from(
            taken, picks, picks.c.id == taken.c.pick_id
        )
        found = found.join(allocations, allocations.c.id == picks.c.allocation_id).where(picks.c.quantity_picked > 0)
        return read(connection, found.group_by(allocations.c.location_id, allocations.c.product_id, allocations.c.lot))


def _strangers(connection: Connection, rows: Table) -> pd.DataFrame:
    """Reports about orders, SKUs or places nobody planned a pick for."""
    planned, said = _planned().subquery("planned"), rows.c
    of_order = and_(planned.c.merchant_id == said.merchant_id, planned.c.order_number == said.order_number)
    of_sku = and_(of_order, planned.c.sku == said.sku)
    here = and_(of_sku, or_(said.location.is_(None), planned.c.location == said.location))
    known = exists().where(orders.c.merchant_id == said.merchant_id, orders.c.order_number == said.order_number)
    reason = case(
        (~known, literal("order_number: found '") + said.order_number + "', expected an order of the merchant"),
        (~exists().where(of_order), literal("order_number: found '") + said.order_number
         + "', expected an order a wave was planned for"),
        (~exists().where(of_sku), literal("sku: found '") + said.sku + "', expected a SKU planned for the order"),
        else_=literal("location: found '") + func.coalesce(said.location, "")
        + "', expected the place planned for the SKU",
    )  # fmt: skip
    found = read(connection, select(said.row_number, reason.label("reason")).where(~exists().where(here)))
    drop(connection, rows, found)
    return found.astype({"row_number": "int64", "reason": "str"})


def _planned() -> Select[Any]:
    """Every pick as a report names it."""
    return (
        select(
            picks.c.id.label("pick_id"), orders.c.merchant_id, orders.c.order_number, products.c.sku,
            locations.c.code.label("location"), picks.c.quantity.label("planned"), picks.c.state,
            picks.c.quantity_picked, picks.c.picked_at.label("told_at"), picks.c.allocation_id, picks.c.cart_id,
            picks.c.stop_number, allocations.c.order_id, allocations.c.line_number,
        )
        .join_from(picks, allocations, allocations.c.id == picks.c.allocation_id)
        .join(orders, orders.c.id == allocations.c.order_id)
        .join(products, products.c.id == allocations.c.product_id)
        .join(locations, locations.c.id == allocations.c.location_id)
    )  # fmt: skip


def _claims(rows: Table) -> Select[Any]:
    planned, said = _planned().subquery("planned"), rows.c
    meant = and_(
        planned.c.merchant_id == said.merchant_id,
        planned.c.order_number == said.order_number,
        planned.c.sku == said.sku,
        or_(said.location.is_(None), said.location == planned.c.location),
    )
    names = ("pick_id", "planned", "state", "quantity_picked", "told_at", "allocation_id", "order_id", "line_number")
    told = select(said.row_number, *(said[name] for name in REPORTED), *(planned.c[name] for name in names))
    order = (said.row_number, planned.c.cart_id, planned.c.stop_number, planned.c.pick_id)
    return told.join_from(rows, planned, meant).order_by(*order)


def _write_picks(connection: Connection, settled: pd.DataFrame) -> None:
    if settled.empty:
        return
    with staged(connection, settled, like=picks) as new:
        told = {name: new.c[name] for name in ("state", "short_reason", "picker", "picked_at")}
        same = and_(picks.c.id == new.c.pick_id, picks.c.state == PickState.OPEN)
        connection.execute(update(picks).where(same).values(quantity_picked=new.c.taken, **told))
